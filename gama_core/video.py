"""Videos and the clips cut from them: exact timestamps, upright frames, one streaming pass.

Times are seconds since the first frame of the video, whatever the container counts from. Frames come upright: the
rotation that a phone writes beside the picture is applied, and pixels that are not square are stretched.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream
from numpy.typing import NDArray

from gama_core.errors import VideoUnreadable
from gama_core.files import printable
from gama_core.settings import Settings

# Containers that hold a film. Without the list libavformat also opens pictures, playlists and lists of other files.
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,asf,flv,ogg,gif,h264,hevc"
_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
_MAX_PIXELS = 8192 * 4320
_MAX_DURATION_S = 24 * 3600.0
_LOST_S = 1.0  # an end that is missing so many seconds, or a twentieth, is worth an error
_BACK_S = 1.0  # packets come in the order of decoding; a clock that jumps back further began anew
_NEAR_S = 1.0  # a clip whose first frame is further away was not filmed

Picture = NDArray[np.uint8]
_Timed = tuple[float, av.VideoFrame]


@dataclass(frozen=True)
class Video:
    """A video that opens and whose first frame decodes.

    `width` and `height` are those of the upright picture; `rotation_deg` is how far its stored frames are turned
    clockwise to stand upright: 0, 90, 180 or 270. `origin_s` is the first frame's time in the container's own count.
    """

    path: Path
    name: str
    duration_s: float
    fps: float
    frame_count: int | None
    width: int
    height: int
    rotation_deg: int
    codec: str
    origin_s: float = 0.0

    @cached_property
    def sha256(self) -> str:
        """The hash of the file, all of which is read when it is first asked for.

        Raises:
            VideoUnreadable: the file is gone.
        """
        try:
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise VideoUnreadable(f"{self.name} cannot be read any more: {error.strerror}. Open it again.") from error


@dataclass(frozen=True, eq=False)
class Clip:
    """A moment of the video: frames at even times, uint8 (T, H, W, 3) RGB, and when each was really filmed."""

    number: int  # the second in which it starts
    start_s: float
    frame_times_s: NDArray[np.float64]  # (T,)
    frames: Picture

    @property
    def distinct_frames(self) -> int:
        """How many of the frames differ in time: fewer than T where the video holds fewer than were asked for."""
        return len(np.unique(self.frame_times_s))


def open_video(path: str | Path) -> Video:
    """What can be known of a video without decoding it all: its packets are counted, its first frame is decoded.

    Raises:
        VideoUnreadable: no such file, no video in it, or a header that promises more than the file holds.
    """
    path = Path(path)
    _require_file(path)
    with _opened(path) as container:
        stream = _video_stream(container, path)
        frame = _first_frame(container, stream, path)
        width, height, rotation_deg = _upright(stream, frame)
    with _opened(path) as container:
        stream = _video_stream(container, path)
        start_s, end_s, count = _extent(container, stream, path)
        _require_whole(container, stream, end_s - start_s, path)
    return Video(
        path=path,
        name=printable(path.name),
        duration_s=end_s - start_s,
        fps=count / (end_s - start_s),
        frame_count=count,
        width=width,
        height=height,
        rotation_deg=rotation_deg,
        codec=stream.codec_context.name,
        origin_s=start_s,
    )


def glance(path: Path) -> tuple[int, float]:
    """How many frames a film has and how many seconds it lasts, by its index alone, which must not point past its end.

    Raises:
        VideoUnreadable: no such file, no video in it, or one that is cut off; without an index as `open_video`.
    """
    _require_file(path)
    with _opened(path) as container:
        stream = _video_stream(container, path)
        ends = [entry.pos + entry.size for entry in stream.index_entries]
        count, length_s = stream.frames, float((stream.duration or 0) * (stream.time_base or 0))
    if len(ends) != count or not count or not length_s:
        video = open_video(path)
        return video.frame_count or 0, video.duration_s
    size = path.stat().st_size
    if max(ends) > size:
        whole_s = length_s * sum(end <= size for end in ends) / count
        raise VideoUnreadable(_cut_short(path.name, length_s, whole_s))
    return count, length_s


def decode_all(video: Video) -> int:
    """How many frames of a video decode.

    Raises:
        VideoUnreadable: it stops decoding before its end; says after how many seconds.
    """
    with _opened(video.path) as container:
        return sum(1 for _ in _decoded(container, video))


def cut_clips(video: Video, settings: Settings, cover: tuple[int, int], crop: tuple[int, int]) -> Iterator[Clip]:
    """The clips of a video, in order, in one pass over it.

    A clip starts every `settings.clip_every_s` from the first frame that decodes. Each of its moments, spread evenly
    over `settings.clip_duration_s`, takes the frame filmed nearest to it, so that a video of few frames repeats
    them (`Clip.distinct_frames`). A clip that the video ends in is left out, unless it is the only one; so is one in
    a gap of the video.

    Args:
        video: what `open_video` gave.
        settings: how often, how long and how many frames.
        cover: width and height in pixels that each frame is resized to cover, keeping its aspect.
        crop: width and height in pixels of the middle that is kept; at most `cover`.

    Yields:
        Clips with frames uint8 (T, crop height, crop width, 3), RGB.

    Raises:
        VideoUnreadable: the video stops decoding before its end; says after how many seconds.
    """
    if crop[0] > cover[0] or crop[1] > cover[1]:
        raise ValueError(f"a crop of {crop} does not fit into {cover}")
    with _opened(video.path) as container:
        frames = _decoded(container, video)
        first = next(frames)
        starts = list(_starts(first[0], video.duration_s, settings))
        offsets = np.arange(settings.frames_per_clip) * (settings.clip_duration_s / settings.frames_per_clip)
        # Clips may overlap, so their moments are visited by time and not clip by clip.
        order = sorted((start + float(offset), clip) for clip, start in enumerate(starts) for offset in offsets)
        nearest = _nearest(itertools.chain([first], frames), (moment for moment, _ in order))
        open_clips: dict[int, list[tuple[float, Picture]]] = {}
        last: tuple[float, Picture] | None = None
        for (_, clip), (time_s, frame) in zip(order, nearest, strict=True):
            if last is None or last[0] != time_s:
                last = time_s, _picture(frame, video, cover, crop)
            taken = open_clips.setdefault(clip, [])
            taken.append(last)
            if len(taken) == len(offsets):
                del open_clips[clip]
                if abs(taken[0][0] - starts[clip]) <= _NEAR_S:
                    yield _clip(starts[clip], taken)


def read_frame(video: Video, time_s: float, width: int) -> Picture:
    """The frame filmed nearest to a moment, upright, uint8 (H, W, 3) RGB, `width` pixels wide.

    Raises:
        VideoUnreadable: that part of the video does not decode.
    """
    size = width, max(1, round(width * video.height / video.width))
    return next(read_frames(video, [min(max(time_s, 0.0), video.duration_s)], size))


def read_frames(video: Video, times_s: Sequence[float], cover: tuple[int, int]) -> Iterator[Picture]:
    """The frames filmed nearest to some moments, in one pass from the key frame before the first of them.

    Args:
        video: what `open_video` gave.
        times_s: seconds since the first frame, rising.
        cover: width and height in pixels that each frame is resized to cover; what is over is cut off.

    Yields:
        Upright frames, uint8 (cover height, cover width, 3) RGB, one for each moment.

    Raises:
        VideoUnreadable: that part of the video does not decode.
    """
    with _opened(video.path) as container:
        stream = _video_stream(container, video.path)
        with contextlib.suppress(av.error.FFmpegError):  # a container that cannot seek is read from its start
            container.seek(int((times_s[0] + video.origin_s) / (stream.time_base or 1)), stream=stream)
        frames = _decoded(container, video)
        first = next(frames)
        if first[0] <= times_s[0]:
            for _, frame in _nearest(itertools.chain([first], frames), times_s):
                yield _picture(frame, video, cover, cover)
            return
    with _opened(video.path) as container:  # the seek went too far
        for _, frame in _nearest(_decoded(container, video), times_s):
            yield _picture(frame, video, cover, cover)


def upright(frame: av.VideoFrame, video: Video, width: int, height: int) -> Picture:
    """A decoded frame as it is to be seen, whichever way the camera was held; uint8 (height, width, 3) RGB."""
    stored = (height, width) if video.rotation_deg in (90, 270) else (width, height)
    smaller = stored[0] <= frame.width and stored[1] <= frame.height
    resized = frame.reformat(*stored, format="rgb24", interpolation="AREA" if smaller else "BICUBIC")
    return np.ascontiguousarray(np.rot90(resized.to_ndarray(), -video.rotation_deg // 90))


def _require_file(path: Path) -> None:
    if path.is_dir():
        raise VideoUnreadable(f"{path.name} is a folder: choose a video file.")
    if not path.is_file():
        raise VideoUnreadable(f"There is no file {path}.")
    if path.stat().st_size == 0:
        raise VideoUnreadable(f"{path.name} is empty (0 bytes): copy it from the camera again.")


def _opened(path: Path) -> InputContainer:
    try:
        return av.open(str(path.absolute()), options=_OPTIONS)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise VideoUnreadable(
            f"{path.name} is no video that can be read here, or it is cut off at its start: "
            "choose an MP4, MOV, MKV, WebM, AVI, MPEG-TS or GIF file."
        ) from error


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    stream = container.streams.best("video")
    if not isinstance(stream, VideoStream) or stream.disposition & Disposition.attached_pic:
        raise VideoUnreadable(f"{path.name} holds no moving picture: choose a video file.")
    if getattr(stream, "codec_context", None) is None:
        raise VideoUnreadable(
            f"The pictures in {path.name} are coded in a way that is unknown here, or its header is damaged: "
            "convert it to H.264 first."
        )
    stream.thread_type = "AUTO"
    if stream.width * stream.height > _MAX_PIXELS:
        raise VideoUnreadable(
            f"{path.name} says its picture is {stream.width} x {stream.height} pixels, more than 8192 x 4320: "
            "make it smaller first."
        )
    stream.codec_context.options = {"max_pixels": str(_MAX_PIXELS)}
    return stream


def _first_frame(container: InputContainer, stream: VideoStream, path: Path) -> av.VideoFrame:
    for packet in itertools.islice(_packets(container, stream), 1000):
        try:
            for frame in stream.decode(packet):
                return frame
        except av.error.FFmpegError:
            continue  # a recording that starts between two key frames
    raise VideoUnreadable(f"No frame of {path.name} decodes: the file is damaged; copy it from the camera again.")


def _packets(container: InputContainer, stream: VideoStream) -> Iterator[av.Packet[VideoStream]]:
    """The stream's packets up to the end, or up to where the container breaks."""
    try:
        yield from container.demux(stream)
    except av.error.FFmpegError:
        return


def _upright(stream: VideoStream, frame: av.VideoFrame) -> tuple[int, int, int]:
    """Width and height of the upright picture, and the clockwise turn in degrees that makes it upright."""
    aspect = float(stream.sample_aspect_ratio or 1) or 1.0
    width, height = max(1, round(frame.width * aspect)), frame.height
    rotation_deg = round(-frame.rotation / 90) * 90 % 360  # libavutil counts anticlockwise
    return (height, width, rotation_deg) if rotation_deg in (90, 270) else (width, height, rotation_deg)


def _extent(container: InputContainer, stream: VideoStream, path: Path) -> tuple[float, float, int]:
    """First and last moment of the stream in the container's seconds, and its number of frames.

    The last frame lasts as long as frames usually do: what containers say of it follows the order of decoding.
    """
    tick_s = float(stream.time_base or 0)
    ticks, length, decoded_s = [], 0, -math.inf
    for packet in _packets(container, stream):
        time = packet.pts if packet.pts is not None else packet.dts
        if packet.dts is not None and packet.dts * tick_s < decoded_s - _BACK_S:
            raise VideoUnreadable(
                f"The clock of {path.name} jumps back from {decoded_s:.1f} to {packet.dts * tick_s:.1f} s: several "
                "recordings in one file. Bring them one by one, or join them with a video program."
            )
        decoded_s = decoded_s if packet.dts is None else packet.dts * tick_s
        if time is not None and packet.size and not packet.is_discard:
            ticks.append(time)
            length = packet.duration or length
    times_s = np.sort(np.array(ticks)) * tick_s
    only_s = length * tick_s or 1.0 / float(stream.average_rate or 30)
    last_s = float(np.median(np.diff(times_s))) if len(times_s) > 1 else only_s
    length_s = times_s[-1] + last_s - times_s[0] if len(times_s) else 0.0
    if not 0 < length_s <= _MAX_DURATION_S:
        raise VideoUnreadable(f"The times in {path.name} make no sense (more than a day, or none): convert it first.")
    return float(times_s[0]), float(times_s[-1] + last_s), len(times_s)


def _require_whole(container: InputContainer, stream: VideoStream, found_s: float, path: Path) -> None:
    if stream.duration and stream.time_base:
        said_s = float(stream.duration * stream.time_base)
    else:
        said_s = (container.duration or 0) / av.time_base
    if said_s - found_s > max(_LOST_S, 0.05 * said_s):
        raise VideoUnreadable(_cut_short(path.name, said_s, found_s))


def _cut_short(name: str, said_s: float, found_s: float) -> str:
    return (
        f"{name} says that it lasts {said_s:.1f} s, but only {max(found_s, 0.0):.1f} s of it can be read: "
        "the file is damaged. Copy it from the camera again, or cut out the part that plays."
    )


def _decoded(container: InputContainer, video: Video) -> Iterator[_Timed]:
    """The frames from here on with their seconds; broken packets count once a key frame has come."""
    stream = _video_stream(container, video.path)
    tick_s = float(stream.time_base or 0)
    started, reached_s = False, -math.inf
    for packet in _packets(container, stream):
        try:
            frames = stream.decode(packet)
        except av.error.FFmpegError as error:
            if started and video.duration_s - reached_s > _LOST_S:
                raise VideoUnreadable(_cut_short(video.name, video.duration_s, reached_s)) from error
            continue
        started = started or packet.is_keyframe
        for frame in frames:
            time = frame.pts if frame.pts is not None else frame.dts
            reached_s = (time or 0) * tick_s - video.origin_s
            yield reached_s, frame
    if video.duration_s - reached_s > max(_LOST_S, 0.05 * video.duration_s, 2 / video.fps):
        raise VideoUnreadable(_cut_short(video.name, video.duration_s, reached_s))


def _starts(first_s: float, duration_s: float, settings: Settings) -> Iterator[float]:
    """Where clips start: at least one, and all others whole."""
    yield first_s
    for step in itertools.count(1):
        start_s = first_s + step * settings.clip_every_s
        if start_s + settings.clip_duration_s > duration_s + 1e-6:
            return
        yield start_s


def _nearest(frames: Iterable[_Timed], moments: Iterable[float]) -> Iterator[_Timed]:
    """For each moment, in rising order, the frame nearest to it; the last frame stands for all that comes after."""
    frames = iter(frames)
    before = after = next(frames)
    for moment in moments:
        while after[0] < moment and (following := next(frames, None)) is not None:
            before, after = after, following
        yield before if abs(moment - before[0]) <= abs(after[0] - moment) else after


def _picture(frame: av.VideoFrame, video: Video, cover: tuple[int, int], crop: tuple[int, int]) -> Picture:
    """One frame, upright, resized to cover a size and cropped to its middle."""
    scale = max(cover[0] / video.width, cover[1] / video.height)
    width, height = max(cover[0], round(video.width * scale)), max(cover[1], round(video.height * scale))
    left, top = (width - crop[0]) // 2, (height - crop[1]) // 2
    return np.ascontiguousarray(upright(frame, video, width, height)[top : top + crop[1], left : left + crop[0]])


def _clip(start_s: float, taken: list[tuple[float, Picture]]) -> Clip:
    times_s, pictures = zip(*taken, strict=True)
    return Clip(math.floor(start_s + 1e-6), start_s, np.array(times_s), np.stack(pictures))
