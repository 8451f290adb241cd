"""Vectors kept on disk, a group of pictures at a time, so that a run that was killed goes on where it stopped.

A file of the cache is named by all that its vectors hang on: the network and what it is shown, and the size and time of
change of each file that was read. A picture that cannot be read has no vector, and a `Fault` says why.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gama_core.embed import Pixels, Vectors
from gama_core.files import whole_file
from gama_core.stages import OnStage

SCHEMA = 1

Fetched = tuple[Path | None, Vectors | None, list[Pixels | str]]


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
class Group:
    """Pictures that are read and kept together."""

    rows: list[int]
    names: list[str]
    files: list[Path]
    read: Callable[[], list[Pixels | str]]  # a picture, or why there is none


@dataclass(frozen=True)
class Job:
    """What is done with each group."""

    what: str
    dims: int
    identity: str  # of the network and what it is shown
    embed: Callable[[Iterable[Pixels]], Vectors]
    cache: Path | None
    on_stage: OnStage


def embedded(job: Job, groups: list[Group], count: int) -> Embedded:
    """Every group's vectors: from the cache, or read (some groups ahead, in threads), embedded and put there.

    Args:
        job: what is done with each group.
        groups: which rows each fills; together all of them.
        count: rows in all.
    """
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


def _ahead(groups: list[Group], fetch: Callable[[Group], Fetched]) -> Iterator[tuple[Group, Fetched]]:
    """Each group with what was fetched for it, by threads that keep a few groups ahead."""
    workers = min(8, os.cpu_count() or 1)
    waiting: deque[tuple[Group, Future[Fetched]]] = deque()
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


def _fetch(job: Job, group: Group) -> Fetched:
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


def _embed(job: Job, pictures: list[Pixels | str]) -> tuple[Vectors, list[str]]:
    """Vectors of the pictures that are there, NaN for the others; and why a picture is not there, "" where it is."""
    vectors = np.full((len(pictures), job.dims), np.nan, np.float32)
    sound = [row for row, picture in enumerate(pictures) if not isinstance(picture, str)]
    if sound:
        vectors[sound] = job.embed(picture for picture in pictures if not isinstance(picture, str))
    return vectors, [picture if isinstance(picture, str) else "" for picture in pictures]


def _file_identity(path: Path) -> list[object]:
    try:
        stat = path.stat()
    except OSError:
        return [str(path), "missing"]
    return [str(path.resolve()), stat.st_size, stat.st_mtime_ns]
