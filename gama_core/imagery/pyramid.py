"""The imagery of a gallery as XYZ tiles: what the map shows, and what views can be cut from again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from gama_core.files import whole_folder
from gama_core.imagery.source import Imagery, Pixels
from gama_core.tile import TILE_PX, Region

MIN_ZOOM = 13
WEBP_QUALITY = 80
_BLOCK_LEVELS = 3  # the imagery is read in blocks of 8 x 8 tiles


def write_pyramid(
    imagery: Imagery,
    regions: Sequence[Region],
    folder: str | Path,
    on_progress: Callable[[int, int], None] | None = None,
) -> None:
    """Writes the tiles of some regions as `folder/z/x/y.webp`, from the regions' zoom down to 13.

    Each coarser tile averages its four children. Tiles without imagery are left out; those that are partly covered
    carry alpha. The folder appears whole or not at all.

    Args:
        imagery: where the pixels come from.
        regions: what to write; all of one zoom.
        folder: takes the place of what was there.
        on_progress: called with the tiles done and their number at the finest zoom; may raise `Cancelled`.

    Raises:
        ImageryUnreadable: the pixels do not decode.
    """
    with whole_folder(Path(folder)) as partial:
        _Pyramid(imagery, regions, partial, on_progress).write()


class _Pyramid:
    """Depth first, so that few tiles are in memory and none is compressed twice."""

    def __init__(
        self,
        imagery: Imagery,
        regions: Sequence[Region],
        folder: Path,
        on_progress: Callable[[int, int], None] | None,
    ) -> None:
        self.imagery, self.folder, self.on_progress = imagery, folder, on_progress
        self.zoom = regions[0].zoom
        self.min_zoom = min(MIN_ZOOM, self.zoom)
        self.block_zoom = max(self.zoom - _BLOCK_LEVELS, self.min_zoom)
        tiles = {(tile.x, tile.y) for region in regions for tile in region.tiles}
        self.wanted = {
            zoom: {(x >> self.zoom - zoom, y >> self.zoom - zoom) for x, y in tiles}
            for zoom in range(self.min_zoom, self.zoom + 1)
        }
        self.done = 0

    def write(self) -> None:
        for x, y in sorted(self.wanted[self.min_zoom]):
            self.tile(x, y, self.min_zoom)

    def tile(self, x: int, y: int, zoom: int) -> Pixels:
        """Writes a tile and all below it; its pixels, red, green and blue times alpha, and alpha."""
        if zoom == self.block_zoom:
            return self.block(x, y)
        four = np.zeros((2 * TILE_PX, 2 * TILE_PX, 4), np.uint8)
        for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
            child = 2 * x + column, 2 * y + row
            if child in self.wanted[zoom + 1]:
                _cell(four, column, row)[:] = self.tile(*child, zoom + 1)
        pixels = _halved(four)
        self.save(pixels, x, y, zoom)
        return pixels

    def block(self, x: int, y: int) -> Pixels:
        """Writes the tiles of a block at all its zooms; the pixels of the coarsest."""
        side = 2 ** (self.zoom - self.block_zoom)
        size_px = side * TILE_PX
        rgb, valid = self.imagery.read(x * size_px, y * size_px, size_px, size_px, self.zoom)
        pixels = np.dstack([rgb, np.where(valid, 255, 0).astype(np.uint8)])
        here = {(tile_x - x * side, tile_y - y * side) for tile_x, tile_y in self.wanted[self.zoom]}
        for column in range(side):
            for row in range(side):
                if (column, row) not in here:
                    _cell(pixels, column, row)[:] = 0
        for zoom in range(self.zoom, self.block_zoom - 1, -1):
            if zoom < self.zoom:
                pixels = _halved(pixels)
            side = len(pixels) // TILE_PX
            for column in range(side):
                for row in range(side):
                    self.save(_cell(pixels, column, row), x * side + column, y * side + row, zoom)
        self.done += sum(0 <= column < size_px // TILE_PX and 0 <= row < size_px // TILE_PX for column, row in here)
        if self.on_progress is not None:
            self.on_progress(self.done, len(self.wanted[self.zoom]))
        return pixels

    def save(self, pixels: Pixels, x: int, y: int, zoom: int) -> None:
        alpha = pixels[..., 3]
        if not alpha.any():
            return
        if alpha.min() == 255:
            image = cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGR)
        else:
            colours = np.minimum(pixels[..., 2::-1].astype(np.uint16) * 255 // np.maximum(alpha, 1)[..., None], 255)
            image = np.dstack([colours.astype(np.uint8), alpha])
        path = self.folder / str(zoom) / str(x) / f"{y}.webp"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, WEBP_QUALITY])[1].tobytes())


def _cell(pixels: Pixels, column: int, row: int) -> Pixels:
    """The part of a block that is one tile; writing to it writes to the block."""
    return pixels[row * TILE_PX : (row + 1) * TILE_PX, column * TILE_PX : (column + 1) * TILE_PX]


def _halved(pixels: Pixels) -> Pixels:
    half = len(pixels) // 2
    return np.asarray(cv2.resize(pixels, (half, half), interpolation=cv2.INTER_AREA), dtype=np.uint8)
