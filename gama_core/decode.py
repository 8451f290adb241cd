"""One drivable path through what each clip saw, with an honest confidence: a hidden Markov model over views.

A state is a view of the gallery: a place and a heading. A clip speaks for the views that look like it, and may have
seen nothing of use; between two clips the camera moves forwards, about where it looks, and turns little.
Forward-backward gives the posterior, Viterbi over the posterior the drive: the one likeliest drive of all may be a
narrow one, far from where most of the probability lies. Places between the views come from the posterior's centre of
mass.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gama_core.moves import Floats, Ints, Motion, Singles

FLOOR = 1e-30
LOG_FLOOR = float(np.log(FLOOR))  # of a jump to anywhere: a way with a hole in it is still a way


@dataclass(frozen=True)
class Decoded:
    """The posterior (C, P, R), each clip's summing to 1, and the drive through it: states (C,) as place and
    heading indices."""

    posterior: Floats | Singles
    place: Ints
    heading: Ints


def decode(emission: Floats | Singles, motion: Motion, gaps: NDArray[np.bool_] | None = None) -> Decoded:
    """The posterior, and the drive that goes through the most of it.

    Args:
        emission: (C, P, R), how likely each clip is at each state; positive, any scale. Its precision is that of all.
        motion: how the camera moves from clip to clip.
        gaps: from which clips to the next (C - 1,) it may have gone anywhere; None: from none.

    Returns:
        See `Decoded`; exact for this model, in which anything may follow anything with a probability of `FLOOR`.

    Source: posterior-Viterbi decoding, Fariselli et al., BMC Bioinformatics 2005.
    """
    emission = emission / np.maximum(emission.mean(axis=(1, 2), keepdims=True), FLOOR) + FLOOR
    clips = len(emission)
    gaps = np.zeros(max(clips - 1, 0), np.bool_) if gaps is None else gaps
    forward, anywhere = np.empty_like(emission), np.ones_like(emission[0])
    forward[0] = emission[0] / emission[0].sum()
    for clip in range(1, clips):
        moved = anywhere if gaps[clip - 1] else _push(forward[clip - 1], motion, motion.weight(clip - 1))
        forward[clip] = (moved + FLOOR) * emission[clip]
        forward[clip] /= forward[clip].sum()
    posterior, backward = forward, anywhere  # in place: a long drive fills the memory
    for clip in range(clips - 2, -1, -1):
        after = backward * emission[clip + 1]
        jumped = FLOOR * float(after.sum(dtype=np.float64))
        backward = anywhere if gaps[clip] else _pull(after, motion, motion.weight(clip)) + jumped
        backward = backward / backward.max()
        posterior[clip] *= backward
    posterior /= posterior.sum(axis=(1, 2), keepdims=True)
    best = np.log(posterior + FLOOR)
    for clip in range(1, clips):
        if gaps[clip - 1]:
            best[clip] -= best[clip].max()
            continue
        driven = _push_best(best[clip - 1], motion, motion.log_weight(clip - 1))
        best[clip] += np.maximum(driven, best[clip - 1].max() + LOG_FLOOR)
        best[clip] -= best[clip].max()
    place, heading = _trace(best, motion, gaps)
    return Decoded(posterior, place, heading)


def emissions(similarity: Singles, sharpness: Floats, doubt: float, looked: NDArray[np.bool_] | None = None) -> Singles:
    """How likely each clip is at each state, float32 (C, P, R), from cosines (C, P, R): its share of a softmax over all
    states, as sharp as the clip is to be believed (C,), and with probability `doubt` anywhere. Where only some states
    were looked at, (P, R), the others are not likely at all."""
    weights = sharpness.astype(np.float32)[:, None, None] * similarity
    if looked is not None:
        weights[:, ~looked] = -np.inf
    weights -= weights.max(axis=(1, 2), keepdims=True)
    np.exp(weights, out=weights)
    weights *= (1 - doubt) / weights.sum(axis=(1, 2), keepdims=True, dtype=np.float64)
    every = np.ones(similarity.shape[1:], np.bool_) if looked is None else looked
    weights += (doubt / np.count_nonzero(every)) * every
    return weights


def smoothed(
    x_m: Floats,
    y_m: Floats,
    sure_m: Floats,
    step_s: float,
    moved_m: Floats | None = None,
    spread_m: Floats | None = None,
    driven: NDArray[np.bool_] | None = None,
) -> tuple[Floats, Floats]:
    """A path that a car can drive: near each place as far as that is sure (metres), with little acceleration, and from
    place to place as far as the camera was seen to move.

    Least squares: the places weigh 1 / sure^2, the accelerations 1 / (2 m/s^2)^2, the moves 1 / spread^2.

    Args:
        x_m, y_m, sure_m: places (C,) and one sigma of each.
        step_s: from one to the next.
        moved_m: metres east and south from each place to the next (C - 1, 2), where it was measured; NaN where not.
            What the places plainly contradict is left out.
        spread_m: one sigma of each move (C - 1,).
        driven: which of the moves were driven at all (C - 1,); over the others, a gap in the video or a jump of the
            path, nothing is smoothed. All where None.
    """
    clips = len(x_m)
    if clips < 3:
        return x_m, y_m
    places, sure_m = np.stack([x_m, y_m], axis=1), np.maximum(sure_m, 3.0)
    driven = np.ones(clips - 1, np.bool_) if driven is None else driven
    change = np.diff(np.eye(clips), n=2, axis=0)[driven[1:] & driven[:-1]]
    system = np.diag(1.0 / sure_m**2) + change.T @ change / (2.0 * step_s**2) ** 2
    wanted = places / sure_m[:, None] ** 2
    if moved_m is not None and spread_m is not None:
        off_m = np.hypot(*(np.diff(places, axis=0) - moved_m).T)
        believed = off_m <= 3.0 * np.sqrt(spread_m**2 + sure_m[1:] ** 2 + sure_m[:-1] ** 2)  # NaN is not believed
        believed &= driven
        moves = np.diff(np.eye(clips), axis=0)[believed] / spread_m[believed, None]
        system += moves.T @ moves
        wanted += moves.T @ (moved_m[believed] / spread_m[believed, None])
    both = np.linalg.solve(system, wanted)
    return both[:, 0].astype(np.float64), both[:, 1].astype(np.float64)


def _push(state: Floats, motion: Motion, weight: Singles) -> Floats:
    """Probability carried along the edges: (P, R) to (P, R)."""
    edges = motion.edges
    arriving = np.zeros((len(edges.source), state.shape[1]), state.dtype)
    for index, turn in enumerate(edges.turns):
        arriving += np.roll(state, turn, axis=1)[edges.source] * weight[:, :, index]
    return np.asarray(np.add.reduceat(arriving, edges.starts, axis=0))


def _pull(state: Floats, motion: Motion, weight: Singles) -> Floats:
    """The same against the edges."""
    edges = motion.edges
    pulled = np.zeros_like(state)
    for index, turn in enumerate(edges.turns):
        leaving = state[edges.target] * weight[:, :, index]
        pulled += np.roll(np.add.reduceat(leaving[edges.by_source], edges.starts, axis=0), -turn, axis=1)
    return pulled


def _push_best(state: Floats, motion: Motion, log_weight: Singles) -> Floats:
    """Log-probability of the best way to each state."""
    edges = motion.edges
    best = np.full((len(edges.source), state.shape[1]), -np.inf, state.dtype)
    for index, turn in enumerate(edges.turns):
        np.maximum(best, np.roll(state, turn, axis=1)[edges.source] + log_weight[:, :, index], out=best)
    return np.asarray(np.maximum.reduceat(best, edges.starts, axis=0))


def _trace(best: Floats, motion: Motion, gaps: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """The most likely states, from the last back to the first."""
    edges = motion.edges
    clips, _, headings = best.shape
    place, heading = np.empty(clips, np.int64), np.empty(clips, np.int64)
    place[-1], heading[-1] = divmod(int(best[-1].argmax()), headings)
    ends = np.append(edges.starts[1:], len(edges.source))
    for clip in range(clips - 1, 0, -1):
        arriving = slice(int(edges.starts[place[clip]]), int(ends[place[clip]]))
        came = np.array([(heading[clip] - turn) % headings for turn in edges.turns])
        weight = motion.log_weight(clip - 1, arriving)[:, heading[clip], :]
        score = best[clip - 1][edges.source[arriving]][:, came] + weight
        if gaps[clip - 1] or not score.size or score.max() < best[clip - 1].max() + LOG_FLOOR:
            place[clip - 1], heading[clip - 1] = divmod(int(best[clip - 1].argmax()), headings)
            continue
        edge, turn = divmod(int(score.argmax()), len(edges.turns))
        place[clip - 1], heading[clip - 1] = edges.source[arriving][edge], came[turn]
    return place, heading
