import json
from pathlib import Path

import numpy as np
import pytest
from exported import damaged_copy
from typer.testing import CliRunner

from gama_core.dataset import open_dataset
from gama_core.dataset.pictures import read_picture
from gama_core.errors import SettingsInvalid
from gama_core.tile import Region, Tile, world_pixels
from gama_core.world.commands import app
from gama_core.world.export import DAY_WEATHERS, Plan, export_gama
from gama_core.world.place import make_place, split_of
from gama_core.world.weather import WEATHERS


def contents(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_the_splits_come_from_places_that_never_share_a_seed():
    shots = list(Plan(train_drives=9, val_drives=9, night_drives=2).shots())
    seeds = {split: {split_of(shot.place_seed) for shot in shots if shot.split == split} for split in ("train", "val")}
    assert seeds == {"train": {"training"}, "val": {"validation"}}
    assert len({shot.name for shot in shots}) == 22
    assert sum(shot.night for shot in shots) == 4
    assert set(WEATHERS) - set(DAY_WEATHERS) == {"dusk", "night"}


def test_what_is_exported_is_what_a_reader_reads(exported):
    dataset = open_dataset(exported)
    assert len(dataset.videos) == 2
    for query, item in zip(dataset.queries, dataset.gallery_items, strict=True):
        assert (query.name, query.tile) == (item.name, item.tile)
        assert Tile.at(dataset.fix(query.video, query.second)) == query.tile
    for day in (True, False):
        assert open_dataset(exported, "val", "ucn", day).queries == dataset.queries
    grid = open_dataset(exported, gallery="ucn").gallery_items
    assert {item.tile for item in grid} == {query.tile for query in dataset.queries}
    assert len({item.name for item in grid}) == len(grid)


@pytest.mark.parametrize("split", ["train", "val"])
def test_a_region_is_the_49_tiles_around_its_drive(exported, split):
    dataset = open_dataset(exported, split)
    for video in dataset.videos:
        files = [path.stem for path in dataset.layout.tile_folder("ucn").joinpath(video).iterdir()]
        tiles = {Tile.from_name(stem) for stem in files}
        region = Region(min(tile.x for tile in tiles), min(tile.y for tile in tiles))
        assert set(region.tiles) == tiles
        track = dataset.track(video)
        assert all(region.contains(fix.at) for fix in track.fixes)
        tile = Tile.at(track.fixes[0].at)
        small = read_picture(dataset.layout.tile_folder("ucn") / video / f"{tile.name}.jpeg").astype(int)
        x, y = (tile.x - region.x) * 256, (tile.y - region.y) * 256
        inside = dataset.read_region(video)[y : y + 256, x : x + 256].astype(int)
        assert np.abs(small - inside).mean() < 4  # two encodings of the same pixels


def test_a_centred_tile_is_centred_on_its_fix(exported):
    dataset = open_dataset(exported)
    video = dataset.videos[0]
    region = min(Tile.from_name(path.stem) for path in dataset.layout.tile_folder("ucn").joinpath(video).iterdir())
    image = dataset.read_region(video).astype(int)
    for item in dataset.items_of(video):
        at = dataset.position(item)
        x, y = world_pixels(at.lat_deg, at.lon_deg)
        left, top = round(float(x)) - 128 - region.x * 256, round(float(y)) - 128 - region.y * 256
        inside = image[top : top + 256, left : left + 256]
        assert inside.shape == (256, 256, 3)
        assert np.abs(dataset.read_tile(item).astype(int) - inside).mean() < 4


def test_an_export_is_finished_where_it_stopped(exported, tmp_path):
    root = damaged_copy(exported, tmp_path)
    before = contents(root)
    plan = Plan(**{**json.loads((root / "export.json").read_text()), "frame": (256, 144)})
    (root / "val_gps_day.list").unlink()
    export_gama(root, plan)
    assert contents(root) == before
    with pytest.raises(SettingsInvalid, match="other settings"):
        export_gama(root, Plan(seed=1))


def test_a_drive_that_fits_into_no_region_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("gama_core.world.export._TRIES", 2)
    monkeypatch.setattr("gama_core.world.export.make_place", lambda seed, columns, rows: make_place(seed, 2, 1))
    with pytest.raises(SettingsInvalid, match="choose a shorter one"):
        export_gama(tmp_path / "out", Plan(train_drives=1, val_drives=1, seconds=300.0, drives_per_place=1))


def test_the_command_exports_by_day_and_by_night(tmp_path):
    out = tmp_path / "gama"
    options = "--train-drives 1 --val-drives 1 --night-drives 1 --seconds 2 --drives-per-place 1 --width 64 --workers 1"
    CliRunner().invoke(app, ["export", str(out), "--layout", "gama", *options.split()], catch_exceptions=False)
    day, every = open_dataset(out), open_dataset(out, day=False)
    assert (len(day.videos), len(every.videos)) == (1, 2)
    assert set(day.queries) < set(every.queries)
    assert {every.frame_count(video) for video in every.videos} == {60}
    assert day.read_clip(day.videos[0], 1).shape == (8, 144, 256, 3)


def test_a_data_set_that_no_export_wrote_is_left_alone(tmp_path):
    (tmp_path / "train_day.list").write_text("real-video-1 1200")
    with pytest.raises(SettingsInvalid, match="no export wrote"):
        export_gama(tmp_path, Plan())
    assert (tmp_path / "train_day.list").read_text() == "real-video-1 1200"
