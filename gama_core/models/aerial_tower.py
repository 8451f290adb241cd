"""Tiles (B, 3, H, W) to a map of features (B, D, h, w): the residual tower for pictures from above.

The published tower is a ResNet-18 whose first convolution has stride 1 and no max-pool, with shortcuts named so.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import relu

from gama_core.models.config import ResNetConfig


class Block(nn.Module):
    """Two 3x3 convolutions and a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        out = relu(self.bn1(self.conv1(x)))
        return relu(self.bn2(self.conv2(out)) + self.shortcut(x))


class AerialTower(nn.Module):
    """ResNet for pictures from above."""

    def __init__(self, config: ResNetConfig, channels: int = 3) -> None:
        super().__init__()
        width = config.stem_width
        self.conv1 = nn.Conv2d(channels, width, config.stem_kernel, config.stem_stride, config.stem_padding, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.depth = len(config.widths)
        for layer, (outputs, stride) in enumerate(zip(config.widths, config.strides, strict=True), start=1):
            blocks = [
                Block(width if index == 0 else outputs, outputs, stride if index == 0 else 1)
                for index in range(config.blocks)
            ]
            setattr(self, f"layer{layer}", nn.Sequential(*blocks))
            width = outputs
        self.dims = width

    def forward(self, x: Tensor) -> Tensor:
        x = relu(self.bn1(self.conv1(x)))
        for layer in range(1, self.depth + 1):
            x = getattr(self, f"layer{layer}")(x)
        return x
