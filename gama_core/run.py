"""The record of an evaluation: what was searched for, what was found, and its tables. The Evaluate page shows one.

A file is gzip JSON in columns: each gallery item is written once and each clip points at it, so that the paper's 116 k
clips stay some megabytes. Places are kept to 1e-6 degrees, scores to 1e-4, times to a millisecond.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import re
import zlib
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, Literal, get_args

from gama_core.errors import GamaError
from gama_core.files import whole_file
from gama_core.geo import LatLon

FORMAT, SCHEMA = "gama-run", 1
ENDING = ".json.gz"
MOST_BYTES = 256 * 2**20  # unpacked; the paper's day set takes a tenth of it, a file made to fill the memory more
Kind = Literal["drives", "dataset"]


@dataclass(frozen=True, slots=True)
class Match:
    """One gallery item found for a clip; the score is a cosine, the region "" where unknown."""

    name: str
    at: LatLon
    score: float
    region: str


@dataclass(frozen=True, slots=True)
class ClipRecord:
    """One clip: where it really was, and what was found for it."""

    drive: str
    second: float  # from the start of the drive's film
    truth: LatLon
    region: str  # where the truth lies; "" unknown
    hour: int | None  # local hour of day of the recording
    condition: str | None  # its weather or light
    rank: int | None  # 1-based, of the first right item in the whole gallery; None where it was not computed
    before: tuple[Match, ...]  # best first, at most 5
    after: tuple[Match, ...]  # with the hierarchical step; may be empty
    path: LatLon | None  # the decoded position
    confidence: float | None = None  # probability that it is within 80 m, in [0, 1]; None where nobody said


@dataclass(frozen=True)
class Run:
    """An evaluation as a whole."""

    name: str
    kind: Kind
    gallery: str
    weights: str
    created: str  # ISO 8601
    gallery_size: int
    settings: dict[str, Any]
    tables: dict[str, Any]  # metric name -> value, as the command that made the run prints them
    clips: tuple[ClipRecord, ...]
    frames: dict[str, str] | None = None  # drive -> its film, relative to a base that the reader knows


def save_run(run: Run, folder: Path) -> Path:
    """Write a run as `<folder>/<name>.json.gz`, whole or not at all; a run of the same name is replaced.

    Args:
        run: what to write; figures in its tables and settings that are not finite become null.
        folder: made where it is missing.

    Returns:
        The file.
    """
    path = _file_of(run.name, folder)
    text = json.dumps(_to_columns(run), separators=(",", ":"), allow_nan=False)
    with whole_file(path) as partial:
        partial.write_bytes(gzip.compress(text.encode(), compresslevel=6, mtime=0))
    return path


def read_run(path: Path) -> Run:
    """Read a run.

    Args:
        path: a file that `save_run` wrote.

    Raises:
        GamaError: no such file, a damaged one, or one of another kind or version.
    """
    try:
        with gzip.open(path) as file:
            raw = file.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise ValueError(f"it unpacks to more than {MOST_BYTES // 2**20} MB")
        return _from_columns(json.loads(raw))
    except (OSError, EOFError, zlib.error, ValueError, TypeError, KeyError, IndexError, RecursionError) as error:
        why = f"no {error} in it" if isinstance(error, KeyError) else error
        raise GamaError(
            f"{path} is no run that this version reads ({why}); make one with "
            "`python -m gama_core evaluate DRIVES --gallery G --save-run FOLDER`."
        ) from error


def _file_of(name: str, folder: Path) -> Path:
    """Where a run of a name goes: not over one of another name, as that of a name in other letters may be."""
    short = re.sub(r"[^a-z0-9]+", "-", name.lower())[:80].strip("-") or "run"
    path = folder / f"{short}{ENDING}"
    if path.is_file():
        try:
            taken = read_run(path).name != name
        except GamaError:
            taken = True
        if taken:
            path = folder / f"{short}-{hashlib.sha256(name.encode()).hexdigest()[:8]}{ENDING}"
    return path


def find_runs(folder: Path) -> list[Path]:
    """The run files in a folder by name, unread; empty where there is no such folder."""
    return sorted(path for path in folder.glob(f"*{ENDING}") if not path.name.startswith("."))


def _to_columns(run: Run) -> dict[str, Any]:
    clips = run.clips
    rows: dict[tuple[str, float, float, str], int] = {}
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        **{name: getattr(run, name) for name in ("name", "kind", "gallery", "weights", "created", "gallery_size")},
        "settings": _finite(run.settings),
        "tables": _finite(run.tables),
        "frames": run.frames,
        "drive": [clip.drive for clip in clips],
        "second": [round(clip.second, 3) for clip in clips],
        "truth": _places([clip.truth for clip in clips]),
        "region": [clip.region for clip in clips],
        "hour": [clip.hour for clip in clips],
        "condition": [clip.condition for clip in clips],
        "rank": [clip.rank for clip in clips],
        "path": _places([clip.path for clip in clips]),
        "confidence": [None if clip.confidence is None else round(clip.confidence, 4) for clip in clips],
        "before": _matches([clip.before for clip in clips], rows),
        "after": _matches([clip.after for clip in clips], rows),
        "items": [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []],
    }


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _places(places: list[LatLon] | list[LatLon | None]) -> list[list[float | None]]:
    return [
        [None if at is None else round(at.lat_deg, 6) for at in places],
        [None if at is None else round(at.lon_deg, 6) for at in places],
    ]


def _matches(lists: list[tuple[Match, ...]], rows: dict[tuple[str, float, float, str], int]) -> dict[str, list[Any]]:
    """Columns of the clips' matches; `rows` gathers the gallery items, each once."""
    item, score = [], []
    for matches in lists:
        for match in matches:
            key = (match.name, round(match.at.lat_deg, 6), round(match.at.lon_deg, 6), match.region)
            item.append(rows.setdefault(key, len(rows)))
            score.append(round(float(match.score), 4))
    return {"count": [len(matches) for matches in lists], "item": item, "score": score}


def _from_columns(fields: Any) -> Run:
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise ValueError(f"its format is not {FORMAT}")
    if fields["schema"] != SCHEMA:
        raise ValueError(f"schema {fields['schema']!r}, this is {SCHEMA}")
    if fields["kind"] not in get_args(Kind):
        raise ValueError(f"kind {fields['kind']!r}")
    count = len(fields["drive"])
    items = _read_items(fields["items"])
    columns = (
        _typed(fields["drive"], str, count),
        _numbers(fields["second"], count),
        _read_places(fields["truth"], count),
        _typed(fields["region"], str, count),
        _typed(fields["hour"], (int, type(None)), count),
        _typed(fields["condition"], (str, type(None)), count),
        _typed(fields["rank"], (int, type(None)), count),
        _read_matches(fields["before"], items, count),
        _read_matches(fields["after"], items, count),
        _read_places(fields["path"], count, gaps=True),
        _read_chances(fields.get("confidence", [None] * count), count),  # not in runs made before it was kept
    )
    name, gallery, weights, created = _typed([fields[key] for key in ("name", "gallery", "weights", "created")], str, 4)
    settings, tables, frames = _typed([fields["settings"], fields["tables"], fields["frames"] or {}], dict, 3)
    return Run(
        name=name,
        kind=fields["kind"],
        gallery=gallery,
        weights=weights,
        created=created,
        gallery_size=_typed([fields["gallery_size"]], int, 1)[0],
        settings=settings,
        tables=tables,
        clips=tuple(map(ClipRecord, *columns)) if count else (),
        frames=None if fields["frames"] is None else dict(zip(frames, _typed(list(frames.values()), str), strict=True)),
    )


def _typed(values: Any, kinds: type | tuple[type, ...], count: int | None = None) -> list[Any]:
    if not isinstance(values, list) or (count is not None and len(values) != count):
        raise ValueError(f"a column of other than {count} values")
    if not all(isinstance(value, kinds) for value in values):
        raise ValueError("a column holds values of another type")
    return values


def _numbers(values: Any, count: int) -> list[float]:
    numbers = [float(value) for value in _typed(values, (int, float), count)]
    if not all(map(math.isfinite, numbers)):
        raise ValueError("a number that is not finite")
    return numbers


def _read_chances(values: Any, count: int) -> list[float | None]:
    chances = _typed(values, (int, float, type(None)), count)
    if not all(chance is None or 0.0 <= chance <= 1.0 for chance in chances):
        raise ValueError("a confidence that is no probability")
    return [None if chance is None else float(chance) for chance in chances]


def _read_places(columns: Any, count: int, gaps: bool = False) -> list[LatLon | None]:
    kinds = (int, float, type(None)) if gaps else (int, float)
    lats, lons = (_typed(column, kinds, count) for column in columns)
    return [
        None if lat is None or lon is None else LatLon(float(lat), float(lon))
        for lat, lon in zip(lats, lons, strict=True)
    ]


def _read_items(columns: Any) -> list[tuple[str, LatLon, str]]:
    names, lats, lons, regions = columns
    places = _read_places((lats, lons), len(names))
    regions = _typed(regions, str, len(names))
    return list(zip(_typed(names, str), places, regions, strict=True))  # type: ignore[arg-type]  # no gaps asked for


def _read_matches(columns: Any, items: list[tuple[str, LatLon, str]], count: int) -> list[tuple[Match, ...]]:
    counts = _typed(columns["count"], int, count)
    rows = _typed(columns["item"], int, sum(counts))
    scores = _numbers(columns["score"], len(rows))
    if min(counts, default=0) < 0 or min(rows, default=0) < 0:
        raise ValueError("a count or a row below 0")
    matches = [
        Match(items[row][0], items[row][1], score, items[row][2]) for row, score in zip(rows, scores, strict=True)
    ]
    starts = list(accumulate(counts, initial=0))
    return [tuple(matches[start:end]) for start, end in pairwise(starts)]
