"""Growing evidence: what the first seconds of a drive say, as if the video had ended there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gama_core.geo import LatLon
from gama_core.result import Localization
from gama_core.settings import Settings
from gama_core.stages import OnStage, silent
from gama_core.tile import held_by
from gama_core.track import Track

if TYPE_CHECKING:
    from gama_core.embed import Models
    from gama_core.gallery import Gallery
    from gama_core.see import Seen
    from gama_core.streets import Streets

MOMENTS_S = (1, 2, 5, 10, 15, 20, 30, 40, 60, 90, 120, 180, 300, 600, 1200, 1800, 3600)  # and the end


@dataclass(frozen=True)
class Evidence:
    """What the first seconds of a drive say. The three probabilities are of the drive as seen so far and sum to at
    most 1: that it lies where the whole drive puts this part of it, in the likeliest other region, in no region of the
    gallery."""

    seconds: float  # of video seen
    clips: int
    probability: float
    rival: int | None  # index of the likeliest other region; None where there is no other
    rival_probability: float
    outside_probability: float
    times_s: tuple[float, ...]
    places: tuple[LatLon, ...]  # where the clips seen so far are put, with what is known so far
    answer: Localization  # to these seconds alone

    @property
    def leads(self) -> bool:
        """Whether the answer is likelier than any other."""
        return self.probability > max(self.rival_probability, self.outside_probability)

    def right_probability(self, track: Track) -> float | None:
        """The probability in [0, 1] of the regions that the drive truly went through so far; None where unknown."""
        truths = [at for at in map(track.at, self.times_s) if at is not None]
        if not truths:
            return None
        hits = self.answer.regions
        held = np.asarray(held_by(truths, [hit.region for hit in hits]).any(axis=0))
        true = [hit for hit, holds in zip(hits, held, strict=True) if holds]
        return self.answer.chance(sum(hit.probability for hit in true), [hit.index for hit in true])

    def errors_m(self, track: Track) -> tuple[float, ...]:
        """Distances of the places from the truth, where it is known."""
        truths = [track.at(time_s) for time_s in self.times_s]
        return tuple(truth.distance_m(at) for truth, at in zip(truths, self.places, strict=True) if truth is not None)


def growing_evidence(
    seen: Seen,
    gallery: Gallery,
    models: Models,
    settings: Settings | None = None,
    on_stage: OnStage | None = None,
    streets: Streets | None = None,
) -> tuple[Evidence, ...]:
    """The answers by the first 1, 2, 5, 10 ... seconds of a drive and by all of it.

    Args:
        seen: the whole drive, by `see`; it is embedded once, and searched as often as there are moments.
        gallery, models, settings, streets: as the answer was made with.
        on_stage: hears ("evidence", done, total); may raise `Cancelled`.

    Returns:
        One for each moment, the last one for the whole drive.
    """
    from gama_core.closer import KnownViews
    from gama_core.localize import find  # torch takes seconds, and `Evidence` alone needs none of it

    hear = on_stage or silent
    counts = moments(seen.times_s)
    hear("evidence", 0, len(counts))
    views = KnownViews()  # what one moment looks at closely, the others need not look at again
    grown: list[Evidence] = []

    def asked(begun: Seen) -> Localization:
        def still(_stage: str, _done: int, _total: int) -> None:
            hear("evidence", len(grown), len(counts))

        return find(begun, gallery, models, settings, still, streets, views=views)

    whole = asked(seen)
    for count in counts:
        begun = seen.first(count)
        answer = whole if count == counts[-1] else asked(begun)
        grown.append(_evidence(answer, answered(whole, count), begun.duration_s))
        hear("evidence", len(grown), len(counts))
    return tuple(grown)


def tabled(grown: Sequence[Evidence], track: Track | None = None) -> dict[str, dict[str, float]]:
    """The figures of each moment by what they are and by the seconds seen; errors only where the truth is known."""
    table = {
        "probability_after": {_after(one): round(one.probability, 3) for one in grown},
        "rival_after": {_after(one): round(one.rival_probability, 3) for one in grown},
        "not_here_after": {_after(one): round(one.outside_probability, 3) for one in grown},
    }
    if track is None:
        return table
    right = {_after(one): one.right_probability(track) for one in grown}
    errors_m = {_after(one): one.errors_m(track) for one in grown}
    beside = {
        "right_region_after": {after: round(chance, 3) for after, chance in right.items() if chance is not None},
        "median_error_m_after": {
            after: round(float(np.median(found)), 1) for after, found in errors_m.items() if found
        },
    }
    return table | {name: known for name, known in beside.items() if known}


def _after(moment: Evidence) -> str:
    return f"{round(moment.seconds, 1):g}_s"


def moments(times_s: NDArray[np.float64]) -> list[int]:
    """How many clips have begun by each moment: increasing, the last one all."""
    begun = np.searchsorted(times_s, MOMENTS_S, side="left")
    return sorted({int(count) for count in begun if count} | {len(times_s)})


def answered(whole: Localization, clips: int) -> frozenset[int]:
    """The regions in which an answer puts the first clips of its drive; the best region where it has no path."""
    return frozenset(step.region_index for step in whole.path[:clips]) or frozenset([whole.regions[0].index])


def _evidence(answer: Localization, regions: frozenset[int], seconds: float) -> Evidence:
    others = [hit for hit in answer.regions if hit.index not in regions]
    rival = max(others, key=lambda hit: hit.probability, default=None)
    steps = answer.path or answer.after
    return Evidence(
        seconds=seconds,
        clips=len(answer.before),
        probability=answer.chance(sum(hit.probability for hit in answer.regions if hit.index in regions), regions),
        rival=rival.index if rival else None,
        rival_probability=answer.chance(rival.probability, [rival.index]) if rival else 0.0,
        outside_probability=1.0 - answer.inside,
        times_s=tuple(step.time_s for step in steps),
        places=tuple(step.at for step in steps),
        answer=answer,
    )
