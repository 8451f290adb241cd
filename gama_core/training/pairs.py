"""Batches of clips and the ground that they were filmed on, with augmentation that keeps geometry honest.

A clip's own tile is cut heading up, off by as much as the nearest view of a gallery may be. Beside it stand tiles
that a gallery holds too and that no clip belongs to: the same place turned, a little aside, or anywhere in the place;
and around some clips, the anchors, a few more, from which the fine space learns what a metre and a degree change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from queue import Queue
from threading import Event, Thread

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gama_core.models.config import GAMaNetConfig
from gama_core.training.places import TrainingPlace

PATCH_PX, PATCH_M = 12, 48.0  # the coarse picture of the ground ahead that the network learns to imagine
DUPLICATE_M, DUPLICATE_DEG = 30.0, 60.0  # nearer than this, two tiles show the same: neither right nor wrong
AROUND_M, AROUND_DEG = 60.0, 75.0  # the neighbourhood of a clip
ALIKE_M, ALIKE_DEG = 5.0, 8.0  # one sigma of how far a tile may be off before it shows something else


@dataclass(frozen=True)
class BatchShape:
    """What a batch holds: places, clips from each, and tiles that belong to no clip, for each place."""

    places: int = 12  # few places and many clips of each: what is learned is to tell a city from itself
    clips: int = 16
    others: int = 9
    anchors: int = 2  # clips, for each place, with
    around: int = 6  # tiles around each of them
    near_m: float = 16.0  # a tile's centre is off by at most so much on each axis, most of the time
    far_m: float = 30.0  # and by so much else: half a tile of the paper's grid
    turn_deg: float = 26.0  # half of the step between eight rotations, and a little


@dataclass(frozen=True)
class Batch:
    """B clips with their tiles, E tiles of no clip; `unsure` marks pairs that are neither right nor wrong, `nearness`
    is the log of how much a clip and a tile show the same, -inf beyond a clip's neighbourhood."""

    clips: Tensor  # uint8 (B, 4, 64, 128, 3)
    frames: Tensor  # uint8 (B, 128, 256, 3)
    tiles: Tensor  # uint8 (B + E, S, S, 3)
    patches: Tensor  # uint8 (B, 12, 12, 3)
    cameras: Tensor  # float32 (B, 3)
    motions: Tensor  # float32 (B, 2)
    unsure: Tensor  # bool (B, B + E)
    nearness: Tensor  # float32 (B, B + E)


@dataclass
class _Rows:
    """What one place gives to a batch: pictures, and where each of its clips and tiles is."""

    clips: list[NDArray[np.uint8]]
    frames: list[NDArray[np.uint8]]
    tiles: list[NDArray[np.uint8]]
    patches: list[NDArray[np.uint8]]
    cameras: list[NDArray[np.float32]]
    motions: list[NDArray[np.float32]]
    mirrored: bool
    at: list[NDArray[np.float64]]  # of the clips: x_m, y_m, heading_deg
    tile_at: list[NDArray[np.float64]]


def draw_batch(
    places: list[TrainingPlace], config: GAMaNetConfig, shape: BatchShape, rng: np.random.Generator
) -> Batch:
    """One batch from randomly chosen places."""
    chosen = rng.choice(len(places), shape.places, replace=len(places) < shape.places)
    rows = [_draw_place(places[index], config, shape, rng) for index in chosen]
    others = [_draw_others(places[index], found, config, shape, rng) for index, found in zip(chosen, rows, strict=True)]
    draws, more = np.arange(len(chosen)), shape.others + shape.anchors * shape.around
    draw = np.repeat(draws, shape.clips)
    tile_draw = np.concatenate([draw, np.repeat(draws, more)])
    at = np.stack([at for found in rows for at in found.at])
    tile_at = np.stack([at for found in rows for at in found.tile_at] + [at for found in others for at in found[1]])
    tiles = [tile for found in rows for tile in found.tiles] + [tile for found in others for tile in found[0]]
    apart_m, turned_deg = _apart(at, tile_at)
    same_place, same_draw = chosen[draw][:, None] == chosen[tile_draw], draw[:, None] == tile_draw
    return Batch(
        clips=torch.from_numpy(np.stack([clip for found in rows for clip in found.clips])),
        frames=torch.from_numpy(np.stack([frame for found in rows for frame in found.frames])),
        tiles=torch.from_numpy(np.stack(tiles)),
        patches=torch.from_numpy(np.stack([patch for found in rows for patch in found.patches])),
        cameras=torch.from_numpy(np.stack([camera for found in rows for camera in found.cameras])),
        motions=torch.from_numpy(np.stack([motion for found in rows for motion in found.motions])),
        unsure=torch.from_numpy(_unsure(apart_m, turned_deg, same_place)),
        nearness=torch.from_numpy(_nearness(apart_m, turned_deg, same_draw)),
    )


def stream(
    places: list[TrainingPlace], config: GAMaNetConfig, shape: BatchShape, seed: int, ahead: int = 4
) -> Iterator[Batch]:
    """Batches without end, made in a thread while the network learns; `places` may grow meanwhile."""
    queue: Queue[Batch] = Queue(maxsize=ahead)
    stop, rng = Event(), np.random.default_rng(seed)

    def work() -> None:
        while not stop.is_set():
            queue.put(draw_batch(places, config, shape, rng))

    Thread(target=work, daemon=True).start()
    try:
        while True:
            yield queue.get()
    finally:
        stop.set()


def colours(images: Tensor, rng: torch.Generator, strength: float = 1.0) -> Tensor:
    """Pictures uint8 (B, ..., 3) as float32 in about [-1, 1], channels last, with random gain, cast and offset each."""
    ones = (images.shape[0], *[1] * (images.dim() - 2))

    def uniform(low: float, high: float, channels: int) -> Tensor:
        return low + (high - low) * torch.rand((*ones, channels), generator=rng)

    gain = (1 + strength * uniform(-0.25, 0.25, 1)) * (1 + strength * uniform(-0.1, 0.1, 3))
    offset = strength * uniform(-0.25, 0.25, 1)
    floats: Tensor = images.float().mul_(gain / 127.5).add_(offset - gain)
    return floats


def _draw_place(place: TrainingPlace, config: GAMaNetConfig, shape: BatchShape, rng: np.random.Generator) -> _Rows:
    mirrored = bool(rng.random() < 0.5)
    rows = _Rows([], [], [], [], [], [], mirrored, [], [])
    flip = slice(None, None, -1) if mirrored else slice(None)
    for index in rng.choice(len(place), shape.clips, replace=len(place) < shape.clips):
        at = place.poses[index].astype(float)
        reach_m = shape.near_m if rng.random() < 0.8 else shape.far_m
        tile_at = at + rng.uniform(-1, 1, 3) * (reach_m, reach_m, shape.turn_deg)
        patch = place.cut(place.poses[index], PATCH_M, PATCH_M / 2 - 4.0, 96)
        rows.clips.append(place.clips[index][:, :, flip])
        rows.frames.append(place.frames[index][:, flip])
        rows.tiles.append(_cut(place, tile_at, config, mirrored))
        small = np.asarray(cv2.resize(patch, (PATCH_PX, PATCH_PX), interpolation=cv2.INTER_AREA), np.uint8)
        rows.patches.append(small[:, flip])
        rows.cameras.append(place.cameras[index])
        rows.motions.append(place.motions[index] * np.array([1.0, -1.0 if mirrored else 1.0], np.float32))
        rows.at.append(at)
        rows.tile_at.append(tile_at)
    return rows


def _draw_others(
    place: TrainingPlace, rows: _Rows, config: GAMaNetConfig, shape: BatchShape, rng: np.random.Generator
) -> tuple[list[NDArray[np.uint8]], list[NDArray[np.float64]]]:
    """Tiles of no clip: one third turned, one third aside, one third anywhere in the place; then those around some
    clips, half of them very near."""
    found = []
    for index in range(shape.others):
        here = rows.at[rng.integers(len(rows.at))].copy()
        if index % 3 == 0:
            here[2] += rng.choice([45, 90, 135, 180, 225, 270, 315]) + rng.uniform(-1, 1) * shape.turn_deg / 2
        elif index % 3 == 1:
            angle, away_m = rng.uniform(0, 2 * np.pi), rng.uniform(40, 90)
            here[:2] += away_m * np.cos(angle), away_m * np.sin(angle)
        else:
            here = np.array([*rng.uniform(0, place.size_m, 2), rng.uniform(0, 360)])
        found.append(here)
    for anchor in rng.choice(len(rows.at), shape.anchors, replace=len(rows.at) < shape.anchors):
        for index in range(shape.around):
            reach = (8.0, 8.0, 12.0) if index % 2 else (shape.far_m, shape.far_m, 45.0)
            found.append(rows.at[anchor] + rng.uniform(-1, 1, 3) * reach)
    for here in found:
        here[:2] = np.clip(here[:2], 0, place.size_m)
    return [_cut(place, here, config, rows.mirrored) for here in found], found


def _cut(place: TrainingPlace, at: NDArray[np.float64], config: GAMaNetConfig, mirrored: bool) -> NDArray[np.uint8]:
    """A tile as the network sees it, in a place that may be seen in a mirror."""
    side_m = config.tile_side_m or place.region_m / 7
    tile = place.cut(at, side_m, config.tile_ahead_m, config.tile_size)
    return tile[:, ::-1] if mirrored else tile


def _apart(at: NDArray[np.float64], tile_at: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Metres and degrees between clips and tiles of one place, each (B, B + E)."""
    apart_m = np.hypot(at[:, None, 0] - tile_at[None, :, 0], at[:, None, 1] - tile_at[None, :, 1])
    turned_deg = np.abs((at[:, None, 2] - tile_at[None, :, 2] + 180) % 360 - 180)
    return apart_m, turned_deg


def _unsure(
    apart_m: NDArray[np.float64], turned_deg: NDArray[np.float64], same: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Pairs of one place so near and so alike in heading that the tile shows what the clip sees, own tiles aside."""
    unsure = same & (apart_m < DUPLICATE_M) & (turned_deg < DUPLICATE_DEG)
    np.fill_diagonal(unsure, False)
    return np.asarray(unsure)


def _nearness(
    apart_m: NDArray[np.float64], turned_deg: NDArray[np.float64], same: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """How near pairs of one neighbourhood are, as the log of a Gaussian; -inf for all others. A place that was drawn
    twice may be mirrored once: `same` tells its draws apart."""
    log = -0.5 * ((apart_m / ALIKE_M) ** 2 + (turned_deg / ALIKE_DEG) ** 2)
    around = same & (apart_m < AROUND_M) & (turned_deg < AROUND_DEG)
    return np.where(around, log, -np.inf).astype(np.float32)
