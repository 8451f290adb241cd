"""What a run's clips say as curves and bars: pure functions of a run, numpy alone; drawing is done elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gama_core.evaluate import NEAR_M
from gama_core.geo import METRES_PER_MILE, Floats, LatLon, distances_m
from gama_core.measures import risk_coverage
from gama_core.run import ClipRecord, Run

BEFORE, AFTER, PATH = "GAMa-Net", "hierarchical", "path"  # the stages of an answer, in order
NEAREST_MILES, FARTHEST_MILES = 0.005, 2.0
POINTS = 160  # of a curve


@dataclass(frozen=True, eq=False)
class Curve:
    """A line: x ascending and y, float64 (n,) each."""

    name: str
    x: Floats
    y: Floats


@dataclass(frozen=True, eq=False)
class Bars:
    """One group of bars a label: clips in it, and the share right by stage; without an answer a clip is wrong."""

    labels: tuple[str, ...]
    counts: NDArray[np.int64]
    share: dict[str, Floats]


@dataclass(frozen=True)
class Miss:
    """A clip and how far off its last stage was; infinite where nothing was found for it."""

    clip: ClipRecord
    index: int
    error_m: float


def errors_m(run: Run) -> dict[str, Floats]:
    """How far each clip's best answer lies from the truth, by stage.

    Returns:
        Metres, float64 (C,), infinite for a clip without an answer; a stage that never answered is left out.
    """
    clips = run.clips
    stages: dict[str, list[LatLon | None]] = {
        BEFORE: [clip.before[0].at if clip.before else None for clip in clips],
        AFTER: [clip.after[0].at if clip.after else None for clip in clips],
        PATH: [clip.path for clip in clips],
    }
    lat, lon = _columns([clip.truth for clip in clips])
    return {
        name: np.nan_to_num(distances_m(lat, lon, *_columns(found)), nan=np.inf)
        for name, found in stages.items()
        if any(at is not None for at in found)
    }


def recall_by_distance(run: Run) -> list[Curve]:
    """The share of clips answered within a distance: x in miles from 0.005 to 2, evenly on a log axis, y in [0, 1]."""
    miles = np.geomspace(NEAREST_MILES, FARTHEST_MILES, POINTS)
    return [
        Curve(name, miles, np.searchsorted(np.sort(error), miles * METRES_PER_MILE, side="right") / len(error))
        for name, error in errors_m(run).items()
    ]


def recall_by_k(run: Run) -> list[Curve]:
    """The share of clips with a right item among the first k, y in [0, 1].

    Where the run holds ranks, x runs over the whole gallery, evenly on a log axis; elsewhere over the candidates
    kept, and right is one within 80 m (the paper's 0.05 mile) of the truth.
    """
    ranks = np.array([np.inf if clip.rank is None else clip.rank for clip in run.clips])
    curves = []
    if np.isfinite(ranks).any():
        k = np.unique(np.geomspace(1, max(run.gallery_size, 1), POINTS).round())
        curves.append(Curve(BEFORE, k, np.searchsorted(np.sort(ranks), k, side="right") / len(ranks)))
    lists = {BEFORE: [clip.before for clip in run.clips], AFTER: [clip.after for clip in run.clips]}
    for name, found in lists.items():
        longest = max((len(matches) for matches in found), default=0)
        if not longest or any(curve.name == name for curve in curves):
            continue
        right = np.zeros((len(found), longest), bool)
        for column in range(longest):
            at = [matches[column].at if len(matches) > column else None for matches in found]
            lat, lon = _columns([clip.truth for clip in run.clips])
            right[:, column] = distances_m(lat, lon, *_columns(at)) <= NEAR_M
        share = np.logical_or.accumulate(right, axis=1).mean(axis=0)
        curves.append(Curve(name, np.arange(1.0, longest + 1), share))
    return curves


def error_distribution(run: Run) -> list[Curve]:
    """The cumulative distribution of the error: x in metres at even shares of the clips, y the share in (0, 1]."""
    curves = []
    for name, error in errors_m(run).items():
        answered = np.sort(error[np.isfinite(error)])
        picked = np.unique(np.linspace(0, len(answered) - 1, min(len(answered), 2 * POINTS)).round().astype(int))
        curves.append(Curve(name, answered[picked], (picked + 1) / len(error)))
    return curves


def risk_by_coverage(run: Run) -> list[Curve]:
    """What is risked if only the surest clips are answered: x the share answered, y the share wrong among them, float64
    in [0, 1]; of the path, whose clips say how sure they are. Empty where none does."""
    said = [
        (clip.confidence, clip.path.distance_m(clip.truth) <= NEAR_M) for clip in run.clips if clip.path is not None
    ]
    known = [(chance, right) for chance, right in said if chance is not None]
    if not known:
        return []
    coverage, risk = risk_coverage(*zip(*known, strict=True))
    return [Curve(PATH, coverage, risk)]


def by_region(run: Run) -> Bars:
    """Recall within 80 m by the region in which the truth lies; regions with more clips come first."""
    found = _bars(run, lambda clip: clip.region or None)
    order = np.argsort(-found.counts, kind="stable")
    return Bars(
        tuple(found.labels[row] for row in order),
        found.counts[order],
        {name: share[order] for name, share in found.share.items()},
    )


def by_hour(run: Run) -> Bars:
    """Recall within 80 m by the local hour of the recording, where it is known."""
    return _bars(run, lambda clip: None if clip.hour is None else f"{clip.hour:02d}")


def by_condition(run: Run) -> Bars:
    """Recall within 80 m by weather or light, where it is known."""
    return _bars(run, lambda clip: clip.condition)


def by_drive(run: Run) -> Bars:
    """Recall within 80 m by drive."""
    return _bars(run, lambda clip: clip.drive)


def worst_clips(run: Run, count: int, per_drive: int | None = None) -> list[Miss]:
    """The clips whose last stage is furthest off, worst first.

    Args:
        count: how many, at most.
        per_drive: no more than so many of one drive; None: as they come.
    """
    stages = errors_m(run)
    if not stages:
        return []
    error = list(stages.values())[-1]
    taken: dict[str, int] = {}
    found: list[Miss] = []
    for index in np.argsort(-error, kind="stable").tolist():
        clip = run.clips[index]
        if len(found) == count:
            break
        if per_drive is not None and taken.get(clip.drive, 0) >= per_drive:
            continue
        taken[clip.drive] = taken.get(clip.drive, 0) + 1
        found.append(Miss(clip, index, float(error[index])))
    return found


def _bars(run: Run, label_of: Callable[[ClipRecord], str | None]) -> Bars:
    labels = [label_of(clip) for clip in run.clips]
    names = sorted({label for label in labels if label is not None})
    number = {name: row for row, name in enumerate(names)}
    row = np.array([-1 if label is None else number[label] for label in labels], dtype=np.int64)
    known = row >= 0
    counts = np.bincount(row[known], minlength=len(names))
    share = {
        stage: np.bincount(row[known], (error <= NEAR_M)[known], minlength=len(names)) / np.maximum(counts, 1)
        for stage, error in errors_m(run).items()
    }
    return Bars(tuple(names), counts, share)


def _columns(places: Iterable[LatLon | None] | Sequence[LatLon]) -> tuple[Floats, Floats]:
    """Latitudes and longitudes, NaN for None."""
    pairs = [(np.nan, np.nan) if at is None else (at.lat_deg, at.lon_deg) for at in places]
    both = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    return both[:, 0], both[:, 1]
