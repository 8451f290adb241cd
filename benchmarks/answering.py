"""Drives, their truth, and their answers: found side by side, one process a core, each in a single thread.

Each drive is embedded once, and its clips' vectors serve every question. Errors are those from where the car really
was, not from what a phone's GPS says of it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from gama_core.closer import KnownViews
from gama_core.embed import Models, load_models
from gama_core.evaluate import Comparison, compare
from gama_core.gallery import Gallery, open_gallery
from gama_core.localize import find
from gama_core.plane import around, left_out
from gama_core.result import Localization
from gama_core.see import Seen, see
from gama_core.settings import Settings
from gama_core.streets import Streets
from gama_core.track import Track
from gama_core.video import open_video
from gama_core.workers import worker_pool
from gama_core.world.film import read_truth

PROCESSES = 2
SEEN = Path(__file__).resolve().parents[1] / "cache" / "seen"
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """One drive answered, beside the truth."""

    answer: Localization
    comparison: Comparison


@dataclass(frozen=True)
class Drive:
    """One drive seen, where the car really was, and the weather."""

    seen: Seen
    truth: Track
    weather: str

    def first(self, clips: int) -> Drive:
        return Drive(self.seen.first(clips), self.truth, self.weather)


@dataclass(frozen=True)
class Crew:
    """The processes that answer. A drive always goes to the same one, which remembers what it has looked at closely."""

    members: tuple[ProcessPoolExecutor, ...]

    def read_drives(self, films: Sequence[Path]) -> list[Drive]:
        """Films embedded, with their truth."""
        jobs = [self.members[number % PROCESSES].submit(_read_drive, film) for number, film in enumerate(films)]
        return _shown(jobs, "embedding")

    def answers(
        self,
        drives: Sequence[Drive],
        gallery: Gallery,
        settings: Settings,
        name: str,
        streets: Streets | None = None,
        anew: bool = False,
    ) -> list[Row]:
        """The answers; `anew` as if nothing had been looked at before, so that the time of each is its own."""
        job = partial(_answer, folder=gallery.folder, settings=settings, streets=streets, anew=anew)
        found = _shown([self._of(drive).submit(job, drive.seen) for drive in drives], name)
        return [Row(answer, compare(answer, drive.truth)) for answer, drive in zip(found, drives, strict=True)]

    def places_left_out(self, drives: Sequence[Drive], gallery: Gallery) -> list[Localization]:
        """Each drive's answer in a gallery without the regions that it passes through and all that touch them."""
        job = partial(_answer_without, folder=gallery.folder)
        found = _shown([self._of(drive).submit(job, drive) for drive in drives], "left out")
        return [answer for answer in found if answer is not None]

    def places_given(self, drives: Sequence[Drive], gallery: Gallery) -> list[Row]:
        """Each drive's answer in its own regions and all that touch them alone: what no ranking of regions can beat."""
        job = partial(_answer_near, folder=gallery.folder)
        found = _shown([self._of(drive).submit(job, drive) for drive in drives], "places given")
        return [Row(answer, compare(answer, drive.truth)) for answer, drive in zip(found, drives, strict=True)]

    def _of(self, drive: Drive) -> ProcessPoolExecutor:
        return self.members[int(drive.seen.video_sha256[:8], 16) % PROCESSES]


@contextmanager
def crew() -> Iterator[Crew]:
    """Fresh processes that answer; they end with the block."""
    os.environ.update(ONE_THREAD)  # the processes begin with it; this one has its threads already
    with ExitStack() as stack:
        yield Crew(tuple(stack.enter_context(worker_pool(1)) for _ in range(PROCESSES)))


@cache
def _views() -> KnownViews:
    """What this process has looked at, wherever on the globe."""
    return KnownViews()


@cache
def _models() -> Models:
    return load_models()


@cache
def _gallery(folder: Path) -> Gallery:
    return open_gallery(folder)


def _read_drive(film: Path) -> Drive:
    return Drive(see(open_video(film), _models(), cache=SEEN), *read_truth(film))


def _answer(seen: Seen, folder: Path, settings: Settings, streets: Streets | None, anew: bool) -> Localization:
    views = KnownViews() if anew else _views()
    answer = find(seen, _gallery(folder), _models(), settings, streets=streets, views=views)
    _views().known.update(views.known)
    return answer


def _answer_without(drive: Drive, folder: Path) -> Localization | None:
    elsewhere = left_out(_gallery(folder), _own(drive, folder))
    return _answer_in(drive, folder, elsewhere) if elsewhere else None


def _answer_near(drive: Drive, folder: Path) -> Localization:
    return _answer_in(drive, folder, around(_gallery(folder), _own(drive, folder)))


def _answer_in(drive: Drive, folder: Path, regions: Sequence[int]) -> Localization:
    return find(drive.seen, _gallery(folder).within(regions), _models(), Settings(), views=_views())


def _own(drive: Drive, folder: Path) -> list[int]:
    """The regions of a gallery that a drive passes through."""
    truth = [at for at in (drive.truth.at(float(time_s)) for time_s in drive.seen.times_s) if at is not None]
    regions = enumerate(_gallery(folder).regions)
    return [index for index, region in regions if any(region.contains(at) for at in truth)]


def _shown(jobs: Sequence[Future[T]], name: str) -> list[T]:
    return [job.result() for job in tqdm(jobs, name, leave=False, disable=not sys.stderr.isatty())]
