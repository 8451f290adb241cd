"""What every reader of GPS files makes: fixes, and whether their seconds are a clock's or the video's."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gama_core.geo import LatLon
from gama_core.track import Fix


@dataclass(frozen=True)
class Reading:
    """The fixes of a file; `by_clock` where their seconds are those since 1970, and not since the first frame."""

    fixes: tuple[Fix, ...]
    by_clock: bool

    @classmethod
    def of(cls, fixes: Iterable[Fix | None], by_clock: bool) -> Reading:
        return cls(tuple(fix for fix in fixes if fix is not None), by_clock)

    def from_start(self, start: datetime | None) -> tuple[Fix, ...]:
        """The fixes in seconds since `start`, or since the first of them; as they are where the file knew better."""
        if not self.by_clock:
            return self.fixes
        start_s = unix_s(start) if start else min(fix.time_s for fix in self.fixes)
        return tuple(replace(fix, time_s=fix.time_s - start_s) for fix in self.fixes)


def fix(  # one row of any format
    time_s: Any, lat_deg: Any, lon_deg: Any, accuracy_m: Any = None, heading_deg: Any = None, speed_m_s: Any = None
) -> Fix | None:
    """A fix, or None where its time or place is none; 0, 0 is what receivers write without a fix."""
    numbers = number(time_s), number(lat_deg), number(lon_deg)
    if any(value is None for value in numbers):
        return None
    seconds, lat, lon = (float(value) for value in numbers if value is not None)
    if not (-90 <= lat <= 90 and -180 <= lon <= 180) or (lat == 0 and lon == 0):
        return None
    accuracy, heading, speed = number(accuracy_m), number(heading_deg), number(speed_m_s)
    return Fix(
        seconds,
        LatLon(lat, lon),
        accuracy if accuracy is not None and accuracy > 0 else None,
        heading % 360 if heading is not None and 0 <= heading <= 360 else None,
        speed if speed is not None and speed >= 0 else None,
    )


def number(value: Any) -> float | None:
    """A finite number, or None for anything else."""
    if value is None or isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def unix_s(moment: datetime) -> float:
    """Seconds since 1970; a time without a zone is taken for UTC."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def clock_s(value: Any) -> tuple[float | None, bool]:
    """Seconds, and whether they are a clock's, of a time as ISO 8601, in seconds, or in milli-, micro- or nanoseconds.

    Numbers above 10^17 are nanoseconds since 1970, above 10^14 microseconds, above 10^11 milliseconds, above 10^8
    seconds; others are seconds of the video.
    """
    seconds = number(value)
    if seconds is None:
        try:
            return unix_s(datetime.fromisoformat(str(value).strip())), True
        except (ValueError, OverflowError):
            return None, False
    for least, a_second in ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3)):
        if seconds > least:
            return seconds / a_second, True
    return seconds, seconds > 1e8


def text_of(path: Path) -> str:
    """A text file whatever its byte order mark says; bytes that are no text become replacement characters."""
    data = path.read_bytes()
    return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", errors="replace")


def head_text(head: bytes) -> str:
    """The start of a file as text, without byte order marks and leading space."""
    text = head.decode("utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", errors="replace")
    return text.lstrip()
