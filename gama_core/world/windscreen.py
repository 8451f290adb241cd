"""What a windscreen puts before the scene: drops of rain, the glare of a low sun, the dashboard's reflection."""

from __future__ import annotations

import cv2
import numpy as np

from gama_core.world.paint import Image
from gama_core.world.weather import Conditions

_SUNLIGHT = np.array([255.0, 248.0, 226.0])
_COARSE = 4  # glare is soft: it is computed on every fourth pixel
_RAYS = 90


class Glare:
    """A sun that dazzles: a bloom around it, rays, a veil of dust over all, and an exposure that drowns the rest."""

    def __init__(self, width: int, height: int, rng: np.random.Generator) -> None:
        self.width, self.height = width, height
        self.rows, self.columns = np.mgrid[0:height:_COARSE, 0:width:_COARSE].astype(np.float32)
        rays = rng.random(_RAYS) ** 4
        self.rays = np.convolve(np.r_[rays, rays, rays], (0.2, 0.6, 0.2), "same")[_RAYS : 2 * _RAYS]
        self.strongest_ray = rng.uniform(0.2, 0.9)
        size = (self.columns.shape[1], self.columns.shape[0])
        dust = rng.random((12, 9)).astype(np.float32)
        self.dust = cv2.resize(dust, size, interpolation=cv2.INTER_CUBIC) * rng.uniform(0.3, 1.2) + 0.6
        self.veil = rng.uniform(0.1, 0.32)
        self.exposure = rng.uniform(0.35, 0.8)

    def before(self, image: Image, column: float, row: float, strength: float) -> Image:
        """The scene against the sun at a column and row, which may lie outside the frame."""
        right, down = (self.columns - column) / self.width, (self.rows - row) / self.width
        away = np.hypot(right, down)
        turn = ((np.arctan2(down, right) / (2 * np.pi) + 0.5) * _RAYS).astype(int) % _RAYS
        glow = 1.6 * np.exp(-((away / 0.06) ** 2)) + 0.55 * np.exp(-away / 0.15)
        glow += self.strongest_ray * self.rays[turn] * np.exp(-away / 0.4)
        glow = strength * (glow + self.veil * self.dust * np.exp(-away / 1.2))
        light = cv2.resize((glow[:, :, None] * _SUNLIGHT).astype(np.float32), (self.width, self.height))
        dim = 1.0 - strength * (1.0 - self.exposure)
        return np.asarray(np.clip(image * np.float32(dim) + light, 0, 255), np.uint8)


class Dashboard:
    """The dashboard: dark at the foot of the frame with a glint along its edge, and mirrored in the glass above."""

    def __init__(self, conditions: Conditions, width: int, height: int, rng: np.random.Generator) -> None:
        edge = rng.uniform(0.82, 0.96)
        row = np.linspace(0, 1, height, dtype=np.float32)[:, None]
        bulge = 0.03 * np.linspace(-1, 1, width, dtype=np.float32)[None] ** 2 * rng.uniform(-1, 1)
        below = (row > edge + bulge).astype(np.float32)
        patches = cv2.resize(rng.random((5, 7)).astype(np.float32) ** 2, (width, height), interpolation=cv2.INTER_CUBIC)
        mirrored = np.clip((row - 0.45) / 0.5, 0, 1) * patches * rng.uniform(30, 110) * (1 - below)
        along = np.interp(np.linspace(0, 23, width), np.arange(24), rng.random(24)) ** 2
        glint = np.exp(-(((row - edge - bulge) * height / 1.2) ** 2)) * along[None] * rng.uniform(60, 255)
        light = conditions.ambient * conditions.reflection
        self.light = np.clip((mirrored + glint)[:, :, None] * light, 0, 255).astype(np.uint8)
        self.shade = np.repeat((1 - below * rng.uniform(0.6, 0.95))[:, :, None], 3, 2)

    def before(self, image: Image) -> Image:
        """The scene above the dashboard and through its reflection."""
        return np.asarray(cv2.add(cv2.multiply(image, self.shade, dtype=cv2.CV_8U), self.light), np.uint8)


class Drops:
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
