"""Folders of XYZ tiles: `z/x/y.png`, flat `NAME-x-y-z.png`, and the data set's `x_y.jpeg`."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from gama_core.errors import ImageryUnreadable
from gama_core.geo import Bounds
from gama_core.imagery.source import Mask, Pixels, first_valid
from gama_core.imagery.view import cut_view
from gama_core.tile import TILE_PX, ZOOM, Tile

_ENDING = r"\.(?:png|jpg|jpeg|webp)"
_NAMES = (
    re.compile(rf"(?P<z>\d+)/(?P<x>\d+)/(?P<y>\d+){_ENDING}", re.IGNORECASE),
    re.compile(rf"(?:.*-)?(?P<x>\d+)-(?P<y>\d+)-(?P<z>\d+){_ENDING}", re.IGNORECASE),
    re.compile(rf"(?P<x>\d+)_(?P<y>\d+){_ENDING}", re.IGNORECASE),  # the data set's, at its own zoom
)
_MARGIN_PX = 2  # read around a window, so that its edge is interpolated from real pixels
_MAX_ZOOM = 24


class TileFolder:
    """XYZ tiles of 256 or 512 px in a folder; several zooms may be there, and tiles may be missing.

    Attributes:
        folder: where the tiles lie.
        name, attribution: as given.
        tile_px: side of a tile in pixels.
        min_zoom, max_zoom: coarsest and finest zoom that has tiles.

    Raises:
        ImageryUnreadable: no tile there, or tiles of another size.
    """

    def __init__(self, folder: str | Path, name: str = "", attribution: str = "") -> None:
        self.folder = Path(folder)
        self.name = name or self.folder.name
        self.attribution = attribution
        self._paths = dict(_tiles(self.folder))
        if not self._paths:
            raise ImageryUnreadable(
                f"The folder {self.folder} holds no tiles named z/x/y.png or NAME-x-y-z.png (or jpg, webp)."
            )
        self.tile_px = len(_decoded(next(iter(self._paths.values()))))
        if self.tile_px not in (TILE_PX, 2 * TILE_PX):
            raise ImageryUnreadable(f"The tiles in {self.folder} are {self.tile_px} px high; 256 or 512 can be read.")
        zooms = {tile.zoom for tile in self._paths}
        self.min_zoom, self.max_zoom = min(zooms), max(zooms)

    def tile_path(self, tile: Tile) -> Path | None:
        """The file of a tile, None where there is none."""
        return self._paths.get(tile)

    @cached_property
    def bounds(self) -> Bounds:
        """The box around the tiles, those left out that only repeat finer ones."""
        repeated = {_parent(tile) for tile in self._paths}
        boxes = [tile.bounds for tile in self._paths.keys() - repeated]
        return Bounds(
            min(box.south for box in boxes),
            min(box.west for box in boxes),
            max(box.north for box in boxes),
            max(box.east for box in boxes),
        )

    def read(self, x_px: float, y_px: float, side_px: float, out_px: int, zoom: int = ZOOM) -> tuple[Pixels, Mask]:
        """See `Imagery.read`: from the coarsest zoom that is fine enough, and where it has no tile from the others."""
        factors = {level: 2.0 ** (level - zoom) * self.tile_px / TILE_PX for level in self._extents}
        fine = [level for level in sorted(factors) if factors[level] * side_px / out_px > 0.999]
        coarse = [level for level in sorted(factors, reverse=True) if level not in fine]
        best, *_ = order = [*fine, *coarse]
        layers = (
            self._read_zoom(level, best, x_px * factors[level], y_px * factors[level], side_px * factors[level], out_px)
            for level in order
        )
        return first_valid(layers, out_px)

    @cached_property
    def _extents(self) -> dict[int, tuple[range, range]]:
        """The columns and rows of tiles at each zoom."""
        extents = {}
        for zoom in range(self.min_zoom, self.max_zoom + 1):
            tiles = [tile for tile in self._paths if tile.zoom == zoom]
            if tiles:
                columns, rows = [tile.x for tile in tiles], [tile.y for tile in tiles]
                extents[zoom] = range(min(columns), max(columns) + 1), range(min(rows), max(rows) + 1)
        return extents

    def _read_zoom(
        self, zoom: int, best: int, left: float, top: float, side: float, out_px: int
    ) -> tuple[Pixels, Mask]:
        """What one zoom adds to the best one, in a square given in that zoom's pixels."""
        if side / out_px > self.tile_px:  # a tile is less than a pixel
            return np.zeros((out_px, out_px, 3), np.uint8), np.zeros((out_px, out_px), np.bool_)
        thin = 2 ** max(0, math.floor(math.log2(side / out_px)) - 1)
        cell = self.tile_px // thin  # tiles are shrunk one by one, so that no wide view fills the memory
        left, top, side = left / thin, top / thin, side / thin
        x_0, y_0 = math.floor(left) - _MARGIN_PX, math.floor(top) - _MARGIN_PX
        size = math.ceil(side) + 1 + 2 * _MARGIN_PX
        canvas = np.zeros((size, size, 4), np.uint8)  # colours times alpha
        columns, rows = self._extents[zoom]
        for x in _within(columns, x_0 // cell, (x_0 + size - 1) // cell):
            for y in _within(rows, y_0 // cell, (y_0 + size - 1) // cell):
                tile = Tile(x, y, zoom)
                if tile in self._paths and not (zoom > best and _parent(tile) in self._paths):
                    _paste(canvas, self._tile(tile, cell, alone=zoom < best), x * cell - x_0, y * cell - y_0)
        return _separated(cut_view(canvas, left - x_0 + side / 2, top - y_0 + side / 2, side, 0.0, out_px))

    def _tile(self, tile: Tile, cell: int, alone: bool) -> Pixels:
        """A tile's pixels, `cell` wide; `alone` leaves out the quarters that a finer tile shows."""
        path = self._paths[tile]
        rgba = _decoded(path)
        if rgba.shape != (self.tile_px, self.tile_px, 4):
            raise ImageryUnreadable(
                f"The tile {path} is {rgba.shape[1]} x {rgba.shape[0]} px, "
                f"the first of its folder {self.tile_px} x {self.tile_px}."
            )
        half = self.tile_px // 2
        for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
            if alone and Tile(2 * tile.x + column, 2 * tile.y + row, tile.zoom + 1) in self._paths:
                rgba[row * half : (row + 1) * half, column * half : (column + 1) * half] = 0
        if cell == self.tile_px:
            return rgba
        return np.asarray(cv2.resize(rgba, (cell, cell), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def holds_tiles(folder: Path) -> bool:
    """Whether a folder holds at least one file named like a tile."""
    return next(_tiles(folder), None) is not None


def _tiles(folder: Path) -> Iterator[tuple[Tile, Path]]:
    for place, _, files in os.walk(folder):
        inside = Path(place).relative_to(folder).as_posix()
        for file in files:
            tile = _named(file if inside == "." else f"{inside}/{file}")
            if tile is not None:
                yield tile, Path(place) / file


def _named(name: str) -> Tile | None:
    """The tile that a file's name, from its folder on, speaks of."""
    for pattern in _NAMES:
        found = pattern.fullmatch(name)
        if found:
            fields = {key: int(value) for key, value in found.groupdict().items()}
            zoom = fields.get("z", ZOOM)
            if zoom <= _MAX_ZOOM and max(fields["x"], fields["y"]) < 2**zoom:
                return Tile(fields["x"], fields["y"], zoom)
    return None


def _parent(tile: Tile) -> Tile:
    return Tile(tile.x // 2, tile.y // 2, tile.zoom - 1)


def _within(numbers: range, first: int, last: int) -> range:
    return range(max(numbers.start, first), min(numbers.stop, last + 1))


def _decoded(path: Path) -> Pixels:
    """A tile as uint8 (H, W, 4): red, green and blue times alpha, and alpha."""
    try:
        stored = np.frombuffer(path.read_bytes(), np.uint8)
        image = cv2.imdecode(stored, cv2.IMREAD_UNCHANGED) if stored.size else None
    except (OSError, cv2.error) as error:
        raise ImageryUnreadable(f"The tile {path} cannot be read: {error}") from error
    if image is None:
        raise ImageryUnreadable(f"The tile {path} is no picture or is damaged: fetch it again, or take it away.")
    if image.dtype == np.uint16:
        image = (image // 257).astype(np.uint8)
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    if image.shape[2] == 3:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGBA), dtype=np.uint8)
    rgba = cv2.cvtColor(image, cv2.COLOR_BGRA2RGBA)
    if rgba[..., 3].min() < 255:
        rgba[..., :3] = (rgba[..., :3].astype(np.uint16) * rgba[..., 3:] + 127) // 255
    return np.asarray(rgba, dtype=np.uint8)


def _paste(canvas: Pixels, tile: Pixels, left: int, top: int) -> None:
    """Puts a tile on a canvas, as far as they meet."""
    size, cell = len(canvas), len(tile)
    rows = slice(max(top, 0), min(top + cell, size))
    columns = slice(max(left, 0), min(left + cell, size))
    canvas[rows, columns] = tile[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]


def _separated(rgba: Pixels) -> tuple[Pixels, Mask]:
    """Colours and validity of pixels whose colours are times alpha; valid where alpha is above one half."""
    alpha = rgba[..., 3]
    valid = alpha > 127
    pixels = rgba[..., :3].copy()
    partly = valid & (alpha < 255)
    pixels[partly] = np.minimum(pixels[partly].astype(np.uint16) * 255 // alpha[partly][:, None], 255)
    pixels[~valid] = 0
    return pixels, valid
