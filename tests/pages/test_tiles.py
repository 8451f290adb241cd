"""The pictures of a data set's run: each is told by its colour; and nothing is shown of what is not to be read."""

from __future__ import annotations

import base64
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from gama_core.curves import Miss
from gama_core.dataset import open_dataset
from gama_core.geo import LatLon
from gama_core.run import ClipRecord, Match, Run
from pages import runs
from pages.misses import miss_panel
from pages.runs import RunFile
from tests.tiny_dataset import colour, write_dataset

OWN = RunFile("kept-tiny", Path("tiny.json.gz"))
BROUGHT = RunFile("u-0", Path("u-0.json.gz"), trusted=False)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_dataset(tmp_path / "tiny", videos=3)


def run_on(root: Path, gallery: str) -> Run:
    """One clip, the fifth second of v1, for which those of v2 and v0 were found."""
    items = [item for item in open_dataset(root, "train", gallery).gallery_items if item.video != "v1"]  # type: ignore[arg-type]
    matches = tuple(Match(items[row].name, LatLon(40.0, -73.0), 0.5, items[row].video) for row in (-1, 2))
    truth = LatLon(40.01, -73.0 + 0.001 * 5)
    clip = ClipRecord("v1", 5.0, truth, "v1", None, None, None, matches, (), None)
    settings = {"root": str(root), "split": "train", "gallery": gallery, "day": True}
    return Run("tiny", "dataset", gallery, "tiny", "2026-01-02", len(items), settings, {}, (clip,))


def card(file: RunFile, run: Run) -> str:
    return miss_panel(file, run, Miss(run.clips[0], 0, 900.0))


def colours(html: str) -> list[tuple[int, int]]:
    """Video and second of each picture, in the order of the page."""
    data = [base64.b64decode(text) for text in re.findall(r'src="data:image/jpeg;base64,([^"]+)"', html)]
    pictures = [cv2.imdecode(np.frombuffer(one, np.uint8), cv2.IMREAD_COLOR_RGB) for one in data]
    return [colour(picture) for picture in pictures]


@pytest.mark.parametrize("gallery", ["cn", "ucn"])
def test_a_clip_shows_its_frame_its_own_tile_and_the_tiles_found(root: Path, gallery: str) -> None:
    html = card(OWN, run_on(root, gallery))
    assert colours(html) == [(1, 5), (1, 5), (2, 7), (0, 2)]
    assert len(html) < 20_000


def test_a_tile_that_cannot_be_read_leaves_the_others(root: Path) -> None:
    run, dataset = run_on(root, "cn"), open_dataset(root, "train")
    own, found = dataset.item("v1_5"), dataset.item("v0_2")
    assert own
    assert found
    dataset.tile_path(own).unlink()
    dataset.tile_path(found).write_bytes(b"\xff\xd8\xff no picture")
    html = card(OWN, run)
    assert colours(html) == [(1, 5), (2, 7)]
    assert "no imagery of this gallery here" in html


def test_a_run_that_a_visitor_brings_reads_nothing_of_a_data_set(root: Path) -> None:
    run = run_on(root, "cn")
    assert runs.dataset_of(BROUGHT, run) is None
    assert runs.frame_of(BROUGHT, run, run.clips[0], 0) is None
    html = card(BROUGHT, run)
    assert colours(html) == []
    assert "the film is not on this machine" in html
    assert "no imagery of this gallery here" in html


def test_a_data_set_that_is_gone_is_said_to_be(root: Path) -> None:
    run = run_on(root, "ucn")
    shutil.rmtree(root)
    html = card(OWN, run)
    assert colours(html) == []
    assert "no imagery of this gallery here" in html


@pytest.mark.parametrize("wrong", [{"root": 3}, {"split": "test"}, {"gallery": "CN"}, {"gallery": []}])
def test_settings_that_name_no_data_set_open_none(root: Path, wrong: dict[str, object]) -> None:
    run = run_on(root, "cn")
    run.settings.update(wrong)
    assert runs.dataset_of(OWN, run) is None
