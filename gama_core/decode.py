"""One drivable path through what each clip saw, with an honest confidence: a hidden Markov model over views.

A state is a view of the gallery: a place and a heading. A clip speaks for the views that look like it, and may have
seen nothing of use; between two clips the camera moves forwards, about where it looks, and turns little.
Forward-backward gives the posterior, Viterbi over the posterior the drive: the one likeliest drive of all may be a
narrow one, far from where most of the probability lies. Places between the views come from the posterior's centre of
mass.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CRUISE_M_S = 15.0  # up to here every speed is as likely; beyond it less and less
REVERSE_M = 4.0
FLOOR = 1e-30


@dataclass(frozen=True)
class Motion:
    """How a camera may move between two clips, over a grid of P places with R headings each.

    An edge leads from place `source` to place `target`; edges are sorted by target. `weight` (E, R, S) is the
    probability, up to a constant, of arriving with heading r after a turn of `turns[s]` steps.
    """

    source: Ints
    target: Ints
    starts: Ints  # first edge of each target, (P,)
    weight: Floats
    turns: tuple[int, ...]


@dataclass(frozen=True)
class Decoded:
    """The posterior float64 (C, P, R), each clip's summing to 1, and the drive through it: states (C,) as place and
    heading indices."""

    posterior: Floats
    place: Ints
    heading: Ints


def decode(emission: Floats, motion: Motion) -> Decoded:
    """The posterior, and the drive that goes through the most of it.

    Args:
        emission: float64 (C, P, R), how likely each clip is at each state; positive, any scale.
        motion: how the camera moves.

    Returns:
        See `Decoded`; exact for this model.

    Source: posterior-Viterbi decoding, Fariselli et al., BMC Bioinformatics 2005.
    """
    emission = emission / np.maximum(emission.mean(axis=(1, 2), keepdims=True), FLOOR) + FLOOR
    clips = len(emission)
    forward = np.empty_like(emission)
    forward[0] = emission[0] / emission[0].sum()
    reach = _push(np.ones(emission.shape[1:]), motion)  # how many ways lead to a state: edges of the grid have fewer
    reach = np.maximum(reach, FLOOR)
    for clip in range(1, clips):
        moved = _push(forward[clip - 1], motion) / reach.mean()
        forward[clip] = (moved + FLOOR) * emission[clip]
        forward[clip] /= forward[clip].sum()
    posterior, backward = forward, np.ones_like(forward[0])  # in place: a long drive fills the memory
    for clip in range(clips - 2, -1, -1):
        backward = _pull(backward * emission[clip + 1], motion) + FLOOR
        backward /= backward.max()
        posterior[clip] *= backward
    posterior /= posterior.sum(axis=(1, 2), keepdims=True)
    best = np.log(posterior + FLOOR)
    for clip in range(1, clips):
        best[clip] += _push_best(best[clip - 1], motion)
        best[clip] -= best[clip].max()
    place, heading = _trace(best, motion)
    return Decoded(posterior, place, heading)


def emissions(similarity: NDArray[np.float32], sharpness: Floats, doubt: float) -> Floats:
    """How likely each clip is at each state, float64 (C, P, R), from cosines (C, P, R): its share of a softmax over all
    states, as sharp as the clip is to be believed (C,), and with probability `doubt` anywhere."""
    logits = sharpness[:, None, None] * similarity.astype(np.float64)
    weights = np.exp(logits - logits.max(axis=(1, 2), keepdims=True))
    states = similarity[0].size
    return np.asarray((1 - doubt) * weights / weights.sum(axis=(1, 2), keepdims=True) + doubt / states)


def motions(
    x_m: Floats, y_m: Floats, headings_deg: Floats, step_s: float, max_speed_m_s: float, turn_penalty: float
) -> Motion:
    """How the camera may move over places on a local plane.

    Args:
        x_m, y_m: places (P,), east and south.
        headings_deg: headings of each place's views (R,), at equal steps around the circle.
        step_s: time from clip to clip.
        max_speed_m_s: no edge is longer than this allows.
        turn_penalty: log-penalty for a turn by one step of heading.
    """
    spacing_m = _spacing_m(x_m, y_m)
    reach_m = max(max_speed_m_s * step_s, 1.5 * spacing_m)
    source, target = _pairs(x_m, y_m, reach_m)
    turns = _turns(len(headings_deg), step_s)
    east, south = x_m[target] - x_m[source], y_m[target] - y_m[source]
    along_spread, aside_spread = spacing_m / 2 + 2.0, spacing_m / 3 + 2.0
    log_weight = np.empty((len(source), len(headings_deg), len(turns)))
    for index, turn in enumerate(turns):
        if len(headings_deg) >= 4:
            middle = np.radians(headings_deg - turn * 180.0 / len(headings_deg))
            along = east[:, None] * np.sin(middle) - south[:, None] * np.cos(middle)
            aside = east[:, None] * np.cos(middle) + south[:, None] * np.sin(middle)
            over = np.maximum(along - CRUISE_M_S * step_s, 0.0) + np.maximum(-along - REVERSE_M, 0.0)
            log_weight[:, :, index] = -0.5 * ((over / along_spread) ** 2 + (aside / aside_spread) ** 2)
            log_weight[:, :, index] -= turn_penalty * abs(turn)
        else:
            over = np.maximum(np.hypot(east, south) - CRUISE_M_S * step_s, 0.0)
            log_weight[:, :, index] = -0.5 * (over / along_spread)[:, None] ** 2
    starts = np.searchsorted(target, np.arange(len(x_m)))
    return Motion(source, target, starts, np.exp(log_weight), turns)


def smoothed(x_m: Floats, y_m: Floats, sure_m: Floats, step_s: float) -> tuple[Floats, Floats]:
    """A path that a car can drive: near each place as far as that is sure (metres), with little acceleration.

    Least squares: the places weigh 1 / sure^2, the accelerations 1 / (2 m/s^2)^2.
    """
    clips = len(x_m)
    if clips < 3:
        return x_m, y_m
    weight = 1.0 / np.maximum(sure_m, 3.0) ** 2
    change = np.zeros((clips - 2, clips))
    rows = np.arange(clips - 2)
    change[rows, rows], change[rows, rows + 1], change[rows, rows + 2] = 1.0, -2.0, 1.0
    system = np.diag(weight) + change.T @ change / (2.0 * step_s**2) ** 2
    both = np.linalg.solve(system, np.stack([weight * x_m, weight * y_m], axis=1))
    return both[:, 0].astype(np.float64), both[:, 1].astype(np.float64)


def _push(state: Floats, motion: Motion) -> Floats:
    """Probability carried along the edges: (P, R) to (P, R)."""
    arriving = np.zeros((len(motion.source), state.shape[1]))
    for index, turn in enumerate(motion.turns):
        arriving += np.roll(state, turn, axis=1)[motion.source] * motion.weight[:, :, index]
    return np.asarray(np.add.reduceat(arriving, motion.starts, axis=0))


def _pull(state: Floats, motion: Motion) -> Floats:
    """The same against the edges."""
    pulled = np.zeros_like(state)
    for index, turn in enumerate(motion.turns):
        leaving = state[motion.target] * motion.weight[:, :, index]
        part = np.stack(
            [np.bincount(motion.source, leaving[:, r], minlength=len(state)) for r in range(state.shape[1])], axis=1
        )
        pulled += np.roll(part, -turn, axis=1)
    return pulled


def _push_best(state: Floats, motion: Motion) -> Floats:
    """Log-probability of the best way to each state."""
    best = np.full((len(motion.source), state.shape[1]), -np.inf)
    log_weight = np.log(motion.weight + FLOOR)
    for index, turn in enumerate(motion.turns):
        np.maximum(best, np.roll(state, turn, axis=1)[motion.source] + log_weight[:, :, index], out=best)
    return np.asarray(np.maximum.reduceat(best, motion.starts, axis=0))


def _trace(best: Floats, motion: Motion) -> tuple[Ints, Ints]:
    """The most likely states, from the last back to the first."""
    clips, _, headings = best.shape
    place, heading = np.empty(clips, np.int64), np.empty(clips, np.int64)
    place[-1], heading[-1] = divmod(int(best[-1].argmax()), headings)
    ends = np.append(motion.starts[1:], len(motion.source))
    for clip in range(clips - 1, 0, -1):
        edges = slice(int(motion.starts[place[clip]]), int(ends[place[clip]]))
        came = np.array([(heading[clip] - turn) % headings for turn in motion.turns])
        weight = np.log(motion.weight[edges, heading[clip], :] + FLOOR)
        score = best[clip - 1][motion.source[edges]][:, came] + weight
        edge, turn = divmod(int(score.argmax()), len(motion.turns))
        place[clip - 1], heading[clip - 1] = motion.source[edges][edge], came[turn]
    return place, heading


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
