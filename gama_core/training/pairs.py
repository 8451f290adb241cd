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
from typing import TypeVar

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gama_core.models.config import GAMaNetConfig
from gama_core.training.places import TrainingPlace

# The coarse picture of the ground ahead that the network learns to imagine; cut finer, then shrunk.
PATCH_PX, PATCH_M, PATCH_AHEAD_M, PATCH_CUT_PX = 12, 48.0, 20.0, 96
Rows = TypeVar("Rows", NDArray[np.float64], Tensor)
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


@dataclass(frozen=True)
class Pictures:
    """The pictures of one place's share of a batch: the first four of `Batch`."""

    clips: Tensor
    frames: Tensor
    tiles: Tensor
    patches: Tensor


@dataclass(frozen=True)
class Draw:
    """What one place gives to a batch, before a pixel is cut: its clips by number, and where its tiles lie, the
    clips' own first, then those of no clip."""

    place: TrainingPlace
    mirrored: bool
    clips: NDArray[np.int64]  # (n,)
    tile_at: NDArray[np.float64]  # (n + e, 3): x_m, y_m, heading_deg

    @property
    def at(self) -> NDArray[np.float64]:
        """Where its clips were taken, (n, 3)."""
        return self.place.poses[self.clips].astype(np.float64)


def draw_places(places: list[TrainingPlace], shape: BatchShape, rng: np.random.Generator) -> list[Draw]:
    """Randomly chosen places, and what each of them gives to one batch."""
    chosen = rng.choice(len(places), shape.places, replace=len(places) < shape.places)
    return [_draw_place(places[index], shape, rng) for index in chosen]


def draw_batch(
    places: list[TrainingPlace], config: GAMaNetConfig, shape: BatchShape, rng: np.random.Generator
) -> Batch:
    """One batch from randomly chosen places, cut by the CPU."""
    draws = draw_places(places, shape, rng)
    return batch_of(draws, [cut_pictures(draw, config) for draw in draws])


def batch_of(draws: list[Draw], pictures: list[Pictures]) -> Batch:
    """The draws of some places with their pictures as one batch, on the device that the pictures are on."""
    device = pictures[0].clips.device
    owner = np.repeat(np.arange(len(draws)), [len(draw.clips) for draw in draws])
    more = np.repeat(np.arange(len(draws)), [len(draw.tile_at) - len(draw.clips) for draw in draws])
    tile_owner = np.concatenate([owner, more])
    at = np.concatenate([draw.at for draw in draws])
    tile_at = np.concatenate(_own_first([draw.tile_at for draw in draws], draws))
    apart_m, turned_deg = _apart(at, tile_at)
    seeds = np.array([draw.place.seed for draw in draws])
    same_place, same_draw = seeds[owner][:, None] == seeds[tile_owner], owner[:, None] == tile_owner
    cameras = np.concatenate([draw.place.cameras[draw.clips] for draw in draws])
    motions = np.concatenate([_motions(draw) for draw in draws])
    return Batch(
        clips=torch.cat([found.clips for found in pictures]),
        frames=torch.cat([found.frames for found in pictures]),
        tiles=torch.cat(_own_first([found.tiles for found in pictures], draws)),
        patches=torch.cat([found.patches for found in pictures]),
        cameras=torch.from_numpy(cameras).to(device),
        motions=torch.from_numpy(motions).to(device),
        unsure=torch.from_numpy(_unsure(apart_m, turned_deg, same_place)).to(device),
        nearness=torch.from_numpy(_nearness(apart_m, turned_deg, same_draw)).to(device),
    )


def cut_pictures(draw: Draw, config: GAMaNetConfig) -> Pictures:
    """The pictures of a draw, cut by the CPU."""
    place, flip = draw.place, slice(None, None, -1 if draw.mirrored else 1)
    side_m = config.tile_side_m or place.region_m / 7
    tiles = [place.cut(at, side_m, config.tile_ahead_m, config.tile_size) for at in draw.tile_at]
    patches = [_shrunk(place.cut(at, PATCH_M, PATCH_AHEAD_M, PATCH_CUT_PX)) for at in draw.at]
    return Pictures(
        clips=torch.from_numpy(place.clips[draw.clips][..., flip, :].copy()),
        frames=torch.from_numpy(place.frames[draw.clips][..., flip, :].copy()),
        tiles=torch.from_numpy(np.stack(tiles)[..., flip, :].copy()),
        patches=torch.from_numpy(np.stack(patches)[..., flip, :].copy()),
    )


def stream(
    places: list[TrainingPlace], config: GAMaNetConfig, shape: BatchShape, seed: int, ahead: int = 4
) -> Iterator[Batch]:
    """Batches without end, made in a thread while the network learns; `places` may grow meanwhile."""
    queue: Queue[Batch | Exception] = Queue(maxsize=ahead)
    stop, rng = Event(), np.random.default_rng(seed)

    def work() -> None:
        try:
            while not stop.is_set():
                queue.put(draw_batch(places, config, shape, rng))
        except Exception as error:  # whoever waits for batches hears of it
            queue.put(error)

    Thread(target=work, daemon=True).start()
    try:
        while True:
            batch = queue.get()
            if isinstance(batch, Exception):
                raise batch
            yield batch
    finally:
        stop.set()


def colours(images: Tensor, rng: torch.Generator, strength: float = 1.0) -> Tensor:
    """Pictures uint8 (B, ..., 3) as float32 in about [-1, 1], channels last, with random gain, cast and offset each."""
    ones = (images.shape[0], *[1] * (images.dim() - 2))

    def uniform(low: float, high: float, channels: int) -> Tensor:
        return low + (high - low) * torch.rand((*ones, channels), generator=rng)

    gain = (1 + strength * uniform(-0.25, 0.25, 1)) * (1 + strength * uniform(-0.1, 0.1, 3))
    offset = strength * uniform(-0.25, 0.25, 1)
    factor, term = (gain / 127.5).to(images.device), (offset - gain).to(images.device)
    floats: Tensor = images.float().mul_(factor).add_(term)
    return floats


def _draw_place(place: TrainingPlace, shape: BatchShape, rng: np.random.Generator) -> Draw:
    mirrored = bool(rng.random() < 0.5)
    clips = rng.choice(len(place), shape.clips, replace=len(place) < shape.clips)
    at = place.poses[clips].astype(np.float64)
    reach_m = np.where(rng.random(shape.clips) < 0.8, shape.near_m, shape.far_m)
    reach = np.stack([reach_m, reach_m, np.full(shape.clips, shape.turn_deg)], axis=1)
    own = at + rng.uniform(-1, 1, at.shape) * reach
    return Draw(place, mirrored, clips, np.concatenate([own, _others(place.size_m, at, shape, rng)]))


def _others(size_m: float, at: NDArray[np.float64], shape: BatchShape, rng: np.random.Generator) -> NDArray[np.float64]:
    """Where tiles of no clip lie: one third turned, one third aside, one third anywhere in the place; then those around
    some clips, half of them very near."""
    turned, aside, _ = np.array_split(np.arange(shape.others), 3)
    others = at[rng.integers(len(at), size=shape.others)]
    turn_deg = rng.choice([45, 90, 135, 180, 225, 270, 315], len(turned))
    others[turned, 2] += turn_deg + rng.uniform(-1, 1, len(turned)) * shape.turn_deg / 2
    angle, away_m = rng.uniform(0, 2 * np.pi, len(aside)), rng.uniform(40, 90, len(aside))
    others[aside, :2] += away_m[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    anywhere = len(turned) + len(aside)
    others[anywhere:] = rng.uniform(0, (size_m, size_m, 360.0), (shape.others - anywhere, 3))
    anchors = rng.choice(len(at), shape.anchors, replace=len(at) < shape.anchors)
    far, near = (shape.far_m, shape.far_m, 45.0), (8.0, 8.0, 12.0)
    reach = np.array([near if index % 2 else far for index in range(shape.around)]).reshape(1, -1, 3)
    around = at[anchors][:, None] + rng.uniform(-1, 1, (shape.anchors, shape.around, 3)) * reach
    found = np.concatenate([others, around.reshape(-1, 3)])
    found[:, :2] = found[:, :2].clip(0, size_m)
    return found


def _motions(draw: Draw) -> NDArray[np.float32]:
    """Speed and turn of its clips; in a mirror a camera turns the other way."""
    turn = -1.0 if draw.mirrored else 1.0
    return np.asarray(draw.place.motions[draw.clips] * np.array([1.0, turn], np.float32))


def _shrunk(patch: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(patch, (PATCH_PX, PATCH_PX), interpolation=cv2.INTER_AREA), np.uint8)


def _own_first(tiles: list[Rows], draws: list[Draw]) -> list[Rows]:
    """The tiles of some draws in the order of a batch: the clips' own of all, then those of no clip."""
    own: list[Rows] = [rows[: len(draw.clips)] for rows, draw in zip(tiles, draws, strict=True)]
    others: list[Rows] = [rows[len(draw.clips) :] for rows, draw in zip(tiles, draws, strict=True)]
    return own + others


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
