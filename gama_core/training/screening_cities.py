"""What the screening network learns from, and is judged by: cities from above, seen by its tower tile by tile and cell
by cell; and what GAMa-Net really finds for the clips of drives through a city that it has not learned from."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gama_core.errors import GamaError
from gama_core.imagery import cut_view
from gama_core.models.config import ScreeningNetConfig
from gama_core.models.gama_net import GAMaNet
from gama_core.models.screening_net import ScreeningNet
from gama_core.tile import REGION_TILES
from gama_core.training.places import TrainingPlace
from gama_core.training.validate import embed_place_clips, embed_views

Pixels = NDArray[np.uint8]
Points = NDArray[np.float32]  # (n, 2): metres east and south of a city's north-west corner
Numbers = NDArray[np.int64]
LEAP_M = 40.0  # clips of one place further apart than this are of two drives
SHORTEST = 10  # clips of a drive


@dataclass(frozen=True)
class Drive:
    """Where a car was, once a second or so, and what it was matched to, where that is known."""

    true: Points
    found: Points | None = None


@dataclass(frozen=True)
class ScreeningCity:
    """A square city of `regions_across` regions a side from above, uint8 (H, W, 3) with a margin, and its drives."""

    seed: int
    aerial: Pixels
    margin_m: float
    m_per_px: float
    size_m: float
    regions_across: int
    drives: tuple[Drive, ...]

    @property
    def region_m(self) -> float:
        return self.size_m / self.regions_across

    def cut(self, x_m: float, y_m: float, side_m: float, out_px: int) -> Pixels:
        """A square, north up, around a point."""
        x_px, y_px = (x_m + self.margin_m) / self.m_per_px, (y_m + self.margin_m) / self.m_per_px
        return cut_view(self.aerial, x_px, y_px, side_m / self.m_per_px, 0.0, out_px)


@dataclass(frozen=True)
class SeenCity:
    """A city as the tower sees it: tiles float32 (N, F) row by row, regions float32 (R, cells**2, F), and of each drive
    the numbers of the tiles that it passed and, where known, was matched to, and its share in each region (n, R).
    """

    tiles: Tensor
    regions: Tensor
    true: tuple[Numbers, ...]
    found: tuple[Numbers, ...] | None
    shares: NDArray[np.float64]

    @property
    def cells(self) -> Tensor:
        """The regions' cells in the order of the tiles, (N, F)."""
        across, side = math.isqrt(len(self.regions)), math.isqrt(self.regions.shape[1])
        return self.regions.reshape(across, across, side, side, -1).transpose(1, 2).flatten(0, 3)

    @property
    def owners(self) -> Numbers:
        """The region that holds most of each drive, (n,)."""
        return np.asarray(self.shares.argmax(axis=1))


def read_city(folder: Path) -> ScreeningCity:
    """One city that `world screening-set` wrote, mapped from disk.

    Raises:
        GamaError: a file is missing or of another shape.
    """
    try:
        facts: dict[str, Any] = json.loads((folder / "city.json").read_text())
        aerial: Pixels = np.load(folder / "aerial.npy", mmap_mode="r")
        drives = tuple(Drive(way) for way in np.load(folder / "drives.npy"))
        return ScreeningCity(aerial=aerial, drives=drives, **facts)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GamaError(f"{folder}: no city for the screening network ({error}); make it with `world`.") from error


def find_cities(folder: Path) -> list[Path]:
    """The folders of the cities made so far, by seed."""
    found = (path for path in folder.glob("*") if path.name.isdigit() and (path / "city.json").is_file())
    return sorted(found, key=lambda path: int(path.name))


def matched(place: TrainingPlace, net: GAMaNet) -> ScreeningCity:
    """A training place with what GAMa-Net finds for each of its clips, on the paper's grid, turned eight ways."""
    views = embed_views(net, place, per_tile=1)
    best = (embed_place_clips(net, place) @ views.vectors.T).argmax(axis=1) // len(views.headings_deg)
    true, found = place.poses[:, :2], views.centres_m[best].astype(np.float32)
    leaps = np.flatnonzero(np.hypot(*np.diff(true, axis=0).T) > LEAP_M) + 1
    drives = tuple(
        Drive(ours, theirs)
        for ours, theirs in zip(np.split(true, leaps), np.split(found, leaps), strict=True)
        if len(ours) >= SHORTEST
    )
    facts = (place.seed, place.aerial, place.margin_m, place.m_per_px, place.size_m, place.regions_across)
    return ScreeningCity(*facts, drives)


def see(city: ScreeningCity, net: ScreeningNet) -> SeenCity:
    """The city through the eyes of a screening network that reads regions cell by cell."""
    across, config = city.regions_across * REGION_TILES, net.config
    tile_m = city.region_m / REGION_TILES
    tile_of = [_number(drive.true, tile_m, across) for drive in city.drives]
    region_of = [_number(drive.true, city.region_m, city.regions_across) for drive in city.drives]
    found = tuple(_number(drive.found, tile_m, across) for drive in city.drives if drive.found is not None)
    shares = np.stack([np.bincount(regions, minlength=city.regions_across**2) / len(regions) for regions in region_of])
    tiles = [city.cut(x_m, y_m, tile_m, config.tile_size) for x_m, y_m in _middles(tile_m, across)]
    pictures = [region_picture(city, middle, config) for middle in _middles(city.region_m, city.regions_across)]
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        seen = [net.tile_features(_floats(tiles[first : first + 256])) for first in range(0, len(tiles), 256)]
        cells = [net.cell_features(_floats([picture])) for picture in pictures]
    return SeenCity(torch.cat(seen).float(), torch.cat(cells).float(), tuple(tile_of), found or None, shares)


def region_picture(city: ScreeningCity, middle_m: NDArray[np.float64], config: ScreeningNetConfig) -> Pixels:
    """A region as the screening network sees it."""
    seen_m = city.region_m * config.region_size / config.region_cover
    return city.cut(float(middle_m[0]), float(middle_m[1]), seen_m, config.region_size)


def _number(points_m: Points, side_m: float, across: int) -> Numbers:
    """The numbers, row by row, of the squares that hold some points."""
    column, row = np.clip((points_m / side_m).astype(np.int64), 0, across - 1).T
    return np.asarray(row * across + column)


def _middles(side_m: float, across: int) -> NDArray[np.float64]:
    row, column = np.divmod(np.arange(across**2), across)
    return (np.stack([column, row], axis=1) + 0.5) * side_m


def _floats(images: list[Pixels]) -> Tensor:
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float().div_(127.5).sub_(1.0)
