"""Where everything lies in the published data set. Nothing else knows these paths.

    ROOT/train_day.list, train.list                          VIDEO NFRAMES
    ROOT/val_day_vid.list, val.list                          VIDEO [NFRAMES]
    ROOT/val_gps_day.list, val_gps.list                      VIDEO SECOND X_Y
    ROOT/gallery_gps_day_center.list, gallery_gps_center.list    VIDEO/NN.jpeg SECOND X_Y
    ROOT/gallery_gps.list                                    X_Y VIDEO; each tile once, of all drives
    ROOT/info/SPLIT/VIDEO.json
    ROOT/video_data/SPLIT/VIDEO.mov                          a film, or a folder of 0000.png ...
    ROOT/satelite_data/SPLIT_gps/VIDEO/NN.jpeg               CN tiles; NN counts the fixes of the info file from 0
    ROOT/satelite_data/SPLIT/VIDEO/X_Y.jpeg                  UCN tiles
    ROOT/satelite_data/SPLIT_hr/VIDEO.jpeg                   large regions

Of two lists on a line the first is that of the drives by day, the second that of all. A list may be gzipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gama_core.errors import DatasetUnreadable

Split = Literal["train", "val"]
GalleryKind = Literal["cn", "ucn"]
SPLITS: tuple[Split, ...] = ("train", "val")
FILM_ENDINGS = (".mov", ".mp4")

_VIDEO_LISTS = {"train": ("train_day.list", "train.list"), "val": ("val_day_vid.list", "val.list")}
_QUERY_LISTS = ("val_gps_day.list", "val_gps.list")
_GALLERY_LISTS = {
    "cn": ("gallery_gps_day_center.list", "gallery_gps_center.list"),
    "ucn": ("gallery_gps.list", "gallery_gps.list"),
}


@dataclass(frozen=True)
class Layout:
    """The paths of one split; whether anything lies there is not asked, except by `film` and `frame_folder`."""

    root: Path
    split: Split
    day: bool = True

    @property
    def video_list(self) -> Path:
        return self._list(_VIDEO_LISTS[self.split])

    @property
    def query_list(self) -> Path | None:
        """None in the training split, which has no list of clips."""
        return self._list(_QUERY_LISTS) if self.split == "val" else None

    def gallery_list(self, gallery: GalleryKind) -> Path | None:
        """None in the training split, which has no list of tiles."""
        return self._list(_GALLERY_LISTS[gallery]) if self.split == "val" else None

    def info(self, video: str) -> Path:
        return self.info_folder / f"{video}.json"

    @property
    def info_folder(self) -> Path:
        return self.root / "info" / self.split

    @property
    def video_folder(self) -> Path:
        return self.root / "video_data" / self.split

    def film(self, video: str) -> Path | None:
        """The film of a video, None where there is none."""
        paths = (self.video_folder / f"{video}{ending}" for ending in FILM_ENDINGS)
        return next((path for path in paths if path.is_file()), None)

    def frame_folder(self, video: str) -> Path | None:
        """The folder of a video's extracted frames, None where there is none."""
        path = frame_folder(self.video_folder, video)
        return path if path.is_dir() else None

    def tile_folder(self, gallery: GalleryKind) -> Path:
        return self.root / "satelite_data" / (f"{self.split}_gps" if gallery == "cn" else self.split)

    @property
    def region_folder(self) -> Path:
        return self.root / "satelite_data" / f"{self.split}_hr"

    def region(self, video: str) -> Path:
        return self.region_folder / f"{video}.jpeg"

    def _list(self, names: tuple[str, str]) -> Path:
        path = self.root / names[0 if self.day else 1]
        packed = path.with_name(f"{path.name}.gz")
        return packed if packed.is_file() and not path.is_file() else path


def layout_of(root: str | Path, split: Split, day: bool = True) -> Layout:
    """The layout of a split.

    Raises:
        DatasetUnreadable: no such folder.
    """
    root = Path(root)
    if not root.is_dir():
        raise DatasetUnreadable(f"There is no folder {root}: give the one that holds info/, video_data/ and the lists.")
    return Layout(root, split, day)


def frame_folder(folder: Path, video: str) -> Path:
    """Where the extracted frames of a video lie: a folder named like its film."""
    return folder / f"{video}.mov"


def frame_name(index: int) -> str:
    """The name of a frame's file: 0000.png."""
    return f"{index:04d}.png"


def centred_tile_name(fix_index: int) -> str:
    """The name of the CN tile around a fix, counted from 0 in the order of the info file: 00.jpeg."""
    return f"{fix_index:02d}.jpeg"
