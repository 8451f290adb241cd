"""What the lens, the sensor and the recorder do to a frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gama_core.world.paint import Image
from gama_core.world.weather import Conditions


class Lens:
    """One drive's lens and recorder, for frames of one size."""

    def __init__(self, conditions: Conditions, width: int, height: int, rng: np.random.Generator) -> None:
        self.conditions, self.rng = conditions, rng
        self.width, self.height = width, height
        levels = np.arange(256) / 255.0
        curve = 255.0 * levels[:, None] ** conditions.gamma * conditions.gain
        self._curve = np.clip(curve, 0, 255).astype(np.uint8)[None]
        noise = rng.standard_normal((height + 64, width + 64, 3)) * 24.0 + 128.0
        self._noise: Image = np.clip(noise, 0, 255).astype(np.uint8)
        self._shade = _vignette(width, height, conditions.vignette)
        self._drops = _Drops(conditions.drops, width, height, rng) if conditions.drops else None

    def take(self, scene: Image) -> Image:
        """The recorded frame of a scene, RGB uint8 (height, width, 3)."""
        c = self.conditions
        image = scene
        if c.lit_windows > 0.05:
            image = _bloom(image, self.width)
        sigma = c.softness / 1000.0 * self.width
        if sigma > 0.25:
            image = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)
        if self._drops is not None:
            image = self._drops.before(image)
        if c.vignette > 0.02:
            image = np.asarray(cv2.multiply(image, self._shade, dtype=cv2.CV_8U), np.uint8)
        image = np.asarray(cv2.LUT(image, self._curve), np.uint8)
        top, left = self.rng.integers(0, 64, 2)
        noise = self._noise[top : top + self.height, left : left + self.width]
        image = np.asarray(cv2.addWeighted(image, 1.0, noise, c.noise / 24.0, -128.0 * c.noise / 24.0), np.uint8)
        if c.jpeg:
            stored = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, c.jpeg])[1]
            image = np.asarray(cv2.imdecode(stored, cv2.IMREAD_COLOR), np.uint8)
        return image


def _vignette(width: int, height: int, darkening: float) -> NDArray[np.float32]:
    x, y = np.linspace(-1, 1, width), np.linspace(-0.7, 0.7, height)
    shade = 1.0 - darkening * np.clip(x[None] ** 2 + y[:, None] ** 2, 0, 1.4) ** 1.5
    return np.repeat(shade[:, :, None], 3, 2).astype(np.float32)


def _bloom(image: Image, width: int) -> Image:
    """Bright things shine over their edges."""
    small = cv2.resize(image, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    bright = cv2.GaussianBlur(np.maximum(small, 165) - np.uint8(165), (0, 0), max(0.8, width / 320))
    wide = cv2.resize(bright, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.addWeighted(image, 1.0, wide, 0.9, 0.0), np.uint8)


class _Drops:
    """Rain on the glass: drops show the scene small and upside down; they creep, and wipers clear some of them."""

    def __init__(self, count: int, width: int, height: int, rng: np.random.Generator) -> None:
        self.count, self.width, self.height, self.rng = count, width, height, rng
        self.frames = 0
        self._renew()

    def _renew(self) -> None:
        self.places = self.rng.uniform(0, 1, (self.count, 2)) * (self.width, self.height)
        self.radii = self.width * self.rng.gamma(2.0, 0.0048, self.count)
        self.fall = self.rng.gamma(1.0, 0.0004, self.count) * self.height

    def before(self, image: Image) -> Image:
        """The scene through the wet glass."""
        self.frames += 1
        if self.frames % 36 == 0:
            self._renew()
        self.places[:, 1] = (self.places[:, 1] + self.fall) % self.height
        mask = np.zeros(image.shape[:2], np.uint8)
        for (x, y), radius in zip(self.places, self.radii, strict=True):
            size = (max(1, int(radius)), max(1, int(radius * 1.25)))
            cv2.ellipse(mask, (int(x), int(y)), size, 0.0, 0.0, 360.0, 255.0, -1)
        sigma = max(1.0, self.width / 160)
        soft = cv2.GaussianBlur(mask, (0, 0), max(0.6, self.width / 640))[:, :, None].astype(np.float32) / 255.0 * 0.85
        upside_down = np.asarray(cv2.GaussianBlur(cv2.flip(image, 0), (0, 0), 2 * sigma))
        behind = upside_down * 0.55 + np.asarray(cv2.GaussianBlur(image, (0, 0), sigma)) * 0.5
        return np.asarray(np.clip(image * (1 - soft) + behind * soft, 0, 255), np.uint8)
