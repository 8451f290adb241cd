"""Answers beside their true tracks, kept as a run: what `evaluate --save-run` writes and the Evaluate page shows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gama_core.evaluate import Comparison, summary
from gama_core.gallery import Gallery
from gama_core.geo import LatLon
from gama_core.result import Candidate, Localization, Step
from gama_core.run import ClipRecord, Match, Run

KEPT = 5  # candidates a clip
DEGREES_PER_HOUR = 15.0
_NO_CLOCK_BEFORE_MS = 946_684_800_000  # the year 2000: an info file whose clock was never set

Answer = tuple[Path, Localization, Comparison]


def record_drives(name: str, answers: Sequence[Answer], gallery: Gallery) -> Run:
    """A run of localized drives.

    Args:
        name: what people call it.
        answers: each drive's film, its answer in `gallery`, and the comparison with its true track.
        gallery: what was searched.

    Returns:
        A run of kind "drives" whose tables are those of `evaluate.summary`. A clip without a fix is counted in the
        tables (`clips_without_fix`) and has no record. The names of the gallery and the weights end with
        the first letters of their hashes; a match is named by its row in the gallery.

    Raises:
        ValueError: no answer.
    """
    first = answers[0][1] if answers else None
    if first is None:
        raise ValueError("a run needs at least one answer")
    rows = [(answer, comparison) for _, answer, comparison in answers]
    clips = [clip for answer in answers for clip in _clips(*answer, gallery)]
    missing = sum(at is None for _, comparison in rows for at in comparison.truth)
    return Run(
        name=name,
        kind="drives",
        gallery=f"{gallery.name} ({gallery.sha256[:16]})",
        weights=f"{first.weights_name} ({first.weights_sha256[:12]})",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        gallery_size=len(gallery),
        settings=first.settings.as_dict(),
        tables=summary(rows) | ({"clips_without_fix": missing} if missing else {}),
        clips=tuple(clips),
        frames={film.stem: _film_name(film) for film, _, _ in answers},
    )


def hour_of_recording(info: dict[str, Any]) -> int | None:
    """The local hour of day at which a recording began, 0 to 23, by the sun: UTC moved by the longitude of a fix.

    Args:
        info: a BDD100K info file, `startTime` in milliseconds since 1970.

    Returns:
        None where the clock was not set or there is no fix.
    """
    start_ms = info.get("startTime")
    fixes = info.get("locations") or [{}]
    lon_deg = fixes[0].get("longitude") if isinstance(fixes[0], dict) else None
    if not isinstance(start_ms, int | float) or not isinstance(lon_deg, int | float) or start_ms < _NO_CLOCK_BEFORE_MS:
        return None
    return int((start_ms / 3_600_000 + lon_deg / DEGREES_PER_HOUR) % 24)


def _clips(film: Path, answer: Localization, comparison: Comparison, gallery: Gallery) -> list[ClipRecord]:
    hour, condition = _when(film)
    found = []
    for index, (step, truth) in enumerate(zip(answer.before, comparison.truth, strict=True)):
        if truth is None:
            continue
        found.append(
            ClipRecord(
                drive=film.stem,
                second=step.time_s,
                truth=truth,
                region=_region_of(truth, gallery),
                hour=hour,
                condition=condition,
                rank=None,
                before=_matches(step, gallery),
                after=_matches(answer.after[index], gallery) if index < len(answer.after) else (),
                path=answer.path[index].at if index < len(answer.path) else None,
                confidence=min(1.0, answer.path[index].confidence) if index < len(answer.path) else None,
            )
        )
    return found


def _matches(step: Step, gallery: Gallery) -> tuple[Match, ...]:
    def match(one: Candidate) -> Match:
        return Match(str(one.row), one.at, one.score, gallery.regions[one.region_index].name)

    return tuple(match(one) for one in step.candidates[:KEPT])


def _region_of(truth: LatLon, gallery: Gallery) -> str:
    return next((region.name for region in gallery.regions if region.contains(truth)), "")


def _when(film: Path) -> tuple[int | None, str | None]:
    """The hour and the condition of a recording; a generated film says the latter, and its clock is made up."""
    facts = _json(film.parent / "truth" / f"{film.stem}.json")
    if isinstance(facts, dict) and facts:
        return None, facts.get("weather")
    rows = _json(film.parent / "drives.json")
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and row.get("file") == film.name:
            return None, row.get("note")
    info = _json(film.with_suffix(".json"))
    return hour_of_recording(info if isinstance(info, dict) else {}), None


def _json(path: Path) -> Any:
    """What a file beside a film holds; None where it is none of ours."""
    try:
        return json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return None


def _film_name(film: Path) -> str:
    """Relative to the folder that the command was started in, where the film lies below it."""
    here = Path.cwd()
    return str(film.resolve().relative_to(here)) if film.resolve().is_relative_to(here) else str(film.resolve())
