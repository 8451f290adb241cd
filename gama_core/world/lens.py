"""What the lens, the sensor and the recorder do to a frame."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gama_core.world.paint import Image
from gama_core.world.weather import Conditions
from gama_core.world.windscreen import Dashboard, Drops, Glare


class Lens:
    """One drive's windscreen, lens and recorder, for frames of one size."""

    def __init__(self, conditions: Conditions, width: int, height: int, rng: np.random.Generator) -> None:
        self.conditions, self.rng = conditions, rng
        self.width, self.height = width, height
        levels = np.arange(256)[:, None] / 255.0
        curve = levels**conditions.gamma * conditions.gain
        curve = 255.0 * (curve - conditions.blacks) / (1.0 - conditions.blacks)
        self._curve = np.clip(curve, 0, 255).astype(np.uint8)[None]
        noise = rng.standard_normal((height + 64, width + 64, 3)) * 24.0 + 128.0
        self._noise: Image = np.clip(noise, 0, 255).astype(np.uint8)
        self._shade = _vignette(width, height, conditions.vignette)
        self._drops = Drops(conditions.drops, width, height, rng) if conditions.drops else None
        self._glare = Glare(width, height, rng.spawn(1)[0]) if conditions.glare > 0 else None
        self._dashboard = Dashboard(conditions, width, height, rng.spawn(1)[0]) if conditions.reflection > 0 else None

    def take(self, scene: Image, sun: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> Image:
        """The recorded frame of a scene, RGB uint8 (height, width, 3).

        Args:
            sun: its column and row in the frame, and how much it dazzles, 0 to 1.
        """
        c = self.conditions
        image = scene
        if c.lit_windows > 0.05:
            image = _bloom(image, self.width)
        if self._dashboard is not None:
            image = self._dashboard.before(image)
        if self._glare is not None and sun[2] > 0.0:
            image = self._glare.before(image, *sun)
        sigma = c.softness / 1000.0 * self.width
        if sigma > 0.25:
            image = np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)
        if self._drops is not None:
            image = self._drops.before(image)
        if c.vignette > 0.02:
            image = np.asarray(cv2.multiply(image, self._shade, dtype=cv2.CV_8U), np.uint8)
        bleak = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        image = np.asarray(cv2.addWeighted(image, c.saturation, bleak, 1.0 - c.saturation, 0.0), np.uint8)
        image = np.asarray(cv2.LUT(image, self._curve), np.uint8)
        top, left = self.rng.integers(0, 64, 2)
        noise = self._noise[top : top + self.height, left : left + self.width]
        image = np.asarray(cv2.addWeighted(image, 1.0, noise, c.noise / 24.0, -128.0 * c.noise / 24.0), np.uint8)
        return self._recorded(image)

    def _recorded(self, image: Image) -> Image:
        """The frame as it comes back from the recorder: coarser, compressed, dithered."""
        c = self.conditions
        if c.resolution < 1.0:
            size = (round(self.width * c.resolution), round(self.height * c.resolution))
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        if c.jpeg:
            stored = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, c.jpeg])[1]
            image = np.asarray(cv2.imdecode(stored, cv2.IMREAD_COLOR), np.uint8)
        if c.resolution < 1.0:
            image = np.asarray(cv2.resize(image, (self.width, self.height)), np.uint8)
        return _dithered(image, c.tones) if c.tones else image


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


def _dithered(image: Image, tones: int) -> Image:
    """So many levels a channel, with the ordered pattern that hides it."""
    height, width = image.shape[:2]
    pattern = np.tile(_BAYER, (height // 4 + 1, width // 4 + 1))[:height, :width, None]
    step = 255.0 / (tones - 1)
    return np.asarray(np.clip(np.floor(image / step + pattern) * step, 0, 255), np.uint8)


_BAYER = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) / 16.0
