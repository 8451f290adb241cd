"""The colours of a city."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

from gama_core.world.fields import Field, Points
from gama_core.world.paint import Colour

Hsv = tuple[float, float, float]  # degrees, 0 to 1, 0 to 1

_ROOFS: tuple[tuple[Hsv, ...], ...] = (
    ((15, 0.5, 0.55), (12, 0.45, 0.65), (25, 0.35, 0.5), (20, 0.4, 0.4)),  # clay
    ((0, 0.03, 0.45), (210, 0.08, 0.4), (30, 0.1, 0.35), (0, 0.02, 0.6)),  # slate and shingle
    ((25, 0.3, 0.4), (15, 0.25, 0.3), (35, 0.2, 0.55), (210, 0.15, 0.45)),  # brown
    ((0, 0.02, 0.8), (40, 0.08, 0.7), (0, 0.02, 0.5), (200, 0.1, 0.6)),  # pale membrane
)
_FACADES: tuple[tuple[Hsv, ...], ...] = (
    ((35, 0.25, 0.85), (30, 0.4, 0.75), (20, 0.3, 0.7), (45, 0.12, 0.9)),
    ((15, 0.45, 0.5), (12, 0.35, 0.6), (30, 0.1, 0.75), (0, 0.02, 0.85)),
    ((40, 0.1, 0.9), (200, 0.15, 0.75), (100, 0.1, 0.7), (20, 0.3, 0.6)),
    ((210, 0.1, 0.6), (30, 0.05, 0.7), (200, 0.3, 0.5), (15, 0.4, 0.55)),
)
_CARS: tuple[Hsv, ...] = (
    (0, 0.0, 0.92), (0, 0.0, 0.8), (210, 0.05, 0.65), (0, 0.0, 0.45), (0, 0.0, 0.22), (0, 0.0, 0.12),
    (4, 0.75, 0.6), (215, 0.65, 0.5), (150, 0.4, 0.35), (40, 0.3, 0.7), (25, 0.45, 0.4), (48, 0.75, 0.85),
)  # fmt: skip

WHITE_PAINT = np.array([236.0, 236.0, 232.0])
YELLOW_PAINT = np.array([222.0, 178.0, 60.0])


def hsv(hue_deg: float, saturation: float, value: float) -> Colour:
    """RGB of a hue, clipped to what a screen shows."""
    saturation, value = min(max(saturation, 0.0), 1.0), min(max(value, 0.0), 1.0)
    return 255.0 * np.array(colorsys.hsv_to_rgb(hue_deg / 360.0 % 1.0, saturation, value))


def grey(value: float) -> Colour:
    return np.full(3, float(value))


CAR_COLOURS = np.array([hsv(*tone) for tone in _CARS])
CAR_SHARES = np.array([20, 10, 14, 12, 10, 12, 6, 7, 3, 3, 2, 1]) / 100


@dataclass(frozen=True, eq=False)
class Palette:
    """What a city's ground, roofs, walls and trees look like; roofs and greens drift from district to district."""

    grass_hsv: Hsv
    soil: Colour
    asphalt: float
    concrete: float
    roofs: tuple[tuple[Hsv, ...], tuple[Hsv, ...]]
    facades: tuple[tuple[Hsv, ...], tuple[Hsv, ...]]
    trees: Colour  # (8, 3)
    drift: Field  # which of the two palettes a district has
    dryness: Field

    @classmethod
    def random(cls, rng: np.random.Generator) -> Palette:
        grass = (rng.uniform(68, 108), rng.uniform(0.22, 0.45), rng.uniform(0.36, 0.52))
        trees = [hsv(rng.uniform(70, 125), rng.uniform(0.3, 0.55), rng.uniform(0.24, 0.44)) for _ in range(7)]
        trees.append(hsv(rng.uniform(15, 60), rng.uniform(0.3, 0.5), rng.uniform(0.35, 0.5)))
        pick = rng.permutation(4)
        walls = rng.permutation(4)
        return cls(
            grass_hsv=grass,
            soil=hsv(rng.uniform(25, 40), rng.uniform(0.15, 0.35), rng.uniform(0.5, 0.65)),
            asphalt=rng.uniform(72, 112),
            concrete=rng.uniform(145, 182),
            roofs=(_ROOFS[pick[0]], _ROOFS[pick[1]]),
            facades=(_FACADES[walls[0]], _FACADES[walls[1]]),
            trees=np.array(trees),
            drift=Field.random(rng, 500.0),
            dryness=Field.random(rng, 350.0),
        )

    def grass(self, at: Points, rng: np.random.Generator) -> Colour:
        hue, saturation, value = self.grass_hsv
        dry = self.dryness.at(at)
        return hsv(hue - 14 * dry + 4 * rng.normal(), saturation - 0.06 * dry, value + 0.03 * dry + 0.03 * rng.normal())

    def roof(self, at: Points, rng: np.random.Generator) -> Colour:
        return self._pick(self.roofs, at, rng)

    def facade(self, at: Points, rng: np.random.Generator) -> Colour:
        return self._pick(self.facades, at, rng)

    def _pick(self, two: tuple[tuple[Hsv, ...], tuple[Hsv, ...]], at: Points, rng: np.random.Generator) -> Colour:
        tones = two[int(self.drift.at(at) + 0.5 * rng.normal() > 0)]
        hue, saturation, value = tones[rng.integers(len(tones))]
        return hsv(hue + 8 * rng.normal(), saturation + 0.07 * rng.normal(), value + 0.08 * rng.normal())
