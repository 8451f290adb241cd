"""Vectors of a whole data set, kept on disk a video at a time, so that a run that was killed goes on where it stopped.

A file of the cache is named by all that its vectors hang on: the weights, the device, and the size and time of change
of each file that was read. A picture that cannot be read has no vector, and a `Fault` says why.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gama_core.dataset import Dataset, GalleryItem
from gama_core.dataset.layout import frame_name
from gama_core.dataset.reader import CLIP_FPS
from gama_core.embed import Models, Vectors, embed_clips, embed_regions, embed_sequence, embed_tiles
from gama_core.errors import DatasetUnreadable
from gama_core.files import whole_file
from gama_core.models.screening_net import ScreeningNet
from gama_core.models.weights import WeightsRecord
from gama_core.retrieval.pictures import (
    Pixels,
    clip_pixels,
    clip_steps,
    region_pixels,
    screening_tile_pixels,
    tile_pixels,
)

SCHEMA = 1
REGIONS_A_FILE = 64

T = TypeVar("T")
Fetched = tuple[Path | None, Vectors | None, list[Pixels | str]]
OnStage = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """A picture that could not be read, and why."""

    what: str  # clip, tile, region or sequence
    name: str
    why: str


@dataclass(frozen=True, eq=False)
class Embedded:
    """Unit vectors float32 (N, D), a row of NaN for each fault."""

    vectors: Vectors
    faults: tuple[Fault, ...]

    @property
    def sound(self) -> NDArray[np.bool_]:
        """Which rows hold a vector, bool (N,)."""
        return np.isfinite(self.vectors[:, 0])


@dataclass(frozen=True)
class _Group:
    """Pictures that are read and kept together."""

    rows: list[int]
    names: list[str]
    files: list[Path]
    read: Callable[[], list[Pixels | str]]  # a picture, or why there is none


@dataclass(frozen=True)
class _Job:
    """What is done with each group."""

    what: str
    dims: int
    identity: str  # of the network and what it is shown
    embed: Callable[[Iterable[Pixels]], Vectors]
    cache: Path | None
    on_stage: OnStage


def embed_queries(dataset: Dataset, models: Models, cache: Path | None, on_stage: OnStage) -> Embedded:
    """A vector for each clip of the list, in its order; see `Embedded`."""
    queries, config = dataset.queries, models.gama_net.config
    frames, stride = clip_steps(config)
    groups = []
    for video, rows in rows_by(query.video for query in queries).items():
        seconds = [queries[row].second for row in rows]
        files = _clip_files(dataset, video, seconds, frames, stride)

        def read(video: str = video, seconds: list[int] = seconds) -> list[Pixels | str]:
            found = _read_clips(dataset, video, sorted(set(seconds)), frames, stride)
            cut = {second: one if isinstance(one, str) else clip_pixels(one, config) for second, one in found.items()}
            return [cut[second] for second in seconds]

        groups.append(_Group(rows, [queries[row].name for row in rows], files, read))
    job = _Job("clip", config.dims, _identity(models, models.record, frames, stride),
               lambda clips: embed_clips(models, clips, _batch(models)), cache, on_stage)  # fmt: skip
    return _embedded(job, groups, len(queries))


def embed_gallery(dataset: Dataset, models: Models, cache: Path | None, on_stage: OnStage) -> Embedded:
    """A vector for each gallery item of the list, in its order; see `Embedded`."""
    items, config = dataset.gallery_items, models.gama_net.config
    groups = []
    for rows in rows_by(item.video for item in items).values():
        mine = [items[row] for row in rows]

        def read(mine: list[GalleryItem] = mine) -> list[Pixels | str]:
            return [_tried(dataset.read_tile, item, lambda tile: tile_pixels(tile, config)) for item in mine]

        groups.append(_Group(rows, [item.name for item in mine], [dataset.tile_path(item) for item in mine], read))
    job = _Job("tile", config.dims, _identity(models, models.record),
               lambda tiles: embed_tiles(models, tiles, _batch(models)), cache, on_stage)  # fmt: skip
    return _embedded(job, groups, len(items))


def embed_large_regions(
    dataset: Dataset,
    videos: Sequence[str],
    models: Models,
    screening: ScreeningNet,
    cache: Path | None,
    on_stage: OnStage,
) -> Embedded:
    """The screening network's vector for each video's large region, in their order; see `Embedded`."""
    config, groups = screening.config, []
    for start in range(0, len(videos), REGIONS_A_FILE):
        mine = list(videos[start : start + REGIONS_A_FILE])

        def read(mine: list[str] = mine) -> list[Pixels | str]:
            return [_tried(dataset.read_region, video, lambda region: region_pixels(region, config)) for video in mine]

        rows = list(range(start, start + len(mine)))
        groups.append(_Group(rows, mine, [dataset.region_path(video) for video in mine], read))
    assert models.screening_record is not None
    job = _Job("region", config.dims, _identity(models, models.screening_record),
               lambda regions: embed_regions(models, regions), cache, on_stage)  # fmt: skip
    return _embedded(job, groups, len(videos))


def embed_sequences(
    dataset: Dataset,
    sequences: dict[str, list[GalleryItem]],
    models: Models,
    screening: ScreeningNet,
    cache: Path | None,
    on_stage: OnStage,
) -> Embedded:
    """The screening network's vector for each video's sequence of tiles, in the order of the videos; see `Embedded`."""
    config, groups = screening.config, []
    for row, (video, items) in enumerate(sequences.items()):

        def read(items: list[GalleryItem] = items) -> list[Pixels | str]:
            found = [
                _tried(dataset.read_tile, item, lambda tile: screening_tile_pixels(tile, config)) for item in items
            ]
            tiles = [tile for tile in found if not isinstance(tile, str)]
            return [np.stack(tiles) if tiles else str(found[0]) if found else "no clip of it could be matched"]

        groups.append(_Group([row], [video], [dataset.tile_path(item) for item in items], read))
    assert models.screening_record is not None
    identity = _identity(models, models.screening_record)

    def embed(found: Iterable[Pixels]) -> Vectors:
        return np.stack([embed_sequence(models, list(tiles)) for tiles in found])

    job = _Job("sequence", config.dims, identity, embed, cache, on_stage)
    return _embedded(job, groups, len(sequences))


def rows_by(names: Iterable[str]) -> dict[str, list[int]]:
    """The rows of each name, in the order in which the names come first."""
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        rows.setdefault(name, []).append(row)
    return rows


def _embedded(job: _Job, groups: list[_Group], count: int) -> Embedded:
    """Every group's vectors: from the cache, or read (some groups ahead, in threads), embedded and put there."""
    vectors = np.full((count, job.dims), np.nan, np.float32)
    faults: list[Fault] = []
    done = 0
    for group, (path, known, pictures) in _ahead(groups, lambda group: _fetch(job, group)):
        if known is not None:
            vectors[group.rows] = known
        else:
            part, why = _embed(job, pictures)
            vectors[group.rows] = part
            faults += [Fault(job.what, name, text) for name, text in zip(group.names, why, strict=True) if text]
            if path is not None and not any(why):  # what did not read is tried again the next time
                with whole_file(path) as partial, partial.open("wb") as file:
                    np.save(file, part)
        done += len(group.rows)
        job.on_stage(f"{job.what}s", done, count)
    return Embedded(vectors, tuple(faults))


def _ahead(groups: list[_Group], fetch: Callable[[_Group], Fetched]) -> Iterator[tuple[_Group, Fetched]]:
    """Each group with what was fetched for it, by threads that keep a few groups ahead."""
    workers = min(8, os.cpu_count() or 1)
    waiting: deque[tuple[_Group, Future[Fetched]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for group in groups:
                waiting.append((group, pool.submit(fetch, group)))
                if len(waiting) > workers:
                    first, future = waiting.popleft()
                    yield first, future.result()
            while waiting:
                first, future = waiting.popleft()
                yield first, future.result()
        finally:
            for _, future in waiting:
                future.cancel()


def _fetch(job: _Job, group: _Group) -> Fetched:
    """Where a group's vectors are kept, what is kept there, and the pictures where nothing is."""
    path = None
    if job.cache is not None:
        files = [_file_identity(file) for file in group.files]
        text = json.dumps([SCHEMA, job.what, job.identity, group.names, files])
        path = job.cache / f"{job.what}s" / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.npy"
        known = _known(path, (len(group.rows), job.dims))
        if known is not None:
            return path, known, []
    return path, None, group.read()


def _known(path: Path, shape: tuple[int, int]) -> Vectors | None:
    """What a file of the cache holds; None where there is none, or a damaged one, which is then made anew."""
    try:
        vectors = np.load(path, allow_pickle=False)
    except (OSError, EOFError, ValueError):
        return None
    return vectors if vectors.shape == shape and vectors.dtype == np.float32 else None


def _embed(job: _Job, pictures: list[Pixels | str]) -> tuple[Vectors, list[str]]:
    """Vectors of the pictures that are there, NaN for the others; and why a picture is not there, "" where it is."""
    vectors = np.full((len(pictures), job.dims), np.nan, np.float32)
    sound = [row for row, picture in enumerate(pictures) if not isinstance(picture, str)]
    if sound:
        vectors[sound] = job.embed(picture for picture in pictures if not isinstance(picture, str))
    return vectors, [picture if isinstance(picture, str) else "" for picture in pictures]


def _read_clips(dataset: Dataset, video: str, seconds: list[int], frames: int, stride: int) -> dict[int, Pixels | str]:
    """Every clip of a video in one pass; where one does not read, halves, so that it alone is lost."""
    found: dict[int, Pixels | str] = {}
    try:
        for second, clip in zip(seconds, dataset.read_clips(video, seconds, frames, stride), strict=True):
            found[second] = clip
    except DatasetUnreadable as error:
        left = seconds[len(found) :]
        if len(left) == 1 or (dataset.film(video) is None and dataset.frame_folder(video) is None):
            return {**found, **dict.fromkeys(left, str(error))}
        middle = (len(left) + 1) // 2
        for half in (left[:middle], left[middle:]):
            found |= _read_clips(dataset, video, half, frames, stride)
    return found


def _clip_files(dataset: Dataset, video: str, seconds: list[int], frames: int, stride: int) -> list[Path]:
    """The files that a video's clips are read from, in the order in which the reader looks for them."""
    film, folder = dataset.film(video), dataset.frame_folder(video)
    if film is not None or folder is None:
        return [film] if film is not None else []
    first = (second * CLIP_FPS for second in sorted(set(seconds)))
    return [folder / frame_name(start + step * stride) for start in first for step in range(frames)]


def _tried(read: Callable[[T], Pixels], what: T, cut: Callable[[Pixels], Pixels]) -> Pixels | str:
    try:
        return cut(read(what))
    except DatasetUnreadable as error:
        return str(error)


def _file_identity(path: Path) -> list[object]:
    try:
        stat = path.stat()
    except OSError:
        return [str(path), "missing"]
    return [str(path.resolve()), stat.st_size, stat.st_mtime_ns]


def _identity(models: Models, record: WeightsRecord, *shown: int) -> str:
    return f"{record.sha256} {models.device.type} {shown}"


def _batch(models: Models) -> int:
    """Pictures embedded at once: on a CPU few, since the paper's aerial tower works at nearly full resolution."""
    return 128 if models.device.type == "cuda" else 16
