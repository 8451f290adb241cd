"""What the screening network learns from: cities from above, and sequences of places that a drive was matched to.

Two kinds: drives whose true places are known, spoiled as GAMa-Net's matches are; and what GAMa-Net really finds in a
city that it has not learned from.
"""

from __future__ import annotations

import json
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
from gama_core.tile import REGION_TILES
from gama_core.training.places import TrainingPlace
from gama_core.training.validate import embed_place_clips, embed_views

Pixels = NDArray[np.uint8]
Points = NDArray[np.float32]  # (n, 2): metres east and south of a city's north-west corner
LEAP_M = 40.0  # clips of one place further apart than this are of two drives
SHORTEST = 10  # clips of a drive
JITTER_M = 120.0  # a region's middle lies so far from its drive's
OVERLAP = 0.8  # regions nearer than this share of a side show too much of the same to be told apart


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

    def tiles(self, places: Points, corner_m: NDArray[np.float64], out_px: int) -> list[Pixels]:
        """The tiles that hold some places, of a grid that starts at a corner."""
        tile_m = self.region_m / REGION_TILES
        middles = corner_m + (np.floor((places - corner_m) / tile_m) + 0.5) * tile_m
        return [self.cut(x_m, y_m, tile_m, out_px) for x_m, y_m in middles]


@dataclass(frozen=True)
class SequenceBatch:
    """B drives, K tiles of each, and the region of each; `unsure` marks regions too near to a drive's own."""

    sequences: Tensor  # uint8 (B, K, S, S, 3)
    regions: Tensor  # uint8 (B, S, S, 3)
    unsure: Tensor  # bool (B, B)


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


def draw_sequences(
    cities: list[ScreeningCity], config: ScreeningNetConfig, drives: int, sequence: int, rng: np.random.Generator
) -> SequenceBatch:
    """`drives` drives of each of the cities, with a region around each."""
    sequences, regions, middles, owners = [], [], [], []
    for owner, city in enumerate(cities):
        for index in rng.choice(len(city.drives), drives, replace=len(city.drives) < drives):
            drive = city.drives[index]
            middle = _middle(city, drive, rng)
            places = _spoiled(city, drive, sequence, rng)
            turn, mirrored = int(rng.integers(4)), bool(rng.integers(2))
            tiles = city.tiles(places, middle - city.region_m / 2, config.tile_size)
            sequences.append(np.stack([_turned(tile, turn, mirrored) for tile in tiles]))
            regions.append(_turned(region_picture(city, middle, config), turn, mirrored))
            middles.append(middle)
            owners.append(owner)
    apart_m = np.abs(np.stack(middles)[:, None] - np.stack(middles)[None]).max(axis=2)
    same = np.array(owners)[:, None] == np.array(owners)[None]
    unsure = same & (apart_m < OVERLAP * cities[0].region_m) & ~np.eye(len(owners), dtype=bool)
    return SequenceBatch(
        torch.from_numpy(np.stack(sequences)), torch.from_numpy(np.stack(regions)), torch.from_numpy(unsure)
    )


def region_picture(city: ScreeningCity, middle_m: NDArray[np.float64], config: ScreeningNetConfig) -> Pixels:
    """A region as the screening network sees it."""
    seen_m = city.region_m * config.region_size / config.region_cover
    return city.cut(float(middle_m[0]), float(middle_m[1]), seen_m, config.region_size)


def _middle(city: ScreeningCity, drive: Drive, rng: np.random.Generator) -> NDArray[np.float64]:
    """The middle of a region around a drive, somewhat aside, within the city."""
    half = city.region_m / 2
    middle = np.median(drive.true, axis=0) + rng.uniform(-JITTER_M, JITTER_M, 2)
    return np.asarray(np.clip(middle, half, city.size_m - half))


def _spoiled(city: ScreeningCity, drive: Drive, count: int, rng: np.random.Generator) -> Points:
    """Places that a drive was matched to: as found; or the true ones, a share of them mistaken for other streets."""
    chosen = rng.choice(len(drive.true), count, replace=len(drive.true) < count)
    if drive.found is not None:
        return drive.found[chosen]
    wrong = rng.random(count) < rng.uniform(0.0, 0.8)
    others = np.stack([_anywhere(city, rng) for _ in range(count)])
    return np.where(wrong[:, None], others, drive.true[chosen])


def _anywhere(city: ScreeningCity, rng: np.random.Generator) -> Points:
    true = city.drives[rng.integers(len(city.drives))].true
    return np.asarray(true[rng.integers(len(true))])


def _turned(image: Pixels, turn: int, mirrored: bool) -> Pixels:
    """The same turn for a region and its tiles: what is learned holds for every direction."""
    turned = np.rot90(image, turn)
    return np.ascontiguousarray(turned[:, ::-1] if mirrored else turned)
