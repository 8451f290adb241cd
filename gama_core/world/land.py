"""What lies between the streets: houses with gardens, city blocks, shops, parks, car parks, playing fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from gama_core.world.buildings import Architect, Building, Ground, facing
from gama_core.world.fields import Field, Points
from gama_core.world.paint import Colour, Drawing
from gama_core.world.palette import WHITE_PAINT, Palette, grey, hsv
from gama_core.world.shapes import between, disc, lengths_m, point_at, rectangle, resample, right_of, strip, tangents
from gama_core.world.streets import Block, Side

USES = ("homes", "town", "shops", "park", "parking", "sports", "works")


@dataclass(eq=False)
class Land:
    """Everything that the blocks of a city hold."""

    soil: Drawing = field(default_factory=Drawing)  # below the streets
    details: Drawing = field(default_factory=Drawing)  # above the sidewalks, below the asphalt
    buildings: list[Building] = field(default_factory=list)
    trees: list[tuple[float, ...]] = field(default_factory=list)  # x, y, radius, height, kind
    spots: list[tuple[float, ...]] = field(default_factory=list)  # x, y, direction x, direction y


class Zoning:
    """Which use a block has: a mixture that drifts through the city."""

    def __init__(self, rng: np.random.Generator) -> None:
        weights = rng.dirichlet(np.array([3.2, 2.8, 1.2, 0.9, 0.5, 0.45, 0.7]) * 2.5)
        self.logits = np.log(weights + 0.01)
        self.fields = [Field.random(rng, 450.0) for _ in USES]
        self.height = Field.random(rng, 600.0)
        self.typical_height_m = rng.uniform(9, 18)

    def use(self, centre: Points, rng: np.random.Generator) -> str:
        logits = self.logits + 1.1 * np.array([each.at(centre) for each in self.fields])
        return USES[int(np.argmax(logits + rng.gumbel(size=len(USES))))]

    def height_m(self, centre: Points, rng: np.random.Generator) -> float:
        return float(self.typical_height_m * np.exp(0.45 * self.height.at(centre) + 0.2 * rng.normal()))


def make_land(rng: np.random.Generator, blocks: tuple[Block, ...], palette: Palette) -> Land:
    """Fills every block."""
    land = Land()
    zoning = Zoning(rng)
    for block in blocks:
        use = zoning.use(block.centre, rng)
        area = cv2.contourArea(block.outline.astype(np.float32))
        if use in ("homes", "town") and area > 26_000 and rng.random() < 0.85:
            use = ("park", "shops", "sports", "works")[rng.integers(4)]
        _Site(rng, land, block, palette, zoning.height_m(block.centre, rng)).fill(use)
    return land


class _Site:
    """One block being filled."""

    def __init__(
        self, rng: np.random.Generator, land: Land, block: Block, palette: Palette, height_m: float
    ) -> None:
        self.rng, self.land, self.block, self.palette = rng, land, block, palette
        self.centre = block.centre
        self.ground = Ground(block)
        self.architect = Architect(rng, palette, self.centre, height_m)
        self.green = palette.grass(self.centre, rng)
        self.mown = False
        self.setback_m = rng.uniform(3, 8)

    def fill(self, use: str) -> None:
        {
            "homes": self.homes, "town": self.town, "shops": self.shops, "park": self.park,
            "parking": self.parking, "sports": self.sports, "works": self.works,
        }[use]()  # fmt: skip

    # ---- uses

    def homes(self) -> None:
        self._cover(self.green)
        self._gardens()
        self._row("house", (8, 15), (8, 12), (2.5, 9), (self.setback_m, self.setback_m + 1.5), self._garden)
        for _ in range(int(self.rng.integers(2, 9))):
            self._stand_inside("shed", (2.5, 5), (2, 3.5))
        self._scatter(int(self.rng.integers(2, 14)), 1.3, 3.8)

    def town(self) -> None:
        self._cover(grey(self.palette.concrete * self.rng.uniform(0.75, 1.02)) + self.rng.normal(size=3) * 3)
        self._row("block", (10, 26), (11, 19), (0.4, 1.2), (0.3, 2.0), self._yard)
        for _ in range(14):
            self._stand_inside("block", (9, 20), (9, 16))
        self._patches(self.green, 3)
        self._scatter(int(self.rng.integers(0, 14)), 1.3, 3.0)

    def shops(self) -> None:
        self._cover(grey(self.palette.asphalt * self.rng.uniform(0.95, 1.35)) + self.rng.normal(size=3) * 2)
        self._row("hall", (18, 45), (14, 28), (6, 20), (8, 20), self._bays_in_front)
        for _ in range(5):
            self._stand_inside("hall", (18, 38), (14, 26))
        self._patches(self.green, 2)
        self._scatter(int(self.rng.integers(0, 8)), 1.3, 2.5)

    def works(self) -> None:
        self._cover(grey(self.palette.concrete * self.rng.uniform(0.6, 0.95)) + self.rng.normal(size=3) * 4)
        for _ in range(9):
            self._stand_inside("hall", (22, 60), (16, 34))
        for _ in range(12):
            self._stand_inside("shed", (6, 12), (2.4, 2.6))
        self._patches(self.palette.soil * 0.9, 2)
        self._scatter(int(self.rng.integers(0, 6)), 1.3, 2.5)

    def park(self) -> None:
        self._cover(self.green * self.rng.uniform(0.88, 1.05))
        self._patches(self.green * self.rng.uniform(0.85, 1.15), 5)
        path = self.palette.soil * self.rng.uniform(0.9, 1.2)
        for _ in range(int(self.rng.integers(2, 6))):
            self._path(path, self.rng.uniform(1.5, 3))
        if self.rng.random() < 0.45:
            self._pond()
        if self.rng.random() < 0.3:
            self._stand_inside("house", (8, 14), (7, 10))
        self._scatter(int(self.rng.integers(20, 90)), 1.8, 5.2)

    def parking(self) -> None:
        self._cover(grey(self.palette.asphalt * self.rng.uniform(0.85, 1.3)))
        along = tangents(self.block.sides[0].line)[4]
        across = right_of(along)
        for row in np.arange(-64, 65, 16.4):
            for bay in np.arange(-70, 70, 2.7):
                for half in (-1, 1):
                    self._bay(self.centre + across * (row + half * 2.6) + along * bay, across * half)
        self._scatter(int(self.rng.integers(0, 14)), 1.3, 2.5)

    def sports(self) -> None:
        self._cover(self.green if self.rng.random() < 0.65 else self.palette.soil)
        along = tangents(self.block.sides[int(self.rng.integers(2))].line)[4]
        (self._courts, self._pitch, self._diamond)[self.rng.integers(3)](along)
        self._scatter(int(self.rng.integers(6, 26)), 1.8, 4.5)

    # ---- along the streets

    def _row(
        self,
        kind: str,
        widths: tuple[float, float],
        depths: tuple[float, float],
        gaps: tuple[float, float],
        setbacks: tuple[float, float],
        around: Callable[[Points, Points, Points, float, float, float], None],
    ) -> None:
        """Buildings side by side along each side of the block; `around` fills the rest of each lot."""
        rng = self.rng
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
                outline = facing(centre, ways[index], inwards[index], width_m - 0.3, depth_m)
                if rng.random() < 0.94 and self.ground.take(outline, -0.5):
                    self.land.buildings += self.architect.build(outline, kind)
                    around(centre, ways[index], inwards[index], width_m, depth_m, set_m - side.setback_m)
                at_m += width_m + (rng.uniform(*gaps) if rng.random() < 0.8 else rng.uniform(3, 12))

    def _frontage(self, side: Side) -> tuple[Points, Points, Points]:
        run = resample(side.line, 1.0)
        ways = tangents(run)
        inwards = right_of(ways)
        if ((self.centre - run.mean(0)) @ inwards[len(run) // 2]) < 0:
            inwards = -inwards
        return run, ways, inwards

    def _garden(
        self, centre: Points, way: Points, inwards: Points, width_m: float, depth_m: float, set_m: float
    ) -> None:
        """A wing, a driveway with a car, a path to the door, a pool, trees."""
        rng, land = self.rng, self.land
        if rng.random() < 0.4:
            wing = centre + inwards * (depth_m / 2 + 2.4) + way * rng.uniform(-0.25, 0.25) * width_m
            outline = facing(wing, way, inwards, rng.uniform(4, 7), 4.6)
            if self.ground.take(outline):
                land.buildings += self.architect.build(outline, "house")
        drive_way = rng.choice([-1, 1])
        stone = grey(self.palette.concrete * rng.uniform(0.72, 1.08))
        if rng.random() < 0.78:
            start = centre + way * (width_m / 2 - 1.8) * drive_way - inwards * depth_m / 2
            land.details.add([rectangle(start - inwards * (set_m + 3.4) / 2, inwards, (set_m + 3.6) / 2, 1.5)], stone)
            if set_m > 4.5:
                land.spots.append((*(start - inwards * set_m * 0.5), *inwards))
        door = centre - way * drive_way * width_m * 0.1 - inwards * depth_m / 2
        land.details.add([rectangle(door - inwards * set_m / 2, inwards, set_m / 2, 0.55)], stone * 0.95)
        back = centre + inwards * (depth_m / 2 + rng.uniform(4, 8)) + way * rng.uniform(-4, 4)
        if rng.random() < 0.1 and self.ground.take(rectangle(back, way, 4.2, 2.6)):
            land.details.add([rectangle(back, way, 4.2, 2.6)], grey(205))
            land.details.add([rectangle(back, way, 3.4, 1.8)], hsv(rng.uniform(185, 200), 0.45, 0.75))
        for _ in range(rng.poisson(1.0)):
            reach = inwards * rng.choice([-1, 1]) * (depth_m / 2 + rng.uniform(1.5, 6))
            self._tree(centre + way * rng.uniform(-0.7, 0.7) * width_m + reach, rng.uniform(1.2, 3.6))

    def _yard(
        self, centre: Points, way: Points, inwards: Points, width_m: float, depth_m: float, set_m: float
    ) -> None:
        """The paving behind a town house."""
        if self.rng.random() < 0.35:
            back = rectangle(centre + inwards * (depth_m / 2 + 3), way, width_m / 2, 3.0)
            tone = self.green if self.rng.random() < 0.4 else grey(self.palette.concrete * self.rng.uniform(0.6, 1.0))
            self.land.details.add([back], tone)

    def _bays_in_front(
        self, centre: Points, way: Points, inwards: Points, width_m: float, depth_m: float, set_m: float
    ) -> None:
        if set_m < 9 or self.rng.random() < 0.2:
            return
        for along in np.arange(-width_m / 2, width_m / 2 - 2.7, 2.7):
            corner = centre + way * along - inwards * (depth_m / 2 + 4.0)
            self.land.details.add([rectangle(corner, inwards, 2.4, 0.06)], WHITE_PAINT * 0.95)
            self.land.spots.append((*(corner + way * 1.35), *(-inwards if self.rng.random() < 0.3 else inwards)))

    # ---- in the middle

    def _stand_inside(self, kind: str, widths: tuple[float, float], depths: tuple[float, float]) -> None:
        rng = self.rng
        corner = self.block.outline[rng.integers(len(self.block.outline))]
        middle = self.centre + (corner - self.centre) * rng.uniform(0, 0.8)
        way = tangents(self.block.sides[rng.integers(4)].line)[3]
        outline = facing(middle, way, right_of(way), rng.uniform(*widths), rng.uniform(*depths))
        if self.ground.take(outline, 1.2):
            self.land.buildings += self.architect.build(outline, kind)

    def _bay(self, centre: Points, way: Points) -> None:
        """One parking bay, where it fits."""
        box = rectangle(centre, way, 2.9, 1.6)
        if all(self.ground.is_free(corner) for corner in box):
            self.land.details.add([rectangle(centre - right_of(way) * 1.35, way, 2.5, 0.06)], WHITE_PAINT * 0.95)
            self.land.spots.append((*centre, *way))

    def _scatter(self, count: int, smallest_m: float, largest_m: float) -> None:
        for _ in range(count):
            corner = self.block.outline[self.rng.integers(len(self.block.outline))]
            spot = self.centre + (corner - self.centre) * self.rng.uniform(0, 0.95) + self.rng.normal(size=2) * 4
            self._tree(spot, self.rng.uniform(smallest_m, largest_m))

    def _tree(self, spot: Points, radius_m: float) -> None:
        if self.ground.is_free(spot):
            height_m = max(2.5, 1.9 * radius_m + self.rng.uniform(0.5, 4.0))
            self.land.trees.append((*spot, radius_m, height_m, float(self.rng.integers(8))))

    # ---- ground

    def _cover(self, tone: Colour) -> None:
        self.land.soil.add([self.block.outline], tone)

    def _gardens(self) -> None:
        """Each garden has its own green: bands across the block."""
        way = tangents(self.block.sides[0].line)[4]
        for at_m in np.arange(-110, 110, 14.0):
            for half in (-1, 1):
                middle = self.centre + way * at_m + right_of(way) * half * 10
                if self.rng.random() < 0.5 and self.ground.is_free(middle):
                    lawn = rectangle(middle, way, self.rng.uniform(3, 7), self.rng.uniform(4, 10))
                    self.land.soil.add([lawn], self.green * self.rng.uniform(0.84, 1.16))

    def _patches(self, tone: Colour, count: int) -> None:
        for _ in range(count):
            corner = self.block.outline[self.rng.integers(len(self.block.outline))]
            middle = self.centre + (corner - self.centre) * self.rng.uniform(0, 0.8)
            if self.ground.is_free(middle):
                self.land.soil.add([self._blob(middle, self.rng.uniform(3, 11))], tone * self.rng.uniform(0.9, 1.1))

    def _blob(self, centre: Points, radius_m: float) -> Points:
        turn = np.linspace(0, 2 * np.pi, 28, endpoint=False)
        wave = 1 + 0.25 * np.sin(2 * turn + self.rng.uniform(0, 6)) + 0.13 * np.sin(3 * turn + self.rng.uniform(0, 6))
        return np.asarray(centre + np.c_[np.cos(turn), np.sin(turn)] * (radius_m * wave)[:, None])

    def _path(self, tone: Colour, width_m: float) -> None:
        """A bent footpath from one corner of the park to another."""
        starts = [point_at(side.line, self.rng.uniform(0, lengths_m(side.line)[-1])) for side in self.block.sides]
        first, last = self.rng.choice(4, 2, replace=False)
        middle = self.centre + self.rng.normal(size=2) * 14
        share = np.linspace(0, 1, 16)[:, None]
        line = (1 - share) ** 2 * starts[first] + 2 * share * (1 - share) * middle + share**2 * starts[last]
        self.land.soil.add([strip(line, width_m)], tone)

    def _pond(self) -> None:
        shore = self._blob(self.centre + self.rng.normal(size=2) * 8, self.rng.uniform(8, 18))
        if self.ground.take(shore):
            middle = shore.mean(0)
            self.land.soil.add([middle + (shore - middle) * 1.07], self.palette.soil * 0.85)
            self.land.soil.add([shore], hsv(self.rng.uniform(170, 215), 0.38, self.rng.uniform(0.28, 0.48)))

    # ---- games

    def _courts(self, way: Points) -> None:
        tone = hsv(*((210, 0.4, 0.6), (15, 0.5, 0.6), (120, 0.3, 0.45))[self.rng.integers(3)])
        for half in (-1, 1):
            middle = self.centre + way * half * 12
            if not self.ground.take(rectangle(middle, way, 10, 17)):
                continue
            self.land.soil.add([rectangle(middle, way, 9.5, 17)], tone * 0.8)
            self.land.soil.add([rectangle(middle, way, 5.5, 11.9)], tone)
            self._outline(rectangle(middle, way, 5.5, 11.9), 0.12)
            self._outline(rectangle(middle, way, 4.1, 6.4), 0.12)
            self.land.soil.add([rectangle(middle, way, 5.5, 0.06)], WHITE_PAINT)

    def _pitch(self, way: Points) -> None:
        half_length, half_width = self.rng.uniform(24, 34), self.rng.uniform(16, 21)
        field_ = rectangle(self.centre, way, half_length, half_width)
        if not self.ground.take(field_):
            return self._courts(way)
        self.land.soil.add([field_], self.green * 1.1)
        step = half_length / 4
        for stripe in range(-4, 4, 2):
            band = rectangle(self.centre + way * (stripe + 0.5) * step, way, step / 2, half_width)
            self.land.soil.add([band], self.green * 1.22)
        self._outline(field_, 0.14)
        self._outline(disc(self.centre, 6.0, 24), 0.14)
        self.land.soil.add([rectangle(self.centre, way, 0.07, half_width)], WHITE_PAINT)
        for end in (-1, 1):
            self._outline(rectangle(self.centre + way * end * (half_length - 4.5), way, 4.5, 9), 0.14)
        return None

    def _diamond(self, way: Points) -> None:
        home = self.centre - (way + right_of(way)) * 16
        quarter = np.linspace(0, np.pi / 2, 12)
        arc = home + 42 * (np.cos(quarter)[:, None] * way + np.sin(quarter)[:, None] * right_of(way))
        if not self.ground.take(np.vstack([home, arc])):
            return self._courts(way)
        inner = home + (arc - home) * 0.62
        self.land.soil.add([np.vstack([home, arc])], self.green * 1.12)
        self.land.soil.add([np.vstack([home, inner])], self.palette.soil)
        middle = home + (way + right_of(way)) * 10.5
        self.land.soil.add([rectangle(middle, way, 8.5, 8.5)], self.green * 1.05)
        return None

    def _outline(self, polygon: Points, width_m: float) -> None:
        closed = np.vstack([polygon, polygon[:1]])
        for start, end in zip(closed, closed[1:], strict=False):
            self.land.soil.add([strip(between(np.array([start, end]), 0, np.hypot(*(end - start))), width_m)], WHITE_PAINT)
