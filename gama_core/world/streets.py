"""The street network: rectangles split again and again by streets, then bent by the warp of the city."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from gama_core.world.fields import Field, Points, Warp
from gama_core.world.shapes import resample
from gama_core.world.style import Style

NEAREST_JUNCTIONS_M = 26.0  # junctions on one street are the same or at least this far apart
DISTRICT_M = 600.0  # larger cities have districts that lie at an angle to each other
LARGEST_BLOCK_M2 = 45_000.0  # larger ones are split even where that brings two junctions nearer


@dataclass(frozen=True, eq=False)
class Street:
    """One street between two junctions; rank 1 is a lane, 2 a street, 3 an avenue with two lanes each way."""

    start: int
    end: int
    line: Points  # (n, 2), from the start to the end
    rank: int
    width_m: float  # kerb to kerb
    sidewalk_m: float
    style: int  # 0 to 3: how it is marked
    tone: float  # lighter or darker than the city's asphalt
    parking: tuple[bool, bool]  # cars along its left and right kerb
    trees: bool


@dataclass(frozen=True, eq=False)
class Side:
    """One side of a block: the middle of its street, and how far from there the lots begin."""

    line: Points
    setback_m: float


@dataclass(frozen=True, eq=False)
class Block:
    """The land between streets: the middle lines of the streets around it."""

    outline: Points
    sides: tuple[Side, ...]
    centre: Points


@dataclass(frozen=True, eq=False)
class Network:
    """Junctions (n, 2), the streets between them, and the blocks that they enclose."""

    junctions: Points
    streets: tuple[Street, ...]
    blocks: tuple[Block, ...]
    at_junction: tuple[tuple[int, ...], ...]  # streets that meet at each junction

    def from_junction(self, street: int, junction: int) -> Points:
        """A street's line, leaving a junction."""
        line = self.streets[street].line
        return line if self.streets[street].start == junction else line[::-1]

    def radius_m(self, junction: int) -> float:
        """Half the width of the widest street at a junction."""
        return max(self.streets[street].width_m for street in self.at_junction[junction]) / 2


@dataclass(eq=False)
class _Line:
    """A street of the unwarped plane: constant on `axis`, running along the other."""

    axis: int
    at: float
    low: float
    high: float
    rank: int
    width_m: float
    sidewalk_m: float
    cuts: set[float] = field(default_factory=set)  # where other streets end on it or cross it

    @property
    def setback_m(self) -> float:
        return self.width_m / 2 + self.sidewalk_m

    def points(self, start: float, end: float) -> Points:
        run = np.linspace(start, end, max(2, round(abs(end - start) / 5.0) + 1))
        still = np.full_like(run, self.at)
        return np.asarray(np.c_[still, run] if self.axis == 0 else np.c_[run, still])


@dataclass(eq=False)
class _Cell:
    """A rectangle and the lines on its low and high side of each axis."""

    low: tuple[float, float]
    high: tuple[float, float]
    lines: tuple[tuple[_Line, _Line], tuple[_Line, _Line]]  # [axis][low, high]

    def size(self, axis: int) -> float:
        return self.high[axis] - self.low[axis]

    @property
    def middle(self) -> Points:
        return np.array([(self.low[0] + self.high[0]) / 2, (self.low[1] + self.high[1]) / 2])


def make_network(rng: np.random.Generator, width_m: float, height_m: float, margin_m: float, style: Style) -> Network:
    """Streets for a rectangle of the local frame and `margin_m` around it."""
    centre = np.array([width_m, height_m]) / 2
    warp = Warp.random(rng, centre)
    if max(width_m, height_m) > DISTRICT_M:
        warp = warp.with_districts(np.random.default_rng(rng.integers(2**32)))
    half = _whole_mm(np.hypot(width_m / 2 + margin_m, height_m / 2 + margin_m) * 1.05 + 40.0)
    lines, cells = _split(_root(half), _Taste(rng))
    box = np.array([-margin_m, -margin_m, width_m + margin_m, height_m + margin_m])
    blocks = tuple(block for block in (_block(cell, warp) for cell in cells) if _meets(block.outline, box))
    return _connect(rng, lines, warp, blocks, style)


class _Taste:
    """What a city likes: how big its blocks are and how strictly its streets cross, district by district."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.block_m = rng.uniform(58, 84)
        self.grid = rng.uniform(0.2, 0.95)
        self.even = rng.uniform(0.02, 0.13)
        self.avenues = rng.uniform(0.6, 1.3)
        self.size = Field.random(rng, 700.0)
        self.order = Field.random(rng, 900.0)

    def wants_split(self, cell: _Cell, axis: int) -> bool:
        short_m = self.block_m * np.exp(0.28 * self.size.at(cell.middle))
        long_m = short_m * self.rng.uniform(1.5, 2.5)
        if cell.size(axis) < 3.2 * short_m and self.rng.random() < 0.05:
            return False  # a superblock: a park, a mall
        return bool(cell.size(axis) > long_m)

    def line(self, axis: int, at: float, low: float, high: float) -> _Line:
        rng = self.rng
        rank = 1 + int(rng.random() < 0.42 + (high - low) / 1500)
        if rng.random() < np.clip((high - low - 220) / 800 * self.avenues, 0.03, 0.6):
            rank = 3
        width_m = {1: rng.uniform(6.5, 8.5), 2: rng.uniform(9.4, 12.0), 3: rng.uniform(14.0, 17.5)}[rank]
        return _Line(axis, at, low, high, rank, width_m, rng.uniform(1.6, 3.4))


def _whole_mm(length_m: float) -> float:
    """A length that is the same on every CPU; they round a sine's last digit differently, and sizes order the cells."""
    return round(float(length_m), 3)


def _root(half: float) -> _Cell:
    edges = [[_Line(axis, at, -half, half, 1, 7.0, 2.0) for at in (-half, half)] for axis in (0, 1)]
    return _Cell((-half, -half), (half, half), ((edges[0][0], edges[0][1]), (edges[1][0], edges[1][1])))


def _split(root: _Cell, taste: _Taste) -> tuple[list[_Line], list[_Cell]]:
    """Splits the largest cell until none wants to be split."""
    lines = [line for pair in root.lines for line in pair]
    queue: list[tuple[float, int, _Cell]] = [(-1.0, 0, root)]
    done: list[_Cell] = []
    count = 0
    while queue:
        cell = heapq.heappop(queue)[2]
        axis = int(cell.size(1) > cell.size(0))
        at = _cut(cell, axis, taste) if taste.wants_split(cell, axis) else None
        if at is None:
            done.append(cell)
            continue
        line = taste.line(axis, at, cell.low[1 - axis], cell.high[1 - axis])
        lines.append(line)
        for part in _parts(cell, axis, line):
            count += 1
            heapq.heappush(queue, (-part.size(0) * part.size(1), count, part))
    return lines, done


def _cut(cell: _Cell, axis: int, taste: _Taste) -> float | None:
    """Where to cut a cell: at a junction that its sides have already, or well away from all of them."""
    rng, low, size = taste.rng, cell.low[axis], cell.size(axis)
    known = {cut for line in cell.lines[1 - axis] for cut in line.cuts if 0.35 < (cut - low) / size < 0.65}
    grid = taste.grid + 0.3 * taste.order.at(cell.middle)
    for _ in range(12):
        wanted = low + size * np.clip(rng.normal(0.5, taste.even), 0.37, 0.63)
        if known and rng.random() < grid:
            wanted = min(known, key=lambda cut: abs(cut - wanted))
        if all(cut == wanted or abs(cut - wanted) >= NEAREST_JUNCTIONS_M for cut in _cuts(cell, axis)):
            return _whole_mm(wanted)
    return _clearest_cut(cell, axis) if cell.size(0) * cell.size(1) > LARGEST_BLOCK_M2 else None


def _clearest_cut(cell: _Cell, axis: int) -> float:
    """The cut of the middle half that is at, or farthest from, the junctions on the sides of a cell."""
    cuts = np.array([*_cuts(cell, axis)])
    wanted = cell.low[axis] + cell.size(axis) * np.linspace(0.25, 0.75, 61)
    wanted = np.r_[wanted, cuts[(cuts > wanted[0]) & (cuts < wanted[-1])]]
    gaps = np.abs(wanted[:, None] - cuts)
    clear_m = np.where(gaps < 1e-9, np.inf, gaps).min(1, initial=np.inf)
    return _whole_mm(wanted[int(np.argmax(clear_m))])


def _cuts(cell: _Cell, axis: int) -> Iterator[float]:
    for line in cell.lines[1 - axis]:
        yield from line.cuts


def _parts(cell: _Cell, axis: int, line: _Line) -> tuple[_Cell, _Cell]:
    """The two cells on either side of a new line, which it also joins to the lines that it ends on."""
    for end in cell.lines[1 - axis]:
        end.cuts.add(line.at)
        line.cuts.add(end.at)
    low, high = cell.lines[axis]
    before, after = list(cell.lines), list(cell.lines)
    before[axis], after[axis] = (low, line), (line, high)
    split_high, split_low = list(cell.high), list(cell.low)
    split_high[axis] = split_low[axis] = line.at
    return (
        _Cell(cell.low, (split_high[0], split_high[1]), (before[0], before[1])),
        _Cell((split_low[0], split_low[1]), cell.high, (after[0], after[1])),
    )


def _block(cell: _Cell, warp: Warp) -> Block:
    (west, east), (north, south) = cell.lines
    (left, top), (right, bottom) = cell.low, cell.high
    runs = [(north, left, right), (east, top, bottom), (south, right, left), (west, bottom, top)]
    sides = tuple(Side(warp(line.points(start, end)), line.setback_m) for line, start, end in runs)
    outline = np.vstack([side.line[:-1] for side in sides])
    return Block(outline, sides, outline.mean(0))


def _meets(outline: Points, box: Points) -> bool:
    low, high = outline.min(0), outline.max(0)
    return bool(low[0] < box[2] and high[0] > box[0] and low[1] < box[3] and high[1] > box[1])


def _connect(
    rng: np.random.Generator, lines: list[_Line], warp: Warp, blocks: tuple[Block, ...], style: Style
) -> Network:
    """Junctions where lines meet, and one street between each two neighbours on a line."""
    known: dict[tuple[float, float], int] = {}
    places: list[Points] = []
    streets: list[Street] = []
    for line in lines:
        stops = sorted(line.cuts | {line.low, line.high})
        for start, end in pairwise(stops):
            run = line.points(start, end)
            ends = []
            for point in (run[0], run[-1]):
                key = (round(float(point[0]), 3), round(float(point[1]), 3))
                if key not in known:
                    known[key] = len(places)
                    places.append(warp(point[None])[0])
                ends.append(known[key])
            streets.append(_street(rng, line, ends[0], ends[1], warp(run), style))
    at_junction: list[list[int]] = [[] for _ in places]
    for index, street in enumerate(streets):
        at_junction[street.start].append(index)
        at_junction[street.end].append(index)
    return Network(np.array(places), tuple(streets), blocks, tuple(tuple(every) for every in at_junction))


def _street(rng: np.random.Generator, line: _Line, start: int, end: int, points: Points, style: Style) -> Street:
    marks = int(rng.integers(0, 4))
    parks = rng.random(2) < (0.0 if line.rank == 3 or (line.rank == 2 and marks == 3) else 0.8)
    return Street(
        start=start,
        end=end,
        line=resample(points, 3.0),
        rank=line.rank,
        width_m=line.width_m,
        sidewalk_m=line.sidewalk_m,
        style=marks,
        tone=float(rng.normal() * 10),
        parking=(bool(parks[0]), bool(parks[1])),
        trees=bool(rng.random() < style.street_trees),
    )
