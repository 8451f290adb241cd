"""Training of the screening network: true sequences first, then what GAMa-Net really finds.

Source: GAMa (ECCV 2022), section 4.2. The tower is GAMa-Net's own, as it is; what is learned are the words by which
tiles and regions are described. The regions of one city are what has to be told apart, so a step takes one city and
all of its regions.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from gama_core.models.config import COMPACT_SCREENING, ScreeningNetConfig
from gama_core.models.gama_net import GAMaNet
from gama_core.models.screening_net import ScreeningNet
from gama_core.training.places import TrainingPlace
from gama_core.training.screening_cities import ScreeningCity, SeenCity, draw_sequences, matched, see

Report = Callable[[dict[str, float]], None]
RANKS = (1, 5, 10)
OWN_SHARE = 0.15  # a region that holds more of a drive than this is no wrong answer


@dataclass(frozen=True)
class ScreeningRecipe:
    """How long and how hard; the numbers stand in the model card."""

    minutes: float = 6.0  # on true sequences
    finetune_minutes: float = 1.0  # on predictions
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    drives: int = 32  # in a batch
    sequence: int = 32
    start_scale: float = 20.0
    top_scale: float = 60.0
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
    net = ScreeningNet(config).eval()
    net.v_encoder.load_state_dict(gama_net.i_encoder.state_dict())
    judge = see(matched(validation, gama_net), net)
    seen = [see(city, net) for city in cities]
    features = torch.cat([city.tiles for city in seen])
    net.words.centre.copy_(features.mean(0))
    net.words.spread.copy_(features.std(0))
    card: dict[str, object] = {"recipe": asdict(recipe), "cities": len(cities), "cities_for_predictions": len(unseen)}
    card["steps"] = learn_words(net, seen, recipe, recipe.minutes, 1.0, report)
    card["validation_before_predictions"] = validate_screening(net, judge)
    if unseen:
        found = [see(matched(place, gama_net), net) for place in unseen]
        card["steps_on_predictions"] = learn_words(net, found, recipe, recipe.finetune_minutes, 0.1, report)
    card["validation"] = validate_screening(net, judge)
    return net, card


def validate_screening(net: ScreeningNet, city: SeenCity, tiles: int = 32) -> dict[str, float]:
    """Share of a city's drives whose region is among the first 1, 5, 10: by the true tiles, and by those found."""
    figures = {"regions": float(len(city.regions)), "drives": float(len(city.true))}
    with torch.inference_mode():
        regions = net.words(city.regions)
        for kind, sequences in (("true", city.true), ("found", city.found or ())):
            ranks = []
            for owner, numbers in zip(city.owners, sequences, strict=False):
                spread = np.linspace(0, len(numbers) - 1, min(len(numbers), tiles)).round().astype(int)
                score = regions @ net.words(city.tiles[numbers[spread]])
                ranks.append(int((score > score[owner]).sum()))
            figures |= {f"{kind}_top{rank}": float((np.array(ranks) < rank).mean()) for rank in RANKS if ranks}
    return figures


def learn_words(
    net: ScreeningNet, cities: list[SeenCity], recipe: ScreeningRecipe, minutes: float, pace: float, report: Report
) -> int:
    """Learns for some minutes; how many steps that were."""
    rng = np.random.default_rng(recipe.seed)
    scale = nn.Parameter(torch.tensor(math.log(recipe.start_scale)))
    learned = [*net.words.parameters(), scale]
    optimizer = torch.optim.AdamW(learned, lr=recipe.learning_rate * pace, weight_decay=recipe.weight_decay)
    started, step, smooth = time.monotonic(), 0, 0.0
    while (spent_s := time.monotonic() - started) < 60 * minutes:
        progress = spent_s / (60 * minutes)
        for group in optimizer.param_groups:
            warm = min(1.0, (step + 1) / 50)
            group["lr"] = recipe.learning_rate * pace * warm * (0.02 + 0.49 * (1 + math.cos(math.pi * progress)))
        city = cities[int(rng.integers(len(cities)))]
        drives, numbers = draw_sequences(city, recipe.drives, recipe.sequence, rng)
        owners = torch.from_numpy(city.owners[drives])
        logits = net.words(city.tiles[torch.from_numpy(numbers)]) @ net.words(city.regions).T
        partly = torch.from_numpy(city.shares[drives] > OWN_SHARE).scatter_(1, owners[:, None], False)
        logits = (logits * scale.exp().clamp(max=recipe.top_scale)).masked_fill(partly, -1e4)
        loss = cross_entropy(logits, owners)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        step += 1
        smooth += (float((logits.argmax(1) == owners).float().mean()) - smooth) * (0.05 if step > 20 else 0.3)
        if step % 100 == 0:
            report({"progress": progress, "step": step, "match": float(loss.detach()), "batch_top1": smooth})
    return step
