"""The colours of a city."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

from gama_core.world.fields import Field, Points
from gama_core.world.paint import Colour
from gama_core.world.style import Family, Hsv, Tones

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

    family: Family
    grass_hsv: Hsv
    soil: Colour
    asphalt: Colour
    concrete: Colour
    roofs: tuple[tuple[Hsv, ...], tuple[Hsv, ...]]
    facades: tuple[tuple[Hsv, ...], tuple[Hsv, ...]]
    trees: Colour  # (8, 3)
    drift: Field  # which of the two palettes a district has
    dryness: Field

    @classmethod
    def random(cls, rng: np.random.Generator, family: Family) -> Palette:
        """Colours that the family allows, near to each other within one city."""
        leaves = family.leaves.draw(rng)
        return cls(
            family=family,
            grass_hsv=family.grass.draw(rng),
            soil=hsv(*family.soil.draw(rng)),
            asphalt=hsv(*family.road.draw(rng)),
            concrete=hsv(*family.pavement.draw(rng)),
            roofs=(_some(rng, family.roofs), _some(rng, family.roofs)),
            facades=(_some(rng, family.facades), _some(rng, family.facades)),
            trees=np.array([hsv(*family.leaves.near(leaves, rng)) for _ in range(8)]),
            drift=Field.random(rng, 500.0),
            dryness=Field.random(rng, 350.0),
        )

    def grass(self, at: Points, rng: np.random.Generator) -> Colour:
        hue, saturation, value = self.grass_hsv
        dry = self.dryness.at(at)
        here = (hue - 14 * dry, saturation - 0.06 * dry, value + 0.03 * dry)
        return hsv(*self.family.grass.near(here, rng, (4.0, 0.0, 0.03)))

    def roof(self, at: Points, rng: np.random.Generator) -> Colour:
        return self._pick(self.roofs, at, rng)

    def facade(self, at: Points, rng: np.random.Generator) -> Colour:
        return self._pick(self.facades, at, rng)

    def _pick(self, two: tuple[tuple[Hsv, ...], tuple[Hsv, ...]], at: Points, rng: np.random.Generator) -> Colour:
        tones = two[int(self.drift.at(at) + 0.5 * rng.normal() > 0)]
        hue, saturation, value = tones[rng.integers(len(tones))]
        return hsv(hue + 5 * rng.normal(), saturation + 0.04 * rng.normal(), value + 0.05 * rng.normal())


def _some(rng: np.random.Generator, boxes: tuple[Tones, ...]) -> tuple[Hsv, ...]:
    """Four tones around two colours of one or two of the boxes."""
    tones: list[Hsv] = []
    for box in rng.integers(len(boxes), size=2):
        middle = boxes[box].draw(rng)
        tones += [boxes[box].near(middle, rng) for _ in range(2)]
    return tuple(tones)
