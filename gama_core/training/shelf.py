"""Places held in a GPU's memory: what a batch shows of them is cut there, all tiles of a place at once."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d, grid_sample

from gama_core.models.config import GAMaNetConfig
from gama_core.training.pairs import (
    PATCH_AHEAD_M,
    PATCH_CUT_PX,
    PATCH_M,
    PATCH_PX,
    Batch,
    BatchShape,
    Draw,
    Pictures,
    batch_of,
    draw_places,
)
from gama_core.training.places import TrainingPlace


@dataclass(frozen=True)
class _Held:
    """The pictures of one place, on the device."""

    clips: Tensor
    frames: Tensor
    aerial: Tensor

    @classmethod
    def of(cls, place: TrainingPlace, device: torch.device) -> _Held:
        return cls(*(torch.from_numpy(np.array(pixels)).to(device) for pixels in _pixels(place)))


class Shelf:
    """Places on a device, carried there when they are first drawn.

    Args:
        device: where batches are wanted.
        most_bytes: what is held at most; a place that finds no room is carried over each time that it is drawn.
    """

    def __init__(self, device: torch.device, most_bytes: int) -> None:
        self.device, self.room_bytes = device, most_bytes
        self._held: dict[int, _Held] = {}

    def stream(
        self, places: list[TrainingPlace], config: GAMaNetConfig, shape: BatchShape, seed: int
    ) -> Iterator[Batch]:
        """Batches without end, on the device; `places` may grow meanwhile."""
        rng = np.random.default_rng(seed)
        while True:
            draws = draw_places(places, shape, rng)
            yield batch_of(draws, [self.pictures(draw, config) for draw in draws])

    def pictures(self, draw: Draw, config: GAMaNetConfig) -> Pictures:
        """The pictures of a draw: those of `cut_pictures`, but for rounding, on the device."""
        place, held = draw.place, self._place(draw.place)
        side_m = config.tile_side_m or place.region_m / 7
        tiles = cut_views(place, held.aerial, draw.tile_at, side_m, config.tile_ahead_m, config.tile_size)
        ground = cut_views(place, held.aerial, draw.at, PATCH_M, PATCH_AHEAD_M, PATCH_CUT_PX)
        patches = avg_pool2d(ground.float().permute(0, 3, 1, 2), PATCH_CUT_PX // PATCH_PX).permute(0, 2, 3, 1)
        clips = torch.from_numpy(draw.clips).to(self.device)
        shown = (held.clips[clips], held.frames[clips], tiles, _whole(patches))
        return Pictures(*(pixels.flip(-2) if draw.mirrored else pixels for pixels in shown))

    def _place(self, place: TrainingPlace) -> _Held:
        held = self._held.get(place.seed)
        if held is None:
            held = _Held.of(place, self.device)
            size = sum(pixels.nbytes for pixels in _pixels(place))
            if size <= self.room_bytes:
                self.room_bytes -= size
                self._held[place.seed] = held
        return held


def _pixels(place: TrainingPlace) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """All pictures of a place: its clips, their sharp frames, and itself from above."""
    return place.clips, place.frames, place.aerial


def cut_views(
    place: TrainingPlace, aerial: Tensor, poses: NDArray[np.float64], side_m: float, ahead_m: float, out_px: int
) -> Tensor:
    """`TrainingPlace.cut` of many poses (n, 3) at once, on the device that `aerial` (H, W, 3) is on.

    Returns:
        uint8 (n, out_px, out_px, 3).
    """
    heading = np.radians(poses[:, 2])
    ahead, right = np.stack([np.sin(heading), -np.cos(heading)], 1), np.stack([np.cos(heading), np.sin(heading)], 1)
    middle_px = (poses[:, :2] + ahead_m * ahead + place.margin_m) / place.m_per_px
    side_px = side_m / place.m_per_px
    finer = max(1, math.ceil(side_px / out_px / 1.5))  # as `cut_view`
    samples = out_px * finer
    facts = torch.from_numpy(np.stack([middle_px, right, -ahead], axis=1).astype(np.float32)).to(aerial.device)
    middle, across, down = facts[:, 0], facts[:, 1], facts[:, 2]
    steps = (torch.arange(samples, device=aerial.device) - (samples - 1) / 2) * (side_px / samples)
    at = (
        middle[:, None, None]
        + steps[None, :, None, None] * down[:, None, None]
        + steps[:, None] * across[:, None, None]
    )
    size = torch.tensor([aerial.shape[1], aerial.shape[0]], device=aerial.device)
    grid = (2.0 * at / size - 1.0).reshape(1, -1, samples, 2)  # every view in one sampling of the one picture
    seen = grid_sample(aerial.permute(2, 0, 1)[None].float(), grid, "bilinear", "zeros", align_corners=False)
    seen = seen[0].reshape(3, len(poses), samples, samples).transpose(0, 1)
    return _whole((avg_pool2d(seen, finer) if finer > 1 else seen).permute(0, 2, 3, 1))


def _whole(pixels: Tensor) -> Tensor:
    return pixels.round_().to(torch.uint8)
