"""Noise that is fixed to what it lies on: blotches of the ground, light between leaves, courses of walls."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from gama_core.world.paint import Image, Rectangle

LEAF_LIGHT_M_PER_PX = 0.1
WALL_M_PER_PX = 0.08
_BLOTCH_M_PER_PX = 0.5
_SIDE_PX = 512
_PER_DEVIATION = 32.0  # grey levels of a tile's noise


def weathered(image: Image, where: Rectangle, strength: float) -> Image:
    """The image blotched over half a metre to 30 m: the same places are dark at every resolution.

    Args:
        strength: standard deviation of the change, as a share of the brightness.
    """
    scale = where.m_per_px / _BLOTCH_M_PER_PX
    left, top = ((start + 0.5) * scale - 0.5 for start in (where.column, where.row))
    matrix = np.array([[scale, 0.0, left % _SIDE_PX], [0.0, scale, top % _SIDE_PX]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (where.width_px, where.height_px)
    tile = cv2.LUT(_blotches(), levels(strength))
    factor = cv2.warpAffine(tile, matrix, size, flags=flags, borderMode=cv2.BORDER_WRAP)
    return np.asarray(cv2.multiply(image, cv2.merge([factor] * 3), scale=1 / 128.0), np.uint8)


@lru_cache(maxsize=64)
def levels(strength: float) -> Image:
    """What a tile's grey levels multiply brightness with, 128 for 1: uint8 (256,)."""
    change = (np.arange(256) - 128.0) / _PER_DEVIATION * strength
    return np.asarray(np.clip(128.0 * (1.0 + change), 0, 255).astype(np.uint8))


@lru_cache(maxsize=1)
def leaf_light() -> Image:
    """Where the sun falls through a crown, 255, and where it does not, 0: a tile of 51 m that wraps."""
    rng = np.random.default_rng(21)
    noise = _smooth(rng, 2.2) + 0.8 * _smooth(rng, 7.0)
    return np.asarray((np.clip((noise / noise.std() - 0.35) * 1.6, 0, 1) * 255).astype(np.uint8))


@lru_cache(maxsize=1)
def walls() -> list[list[Image]]:
    """Plaster, bricks and boards, each whole, half and a quarter as fine: tiles of 41 m, 128 for no change."""
    rng = np.random.default_rng(22)
    stains = 0.7 * _smooth(rng, 12.0) + 0.6 * _smooth(rng, 3.0, 40.0) + 0.4 * _smooth(rng, 1.0)
    bricks = np.kron(rng.standard_normal((_SIDE_PX, _SIDE_PX // 4)), np.ones((1, 4)))
    boards = np.where(np.arange(_SIDE_PX) % 4 == 0, -1.6, 0.4)[:, None] + 0.5 * _smooth(rng, 20.0, 0.6)
    tiles = [_grey(stains + extra) for extra in (0.0, bricks, boards)]
    return [[_coarser(tile, times) for times in (1, 2, 4)] for tile in tiles]


def _coarser(tile: Image, times: int) -> Image:
    side = _SIDE_PX // times
    return np.asarray(cv2.resize(tile, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


@lru_cache(maxsize=1)
def _blotches() -> Image:
    rng = np.random.default_rng(20)
    cracks = np.clip(1.0 - np.abs(_smooth(rng, 5.0)) / 0.07, 0.0, 1.0)
    return _grey(0.6 * _smooth(rng, 0.6) + 0.7 * _smooth(rng, 2.5) + 0.9 * _smooth(rng, 9.0) - 0.8 * cracks)


def _grey(noise: NDArray[np.float64]) -> Image:
    return np.asarray(np.clip((noise - noise.mean()) / noise.std() * _PER_DEVIATION + 128, 0, 255).astype(np.uint8))


def _smooth(rng: np.random.Generator, across_px: float, down_px: float | None = None) -> NDArray[np.float64]:
    """Noise of unit deviation that wraps, smoothed over so many pixels."""
    down = np.fft.fftfreq(_SIDE_PX)[:, None] * (down_px or across_px)
    across = np.fft.rfftfreq(_SIDE_PX)[None] * across_px
    white = np.fft.rfft2(rng.standard_normal((_SIDE_PX, _SIDE_PX)))
    smooth = np.fft.irfft2(white * np.exp(-2 * np.pi**2 * (down**2 + across**2)), (_SIDE_PX, _SIDE_PX))
    return np.asarray(smooth / smooth.std())
