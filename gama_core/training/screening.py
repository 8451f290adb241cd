"""Training of the screening network: true sequences first, then what GAMa-Net really finds.

Source: GAMa (ECCV 2022), section 4.2. The predictions are made on places that GAMa-Net has not learned from, laid side
by side as cities, so that they are as wrong as they will be on a new place.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from gama_core.models.config import COMPACT_SCREENING, ScreeningNetConfig
from gama_core.models.gama_net import GAMaNet
from gama_core.models.screening_net import ScreeningNet
from gama_core.training.losses import nt_xent
from gama_core.training.pairs import colours
from gama_core.training.places import TrainingPlace
from gama_core.training.validate import embed_place_clips, embed_views

Pixels = NDArray[np.uint8]
Report = Callable[[dict[str, float]], None]
GRID = 7  # tiles along a region


@dataclass(frozen=True)
class ScreeningRecipe:
    """How long and how hard; the numbers stand in the model card."""

    minutes: float = 8.0  # on true sequences
    finetune_minutes: float = 5.0  # on predictions
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    places: int = 32
    sequence: int = 8  # the paper: 8 with true sequences
    finetune_sequence: int = 24
    start_scale: float = 10.0
    top_scale: float = 40.0
    city: int = 36  # places laid side by side for the predictions
    seed: int = 0


@dataclass(frozen=True)
class _Region:
    """One place as the network sees it: its region, its 49 tiles, and which of them a drive passes through."""

    picture: Pixels
    tiles: Pixels  # uint8 (49, S, S, 3)
    passed: NDArray[np.int64]


Sequences = Callable[[NDArray[np.int64], np.random.Generator], list[list[Pixels]]]


def train_screening(
    places: list[TrainingPlace],
    unseen: list[TrainingPlace],
    gama_net: GAMaNet,
    report: Report,
    recipe: ScreeningRecipe | None = None,
    config: ScreeningNetConfig = COMPACT_SCREENING,
) -> tuple[ScreeningNet, dict[str, object]]:
    """A screening network and what its card says.

    Args:
        places: learned from with true sequences.
        unseen: places that `gama_net` has not learned from; its predictions on them are what is learned last.
    """
    recipe = recipe or ScreeningRecipe()
    torch.manual_seed(recipe.seed)
    net = ScreeningNet(config)
    seen = [_region(place, config) for place in places]

    def true_sequences(chosen: NDArray[np.int64], rng: np.random.Generator) -> list[list[Pixels]]:
        return [
            [seen[index].tiles[tile] for tile in rng.choice(seen[index].passed, recipe.sequence)] for index in chosen
        ]

    _learn(net, [region.picture for region in seen], true_sequences, recipe, recipe.minutes, 1.0, report)
    found = predict(gama_net, unseen, recipe.city)
    regions = [_region(place, config) for place in unseen]

    def predicted(chosen: NDArray[np.int64], rng: np.random.Generator) -> list[list[Pixels]]:
        drawn = [found[index][rng.choice(len(found[index]), recipe.finetune_sequence)] for index in chosen]
        return [[regions[owner].tiles[tile] for owner, tile in rows] for rows in drawn]

    pictures = [region.picture for region in regions]
    _learn(net, pictures, predicted, recipe, recipe.finetune_minutes, 0.3, report)
    right = float(np.mean([np.mean(rows[:, 0] == index) for index, rows in enumerate(found)]))
    card: dict[str, object] = {
        "recipe": asdict(recipe), "places": len(places), "places_for_predictions": len(unseen),
        "predictions_in_own_region": round(right, 3),
    }  # fmt: skip
    return net.eval(), card


def predict(net: GAMaNet, places: list[TrainingPlace], city: int) -> list[NDArray[np.int64]]:
    """For each place the top-1 of its clips in a city of places around it: int64 (n, 2), place and tile."""
    found: list[NDArray[np.int64]] = []
    for first in range(0, len(places), city):
        group = places[first : first + city]
        views = [embed_views(net, place) for place in group]
        rows = np.concatenate([view.vectors for view in views]).T
        tiles = np.concatenate(
            [_tile_of(view.centres_m, place.size_m) for view, place in zip(views, group, strict=True)]
        )
        turned = len(views[0].headings_deg)
        owners = np.repeat(np.arange(first, first + len(group)), [len(view.centres_m) for view in views])
        for place in group:
            top = (embed_place_clips(net, place) @ rows).argmax(axis=1) // turned
            found.append(np.stack([owners[top], tiles[top]], axis=1))
    return found


def _learn(
    net: ScreeningNet, pictures: list[Pixels], sequences: Sequences, recipe: ScreeningRecipe, minutes: float,
    pace: float, report: Report,
) -> None:  # fmt: skip
    rng, colour = np.random.default_rng(recipe.seed), torch.Generator().manual_seed(recipe.seed)
    scale = nn.Parameter(torch.tensor(math.log(recipe.start_scale)))
    learned = [*net.parameters(), scale]
    optimizer = torch.optim.AdamW(learned, lr=recipe.learning_rate * pace, weight_decay=recipe.weight_decay)
    started, step, smooth = time.monotonic(), 0, 0.0
    while (progress := (time.monotonic() - started) / (60 * minutes)) < 1:
        for group in optimizer.param_groups:
            warm = min(1.0, (step + 1) / 50)
            group["lr"] = recipe.learning_rate * pace * warm * (0.02 + 0.49 * (1 + math.cos(math.pi * progress)))
        chosen = rng.choice(len(pictures), min(recipe.places, len(pictures)), replace=False)
        rows = sequences(chosen, rng)
        turned = [(int(rng.integers(4)), bool(rng.integers(2))) for _ in chosen]
        tiles = np.stack([_turned(tile, how) for row, how in zip(rows, turned, strict=True) for tile in row])
        regions = np.stack([_turned(pictures[index], how) for index, how in zip(chosen, turned, strict=True)])
        net.train()
        with torch.autocast("cpu", torch.bfloat16):
            sequence = colours(torch.from_numpy(tiles), colour).permute(0, 3, 1, 2).unflatten(0, (len(chosen), -1))
            drives = net.embed_sequences(sequence)
            places = net.embed_regions(colours(torch.from_numpy(regions), colour).permute(0, 3, 1, 2))
        loss = nt_xent(drives, places, scale.exp().clamp(max=recipe.top_scale))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        step += 1
        right = (drives @ places.T).argmax(1) == torch.arange(len(chosen))
        smooth += (float(right.float().mean()) - smooth) * (0.05 if step > 20 else 0.3)
        if step % 25 == 0:
            report({"progress": progress, "step": step, "match": float(loss), "batch_top1": smooth})


def _region(place: TrainingPlace, config: ScreeningNetConfig) -> _Region:
    margin, side = round(place.margin_m / place.m_per_px), round(place.size_m / place.m_per_px)
    inner = np.ascontiguousarray(place.aerial[margin : margin + side, margin : margin + side])
    cover, size = config.region_cover, config.region_size
    edge = (cover - size) // 2
    picture = cv2.resize(inner, (cover, cover), interpolation=cv2.INTER_AREA)[edge : edge + size, edge : edge + size]
    whole = cv2.resize(inner, (GRID * config.tile_size,) * 2, interpolation=cv2.INTER_AREA)
    tiles = whole.reshape(GRID, config.tile_size, GRID, config.tile_size, 3).swapaxes(1, 2)
    passed = _tile_of(place.poses[:, :2].astype(np.float64), place.size_m)
    return _Region(
        np.asarray(picture, np.uint8), np.asarray(tiles, np.uint8).reshape(GRID**2, *tiles.shape[2:]), passed
    )


def _tile_of(points_m: NDArray[np.float64], size_m: float) -> NDArray[np.int64]:
    column, row = (np.clip((points_m * GRID / size_m).astype(np.int64), 0, GRID - 1)).T
    return np.asarray(row * GRID + column)


def _turned(image: Pixels, how: tuple[int, bool]) -> Pixels:
    """The same turn for a region and its tiles: what is learned holds for every direction."""
    turned = np.rot90(image, how[0])
    return np.ascontiguousarray(turned[:, ::-1] if how[1] else turned)
