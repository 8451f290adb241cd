"""How good an answer is: the figures of a localization beside the true track, and without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gama_core.geo import LatLon, angle_between_deg
from gama_core.measures import absolute_trajectory_error_m, discrete_frechet_m
from gama_core.result import Localization, Step
from gama_core.tile import held_by
from gama_core.track import Track

NEAR_M = 80.0  # the field's limit for a clip found (0.05 mile, as the paper's metric)
PRECISE_M = 25.0
LONGER_S = 30.0  # a track as much longer than its video is of more than the video


@dataclass(frozen=True)
class Stage:
    """One stage's errors in metres, a value a clip; None where the truth is unknown."""

    error_m: tuple[float | None, ...]

    @property
    def known(self) -> tuple[float, ...]:
        return tuple(error for error in self.error_m if error is not None)

    def recall(self, within_m: float = NEAR_M) -> float:
        """Share of the clips with a known truth that lie within so many metres, in [0, 1]; NaN without any."""
        return float(np.mean(np.array(self.known) <= within_m)) if self.known else float("nan")

    @property
    def median_m(self) -> float:
        return float(np.median(self.known)) if self.known else float("nan")

    @property
    def root_mean_square_m(self) -> float:
        """The absolute trajectory error, where the stage is a path."""
        return absolute_trajectory_error_m(self.known)

    @property
    def mean_m(self) -> float:
        return float(np.mean(self.known)) if self.known else float("nan")


@dataclass(frozen=True)
class Comparison:
    """A localization beside the true track."""

    truth: tuple[LatLon | None, ...]  # per clip
    before: Stage
    after: Stage
    path: Stage | None
    region_rank: int | None  # 1 = the region that holds most of the drive was ranked first; None: not in the gallery
    true_region_index: int | None
    heading_error_deg: float | None  # median of the decoded path, where the drive moves
    frechet_m: float | None = None  # discrete Frechet distance of the decoded path, where the truth is known


@dataclass(frozen=True)
class Agreement:
    """What can be said without a true track."""

    share_agreeing: float  # of the first search's top-1 that lie where the answer has the drive, in [0, 1]
    spread_before_m: float  # median distance of the top-1 from their median place
    spread_after_m: float


def compare(localization: Localization, track: Track) -> Comparison:
    """The figures of an answer beside the truth.

    Args:
        localization: the answer.
        track: where the drive really was, in seconds of the video.

    Returns:
        Errors per clip and stage, and the rank of the region that holds most of the drive's clips.
    """
    truth = tuple(track.at(step.time_s) for step in localization.before)
    true_region = _true_region(truth, localization)
    ranks = {hit.index: rank for rank, hit in enumerate(localization.regions, start=1)}
    path = localization.path
    return Comparison(
        truth=truth,
        before=_stage([step.at for step in localization.before], truth),
        after=_stage([step.at for step in localization.after], truth),
        path=_stage([step.at for step in path], truth) if path else None,
        region_rank=ranks[true_region] if true_region is not None else None,
        true_region_index=true_region,
        heading_error_deg=_heading_error_deg(localization, track),
        frechet_m=_frechet_m([step.at for step in path], truth),
    )


def summary(rows: Sequence[tuple[Localization, Comparison]]) -> dict[str, Any]:
    """The figures of many drives: recall and error over all their clips, ranks over the drives.

    Args:
        rows: localizations with their comparisons.

    Returns:
        Names to figures; recalls and shares in [0, 1], errors in metres.
    """
    figures: dict[str, Any] = {"drives": len(rows), "clips": sum(len(answer.before) for answer, _ in rows)}
    known = [comparison for _, comparison in rows if any(at is not None for at in comparison.truth)]
    if len(known) < len(rows):
        figures["drives_without_truth"] = len(rows) - len(known)
    ranks = [comparison.region_rank for comparison in known]
    if ranks:
        figures["region_recall"] = {
            f"@{k}": _share([rank is not None and rank <= k for rank in ranks]) for k in (1, 5, 10)
        }
    for name in ("before", "after", "path"):
        stages = [getattr(comparison, name) for _, comparison in rows]
        errors = tuple(error for stage in stages if stage is not None for error in stage.known)
        if errors:
            stage = Stage(errors)
            figures[name] = {
                "within_25_m": round(stage.recall(PRECISE_M), 3),
                "within_80_m": round(stage.recall(), 3),
                "median_m": round(stage.median_m, 1),
                "mean_m": round(stage.mean_m, 1),
                "root_mean_square_m": round(stage.root_mean_square_m, 1),
            }
    leashes = [comparison.frechet_m for _, comparison in rows if comparison.frechet_m is not None]
    if leashes:
        figures["frechet_m"] = round(float(np.median(leashes)), 1)
    headings = [comparison.heading_error_deg for _, comparison in rows if comparison.heading_error_deg is not None]
    if headings:
        figures["heading_error_deg"] = round(float(np.median(headings)), 1)
    figures["confidence"] = round(float(np.mean([answer.confidence for answer, _ in rows])), 3)
    return figures


def agreement(localization: Localization) -> Agreement:
    """How far the clips agree with each other: the figures to show where no truth is known."""
    inside = [step.best.region_index in localization.crossed for step in localization.before]
    return Agreement(
        share_agreeing=float(np.mean(inside)),
        spread_before_m=_spread_m(localization.before),
        spread_after_m=_spread_m(localization.after),
    )


def start_doubt(track: Track, duration_s: float) -> str:
    """What a person must know who compares a video with a track that does not meet it, or is much longer and began
    nobody knows when."""
    start_s, end_s = track.fixes[0].time_s, track.end_s
    if start_s > duration_s or end_s < 0.0:
        return (
            f"The GPS file tells of {start_s:.0f} to {end_s:.0f} s after the first frame, and the video lasts "
            f"{duration_s:.0f} s: they do not meet, and nothing was compared. Is the start of the track right?"
        )
    longer_s = end_s - duration_s
    if not track.start_assumed or longer_s < LONGER_S:
        return ""
    return (
        f"The GPS file holds times of day and runs {longer_s:.0f} s longer than the video. Its first fix was taken for "
        "the first frame: if the video began later, what is compared with it is wrong."
    )


def _true_region(truth: Sequence[LatLon | None], localization: Localization) -> int | None:
    """The searched region that holds most of the clips, the first in the gallery of equals; None where none does."""
    hits = sorted(localization.regions, key=lambda hit: hit.index)
    known = [at for at in truth if at is not None]
    if not known:
        return None
    votes = held_by(known, [hit.region for hit in hits]).sum(axis=0)
    return hits[int(votes.argmax())].index if votes.any() else None


def _share(hits: Sequence[bool]) -> float:
    return round(float(np.mean(hits)), 3)


def _stage(found: Sequence[LatLon], truth: Sequence[LatLon | None]) -> Stage:
    pairs = zip(found, truth, strict=True)
    return Stage(tuple(None if at is None else place.distance_m(at) for place, at in pairs))


def _frechet_m(path: Sequence[LatLon], truth: Sequence[LatLon | None]) -> float | None:
    known = [(at, true) for at, true in zip(path, truth, strict=False) if true is not None]
    return discrete_frechet_m([at for at, _ in known], [true for _, true in known]) if known else None


def _spread_m(steps: Sequence[Step]) -> float:
    middle = LatLon(
        float(np.median([step.at.lat_deg for step in steps])), float(np.median([step.at.lon_deg for step in steps]))
    )
    return float(np.median([middle.distance_m(step.at) for step in steps]))


def _heading_error_deg(localization: Localization, track: Track) -> float | None:
    errors = []
    for step in localization.path:
        back, ahead = track.at(step.time_s - 1.0), track.at(step.time_s + 1.0)
        if step.heading_deg is None or back is None or ahead is None or back.distance_m(ahead) < 8.0:
            continue
        errors.append(float(angle_between_deg(step.heading_deg, back.bearing_deg(ahead))))
    return float(np.median(errors)) if errors else None
