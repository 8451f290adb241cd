"""The aerial image of a city as files: a GeoTIFF, or a folder of map tiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import rasterio
from rasterio.enums import Resampling
from rasterio.transform import from_origin
from rasterio.windows import Window

from gama_core.errors import SettingsInvalid
from gama_core.files import whole_file, whole_folder
from gama_core.tile import EQUATOR_M, TILE_PX, ZOOM, Region
from gama_core.world.aerial import draw_aerial, flight_over
from gama_core.world.paint import Image, Rectangle
from gama_core.world.place import REGION_PX, Place

OnRegion = Callable[[int, int], None]
_ENCODINGS = {"png": [], "jpg": [cv2.IMWRITE_JPEG_QUALITY, 90], "webp": [cv2.IMWRITE_WEBP_QUALITY, 90]}
_MERCATOR_M_PER_PX = EQUATOR_M / (TILE_PX * 2**ZOOM)


def write_geotiff(place: Place, path: Path, on_region: OnRegion | None = None) -> None:
    """The whole city as one tiled GeoTIFF in EPSG:3857, JPEG-compressed, with overviews; zoom-19 pixels, exactly.

    Args:
        on_region: called with the regions done and their number.
    """
    left_m = place.anchor.x * TILE_PX * _MERCATOR_M_PER_PX - EQUATOR_M / 2
    top_m = EQUATOR_M / 2 - place.anchor.y * TILE_PX * _MERCATOR_M_PER_PX
    profile = {
        "driver": "GTiff", "dtype": "uint8", "count": 3, "crs": "EPSG:3857",
        "width": place.columns * REGION_PX, "height": place.rows * REGION_PX,
        "transform": from_origin(left_m, top_m, _MERCATOR_M_PER_PX, _MERCATOR_M_PER_PX),
        "tiled": True, "blockxsize": TILE_PX, "blockysize": TILE_PX,
        "compress": "JPEG", "jpeg_quality": 90, "photometric": "YCBCR", "bigtiff": "IF_SAFER",
    }  # fmt: skip
    with whole_file(path) as partial:
        with rasterio.open(partial, "w", **profile) as file:
            for column, row, image in _regions(place, on_region):
                file.write(
                    image.transpose(2, 0, 1), window=Window(column * REGION_PX, row * REGION_PX, REGION_PX, REGION_PX)
                )
        with rasterio.Env(JPEG_QUALITY_OVERVIEW=85), rasterio.open(partial, "r+") as file:
            file.build_overviews([2, 4, 8, 16], Resampling.average)


def write_tiles(place: Place, folder: Path, ending: str = "jpg", on_region: OnRegion | None = None) -> None:
    """The city as map tiles, `folder`/19/x/y.`ending`.

    Raises:
        SettingsInvalid: an ending that is not png, jpg or webp, or a folder that holds something.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise SettingsInvalid(f"{folder} is not empty: give the tiles a folder of their own.")
    if ending not in _ENCODINGS:
        raise SettingsInvalid(f"Tiles cannot be written as {ending!r}; choose png, jpg or webp.")
    with whole_folder(folder) as partial:
        for column, row, image in _regions(place, on_region):
            region = place.regions[row * place.columns + column]
            for tile, pixels in _cut(region, image):
                path = partial / str(ZOOM) / str(tile[0]) / f"{tile[1]}.{ending}"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(cv2.imencode(f".{ending}", pixels[:, :, ::-1], _ENCODINGS[ending])[1].tobytes())


def draw_region(place: Place, column: int, row: int) -> Image:
    """One region of the city from above, RGB uint8 (1792, 1792, 3), north up."""
    where = Rectangle(column * REGION_PX, row * REGION_PX, REGION_PX, REGION_PX, place.m_per_px)
    return draw_aerial(place, where, flight_over(place))


def _regions(place: Place, on_region: OnRegion | None) -> Iterator[tuple[int, int, Image]]:
    count = place.columns * place.rows
    for index in range(count):
        row, column = divmod(index, place.columns)
        yield column, row, draw_region(place, column, row)
        if on_region is not None:
            on_region(index + 1, count)


def _cut(region: Region, image: Image) -> Iterator[tuple[tuple[int, int], Image]]:
    for tile in region.tiles:
        x, y = (tile.x - region.x) * TILE_PX, (tile.y - region.y) * TILE_PX
        yield (tile.x, tile.y), image[y : y + TILE_PX, x : x + TILE_PX]
