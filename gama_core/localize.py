"""The whole job: a video and a gallery to a drive on the map."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np

from gama_core.agreement import together
from gama_core.closer import KnownViews, can_look_closer
from gama_core.embed import Models
from gama_core.errors import GamaError
from gama_core.files import keep_if_possible
from gama_core.follow import ENOUGH_CLIPS, Followed, Pace, worth
from gama_core.gallery import Gallery
from gama_core.geo import LatLon
from gama_core.result import Candidate, Localization, PathStep, RegionHit, Shortlist, Step
from gama_core.screen import can_screen
from gama_core.search import search
from gama_core.see import Seen, see
from gama_core.settings import Settings
from gama_core.stages import OnStage, silent, timed
from gama_core.streets import Streets
from gama_core.video import Video
from gama_core.windows import Window, joined, locate, windows_of

CLIPS = "clips"  # below the folder of answers: what was seen
METHOD = 11  # counts up when the same question is to be answered otherwise
SHOWN = 5  # candidates at different places that a step keeps


def localize(
    video: Video,
    gallery: Gallery,
    models: Models,
    settings: Settings | None = None,
    on_stage: OnStage | None = None,
    cache: Path | None = None,
    streets: Streets | None = None,
) -> Localization:
    """Where a video was filmed.

    Args:
        video: what to localize; its track, if it has one, is not looked at.
        gallery: where to look.
        models: the networks that embedded the gallery.
        settings: every number that may be turned; the defaults where None.
        on_stage: hears (stage, done, total); may raise `Cancelled`.
        cache: a folder for answers, and below it for what was seen; the same question is answered from there.
        streets: where one may drive, if that is known; the path prefers it.

    Raises:
        WeightsMismatch: the gallery was embedded by other weights.
        VideoUnreadable: the video cannot be decoded.

    Source: GAMa (ECCV 2022), section 4: the four steps; then one path through the last one's answers.
    """
    settings = settings or Settings()
    gallery.check_weights(models.record.sha256)
    known = cache / f"{_question(video, gallery, models, settings, streets)}.json" if cache else None
    if known is not None and (found := _recall(known)) is not None:
        return dataclasses.replace(found, video_name=video.name, gallery_name=gallery.name)
    seconds: dict[str, float] = {}
    seen = see(video, models, settings, on_stage, seconds, cache / CLIPS if cache else None)
    answer = find(seen, gallery, models, settings, on_stage, streets, seconds)
    if known is not None:
        _remember(answer, known)
    return answer


def find(
    seen: Seen,
    gallery: Gallery,
    models: Models,
    settings: Settings | None = None,
    on_stage: OnStage | None = None,
    streets: Streets | None = None,
    seconds: dict[str, float] | None = None,
    views: KnownViews | None = None,
) -> Localization:
    """Where what was seen lies in a gallery: all of `localize` after the video was read.

    Args:
        seen: by `see`, with the same models.
        gallery, models, settings, on_stage, streets: see `localize`.
        seconds: what the stages so far took; is told of those that follow.
        views: what a closer look has seen before in this gallery; asked again, it costs nothing.
    """
    settings, hear, seconds = settings or Settings(), on_stage or silent, {} if seconds is None else seconds
    count = len(seen.numbers)
    for stage in ("search", "screening", "path", "second search"):
        seconds[stage] = 0.0
    with timed(seconds, "search"):
        hear("search", 0, count)
        first = search(seen.vectors, gallery, settings.shortlist)
        hear("search", count, count)
    windows = [
        locate(seen, clips, first, gallery, models, settings, streets, seconds, hear, views)
        for clips in windows_of(count, settings.window_clips)
    ]
    share = [(window.clips.stop - window.clips.start) / count for window in windows]
    chance = sum(part * window.chance for part, window in zip(share, windows, strict=True))
    order = np.lexsort((-windows[0].score, -chance))
    scores = windows[0].score if len(windows) == 1 else np.log(np.maximum(chance, np.finfo(float).tiny))
    agreed = together([window.followed.agreement for window in windows], share)
    law = models.calibration.inside_by(agreed)
    inside = law.probability(agreed, worth(seen, Pace.of(seen, settings)), len(gallery.regions))
    sure = sum(part * _sure(window, inside) for part, window in zip(share, windows, strict=True))
    return Localization(
        video_name=seen.video_name,
        video_sha256=seen.video_sha256,
        duration_s=seen.duration_s,
        gallery_name=gallery.name,
        gallery_sha256=gallery.sha256,
        weights_name=models.record.name,
        weights_sha256=models.record.sha256,
        settings=settings,
        before=_steps(seen, first, gallery),
        regions=tuple(
            RegionHit(gallery.regions[int(index)], int(index), float(scores[index]), float(chance[index]))
            for index in order
        ),
        kept=tuple(dict.fromkeys(index for window in windows for index in window.kept)),
        after=_steps(seen, joined([window.second for window in windows]), gallery),
        path=tuple(step for window in windows for step in _path(window.followed, inside)) if settings.decode else (),
        confidence=min(sure, inside),  # a path that is right lies in the gallery: two laws, and the second bounds
        seconds=seconds,
        notes=_notes(seen, gallery, models, settings, streets, law.learned),
        inside=inside,
        inside_at_least=settings.inside_at_least,
    )


def _steps(seen: Seen, shortlist: Shortlist, gallery: Gallery) -> tuple[Step, ...]:
    """Each clip with its best candidates at different places."""
    steps = []
    for number, time_s, rows, scores in zip(seen.numbers, seen.times_s, shortlist.row, shortlist.score, strict=True):
        candidates: dict[LatLon, Candidate] = {}
        for row, score in zip(rows, scores, strict=True):
            candidate = gallery.candidate(int(row), float(score))
            candidates.setdefault(candidate.at, candidate)
        steps.append(Step(number, float(time_s), tuple(candidates.values())[:SHOWN]))
    return tuple(steps)


def _path(followed: Followed, inside: float) -> tuple[PathStep, ...]:
    """The path, its confidence with the doubt that the drive lies in the gallery at all: that it is right says both."""
    if followed.sure is not None:
        return followed.path
    return tuple(dataclasses.replace(step, confidence=inside * step.confidence) for step in followed.path)


def _sure(window: Window, inside: float) -> float:
    """The probability that the path is right, wherever it goes: as calibrated after a closer look, else that of the
    posterior in the regions kept, if the drive lies in the gallery at all."""
    followed = window.followed
    if followed.sure is None:
        return min(1.0, float(followed.mass[list(window.kept)].sum())) * inside
    crossed = {*window.kept, *(step.region_index for step in followed.path)}
    return min(1.0, float(followed.sure[list(crossed)].sum()))


def _notes(
    seen: Seen, gallery: Gallery, models: Models, settings: Settings, streets: Streets | None, calibrated: bool
) -> tuple[str, ...]:
    notes, frames = [], int(np.median(seen.frames))
    if not calibrated:
        notes.append(
            f"The weights {models.record.name} were never calibrated: how sure the answer is, nobody knows; "
            "`train calibrate` learns it."
        )
    if frames < models.gama_net.config.motion_frames:
        notes.append(
            f"The video has few frames a second: a clip here is {frames} different frame(s), "
            f"repeated, where the network was trained on {models.gama_net.config.motion_frames}."
        )
    if len(seen.numbers) < ENOUGH_CLIPS:
        notes.append(f"Only {len(seen.numbers)} clip(s): fewer than {ENOUGH_CLIPS} are often not enough to be sure.")
    if worth(seen, Pace.of(seen, settings)) < len(seen.numbers) / 2:
        notes.append("The camera hardly moved, or the clips overlap: together they are believed as a few would be.")
    if settings.screening != "late" and not can_screen(gallery, models):
        notes.append("The gallery holds nothing for the screening network: the clips alone ranked the regions.")
    elif settings.screening == "fused" and models.calibration.screening_weight == 0:
        notes.append(
            "Beside the clips these weights give the screening network no say: the clips alone ranked the regions."
        )
    if settings.closer and not settings.headings:
        notes.append("Headings do not count here, and without them nothing is looked at more closely.")
    elif settings.closer and not can_look_closer(gallery, models):
        notes.append("Nothing was looked at more closely: these weights or this gallery do not allow it.")
    if streets is not None and streets.within(gallery.bounds) is None:
        notes.append(f"None of the streets of {streets.name} lies in this gallery: they changed nothing.")
    elif streets is not None and settings.street_weight > 0:
        notes.append(f"The path prefers the streets of {streets.name} ({len(streets)} pieces).")
    return tuple(notes)


def _question(video: Video, gallery: Gallery, models: Models, settings: Settings, streets: Streets | None) -> str:
    """A name for the question: what is asked, of which gallery, by which weights."""
    screening = models.screening_record.sha256 if models.screening_record else None
    parts = [METHOD, video.sha256, gallery.sha256, models.record.sha256, models.precision, screening]
    parts += [settings.as_dict()]
    parts += [gallery.stride_m, gallery.ahead_m]  # they lie beside what the hash is of
    parts += [dataclasses.asdict(models.calibration), [streets.sha256, streets.name] if streets else None]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _recall(path: Path) -> Localization | None:
    if not path.is_file():
        return None
    try:
        return Localization.from_json(path.read_text())
    except (GamaError, OSError, ValueError):  # written by an older version, or damaged: answered anew
        return None


def _remember(answer: Localization, path: Path) -> None:
    keep_if_possible(path, lambda partial: partial.write_text(answer.to_json()))
