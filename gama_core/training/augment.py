"""Augmentation as published: crops at random, clips mirrored as one, tiles turned and mirrored.

Everything here is a function of pictures and a random generator; what goes in is never changed.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from gama_core.crops import Pixels, resized


def augmented_clip(frames: Pixels, cover: tuple[int, int], crop: tuple[int, int], rng: np.random.Generator) -> Pixels:
    """A clip resized, cut somewhere, and mirrored half of the time: the same for all of its frames.

    Args:
        frames: uint8 (T, H, W, 3).
        cover: (width, height) in pixels that each frame is resized to.
        crop: (height, width) in pixels of the piece that is kept; at most `cover`.

    Returns:
        uint8 (T, *crop, 3).
    """
    top, left = rng.integers(0, cover[1] - crop[0], endpoint=True), rng.integers(0, cover[0] - crop[1], endpoint=True)
    mirrored = rng.random() < 0.5
    pieces = np.stack([resized(frame, *cover)[top : top + crop[0], left : left + crop[1]] for frame in frames])
    return np.ascontiguousarray(pieces[:, :, ::-1] if mirrored else pieces)


@dataclass(frozen=True)
class Turn:
    """How a picture from above is turned: anticlockwise about its middle, then mirrored left-right and top-bottom."""

    angle_deg: float
    mirrored: bool
    upside_down: bool

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> Turn:
        """Any angle, and each mirror half of the time."""
        return cls(float(rng.uniform(-180.0, 180.0)), bool(rng.random() < 0.5), bool(rng.random() < 0.5))


def augmented_tile(tile: Pixels, cover: int, crop: int, turn: Turn, rng: np.random.Generator) -> Pixels:
    """A picture from above, resized, turned and cut somewhere, in one pass over its pixels.

    Args:
        tile: uint8 (H, W, 3).
        cover: side in pixels that it is resized to.
        crop: side in pixels of the piece that is kept; at most `cover`.
        turn: what is done to it before the cut.

    Returns:
        uint8 (crop, crop, 3). What a turn brings in from outside is the picture mirrored at its edge.
    """
    top, left = rng.integers(0, cover - crop, size=2, endpoint=True)
    middle = (cover - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), turn.angle_deg, 1.0)
    if turn.mirrored:
        matrix[0] = [0, 0, cover - 1] - matrix[0]
    if turn.upside_down:
        matrix[1] = [0, 0, cover - 1] - matrix[1]
    matrix[:, 2] -= left, top
    whole = resized(tile, cover, cover)
    turned = cv2.warpAffine(whole, matrix, (crop, crop), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(turned, np.uint8)
