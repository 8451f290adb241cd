"""The info file of a drive, as the published code reads it: which fix belongs to a clip, which tile to a fix."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from gama_core.dataset.layout import centred_tile_name
from gama_core.dataset.lists import GalleryItem, list_text
from gama_core.errors import DatasetUnreadable
from gama_core.geo import LatLon
from gama_core.telemetry import reading
from gama_core.tile import Tile

CLIP_FPS = 30  # frames are counted at this rate, whatever the film's own
CLIP_SPAN = 15  # frames from the first to the last of a clip of 8 with stride 2, both counted


@dataclass(frozen=True, slots=True)
class NumberedFix:
    """One of the `locations`: `index` counts them from 0 in the file's order, and so names the CN tile NN.jpeg."""

    index: int
    second: int  # the clip that it belongs to; negative before the start
    time_s: float  # since the start of the video
    at: LatLon

    def item(self, video: str) -> GalleryItem:
        """The CN tile around this fix."""
        file = f"{video}/{centred_tile_name(self.index)}"
        return GalleryItem(f"{video}_{self.second}", video, self.second, Tile.at(self.at), file)


@dataclass(frozen=True)
class Info:
    """When a drive was filmed and where its phone thought that it was; fixes in the file's order, whatever their time.

    Locations without a place (none, out of range, or 0, 0) or without a time are left out, and keep their number.
    """

    start_ms: float  # since 1970
    end_ms: float | None
    fixes: tuple[NumberedFix, ...]
    locations: int  # also those without a place

    def fix(self, second: int) -> LatLon | None:
        """The fix of the clip that starts at a second of the video, None where there is none.

        It is the one in the same second of the clock: `int(timestamp / 1000)` of the fix equals
        `int((second * 1000 + startTime) / 1000)`; of several it is the last. This is the published rule, except that
        without a fix the published code takes 0, 0. With haversine distances on a radius of 3,956 miles it reproduces
        the golden metrics. Their top-1 % has one more quirk, that shows in galleries of less than 1,000: a hit if the
        true item is among the first `len(gallery) // 100`, or if one of the first 5 lies within 0.05 mile, or if one of
        the first 10 does and the true item is not among them.
        """
        found = self._by_second.get(second)
        return found.at if found else None

    def clips(self, frames: int | None) -> tuple[NumberedFix, ...]:
        """The fixes that a clip belongs to, one a second, in a video of so many frames (None: unknown)."""
        last = (frames - CLIP_SPAN) // CLIP_FPS if frames is not None else None
        seconds = self._by_second.values()
        return tuple(fix for fix in seconds if fix.second >= 0 and (last is None or fix.second <= last))

    @cached_property
    def _by_second(self) -> dict[int, NumberedFix]:
        return {fix.second: fix for fix in self.fixes}


def read_info(path: Path) -> Info:
    """An info file.

    Raises:
        DatasetUnreadable: no such file, no JSON, no `startTime`, or `locations` that are none.
    """
    try:
        data = json.loads(list_text(path))
    except (ValueError, RecursionError) as error:
        raise DatasetUnreadable(f"{path} is no JSON: {error}. Copy it again.") from error
    locations = data.get("locations") if isinstance(data, dict) else None
    start_ms = reading.number(data.get("startTime")) if isinstance(data, dict) else None
    if not isinstance(locations, list) or start_ms is None:
        raise DatasetUnreadable(f"{path} holds no startTime and locations: copy it from the data set again.")
    found = (_numbered(index, row, start_ms) for index, row in enumerate(locations))
    return Info(start_ms, reading.number(data.get("endTime")), tuple(fix for fix in found if fix), len(locations))


def _numbered(index: int, row: Any, start_ms: float) -> NumberedFix | None:
    time_ms = reading.number(row.get("timestamp")) if isinstance(row, dict) else None
    if time_ms is None:
        return None
    time_s = (time_ms - start_ms) / 1000
    found = reading.fix(time_s, row.get("latitude"), row.get("longitude"))
    return NumberedFix(index, int(time_ms / 1000) - int(start_ms / 1000), time_s, found.at) if found else None
