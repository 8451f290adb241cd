"""The data set as the rest of the project sees it: clips, tiles, regions and places by name, read when asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gama_core.dataset.info import CLIP_FPS, Info, read_info
from gama_core.dataset.layout import GalleryKind, Layout, Split, frame_name, layout_of
from gama_core.dataset.lists import (
    GalleryItem,
    Query,
    centred_rows,
    clip_name,
    query_rows,
    tile_rows,
    video_rows,
)
from gama_core.dataset.pictures import Picture, read_picture
from gama_core.errors import DatasetUnreadable, VideoUnreadable
from gama_core.geo import LatLon
from gama_core.telemetry import read_track
from gama_core.tile import REGION_TILES, TILE_PX, Tile
from gama_core.track import Track
from gama_core.video import Video, open_video, read_frames

__all__ = ["CLIP_FPS", "FRAME_PX", "REGION_PX", "Dataset", "open_dataset"]

FRAME_PX = (256, 144)  # width and height of the frames that the networks are fed from
REGION_PX = REGION_TILES * TILE_PX


class Dataset:
    """One split of a data set with one of its galleries. Threads may share it; other processes get one of their own.

    In the training split, which has no lists of clips and tiles, `queries` and `gallery_items` are made of the info
    files: a clip for each second that holds a fix and lies in the video, the CN tile that is numbered like that fix.
    Videos whose info cannot be read then have none; `doctor.check_dataset` names them.
    """

    def __init__(self, layout: Layout, gallery: GalleryKind) -> None:
        self.layout = layout
        self.gallery = gallery
        self._infos = lru_cache(256)(lambda video: read_info(layout.info(video)))
        self._tracks = lru_cache(64)(lambda video: read_track(layout.info(video)))
        self._films = lru_cache(1024)(open_video)

    def __reduce__(self) -> tuple[Any, ...]:
        return Dataset, (self.layout, self.gallery)

    @property
    def root(self) -> Path:
        return self.layout.root

    @property
    def split(self) -> Split:
        return self.layout.split

    @cached_property
    def videos(self) -> tuple[str, ...]:
        """The split's videos; where it has no list of them those of the queries, in their order."""
        if self.layout.query_list is not None and not self.layout.video_list.is_file():
            return tuple(dict.fromkeys(query.video for query in self.queries))
        return tuple(self._frame_counts)

    @cached_property
    def queries(self) -> tuple[Query, ...]:
        """The clips, in the order of their list."""
        if self.layout.query_list is None:
            return tuple(query for video in self.videos for query in self._clips_of(video))
        return query_rows(self.layout.query_list).sound()

    @cached_property
    def gallery_items(self) -> tuple[GalleryItem, ...]:
        """The tiles, in the order of their list; those of one name may be there several times."""
        path = self.layout.gallery_list(self.gallery)
        if path is not None:
            return (centred_rows if self.gallery == "cn" else tile_rows)(path).sound()
        return tuple(item for video in self.videos for item in self.items_of(video))

    def items_of(self, video: str) -> tuple[GalleryItem, ...]:
        """The gallery's tiles of one video, () where there are none."""
        if self.layout.gallery_list(self.gallery) is not None:
            return self._items_by_video.get(video, ())
        if self.gallery == "cn":
            return tuple(self._centred_items(video))
        return tuple(self._tiles_in_folder(video))

    def item(self, name: str) -> GalleryItem | None:
        """The first gallery item of a name, None where there is none."""
        if self.gallery == "cn" and self.layout.gallery_list(self.gallery) is None:
            try:
                video, _ = clip_name(name)
            except ValueError:
                return None
            return next((item for item in self.items_of(video) if item.name == name), None)
        return self._items_by_name.get(name)

    def frame_count(self, video: str) -> int | None:
        """How many frames the split's list says that a video has, None where it does not say."""
        return self._frame_counts.get(video)

    def info(self, video: str) -> Info:
        """The drive's times and numbered fixes; cached.

        Raises:
            DatasetUnreadable: no such file, or one that is no info file.
        """
        return self._infos(video)

    def track(self, video: str) -> Track:
        """Where the camera was, in seconds since the start of the video; cached.

        Raises:
            DatasetUnreadable: no such file, or one that is no info file.
            TrackUnreadable: no fix in it.
        """
        self.info(video)
        return self._tracks(video)

    def fix(self, video: str, second: int) -> LatLon | None:
        """Where a clip was filmed, as the published metrics have it (see `Info.fix`); None where no fix has its second.

        Raises:
            DatasetUnreadable: the info file is missing or damaged.
        """
        return self.info(video).fix(second)

    def position(self, item: GalleryItem) -> LatLon | None:
        """Where a gallery item lies: at its fix (CN), at the centre of its tile (UCN).

        The published code takes the tile's north-west corner instead of its centre: `item.tile.bounds`.

        Raises:
            DatasetUnreadable: the info file is missing or damaged.
        """
        return item.tile.center if item.second is None else self.fix(item.video, item.second)

    def film(self, video: str) -> Path | None:
        """The film of a video, None where there is none."""
        return self.layout.film(video)

    def frame_folder(self, video: str) -> Path | None:
        """The folder of a video's extracted frames, None where there is none."""
        return self.layout.frame_folder(video)

    def read_clip(self, video: str, second: int, frames: int = 8, stride: int = 2) -> Picture:
        """A clip, from the film where there is one, else from extracted frames.

        Args:
            video: its name.
            second: where the clip starts: frame `second * 30` of 30 a second.
            frames: how many.
            stride: from one to the next, in frames of 30 a second.

        Returns:
            uint8 (frames, 144, 256, 3) RGB. A film of another rate gives the frames nearest to the same times.

        Raises:
            DatasetUnreadable: neither film nor frames, the clip lies outside of them, or they do not decode.
        """
        return next(self.read_clips(video, [second], frames, stride))

    def read_clips(self, video: str, seconds: Sequence[int], frames: int = 8, stride: int = 2) -> Iterator[Picture]:
        """Clips of one video, in one pass over its film: for whole videos many times faster than one by one.

        Args:
            seconds: where they start, rising, at least the length of a clip apart.

        Yields:
            As `read_clip` returns, one for each second.

        Raises:
            DatasetUnreadable: as `read_clip`.
        """
        starts = [second * CLIP_FPS for second in seconds]
        return self.read_clips_at(video, starts, frames, stride)

    def read_clips_at(
        self, video: str, first_frames: Sequence[int], frames: int = 8, stride: int = 2
    ) -> Iterator[Picture]:
        """As `read_clips`, for clips that start at any frame of 30 a second."""
        film = self.film(video)
        if film is not None:
            yield from self._from_film(film, video, first_frames, frames, stride)
            return
        folder = self.frame_folder(video)
        if folder is None:
            raise DatasetUnreadable(
                f"{video} has neither a film nor a folder of frames in {self.layout.video_folder}: fetch its film."
            )
        for first in first_frames:
            numbers = range(first, first + frames * stride, stride)
            yield np.stack([read_picture(folder / frame_name(number), FRAME_PX) for number in numbers])

    def tile_path(self, item: GalleryItem) -> Path:
        """The file of a gallery item."""
        return self.layout.tile_folder(self.gallery) / item.file

    def read_tile(self, item: GalleryItem) -> Picture:
        """A small aerial image, uint8 (256, 256, 3) RGB.

        Raises:
            DatasetUnreadable: missing, damaged, or of another size.
        """
        return read_picture(self.tile_path(item), (TILE_PX, TILE_PX))

    def region_path(self, video: str) -> Path:
        """The file of a video's large region."""
        return self.layout.region(video)

    def read_region(self, video: str) -> Picture:
        """A large aerial region, uint8 (1792, 1792, 3) RGB.

        Raises:
            DatasetUnreadable: missing, damaged, or of another size.
        """
        return read_picture(self.region_path(video), (REGION_PX, REGION_PX))

    def _from_film(
        self, film: Path, name: str, first_frames: Sequence[int], frames: int, stride: int
    ) -> Iterator[Picture]:
        steps = np.arange(frames) * stride
        moments = (np.asarray(first_frames)[:, None] + steps).ravel() / CLIP_FPS
        try:
            video = self._films(film)
            _require_within(video, name, moments)
            found = read_frames(video, moments.tolist(), FRAME_PX)
            for _ in first_frames:
                yield np.stack([next(found) for _ in steps])
        except VideoUnreadable as error:
            raise DatasetUnreadable(f"{film}: {error}") from error

    @cached_property
    def _frame_counts(self) -> dict[str, int | None]:
        path = self.layout.video_list
        if self.layout.query_list is not None and not path.is_file():
            return {}
        return {row.video: row.frames for row in video_rows(path).sound()}

    @cached_property
    def _items_by_name(self) -> dict[str, GalleryItem]:
        return {item.name: item for item in reversed(self.gallery_items)}

    @cached_property
    def _items_by_video(self) -> dict[str, tuple[GalleryItem, ...]]:
        found: dict[str, list[GalleryItem]] = {}
        for item in self.gallery_items:
            found.setdefault(item.video, []).append(item)
        return {video: tuple(items) for video, items in found.items()}

    def _clips_of(self, video: str) -> Iterator[Query]:
        items = self._centred_items(video)
        return (Query(video, item.second, item.tile) for item in items if item.second is not None)

    def _centred_items(self, video: str) -> Iterator[GalleryItem]:
        try:
            fixes = self.info(video).clips(self.frame_count(video))
        except DatasetUnreadable:
            return
        yield from (fix.item(video) for fix in fixes)

    def _tiles_in_folder(self, video: str) -> Iterator[GalleryItem]:
        for path in sorted((self.layout.tile_folder("ucn") / video).glob("*_*.jpeg")):
            yield GalleryItem(path.stem, video, None, Tile.from_name(path.stem), f"{video}/{path.name}")


def open_dataset(root: str | Path, split: Split = "val", gallery: GalleryKind = "cn", day: bool = True) -> Dataset:
    """A split of a data set; nothing of it is read yet.

    Args:
        root: the folder that holds the lists, `info/`, `video_data/` and `satelite_data/`.
        split: val, which is searched, or train.
        gallery: cn, tiles centred on fixes, or ucn, tiles of the grid.
        day: only the drives by day, as in the paper's tables, or all.

    Raises:
        DatasetUnreadable: no such folder, or a list is missing.
    """
    layout = layout_of(root, split, day)
    needed = (layout.query_list, layout.gallery_list(gallery)) if split == "val" else (layout.video_list,)
    for path in needed:
        if path is not None and not path.is_file():
            raise DatasetUnreadable(f"There is no list {path}: give the root of the data set, or fetch its lists.")
    return Dataset(layout, gallery)


def _require_within(video: Video, name: str, moments: NDArray[np.float64]) -> None:
    last_s = video.duration_s - 0.5 / video.fps
    if moments[-1] > last_s or moments[0] < 0:
        at = moments[-1] if moments[-1] > last_s else moments[0]
        raise DatasetUnreadable(
            f"A clip of {name} needs the frame at {at:.2f} s; its film lasts {video.duration_s:.2f} s."
        )
