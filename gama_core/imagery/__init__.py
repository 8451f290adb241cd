"""Where aerial pixels come from: GeoTIFF and COG, folders of them, folders of XYZ tiles, plain images with bounds.

Every source reads north-up squares of the web-mercator grid (`Imagery.read`); `cut_view` cuts what the networks see
out of such a square, and `write_pyramid` keeps the imagery of a gallery as tiles that a map can show.
"""

from __future__ import annotations

from pathlib import Path

from gama_core.errors import ImageryUnreadable
from gama_core.geo import Bounds
from gama_core.imagery.mosaic import mosaic
from gama_core.imagery.pyramid import write_pyramid
from gama_core.imagery.raster import RASTERS, Raster
from gama_core.imagery.source import Imagery, Mask, Pixels
from gama_core.imagery.tile_folder import TileFolder, holds_tiles
from gama_core.imagery.view import cut_view

__all__ = [
    "Imagery",
    "Mask",
    "Pixels",
    "Raster",
    "TileFolder",
    "cut_view",
    "mosaic",
    "open_imagery",
    "write_pyramid",
]


def open_imagery(path: str | Path, bounds: Bounds | None = None) -> Imagery:
    """Aerial imagery of any kind that we read.

    Args:
        path: a GeoTIFF or COG in any coordinate system, a folder of XYZ tiles (`z/x/y.png`, `NAME-x-y-z.png` or the
            data set's `x_y.jpeg`), a folder of GeoTIFFs, or a plain image.
        bounds: where the edges of an image lie that does not say so itself; it is taken for north-up web mercator.

    Raises:
        ImageryUnreadable: nothing there that we read, or nothing that says where it lies.
    """
    path = Path(path)
    if path.is_file():
        return Raster.open(path, bounds)
    if not path.is_dir():
        raise ImageryUnreadable(f"There is no file or folder {path}.")
    if holds_tiles(path):
        return TileFolder(path)
    rasters = sorted(file for file in path.rglob("*") if file.suffix.lower() in RASTERS)
    if not rasters:
        raise ImageryUnreadable(
            f"The folder {path.name} holds neither GeoTIFFs nor tiles named z/x/y.png or NAME-x-y-z.png."
        )
    return mosaic([Raster.open(file) for file in rasters], path.name)
