"""Batches of a published training, made ahead by worker processes while the network learns."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping

import cv2
import numpy as np
from torch.utils.data import DataLoader, Sampler

from gama_core.errors import GamaError, SettingsInvalid
from gama_core.training.dataset_items import Item, ItemKey, Items, collated
from gama_core.training.processes import Processes


class Order(Sampler[list[ItemKey]]):
    """Which items a process sees at each step, to the end of the recipe: every epoch in an order of its own.

    Process r of n sees the r-th n-th of each batch: together they see what one process alone would.

    Raises:
        SettingsInvalid: fewer usable videos than a batch holds, or a batch that the processes cannot share.
    """

    def __init__(self, items: Items, processes: Processes, first_step: int = 0) -> None:
        self.recipe, self.videos, self.first_step = items.recipe, len(items), first_step
        self.share, self.rank = processes.share(self.recipe.batch), processes.rank
        self.steps_an_epoch = self.videos // self.recipe.batch
        if not self.steps_an_epoch:
            raise SettingsInvalid(
                f"A batch of {self.recipe.batch} needs as many videos, and {self.videos} are usable; skipped: "
                f"{skipped_by_reason(items.skipped)}. Take a smaller --batch, or mend the data set."
            )

    @property
    def steps(self) -> int:
        """Steps of the whole recipe."""
        return self.recipe.epochs * self.steps_an_epoch

    def epoch(self, step: int) -> int:
        return step // self.steps_an_epoch

    def __iter__(self) -> Iterator[list[ItemKey]]:
        for epoch in range(self.epoch(self.first_step), self.recipe.epochs):
            order = np.random.default_rng((0, self.recipe.seed, epoch)).permutation(self.videos)
            begin = max(0, self.first_step - epoch * self.steps_an_epoch)
            for index in range(begin, self.steps_an_epoch):
                start = index * self.recipe.batch + self.rank * self.share
                yield [ItemKey(epoch, int(position)) for position in order[start : start + self.share]]


class Batches:
    """The batches of a run from a step on; knows how long the training waited for them.

    Args:
        workers: processes that read and augment; 0 does it in this one.
        pinned: whether to lay batches where a GPU can fetch them.
    """

    def __init__(self, items: Items, order: Order, workers: int, pinned: bool) -> None:
        self.loader = DataLoader(
            items, batch_sampler=order, num_workers=workers, collate_fn=collated, pin_memory=pinned,
            prefetch_factor=2 if workers else None, persistent_workers=workers > 0, worker_init_fn=_one_thread,
            multiprocessing_context="spawn" if workers else None,  # a forked decoder may wait for ever
        )  # fmt: skip
        self.waited_s = 0.0

    def __iter__(self) -> Iterator[Item]:
        """The batches.

        Raises:
            DatasetUnreadable: nothing in the data set reads any more.
        """
        asked = time.monotonic()
        for batch in self.loader:
            self.waited_s += time.monotonic() - asked
            if isinstance(batch, GamaError):
                raise batch
            yield batch
            asked = time.monotonic()


def _one_thread(_worker: int) -> None:
    cv2.setNumThreads(1)  # the workers are as many as the cores


def skipped_by_reason(skipped: Mapping[str, str]) -> dict[str, int]:
    """How many videos were skipped, by why."""
    return dict(Counter(skipped.values()))
