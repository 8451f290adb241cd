"""What `train gama-net` and `train screening` do with a data set: options, and the way to `training.published`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gama_core.errors import SettingsInvalid

if TYPE_CHECKING:
    from gama_core.training.published import Facts, Place
    from gama_core.training.published_recipe import PublishedRecipe

_PANEL = "On a data set in the published layout"


def _option(name: str, words: str) -> Any:
    return typer.Option(name, help=words, rich_help_panel=_PANEL)


ConfigOption = Annotated[str, _option("--config", "paper, as published (needs --dataset), or compact.")]
DatasetOption = Annotated[Path | None, _option("--dataset", "Root of a data set: train on it as published.")]
GalleryOption = Annotated[str, _option("--gallery", "Tiles to learn: cn, centred on fixes, or ucn, of the grid.")]
AllHoursOption = Annotated[bool, _option("--all-hours", "Learn the drives by night too, not only those by day.")]
EpochsOption = Annotated[int | None, _option("--epochs", "Times that each video is seen; published: 400.")]
BatchOption = Annotated[int | None, _option("--batch", "Items of a step over all processes; published: 64 and 8.")]
StepsOption = Annotated[int | None, _option("--steps", "Stop after so many steps in all, to go on another time.")]
WorkersOption = Annotated[int | None, _option("--workers", "Processes that read, a training process; default: cores.")]
PrecisionOption = Annotated[str, _option("--precision", "auto, float32, bfloat16 or float16.")]
SeedOption = Annotated[int, _option("--seed", "Another one is another run.")]
FinetuneOption = Annotated[
    Path | None, _option("--finetune-on", "JSON of predictions on training videos, by `dataset evaluate`.")
]
StartOption = Annotated[
    Path | None, _option("--start", "Weights that fine-tuning begins with; default: those that --out holds.")
]


def place_of(
    dataset: Path | None, config: str, out: Path, gallery: str, all_hours: bool, device: str, precision: str,
    workers: int | None, steps: int | None, *others: object,
) -> Place | None:  # fmt: skip
    """Where to learn from a data set; None where generated places are meant.

    Args:
        others: more options that mean something with a data set alone; None where they were not given.

    Raises:
        SettingsInvalid: the paper's configuration or such an option without a data set, or a word that is no choice.
    """
    if config not in ("paper", "compact"):
        raise SettingsInvalid(f"The configuration is '{config}': take paper or compact.")
    if gallery not in ("cn", "ucn"):
        raise SettingsInvalid(f"The gallery is '{gallery}': take cn or ucn.")
    if dataset is None:
        if config == "paper" or any(option is not None for option in (workers, steps, *others)):
            raise SettingsInvalid(
                "--config paper, and each option listed with it, trains as published, on a data set in the published "
                "layout: give its root with --dataset ROOT (`world export --layout gama` makes one)."
            )
        return None
    from gama_core.training.published import Place

    kind: Any = gallery
    return Place(dataset, out, kind, not all_hours, device, precision, workers, steps)


def train_gama_net_on(place: Place, config: str, epochs: int | None, batch: int | None, seed: int) -> None:
    """`train gama-net --dataset`: trains, and prints what the card says."""
    from gama_core.models.config import COMPACT, PAPER
    from gama_core.training.published import train_gama_net
    from gama_core.training.published_recipe import GAMA_NET_RECIPE

    recipe = _with(GAMA_NET_RECIPE, epochs, batch, seed)
    _show(train_gama_net(place, print_facts, recipe, PAPER if config == "paper" else COMPACT))


def train_screening_on(
    place: Place, config: str, epochs: int | None, batch: int | None, seed: int, finetune_on: Path | None,
    start: Path | None,
) -> None:  # fmt: skip
    """`train screening --dataset`: the same for the screening network."""
    from gama_core.models.config import COMPACT_SCREENING, PAPER_SCREENING
    from gama_core.training.published import train_screening
    from gama_core.training.published_recipe import FINETUNE_RECIPE, SCREENING_RECIPE

    recipe = _with(FINETUNE_RECIPE if finetune_on else SCREENING_RECIPE, epochs, batch, seed)
    chosen = PAPER_SCREENING if config == "paper" else COMPACT_SCREENING
    _show(train_screening(place, print_facts, recipe, chosen, finetune_on, start))


def print_facts(facts: dict[str, float]) -> None:
    """One line of a training's figures."""
    typer.echo("  ".join(f"{name} {value:.4g}" for name, value in facts.items()))


def _with(recipe: PublishedRecipe, epochs: int | None, batch: int | None, seed: int) -> PublishedRecipe:
    return replace(
        recipe,
        epochs=recipe.epochs if epochs is None else epochs,
        batch=recipe.batch if batch is None else batch,
        seed=seed,
    )


def _show(facts: Facts | None) -> None:
    if facts is not None:
        typer.echo(json.dumps(facts, indent=1))
