"""What lies between the streets: houses with gardens, city blocks, shops, parks, car parks, playing fields."""

from __future__ import annotations

import cv2
import numpy as np

from gama_core.world.fields import Field, Points
from gama_core.world.games import courts, diamond, pitch
from gama_core.world.palette import Palette
from gama_core.world.shapes import right_of, tangents
from gama_core.world.site import Land, Site
from gama_core.world.streets import Block
from gama_core.world.style import Style


class Zoning:
    """Which use a block has: a mixture that drifts through the city; a large city has some of everything."""

    def __init__(self, rng: np.random.Generator, large: bool) -> None:
        usual = np.array([3.2, 2.8, 1.2, 0.9, 0.5, 0.45, 0.7])
        weights = rng.dirichlet(usual * (20.0 if large else 2.5))
        self.logits = np.log(weights + 0.01)
        self.contrast = 1.5 if large else 1.1  # of its districts
        self.fields = [Field.random(rng, 450.0) for _ in USES]
        self.height = Field.random(rng, 600.0)
        self.typical_height_m = rng.uniform(9, 18)

    def use(self, centre: Points, rng: np.random.Generator) -> str:
        logits = self.logits + self.contrast * np.array([each.at(centre) for each in self.fields])
        return USES[int(np.argmax(logits + rng.gumbel(size=len(USES))))]

    def height_m(self, centre: Points, rng: np.random.Generator) -> float:
        return float(self.typical_height_m * np.exp(0.45 * self.height.at(centre) + 0.2 * rng.normal()))


def make_land(rng: np.random.Generator, blocks: tuple[Block, ...], palette: Palette, style: Style, large: bool) -> Land:
    """Fills every block of a place, or of a `large` city."""
    land = Land()
    zoning = Zoning(rng, large)
    for block in blocks:
        use = zoning.use(block.centre, rng)
        area = cv2.contourArea(block.outline.astype(np.float32))
        if use in ("homes", "town") and area > 26_000 and rng.random() < 0.85:
            use = ("park", "shops", "sports", "works")[rng.integers(4)]
        if large and use == "parking" and area > 9_000:
            use = ("town", "shops", "park")[rng.integers(3)]
        fill = _terraces if use in ("homes", "town") and rng.random() < style.terraces else _FILL[use]
        fill(Site(rng, land, block, palette, style, zoning.height_m(block.centre, rng)))
    return land


def _homes(site: Site) -> None:
    site.cover(site.green)
    site.gardens()
    site.row("house", (8, 15), (8, 12), (2.5, 9), (site.setback_m, site.setback_m + 1.5), site.garden)
    for _ in range(int(site.rng.integers(2, 9))):
        site.stand_inside("shed", (2.5, 5), (2, 3.5))
    site.scatter(site.trees(16), 1.3, 4.2)


def _town(site: Site) -> None:
    site.cover(site.palette.concrete * site.rng.uniform(0.75, 1.02) + site.rng.normal(size=3) * 3)
    site.row("block", (10, 26), (11, 19), (0.4, 1.2), (0.3, 2.0), site.yard)
    for _ in range(14):
        site.stand_inside("block", (9, 20), (9, 16))
    site.patches(site.green, 3)
    site.scatter(site.trees(9), 1.3, 3.4)


def _terraces(site: Site) -> None:
    """Houses wall to wall around the block, and their gardens within."""
    site.cover(site.green)
    site.gardens()
    site.patches(site.palette.concrete * site.rng.uniform(0.6, 0.9), 4)
    site.row("terrace", (5.5, 9), (11, 16), (0, 0), (site.setback_m / 3, site.setback_m / 3 + 0.4), site.backyard, 0.95)
    for _ in range(int(site.rng.integers(0, 6))):
        site.stand_inside("shed", (2.5, 5), (2, 3.5))
    site.scatter(site.trees(14), 2.0, 5.0)


def _shops(site: Site) -> None:
    site.cover(site.palette.asphalt * site.rng.uniform(0.95, 1.35) + site.rng.normal(size=3) * 2)
    site.row("hall", (18, 45), (14, 28), (6, 20), (8, 20), site.bays_in_front)
    for _ in range(5):
        site.stand_inside("hall", (18, 38), (14, 26))
    site.patches(site.green, 2)
    site.scatter(int(site.rng.integers(0, 8)), 1.3, 2.5)


def _works(site: Site) -> None:
    site.cover(site.palette.concrete * site.rng.uniform(0.6, 0.95) + site.rng.normal(size=3) * 4)
    for _ in range(9):
        site.stand_inside("hall", (22, 60), (16, 34))
    for _ in range(12):
        site.stand_inside("shed", (6, 12), (2.4, 2.6))
    site.patches(site.palette.soil * 0.9, 2)
    site.scatter(int(site.rng.integers(0, 6)), 1.3, 2.5)


def _park(site: Site) -> None:
    site.cover(site.green * site.rng.uniform(0.88, 1.05))
    site.patches(site.green * site.rng.uniform(0.85, 1.15), 5)
    path = site.palette.soil * site.rng.uniform(0.9, 1.2)
    for _ in range(int(site.rng.integers(2, 6))):
        site.path(path, site.rng.uniform(1.5, 3))
    if site.rng.random() < 0.45:
        site.pond()
    if site.rng.random() < 0.3:
        site.stand_inside("house", (8, 14), (7, 10))
    site.scatter(site.trees(45), 1.8, 5.2)


def _parking(site: Site) -> None:
    site.cover(site.palette.asphalt * site.rng.uniform(0.85, 1.3))
    along = tangents(site.block.sides[0].line)[4]
    across = right_of(along)
    for row in np.arange(-64, 65, 16.4):
        for bay in np.arange(-70, 70, 2.7):
            for half in (-1, 1):
                site.bay(site.centre + across * (row + half * 2.6) + along * bay, across * half)
    site.scatter(int(site.rng.integers(0, 14)), 1.3, 2.5)


def _sports(site: Site) -> None:
    site.cover(site.green if site.rng.random() < 0.65 else site.palette.soil)
    along = tangents(site.block.sides[int(site.rng.integers(2))].line)[4]
    (courts, pitch, diamond)[site.rng.integers(3)](site, along)
    site.scatter(site.trees(12), 1.8, 4.5)


_FILL = {
    "homes": _homes,
    "town": _town,
    "shops": _shops,
    "park": _park,
    "parking": _parking,
    "sports": _sports,
    "works": _works,
}
USES = tuple(_FILL)
