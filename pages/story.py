"""An answer beside the truth, if that is known: what the figures, the charts and the clip panel tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from gama_core.evaluate import NEAR_M, Comparison
from gama_core.geo import LatLon
from gama_core.result import SURE, Candidate, Localization, PathStep, Step
from gama_core.scene import Scene
from gama_core.track import Track


@dataclass(frozen=True)
class Story:
    """One answer, and the track that it is compared with."""

    localization: Localization
    track: Track | None

    @cached_property
    def scene(self) -> Scene:
        """What the map shows of it."""
        return Scene(self.localization, self.track)

    @cached_property
    def comparison(self) -> Comparison | None:
        found = self.scene.comparison
        return found if found and any(found.truth) else None  # a track of another time says nothing

    @property
    def clips(self) -> int:
        return len(self.localization.before)

    @property
    def final(self) -> Sequence[PathStep | Step]:
        """The last stage's steps: the decoded path, or the hierarchical step where nothing was decoded."""
        return self.localization.path or self.localization.after

    @cached_property
    def final_error_m(self) -> tuple[float | None, ...] | None:
        if self.comparison is None:
            return None
        return (self.comparison.path or self.comparison.after).error_m

    @cached_property
    def confidence(self) -> list[float]:
        """Of each clip's final place, in [0, 1]; of one that no path leads through, that of the drive."""
        whole = self.localization.confidence
        return [step.confidence if isinstance(step, PathStep) else whole for step in self.final]

    def near(self, index: int) -> bool:
        """Whether a clip's final place is right, or where no truth is known, believed."""
        if self.final_error_m is not None and self.final_error_m[index] is not None:
            return (self.final_error_m[index] or 0.0) <= NEAR_M
        return self.localization.in_gallery and self.confidence[index] >= SURE

    def first_right(self, index: int) -> bool:
        """Whether GAMa-Net alone had it right; where no truth is known, whether it agrees with the answer's regions."""
        error_m = self.comparison.before.error_m[index] if self.comparison else None
        if error_m is not None:
            return error_m <= NEAR_M
        return self.localization.before[index].best.region_index in self.localization.crossed

    def second_right(self, index: int) -> bool:
        """Whether the hierarchical step had it right; where no truth is known, whether it agrees with the path."""
        error_m = self.comparison.after.error_m[index] if self.comparison else None
        if error_m is not None:
            return error_m <= NEAR_M
        return self.localization.after[index].at.distance_m(self.final[index].at) <= NEAR_M

    def truth(self, index: int) -> LatLon | None:
        """Where the camera was at a clip, if that is known."""
        return self.comparison.truth[index] if self.comparison else None

    def is_right(self, candidate: Candidate, index: int) -> bool:
        """Whether a candidate lies where the clip was filmed, as far as that is known."""
        truth = self.truth(index)
        return truth is not None and truth.distance_m(candidate.at) <= NEAR_M

    def heading_deg(self, index: int) -> float | None:
        """Where the camera looked, by the track; None where it stood still or nothing is known."""
        time_s = self.localization.before[index].time_s
        back, ahead = (self.track.at(time_s + by) if self.track else None for by in (-1.0, 1.0))
        return back.bearing_deg(ahead) if back and ahead and back.distance_m(ahead) >= 8.0 else None
