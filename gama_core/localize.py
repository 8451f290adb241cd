"""The whole job: a video and a gallery to a drive on the map."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gama_core.embed import Models, embed_clips
from gama_core.errors import GamaError
from gama_core.files import whole_file
from gama_core.follow import follow
from gama_core.gallery import Gallery
from gama_core.geo import LatLon
from gama_core.result import Candidate, Localization, RegionHit, RegionRanking, Shortlist, Step
from gama_core.screen import can_screen, driven, probabilities, screen
from gama_core.search import search
from gama_core.settings import Settings
from gama_core.video import Clip, Video, cut_clips

OnStage = Callable[[str, int, int], None]
SHOWN = 5  # candidates at different places that a step keeps


def localize(
    video: Video,
    gallery: Gallery,
    models: Models,
    settings: Settings | None = None,
    on_stage: OnStage | None = None,
    cache: Path | None = None,
) -> Localization:
    """Where a video was filmed.

    Args:
        video: what to localize; its track, if it has one, is not looked at.
        gallery: where to look.
        models: the networks that embedded the gallery.
        settings: every number that may be turned; the defaults where None.
        on_stage: hears (stage, done, total); may raise `Cancelled`.
        cache: a folder for answers; the same question is answered from there.

    Raises:
        WeightsMismatch: the gallery was embedded by other weights.
        VideoUnreadable: the video cannot be decoded.

    Source: GAMa (ECCV 2022), section 4: the four steps; then one path through the last one's answers.
    """
    settings, hear = settings or Settings(), on_stage or _silent
    gallery.check_weights(models.record.sha256)
    known = cache / f"{_question(video, gallery, models, settings)}.json" if cache else None
    if known is not None and (found := _recall(known)) is not None:
        return found
    seconds: dict[str, float] = {}

    with _timed(seconds, "video"):
        clips = list(_heard(cut_clips(video, settings, *_frame_size(models)), video, settings, hear))
    with _timed(seconds, "embedding"):
        frames = (clip.frames for clip in clips)
        vectors = embed_clips(models, frames, on_done=lambda done: hear("embedding", done, len(clips)))
    with _timed(seconds, "search"):
        hear("search", 0, len(clips))
        first = search(vectors, gallery, settings.shortlist)
    with _timed(seconds, "screening"):
        hear("screening", 0, len(gallery.regions))
        ranking = screen(vectors, first, gallery, models, settings)
    with _timed(seconds, "path"):
        hear("path", 0, len(clips))
        times_s = np.array([clip.start_s for clip in clips])
        followed = follow(vectors, times_s, [clip.number for clip in clips], gallery, ranking, models, settings)
        if settings.screening == "path":
            ranking = driven(ranking, followed.mass)
        chance = probabilities(ranking, models.calibration, settings)
    with _timed(seconds, "second search"):
        hear("second search", 0, len(clips))
        needed = 1 + int(np.searchsorted(np.cumsum(chance), settings.keep_probability))
        kept = tuple(int(index) for index in ranking.index[: min(needed, settings.keep_regions)])
        second = search(vectors, gallery, settings.shortlist, kept)

    answer = Localization(
        video_name=video.name,
        video_sha256=video.sha256,
        duration_s=video.duration_s,
        gallery_name=gallery.name,
        gallery_sha256=gallery.sha256,
        weights_name=models.record.name,
        weights_sha256=models.record.sha256,
        settings=settings,
        before=_steps(clips, first, gallery),
        regions=_hits(ranking, chance, gallery),
        kept=kept,
        after=_steps(clips, second, gallery),
        path=followed.path if settings.decode else (),
        confidence=float(followed.mass[list(kept)].sum()) * followed.inside,
        seconds=seconds,
        notes=_notes(clips, gallery, models, settings),
    )
    if known is not None:
        _remember(answer, known)
    return answer


def _steps(clips: list[Clip], shortlist: Shortlist, gallery: Gallery) -> tuple[Step, ...]:
    """Each clip with its best candidates at different places."""
    steps = []
    for clip, rows, scores in zip(clips, shortlist.row, shortlist.score, strict=True):
        candidates: dict[LatLon, Candidate] = {}
        for row, score in zip(rows, scores, strict=True):
            candidate = gallery.candidate(int(row), float(score))
            candidates.setdefault(candidate.at, candidate)
        steps.append(Step(clip.number, clip.start_s, tuple(candidates.values())[:SHOWN]))
    return tuple(steps)


def _hits(ranking: RegionRanking, chance: NDArray[np.float64], gallery: Gallery) -> tuple[RegionHit, ...]:
    found = zip(ranking.index, ranking.score, chance, strict=True)
    return tuple(
        RegionHit(gallery.regions[int(index)], int(index), float(score), float(share)) for index, score, share in found
    )


def _frame_size(models: Models) -> tuple[tuple[int, int], tuple[int, int]]:
    height, width = models.gama_net.config.clip_size
    return models.gama_net.config.frame_cover, (width, height)


def _heard(clips: Iterator[Clip], video: Video, settings: Settings, hear: OnStage) -> Iterator[Clip]:
    total = max(1, int(video.duration_s / settings.clip_every_s))
    for done, clip in enumerate(clips, start=1):
        hear("video", done, max(total, done))
        yield clip


def _notes(clips: list[Clip], gallery: Gallery, models: Models, settings: Settings) -> tuple[str, ...]:
    notes = []
    fewest = min(clip.distinct_frames for clip in clips)
    if fewest < models.gama_net.config.motion_frames:
        notes.append(
            f"The video has few frames a second: a clip here is {fewest} different frame(s), "
            f"repeated, where the network was trained on {models.gama_net.config.motion_frames}."
        )
    if len(clips) < 10:
        notes.append(f"Only {len(clips)} clip(s): a drive of less than 10 seconds is often not enough to be sure.")
    if settings.screening != "late" and not can_screen(gallery, models):
        notes.append("The gallery holds nothing for the screening network: the clips alone ranked the regions.")
    return tuple(notes)


def _question(video: Video, gallery: Gallery, models: Models, settings: Settings) -> str:
    """A name for the question: what is asked, of which gallery, by which weights."""
    screening = models.screening_record.sha256 if models.screening_record else None
    parts = [video.sha256, gallery.sha256, models.record.sha256, screening, settings.as_dict()]
    parts.append(dataclasses.asdict(models.calibration))
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _recall(path: Path) -> Localization | None:
    if not path.is_file():
        return None
    try:
        return Localization.from_json(path.read_text())
    except GamaError:  # written by an older version: answered anew
        return None


def _remember(answer: Localization, path: Path) -> None:
    with whole_file(path) as partial:
        partial.write_text(answer.to_json())


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    seconds[stage] = round(time.monotonic() - started, 3)


def _silent(_stage: str, _done: int, _total: int) -> None:
    return None
