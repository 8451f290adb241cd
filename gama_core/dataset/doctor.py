"""The doctor: what of a data set is there, and what is missing or odd. It looks at everything and stops at nothing."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from gama_core.dataset.checks import VideoCase, check_video
from gama_core.dataset.findings import DatasetReport, Finding, SplitReport
from gama_core.dataset.layout import FILM_ENDINGS, SPLITS, Layout, Split, layout_of
from gama_core.dataset.lists import (
    GalleryItem,
    Query,
    Rows,
    VideoRow,
    centred_rows,
    query_rows,
    tile_rows,
    video_rows,
)
from gama_core.errors import DatasetUnreadable

__all__ = ["DatasetReport", "Finding", "SplitReport", "check_dataset"]

Row = TypeVar("Row", VideoRow, Query, GalleryItem)
Item = TypeVar("Item", Query, GalleryItem)
_THREADS = min(8, os.cpu_count() or 1)


def check_dataset(
    root: str | Path,
    splits: Sequence[Split] = SPLITS,
    deep: bool = False,
    on_done: Callable[[int, int], None] | None = None,
) -> DatasetReport:
    """Examines a data set.

    Of the lists those of the drives by day must be there; those of all drives are used where they are.

    Args:
        root: of the data set.
        splits: which.
        deep: decode every picture and every film; otherwise their ends, headers and indices tell.
        on_done: called with the videos done and their number.

    Raises:
        DatasetUnreadable: no such folder.
    """
    examinations = [_Examination(layout_of(root, split), deep) for split in splits]
    total = sum(len(examination.videos) for examination in examinations)
    done, reports = 0, []
    with ThreadPoolExecutor(_THREADS) as pool:
        for examination in examinations:
            findings = list(examination.findings)
            for found in pool.map(check_video, examination.cases()):
                findings += found
                done += 1
                if on_done is not None:
                    on_done(done, total)
            findings += examination.strays()
            split = examination.layout.split
            reports.append(SplitReport(split, examination.there(), tuple(findings)))
    return DatasetReport(Path(root), deep, tuple(reports))


class _Examination:
    """The lists of one split, and what is odd about them."""

    def __init__(self, layout: Layout, deep: bool) -> None:
        self.layout, self.deep = layout, deep
        self.findings: list[Finding] = []
        lists = partial(Layout, layout.root, layout.split)
        days = [lists(True), lists(False)]
        rows = self._rows(video_rows, [each.video_list for each in days])
        self.frames = {row.video: row.frames for row in rows or () if row.frames is not None}
        self.queries = self._rows(query_rows, [each.query_list for each in days])
        self.centred = self._rows(centred_rows, [each.gallery_list("cn") for each in days])
        self.grid = self._rows(tile_rows, [each.gallery_list("ucn") for each in days])
        named = dict.fromkeys(row.video for row in rows or ())
        clips = Counter(query.video for query in self.queries or () if query.video not in named)
        if named:
            kind = "clips_of_videos_that_no_list_names"
            self.findings += [Finding(kind, video, count, video) for video, count in clips.items()]
        self.driven = dict.fromkeys([*named, *clips, *(item.video for item in self.centred or ())])
        self.videos = list(self.driven | dict.fromkeys(item.video for item in self.grid or ()))
        owners: dict[str, set[str]] = defaultdict(set)
        for item in self.grid or ():
            owners[item.name].add(item.video)
        shared = [name for name, videos in owners.items() if len(videos) > 1]
        if shared:
            where = self.layout.tile_folder("ucn").name
            self.findings.append(Finding("tiles_shared_by_videos", where, len(shared), shared[0]))

    def cases(self) -> Iterator[VideoCase]:
        """What the lists say of each video."""
        clips, centred, grid = _by_video(self.queries), _by_video(self.centred), _by_video(self.grid)
        for video in self.videos:
            yield VideoCase(
                video,
                self.layout,
                video in self.driven,
                self.frames.get(video),
                clips.get(video, ()),
                None if self.centred is None else centred.get(video, ()),
                grid.get(video, ()),
                self.deep,
            )

    def there(self) -> dict[str, int]:
        """How many of what are there."""
        layout, videos = self.layout, self.driven
        return {
            "videos": len(videos),
            "clips": len(self.queries or ()),
            "CN tiles listed": len(self.centred or ()),
            "UCN tiles listed": len(self.grid or ()),
            "info files": sum(layout.info(video).is_file() for video in videos),
            "films": sum(layout.film(video) is not None for video in videos),
            "folders of frames": sum(layout.frame_folder(video) is not None for video in videos),
            "CN tiles": sum(_count(layout.tile_folder("cn") / video) for video in videos),
            "UCN tiles": sum(_count(layout.tile_folder("ucn") / video) for video in self.videos),
            "regions": sum(layout.region(video).is_file() for video in videos),
        }

    def strays(self) -> Iterator[Finding]:
        """Files and folders of videos that no list names."""
        layout, known = self.layout, set(self.videos)
        folders = [layout.info_folder, layout.video_folder, layout.region_folder]
        for folder in (*folders, layout.tile_folder("cn"), layout.tile_folder("ucn")):
            paths = sorted(folder.iterdir()) if folder.is_dir() else []
            names = [path.name for path in paths if _video_of(path) not in known]
            if names:
                where = str(folder.relative_to(layout.root))
                yield Finding("files_that_no_list_names", where, len(names), names[0])

    def _rows(self, read: Callable[[Path], Rows[Row]], paths: Iterable[Path | None]) -> tuple[Row, ...] | None:
        """The rows of the list by day and of that of all, each once; None where the split has no such list."""
        found: dict[Row, None] = {}
        wanted = list(dict.fromkeys(path for path in paths if path is not None))
        for number, path in enumerate(wanted):
            try:
                rows = read(path)
            except DatasetUnreadable as error:
                if number == 0 or path.is_file():
                    self.findings.append(Finding("list_missing", path.name, 1, str(error)))
                continue
            if rows.faults:
                first = rows.faults[0]
                example = f"line {first.line}: {first.why}"
                self.findings.append(Finding("list_rows_unreadable", path.name, len(rows.faults), example))
            if rows.repeated:
                example = Counter(rows.rows).most_common(1)[0][0].row
                self.findings.append(Finding("list_rows_repeated", path.name, rows.repeated, example))
            found |= dict.fromkeys(rows.rows)
        return tuple(found) if wanted else None


def _by_video(rows: Iterable[Item] | None) -> dict[str, tuple[Item, ...]]:
    found: dict[str, list[Item]] = defaultdict(list)
    for row in rows or ():
        found[row.video].append(row)
    return {video: tuple(each) for video, each in found.items()}


def _count(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0


def _video_of(path: Path) -> str:
    endings = (".json", ".jpeg", *FILM_ENDINGS)
    return path.stem if path.suffix in endings else path.name
