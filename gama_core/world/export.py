"""Generated places and drives in the layout of the published data set, small enough for tests or as large as wanted.

Training drives go through places of training seeds, those of the val split through places of validation seeds. Each
drive has the 7 x 7 tiles around it as its region; drives of one place share tiles, as real ones do.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from gama_core.dataset.info import Info, read_info
from gama_core.dataset.layout import SPLITS, Layout, Split, centred_tile_name
from gama_core.dataset.lists import GalleryItem, Query, VideoRow
from gama_core.errors import SettingsInvalid
from gama_core.files import whole_file, whole_folder
from gama_core.geo import LatLon
from gama_core.tile import REGION_TILES, TILE_PX, Region, Tile, world_pixels
from gama_core.workers import worker_pool
from gama_core.world.aerial import draw_aerial
from gama_core.world.drive import FPS
from gama_core.world.film import FRAME_PX, Take, film
from gama_core.world.gps import phone_gps, to_json
from gama_core.world.paint import Image, Rectangle
from gama_core.world.place import REGION_PX, TRAINING_SEEDS, VALIDATION_SEEDS, Place, make_place

DAY_WEATHERS = ("day", "haze", "overcast", "rain")
_FIRST_SEED = {"train": TRAINING_SEEDS.start, "val": VALIDATION_SEEDS.start}
_TRIES = 50  # drives that are planned before one fits into a region
_MARGIN_PX = TILE_PX  # drawn around a region, for the CN tiles at its edge
_QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 90]


@dataclass(frozen=True)
class Plan:
    """What is exported; the same plan gives the same files."""

    seed: int = 0  # of the first place of each split, counted from the first seed of its kind
    train_drives: int = 4
    val_drives: int = 4
    night_drives: int = 0  # more of them in each split, in the lists of all drives only
    seconds: float = 12.0
    drives_per_place: int = 4
    frame: tuple[int, int] = FRAME_PX  # width and height in pixels
    draw_every: int = 1  # frames; clips take every second one

    def shots(self) -> Iterator[_Shot]:
        """The drives, place by place."""
        for split in SPLITS:
            day = self.train_drives if split == "train" else self.val_drives
            for number in range(day + self.night_drives):
                place = _FIRST_SEED[split] + self.seed + number // self.drives_per_place
                yield _Shot(split, place, number % self.drives_per_place, number >= day)


@dataclass(frozen=True)
class _Shot:
    """One drive to be: the place that it goes through, its number there, and whether by night."""

    split: Split
    place_seed: int
    number: int
    night: bool

    @property
    def name(self) -> str:
        """Written like the names of BDD100K."""
        drawn = np.random.default_rng([self.place_seed, 7, self.number]).bytes(8).hex()
        return f"{drawn[:8]}-{drawn[8:]}"


def export_gama(out: Path, plan: Plan, workers: int = 1, on_drive: Callable[[int, int], None] | None = None) -> Path:
    """Writes a data set that `open_dataset(out)` opens. Drives that are there already are kept, so it may be stopped.

    Args:
        out: the root; made where it is missing.
        plan: what to write.
        workers: processes.
        on_drive: called with the drives done and their number.

    Raises:
        SettingsInvalid: the root holds an export of another plan, or no drive of that length fits into a region.
    """
    _require_same(out, plan)
    shots = list(plan.shots())
    by_place: dict[int, list[_Shot]] = {}
    for shot in shots:
        by_place.setdefault(shot.place_seed, []).append(shot)
    done = 0
    for count in _each_place(list(by_place.values()), plan, out, workers):
        done += count
        if on_drive is not None:
            on_drive(done, len(shots))
    for split in SPLITS:
        for day in (True, False):
            _write_lists(Layout(out, split, day), [shot for shot in shots if shot.split == split], plan)
    return out


def _require_same(out: Path, plan: Plan) -> None:
    note, text = out / "export.json", json.dumps(asdict(plan), indent=1)
    if not note.is_file() and out.is_dir() and any(out.iterdir()):
        raise SettingsInvalid(f"{out} holds files that no export wrote: choose another folder.")
    if note.is_file() and note.read_text() != text:
        raise SettingsInvalid(f"{out} holds an export with other settings (export.json): choose another folder.")
    with whole_file(note) as partial:
        partial.write_text(text)


def _each_place(groups: list[list[_Shot]], plan: Plan, out: Path, workers: int) -> Iterator[int]:
    if workers == 1:
        yield from (_film_place(group, plan, out) for group in groups)
        return
    with worker_pool(workers) as pool:
        yield from pool.map(_film_place, groups, [plan] * len(groups), [out] * len(groups))


def _film_place(shots: list[_Shot], plan: Plan, out: Path) -> int:
    """All drives through one place, which is made once and only if one of them is missing."""
    missing = [shot for shot in shots if not Layout(out, shot.split).info(shot.name).is_file()]
    if missing:
        columns = math.ceil(math.sqrt(plan.drives_per_place))
        place = make_place(shots[0].place_seed, columns, math.ceil(plan.drives_per_place / columns))
        for shot in missing:
            _write_drive(place, shot, plan, Layout(out, shot.split))
    return len(shots)


def _write_drive(place: Place, shot: _Shot, plan: Plan, layout: Layout) -> None:
    """The film, tiles and region of a drive, then its info: where that is, all is."""
    number, take, region = _plan_drive(place, shot, plan.seconds)
    gps = phone_gps(place, take.drive, np.random.default_rng([place.seed, 5, number]))
    with whole_file(layout.info(shot.name)) as partial:
        partial.write_text(to_json(gps))
        _write_aerial(place, region, read_info(partial), shot.name, layout)
        film(place, take, layout.video_folder / f"{shot.name}.mov", plan.frame, draw_every=plan.draw_every)


def _plan_drive(place: Place, shot: _Shot, seconds: float) -> tuple[int, Take, Region]:
    """The first drive of its number that stays within one region, its seed, and that region."""
    for number in range(shot.number * _TRIES, (shot.number + 1) * _TRIES):
        weather = "night" if shot.night else DAY_WEATHERS[number % len(DAY_WEATHERS)]
        take = Take.random(place, number, seconds, weather)
        region = _region_around(place, take)
        ends = ((take.drive.x_m.min(), take.drive.y_m.min()), (take.drive.x_m.max(), take.drive.y_m.max()))
        if all(region.contains(place.lat_lon(float(x_m), float(y_m))) for x_m, y_m in ends):
            return number, take, region
    raise SettingsInvalid(f"No drive of {seconds} s stays within the 7 x 7 tiles of a region; choose a shorter one.")


def _region_around(place: Place, take: Take) -> Region:
    """The 7 x 7 tiles whose middle is nearest to that of a drive, inside the place."""
    x_m, y_m = (float(each.min() + each.max()) / 2 for each in (take.drive.x_m, take.drive.y_m))
    tile, anchor = Tile.at(place.lat_lon(x_m, y_m)), place.anchor
    x = np.clip(tile.x - REGION_TILES // 2, anchor.x, anchor.x + (place.columns - 1) * REGION_TILES)
    y = np.clip(tile.y - REGION_TILES // 2, anchor.y, anchor.y + (place.rows - 1) * REGION_TILES)
    return Region(int(x), int(y))


def _write_aerial(place: Place, region: Region, info: Info, video: str, layout: Layout) -> None:
    side = REGION_PX + 2 * _MARGIN_PX
    left, top = region.x * TILE_PX - _MARGIN_PX, region.y * TILE_PX - _MARGIN_PX
    column, row = left - place.anchor.x * TILE_PX, top - place.anchor.y * TILE_PX
    image = draw_aerial(place, Rectangle(column, row, side, side, place.m_per_px))
    layout.region_folder.mkdir(parents=True, exist_ok=True)
    _write_jpeg(layout.region(video), image[_MARGIN_PX:-_MARGIN_PX, _MARGIN_PX:-_MARGIN_PX])
    with whole_folder(layout.tile_folder("ucn") / video) as folder:
        for tile in region.tiles:
            _write_jpeg(folder / f"{tile.name}.jpeg", _cut(image, tile.x * TILE_PX - left, tile.y * TILE_PX - top))
    with whole_folder(layout.tile_folder("cn") / video) as folder:
        for fix in info.fixes:
            x_px, y_px = _pixel(fix.at)
            around = _cut(image, x_px - TILE_PX // 2 - left, y_px - TILE_PX // 2 - top)
            _write_jpeg(folder / centred_tile_name(fix.index), around)


def _pixel(at: LatLon) -> tuple[int, int]:
    x_px, y_px = world_pixels(at.lat_deg, at.lon_deg)
    return round(float(x_px)), round(float(y_px))


def _cut(image: Image, left: int, top: int) -> Image:
    return image[top : top + TILE_PX, left : left + TILE_PX]


def _write_jpeg(path: Path, image: Image) -> None:
    path.write_bytes(cv2.imencode(".jpeg", image[:, :, ::-1], _QUALITY)[1].tobytes())


def _write_lists(layout: Layout, shots: list[_Shot], plan: Plan) -> None:
    """The lists of a split; the clips and tiles in them are those that a reader makes of the info files."""
    names = [shot.name for shot in shots if not (layout.day and shot.night)]
    frames = round(plan.seconds * FPS)
    counted = layout.split == "train" or not layout.day  # as published
    _write_list(layout.video_list, [VideoRow(name, frames if counted else None) for name in names])
    items = [fix.item(name) for name in names for fix in read_info(layout.info(name)).clips(frames)]
    clips, centred, grid = layout.query_list, layout.gallery_list("cn"), layout.gallery_list("ucn")
    if clips is not None and centred is not None and grid is not None:
        _write_list(clips, [Query(item.video, item.second or 0, item.tile) for item in items])
        _write_list(centred, items)
        if layout.day:
            return
        owners: dict[Tile, str] = {}  # of all drives, each tile once, as published
        for item in items:
            owners.setdefault(item.tile, item.video)
        _write_list(grid, [_grid_item(video, tile) for tile, video in owners.items()])


def _grid_item(video: str, tile: Tile) -> GalleryItem:
    return GalleryItem(tile.name, video, None, tile, f"{video}/{tile.name}.jpeg")


def _write_list(path: Path, rows: Iterable[VideoRow | Query | GalleryItem]) -> None:
    with whole_file(path) as partial:
        partial.write_text("".join(f"{row.row}\n" for row in rows), encoding="utf-8")
