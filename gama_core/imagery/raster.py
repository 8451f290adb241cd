"""Georeferenced images through GDAL: GeoTIFF and COG in any coordinate system, plain images whose bounds are given."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio._err import CPLE_BaseError  # what GDAL says where rasterio has no error of its own
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, Resampling
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.transform import from_bounds
from rasterio.vrt import WarpedVRT

from gama_core.errors import ImageryUnreadable
from gama_core.geo import Bounds
from gama_core.imagery.source import Mask, Pixels
from gama_core.tile import ZOOM, mercator_metres, place_of_mercator, world_pixels

RASTERS = (".tif", ".tiff", ".jp2")
# How files begin, and GDAL's driver for them. Its other drivers also open lists of files and addresses.
_DRIVERS = (
    (b"II*\0", "GTiff"),
    (b"MM\0*", "GTiff"),
    (b"II+\0", "GTiff"),
    (b"MM\0+", "GTiff"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"RIFF", "WEBP"),
    (b"\0\0\0\x0cjP  ", "JP2OpenJPEG"),
    (b"\xff\x4f\xff\x51", "JP2OpenJPEG"),
)
_MERCATOR = CRS.from_epsg(3857)
_SAMPLE_PX = 512
_FURTHEST = 1e9  # metres or degrees; no coordinate system of the Earth is larger
_OPAQUE = {"uint8": 255.0, "uint16": 65535.0, "int16": 32767.0}


@dataclass(frozen=True)
class Raster:
    """One image file.

    Colours: red, green and blue where the file names them, else its first three bands; one band is grey or its
    palette; a fourth band counts only if the file calls it alpha. Anything but 8-bit is stretched so that 2 and 98 %
    of its values, over all three bands and the whole image, become black and white.

    The file is opened for each read, so that a raster can be shared by threads and sent to other processes.
    """

    path: Path
    name: str
    attribution: str
    bounds: Bounds
    given: Bounds | None  # the place that a person gave, for a file that has none
    stretch: tuple[float, float] | None  # values that become 0 and 255

    @classmethod
    def open(cls, path: Path, bounds: Bounds | None = None) -> Raster:
        """An image file, placed by itself or by `bounds`.

        Raises:
            ImageryUnreadable: no image that we read, or one without a place.
        """
        with _opened(path) as source:
            given = None if _has_place(source) else bounds
            if given is None and not _has_place(source):
                raise ImageryUnreadable(
                    f"{path.name} is an image without a place on the map: "
                    "give its bounds in degrees (south, west, north, east)."
                )
            return cls(
                path=path,
                name=path.stem,
                attribution=source.tags().get("TIFFTAG_COPYRIGHT", ""),
                bounds=given or _bounds(source),
                given=given,
                stretch=_stretch(source),
            )

    def read(self, x_px: float, y_px: float, side_px: float, out_px: int, zoom: int = ZOOM) -> tuple[Pixels, Mask]:
        """See `Imagery.read`. Between its pixels it interpolates (cubic); shrinking averages."""
        west, north = mercator_metres(x_px, y_px, zoom)
        east, south = mercator_metres(x_px + side_px, y_px + side_px, zoom)
        with _opened(self.path) as source:
            palette = source.colorinterp[0] == ColorInterp.palette
            with WarpedVRT(
                source,
                crs=_MERCATOR,
                transform=from_bounds(west, south, east, north, out_px, out_px),
                width=out_px,
                height=out_px,
                resampling=Resampling.nearest if palette else Resampling.cubic,
                add_alpha=_alpha_band(source) is None,
                **_placement(source, self.given),
            ) as warped:
                alpha = _alpha_band(warped)
                bands = warped.read([*_colour_bands(source), alpha])
            colours = source.colormap(1) if palette else None
        valid = bands[-1] > _OPAQUE.get(bands.dtype.name, 255.0) / 2
        if colours is not None:
            table = np.array(
                [colours.get(value, (0, 0, 0, 0)) for value in range(np.iinfo(bands.dtype).max + 1)], np.uint8
            )
            rgba = table[bands[0]]
            pixels, valid = rgba[..., :3].copy(), valid & (rgba[..., 3] > 127)
        else:
            valid &= np.isfinite(bands).all(axis=0)
            pixels = self._eight_bit(bands[:-1])
        pixels[~valid] = 0
        return pixels, valid

    def _eight_bit(self, bands: NDArray[Any]) -> Pixels:
        if self.stretch is not None:
            low, high = self.stretch
            scaled = (bands.astype(np.float32) - low) * (255.0 / max(high - low, 1e-9))
            bands = np.clip(np.nan_to_num(scaled) + 0.5, 0, 255).astype(np.uint8)
        rgb = np.moveaxis(bands, 0, -1)
        return np.ascontiguousarray(np.broadcast_to(rgb, (*rgb.shape[:2], 3)))


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The open data set; whatever GDAL cannot do in the block becomes a sentence."""
    try:
        with path.open("rb") as file:
            start = file.read(12)
        driver = next(name for magic, name in _DRIVERS if start.startswith(magic))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            source = rasterio.open(path.absolute(), driver=driver)
    except (StopIteration, RasterioError, CPLE_BaseError, OSError) as error:
        raise ImageryUnreadable(
            f"{path.name} is no image that can be read here: choose a GeoTIFF, COG, JPEG 2000, PNG, JPEG or WebP file."
        ) from error
    try:
        with source:
            if not source.count:
                raise ImageryUnreadable(f"{path.name} holds no picture.")
            yield source
    except (RasterioError, CPLE_BaseError, OSError, ValueError) as error:
        raise ImageryUnreadable(
            f"{path.name} opens, but its pixels do not decode or its coordinate system is unknown here: "
            "the file is damaged or cut off. Copy it again, or export it anew as a GeoTIFF."
        ) from error


def _has_place(source: Any) -> bool:
    return (source.crs is not None and not source.transform.is_identity) or bool(source.gcps[0] and source.gcps[1])


def _placement(source: Any, given: Bounds | None) -> dict[str, Any]:
    """Where the file itself does not say where it lies: what to tell the warper."""
    if given is None:
        return {} if source.crs is not None else {"src_crs": source.gcps[1]}
    left, top = mercator_metres(*world_pixels(given.north, given.west))
    right, bottom = mercator_metres(*world_pixels(given.south, given.east))
    return {
        "src_crs": _MERCATOR,
        "src_transform": from_bounds(left, bottom, right, top, source.width, source.height),
    }


def _bounds(source: Any) -> Bounds:
    corners = [(point.x, point.y) for point in source.gcps[0]] or [
        source.transform @ (column, row) for column in (0, source.width) for row in (0, source.height)
    ]
    furthest = max(abs(value) for corner in corners for value in corner)
    if not furthest < _FURTHEST:  # PROJ would count round and round the globe
        raise ValueError("its corners lie nowhere on Earth")
    with WarpedVRT(source, crs=_MERCATOR, **_placement(source, None)) as warped:
        edges = warped.bounds
    if not all(math.isfinite(edge) for edge in edges):
        raise ValueError("its edges lie nowhere")
    west, south, east, north = edges
    low, high = place_of_mercator(west, south), place_of_mercator(east, north)
    return Bounds(low.lat_deg, low.lon_deg, high.lat_deg, high.lon_deg)


def _alpha_band(source: Any) -> int | None:
    """1-based number of the alpha band."""
    for number, meaning in enumerate(source.colorinterp, start=1):
        if meaning == ColorInterp.alpha:
            return number
    return None


def _colour_bands(source: Any) -> list[int]:
    """1-based numbers of the bands to show: three, or one that is grey or a palette."""
    meaning = {name: number for number, name in enumerate(source.colorinterp, start=1)}
    named = [meaning.get(colour) for colour in (ColorInterp.red, ColorInterp.green, ColorInterp.blue)]
    if None not in named:
        return [number for number in named if number]
    others = [number for number in range(1, source.count + 1) if number != _alpha_band(source)]
    return others[:3] if len(others) >= 3 else others[:1]


def _stretch(source: Any) -> tuple[float, float] | None:
    """The 2nd and 98th percentile of a thinned-out copy; None for 8-bit images, which stay as they are."""
    if source.dtypes[0] == "uint8":
        return None
    thin = max(1.0, max(source.width, source.height) / _SAMPLE_PX)
    shape = max(1, int(source.height / thin)), max(1, int(source.width / thin))
    bands = source.read(_colour_bands(source), out_shape=shape, masked=True).astype(np.float64).filled(np.nan)
    values = bands[np.isfinite(bands)]
    if not values.size:
        raise ValueError("no pixel of it holds a value")
    low, high = np.percentile(values, [2, 98])
    return float(low), float(high)
