"""Which way the camera looked, finer than the headings of the views: from how much those beside it resemble the clip,
and from how the camera was seen to turn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gama_core.moves import Floats, Odometry

SURE = 0.27  # one sigma of what a clip alone tells, in steps from heading to heading
PLAIN_SIGMAS = 3.0  # a turn that is so far off is left out


def between_views_deg(weight: Floats, views_deg: Floats) -> Floats | None:
    """The circular mean of the views' headings, degrees clockwise from north in [0, 360), float64 (C,).

    Args:
        weight: of each clip's views, (C, R), not negative.
        views_deg: their headings (R,), evenly around; fewer than four tell nothing: None.
    """
    if len(views_deg) < 4:
        return None
    return np.degrees(np.angle(weight @ np.exp(1j * np.radians(views_deg)))) % 360.0


def beside(chosen: np.ndarray, resemblance: Floats) -> Floats:
    """Weights (C, R) for `between_views_deg`: how much the view of the chosen heading (C,) and the next on both sides
    resemble the clip, (C, R); nothing of all others.

    The posterior will not do: a path that knows how the camera turned keeps to one heading of the views.
    """
    clips = np.arange(len(chosen))
    weight = np.zeros_like(resemblance)
    for side in (-1, 0, 1):
        near = (chosen + side) % resemblance.shape[1]
        weight[clips, near] = resemblance[clips, near]
    weight[clips, chosen] = np.maximum(weight[clips, chosen], np.finfo(np.float64).tiny)
    return weight


def steadied_deg(
    headings_deg: Floats, step_deg: float, odometry: Odometry, step_s: float, gaps: NDArray[np.bool_] | None = None
) -> Floats:
    """Headings (C,) that keep to those given, and turn from clip to clip as the camera was seen to.

    Least squares: a heading weighs 1 / sigma^2, and so does a turn; one that was not measured, or that the headings
    plainly contradict, nothing.

    Args:
        headings_deg: float64 (C,).
        step_deg: from one heading of the views to the next.
        odometry: how the camera was seen to move in each clip.
        step_s: from clip to clip.
        gaps: from which clips to the next (C - 1,) the video tells nothing of the way, if there are any.
    """
    clips = len(headings_deg)
    sure_deg = SURE * step_deg
    known = np.array([odometry.between(clip) for clip in range(clips - 1)]).reshape(-1, 4)
    turn_deg, spread_deg = known[:, 1] * step_s, known[:, 3] * step_s
    off_deg = (np.diff(headings_deg) - turn_deg + 180.0) % 360.0 - 180.0
    believed = np.abs(off_deg) <= PLAIN_SIGMAS * np.hypot(spread_deg, step_deg)  # NaN is not believed
    if gaps is not None:
        believed &= ~gaps
    turns = np.diff(np.eye(clips), axis=0)[believed] / spread_deg[believed, None]
    # In what is to be added to each heading, nothing goes round.
    added = np.linalg.solve(
        np.eye(clips) / sure_deg**2 + turns.T @ turns, turns.T @ (-off_deg[believed] / spread_deg[believed])
    )
    return np.asarray((headings_deg + added) % 360.0)
