"""Frames of films as PNG files, as the published code wants them; ours reads the films themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import repeat
from pathlib import Path
from typing import Any, Literal

import cv2

from gama_core.dataset.info import CLIP_FPS, CLIP_SPAN
from gama_core.dataset.layout import Layout, Split, frame_folder, frame_name
from gama_core.dataset.lists import query_rows
from gama_core.dataset.reader import FRAME_PX
from gama_core.errors import DatasetUnreadable, VideoUnreadable
from gama_core.files import whole_folder
from gama_core.video import Video, open_video, read_frames
from gama_core.workers import worker_pool


@dataclass(frozen=True)
class FilmFrames:
    """What became of one film: how many frames of it lie in its folder now, or why none do."""

    video: str
    fate: Literal["made", "kept", "failed"]
    frames: int = 0
    error: str = ""


@dataclass(frozen=True)
class FramesReport:
    """What became of all films, in the order they were given in."""

    folder: Path
    films: tuple[FilmFrames, ...]

    def of(self, fate: str) -> tuple[FilmFrames, ...]:
        return tuple(film for film in self.films if film.fate == fate)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: how many were made, kept and failed, and each failure."""
        counts = {fate: len(self.of(fate)) for fate in ("made", "kept", "failed")}
        return {"folder": str(self.folder), **counts, "failures": [asdict(film) for film in self.of("failed")]}


def extract_frames(
    films: Iterable[str | Path],
    out: str | Path,
    only_clips: bool = False,
    workers: int = 2,
    on_done: Callable[[int, int], None] | None = None,
    split: Split = "val",
) -> FramesReport:
    """Writes `out/video_data/SPLIT/VIDEO.mov/0000.png` ..., 256 x 144, for each film VIDEO.mov.

    Frame n is the one filmed nearest to n / 30 s: each frame of a film of 30 a second, and for other rates such that
    clips of these frames are those that `Dataset.read_clip` cuts from the film. A folder that holds all that is
    wanted is left as it is; another one is made anew. A film that cannot be read becomes a value of the report.

    Args:
        films: any files that `open_video` reads; the name without its ending is that of the video.
        out: the root of the data set.
        only_clips: only the frames of clips: of those that the split's list names, and of every second of videos
            that it does not name.
        workers: processes.
        on_done: called with the films done and their number.
        split: where the frames belong.
    """
    layout = Layout(Path(out), split)
    paths = [Path(film) for film in films]
    wanted = _listed_seconds(layout) if only_clips else {}
    seconds = [wanted.get(path.stem) for path in paths]
    done: list[FilmFrames] = []
    for film in _each(paths, layout.video_folder, only_clips, seconds, workers):
        done.append(film)
        if on_done is not None:
            on_done(len(done), len(paths))
    return FramesReport(layout.video_folder, tuple(done))


def _each(
    paths: list[Path], folder: Path, only_clips: bool, seconds: list[frozenset[int] | None], workers: int
) -> Iterator[FilmFrames]:
    twice = {path for number, path in enumerate(paths) if path.stem in {other.stem for other in paths[:number]}}
    jobs = (paths, repeat(folder), repeat(only_clips), seconds, [path in twice for path in paths])
    if workers == 1 or len(paths) < 2:
        yield from map(_extract, *jobs)
        return
    with worker_pool(min(workers, len(paths))) as pool:
        yield from pool.map(_extract, *jobs)


def _extract(path: Path, folder: Path, only_clips: bool, seconds: frozenset[int] | None, again: bool) -> FilmFrames:
    target = frame_folder(folder, path.stem)
    if again:
        return FilmFrames(path.stem, "failed", error=f"{path}: an earlier film has the same name.")
    if target.is_file():
        return FilmFrames(path.stem, "failed", error=f"{target} is a film: move it out of the way of its frames.")
    try:
        video = open_video(path)
        numbers = _numbers(round(video.duration_s * CLIP_FPS), only_clips, seconds)
        if target.is_dir() and all((target / frame_name(number)).is_file() for number in numbers):
            return FilmFrames(path.stem, "kept", len(numbers))
        _write(video, numbers, target)
    except VideoUnreadable as error:
        return FilmFrames(path.stem, "failed", error=str(error))
    return FilmFrames(path.stem, "made", len(numbers))


def _numbers(count: int, only_clips: bool, seconds: frozenset[int] | None) -> Sequence[int]:
    """The frames that are wanted of a film with so many."""
    if not only_clips:
        return range(count)
    starts = sorted(seconds) if seconds is not None else range(count // CLIP_FPS + 1)
    clips = (range(second * CLIP_FPS, second * CLIP_FPS + CLIP_SPAN, 2) for second in starts)
    return [number for clip in clips if clip[-1] < count for number in clip]


def _write(video: Video, numbers: Sequence[int], target: Path) -> None:
    with whole_folder(target) as partial:
        if not numbers:
            return
        pictures = read_frames(video, [number / CLIP_FPS for number in numbers], FRAME_PX)
        for number, picture in zip(numbers, pictures, strict=True):
            packed = cv2.imencode(".png", picture[:, :, ::-1])[1]
            (partial / frame_name(number)).write_bytes(packed.tobytes())


def _listed_seconds(layout: Layout) -> dict[str, frozenset[int]]:
    """The clips of each video in the split's list, by day or of all; empty where there is none."""
    found: dict[str, set[int]] = {}
    for day in (True, False):
        path = Layout(layout.root, layout.split, day).query_list
        try:
            rows = query_rows(path).rows if path is not None else ()
        except DatasetUnreadable:
            continue
        for clip in rows:
            found.setdefault(clip.video, set()).add(clip.second)
    return {video: frozenset(seconds) for video, seconds in found.items()}
