"""Clips (B, 3, T, H, W) to a map of features over time (B, D, t, h, w): the residual tower for video.

The published tower is an R3D-18 without its classifier, with dropout after each block in training.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import relu

from gama_core.models.config import VideoConfig

Stride = tuple[int, int, int]


class Block(nn.Module):
    """Two 3x3x3 convolutions and a shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: Stride, dropout: float) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(
            nn.Conv3d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm3d(outputs), nn.ReLU()
        )
        self.conv2 = nn.Sequential(nn.Conv3d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm3d(outputs))
        self.downsample: nn.Module | None = None
        if stride != (1, 1, 1) or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv3d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm3d(outputs))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        out: Tensor = self.dropout(relu(self.conv2(self.conv1(x)) + shortcut))
        return out


class VideoTower(nn.Module):
    """R3D for clips."""

    def __init__(self, config: VideoConfig) -> None:
        super().__init__()
        width, kernel, padding = config.stem_width, config.stem_kernel, config.stem_padding
        self.stem = nn.Sequential(
            nn.Conv3d(
                3,
                width,
                (3, kernel, kernel),
                (1, config.stem_stride, config.stem_stride),
                (1, padding, padding),
                bias=False,
            ),
            nn.BatchNorm3d(width),
            nn.ReLU(),
        )
        self.depth = len(config.widths)
        strides = zip(config.time_strides, config.strides, strict=True)
        for layer, (outputs, (time, space)) in enumerate(zip(config.widths, strides, strict=True), start=1):
            blocks = [Block(width, outputs, (time, space, space), config.dropout)]
            blocks += [Block(outputs, outputs, (1, 1, 1), config.dropout) for _ in range(config.blocks - 1)]
            setattr(self, f"layer{layer}", nn.Sequential(*blocks))
            width = outputs
        self.dims = width

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for layer in range(1, self.depth + 1):
            x = getattr(self, f"layer{layer}")(x)
        return x
