"""Training of GAMa-Net on generated places: resumable, on whatever is at hand.

Beside the contrastive loss the network learns a fine space, in which a few metres and degrees matter; and its video
side what costs no label: the coarse picture of the ground ahead, its own camera, and how the camera moves. What ships
is the running mean of the weights (EMA).
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import smooth_l1_loss

from gama_core.errors import SettingsInvalid, WeightsUnreadable
from gama_core.files import whole_file
from gama_core.models.birds_eye import CAMERA_MEAN, CAMERA_SPREAD
from gama_core.models.config import COMPACT, GAMaNetConfig
from gama_core.models.gama_net import GAMaNet, channels_last
from gama_core.models.weights import open_weights
from gama_core.training.losses import gaussian, neighbourhood, nt_xent
from gama_core.training.pairs import PATCH_PX, Batch, BatchShape, colours, stream
from gama_core.training.places import TrainingPlace, find_places, read_place
from gama_core.training.processes import machine
from gama_core.training.shelf import Shelf

Report = Callable[[dict[str, float]], None]


@dataclass(frozen=True)
class Recipe:
    """How long and how hard; each number stands in the model card."""

    minutes: float = 90.0
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    warm_up_steps: int = 100
    start_scale: float = 10.0  # 1 / temperature, learned from there (the paper: fixed at 10)
    top_scale: float = 40.0
    patch_weight: float = 2.0  # falls to a fifth over the run
    camera_weight: float = 0.3
    fine_weight: float = 0.5
    fine_scale: float = 16.0  # 1 / temperature of the fine space
    motion_weight: float = 0.1
    true_camera_share: float = 0.5  # of the clips, whose road is warped by the true camera in training
    ema: float = 0.998
    seed: int = 0


class Trainer:
    """GAMa-Net, its helpers in training, the optimizer and the running mean: all that a checkpoint holds."""

    def __init__(self, config: GAMaNetConfig = COMPACT, recipe: Recipe | None = None, device: str = "cpu") -> None:
        self.recipe = recipe or Recipe()
        torch.manual_seed(self.recipe.seed)
        self.device = torch.device(device)
        if self.device.type == "cuda":
            torch.backends.cudnn.benchmark = True  # every batch is of the same shape
        self.net = GAMaNet(config).to(self.device)
        channels_last(self.net)
        self.imagine = nn.Linear(config.hidden, PATCH_PX * PATCH_PX * 3).to(self.device)
        self.scale = nn.Parameter(torch.tensor(math.log(self.recipe.start_scale), device=self.device))
        self.mean = copy.deepcopy(self.net).eval()
        learned = [*self.net.parameters(), *self.imagine.parameters()]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": [value for value in learned if value.ndim > 1], "weight_decay": self.recipe.weight_decay},
                {"params": [value for value in learned if value.ndim <= 1] + [self.scale], "weight_decay": 0.0},
            ],
            lr=self.recipe.learning_rate,
            betas=(0.9, 0.98),
        )
        self.learned = learned
        self.step, self.seconds, self.pairs, self.skipped = 0, 0.0, 0, 0
        self.origin = ""  # what the run began with, in words; nothing where it began with noise
        self.colours = torch.Generator().manual_seed(self.recipe.seed)
        centre, spread = torch.tensor(CAMERA_MEAN), torch.tensor(CAMERA_SPREAD)
        self.camera_mean, self.camera_spread = centre.to(self.device), spread.to(self.device)

    @property
    def progress(self) -> float:
        """Share of the run's minutes that are spent, in [0, 1]."""
        return min(1.0, self.seconds / (60 * self.recipe.minutes))

    def learn(self, batch: Batch) -> dict[str, float]:
        """One step; what it did, by name."""
        started, recipe = time.monotonic(), self.recipe
        self._set_learning_rate()
        clips, frames, tiles = self._pictures(batch)
        cameras, patches = batch.cameras.to(self.device), batch.patches.to(self.device).float().flatten(1) / 127.5 - 1
        blind = torch.rand(len(cameras), 1, device=self.device) > recipe.true_camera_share
        self.net.train()
        with torch.autocast(self.device.type, torch.bfloat16):
            features, guessed = self.net.clip_features(clips, frames, cameras.masked_fill(blind, math.nan))
            seen, from_above = self.net.read_features(features, guessed), self.net.read_tiles(tiles)
            imagined = self.imagine(self.net.v_head[1](self.net.v_head[0](features)))
        scale = self.scale.exp().clamp(max=recipe.top_scale)
        unsure, none = batch.unsure.to(self.device), torch.zeros((), device=self.device)
        match = nt_xent(seen.vectors, from_above.vectors, scale, unsure)
        patch = smooth_l1_loss(imagined.float(), patches)
        camera = fine = motion = none
        if guessed is not None:
            off = (guessed - cameras) / self.camera_spread
            camera = smooth_l1_loss(off, torch.zeros_like(off))
        if seen.fine is not None and from_above.fine is not None:
            fine = neighbourhood(seen.fine, from_above.fine, recipe.fine_scale, batch.nearness.to(self.device))
        if seen.motion is not None:
            motion = gaussian(seen.motion, batch.motions.to(self.device))
        loss = match + recipe.patch_weight * (1 - 0.8 * self.progress) * patch + recipe.camera_weight * camera
        loss = loss + recipe.fine_weight * fine + recipe.motion_weight * motion
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        length = nn.utils.clip_grad_norm_(self.learned, 1.0)
        if bool(length.isfinite()):
            self.optimizer.step()
            self._update_mean()
        else:
            self.skipped += 1
        self.step += 1
        self.pairs += len(clips)
        self.seconds += time.monotonic() - started
        right = (seen.vectors @ from_above.vectors.T).masked_fill(unsure, -2).argmax(1)
        hit = (right == torch.arange(len(clips), device=self.device)).float().mean()
        return {
            "match": float(match.detach()), "patch": float(patch.detach()), "camera": float(camera.detach()),
            "fine": float(fine.detach()), "motion": float(motion.detach()),
            "scale": float(scale.detach()), "batch_top1": float(hit), "skipped": self.skipped,
        }  # fmt: skip

    def start(self, weights: Path) -> None:
        """Begins with the weights of an earlier run: all that its network and this one share.

        Raises:
            WeightsUnreadable: no GAMa-Net in that file, or one that shares nothing.
        """
        found, record = open_weights(weights)
        ours, theirs = self.net.state_dict(), found.state_dict()
        shared = {name: value for name, value in theirs.items() if name in ours and ours[name].shape == value.shape}
        if not isinstance(found, GAMaNet) or not shared:
            raise WeightsUnreadable(f"{weights}: nothing in it fits the network to be trained; choose another file.")
        for network in (self.net, self.mean):
            network.load_state_dict({**ours, **shared})
        known = f"{record.card.get('pairs', 'unknown')} pairs in {record.card.get('hours', 'unknown')} hours"
        earlier = f", and had begun with {record.card['origin']}" if record.card.get("origin") else ""
        self.origin = f"{record.name} ({record.sha256[:12]}), which had learned from {known}{earlier}"

    def save(self, path: Path) -> None:
        """A checkpoint, to a temporary name first."""
        state = {
            "net": self.net.state_dict(), "mean": self.mean.state_dict(), "imagine": self.imagine.state_dict(),
            "scale": self.scale.data, "optimizer": self.optimizer.state_dict(), "recipe": asdict(self.recipe),
            "step": self.step, "seconds": self.seconds, "pairs": self.pairs, "origin": self.origin,
        }  # fmt: skip
        with whole_file(path) as partial:
            torch.save(state, partial)

    def resume(self, path: Path) -> None:
        """Goes on where a checkpoint of ours stopped."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.net.load_state_dict(state["net"])
        self.mean.load_state_dict(state["mean"])
        self.imagine.load_state_dict(state["imagine"])
        self.scale.data.copy_(state["scale"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds, self.pairs = state["step"], state["seconds"], state["pairs"]
        self.origin = state["origin"]

    def _pictures(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Motion (B, 3, 4, 64, 128), sharp first frames (B, 3, 128, 256) and tiles (B + E, 3, S, S)."""
        strength = 0.8
        state = self.colours.get_state()
        frames = colours(batch.frames.to(self.device), self.colours, strength).permute(0, 3, 1, 2)
        self.colours.set_state(state)  # the same gain and cast for all frames of a clip
        clips = colours(batch.clips.to(self.device), self.colours, strength).permute(0, 4, 1, 2, 3)
        tiles = colours(batch.tiles.to(self.device), self.colours, strength).permute(0, 3, 1, 2)
        return clips, frames, tiles

    def _set_learning_rate(self) -> None:
        recipe = self.recipe
        fall = 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * self.progress))
        for group in self.optimizer.param_groups:
            group["lr"] = recipe.learning_rate * min(1.0, (self.step + 1) / recipe.warm_up_steps) * fall

    def _update_mean(self) -> None:
        keep = min(self.recipe.ema, (1 + self.step) / (10 + self.step))
        pairs = list(zip(self.mean.state_dict().values(), self.net.state_dict().values(), strict=True))
        floats = [pair for pair in pairs if pair[0].is_floating_point()]
        with torch.no_grad():
            torch._foreach_lerp_([mean for mean, _ in floats], [now for _, now in floats], 1 - keep)
            for mean, now in pairs:
                if not mean.is_floating_point():
                    mean.copy_(now)


def train(
    trainer: Trainer,
    data: Path,
    checkpoint: Path,
    shape: BatchShape,
    report: Report,
    validate: Callable[[GAMaNet], dict[str, float]] | None = None,
    validate_every_s: float = 900.0,
    below_seed: int = 2**31,
) -> None:
    """Learns until the recipe's minutes are spent; places that appear in `data` meanwhile are taken in.

    Places of seeds from `below_seed` on are left alone.

    Raises:
        Cancelled: `report` raised it; the last checkpoint stands.
        SettingsInvalid: the checkpoint is of a run that began with other weights, or `data` holds no place.
    """
    if checkpoint.is_file():
        begun_with = trainer.origin
        trainer.resume(checkpoint)
        if begun_with not in ("", trainer.origin):
            raise SettingsInvalid(
                f"{checkpoint} is of a run that began with {trainer.origin or 'noise'}, not with {begun_with}: "
                "remove it, or choose another --out."
            )
    places: list[TrainingPlace] = []
    known: set[Path] = set()
    _take_in(places, known, data, below_seed)
    if not places:
        raise SettingsInvalid(f"{data} holds no place to learn from; `world training-set` makes some.")
    batches = _batches(trainer, places, shape)
    waited_s, since, next_check = 0.0, time.monotonic(), trainer.seconds + validate_every_s
    smooth = 0.0
    while trainer.progress < 1:
        asked = time.monotonic()
        batch = next(batches)
        waited_s += time.monotonic() - asked
        facts = trainer.learn(batch)
        smooth += (facts["batch_top1"] - smooth) * (0.05 if trainer.step > 20 else 0.3)
        if trainer.step % 25 == 0:
            _take_in(places, known, data, below_seed)
            rate = trainer.pairs / max(trainer.seconds, 1e-9)
            report({
                "minutes": trainer.seconds / 60, "step": trainer.step, "places": len(places), **facts,
                "batch_top1": smooth, "pairs_per_s": rate, "waiting": waited_s / (time.monotonic() - since),
            })  # fmt: skip
        if trainer.step % 200 == 0:
            trainer.save(checkpoint)
        if validate is not None and trainer.seconds > next_check:
            report({"minutes": trainer.seconds / 60, **validate(trainer.mean)})
            next_check += validate_every_s
    trainer.save(checkpoint)


def _batches(trainer: Trainer, places: list[TrainingPlace], shape: BatchShape) -> Iterator[Batch]:
    """Cut by a thread of the CPU; or by the GPU that learns, from places held in half of what it has free."""
    config, seed = trainer.net.config, trainer.recipe.seed + trainer.step
    if trainer.device.type != "cuda":
        return stream(places, config, shape, seed)
    free_bytes, _ = torch.cuda.mem_get_info(trainer.device)
    return Shelf(trainer.device, free_bytes // 2).stream(places, config, shape, seed)


def _take_in(places: list[TrainingPlace], known: set[Path], data: Path, below_seed: int) -> None:
    for folder in find_places(data):
        if folder not in known and int(folder.name) < below_seed:
            known.add(folder)
            places.append(read_place(folder))


def card(trainer: Trainer, data: Path, shape: BatchShape, below_seed: int) -> dict[str, object]:
    """What the model card says of the training."""
    used = [folder for folder in find_places(data) if int(folder.name) < below_seed]
    seeds = [int(folder.name) for folder in used]
    clips = sum(len(read_place(folder)) for folder in used)
    return {
        "recipe": asdict(trainer.recipe),
        "batch": asdict(shape),
        "steps": trainer.step,
        "pairs": trainer.pairs,
        "hours": round(trainer.seconds / 3600, 3),
        **({"origin": trainer.origin} if trainer.origin else {}),
        "places": len(seeds),
        "clips": clips,
        "seeds": f"{min(seeds)}-{max(seeds)}",
        "machine": machine(trainer.device),
        "torch": torch.__version__,
    }
