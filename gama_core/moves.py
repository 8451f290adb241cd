"""How a camera may move between two clips, over places on a plane with some headings each.

Two ways to know: a car cruises, at any speed up to a city's, about where it looks; or it was seen how fast the camera
moved and turned, and then most places are too near, too far, or round the wrong corner.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Ints = NDArray[np.int64]

CRUISE_M_S = 15.0  # up to here every speed is as likely; beyond it less and less
REVERSE_M = 4.0
PENALTY_DEG = 45.0  # the turn that a turn penalty is for
SLIP_M_S, SLIP_DEG_S = 0.5, 3.0  # what a measured speed and turn may be off besides, from one clip to the next
DISTRUST = 6.0  # log-odds that what was measured is not plainly wrong


@dataclass(frozen=True, eq=False)
class Odometry:
    """How the camera moved in each clip, as far as the network could read it: speed in m/s, turn in degrees a second
    (clockwise), and one sigma of each; float64 (C,). NaN where a clip does not show it."""

    speed_m_s: Floats
    turn_deg_s: Floats
    speed_spread_m_s: Floats
    turn_spread_deg_s: Floats

    def __len__(self) -> int:
        return len(self.speed_m_s)

    def __getitem__(self, clips: slice) -> Odometry:
        return Odometry(*(getattr(self, one.name)[clips] for one in fields(self)))

    @classmethod
    def joined(cls, parts: Sequence[Odometry]) -> Odometry:
        """That of successive clips, from those of some of them each."""
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))

    def between(self, clip: int) -> tuple[float, float, float, float]:
        """The same from the start of a clip to that of the next: the mean of both."""
        two = slice(clip, clip + 2)
        speed, turn = float(self.speed_m_s[two].mean()), float(self.turn_deg_s[two].mean())
        slower = float(np.hypot(SLIP_M_S, np.sqrt(np.mean(self.speed_spread_m_s[two] ** 2))))
        wider = float(np.hypot(SLIP_DEG_S, np.sqrt(np.mean(self.turn_spread_deg_s[two] ** 2))))
        # Between two clips the speed may do anything from the one to the other.
        return speed, turn, slower + abs(float(np.diff(self.speed_m_s[two])[0])) / 4, wider


@dataclass(frozen=True, eq=False)
class Edges:
    """All pairs of P places within reach, with R headings each, sorted by target.

    An edge leads from place `source` to place `target`, arriving with a heading after a turn of `turns[s]` steps;
    `along_m` and `aside_m` float32 (E, R, S) are how far it leads in the direction half way between both headings, and
    to the right of it. With fewer than four headings `along_m` is the distance alone.
    """

    source: Ints
    target: Ints
    starts: Ints  # first edge of each target, (P,)
    by_source: Ints  # the edges sorted by source; as many leave each place as lead to it
    turns: tuple[int, ...]
    along_m: Singles
    aside_m: Singles
    spacing_m: float  # from a place to the nearest
    heading_step_deg: float


class Motion(ABC):
    """What is known of how the camera moves along edges."""

    edges: Edges

    @abstractmethod
    def log_weight(self, clip: int, some: slice = slice(None)) -> Singles:
        """Log-probability, up to a constant, of each edge from a clip to the next, float32 (E, R, S); of some edges."""

    def weight(self, clip: int) -> Singles:
        """The probability itself, up to a factor."""
        return np.asarray(np.exp(self.log_weight(clip)))


@dataclass(frozen=True, eq=False)
class Cruising(Motion):
    """The same at every clip."""

    edges: Edges
    logs: Singles
    weights: Singles = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", np.exp(self.logs))

    def log_weight(self, clip: int, some: slice = slice(None)) -> Singles:
        return self.logs[some]

    def weight(self, clip: int) -> Singles:
        return self.weights


@dataclass(frozen=True, eq=False)
class Measured(Motion):
    """As fast as the camera was seen to move; cruising where it was not seen."""

    edges: Edges
    cruising: Cruising
    odometry: Odometry
    step_s: float

    def log_weight(self, clip: int, some: slice = slice(None)) -> Singles:
        speed, turn, speed_spread, turn_spread = self.odometry.between(clip)
        if not math.isfinite(speed + turn + speed_spread + turn_spread):
            return self.cruising.logs[some]
        edges = self.edges
        along_spread = math.hypot(speed_spread * self.step_s, 0.45 * edges.spacing_m + 1.0)  # and the grid is coarse
        log = (edges.along_m[some] - np.float32(speed * self.step_s)) * np.float32(1.0 / along_spread)
        log *= log
        if len(edges.turns) > 1 and edges.along_m.shape[1] >= 4:
            aside_spread = _aside_spread_m(edges)
            log += (edges.aside_m[some] * np.float32(1.0 / aside_spread)) ** 2
            turned = np.array(edges.turns) * edges.heading_step_deg - turn * self.step_s
            log += (turned / math.hypot(turn_spread * self.step_s, 0.4 * edges.heading_step_deg)) ** 2
        log *= np.float32(-0.5)
        return np.asarray(np.maximum(log, self.cruising.logs[some] - np.float32(DISTRUST)))


def edges_between(
    x_m: Floats,
    y_m: Floats,
    headings_deg: Floats,
    step_s: float,
    max_speed_m_s: float,
    scale: Floats | None = None,
) -> Edges:
    """The edges over places on a local plane.

    Args:
        x_m, y_m: places (P,), east and south.
        headings_deg: headings of each place's views (R,), at equal steps around the circle.
        step_s: time from clip to clip.
        max_speed_m_s: no edge is longer than this allows.
        scale: metres on the ground at each place for one of the plane (P,); 1 where None.
    """
    scale = np.ones(len(x_m)) if scale is None else scale
    spacing_m = _spacing_m(x_m, y_m) * float(np.median(scale))
    reach_m = max(max_speed_m_s * step_s, 1.5 * spacing_m)
    source, target = _pairs(x_m, y_m, reach_m / float(scale.min()))
    here = (scale[source] + scale[target]) / 2  # the same both ways: as many edges leave a place as lead to it
    near = np.hypot(x_m[target] - x_m[source], y_m[target] - y_m[source]) * here <= reach_m
    source, target, here = source[near], target[near], here[near]
    headings, step_deg = len(headings_deg), 360.0 / len(headings_deg)
    turns = _turns(headings, step_s)
    east, south = ((axis[target] - axis[source]) * here for axis in (x_m, y_m))
    along = np.empty((len(source), headings, len(turns)), np.float32)
    aside = np.zeros_like(along)
    for index, turn in enumerate(turns):
        if headings < 4:
            along[:, :, index] = np.hypot(east, south)[:, None]
            continue
        middle = np.radians(headings_deg - turn * step_deg / 2)
        along[:, :, index] = east[:, None] * np.sin(middle) - south[:, None] * np.cos(middle)
        aside[:, :, index] = east[:, None] * np.cos(middle) + south[:, None] * np.sin(middle)
    starts = np.searchsorted(target, np.arange(len(x_m)))
    by_source = np.lexsort((target, source))
    return Edges(source, target, starts, by_source, turns, along, aside, spacing_m, step_deg)


def cruising(edges: Edges, step_s: float, turn_penalty: float) -> Cruising:
    """How a car moves of which nothing is known.

    Args:
        turn_penalty: log-penalty for a turn by one step of heading of 45 degrees or more; of finer steps as much less.
    """
    along_spread = edges.spacing_m / 2 + 2.0
    over = np.maximum(edges.along_m - np.float32(CRUISE_M_S * step_s), 0.0)
    if edges.along_m.shape[1] < 4:
        return Cruising(edges, np.float32(-0.5) * (over / np.float32(along_spread)) ** 2)
    over += np.maximum(-edges.along_m - np.float32(REVERSE_M), 0.0)
    log = (over / np.float32(along_spread)) ** 2 + (edges.aside_m / np.float32(_aside_spread_m(edges))) ** 2
    log *= np.float32(-0.5)
    log -= np.abs(np.array(edges.turns, np.float32)) * turn_penalty * min(1.0, edges.heading_step_deg / PENALTY_DEG)
    return Cruising(edges, log.astype(np.float32))


def _aside_spread_m(edges: Edges) -> float:
    return edges.spacing_m / 3 + 2.0


def _turns(headings: int, step_s: float) -> tuple[int, ...]:
    """Turns between two clips in steps of heading: as far as 45 degrees a second; all of few headings."""
    if headings < 4:
        return tuple(range(headings))
    most = min(math.ceil(45.0 * step_s * headings / 360.0), (headings - 1) // 2)
    return tuple(range(-most, most + 1))


def _spacing_m(x_m: Floats, y_m: Floats) -> float:
    """The distance of neighbouring places: the median over some of them of the distance to their nearest."""
    some = np.linspace(0, len(x_m) - 1, min(len(x_m), 64)).astype(int)
    apart = np.hypot(x_m[some, None] - x_m[None], y_m[some, None] - y_m[None])
    apart[apart < 0.5] = np.inf
    nearest = apart.min(axis=1)
    return float(np.median(nearest[np.isfinite(nearest)])) if np.isfinite(nearest).any() else 1.0


def _pairs(x_m: Floats, y_m: Floats, reach_m: float) -> tuple[Ints, Ints]:
    """All pairs of places at most so far apart, each place with itself too, sorted by target, then source."""
    column, row = np.floor(x_m / reach_m).astype(np.int64), np.floor(y_m / reach_m).astype(np.int64)
    column, row = column - column.min() + 1, row - row.min() + 1
    width = int(column.max()) + 2
    cell = row * width + column
    order = np.argsort(cell, kind="stable")
    sorted_cell = cell[order]
    sources, targets = [], []
    for shift in (-width - 1, -width, -width + 1, -1, 0, 1, width - 1, width, width + 1):
        first = np.searchsorted(sorted_cell, cell + shift, side="left")
        count = np.searchsorted(sorted_cell, cell + shift, side="right") - first
        target = np.repeat(np.arange(len(x_m)), count)
        within = np.arange(len(target)) - np.repeat(np.cumsum(count) - count, count)
        sources.append(order[np.repeat(first, count) + within])
        targets.append(target)
    source, target = np.concatenate(sources), np.concatenate(targets)
    near = np.hypot(x_m[source] - x_m[target], y_m[source] - y_m[target]) <= reach_m
    source, target = source[near], target[near]
    order = np.lexsort((source, target))
    return source[order], target[order]
