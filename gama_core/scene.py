"""What the map of a drive is about: the regions that matter, and the rows that draw.js makes labels and boxes of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from gama_core.basemap import box, point
from gama_core.evaluate import Comparison, Stage, compare
from gama_core.geo import Bounds, LatLon
from gama_core.labels import spots
from gama_core.lines import band
from gama_core.result import Localization, RegionHit, Step
from gama_core.tile import held_by
from gama_core.track import Track

RANKED = 200  # regions shown in the ranking
FAR = 12  # regions' sides, around all that is shown at first
LEAST = 0.005  # a probability below it is not worth its digits
Rows = list[list[Any]]


@dataclass(frozen=True)
class Scene:
    """A localization beside the truth, if that is known."""

    localization: Localization
    track: Track | None

    @cached_property
    def comparison(self) -> Comparison | None:
        """The figures beside the truth."""
        return compare(self.localization, self.track) if self.track else None

    @cached_property
    def home(self) -> RegionHit:
        """The region that the map is about: the true one where it is known and searched, else the most likely one."""
        true = self.comparison.true_region_index if self.comparison else None
        hits = self.localization.regions
        return next((hit for hit in hits if hit.index == true), hits[0])

    @property
    def home_is_true(self) -> bool:
        return self.comparison is not None and self.comparison.true_region_index is not None

    @cached_property
    def passed(self) -> frozenset[int]:
        """Indices of the regions that the drive passed through, home among them: by the truth where it is known, else
        by the path. What was found in them is no outlier."""
        hits = self.localization.regions
        if self.comparison is None or not (known := [at for at in self.comparison.truth if at is not None]):
            return self.localization.crossed | {self.home.index}
        held = np.flatnonzero(held_by(known, [hit.region for hit in hits]).any(axis=0))
        return frozenset({self.home.index, *(hits[column].index for column in held.tolist())})

    @cached_property
    def band(self) -> list[list[list[LatLon]]]:
        """The outlines of the path's 90 % band, see `lines.band`."""
        return band(self.localization.path)

    @property
    def guess(self) -> RegionHit | None:
        """The most likely region, where that is not home."""
        best = self.localization.regions[0]
        return best if best != self.home else None

    @property
    def bounds(self) -> Bounds:
        """What to look at first: home, the path where it leads out of it, and the wrong guess; none that is far."""
        shown = self.home.region.bounds
        path = self.localization.path
        beside = [Bounds.around(step.at for step in path)] if path else []
        beside += [self.guess.region.bounds] if self.guess else []
        for other in beside:
            both = shown | other
            shown = both if both.width_m + both.height_m < FAR * self.home.region.size_m else shown
        return shown

    @property
    def concerned(self) -> set[int]:
        """Indices of the regions that were kept or that hold an answer of either search."""
        answers = (*self.localization.before, *self.localization.after)
        return {step.best.region_index for step in answers} | {*self.localization.kept}

    def chance(self, hit: RegionHit) -> float:
        """The probability in [0, 1] that the drive lies in a region, the doubt that it lies elsewhere included."""
        return self.localization.chance(hit.probability, [hit.index])

    def label_rows(self) -> dict[str, Rows]:
        """By kind (after, before, outlier), one row a place: [lat, lon, [clip, score, error in metres or None]...]."""
        found, figures = self.localization, self.comparison
        inside = [step for step in found.before if step.best.region_index in self.passed]
        outside = [step for step in found.before if step.best.region_index not in self.passed]
        before = _errors(found.before, figures.before if figures else None)
        return {
            "after": _label_rows(found.after, _errors(found.after, figures.after if figures else None)),
            "before": _label_rows(inside, before),
            "outlier": _label_rows(outside, before),
        }

    def outlier_rows(self) -> Rows:
        """Regions off the drive that hold a top-1 of the first search, as rows for gamaBoxes."""
        strangers = {step.best.region_index for step in self.localization.before} - self.passed
        return [
            [*box(hit.region.bounds), f"outliers here · ranked {rank} · p {share(self.chance(hit))}", 0.07]
            for rank, hit in enumerate(self.localization.regions, start=1)
            if hit.index in strangers
        ]

    def ranking_rows(self) -> Rows:
        """The best regions, the bluer the more likely, as rows for gamaBoxes."""
        rows = []
        for rank, hit in enumerate(self.localization.regions[:RANKED], start=1):
            chance = share(self.chance(hit))
            blue = round(0.05 + 0.4 * math.sqrt(self.chance(hit)), 3)
            hover = f"ranked {rank} · p {chance} · score {hit.score:.2f}"
            worth = self.chance(hit) >= LEAST
            rows.append([*box(hit.region.bounds), hover, blue, f"{rank} · {chance}" if worth else f"{rank}"])
        return rows

    def tags(self) -> Rows:
        """What stands on the upper borders: [lat, lon, text, kind, None]."""
        hits = self.localization.regions
        name = "true region" if self.home_is_true else "most likely region"
        rank = f"ranked {hits.index(self.home) + 1} of {len(hits)}"
        tags = [_tag(self.home, f"{name} · {rank} · p {share(self.chance(self.home))}", "home")]
        if self.guess:
            tags.append(_tag(self.guess, f"most likely region · p {share(self.chance(self.guess))}", "guess"))
        return tags


def share(probability: float) -> str:
    """A probability for a person; HTML."""
    return f"{probability:.2f}" if probability >= LEAST else "&lt; 0.01"


def _tag(hit: RegionHit, text: str, kind: str) -> list[Any]:
    bounds = hit.region.bounds
    return [*point(LatLon(bounds.north, bounds.center.lon_deg)), text, kind, None]


def _errors(steps: Sequence[Step], stage: Stage | None) -> dict[int, float | None]:
    """Rounded errors in metres by clip."""
    errors = stage.error_m if stage else [None] * len(steps)
    return {
        step.clip: None if error_m is None else round(error_m, 1)
        for step, error_m in zip(steps, errors, strict=True)
    }  # fmt: skip


def _label_rows(steps: Sequence[Step], errors: dict[int, float | None]) -> Rows:
    return [
        [*point(spot.at), *([step.clip, round(step.best.score, 3), errors[step.clip]] for step in spot.steps)]
        for spot in spots(steps)
    ]
