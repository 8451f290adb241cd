"""Where a camera was, and when: GPS fixes in the time of the video."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gama_core.geo import Bounds, LatLon
from gama_core.tile import places, world_pixels


@dataclass(frozen=True, slots=True)
class Fix:
    """One GPS fix: seconds since the start of the video, place, and what else the receiver said."""

    time_s: float
    at: LatLon
    accuracy_m: float | None = None
    heading_deg: float | None = None
    speed_m_s: float | None = None


@dataclass(frozen=True)
class Track:
    """Fixes sorted by time, no two at the same time (the first of equals is kept); `start_assumed` where they came with
    the time of day, nobody said when the video began, and the first was taken for its first frame.

    Raises:
        ValueError: no fix.
    """

    fixes: tuple[Fix, ...]
    start_assumed: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        if not self.fixes:
            raise ValueError("a track needs at least one fix")
        unique: dict[float, Fix] = {}
        for fix in sorted(self.fixes, key=lambda fix: fix.time_s):
            unique.setdefault(fix.time_s, fix)
        object.__setattr__(self, "fixes", tuple(unique.values()))

    @property
    def start_s(self) -> float:
        return self.fixes[0].time_s

    @property
    def end_s(self) -> float:
        return self.fixes[-1].time_s

    @property
    def length_m(self) -> float:
        """Sum of the distances between neighbouring fixes, in metres."""
        return sum(a.at.distance_m(b.at) for a, b in zip(self.fixes, self.fixes[1:], strict=False))

    @property
    def bounds(self) -> Bounds:
        return Bounds.around(fix.at for fix in self.fixes)

    def at(self, time_s: float, max_gap_s: float = 5.0) -> LatLon | None:
        """The place at a moment, on the straight line between its neighbouring fixes.

        Args:
            time_s: seconds since the start of the video.
            max_gap_s: two fixes further apart than twice this have a drop-out between them, and there, as more than
                this (but at most 1.5 s) before the first or after the last fix, the answer is None: not guessed.
        """
        times = self._times_s
        after = int(np.searchsorted(times, time_s))
        if after < len(times) and times[after] == time_s:
            return self.fixes[after].at
        if after in (0, len(times)):
            nearest = self.fixes[min(after, len(times) - 1)]
            return nearest.at if abs(nearest.time_s - time_s) <= min(max_gap_s, 1.5) else None
        left, right = self.fixes[after - 1], self.fixes[after]
        if right.time_s - left.time_s > 2 * max_gap_s:
            return None
        share = (time_s - left.time_s) / (right.time_s - left.time_s)
        x, y = world_pixels(
            np.array([left.at.lat_deg, right.at.lat_deg]), np.array([left.at.lon_deg, right.at.lon_deg])
        )
        lat, lon = places(x[0] + share * (x[1] - x[0]), y[0] + share * (y[1] - y[0]))
        return LatLon(float(lat), float(lon))

    @cached_property
    def _times_s(self) -> NDArray[np.float64]:
        return np.array([fix.time_s for fix in self.fixes])

    def resample(self, every_s: float = 1.0) -> Track:
        """Fixes at equal steps from the first on; moments in a drop-out are left out."""
        moments = np.arange(self.start_s, self.end_s + 1e-9, every_s)
        found = [(float(moment), self.at(float(moment))) for moment in moments]
        return Track(tuple(Fix(moment, at) for moment, at in found if at is not None))
