"""The character of a city: its colours, its street trees, its houses, and how it is photographed from above.

Training, validation and test cities draw theirs from one broad family. The held-out families lie outside of it: the
boxes of colours and the spans that define them never meet the broad ones, so that what works there was not learned by
heart.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

Hsv = tuple[float, float, float]  # degrees, 0 to 1, 0 to 1
Span = tuple[float, float]


@dataclass(frozen=True)
class Tones:
    """A box of colours: spans of hue in degrees, saturation and value."""

    hue_deg: Span  # may begin below 0
    saturation: Span
    value: Span

    def draw(self, rng: np.random.Generator) -> Hsv:
        return rng.uniform(*self.hue_deg), rng.uniform(*self.saturation), rng.uniform(*self.value)

    def near(self, tone: Hsv, rng: np.random.Generator, apart: Hsv = (10.0, 0.08, 0.12)) -> Hsv:
        """A colour of the box about `apart` from one of its colours."""
        moved = np.array(tone) + rng.normal(size=3) * apart
        hue, saturation, value = np.clip(moved, *np.transpose([self.hue_deg, self.saturation, self.value]))
        return float(hue), float(saturation), float(value)

    def meets(self, other: Tones) -> bool:
        """Whether a colour lies in both boxes."""
        hues = any(_meet(self.hue_deg, (other.hue_deg[0] + turn, other.hue_deg[1] + turn)) for turn in (-360, 0, 360))
        return hues and _meet(self.saturation, other.saturation) and _meet(self.value, other.value)


def _meet(one: Span, other: Span) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


@dataclass(frozen=True)
class Family:
    """From where the cities of one kind draw their colours and their style."""

    name: str
    road: Tones
    pavement: Tones
    soil: Tones
    grass: Tones
    leaves: Tones
    roofs: tuple[Tones, ...]
    facades: tuple[Tones, ...]
    street_trees: Span
    tree_step_m: Span
    crown_m: Span
    overhang: Span
    terraces: Span
    white_roofs: Span
    wear: Span
    texture: Span
    parked: Span
    contrast: Span
    shade: Span
    palms: bool = False
    setts: bool = False

    @property
    def boxes(self) -> dict[str, tuple[Tones, ...]]:
        """All its boxes of colours, by what they colour."""
        single = {name: (getattr(self, name),) for name in ("road", "pavement", "soil", "grass", "leaves")}
        return {**single, "roofs": self.roofs, "facades": self.facades}


@dataclass(frozen=True)
class Style:
    """What one city is like."""

    family: Family
    street_trees: float  # share of the streets that are lined with trees
    tree_step_m: float  # from trunk to trunk
    crown_m: float  # typical radius of a street tree's crown
    overhang: float  # how far crowns may reach over the road: 0 to the kerb, 1 to the middle
    terraces: float  # share of the blocks of homes and town houses that are continuous rows
    white_roofs: float  # share of the flat roofs that are white
    wear: float  # 0 fresh paint to 1 hardly any left
    texture: float  # how blotched asphalt, ground, walls and roofs are; deviation of their brightness
    parked: float  # share of the parking spots that are taken, on average
    contrast: float  # of the aerial image
    shade: float  # brightness that is left in the shadows of the aerial image

    @classmethod
    def random(cls, rng: np.random.Generator, family: Family) -> Style:
        drawn = [each.name for each in fields(cls) if each.name != "family"]
        return cls(family, **{name: float(rng.uniform(*getattr(family, name))) for name in drawn})


BROAD = Family(
    name="broad",
    road=Tones((0, 360), (0.0, 0.08), (0.22, 0.50)),
    pavement=Tones((0, 360), (0.0, 0.10), (0.45, 0.76)),
    soil=Tones((20, 58), (0.06, 0.34), (0.34, 0.68)),
    grass=Tones((62, 140), (0.14, 0.50), (0.20, 0.54)),
    leaves=Tones((62, 140), (0.18, 0.58), (0.16, 0.46)),
    roofs=(
        Tones((-15, 45), (0.06, 0.54), (0.24, 0.74)),  # clay, brown, shingle
        Tones((0, 360), (0.0, 0.12), (0.22, 0.92)),  # slate, membrane, gravel
        Tones((60, 260), (0.05, 0.32), (0.30, 0.74)),  # copper, painted
    ),
    facades=(
        Tones((-10, 30), (0.20, 0.62), (0.26, 0.62)),  # brick, brownstone
        Tones((15, 60), (0.04, 0.44), (0.50, 0.94)),  # plaster
        Tones((0, 360), (0.0, 0.16), (0.30, 0.92)),  # concrete, stone
        Tones((60, 260), (0.05, 0.36), (0.36, 0.80)),  # painted boards
    ),
    street_trees=(0.15, 0.95),
    tree_step_m=(7.0, 14.0),
    crown_m=(1.6, 5.2),
    overhang=(0.0, 1.0),
    terraces=(0.0, 0.9),
    white_roofs=(0.0, 0.9),
    wear=(0.0, 0.85),
    texture=(0.02, 0.09),
    parked=(0.35, 0.9),
    contrast=(0.85, 1.6),
    shade=(0.12, 0.60),
)  # fmt: skip

ADOBE = Family(
    name="adobe",  # arid: sand, pale concrete streets, earthen walls and roofs, hardly a tree
    road=Tones((28, 42), (0.13, 0.22), (0.60, 0.70)),
    pavement=Tones((28, 42), (0.16, 0.26), (0.68, 0.78)),
    soil=Tones((28, 40), (0.36, 0.46), (0.70, 0.82)),
    grass=Tones((38, 48), (0.28, 0.38), (0.58, 0.68)),
    leaves=Tones((56, 61), (0.18, 0.32), (0.36, 0.46)),
    roofs=(Tones((22, 36), (0.26, 0.40), (0.76, 0.86)),),
    facades=(Tones((16, 28), (0.46, 0.60), (0.64, 0.78)),),
    street_trees=(0.0, 0.1),
    tree_step_m=(16.0, 24.0),
    crown_m=(1.0, 1.5),
    overhang=(0.0, 0.1),
    terraces=(0.3, 0.7),
    white_roofs=(0.0, 0.05),
    wear=(0.88, 1.0),
    texture=(0.04, 0.08),
    parked=(0.2, 0.34),
    contrast=(1.0, 1.3),
    shade=(0.30, 0.50),
)  # fmt: skip

NORDIC = Family(
    name="nordic",  # red timber, black roofs, yellow birches along streets of granite setts
    road=Tones((200, 225), (0.10, 0.16), (0.42, 0.52)),
    pavement=Tones((200, 225), (0.12, 0.18), (0.54, 0.64)),
    soil=Tones((70, 90), (0.18, 0.28), (0.26, 0.36)),
    grass=Tones((62, 80), (0.54, 0.64), (0.46, 0.56)),
    leaves=Tones((44, 56), (0.60, 0.74), (0.58, 0.74)),
    roofs=(Tones((200, 240), (0.02, 0.12), (0.10, 0.19)),),
    facades=(Tones((0, 10), (0.66, 0.80), (0.40, 0.56)),),
    street_trees=(0.96, 1.0),
    tree_step_m=(5.0, 6.6),
    crown_m=(1.6, 2.4),
    overhang=(0.1, 0.3),
    terraces=(0.0, 0.2),
    white_roofs=(0.0, 0.05),
    wear=(0.0, 0.2),
    texture=(0.06, 0.09),
    parked=(0.2, 0.34),
    contrast=(0.9, 1.2),
    shade=(0.30, 0.55),
    setts=True,
)  # fmt: skip

TROPICAL = Family(
    name="tropical",  # roofs of rusty metal, red earth on streets and yards, palms
    road=Tones((12, 22), (0.42, 0.54), (0.46, 0.58)),
    pavement=Tones((14, 24), (0.34, 0.46), (0.54, 0.64)),
    soil=Tones((10, 18), (0.54, 0.64), (0.48, 0.60)),
    grass=Tones((95, 125), (0.56, 0.68), (0.40, 0.54)),
    leaves=Tones((95, 130), (0.62, 0.74), (0.34, 0.48)),
    roofs=(Tones((10, 22), (0.60, 0.74), (0.40, 0.60)), Tones((345, 358), (0.58, 0.70), (0.50, 0.64))),
    facades=(Tones((160, 200), (0.42, 0.58), (0.66, 0.82)), Tones((320, 345), (0.30, 0.46), (0.74, 0.88))),
    street_trees=(0.4, 0.8),
    tree_step_m=(9.0, 14.0),
    crown_m=(2.2, 3.2),
    overhang=(0.3, 0.6),
    terraces=(0.0, 0.3),
    white_roofs=(0.0, 0.1),
    wear=(0.92, 1.0),
    texture=(0.06, 0.09),
    parked=(0.1, 0.3),
    contrast=(1.1, 1.4),
    shade=(0.20, 0.40),
    palms=True,
)  # fmt: skip

HELD_OUT = (ADOBE, NORDIC, TROPICAL)
