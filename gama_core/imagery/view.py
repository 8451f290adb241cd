"""Views: squares of the ground at any heading, cut out of a north-up mosaic."""

from __future__ import annotations

import math

import cv2
import numpy as np

from gama_core.imagery.source import Pixels


def cut_view(
    mosaic: Pixels, centre_x_px: float, centre_y_px: float, side_px: float, rotation_deg: float, out_px: int
) -> Pixels:
    """A square of a north-up mosaic, turned so that a heading points up.

    Args:
        mosaic: uint8 (H, W, channels), north up.
        centre_x_px: the view's centre from the mosaic's west edge, in its pixels; pixel i covers i to i + 1.
        centre_y_px: the same from its north edge, southwards.
        side_px: side of the view in mosaic pixels.
        rotation_deg: the heading that points up in the result, clockwise from north: 0 keeps north up, at 90 east
            is up and north is left.
        out_px: side of the result in pixels.

    Returns:
        uint8 (out_px, out_px, channels); black where the mosaic ends. Shrinking averages, it does not skip pixels.
    """
    finer = max(1, math.ceil(side_px / out_px / 1.5))  # samples a pixel and direction, averaged below
    samples = out_px * finer
    # Only the part around the view: warpAffine takes no source above 32,767 px.
    reach = side_px * (0.5 if rotation_deg % 90 == 0 else math.sqrt(0.5)) + 2
    left, top = max(0, math.floor(centre_x_px - reach)), max(0, math.floor(centre_y_px - reach))
    part = mosaic[top : max(top, math.ceil(centre_y_px + reach)), left : max(left, math.ceil(centre_x_px + reach))]
    if not part.size:
        return np.zeros((out_px, out_px, *mosaic.shape[2:]), np.uint8)
    right = np.array([math.cos(math.radians(rotation_deg)), math.sin(math.radians(rotation_deg))]) * side_px / samples
    down = np.array([-right[1], right[0]])
    middle = np.array([centre_x_px - left, centre_y_px - top])
    corner = middle - (right + down) * (samples - 1) / 2 - 0.5  # where the first sample lies, in pixel indices
    view = cv2.warpAffine(
        part,
        np.column_stack([right, down, corner]),
        (samples, samples),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
    )
    if finer > 1:
        view = cv2.resize(view, (out_px, out_px), interpolation=cv2.INTER_AREA)
    return np.asarray(view, dtype=np.uint8)
