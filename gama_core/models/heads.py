"""What both networks begin with and end in: pictures of the right range and size, heads, unit vectors."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import interpolate, normalize


def head(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Two linear layers, as published."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))


def unit(features: Tensor, layers: nn.Module) -> Tensor:
    """What a head makes of features (..., F), as float32 unit vectors (..., D)."""
    return normalize(layers(features).float(), dim=-1)


def scaled(pixels: Tensor) -> Tensor:
    """Pixels, uint8 of any shape, as both networks take them: float32 in [-1, 1]."""
    return pixels.float().div_(127.5).sub_(1.0)


def resized(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Images (B, C, H, W) at another (height, width), averaged where they shrink."""
    if tuple(images.shape[-2:]) == size:
        return images
    height, width = images.shape[-2:]
    if height % size[0] == 0 and width % size[1] == 0:
        return interpolate(images, size, mode="area")
    return interpolate(images, size, mode="bilinear", antialias=True)
