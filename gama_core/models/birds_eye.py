"""The road as seen from above: frames (B, 3, H, W) and a guess of the camera to a map (B, 3, rows, columns).

Inverse perspective mapping: each cell of the map, so many metres ahead and to the side on a flat ground, takes the
colour of the pixel in which the camera sees it. The network guesses its camera (focal length, horizon, height) itself.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample

from gama_core.models.config import BirdsEyeConfig

# Focal length / frame width, horizon row / frame height, camera height in metres: the middle and the spread of
# dash-cams with 60 to 110 degrees of view, pitched by up to 4 degrees, 1.2 to 1.7 m above the road.
CAMERA_MEAN = (0.60, 0.50, 1.45)
CAMERA_SPREAD = (0.15, 0.06, 0.15)


class CameraGuess(nn.Module):
    """Features (B, D) to cameras (B, 3): focal length / width, horizon / height, height above the road in metres."""

    def __init__(self, dims: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(dims, 64), nn.ReLU(), nn.Linear(64, 3))
        self.register_buffer("mean", torch.tensor(CAMERA_MEAN), persistent=False)
        self.register_buffer("spread", torch.tensor(CAMERA_SPREAD), persistent=False)
        self.mean: Tensor
        self.spread: Tensor

    def forward(self, features: Tensor) -> Tensor:
        off: Tensor = self.layers(features).float().clamp(-3.0, 3.0)
        return self.mean + self.spread * off


class BirdsEye(nn.Module):
    """Warps frames to the ground; float32 always, since bfloat16 cannot address pixels."""

    def __init__(self, config: BirdsEyeConfig) -> None:
        super().__init__()
        ahead = torch.linspace(config.far_m, config.near_m, config.rows)
        aside = torch.linspace(-config.half_width_m, config.half_width_m, config.columns)
        self.register_buffer("ahead_m", ahead.view(1, -1, 1), persistent=False)
        self.register_buffer("aside_m", aside.view(1, 1, -1), persistent=False)
        self.ahead_m: Tensor
        self.aside_m: Tensor

    def forward(self, frames: Tensor, cameras: Tensor) -> Tensor:
        """The map, far rows first.

        Args:
            frames: float32 (B, 3, H, W).
            cameras: (B, 3) as `CameraGuess` gives them, for these frames' width and height.
        """
        height, width = frames.shape[-2:]
        focal, horizon, camera_m = (value.view(-1, 1, 1) for value in cameras.float().unbind(1))
        across = 2.0 * focal * self.aside_m / self.ahead_m
        down = 2.0 * horizon - 1.0 + 2.0 * focal * (width / height) * camera_m / self.ahead_m
        grid = torch.stack([across, down.expand_as(across)], dim=-1)
        return grid_sample(frames.float(), grid, align_corners=False)
