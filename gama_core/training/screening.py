"""Training of the compact screening network: the words by which tiles and regions are told apart.

Source: GAMa (ECCV 2022), section 4.2, for what the network is asked. Ours rests on GAMa-Net's own aerial tower, as it
is: what is learned is what a tile and the same ground as a cell of its region have in common, and words for that.
Learned heads, by NT-Xent over regions of one city, knew their training cities by heart instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from gama_core.models.config import COMPACT_SCREENING, ScreeningNetConfig
from gama_core.models.gama_net import GAMaNet
from gama_core.models.screening_net import ScreeningNet, Words
from gama_core.training.places import TrainingPlace
from gama_core.training.screening_cities import ScreeningCity, SeenCity, matched, see

Report = Callable[[dict[str, float]], None]
RANKS = (1, 5, 10)


@dataclass(frozen=True)
class ScreeningRecipe:
    """The numbers that stand in the model card."""

    rounds: int = 8  # of k-means
    floor: float = 1e-3  # share of the mean variance below which a direction is not stretched further
    seed: int = 0


def train_screening(
    cities: list[ScreeningCity],
    validation: list[TrainingPlace],
    gama_net: GAMaNet,
    report: Report,
    recipe: ScreeningRecipe | None = None,
    config: ScreeningNetConfig = COMPACT_SCREENING,
) -> tuple[ScreeningNet, dict[str, object]]:
    """A screening network and what its card says.

    Args:
        cities: learned from.
        validation: places of many regions that neither network has learned from.
        gama_net: whose tower it looks through, and whose matches it is judged by.
    """
    recipe = recipe or ScreeningRecipe()
    net = ScreeningNet(config).eval()
    net.v_encoder.load_state_dict(gama_net.i_encoder.state_dict())
    seen = []
    for city in cities:
        seen.append(see(city, net))
        report({"cities": len(seen), "of": len(cities)})
    learn_words(net.words, seen, recipe, report)
    figures = [validate_screening(net, see(matched(place, gama_net), net)) for place in validation]
    drives = sum(figure["drives"] for figure in figures)
    mean = {name: sum(figure[name] * figure["drives"] for figure in figures) / drives for name in figures[0]}
    card: dict[str, object] = {
        "recipe": asdict(recipe), "cities": len(cities), "seeds": f"{cities[0].seed}-{cities[-1].seed}",
        "tiles": sum(len(city.tiles) for city in seen),
        "validation": {**mean, "drives": drives, "seeds": [place.seed for place in validation]},
    }  # fmt: skip
    return net, card


@torch.no_grad()
def learn_words(words: Words, cities: list[SeenCity], recipe: ScreeningRecipe, report: Report) -> None:
    """Fits the whitening, by how tiles differ from their cells, then the words, by spherical k-means over all tiles."""
    tiles, cells = torch.cat([city.tiles for city in cities]), torch.cat([city.cells for city in cities])
    words.tile_centre.copy_(tiles.mean(0))
    words.cell_centre.copy_(cells.mean(0))
    words.whitening.copy_(_whitening((tiles - words.tile_centre) - (cells - words.cell_centre), recipe.floor))
    points = words.whitened(tiles, words.tile_centre)
    rng = torch.Generator().manual_seed(recipe.seed)
    count = len(words.words)
    middles = points[torch.randperm(len(points), generator=rng)[:count].repeat(-(-count // len(points)))[:count]]
    for done in range(recipe.rounds):
        nearest = (points @ middles.T).max(dim=1)
        sums = torch.zeros_like(middles).index_add_(0, nearest.indices, points)
        held = torch.bincount(nearest.indices, minlength=count) > 0
        middles = torch.where(held[:, None], normalize(sums, dim=-1), middles)
        report({"round": done + 1, "similarity": float(nearest.values.mean())})
    words.words.copy_(middles)


@torch.no_grad()
def validate_screening(net: ScreeningNet, city: SeenCity, tiles: int = 32) -> dict[str, float]:
    """Share of a city's drives whose region is among the first 1, 5, 10: by the true tiles, and by those found."""
    figures = {"regions": float(len(city.regions)), "drives": float(len(city.true))}
    regions = net.words.of_cells(city.regions)
    for kind, sequences in (("true", city.true), ("found", city.found or ())):
        ranks = []
        for owner, numbers in zip(city.owners, sequences, strict=False):
            spread = np.linspace(0, len(numbers) - 1, min(len(numbers), tiles)).round().astype(int)
            score = regions @ net.words.of_tiles(city.tiles[numbers[spread]])
            ranks.append(int((score > score[owner]).sum()))
        figures |= {f"{kind}_top{rank}": float((np.array(ranks) < rank).mean()) for rank in RANKS if ranks}
    return figures


def _whitening(noise: Tensor, floor: float) -> Tensor:
    """The matrix (F, F) under which noise (n, F) is the same in every direction; scaled to a mean of one."""
    spread = noise.T @ noise / len(noise)
    spread = spread / spread.diagonal().mean()
    values, vectors = torch.linalg.eigh(spread + floor * torch.eye(len(spread)))
    return torch.as_tensor(vectors @ torch.diag(values.rsqrt()) @ vectors.T)
