"""What every source of aerial pixels promises."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gama_core.geo import Bounds
from gama_core.tile import ZOOM

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]


class Imagery(Protocol):
    """Aerial imagery with a place on the map."""

    @property
    def name(self) -> str: ...

    @property
    def attribution(self) -> str: ...

    @property
    def bounds(self) -> Bounds: ...

    def read(self, x_px: float, y_px: float, side_px: float, out_px: int, zoom: int = ZOOM) -> tuple[Pixels, Mask]:
        """A north-up square of the web-mercator grid.

        Args:
            x_px: west edge in world pixels at `zoom`.
            y_px: north edge in world pixels at `zoom`.
            side_px: side of the square in world pixels at `zoom`.
            out_px: side of the result in pixels.
            zoom: of the world pixels.

        Returns:
            uint8 (out_px, out_px, 3) RGB, black where there is no imagery, and bool (out_px, out_px), true where
            there is.

        Raises:
            ImageryUnreadable: the pixels do not decode.
        """
        ...


def first_valid(layers: Iterable[tuple[Pixels, Mask]], out_px: int) -> tuple[Pixels, Mask]:
    """Each pixel from the first layer that has it; layers after the last that is needed are not asked for."""
    pixels = np.zeros((out_px, out_px, 3), np.uint8)
    valid = np.zeros((out_px, out_px), np.bool_)
    for layer, layer_valid in layers:
        missing = layer_valid & ~valid
        pixels[missing] = layer[missing]
        valid |= layer_valid
        if valid.all():
            break
    return pixels, valid
