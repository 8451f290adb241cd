"""What the network saw in a video: its clips as vectors. All of the job that needs the video, and no gallery."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gama_core.embed import Models, Reading, Vectors, read_clips
from gama_core.files import keep_if_possible
from gama_core.models.config import GAMaNetConfig
from gama_core.models.odometry import SPAN_S
from gama_core.moves import Odometry
from gama_core.settings import Settings
from gama_core.stages import OnStage, silent, timed
from gama_core.video import Clip, Video, cut_clips

VERSION = 2  # counts up when the same video is to be seen otherwise
PIECE_CLIPS = 300  # whose pixels are held at once: a quarter of a gigabyte
STEADY = 0.75  # of a clip's frames must differ, if it is to show how the camera moved


@dataclass(frozen=True, eq=False)
class Seen:
    """What the network saw in a video: C clips by their numbers and start times (C,), and vectors float32 (C, D); how
    the camera moved and the fine space's vectors where the network reads them."""

    video_name: str
    video_sha256: str
    duration_s: float
    numbers: tuple[int, ...]
    times_s: NDArray[np.float64]
    vectors: Vectors
    frames: NDArray[np.int64]  # different ones in each clip (C,)
    fine: Vectors | None = None  # unit vectors (C, F) of the fine space
    odometry: Odometry | None = None

    def first(self, clips: int) -> Seen:
        """The beginning of the drive, as if the video ended there."""
        ends_s = float(self.times_s[clips]) if clips < len(self.times_s) else self.duration_s
        return dataclasses.replace(self.part(slice(clips)), duration_s=ends_s)

    def part(self, clips: slice) -> Seen:
        """Some successive clips."""
        return dataclasses.replace(
            self,
            numbers=self.numbers[clips],
            times_s=self.times_s[clips],
            vectors=self.vectors[clips],
            frames=self.frames[clips],
            fine=None if self.fine is None else self.fine[clips],
            odometry=None if self.odometry is None else self.odometry[clips],
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
    if known is not None and (found := _recall(known, video, models.gama_net.config)) is not None:
        return found
    clips = _heard(cut_clips(video, settings, *_frame_size(models)), video, settings, hear)
    parts: list[Seen] = []
    while True:
        with timed(seconds, "video"):
            piece = list(islice(clips, PIECE_CLIPS))
        if not piece:
            break
        with timed(seconds, "embedding"):
            parts.append(_read(piece, video, models, hear, sum(len(part.numbers) for part in parts)))
    seen = _joined(parts)
    if known is not None:
        _remember(seen, known)
    return seen


def _read(piece: list[Clip], video: Video, models: Models, hear: OnStage, before: int) -> Seen:
    """What the network sees in some clips of a video, of which it has seen so many before."""
    frames, total = (clip.frames for clip in piece), before + len(piece)
    read = read_clips(models, frames, on_done=lambda done: hear("embedding", before + done, total))
    return Seen(
        video_name=video.name,
        video_sha256=video.sha256,
        duration_s=video.duration_s,
        numbers=tuple(clip.number for clip in piece),
        times_s=np.array([clip.start_s for clip in piece]),
        vectors=read.vectors,
        frames=np.array([clip.distinct_frames for clip in piece]),
        fine=read.fine,
        odometry=_odometry(read, piece, models.gama_net.config.motion_frames),
    )


def _joined(parts: list[Seen]) -> Seen:
    """Successive parts of one video as a whole."""
    fine = [part.fine for part in parts if part.fine is not None]
    moved = [part.odometry for part in parts if part.odometry is not None]
    return dataclasses.replace(
        parts[0],
        numbers=tuple(number for part in parts for number in part.numbers),
        times_s=np.concatenate([part.times_s for part in parts]),
        vectors=np.concatenate([part.vectors for part in parts]),
        frames=np.concatenate([part.frames for part in parts]),
        fine=np.concatenate(fine) if fine else None,
        odometry=Odometry.joined(moved) if moved else None,
    )


def _odometry(read: Reading, clips: list[Clip], motion_frames: int) -> Odometry | None:
    """How the camera moved: what the network reads is for clips as long as those that it learned from. Unknown where a
    clip repeats more than a quarter of its frames, which makes it seem to stand."""
    if read.motion is None:
        return None
    span_s = np.array([_span_s(clip, motion_frames) for clip in clips])
    steady = np.array([clip.distinct_frames >= STEADY * len(clip.frames) for clip in clips]) & (span_s > 0)
    motion = read.motion * np.where(steady, SPAN_S / np.where(steady, span_s, 1.0), np.nan)[:, None]
    return Odometry(*motion.astype(np.float64).T)


def _span_s(clip: Clip, motion_frames: int) -> float:
    """Seconds from the first to the last of the frames in which the network sees motion."""
    last = (motion_frames - 1) * len(clip.frames) // motion_frames
    return float(clip.frame_times_s[last] - clip.frame_times_s[0])


def _name(video: Video, models: Models, settings: Settings) -> str:
    """Names what decides the vectors: the video, the network, and how clips are cut."""
    cut = [VERSION, settings.clip_every_s, settings.clip_duration_s, settings.frames_per_clip]
    parts = [video.sha256, models.record.sha256, models.precision, cut]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _recall(path: Path, video: Video, config: GAMaNetConfig) -> Seen | None:
    try:
        with np.load(path, allow_pickle=False) as kept:
            if ("fine" in kept, "motion" in kept) != (config.fine_dims > 0, config.odometry):
                return None  # by a version that read less, or damaged
            return Seen(
                video_name=video.name,
                video_sha256=video.sha256,
                duration_s=video.duration_s,
                numbers=tuple(kept["numbers"].tolist()),
                times_s=kept["times_s"],
                vectors=kept["vectors"],
                frames=kept["frames"],
                fine=kept.get("fine"),
                odometry=Odometry(*kept["motion"]) if "motion" in kept else None,
            )
    except (OSError, ValueError, KeyError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error):
        return None  # not there, or damaged: seen anew


def _remember(seen: Seen, path: Path) -> None:
    kept: dict[str, NDArray[Any]] = {
        "vectors": seen.vectors,
        "times_s": seen.times_s,
        "numbers": np.array(seen.numbers),
        "frames": seen.frames,
    }
    if seen.fine is not None:
        kept["fine"] = seen.fine
    if (moved := seen.odometry) is not None:
        kept["motion"] = np.stack([getattr(moved, field.name) for field in dataclasses.fields(moved)])

    def write(partial: Path) -> None:
        with partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **kept)

    keep_if_possible(path, write)


def _frame_size(models: Models) -> tuple[tuple[int, int], tuple[int, int]]:
    height, width = models.gama_net.config.clip_size
    return models.gama_net.config.frame_cover, (width, height)


def _heard(clips: Iterator[Clip], video: Video, settings: Settings, hear: OnStage) -> Iterator[Clip]:
    total = max(1, int(video.duration_s / settings.clip_every_s))
    for done, clip in enumerate(clips, start=1):
        hear("video", done, max(total, done))
        yield clip
