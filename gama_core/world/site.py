"""One block while it is filled: its free ground, and the things that may be put there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from gama_core.world.buildings import Architect, Building, Ground, facing
from gama_core.world.fields import Points
from gama_core.world.paint import Colour, Drawing
from gama_core.world.palette import WHITE_PAINT, Palette, grey, hsv
from gama_core.world.shapes import between, lengths_m, point_at, rectangle, resample, right_of, strip, tangents
from gama_core.world.streets import Block, Side
from gama_core.world.style import Style

_PARTY_WALLS_M = 0.55  # the map of free ground is too coarse for houses that touch

Span = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Lot:
    """Where a building stands on its street, for what is laid out around it."""

    centre: Points
    way: Points  # along the street
    inwards: Points
    width_m: float
    depth_m: float
    front_m: float  # from the sidewalk to the front


@dataclass(eq=False)
class Land:
    """Everything that the blocks of a city hold."""

    soil: Drawing = field(default_factory=Drawing)  # below the streets
    details: Drawing = field(default_factory=Drawing)  # above the sidewalks, below the asphalt
    buildings: list[Building] = field(default_factory=list)
    trees: list[tuple[float, ...]] = field(default_factory=list)  # x, y, radius, height, kind
    spots: list[tuple[float, ...]] = field(default_factory=list)  # x, y, direction x, direction y


class Site:
    """One block being filled."""

    def __init__(
        self, rng: np.random.Generator, land: Land, block: Block, palette: Palette, style: Style, height_m: float
    ) -> None:
        self.rng, self.land, self.block, self.palette, self.style = rng, land, block, palette, style
        self.centre = block.centre
        self.ground = Ground(block)
        self.architect = Architect(rng, palette, self.centre, height_m, style.white_roofs)
        self.green = palette.grass(self.centre, rng)
        self.setback_m = rng.uniform(3, 8)

    # ---- buildings

    def row(
        self,
        kind: str,
        widths: Span,
        depths: Span,
        gaps: Span,
        setbacks: Span,
        around: Callable[[Lot], None],
        close: float = 0.8,
    ) -> None:
        """Buildings side by side along each side of the block.

        Args:
            around: fills the rest of each lot.
            close: share of the gaps that are not wider than `gaps`.
        """
        rng = self.rng
        slack_m = (0.3, 0.3) if gaps[1] else (0.0, _PARTY_WALLS_M)
        for side in self.block.sides:
            length_m = lengths_m(side.line)[-1]
            run, ways, inwards = self._frontage(side)
            at_m = rng.uniform(4, 9)
            while True:
                width_m, depth_m = rng.uniform(*widths), rng.uniform(*depths)
                if at_m + width_m > length_m - 3:
                    break
                index = min(int(at_m + width_m / 2), len(run) - 1)
                set_m = side.setback_m + rng.uniform(*setbacks)
                centre = run[index] + inwards[index] * (set_m + depth_m / 2)
                outline, needs = (
                    facing(centre, ways[index], inwards[index], width_m - apart_m, depth_m) for apart_m in slack_m
                )
                if rng.random() < (0.94 if gaps[1] else 0.99) and self.ground.take(needs, -0.5):
                    self.land.buildings += self.architect.build(outline, kind)
                    around(Lot(centre, ways[index], inwards[index], width_m, depth_m, set_m - side.setback_m))
                at_m += width_m + (rng.uniform(*gaps) if rng.random() < close else rng.uniform(3, 12))

    def _frontage(self, side: Side) -> tuple[Points, Points, Points]:
        run = resample(side.line, 1.0)
        ways = tangents(run)
        inwards = right_of(ways)
        if ((self.centre - run.mean(0)) @ inwards[len(run) // 2]) < 0:
            inwards = -inwards
        return run, ways, inwards

    def garden(self, lot: Lot) -> None:
        """A wing behind the house, a driveway with a car, a path to the door, a pool, trees."""
        rng = self.rng
        if rng.random() < 0.4:
            aside = lot.way * rng.uniform(-0.25, 0.25) * lot.width_m
            wing = lot.centre + lot.inwards * (lot.depth_m / 2 + 2.4) + aside
            outline = facing(wing, lot.way, lot.inwards, rng.uniform(4, 7), 4.6)
            if self.ground.take(outline):
                self.land.buildings += self.architect.build(outline, "house")
        self._driveway(lot, rng.choice([-1, 1]))
        back = lot.centre + lot.inwards * (lot.depth_m / 2 + rng.uniform(4, 8)) + lot.way * rng.uniform(-4, 4)
        if rng.random() < 0.1 and self.ground.take(rectangle(back, lot.way, 4.2, 2.6)):
            self.land.details.add([rectangle(back, lot.way, 4.2, 2.6)], grey(205))
            self.land.details.add([rectangle(back, lot.way, 3.4, 1.8)], hsv(rng.uniform(185, 200), 0.45, 0.75))
        for _ in range(rng.poisson(1.0)):
            reach = lot.inwards * rng.choice([-1, 1]) * (lot.depth_m / 2 + rng.uniform(1.5, 6))
            self.tree(lot.centre + lot.way * rng.uniform(-0.7, 0.7) * lot.width_m + reach, rng.uniform(1.2, 3.6))

    def _driveway(self, lot: Lot, side: int) -> None:
        """Stone from the street to one side of the house and to its door."""
        stone = self.palette.concrete * self.rng.uniform(0.72, 1.08)
        details, front_m = self.land.details, lot.front_m
        if self.rng.random() < 0.78:
            start = lot.centre + lot.way * (lot.width_m / 2 - 1.8) * side - lot.inwards * lot.depth_m / 2
            middle = start - lot.inwards * (front_m + 3.4) / 2
            details.add([rectangle(middle, lot.inwards, (front_m + 3.6) / 2, 1.5)], stone)
            if front_m > 4.5:
                self.land.spots.append((*(start - lot.inwards * front_m * 0.5), *lot.inwards))
        door = lot.centre - lot.way * side * lot.width_m * 0.1 - lot.inwards * lot.depth_m / 2
        details.add([rectangle(door - lot.inwards * front_m / 2, lot.inwards, front_m / 2, 0.55)], stone * 0.95)

    def yard(self, lot: Lot) -> None:
        """The paving or the lawn behind a town house."""
        if self.rng.random() < 0.35:
            middle = lot.centre + lot.inwards * (lot.depth_m / 2 + 3)
            tone = self.green if self.rng.random() < 0.4 else self.palette.concrete * self.rng.uniform(0.6, 1.0)
            self.land.details.add([rectangle(middle, lot.way, lot.width_m / 2, 3.0)], tone)

    def backyard(self, lot: Lot) -> None:
        """Behind a house of a row: paving at its door, a fence, and often a tree."""
        rng = self.rng
        rear = lot.centre + lot.inwards * lot.depth_m / 2
        if rng.random() < 0.5:
            tone = self.palette.concrete * rng.uniform(0.55, 0.95)
            self.land.details.add([rectangle(rear + lot.inwards * 1.6, lot.way, lot.width_m / 2, 1.6)], tone)
        fence = rear + lot.inwards * 4.5 + lot.way * lot.width_m / 2
        self.land.details.add([rectangle(fence, lot.inwards, 4.5, 0.12)], self.palette.soil * 0.7)
        if rng.random() < 0.3 + 0.5 * self.style.street_trees:
            spot = rear + lot.inwards * rng.uniform(4, 9) + lot.way * rng.uniform(-0.4, 0.4) * lot.width_m
            self.tree(spot, rng.uniform(1.6, 4.6))

    def bays_in_front(self, lot: Lot) -> None:
        """Parking bays before a shop that stands back from its street."""
        if lot.front_m < 9 or self.rng.random() < 0.2:
            return
        for along in np.arange(-lot.width_m / 2, lot.width_m / 2 - 2.7, 2.7):
            corner = lot.centre + lot.way * along - lot.inwards * (lot.depth_m / 2 + 4.0)
            self.land.details.add([rectangle(corner, lot.inwards, 2.4, 0.06)], WHITE_PAINT * 0.95)
            nose = -lot.inwards if self.rng.random() < 0.3 else lot.inwards
            self.land.spots.append((*(corner + lot.way * 1.35), *nose))

    # ---- in the middle

    def stand_inside(self, kind: str, widths: Span, depths: Span) -> None:
        rng = self.rng
        corner = self.block.outline[rng.integers(len(self.block.outline))]
        middle = self.centre + (corner - self.centre) * rng.uniform(0, 0.8)
        way = tangents(self.block.sides[rng.integers(4)].line)[3]
        outline = facing(middle, way, right_of(way), rng.uniform(*widths), rng.uniform(*depths))
        if self.ground.take(outline, 1.2):
            self.land.buildings += self.architect.build(outline, kind)

    def bay(self, centre: Points, way: Points) -> None:
        """One parking bay, where it fits."""
        box = rectangle(centre, way, 2.9, 1.6)
        if all(self.ground.is_free(corner) for corner in box):
            self.land.details.add([rectangle(centre - right_of(way) * 1.35, way, 2.5, 0.06)], WHITE_PAINT * 0.95)
            self.land.spots.append((*centre, *way))

    def trees(self, usual: int) -> int:
        """How many trees a block of this size gets in this city, where 100 m square has `usual`."""
        low, high = self.block.outline.min(0), self.block.outline.max(0)
        size = float(np.prod(high - low)) / 1e4
        return int(self.rng.poisson(usual * size * (0.3 + 1.4 * self.style.street_trees)))

    def scatter(self, count: int, smallest_m: float, largest_m: float) -> None:
        for _ in range(count):
            corner = self.block.outline[self.rng.integers(len(self.block.outline))]
            spot = self.centre + (corner - self.centre) * self.rng.uniform(0, 0.95) + self.rng.normal(size=2) * 4
            self.tree(spot, self.rng.uniform(smallest_m, largest_m))

    def tree(self, spot: Points, radius_m: float) -> None:
        if self.ground.is_free(spot):
            height_m = max(2.5, 1.9 * radius_m + self.rng.uniform(0.5, 4.0))
            self.land.trees.append((*spot, radius_m, height_m, float(self.rng.integers(8))))

    # ---- ground

    def cover(self, tone: Colour) -> None:
        self.land.soil.add([self.block.outline], tone)

    def gardens(self) -> None:
        """Each garden has its own green: bands across the block."""
        way = tangents(self.block.sides[0].line)[4]
        for at_m in np.arange(-110, 110, 14.0):
            for half in (-1, 1):
                middle = self.centre + way * at_m + right_of(way) * half * 10
                if self.rng.random() < 0.5 and self.ground.is_free(middle):
                    lawn = rectangle(middle, way, self.rng.uniform(3, 7), self.rng.uniform(4, 10))
                    self.land.soil.add([lawn], self.green * self.rng.uniform(0.84, 1.16))

    def patches(self, tone: Colour, count: int) -> None:
        for _ in range(count):
            corner = self.block.outline[self.rng.integers(len(self.block.outline))]
            middle = self.centre + (corner - self.centre) * self.rng.uniform(0, 0.8)
            if self.ground.is_free(middle):
                self.land.soil.add([self.blob(middle, self.rng.uniform(3, 11))], tone * self.rng.uniform(0.9, 1.1))

    def blob(self, centre: Points, radius_m: float) -> Points:
        turn = np.linspace(0, 2 * np.pi, 28, endpoint=False)
        wave = 1 + 0.25 * np.sin(2 * turn + self.rng.uniform(0, 6)) + 0.13 * np.sin(3 * turn + self.rng.uniform(0, 6))
        return np.asarray(centre + np.c_[np.cos(turn), np.sin(turn)] * (radius_m * wave)[:, None])

    def path(self, tone: Colour, width_m: float) -> None:
        """A bent footpath from one corner of the park to another."""
        starts = [point_at(side.line, self.rng.uniform(0, lengths_m(side.line)[-1])) for side in self.block.sides]
        first, last = self.rng.choice(4, 2, replace=False)
        middle = self.centre + self.rng.normal(size=2) * 14
        share = np.linspace(0, 1, 16)[:, None]
        line = (1 - share) ** 2 * starts[first] + 2 * share * (1 - share) * middle + share**2 * starts[last]
        self.land.soil.add([strip(line, width_m)], tone)

    def pond(self) -> None:
        shore = self.blob(self.centre + self.rng.normal(size=2) * 8, self.rng.uniform(8, 18))
        if self.ground.take(shore):
            middle = shore.mean(0)
            self.land.soil.add([middle + (shore - middle) * 1.07], self.palette.soil * 0.85)
            self.land.soil.add([shore], hsv(self.rng.uniform(170, 215), 0.38, self.rng.uniform(0.28, 0.48)))

    def outline(self, polygon: Points, width_m: float) -> None:
        closed = np.vstack([polygon, polygon[:1]])
        for start, end in pairwise(closed):
            line = between(np.array([start, end]), 0, np.hypot(*(end - start)))
            self.land.soil.add([strip(line, width_m)], WHITE_PAINT)
