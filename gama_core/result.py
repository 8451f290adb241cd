"""What comes out: shortlists, ranked regions, the steps of a drive, and the whole localization.

A `Localization` holds all that the map, the exports and the evaluation need, and nothing of the truth.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gama_core.errors import GamaError
from gama_core.geo import LatLon
from gama_core.settings import Settings
from gama_core.tile import Region

SCHEMA = 2
SURE = 0.5  # of a confidence: with less, the answer is a guess

Verdict = Literal["yes", "we do not know", "not in this gallery"]


@dataclass(frozen=True)
class Shortlist:
    """The gallery rows most like each clip, best first: row int64 (C, K) and score float32 (C, K), cosine."""

    row: NDArray[np.int64]
    score: NDArray[np.float32]


@dataclass(frozen=True)
class RegionRanking:
    """All regions, best first: index int64 (R,) into the gallery's regions and score float32 (R,)."""

    index: NDArray[np.int64]
    score: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One view of the gallery as an answer for one clip; rotation_deg is the heading that the view shows upwards."""

    row: int
    at: LatLon
    rotation_deg: float
    region_index: int
    score: float


@dataclass(frozen=True, slots=True)
class Step:
    """One clip's answer: its best candidates at different places, best first (one at least)."""

    clip: int  # the clip's second in the video: the number on the map
    time_s: float
    candidates: tuple[Candidate, ...]

    @property
    def best(self) -> Candidate:
        return self.candidates[0]

    @property
    def at(self) -> LatLon:
        return self.candidates[0].at


@dataclass(frozen=True, slots=True)
class PathStep:
    """One moment of the decoded path. The radii hold 50 and 90 % of the posterior around `at`: they say how well the
    place is known if the path is right, and `confidence` says whether it is."""

    clip: int
    time_s: float
    at: LatLon
    heading_deg: float | None
    region_index: int
    confidence: float  # probability that the camera was within 80 m of `at`, in [0, 1]
    radius_50_m: float
    radius_90_m: float
    speed_m_s: float | None = None  # of the camera, where the network reads it from the clip


@dataclass(frozen=True, slots=True)
class RegionHit:
    """One region in the ranking: its place, its index in the gallery, its score and its probability in [0, 1]."""

    region: Region
    index: int
    score: float
    probability: float


@dataclass(frozen=True)
class Localization:
    """Where a drive was filmed: the answer of `localize`, complete enough to draw and to export."""

    video_name: str
    video_sha256: str
    duration_s: float
    gallery_name: str
    gallery_sha256: str
    weights_name: str
    weights_sha256: str
    settings: Settings
    before: tuple[Step, ...]  # GAMa-Net on the whole gallery
    regions: tuple[RegionHit, ...]  # all regions, best first
    kept: tuple[int, ...]  # indices of the regions that the second search looked into
    after: tuple[Step, ...]  # GAMa-Net on the regions kept: the hierarchical step
    path: tuple[PathStep, ...]  # the decoded path; empty where decoding is off
    confidence: float  # probability in [0, 1] that the drive lies in the regions kept or crossed by its path
    seconds: dict[str, float]  # per stage
    notes: tuple[str, ...] = ()  # what a person should know about this answer
    inside: float = 1.0  # probability in [0, 1] that the drive lies in the gallery at all
    inside_at_least: float = 0.0  # less than this is said to be "not in this gallery"

    @property
    def in_gallery(self) -> bool:
        """Whether the drive is believed to lie in the gallery at all."""
        return self.inside >= self.inside_at_least

    @property
    def known(self) -> Verdict:
        """Whether it is known where the drive was filmed: one word for both doubts, that it lies elsewhere first."""
        if not self.in_gallery:
            return "not in this gallery"
        return "yes" if self.confidence >= SURE else "we do not know"

    @cached_property
    def crossed(self) -> frozenset[int]:
        """Indices of the regions that the drive is said to lie in: the best one, and those that its path crosses."""
        return frozenset({self.regions[0].index, *(step.region_index for step in self.path)})

    def chance(self, probability: float, regions: Iterable[int]) -> float:
        """The probability in [0, 1] of what a posterior says of some regions, with both doubts about the drive: that it
        lies elsewhere, and that its path is wrong. Nothing in the regions that the answer is about is likelier than
        that it is right."""
        here = self.inside * probability
        return min(here, self.confidence) if set(regions) <= {*self.kept, *self.crossed} else here

    def to_json(self) -> str:
        """The whole answer as JSON; `from_json` gives it back."""
        return json.dumps({"schema": SCHEMA, **dataclasses.asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Localization:
        """The answer that `to_json` wrote.

        Raises:
            GamaError: the text is no localization, or one of another version.
        """
        try:
            fields: dict[str, Any] = json.loads(text)
            schema = fields.pop("schema")
            if schema != SCHEMA:
                raise GamaError(f"This localization has schema {schema}; this version reads {SCHEMA}: run it again.")
            fields["settings"] = Settings(**fields["settings"])
            for name in ("before", "after"):
                fields[name] = tuple(_step(step) for step in fields[name])
            fields["regions"] = tuple(
                RegionHit(**{**hit, "region": Region(**hit["region"])}) for hit in fields["regions"]
            )
            fields["path"] = tuple(PathStep(**_placed(step)) for step in fields["path"])
            fields["kept"], fields["notes"] = tuple(fields["kept"]), tuple(fields["notes"])
            return cls(**fields)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise GamaError(f"This is no localization of ours ({error}): run it again.") from error


def _placed(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "at": LatLon(**fields["at"])}


def _step(fields: dict[str, Any]) -> Step:
    candidates = tuple(Candidate(**_placed(candidate)) for candidate in fields["candidates"])
    return Step(fields["clip"], fields["time_s"], candidates)
