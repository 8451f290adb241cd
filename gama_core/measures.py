"""How far a path is from the true one, and how honest a confidence is: formulas over plain arrays, numpy alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gama_core.geo import Floats, LatLon, distances_m


def discrete_frechet_m(path: Sequence[LatLon], other: Sequence[LatLon]) -> float:
    """The shortest leash with which two walkers can step along two paths, in metres; NaN where one is empty.

    Each step moves one walker or both to the next point; nobody walks back.

    Source: Eiter and Mannila, Computing discrete Frechet distance, 1994.
    """
    if not path or not other:
        return float("nan")
    lat, lon = _column(path, 0), _column(path, 1)
    other_lat, other_lon = _column(other, 0), _column(other, 1)
    count, last = len(path), len(path) + len(other) - 2
    # One diagonal after the other, by the row of `path`, behind one that nobody can come from: whole arrays, and
    # never the matrix, which for a drive of hours would not fit into memory.
    before, two_before = np.full(count + 1, np.inf), np.full(count + 1, np.inf)
    for diagonal in range(last + 1):
        rows = np.arange(max(0, diagonal - len(other) + 1), min(diagonal, count - 1) + 1)
        columns = diagonal - rows
        leash = distances_m(lat[rows], lon[rows], other_lat[columns], other_lon[columns])
        if diagonal:
            come_from = np.minimum(np.minimum(before[rows + 1], before[rows]), two_before[rows])
            leash = np.maximum(leash, come_from)
        two_before, before = before, np.full(count + 1, np.inf)
        before[rows + 1] = leash
    return float(before[count])


def absolute_trajectory_error_m(error_m: ArrayLike) -> float:
    """The root of the mean squared error of a path's points, in metres; NaN without any.

    Nothing is aligned first: both paths lie on the same map.

    Source: Sturm et al., A benchmark for the evaluation of RGB-D SLAM systems, 2012.
    """
    errors = np.asarray(error_m, dtype=np.float64)
    return float(np.sqrt(np.mean(errors**2))) if errors.size else float("nan")


def expected_calibration_error(confidence: ArrayLike, right: ArrayLike, bins: int = 10) -> float:
    """How far what is said is from what happens, in [0, 1]: the mean over bins of |confidence - share right|, each
    bin weighed by what is in it; NaN without any.

    Args:
        confidence: probabilities (n,) in [0, 1].
        right: whether each came true (n,).
        bins: of equal width; the last one holds 1.

    Source: Guo et al., On calibration of modern neural networks, 2017.
    """
    said, came_true = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if not said.size:
        return float("nan")
    index = np.minimum((said * bins).astype(np.int64), bins - 1)
    gap = np.bincount(index, said - came_true, minlength=bins)
    return float(np.abs(gap).sum() / said.size)


def risk_coverage(confidence: ArrayLike, right: ArrayLike) -> tuple[Floats, Floats]:
    """What is risked if only the surest answers are taken.

    Args:
        confidence: any score (n,), larger is surer.
        right: whether each answer was right (n,).

    Returns:
        coverage float64 (m,), the share of the answers taken, rising to 1, and risk float64 (m,), the share of wrong
        ones among them; one point for each value of the confidence, since equals are taken together.

    Source: Geifman and El-Yaniv, Selective classification for deep neural networks, 2017.
    """
    said, came_true = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.float64)
    order = np.argsort(-said, kind="stable")
    last = np.append(np.flatnonzero(np.diff(said[order])), len(said) - 1) if len(said) else np.empty(0, np.int64)
    taken = last + 1.0
    return taken / max(len(said), 1), np.cumsum(1.0 - came_true[order])[last] / taken


def area_under_risk_coverage(confidence: ArrayLike, right: ArrayLike) -> float:
    """The mean risk over all coverages, in [0, 1]: the lower, the better the confidence sorts; NaN without any."""
    coverage, risk = risk_coverage(confidence, right)
    return float((np.diff(coverage, prepend=0.0) * risk).sum()) if coverage.size else float("nan")


def acceptance_threshold(inside: ArrayLike, accept: float = 0.95) -> float:
    """The largest score that at least a share `accept` of the true ones reach; scores (n,), n at least 1."""
    scores = np.sort(np.asarray(inside, dtype=np.float64))[::-1]
    return float(scores[int(np.ceil(accept * len(scores) - 1e-9)) - 1])


def rejection_at_acceptance(inside: ArrayLike, outside: ArrayLike, accept: float = 0.95) -> float:
    """The share in [0, 1] of the false ones that are refused where at least a share `accept` of the true ones pass.

    Args:
        inside: scores (n,) of what is there, larger is surer.
        outside: scores (m,) of what is not.
        accept: share of `inside` that must pass.

    Returns:
        NaN where one of them is empty.
    """
    known, strange = np.asarray(inside, dtype=np.float64), np.asarray(outside, dtype=np.float64)
    if not known.size or not strange.size:
        return float("nan")
    return float(np.mean(strange < acceptance_threshold(known, accept)))


def _column(path: Sequence[LatLon], index: int) -> NDArray[np.float64]:
    return np.array([(at.lat_deg, at.lon_deg)[index] for at in path], dtype=np.float64)
