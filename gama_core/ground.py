"""The ground of a region and around it, as pixels that views are cut from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gama_core.crops import middle
from gama_core.imagery import TileFolder, cut_view
from gama_core.models.config import GAMaNetConfig
from gama_core.tile import REGION_TILES, TILE_PX, ZOOM, Region, metres_per_pixel

FINE_ZOOM = 18  # views are cut from pixels of this zoom (~0.46 m at 40 degrees north), near what the network sees
PX = 2.0 ** (FINE_ZOOM - ZOOM)  # of these pixels in one of zoom 19, along a side

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Ground:
    """Pixels uint8 (H, W, 3) of `FINE_ZOOM` around a region, north up, their north-west corner in world pixels of that
    zoom, and which of them are known, bool (H, W)."""

    pixels: Pixels
    valid: NDArray[np.bool_]
    left_px: float
    top_px: float
    margin_px: int  # around the region
    metres_per_px: float
    side_m: float  # of a view
    config: GAMaNetConfig

    @classmethod
    def of(cls, pyramid: TileFolder, region: Region, config: GAMaNetConfig) -> Ground:
        """The ground that the views centred in a region show."""
        metres = metres_per_pixel(region.center.lat_deg, FINE_ZOOM)
        side_m = config.tile_side_m or region.size_m / REGION_TILES
        margin = int(np.ceil((side_m * 0.75 + config.tile_ahead_m) / metres))
        side = round(region.size_px * PX) + 2 * margin
        left, top = region.x * TILE_PX * PX - margin, region.y * TILE_PX * PX - margin
        pixels, valid = pyramid.read(left, top, side, side, FINE_ZOOM)
        return cls(pixels, valid, left, top, margin, metres, side_m, config)

    def view(self, x_px: float, y_px: float, heading_deg: float) -> Pixels:
        """What the network is shown of a place, in pixels of this picture, heading up: uint8 (S, S, 3)."""
        ahead_px, heading = self.config.tile_ahead_m / self.metres_per_px, np.radians(heading_deg)
        x_px, y_px = x_px + ahead_px * np.sin(heading), y_px - ahead_px * np.cos(heading)
        side_px, cover_px, crop_px = self.side_m / self.metres_per_px, self.config.tile_cover, self.config.tile_size
        tile = cut_view(self.pixels, x_px, y_px, side_px, heading_deg, cover_px)
        return middle(tile, crop_px, crop_px)

    def covered(self, x_px: float, y_px: float) -> float:
        """The share of a view's square, north up, that has pixels."""
        half = int(self.side_m / self.metres_per_px / 2)
        window = self.valid[max(0, int(y_px) - half) : int(y_px) + half, max(0, int(x_px) - half) : int(x_px) + half]
        return float(window.mean())

    @property
    def region(self) -> Pixels:
        """The region alone."""
        inner = slice(self.margin_px, len(self.pixels) - self.margin_px)
        return self.pixels[inner, inner]
