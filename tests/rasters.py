"""Small GeoTIFFs whose colours tell where a pixel lies, placed by PROJ and not by the code under test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import from_origin
from rasterio.warp import transform

CENTRE = 47.3767, 8.4884  # latitude, longitude
WORLD_PX = 256 * 2**19  # side of the world at zoom 19
EQUATOR_M = 40_075_016.685578488
SPAN_PX = 1024.0  # world pixels over which the colours run once from 40 to 210


def world_pixel(lat_deg: float, lon_deg: float) -> tuple[float, float]:
    """World pixels at zoom 19, by PROJ's web mercator."""
    (east,), (north,) = transform("EPSG:4326", "EPSG:3857", [lon_deg], [lat_deg])
    return east / EQUATOR_M * WORLD_PX + WORLD_PX / 2, WORLD_PX / 2 - north / EQUATOR_M * WORLD_PX


def ramp(x_px: NDArray[np.float64], y_px: NDArray[np.float64]) -> NDArray[np.float64]:
    """Red grows eastwards, green southwards, blue is their mean; float64 (3, ...)."""
    x_0, y_0 = world_pixel(*CENTRE)
    red, green = (40 + 170 * (0.5 + (value - middle) / SPAN_PX) for value, middle in ((x_px, x_0), (y_px, y_0)))
    return np.stack([red, green, (red + green) / 2])


def geotiff(path: Path, epsg: int = 3857, size: int = 300, pixel_m: float = 0.8, **profile: object) -> Path:
    """A GeoTIFF of the ramp, `size` pixels wide, its middle at `CENTRE`; 8-bit RGB."""
    bands, placement = ramp_in(epsg, size, pixel_m)
    return written(path, np.clip(bands.round(), 0, 255).astype(np.uint8), **placement, **profile)


def ramp_in(epsg: int, size: int, pixel_m: float) -> tuple[NDArray[np.float64], dict[str, object]]:
    crs = f"EPSG:{epsg}"
    (x_0,), (y_0,) = transform("EPSG:4326", crs, [CENTRE[1]], [CENTRE[0]])
    step = pixel_m / 111_320 if epsg == 4326 else pixel_m
    west, north = x_0 - size * step / 2, y_0 + size * step / 2
    columns, rows = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
    east, up = transform(crs, "EPSG:3857", (west + columns * step).ravel(), (north - rows * step).ravel())
    x_px = np.array(east).reshape(size, size) / EQUATOR_M * WORLD_PX + WORLD_PX / 2
    y_px = WORLD_PX / 2 - np.array(up).reshape(size, size) / EQUATOR_M * WORLD_PX
    return ramp(x_px, y_px), {"crs": crs, "transform": from_origin(west, north, step, step)}


def written(path: Path, bands: NDArray[np.generic], **profile: object) -> Path:
    count, height, width = bands.shape
    with rasterio.open(
        path, "w", driver="GTiff", width=width, height=height, count=count, dtype=bands.dtype, **profile
    ) as target:
        target.write(bands)
    return path


def around(side_px: float) -> tuple[float, float]:
    """North-west corner of a square around the middle."""
    x_px, y_px = world_pixel(*CENTRE)
    return x_px - side_px / 2, y_px - side_px / 2


def ramp_around(side_px: float, out_px: int) -> NDArray[np.float64]:
    """The ramp's colours at the pixel centres of a square around the middle, float64 (out, out, 3)."""
    left, top = around(side_px)
    steps = (np.arange(out_px) + 0.5) * side_px / out_px
    return np.moveaxis(ramp(*np.meshgrid(left + steps, top + steps)), 0, -1)
