"""Training of the screening network: true sequences first, then what GAMa-Net really finds.

Source: GAMa (ECCV 2022), section 4.2. Other regions of the same city are what it has to tell apart, so a batch holds
few cities and many regions of each.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

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
from gama_core.training.screening_cities import Drive, ScreeningCity, draw_sequences, matched, region_picture

Report = Callable[[dict[str, float]], None]
RANKS = (1, 5, 10)


@dataclass(frozen=True)
class ScreeningRecipe:
    """How long and how hard; the numbers stand in the model card."""

    minutes: float = 20.0  # on true sequences
    finetune_minutes: float = 10.0  # on predictions
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    cities: int = 3  # in a batch
    drives: int = 12  # of each
    sequence: int = 12
    finetune_sequence: int = 24
    start_scale: float = 10.0
    top_scale: float = 40.0
    seed: int = 0


def train_screening(
    cities: list[ScreeningCity],
    unseen: list[TrainingPlace],
    validation: TrainingPlace,
    gama_net: GAMaNet,
    report: Report,
    recipe: ScreeningRecipe | None = None,
    config: ScreeningNetConfig = COMPACT_SCREENING,
) -> tuple[ScreeningNet, dict[str, object]]:
    """A screening network and what its card says.

    Args:
        cities: learned from with true sequences.
        unseen: places that `gama_net` has not learned from; its predictions on them are what is learned last.
        validation: a city that neither has learned from.
    """
    recipe = recipe or ScreeningRecipe()
    torch.manual_seed(recipe.seed)
    net = ScreeningNet(config)
    if gama_net.config.aerial == config.tower:  # both look at the same ground from above
        net.v_encoder.load_state_dict(gama_net.i_encoder.state_dict())
        net.i_encoder.load_state_dict(gama_net.i_encoder.state_dict())
    judge = matched(validation, gama_net)
    card: dict[str, object] = {"recipe": asdict(recipe), "cities": len(cities), "cities_for_predictions": len(unseen)}
    card["steps"] = _learn(net, cities, recipe, recipe.minutes, recipe.sequence, 1.0, report)
    card["validation_before_predictions"] = validate_screening(net.eval(), judge)
    if unseen:
        found = [matched(place, gama_net) for place in unseen]
        further = _learn(net, found, recipe, recipe.finetune_minutes, recipe.finetune_sequence, 0.3, report)
        card["steps_on_predictions"] = further
    card["validation"] = validate_screening(net.eval(), judge)
    return net, card


def validate_screening(net: ScreeningNet, city: ScreeningCity, tiles: int = 32) -> dict[str, float]:
    """Share of a city's drives whose region is among the first 1, 5, 10 of its grid: by true places, and as found."""
    steps = (np.arange(city.regions_across) + 0.5) * city.region_m
    middles = np.array([(x, y) for y in steps for x in steps])
    with torch.inference_mode():
        pictures = np.stack([region_picture(city, middle, net.config) for middle in middles])
        regions = net.embed_regions(_floats(pictures).permute(0, 3, 1, 2))
    figures = {"regions": float(len(middles)), "drives": float(len(city.drives))}
    for kind in ("true", "found"):
        ranks = np.array([_rank(net, city, drive, getattr(drive, kind), regions, tiles) for drive in city.drives])
        figures |= {f"{kind}_top{rank}": float((ranks < rank).mean()) for rank in RANKS}
    return figures


def _rank(
    net: ScreeningNet, city: ScreeningCity, drive: Drive, places: NDArray[np.float32], regions: torch.Tensor, tiles: int
) -> int:
    """How many regions are ranked before the one that holds most of a drive."""
    column, row = np.clip(drive.true / city.region_m, 0, city.regions_across - 1).astype(int).T
    owner = np.bincount(row * city.regions_across + column).argmax()
    spread = np.linspace(0, len(places) - 1, min(len(places), tiles)).round().astype(int)
    sequence = np.stack(city.tiles(places[spread], np.zeros(2), net.config.tile_size))
    with torch.inference_mode():
        score = regions @ net.embed_sequences(_floats(sequence).permute(0, 3, 1, 2)[None])[0]
    return int((score > score[owner]).sum())


def _learn(
    net: ScreeningNet, cities: list[ScreeningCity], recipe: ScreeningRecipe, minutes: float, sequence: int, pace: float,
    report: Report,
) -> int:  # fmt: skip
    """Learns for some minutes; how many steps that were."""
    rng, colour = np.random.default_rng(recipe.seed), torch.Generator().manual_seed(recipe.seed)
    scale = nn.Parameter(torch.tensor(math.log(recipe.start_scale)))
    learned = [*net.parameters(), scale]
    optimizer = torch.optim.AdamW(learned, lr=recipe.learning_rate * pace, weight_decay=recipe.weight_decay)
    started, step, smooth = time.monotonic(), 0, 0.0
    while (spent_s := time.monotonic() - started) < 60 * minutes:
        progress = spent_s / (60 * minutes)
        for group in optimizer.param_groups:
            warm = min(1.0, (step + 1) / 50)
            group["lr"] = recipe.learning_rate * pace * warm * (0.02 + 0.49 * (1 + math.cos(math.pi * progress)))
        chosen = rng.choice(len(cities), min(recipe.cities, len(cities)), replace=False)
        batch = draw_sequences([cities[index] for index in chosen], net.config, recipe.drives, sequence, rng)
        net.train()
        with torch.autocast("cpu", torch.bfloat16):
            tiles = colours(batch.sequences.flatten(0, 1), colour).permute(0, 3, 1, 2)
            drives = net.embed_sequences(tiles.unflatten(0, (-1, sequence)))
            regions = net.embed_regions(colours(batch.regions, colour).permute(0, 3, 1, 2))
        loss = nt_xent(drives, regions, scale.exp().clamp(max=recipe.top_scale), batch.unsure)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        step += 1
        right = (drives @ regions.T).masked_fill(batch.unsure, -2).argmax(1) == torch.arange(len(drives))
        smooth += (float(right.float().mean()) - smooth) * (0.05 if step > 20 else 0.3)
        if step % 25 == 0:
            report({"progress": progress, "step": step, "match": float(loss.detach()), "batch_top1": smooth})
    return step


def _floats(pixels: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(pixels).float().div_(127.5).sub_(1.0)
