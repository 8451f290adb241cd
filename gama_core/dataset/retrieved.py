"""The JSON files that pass answers from one published step to the next, plain or gzipped."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gama_core.dataset.lists import clip_name, list_text, video_name
from gama_core.errors import DatasetUnreadable
from gama_core.files import whole_file


def read_kept(path: str | Path) -> dict[str, tuple[str, ...]]:
    """The regions kept for each video, best first where the file says so: {VIDEO: (VIDEO, ...)}.

    Raises:
        DatasetUnreadable: no such file, or one that holds something else.
    """
    return _read(Path(path), video_name, "{VIDEO: [VIDEO, ...]}")


def read_predictions(path: str | Path) -> dict[str, tuple[str, ...]]:
    """The gallery item found first for each clip of a video, in their order: {VIDEO: ("VIDEO_SECOND", ...)}.

    Raises:
        DatasetUnreadable: no such file, or one that holds something else.
    """
    return _read(Path(path), clip_name, '{VIDEO: ["VIDEO_SECOND", ...]}')


def write_retrieved(found: Mapping[str, Sequence[str]], path: Path) -> None:
    """Writes either kind of file as plain JSON, whole or not at all."""
    with whole_file(path) as partial:
        partial.write_text(json.dumps({video: list(names) for video, names in found.items()}), encoding="utf-8")


def _read(path: Path, check: Callable[[str], object], form: str) -> dict[str, tuple[str, ...]]:
    try:
        data = json.loads(list_text(path))
    except (ValueError, RecursionError) as error:
        raise DatasetUnreadable(f"{path} is no JSON: {error}. It should hold {form}.") from error
    if not isinstance(data, dict):
        raise DatasetUnreadable(f"{path} holds no table by video. It should hold {form}.")
    for video, names in data.items():
        try:
            video_name(video)
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise ValueError("no list of names")
            for name in names:
                check(name)
        except ValueError as error:
            raise DatasetUnreadable(f"{path}, at {video!r}: {error}. It should hold {form}.") from error
    return {video: tuple(names) for video, names in data.items()}
