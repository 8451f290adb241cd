"""What is offered, from what lies on the disk."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import stand_in

from gama_core.gallery import open_gallery
from pages import catalog


def test_drives_come_in_their_order_with_their_titles(world: Path) -> None:
    drives = catalog.sample_drives()
    assert [drive.title for drive in drives] == ["Mill Lane", "North Avenue"]
    assert [drive.track_path is not None for drive in drives] == [True, False]
    assert [drive.id for drive in drives] == ["mill-lane", "north-avenue"]


def test_drives_without_a_list_are_found_by_their_files(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in.make_film(tmp_path / "ring_road.mp4", 1)
    monkeypatch.setattr(catalog, "DRIVES", tmp_path)
    assert [drive.title for drive in catalog.sample_drives()] == ["Ring road"]


def test_a_drive_that_is_listed_and_missing_is_left_out(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "drives.json").write_text(json.dumps([{"file": "gone.mp4", "title": "Gone", "note": ""}]))
    monkeypatch.setattr(catalog, "DRIVES", tmp_path)
    assert catalog.sample_drives() == ()


def test_a_track_is_where_the_phone_was(world: Path) -> None:
    drive = catalog.find_drive("mill-lane")
    assert drive
    track = drive.track()
    assert track
    assert track.start_s == pytest.approx(0.0)
    assert track.end_s == pytest.approx(12.0)


@pytest.mark.parametrize(
    "name", ["", "..", "../drives/mill-lane", "u-", "u-../../x", "u-0123456789ABCDEF", "mill-lane.mp4"]
)
def test_no_other_name_is_a_drive(world: Path, name: str) -> None:
    assert catalog.find_drive(name) is None


def test_a_folder_of_galleries_offers_each(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("east", "west"):
        (tmp_path / "all" / name).mkdir(parents=True)
        (tmp_path / "all" / name / "gallery.json").write_text("{}")
    monkeypatch.setenv("GAMA_GALLERIES", str(tmp_path / "all"))
    assert [folder.name for folder in catalog.gallery_folders()] == ["east", "west"]
    assert len(catalog.broken_places()) == 2
    assert catalog.places() == ()


def test_copies_of_a_gallery_are_one_place(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(world / "city" / "gallery", tmp_path / "copy")
    monkeypatch.setenv("GAMA_GALLERIES", f"{world / 'city'}:{tmp_path / 'copy'}")
    assert [place.gallery.folder for place in catalog.places()] == [world / "city" / "gallery"]


def test_a_folder_that_is_no_gallery_is_named_with_the_reason(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAMA_GALLERIES", f"{tmp_path / 'nothing'}:{world / 'city'}")
    assert len(catalog.places()) == 1
    [broken] = catalog.broken_places()
    assert "no gallery" in broken.problem


@pytest.fixture
def half_copied(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gallery that is offered, and lacks its imagery."""
    copy = tmp_path / "copy"
    shutil.copytree(world / "city" / "gallery", copy, ignore=shutil.ignore_patterns("imagery"))
    monkeypatch.setenv("GAMA_GALLERIES", str(copy))
    return copy


def test_a_gallery_whose_copy_was_under_way_is_found_once_it_is_whole(
    world: Path, half_copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "BROKEN_FOR_S", 1e-4)
    assert catalog.places() == ()
    shutil.copytree(world / "city" / "gallery" / "imagery", half_copied / "imagery")
    assert [place.gallery.folder for place in catalog.places()] == [half_copied]


def test_a_gallery_that_does_not_open_is_not_read_for_every_tile(
    half_copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog, "BROKEN_FOR_S", 3600.0)
    read: list[Path] = []
    monkeypatch.setattr(catalog, "open_gallery", lambda folder: (read.append(folder), open_gallery(folder))[1])
    assert [len(catalog.broken_places()) for _ in range(5)] == [1] * 5
    assert read == [half_copied]
