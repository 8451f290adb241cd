"""Training as published: a network, Adam, mixed precision, several processes; all of it in one checkpoint.

Dropout draws its random numbers from a seed that the recipe, the step and the process give, so that a run that was
killed and goes on is the run that was not killed; nothing of a generator's state has to be kept.
"""

from __future__ import annotations

import json
import pickle
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from gama_core.errors import SettingsInvalid, WeightsUnreadable
from gama_core.files import whole_file
from gama_core.models.gama_net import GAMaNet, channels_last
from gama_core.models.heads import scaled
from gama_core.models.screening_net import ScreeningNet
from gama_core.training.dataset_items import Item, Lesson
from gama_core.training.losses import nt_xent
from gama_core.training.processes import Processes
from gama_core.training.published_recipe import PublishedRecipe


class TwoViews(nn.Module):
    """Both sides of a network in one forward pass, from pixels as the items give them."""

    def __init__(self, net: GAMaNet | ScreeningNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """Unit vectors (P, D) of both views of P pairs; see `Item` for what goes in."""
        first, second = scaled(first), scaled(second).movedim(-1, 1)
        if isinstance(self.net, GAMaNet):
            return self.net.embed_clips(first.movedim(-1, 1)), self.net.embed_tiles(second)
        return self.net.embed_sequences(first.movedim(-1, 2)), self.net.embed_regions(second)


class PublishedTrainer:
    """One of the two networks in training, on this process's device.

    Args:
        net: as it starts; it is trained in place.
        recipe: how.
        processes: who else trains it.
        precision: of the forward pass; by default bfloat16 on a GPU that has it, float16 with a scaled loss on
            another, float32 on a CPU.

    Raises:
        SettingsInvalid: half precision on a CPU.
    """

    def __init__(
        self,
        net: GAMaNet | ScreeningNet,
        recipe: PublishedRecipe,
        processes: Processes | None = None,
        precision: torch.dtype | None = None,
    ) -> None:
        self.recipe, self.processes = recipe, processes or Processes()
        self.device = self.processes.device
        self.precision = precision or _precision(self.device)
        if self.device.type == "cpu" and self.precision is not torch.float32:
            raise SettingsInvalid("On a CPU only float32 gives right gradients for video: take --precision float32.")
        self.net = net.to(self.device).train()
        channels_last(self.net)
        unused = isinstance(net, GAMaNet) and net.birds_eye is not None  # its guess of the camera learns elsewhere
        self.views = self.processes.spread(TwoViews(self.net), unused)
        self.optimizer = torch.optim.Adam(
            self.net.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.precision is torch.float16)
        self.step, self.pairs, self.unreadable = 0, 0, 0
        self.seconds = 0.0  # of the whole run, waiting for data included

    def learn(self, batch: Item, epoch: int = 0) -> dict[str, float]:
        """One step.

        Returns:
            `loss`, and `batch_top1`: the share of first views whose own second view is the most similar of the batch.

        Raises:
            SettingsInvalid: the loss is no number any more.
        """
        self._seed()
        rate = self.recipe.learning_rate_at(epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        first, second = (view.to(self.device, non_blocking=True) for view in (batch.first, batch.second))
        with torch.autocast(self.device.type, self.precision, enabled=self.precision is not torch.float32):
            views = self.views(first, second)
        first, second = (self.processes.gathered(view) for view in views)
        loss = nt_xent(first, second, 1 / self.recipe.temperature)
        if not bool(loss.isfinite()):
            raise SettingsInvalid(
                f"The loss of step {self.step} is {float(loss.detach())}. The last checkpoint stands; look at the "
                "data set (`dataset check`), or train with --precision float32."
            )
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss * self.processes.count).backward()  # gradients are averaged over the processes
        self.scaler.step(self.optimizer)
        self.scaler.update()
        own = torch.arange(len(first), device=self.device)
        right = (first @ second.T).argmax(1) == own
        facts = {"loss": float(loss.detach()), "batch_top1": float(right.float().mean())}
        self.step, self.pairs = self.step + 1, self.pairs + len(first)
        self.unreadable += batch.unreadable
        return facts

    def save(self, path: Path, lesson: Lesson | None = None) -> None:
        """A checkpoint, whole or not at all; the lesson is what it is trained on."""
        state = {
            "net": self.net.state_dict(), "optimizer": self.optimizer.state_dict(), "scaler": self.scaler.state_dict(),
            "config": json.dumps(self.net.config.as_dict()), "recipe": asdict(self.recipe),
            "lesson": dict(lesson or {}), "step": self.step, "pairs": self.pairs, "seconds": self.seconds,
            "unreadable": self.unreadable,
        }  # fmt: skip
        with whole_file(path) as partial:
            torch.save(state, partial)

    def resume(self, path: Path, lesson: Lesson | None = None) -> None:
        """Goes on where a checkpoint stopped; the number of epochs may be another one now.

        Raises:
            WeightsUnreadable: no checkpoint of such a training, or a damaged one.
            SettingsInvalid: one of another network, recipe or data set.
        """
        try:
            state: dict[str, Any] = torch.load(path, map_location=self.device, weights_only=True)
            recipe = {**state["recipe"], "epochs": self.recipe.epochs}
            same = {
                "network": state["config"] == json.dumps(self.net.config.as_dict()),
                **{name: state.get("lesson", {}).get(name) == told for name, told in (lesson or {}).items()},
                **{name: recipe.get(name) == value for name, value in asdict(self.recipe).items()},
            }
            if not all(same.values()):
                others = ", ".join(name for name, equal in same.items() if not equal)
                raise SettingsInvalid(
                    f"{path} belongs to a training with other {others}: go on as it began, or choose another --out."
                )
            self.net.load_state_dict(state["net"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.scaler.load_state_dict(state["scaler"])
            self.step, self.pairs = int(state["step"]), int(state["pairs"])
            self.seconds, self.unreadable = float(state["seconds"]), int(state["unreadable"])
        except (OSError, EOFError, RuntimeError, KeyError, TypeError, ValueError, pickle.UnpicklingError) as error:
            raise WeightsUnreadable(
                f"{path} is no checkpoint of this training, or a damaged one ({error}): move it away to begin anew."
            ) from error

    def _seed(self) -> None:
        words = np.random.SeedSequence((2, self.recipe.seed, self.step, self.processes.rank)).generate_state(2)
        torch.manual_seed(int(words[0]) << 31 ^ int(words[1]))


def _precision(device: torch.device) -> torch.dtype:
    if device.type != "cuda":
        return torch.float32  # on CPUs torch 2.13 gets the bfloat16 gradient of 3x3x3 over 2 frames wrong
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16
