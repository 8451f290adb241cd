"""One process of several that train together, as `torchrun` starts them: the argument of `test_training_published`."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from tiny_dataset import TINY

from gama_core.dataset import open_dataset
from gama_core.models.gama_net import GAMaNet
from gama_core.training.dataset_items import ClipItems
from gama_core.training.processes import joined
from gama_core.training.published_batches import Batches, Order
from gama_core.training.published_recipe import PublishedRecipe
from gama_core.training.published_trainer import PublishedTrainer


def two_steps(root: Path) -> tuple[list[float], list[torch.Tensor]]:
    """The losses of two steps, and the gradients of the first, with batch normalization and dropout at rest."""
    with joined("cpu") as processes:
        recipe = PublishedRecipe(batch=4, epochs=2, apart_fixes=3)
        items = ClipItems(open_dataset(root, "train"), TINY, recipe)
        torch.manual_seed(processes.rank)  # the processes take over what the first begins with
        trainer = PublishedTrainer(GAMaNet(TINY), recipe, processes)
        trainer.net.eval()
        losses, gradients = [], []
        for batch in Batches(items, Order(items, processes), workers=0, pinned=False):
            losses.append(trainer.learn(batch)["loss"])
            if not gradients:
                gradients = [value.grad.clone() for value in trainer.net.parameters() if value.grad is not None]
        return losses, gradients


if __name__ == "__main__":
    torch.set_num_threads(1)
    found = two_steps(Path(sys.argv[1]))
    torch.save(found, sys.argv[2])
