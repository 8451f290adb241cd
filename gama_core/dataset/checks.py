"""What the doctor looks at in one video: its fixes, film or frames, tiles and region. Each check yields findings."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from gama_core.dataset.findings import Finding
from gama_core.dataset.info import CLIP_FPS, CLIP_SPAN, Info, read_info
from gama_core.dataset.layout import Layout, centred_tile_name, frame_name
from gama_core.dataset.lists import GalleryItem, Query
from gama_core.dataset.pictures import picture_size, read_picture
from gama_core.dataset.reader import FRAME_PX, REGION_PX
from gama_core.errors import DatasetUnreadable, VideoUnreadable
from gama_core.tile import TILE_PX, Tile
from gama_core.video import decode_all, glance, open_video

_CLOSE_S, _GAP_S = 0.8, 2.0  # between fixes; receivers tell once a second, give or take a tenth


@dataclass(frozen=True)
class VideoCase:
    """All that the lists say of one video."""

    video: str
    layout: Layout
    driven: bool  # else the lists only say that some tiles of it are in the UCN gallery
    frames: int | None  # as listed
    clips: tuple[Query, ...]
    centred: tuple[GalleryItem, ...] | None  # CN tiles; None in a split without a list of them
    grid: tuple[GalleryItem, ...]  # UCN tiles
    deep: bool

    def found(self, kind: str, examples: Sequence[object]) -> Iterator[Finding]:
        """A finding that counts its examples; none of none."""
        if examples:
            yield Finding(kind, self.video, len(examples), str(examples[0]))


def check_video(case: VideoCase) -> tuple[Finding, ...]:
    """All that is missing or odd with one video; never raises for what is on the disk."""
    found: list[Finding] = []
    if not case.driven:
        return tuple(_grid(case))
    path, info = case.layout.info(case.video), None
    if not path.is_file():
        found += case.found("info_missing", [path])
    else:
        try:
            info = read_info(path)
        except DatasetUnreadable as error:
            found += case.found("info_unreadable", [error])
    if info is not None:
        found += _fixes(case, info)
    found += _pictures(case)
    found += _centred(case, info)
    found += _grid(case)
    found += _region(case)
    return tuple(found)


def _fixes(case: VideoCase, info: Info) -> Iterator[Finding]:
    times_s = [fix.time_s for fix in info.fixes]
    if not times_s:
        yield from case.found("no_fix", [f"{info.locations} locations"])
    placed = {fix.index for fix in info.fixes}
    yield from case.found("locations_without_a_place", [_nth(i) for i in range(info.locations) if i not in placed])
    yield from case.found("fixes_before_the_start", [f"at {time:.1f} s" for time in times_s if time < 0])
    if info.end_ms is not None:
        end_s = (info.end_ms - info.start_ms) / 1000
        yield from case.found("fixes_after_the_end", [f"at {time:.1f} s" for time in times_s if time > end_s])
    yield from case.found(
        "fixes_out_of_order", [f"at {b:.1f} s after {a:.1f} s" for a, b in pairwise(times_s) if b < a]
    )
    steps = list(pairwise(sorted(times_s)))
    yield from case.found(
        "fixes_closer_than_0.8_s", [f"at {a:.1f} and {b:.1f} s" for a, b in steps if b - a < _CLOSE_S]
    )
    yield from case.found("gaps_of_more_than_2_s", [f"from {a:.1f} to {b:.1f} s" for a, b in steps if b - a > _GAP_S])
    at = [(clip, info.fix(clip.second)) for clip in case.clips]
    yield from case.found("clips_without_a_fix", [clip.name for clip, fix in at if fix is None])
    elsewhere = [clip.name for clip, fix in at if fix and clip.tile and Tile.at(fix) != clip.tile]
    yield from case.found("clips_whose_tile_does_not_hold_their_fix", elsewhere)


def _pictures(case: VideoCase) -> Iterator[Finding]:
    """The film, else the frames: the one that clips are read from."""
    film, folder = case.layout.film(case.video), case.layout.frame_folder(case.video)
    if film is not None:
        try:
            count, length_s = glance(film)
            if case.deep:
                count = decode_all(open_video(film))
        except VideoUnreadable as error:
            yield from case.found("film_unreadable", [error])
            return
        if case.frames is not None:
            yield from case.found("frames_missing", range(count, case.frames))
            yield from case.found("frames_more_than_listed", range(case.frames, count))
        last = length_s * CLIP_FPS + 0.5  # frames at 30 a second
        outside = [clip.name for clip in case.clips if clip.second * CLIP_FPS + CLIP_SPAN > last]
        yield from case.found("clips_outside_of_the_video", outside)
    elif folder is not None:
        yield from _frames(case, folder)
    else:
        yield from case.found("neither_film_nor_frames", [case.layout.video_folder / case.video])


def _frames(case: VideoCase, folder: Path) -> Iterator[Finding]:
    names = sorted(path.name for path in folder.iterdir())
    there = {name for name in names if name.endswith(".png") and name[:-4].isdigit()}
    count = max((int(name[:-4]) + 1 for name in there), default=0)
    if case.frames is not None:
        wanted = range(case.frames)
        yield from case.found("frames_more_than_listed", range(case.frames, count))
    else:
        wanted = range(count)
    yield from case.found("frames_missing", [name for name in map(frame_name, wanted) if name not in there])
    outside = [
        clip.name
        for clip in case.clips
        if clip.second * CLIP_FPS + CLIP_SPAN > (case.frames if case.frames is not None else count)
    ]
    yield from case.found("clips_outside_of_the_video", outside)
    yield from _each_picture(case, "frames", [folder / name for name in sorted(there)], FRAME_PX)
    yield from case.found("files_that_no_list_names", [folder.name + "/" + name for name in names if name not in there])


def _centred(case: VideoCase, info: Info | None) -> Iterator[Finding]:
    """The CN tiles that the list, or in its absence the fixes name, and those that lie there."""
    folder = case.layout.tile_folder("cn") / case.video
    numbered = {centred_tile_name(fix.index) for fix in info.fixes} if info else set()
    listed = {Path(item.file).name for item in case.centred} if case.centred is not None else numbered
    yield from _tile_folder(case, folder, listed, numbered | listed)


def _grid(case: VideoCase) -> Iterator[Finding]:
    """The UCN tiles that the list names, and those that lie there: all 49 of a region may, and few are listed."""
    folder = case.layout.tile_folder("ucn") / case.video
    listed = {Path(item.file).name for item in case.grid}
    grid = {name for name in _names(folder) if _is_tile(name)}
    yield from _tile_folder(case, folder, listed, grid | listed)


def _tile_folder(case: VideoCase, folder: Path, listed: set[str], known: set[str]) -> Iterator[Finding]:
    names = _names(folder)
    yield from case.found("tiles_missing", [folder / name for name in sorted(listed - set(names))])
    yield from case.found("files_that_no_list_names", [folder / name for name in names if name not in known])
    paths = [folder / name for name in names if name in known]
    yield from _each_picture(case, "tiles", paths, (TILE_PX, TILE_PX))
    yield from case.found("tiles_twice", _twice(paths))


def _region(case: VideoCase) -> Iterator[Finding]:
    path = case.layout.region(case.video)
    if not path.is_file():
        yield from case.found("region_missing", [path])
    else:
        yield from _each_picture(case, "region", [path], (REGION_PX, REGION_PX))


def _each_picture(case: VideoCase, what: str, paths: Iterable[Path], size: tuple[int, int]) -> Iterator[Finding]:
    unreadable, other = [], []
    for path in paths:
        try:
            found = picture_size(path)
            if case.deep:
                read_picture(path)
        except DatasetUnreadable as error:
            unreadable.append(error)
            continue
        if found != size:
            other.append(f"{path} is {found[0]} x {found[1]} px, not {size[0]} x {size[1]}")
    yield from case.found(f"{what}_unreadable", unreadable)
    yield from case.found(f"{what}_of_another_size", other)


def _twice(paths: Iterable[Path]) -> list[str]:
    """The files that hold what an earlier one holds."""
    by_size: dict[int, list[Path]] = defaultdict(list)
    for path in filter(Path.is_file, paths):
        by_size[path.stat().st_size].append(path)
    found = []
    for group in by_size.values():
        first: dict[bytes, Path] = {}
        for path in group if len(group) > 1 else ():
            same = first.setdefault(hashlib.sha256(path.read_bytes()).digest(), path)
            if same != path:
                found.append(f"{path} is the same as {same.name}")
    return found


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def _is_tile(name: str) -> bool:
    stem = name.removesuffix(".jpeg").split("_")
    return name.endswith(".jpeg") and len(stem) == 2 and all(part.isdigit() for part in stem)


def _nth(index: int) -> str:
    return f"location {index}"
