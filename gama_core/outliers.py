"""Outliers explained: the clips that the first search put elsewhere than the whole drive does, and why they lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gama_core.evaluate import NEAR_M
from gama_core.result import Localization, PathStep, Step

Reason = Literal["region", "speed", "outvoted"]
LITTLE = 0.02  # of cosine between the best and the last candidate kept: below it the clip shows little


@dataclass(frozen=True)
class Outlier:
    """One clip whose best tile in the whole gallery lies off the place where the drive puts it."""

    clip: int
    time_s: float
    region_index: int  # where it pointed
    region_rank: int  # from 1
    region_probability: float
    away_m: float  # from the drive's place at that moment
    reason: Reason  # region: not a kept one; speed: no car gets there and back in time; else the others outvote it
    needed_m_s: float  # to drive from the place before, or to the one after, whichever takes more; 0 for a clip alone
    margin: float  # of cosine between the best candidate and the last one kept
    shows_little: bool


def outliers(localization: Localization) -> tuple[Outlier, ...]:
    """The clips whose top-1 in the whole gallery lies more than 80 m off their final place, in the drive's order.

    The final place is that of the path, or of the hierarchical step where no path was decoded. Uses the answer alone:
    where the answer is wrong, a clip may be right and still be listed.
    """
    final: Sequence[PathStep | Step] = localization.path or localization.after
    ranks = {hit.index: rank for rank, hit in enumerate(localization.regions, start=1)}
    found = []
    for index, step in enumerate(localization.before):
        away_m = step.at.distance_m(final[index].at)
        if away_m <= NEAR_M:
            continue
        rank = ranks[step.best.region_index]
        needed_m_s = _needed_m_s(step, final, index)
        margin = step.best.score - step.candidates[-1].score
        found.append(
            Outlier(
                clip=step.clip,
                time_s=step.time_s,
                region_index=step.best.region_index,
                region_rank=rank,
                region_probability=localization.regions[rank - 1].probability,
                away_m=away_m,
                reason=_reason(localization, step, needed_m_s),
                needed_m_s=needed_m_s,
                margin=margin,
                shows_little=len(step.candidates) > 1 and margin < LITTLE,
            )
        )
    return tuple(found)


def _reason(localization: Localization, step: Step, needed_m_s: float) -> Reason:
    if step.best.region_index not in localization.kept:
        return "region"
    return "speed" if localization.path and needed_m_s > localization.settings.max_speed_m_s else "outvoted"


def _needed_m_s(step: Step, final: Sequence[PathStep | Step], index: int) -> float:
    """How fast a car must be to pass the clip's best place between the drive's places before and after."""
    beside = [final[other] for other in (index - 1, index + 1) if 0 <= other < len(final)]
    return max((step.at.distance_m(other.at) / abs(other.time_s - step.time_s) for other in beside), default=0.0)
