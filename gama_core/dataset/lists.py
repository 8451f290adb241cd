"""The lists of the published data set: one row a line, fields between blanks.

Blank lines, carriage returns, byte order marks and surplus blanks mean nothing. Rows that repeat are kept, since arrays
of embeddings follow the lists row by row (162 of the published clips are there again). A row that says nothing becomes
a `Fault`.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from gama_core.errors import DatasetUnreadable
from gama_core.tile import ZOOM, Tile

_NAME = re.compile(r"[^/\\\s.][^/\\\s]*")  # a video's name is part of paths: it must not lead out of the root
_LAST_TILE = 2**ZOOM - 1
Row = TypeVar("Row")
_MOST_BYTES = 512 * 2**20  # unpacked; the longest list, of 2.2 M tiles, has a sixth of it


@dataclass(frozen=True, slots=True)
class VideoRow:
    """One video, and how many frames its list says that it has."""

    video: str
    frames: int | None

    @property
    def row(self) -> str:
        return self.video if self.frames is None else f"{self.video} {self.frames}"


@dataclass(frozen=True, slots=True)
class Query:
    """One clip to localize: a video, the second at which the clip starts, the tile that holds its fix."""

    video: str
    second: int
    tile: Tile | None

    @property
    def name(self) -> str:
        return f"{self.video}_{self.second}"

    @property
    def row(self) -> str:
        return f"{self.video} {self.second}" + (f" {self.tile.name}" if self.tile else "")


@dataclass(frozen=True, slots=True)
class GalleryItem:
    """One small aerial image: `VIDEO_SECOND` where it is centred on a fix (CN), `X_Y` where it is a tile (UCN)."""

    name: str
    video: str
    second: int | None  # None in UCN
    tile: Tile
    file: str  # below the folder of the gallery's tiles: VIDEO/NN.jpeg or VIDEO/X_Y.jpeg

    @property
    def row(self) -> str:
        return (
            f"{self.tile.name} {self.video}" if self.second is None else f"{self.file} {self.second} {self.tile.name}"
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that says nothing: its line, counted from 1, the row, and what is wrong."""

    line: int
    row: str
    why: str


@dataclass(frozen=True)
class Rows(Generic[Row]):
    """All that a list says, in its order."""

    path: Path
    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]

    @property
    def repeated(self) -> int:
        """How many rows are there a second time or more often."""
        return sum(count - 1 for count in Counter(self.rows).values())

    def sound(self) -> tuple[Row, ...]:
        """The rows.

        Raises:
            DatasetUnreadable: a row says nothing, or there is none.
        """
        if self.faults:
            first, more = self.faults[0], len(self.faults) - 1
            also = f" (and {more} more rows)" if more else ""
            where = f"{self.path}, line {first.line}"
            raise DatasetUnreadable(f"{where}: {first.why}, in {first.row!r}{also}. Mend the list.")
        if not self.rows:
            raise DatasetUnreadable(f"{self.path} is empty: copy it again.")
        return self.rows


def video_rows(path: Path) -> Rows[VideoRow]:
    """`VIDEO` or `VIDEO NFRAMES`. See `_rows` for what is raised."""
    return _rows(path, _video_row)


def query_rows(path: Path) -> Rows[Query]:
    """`VIDEO SECOND X_Y`, or without the tile. See `_rows` for what is raised."""
    return _rows(path, _query)


def centred_rows(path: Path) -> Rows[GalleryItem]:
    """`VIDEO/NN.jpeg SECOND X_Y`, the CN gallery. See `_rows` for what is raised."""
    return _rows(path, _centred)


def tile_rows(path: Path) -> Rows[GalleryItem]:
    """`X_Y VIDEO`, the UCN gallery. See `_rows` for what is raised."""
    return _rows(path, _uncentred)


def _rows(path: Path, parse: Callable[[list[str]], Row]) -> Rows[Row]:
    """Every row of a list.

    Raises:
        DatasetUnreadable: no such file, or one that is no text.
    """
    rows, faults = [], []
    for line, text in enumerate(list_text(path).split("\n"), start=1):
        fields = text.split()
        if not fields:
            continue
        try:
            rows.append(parse(fields))
        except ValueError as error:
            faults.append(Fault(line, text.strip()[:80], str(error)))
    return Rows(path, tuple(rows), tuple(faults))


def list_text(path: Path) -> str:
    """The text of a file of the data set, unpacked where it is gzipped.

    Raises:
        DatasetUnreadable: no such file, no text, or a damaged archive.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            data = (gzip.GzipFile(fileobj=file) if packed else file).read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise DatasetUnreadable(f"{path} is longer than {_MOST_BYTES >> 20} MB: it is no file of this data set.")
        return data.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise DatasetUnreadable(f"There is no file {path}: give the folder that holds it, or fetch it.") from error
    except IsADirectoryError as error:
        raise DatasetUnreadable(f"{path} is a folder: give one of the files in it.") from error
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise DatasetUnreadable(f"{path} cannot be read: {error}. Copy it again.") from error


def video_name(text: str) -> str:
    """A video's name.

    Raises:
        ValueError: it holds a slash or starts with a dot.
    """
    if _NAME.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no name of a video")
    return text


def clip_name(text: str) -> tuple[str, int]:
    """The video and the second of `VIDEO_SECOND`.

    Raises:
        ValueError: it is written in another way.
    """
    video, _, second = text.rpartition("_")
    return video_name(video), _number(second, "second")


def _video_row(fields: list[str]) -> VideoRow:
    _require(fields, (1, 2), "VIDEO [NFRAMES]")
    return VideoRow(video_name(fields[0]), _number(fields[1], "number of frames") if len(fields) > 1 else None)


def _query(fields: list[str]) -> Query:
    _require(fields, (2, 3), "VIDEO SECOND X_Y")
    return Query(video_name(fields[0]), _number(fields[1], "second"), _tile(fields[2]) if len(fields) > 2 else None)


def _centred(fields: list[str]) -> GalleryItem:
    _require(fields, (3,), "VIDEO/NN.jpeg SECOND X_Y")
    video, slash, file = fields[0].partition("/")
    if not slash:
        raise ValueError("the tile is not written VIDEO/NN.jpeg")
    video_name(video), video_name(file)
    second = _number(fields[1], "second")
    return GalleryItem(f"{video}_{second}", video, second, _tile(fields[2]), fields[0])


def _uncentred(fields: list[str]) -> GalleryItem:
    _require(fields, (2,), "X_Y VIDEO")
    tile, video = _tile(fields[0]), video_name(fields[1])
    return GalleryItem(tile.name, video, None, tile, f"{video}/{tile.name}.jpeg")


def _require(fields: list[str], counts: tuple[int, ...], form: str) -> None:
    if len(fields) not in counts:
        raise ValueError(f"{len(fields)} fields, not {form}")


def _number(text: str, what: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ValueError(f"{text!r} is no {what}")
    return int(text)


def _tile(text: str) -> Tile:
    x, _, y = text.partition("_")
    tile = Tile(_number(x, "tile X_Y"), _number(y, "tile X_Y"))
    if max(tile.x, tile.y) > _LAST_TILE:
        raise ValueError(f"{text!r} is no tile of zoom {ZOOM}")
    return tile
