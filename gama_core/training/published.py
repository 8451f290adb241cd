"""The published networks, trained on the data set: from its root to weights with their card.

GAMa-Net learns clips and their tiles; the screening network learns sequences of true tiles and their large regions, and
then, from there, sequences of the tiles that GAMa-Net found (`dataset evaluate --write-predictions`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from gama_core.dataset import Dataset, open_dataset, read_predictions
from gama_core.errors import SettingsInvalid, WeightsUnreadable
from gama_core.models.config import PAPER, PAPER_SCREENING, GAMaNetConfig, ScreeningNetConfig
from gama_core.models.gama_net import GAMaNet
from gama_core.models.screening_net import ScreeningNet
from gama_core.models.weights import load_weights, save_weights
from gama_core.training.dataset_items import ClipItems, Items, SequenceItems
from gama_core.training.model_card import write_card
from gama_core.training.processes import Processes, joined, machine
from gama_core.training.published_batches import Batches, Order, skipped_by_reason
from gama_core.training.published_recipe import FINETUNE_RECIPE, GAMA_NET_RECIPE, SCREENING_RECIPE, PublishedRecipe
from gama_core.training.published_trainer import PublishedTrainer
from gama_core.training.training_log import TrainingLog

Report = Callable[[dict[str, float]], None]
Facts = dict[str, Any]
SAVE_EVERY_S = 600.0


@dataclass(frozen=True)
class Place:
    """What is learned from, on what, and where the result goes."""

    root: Path
    out: Path
    gallery: Literal["cn", "ucn"] = "cn"
    day: bool = True  # only the drives by day, as in the paper's tables
    device: str = "auto"
    precision: str = "auto"  # float32, bfloat16 or float16
    workers: int | None = None  # processes that read; as many as there are cores for each training process
    last_step: int | None = None  # where to stop, of the whole recipe

    def path(self, network: str, config: GAMaNetConfig | ScreeningNetConfig, ending: str = "") -> Path:
        """The weights: named for network, configuration and data set, so that no shipped ones are written over."""
        return self.out / f"{network}-{config.name}-{self.root.resolve().name}{ending}.safetensors"


def train_gama_net(
    place: Place, report: Report, recipe: PublishedRecipe = GAMA_NET_RECIPE, config: GAMaNetConfig = PAPER
) -> Facts | None:
    """Trains GAMa-Net; goes on where an earlier run of the same kind stopped.

    Returns:
        What the card says; None in processes other than the first.

    Raises:
        DatasetUnreadable, SettingsInvalid, WeightsUnreadable: no data, numbers that do not fit, a foreign checkpoint.
    """
    with _opened(place) as (processes, dataset):
        torch.manual_seed(recipe.seed)
        items = ClipItems(dataset, config, recipe)
        return _train(GAMaNet(config), items, place, processes, place.path("gama-net", config), report)


def train_screening(
    place: Place,
    report: Report,
    recipe: PublishedRecipe | None = None,
    config: ScreeningNetConfig = PAPER_SCREENING,
    finetune_on: Path | None = None,
    start: Path | None = None,
) -> Facts | None:
    """Trains the screening network on true sequences, or fine-tunes it on predictions.

    Args:
        recipe: by default that of true sequences, or that of fine-tuning.
        finetune_on: what GAMa-Net found on training videos: {VIDEO: ["VIDEO_SECOND", ...]}.
        start: the weights that fine-tuning begins with; by default those that true sequences gave here.

    Returns:
        What the card says; None in processes other than the first.

    Raises:
        DatasetUnreadable, SettingsInvalid, WeightsUnreadable: as `train_gama_net`, and no weights to begin with.
    """
    learned = place.path("screening", config)
    recipe = recipe or (FINETUNE_RECIPE if finetune_on else SCREENING_RECIPE)
    with _opened(place) as (processes, dataset):
        torch.manual_seed(recipe.seed)
        if finetune_on is None:
            return _train(
                ScreeningNet(config), SequenceItems(dataset, config, recipe), place, processes, learned, report
            )
        net = _start(start or learned, config)
        items = SequenceItems(dataset, config, recipe, read_predictions(finetune_on))
        facts = {"predictions_by": finetune_on.name, "started_from": (start or learned).name}
        return _train(net, items, place, processes, place.path("screening", config, "-finetuned"), report, facts)


def learn(
    trainer: PublishedTrainer,
    items: Items,
    checkpoint: Path,
    report: Report,
    workers: int = 0,
    last_step: int | None = None,
    report_every: int = 20,
) -> Order:
    """Learns to the end of the recipe, or up to `last_step`, from `checkpoint` on where there is one.

    A checkpoint is written every ten minutes and at the end; each report also goes to a CSV beside it.
    Reports: step, epoch, loss and batch_top1 (means since the last one), learning_rate, pairs_per_s, waiting (the share
    of the time spent waiting for data), unreadable (videos so far that this process found damaged and replaced).

    Returns:
        The order that was followed.

    Raises:
        Cancelled: `report` raised it; the last checkpoint stands.
        DatasetUnreadable, SettingsInvalid, WeightsUnreadable: as items, trainer and checkpoint have them.
    """
    if checkpoint.is_file():
        trainer.resume(checkpoint, items.lesson)
    _require_together(trainer)
    order = Order(items, trainer.processes, trainer.step)
    last = order.steps if last_step is None else min(order.steps, last_step)
    if trainer.step >= last:
        return order
    log = TrainingLog(checkpoint.with_suffix(".csv"), trainer.step) if trainer.processes.first else None
    batches = Batches(items, order, workers, pinned=trainer.device.type == "cuda")
    tick = since = saved = time.monotonic()
    waited_s, pairs, recent = 0.0, trainer.pairs, list[dict[str, float]]()
    for batch in batches:
        epoch = order.epoch(trainer.step)
        recent.append(trainer.learn(batch, epoch))
        now, done = time.monotonic(), trainer.step == last
        trainer.seconds, tick = trainer.seconds + now - tick, now
        if log is not None and (done or trainer.step % report_every == 0):
            facts = {
                "step": trainer.step, "epoch": epoch,
                **{name: float(np.mean([row[name] for row in recent])) for name in recent[0]},
                "learning_rate": trainer.recipe.learning_rate_at(epoch),
                "pairs_per_s": (trainer.pairs - pairs) / (now - since),
                "waiting": (batches.waited_s - waited_s) / (now - since), "unreadable": trainer.unreadable,
            }  # fmt: skip
            since, waited_s, pairs, recent = now, batches.waited_s, trainer.pairs, []
            log.write(facts)
            report(facts)
        if trainer.processes.first and (done or now - saved > SAVE_EVERY_S):
            trainer.save(checkpoint, items.lesson)
            saved = now
        if done:
            break
    if log is not None:
        log.close()
    trainer.processes.wait()
    return order


@contextmanager
def _opened(place: Place) -> Iterator[tuple[Processes, Dataset]]:
    if place.precision not in _PRECISIONS:
        raise SettingsInvalid(f"The precision is '{place.precision}': take one of {', '.join(_PRECISIONS)}.")
    dataset = open_dataset(place.root, "train", place.gallery, place.day)
    with joined(place.device) as processes:
        torch.backends.cudnn.benchmark = processes.device.type == "cuda"  # all batches are of one size
        yield processes, dataset


def _start(path: Path, config: ScreeningNetConfig) -> ScreeningNet:
    """The network that fine-tuning begins with."""
    if not path.is_file():
        raise WeightsUnreadable(
            f"There is no {path}, and fine-tuning begins with the weights that true sequences gave: run the same "
            "command without --finetune-on first, or give --start."
        )
    net = load_weights(path)
    if not isinstance(net, ScreeningNet) or net.config != config:
        raise WeightsUnreadable(f"{path} holds no screening network of the {config.name} configuration: give --start.")
    return net


def _train(
    net: GAMaNet | ScreeningNet, items: Items, place: Place, processes: Processes, path: Path, report: Report,
    facts: Facts | None = None,
) -> Facts | None:  # fmt: skip
    trainer = PublishedTrainer(net, items.recipe, processes, _PRECISIONS[place.precision])
    workers = place.workers
    if workers is None:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        workers = max(1, cores // int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
    order = learn(trainer, items, path.with_suffix(".checkpoint"), report, workers, place.last_step)
    if not processes.first:
        return None
    facts = {**(facts or {}), **_card(trainer, items, order, place)}
    save_weights(trainer.net.eval(), path, facts)
    write_card(path)
    return {"file": str(path), **facts}


_PRECISIONS = {"auto": None, "float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def _card(trainer: PublishedTrainer, items: Items, order: Order, place: Place) -> Facts:
    """What the model card says of the training."""
    return {
        "dataset": place.root.resolve().name, "gallery": place.gallery, "day": place.day,
        "videos": len(items), "videos_skipped": skipped_by_reason(items.skipped), "clips": items.clips,
        "unreadable": trainer.unreadable, "recipe": asdict(trainer.recipe), "steps": trainer.step,
        "epochs": round(trainer.step / order.steps_an_epoch, 2), "pairs": trainer.pairs,
        "hours": round(trainer.seconds / 3600, 3), "processes": trainer.processes.count,
        "precision": str(trainer.precision).removeprefix("torch."), "machine": machine(trainer.device),
        "torch": torch.__version__,
    }  # fmt: skip


def _require_together(trainer: PublishedTrainer) -> None:
    steps = trainer.processes.gathered(torch.tensor([float(trainer.step)], device=trainer.device))
    if bool((steps != steps[0]).any()):
        raise SettingsInvalid(
            f"The processes would go on from different steps ({steps.tolist()}): --out must be a folder that all see."
        )
