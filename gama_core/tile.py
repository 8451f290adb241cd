"""Tiles and regions of the XYZ grid: the only web-mercator arithmetic of the project.

A world pixel at zoom z is a point of the square of 256 * 2**z pixels that holds the world, x east and y south.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gama_core.geo import Bounds, Floats, LatLon

TILE_PX = 256
ZOOM = 19  # the paper's zoom for small aerial images, ~0.23 m/px at 40 degrees north
REGION_TILES = 7  # a large aerial region is 7 x 7 tiles, 1792 x 1792 px
EQUATOR_M = 2 * math.pi * 6_378_137.0  # web mercator is drawn on the WGS84 equator
MAX_LAT_DEG = math.degrees(math.atan(math.sinh(math.pi)))


def world_pixels(lat_deg: float | Floats, lon_deg: float | Floats, zoom: int = ZOOM) -> tuple[Floats, Floats]:
    """World pixels (x, y), float64, of places in degrees; latitudes are clipped to the mercator square."""
    size = TILE_PX * 2.0**zoom
    phi = np.radians(np.clip(lat_deg, -MAX_LAT_DEG, MAX_LAT_DEG))
    x = (np.asarray(lon_deg, dtype=np.float64) + 180.0) / 360.0 * size
    y = (1.0 - np.arcsinh(np.tan(phi)) / math.pi) / 2.0 * size
    return x, np.asarray(y, dtype=np.float64)


def places(x_px: float | Floats, y_px: float | Floats, zoom: int = ZOOM) -> tuple[Floats, Floats]:
    """Latitudes and longitudes in degrees, float64, of world pixels."""
    size = TILE_PX * 2.0**zoom
    lat = np.degrees(np.arctan(np.sinh(math.pi * (1.0 - 2.0 * np.asarray(y_px, dtype=np.float64) / size))))
    lon = np.asarray(x_px, dtype=np.float64) / size * 360.0 - 180.0
    return lat, lon


def place(x_px: float, y_px: float, zoom: int = ZOOM) -> LatLon:
    """The place of one world pixel."""
    lat, lon = places(x_px, y_px, zoom)
    return LatLon(float(lat), float(lon))


def metres_per_pixel(lat_deg: float, zoom: int = ZOOM) -> float:
    """Ground metres per world pixel at a latitude."""
    return EQUATOR_M * math.cos(math.radians(lat_deg)) / (TILE_PX * 2.0**zoom)


def mercator_metres(x_px: float | Floats, y_px: float | Floats, zoom: int = ZOOM) -> tuple[float, float]:
    """Metres east and north in EPSG:3857 of a world pixel."""
    pixel_m = EQUATOR_M / (TILE_PX * 2.0**zoom)
    return float(x_px) * pixel_m - EQUATOR_M / 2, EQUATOR_M / 2 - float(y_px) * pixel_m


def place_of_mercator(east_m: float, north_m: float) -> LatLon:
    """The place of a point in EPSG:3857 metres."""
    pixel_m = EQUATOR_M / TILE_PX
    return place((east_m + EQUATOR_M / 2) / pixel_m, (EQUATOR_M / 2 - north_m) / pixel_m, zoom=0)


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """One tile of the XYZ grid, named by its north-west corner; the paper's small aerial image at zoom 19."""

    x: int
    y: int
    zoom: int = ZOOM

    @classmethod
    def at(cls, point: LatLon, zoom: int = ZOOM) -> Tile:
        """The tile that holds a place."""
        x, y = world_pixels(point.lat_deg, point.lon_deg, zoom)
        column, row = np.clip((x // TILE_PX, y // TILE_PX), 0, 2**zoom - 1)  # the map's edges belong to it
        return cls(int(column), int(row), zoom)

    @classmethod
    def from_name(cls, name: str, zoom: int = ZOOM) -> Tile:
        """The tile that the data set writes `X_Y`.

        Raises:
            ValueError: `name` is not two whole numbers joined by an underscore.
        """
        x, y = name.split("_")
        return cls(int(x), int(y), zoom)

    @property
    def name(self) -> str:
        return f"{self.x}_{self.y}"

    @property
    def bounds(self) -> Bounds:
        return _bounds(self.x, self.y, 1, self.zoom)

    @property
    def center(self) -> LatLon:
        """The middle of the tile's pixels (the published code takes the north-west corner for it)."""
        return place((self.x + 0.5) * TILE_PX, (self.y + 0.5) * TILE_PX, self.zoom)

    @property
    def size_m(self) -> float:
        """Side on the ground in metres."""
        return TILE_PX * metres_per_pixel(self.center.lat_deg, self.zoom)


@dataclass(frozen=True, slots=True, order=True)
class Region:
    """A square block of tiles: its north-west tile and its side in tiles; the paper's large aerial region."""

    x: int
    y: int
    side_tiles: int = REGION_TILES
    zoom: int = ZOOM

    @property
    def name(self) -> str:
        return f"{self.x}_{self.y}"

    @property
    def size_px(self) -> int:
        return self.side_tiles * TILE_PX

    @property
    def bounds(self) -> Bounds:
        return _bounds(self.x, self.y, self.side_tiles, self.zoom)

    @property
    def center(self) -> LatLon:
        middle = self.side_tiles / 2
        return place((self.x + middle) * TILE_PX, (self.y + middle) * TILE_PX, self.zoom)

    @property
    def size_m(self) -> float:
        """Side on the ground in metres."""
        return self.size_px * metres_per_pixel(self.center.lat_deg, self.zoom)

    @property
    def tiles(self) -> Iterator[Tile]:
        """Its tiles, row by row from the north-west."""
        for y in range(self.y, self.y + self.side_tiles):
            for x in range(self.x, self.x + self.side_tiles):
                yield Tile(x, y, self.zoom)

    def contains(self, point: LatLon) -> bool:
        """Whether a place lies in the region; the north and west edges belong to it."""
        x, y = world_pixels(point.lat_deg, point.lon_deg, self.zoom)
        column, row = float(x) / TILE_PX - self.x, float(y) / TILE_PX - self.y
        return 0 <= column < self.side_tiles and 0 <= row < self.side_tiles


def held_by(points: Sequence[LatLon], regions: Sequence[Region]) -> NDArray[np.bool_]:
    """Which region holds which place, bool (P, R): `Region.contains` for all of both at once."""
    lat, lon = (np.array([getattr(point, name) for point in points])[:, None] for name in ("lat_deg", "lon_deg"))
    left, top, side, zoom = np.array([(one.x, one.y, one.side_tiles, one.zoom) for one in regions]).T
    x, y = world_pixels(lat, lon, 0)
    grid = 2.0**zoom  # at zoom 0 the world is one tile
    column, row = x / TILE_PX * grid - left, y / TILE_PX * grid - top
    return np.asarray((column >= 0) & (column < side) & (row >= 0) & (row < side))


def _bounds(x: int, y: int, side_tiles: int, zoom: int) -> Bounds:
    north_west = place(x * TILE_PX, y * TILE_PX, zoom)
    south_east = place((x + side_tiles) * TILE_PX, (y + side_tiles) * TILE_PX, zoom)
    return Bounds(south_east.lat_deg, north_west.lon_deg, north_west.lat_deg, south_east.lon_deg)
