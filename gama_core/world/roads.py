"""What is painted where the streets are: sidewalks, asphalt, lane lines, crosswalks, patches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from gama_core.world.fields import Points
from gama_core.world.paint import Colour, Drawing
from gama_core.world.palette import WHITE_PAINT, YELLOW_PAINT, Palette, hsv
from gama_core.world.shapes import (
    between,
    disc,
    lengths_m,
    offset,
    rectangle,
    resample,
    right_of,
    strip,
    tangents,
)
from gama_core.world.streets import Network, Street
from gama_core.world.style import Style

_TRUNK_M = 1.0  # from the kerb to the trunks of street trees
CROSSWALK_M = 2.6  # from the edge of a junction to the middle of its crosswalk


@dataclass(frozen=True, eq=False)
class Crosswalk:
    """A crosswalk across one arm of a junction: its middle, the way along the street, its stripes."""

    centre: Points
    along: Points
    half_width_m: float
    stripes: tuple[Points, ...]


@dataclass(eq=False)
class Roads:
    """Drawings of the roads from the bottom up, and what stands along them."""

    style: Style
    tarmac: Colour  # what shows where paint has gone

    paving: Drawing = field(default_factory=Drawing)  # sidewalks
    asphalt: Drawing = field(default_factory=Drawing)
    paint: Drawing = field(default_factory=Drawing)
    crosswalks: list[Crosswalk] = field(default_factory=list)
    trees: list[tuple[float, ...]] = field(default_factory=list)  # x, y, radius, height, kind
    spots: list[tuple[float, ...]] = field(default_factory=list)  # x, y, direction x, direction y
    lamps: list[tuple[float, ...]] = field(default_factory=list)  # x, y, towards the road x, y

    def mark(self, rng: np.random.Generator, polygons: Sequence[Points], colour: Colour) -> None:
        """Paints polygons, each as worn as it happens to be; some are gone."""
        wear = self.style.wear * rng.uniform(0.5, 1.1)
        left = np.ceil(4.0 * (1.0 - wear * rng.uniform(0.3, 1.1, len(polygons)))).astype(int)
        for quarters in range(1, 5):
            tone = self.tarmac + (colour - self.tarmac) * quarters / 4.0
            self.paint.add([each for each, share in zip(polygons, left, strict=True) if share == quarters], tone)


def make_roads(rng: np.random.Generator, network: Network, palette: Palette, style: Style, box: Points) -> Roads:
    """Paints every street that comes near `box` (left, top, right, bottom in metres)."""
    roads = Roads(style, palette.asphalt)
    near = [_near(street.line, box) for street in network.streets]
    streets = [street for street, is_near in zip(network.streets, near, strict=True) if is_near]
    slab = palette.concrete
    for street in streets:
        tone = slab + rng.normal() * 5
        roads.paving.add([strip(street.line, street.width_m + 2 * street.sidewalk_m)], tone)
        roads.paving.add([_joints(street, side) for side in (-1, 1)], tone * 0.9)
    for street in streets:
        roads.paving.add([strip(street.line, street.width_m + 0.5)], slab * 1.1)
    for street in streets:
        roads.asphalt.add([strip(street.line, street.width_m)], palette.asphalt + street.tone + rng.normal(size=3) * 2)
    for junction, arms in enumerate(network.at_junction):
        if any(near[street] for street in arms) and len(arms) > 1:
            _paint_junction(rng, roads, network, junction, palette)
    for street in streets:
        _paint_street(rng, roads, network, street, palette)
    return roads


def _near(line: Points, box: Points) -> bool:
    low, high = line.min(0) - 12, line.max(0) + 12
    return bool(low[0] < box[2] and high[0] > box[0] and low[1] < box[3] and high[1] > box[1])


def _joints(street: Street, side: int) -> Points:
    """The seam along the middle of a sidewalk."""
    return strip(offset(street.line, side * (street.width_m + street.sidewalk_m) / 2), 0.08)


def _paint_junction(rng: np.random.Generator, roads: Roads, network: Network, junction: int, palette: Palette) -> None:
    """The asphalt of a junction with rounded corners, and the crosswalks on its arms."""
    radius_m = network.radius_m(junction)
    arms = network.at_junction[junction]
    tone = float(np.mean([network.streets[street].tone for street in arms]))
    corners = []
    for street in arms:
        line = network.from_junction(street, junction)
        reach = min(radius_m + 2.0, lengths_m(line)[-1] / 2)
        piece = between(line, 0.0, reach)
        way = tangents(piece)[-1]
        side = right_of(way) * network.streets[street].width_m / 2
        corners += [piece[-1] + side, piece[-1] - side]
    hull = cv2.convexHull(np.array(corners, np.float32))[:, 0].astype(np.float64)
    roads.asphalt.add([hull], palette.asphalt + tone)
    if len(arms) < 3:
        return
    look = int(rng.integers(0, 5))
    colour = WHITE_PAINT * rng.uniform(0.86, 1.0) if rng.random() < 0.82 else YELLOW_PAINT
    for street in arms:
        _paint_arm(rng, roads, network, junction, street, look, colour)


def _paint_arm(
    rng: np.random.Generator, roads: Roads, network: Network, junction: int, street: int, look: int, colour: Colour
) -> None:
    """A crosswalk, a stop line and lane arrows where one street enters a junction."""
    this = network.streets[street]
    line = resample(network.from_junction(street, junction), 0.5)
    at = int((network.radius_m(junction) + CROSSWALK_M) / 0.5)
    if at + 24 >= len(line):
        return
    ways = tangents(line)
    half = this.width_m / 2
    if look in (0, 4) or (look == 1 and this.rank >= 2):
        step, wide = (1.2, 0.28) if look != 4 else (0.8, 0.18)
        middles = np.arange(-half + 0.6, half - 0.3, step)
        bars = tuple(rectangle(line[at] + right_of(ways[at]) * o, ways[at], 1.5, wide) for o in middles)
    elif look == 2:
        bars = tuple(rectangle(line[at] + ways[at] * o, ways[at], 0.16, half - 0.1) for o in (-1.3, 1.3))
    else:
        bars = ()
    if look == 1 and this.rank == 1 and rng.random() < 0.5:
        roads.mark(rng, [rectangle(line[at], ways[at], 1.8, half)], hsv(12, 0.35, 0.5))
    if bars:
        roads.mark(rng, bars, colour)
        roads.crosswalks.append(Crosswalk(line[at], ways[at], half, bars))
    if this.rank >= 2 and look != 3:
        stop = at + 6
        side = -right_of(ways[stop])  # the right of those who arrive
        roads.mark(rng, [rectangle(line[stop] + side * half / 2, ways[stop], 0.22, half / 2 - 0.2)], WHITE_PAINT)
        if this.rank == 3:
            for lane in (0.25, 0.75):
                roads.mark(rng, _arrow(line[stop + 12] + side * half * lane, -ways[stop + 12]), WHITE_PAINT)


def _arrow(tip: Points, way: Points) -> list[Points]:
    side = right_of(way)
    head = np.array([tip, tip - way * 1.3 + side * 0.45, tip - way * 1.3 - side * 0.45])
    return [head, rectangle(tip - way * 2.4, way, 1.1, 0.09)]


def _paint_street(rng: np.random.Generator, roads: Roads, network: Network, street: Street, palette: Palette) -> None:
    """Repairs, lane lines, street trees, parked cars and lamps between two junctions."""
    length_m = lengths_m(street.line)[-1]
    _mend(rng, roads, street, palette, length_m)
    start_m, end_m = network.radius_m(street.start) + 4.8, length_m - network.radius_m(street.end) - 4.8
    if end_m - start_m < 6:
        return
    line = between(street.line, start_m, end_m)
    _mark(rng, roads, street, line, palette)
    _line_up(rng, roads, street, resample(line, 0.5))


def _mend(rng: np.random.Generator, roads: Roads, street: Street, palette: Palette, length_m: float) -> None:
    line = resample(street.line, 1.0)
    ways = tangents(line)
    for _ in range(rng.poisson(length_m / 45)):
        index = rng.integers(0, len(line))
        middle = line[index] + right_of(ways[index]) * rng.uniform(-0.36, 0.36) * street.width_m
        patch = rectangle(middle, ways[index], rng.uniform(0.8, 6), rng.uniform(0.4, 1.4))
        roads.asphalt.add([patch], palette.asphalt * rng.choice([0.62, 0.72, 0.82, 1.18, 1.3]))
    for _ in range(rng.poisson(length_m / 35)):
        index = rng.integers(0, len(line))
        middle = line[index] + right_of(ways[index]) * rng.uniform(-0.3, 0.3) * street.width_m
        roads.asphalt.add([disc(middle, 0.36, 12)], palette.asphalt * 0.6)
    if rng.random() < 0.5:
        seam = offset(street.line, rng.uniform(-0.3, 0.3) * street.width_m)
        roads.asphalt.add([strip(seam, 0.12)], (palette.asphalt + street.tone) * 0.75)


def _mark(rng: np.random.Generator, roads: Roads, street: Street, line: Points, palette: Palette) -> None:
    half = street.width_m / 2
    if street.rank == 3:
        roads.mark(rng, [*_pieces(line, -0.22, 0.14), *_pieces(line, 0.22, 0.14)], YELLOW_PAINT)
        for side in (-half / 2, half / 2):
            roads.mark(rng, _dashes(line, side, 0.15), WHITE_PAINT)
        if street.style == 0:
            _median(rng, roads, line, palette)
        if street.style == 1:
            roads.mark(rng, [*_pieces(line, 0.4 - half, 0.13), *_pieces(line, half - 0.4, 0.13)], WHITE_PAINT)
    elif street.rank == 2:
        if street.style < 2:
            whole = _pieces(line, 0.0, 0.15) if street.style == 0 else _dashes(line, 0.0, 0.15)
            roads.mark(rng, whole, YELLOW_PAINT)
        else:
            roads.mark(rng, _dashes(line, 0.0, 0.15), WHITE_PAINT)
        if street.style == 3:
            lane = hsv(*((140, 0.35, 0.5), (10, 0.4, 0.55), (215, 0.4, 0.55))[rng.integers(3)])
            for side in (-1, 1):
                roads.mark(rng, _pieces(line, side * (half - 0.9), 1.5), lane)
                roads.mark(rng, _pieces(line, side * (half - 1.75), 0.12), WHITE_PAINT)
        else:
            for side, parks in zip((-1, 1), street.parking, strict=True):
                if parks:
                    roads.mark(rng, _pieces(line, side * (half - 2.2), 0.12), WHITE_PAINT)
    elif street.style == 0:
        roads.mark(rng, _dashes(line, 0.0, 0.14), WHITE_PAINT)


def _median(rng: np.random.Generator, roads: Roads, line: Points, palette: Palette) -> None:
    inner = between(line, 2.0, lengths_m(line)[-1] - 2.0)
    roads.asphalt.add([strip(inner, 2.2)], palette.concrete)
    roads.asphalt.add([strip(inner, 1.7)], palette.grass(line.mean(0), rng))
    kind = int(rng.integers(8))
    for point in resample(inner, 11.0)[1:-1]:
        roads.trees.append((*point, rng.uniform(1.2, 1.8), rng.uniform(4, 6), kind))


def _pieces(line: Points, right_m: float, width_m: float) -> list[Points]:
    """A line painted through, in pieces that wear each for itself."""
    return _dashes(line, right_m, width_m, 7.0, 7.0)


def _dashes(line: Points, right_m: float, width_m: float, on_m: float = 3.0, period_m: float = 8.0) -> list[Points]:
    moved = offset(line, right_m)
    starts = np.arange(0.0, lengths_m(moved)[-1] - on_m / 2, period_m)
    return [strip(between(moved, start, start + on_m), width_m) for start in starts]


def _line_up(rng: np.random.Generator, roads: Roads, street: Street, line: Points) -> None:
    """Trees, parking spots and lamps along the kerbs of a line with a point every half metre."""
    ways = tangents(line)
    right, half = right_of(ways), street.width_m / 2
    if street.trees:
        style, kind = roads.style, int(rng.integers(8))
        step_m, radius_m = style.tree_step_m * rng.uniform(0.8, 1.25), style.crown_m * rng.uniform(0.75, 1.25)
        reach_m = _TRUNK_M + style.overhang * half
        for side in (1, -1) if rng.random() < 0.85 else (1,):
            for index in range(6, len(line) - 6, int(step_m / 0.5)):
                spot = line[index] + right[index] * side * (half + _TRUNK_M) + ways[index] * rng.normal() * 0.5
                size_m, tall_m = min(reach_m, radius_m * rng.uniform(0.8, 1.2)), rng.uniform(3.8, 6.0)
                if rng.random() < 0.88:
                    roads.trees.append((*spot, size_m, tall_m + 1.5 * size_m, kind))
    for side, parks in zip((-1, 1), street.parking, strict=True):
        for index in range(8, len(line) - 8, 11) if parks else ():
            spot = line[index] + right[index] * side * (half - 1.1)
            roads.spots.append((*spot, *(ways[index] * side)))
    if street.rank >= 2 or rng.random() < 0.4:
        side = rng.choice([-1, 1])
        for index in range(10, len(line) - 6, int(rng.uniform(26, 36) / 0.5)):
            roads.lamps.append((*(line[index] + right[index] * side * (half + 0.5)), *(-right[index] * side)))
            side = -side if street.rank == 3 else side
