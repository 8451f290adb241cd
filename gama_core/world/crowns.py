"""Crowns of trees, from above and from the side: pictures that are made once and stamped."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from gama_core.world.fields import Points
from gama_core.world.paint import Image

SPRITE_PX = 128
_ABOVE_PX = 96
_COUNT = 16

Crown = tuple[Image, Image]  # where it is, 0 to 255, and how bright, 128 for 1


def from_above(sunwards: Points, palms: bool) -> list[Crown]:
    """16 crowns as the aeroplane sees them, the sun standing towards `sunwards` (unit vector)."""
    return [_lit(height, sunwards) for height in _heights(palms)]


def _lit(height: NDArray[np.float32], sunwards: Points) -> Crown:
    down, right = np.gradient(height)
    slope = -(right * sunwards[0] + down * sunwards[1])
    hollow = cv2.GaussianBlur(height, (0, 0), 4.0) - height
    brightness = 0.82 + 0.42 * np.tanh(slope * 0.7) - 0.11 * np.clip(hollow, -3, 5)
    return ((height > 0.5) * 255).astype(np.uint8), np.clip(brightness * 128, 25, 255).astype(np.uint8)


@lru_cache(maxsize=2)
def _heights(palms: bool) -> list[NDArray[np.float32]]:
    """How high crowns bulge, in pixels."""
    rng = np.random.default_rng(11)
    return [(_palm_height if palms else _leafy_height)(rng) for _ in range(_COUNT)]


def _leafy_height(rng: np.random.Generator) -> NDArray[np.float32]:
    row, column = np.mgrid[:_ABOVE_PX, :_ABOVE_PX].astype(np.float32) - (_ABOVE_PX - 1) / 2
    height = np.zeros_like(row)
    half = _ABOVE_PX / 2
    for _ in range(70):
        turn, reach, radius = rng.uniform(0, 2 * np.pi), 0.8 * half * np.sqrt(rng.random()), rng.uniform(4.5, 11)
        away2 = (column - reach * np.cos(turn)) ** 2 + (row - reach * np.sin(turn)) ** 2
        base = 14 * np.sqrt(max(0.0, 1 - (reach / half) ** 2)) + 1
        np.maximum(height, np.where(away2 < radius**2, base + np.sqrt(np.maximum(radius**2 - away2, 0)), 0), out=height)
    return np.asarray(height + np.where(height > 0, rng.standard_normal(height.shape) * 0.7, 0), np.float32)


def _palm_height(rng: np.random.Generator) -> NDArray[np.float32]:
    height = np.zeros((_ABOVE_PX, _ABOVE_PX), np.float32)
    middle = _ABOVE_PX // 2
    for turn in np.linspace(0, 2 * np.pi, 11, endpoint=False) + rng.uniform(-0.15, 0.15, 11):
        for step in np.linspace(0, 1, 12):
            reach = step * (middle - 5)
            spot = (round(middle + reach * np.cos(turn)), round(middle + reach * np.sin(turn)))
            cv2.circle(height, spot, round(5 - 3 * step), float(12 - 8 * step), -1)
    return height


@lru_cache(maxsize=2)
def from_beside(palms: bool) -> list[Crown]:
    """16 crowns as a camera on the road sees them; every fourth a conifer, or all of them palms."""
    rng = np.random.default_rng(3)
    return [_palm(rng) if palms else _leafy(rng, number % 4 == 3) for number in range(_COUNT)]


def _leafy(rng: np.random.Generator, conifer: bool) -> Crown:
    mask, brightness = np.zeros((SPRITE_PX, SPRITE_PX), np.uint8), np.zeros((SPRITE_PX, SPRITE_PX), np.float32)
    for _ in range(520):
        if conifer:
            y, widest = rng.uniform(4, 124), 6.0
            spot = (int(64 + rng.normal() * y * 0.16), int(y))
        else:
            turn, reach = rng.uniform(0, 2 * np.pi), 57 * np.sqrt(rng.random())
            widest = 9.0 if reach < 40 else 5.0
            spot = (int(64 + reach * np.cos(turn)), int(64 + reach * np.sin(turn)))
        radius = int(rng.uniform(2, widest))
        cv2.circle(mask, spot, radius, 255, -1)
        cv2.circle(brightness, spot, radius, float(rng.uniform(0.5, 1.2) * (1.25 - 0.7 * spot[1] / SPRITE_PX)), -1)
    for _ in range(26):  # the sky between the leaves
        turn, reach = rng.uniform(0, 2 * np.pi), rng.uniform(28, 62)
        spot = (int(64 + reach * np.cos(turn)), int(64 + reach * np.sin(turn)))
        cv2.circle(mask, spot, int(rng.uniform(1, 4)), 0, -1)
    brightness += rng.standard_normal(brightness.shape).astype(np.float32) * 0.16
    return mask, np.clip(cv2.GaussianBlur(brightness, (3, 3), 0) * 128, 0, 255).astype(np.uint8)


def _palm(rng: np.random.Generator) -> Crown:
    """Fronds that hang from the top of a stem."""
    mask, brightness = np.zeros((SPRITE_PX, SPRITE_PX), np.uint8), np.full((SPRITE_PX, SPRITE_PX), 40, np.uint8)
    for turn in rng.uniform(-0.3, np.pi + 0.3, 15):
        run = np.linspace(0, 1, 9)
        x = 64 + 60 * run * np.cos(turn)
        y = 46 - 40 * run * np.sin(turn) + 52 * run**2
        line = np.array([[round(px), round(py)] for px, py in zip(x, y, strict=True)], np.int32)
        cv2.polylines(mask, [line], False, 255, 7)
        cv2.polylines(brightness, [line], False, float(rng.uniform(70, 150)), 7)
    return mask, brightness
