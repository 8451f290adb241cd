"""What the network saw in a video: its clips as vectors. All of the job that needs the video, and no gallery."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gama_core.embed import Models, Vectors, embed_clips
from gama_core.files import whole_file
from gama_core.settings import Settings
from gama_core.stages import OnStage, silent, timed
from gama_core.video import Clip, Video, cut_clips


@dataclass(frozen=True, eq=False)
class Seen:
    """What the network saw in a video: C clips by their numbers and start times (C,), and vectors float32 (C, D)."""

    video_name: str
    video_sha256: str
    duration_s: float
    numbers: tuple[int, ...]
    times_s: NDArray[np.float64]
    vectors: Vectors
    fewest_frames: int  # different ones in a clip

    def first(self, clips: int) -> Seen:
        """The beginning of the drive, as if the video ended there."""
        ends_s = float(self.times_s[clips]) if clips < len(self.times_s) else self.duration_s
        return dataclasses.replace(
            self,
            duration_s=ends_s,
            numbers=self.numbers[:clips],
            times_s=self.times_s[:clips],
            vectors=self.vectors[:clips],
        )


def see(
    video: Video,
    models: Models,
    settings: Settings | None = None,
    on_stage: OnStage | None = None,
    seconds: dict[str, float] | None = None,
    cache: Path | None = None,
) -> Seen:
    """The clips of a video as vectors: all of `localize` that needs the video, and nothing that needs a gallery.

    Args:
        video, models, settings, on_stage: see `localize`.
        seconds: is told what each stage took.
        cache: a folder for vectors; a video seen before by the same network is read from there.
    """
    settings, hear, seconds = settings or Settings(), on_stage or silent, {} if seconds is None else seconds
    known = cache / f"{_name(video, models, settings)}.npz" if cache else None
    if known is not None and (found := _recall(known, video)) is not None:
        return found
    with timed(seconds, "video"):
        clips = list(_heard(cut_clips(video, settings, *_frame_size(models)), video, settings, hear))
    with timed(seconds, "embedding"):
        frames = (clip.frames for clip in clips)
        vectors = embed_clips(models, frames, on_done=lambda done: hear("embedding", done, len(clips)))
    seen = Seen(
        video_name=video.name,
        video_sha256=video.sha256,
        duration_s=video.duration_s,
        numbers=tuple(clip.number for clip in clips),
        times_s=np.array([clip.start_s for clip in clips]),
        vectors=vectors,
        fewest_frames=min(clip.distinct_frames for clip in clips),
    )
    if known is not None:
        _remember(seen, known)
    return seen


def _name(video: Video, models: Models, settings: Settings) -> str:
    """Names what decides the vectors: the video, the network, and how clips are cut."""
    cut = [settings.clip_every_s, settings.clip_duration_s, settings.frames_per_clip]
    return hashlib.sha256(json.dumps([video.sha256, models.record.sha256, cut]).encode()).hexdigest()[:32]


def _recall(path: Path, video: Video) -> Seen | None:
    try:
        with np.load(path, allow_pickle=False) as kept:
            return Seen(
                video_name=video.name,
                video_sha256=video.sha256,
                duration_s=video.duration_s,
                numbers=tuple(kept["numbers"].tolist()),
                times_s=kept["times_s"],
                vectors=kept["vectors"],
                fewest_frames=int(kept["fewest_frames"]),
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):  # not there, or damaged: seen anew
        return None


def _remember(seen: Seen, path: Path) -> None:
    numbers, fewest = np.array(seen.numbers), np.array(seen.fewest_frames)
    with whole_file(path) as partial, partial.open("wb") as file:
        np.savez(file, vectors=seen.vectors, times_s=seen.times_s, numbers=numbers, fewest_frames=fewest)


def _frame_size(models: Models) -> tuple[tuple[int, int], tuple[int, int]]:
    height, width = models.gama_net.config.clip_size
    return models.gama_net.config.frame_cover, (width, height)


def _heard(clips: Iterator[Clip], video: Video, settings: Settings, hear: OnStage) -> Iterator[Clip]:
    total = max(1, int(video.duration_s / settings.clip_every_s))
    for done, clip in enumerate(clips, start=1):
        hear("video", done, max(total, done))
        yield clip
