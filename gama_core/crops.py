"""Pictures resized and cut as a network's configuration wants them: the published crops, whatever the network."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gama_core.dataset.reader import CLIP_FPS
from gama_core.models.config import GAMaNetConfig, ScreeningNetConfig
from gama_core.settings import Settings
from gama_core.tile import TILE_PX

Pixels = NDArray[np.uint8]


def clip_steps(config: GAMaNetConfig) -> tuple[int, int]:
    """How many frames a clip has, and from one to the next in frames of 30 a second (the paper: 8 and 2)."""
    return config.frames, max(1, round(CLIP_FPS * Settings.clip_duration_s / config.frames))


def clip_pixels(frames: Pixels, config: GAMaNetConfig) -> Pixels:
    """The middle of a clip (T, H, W, 3), resized to `frame_cover` and cut to `clip_size`."""
    width, height = config.frame_cover
    if frames.shape[1:3] != (height, width):
        frames = np.stack([resized(frame, width, height) for frame in frames])
    return middle(frames, *config.clip_size)


def tile_pixels(tile: Pixels, config: GAMaNetConfig) -> Pixels:
    """The middle of a small aerial image, resized to `tile_cover` and cut to `tile_size`."""
    return middle(resized(tile, config.tile_cover, config.tile_cover), config.tile_size, config.tile_size)


def screening_tile_pixels(tile: Pixels, config: ScreeningNetConfig) -> Pixels:
    """A small aerial image of a sequence: cut to the middle at full resolution as published, or whole and smaller."""
    if config.tile_size > TILE_PX // 2:
        return middle(tile, config.tile_size, config.tile_size)
    return resized(tile, config.tile_size, config.tile_size)


def region_pixels(region: Pixels, config: ScreeningNetConfig) -> Pixels:
    """The middle of a large region, resized to `region_cover` and cut to `region_size`."""
    return middle(resized(region, config.region_cover, config.region_cover), config.region_size, config.region_size)


def resized(image: Pixels, width: int, height: int) -> Pixels:
    """A picture (H, W, 3) at another size in pixels, averaged where it shrinks."""
    if image.shape[:2] == (height, width):
        return image
    smaller = width <= image.shape[1] and height <= image.shape[0]
    interpolation = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=interpolation), np.uint8)


def middle(images: Pixels, height: int, width: int) -> Pixels:
    """The middle of pictures (..., H, W, 3)."""
    top, left = (images.shape[-3] - height) // 2, (images.shape[-2] - width) // 2
    return np.ascontiguousarray(images[..., top : top + height, left : left + width, :])
