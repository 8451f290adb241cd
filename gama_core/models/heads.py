"""What both networks end in and begin with: heads, unit vectors, pictures of the right size."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import interpolate, normalize


def head(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Two linear layers, as published."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))


def unit(features: Tensor, layers: nn.Module) -> Tensor:
    """What a head makes of features (..., F), as float32 unit vectors (..., D)."""
    return normalize(layers(features).float(), dim=-1)


def resized(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Images (B, C, H, W) at another (height, width), averaged where they shrink."""
    if tuple(images.shape[-2:]) == size:
        return images
    height, width = images.shape[-2:]
    if height % size[0] == 0 and width % size[1] == 0:
        return interpolate(images, size, mode="area")
    return interpolate(images, size, mode="bilinear", antialias=True)
