"""The main job on real videos and real imagery that nobody here made, with the shipped weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gama_core.build_gallery import Grid, build_gallery
from gama_core.embed import Models, load_models
from gama_core.evaluate import compare
from gama_core.gallery import Gallery
from gama_core.geo import LatLon
from gama_core.imagery import open_imagery
from gama_core.localize import localize
from gama_core.track import Fix, Track
from gama_core.video import open_video
from tests.real import real

QUICK = Grid(per_tile=1, rotations=4)


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models("cpu")


@pytest.fixture(scope="module")
def zurich(models: Models, tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    imagery = open_imagery(real("aerial/zurich_swissimage_1091-322_00.tif"))
    return build_gallery(imagery, models, tmp_path_factory.mktemp("zurich") / "gallery", QUICK)


def test_the_brooklyn_pair_is_answered_and_not_believed(models: Models, tmp_path: Path) -> None:
    """Weights of a procedural city are not expected to find it; what counts is that the confidence says so."""
    pair = real("pairs/gama_fig_brooklyn")
    gallery = build_gallery(
        open_imagery(pair / "aerial_merged_NOMINAL_GEOREF.tif"), models, tmp_path / "brooklyn", QUICK
    )
    answer = localize(open_video(pair / "video_1fps.mp4"), gallery, models)
    fixes = json.loads((pair / "truth.json").read_text())["track"]
    truth = Track(tuple(Fix(float(fix["t_s"] - 1), LatLon(fix["nominal_lat"], fix["nominal_lon"])) for fix in fixes))
    comparison = compare(answer, truth)
    assert len(answer.before) == 10
    assert any("few frames" in note for note in answer.notes)
    assert comparison.before.known
    assert answer.confidence < 0.5


@pytest.mark.parametrize(("name", "clips"), [("video/udacity_solidWhiteRight.mp4", 8), ("video/yolop_input1.gif", 8)])
def test_real_traffic_is_searched_in_zurich_and_not_believed(
    name: str, clips: int, zurich: Gallery, models: Models
) -> None:
    answer = localize(open_video(real(name)), zurich, models)
    assert abs(len(answer.before) - clips) <= 1
    assert len(answer.path) == len(answer.before)
    assert all(zurich.bounds.contains(step.at) for step in answer.path)
    assert answer.confidence < 0.5


@pytest.mark.parametrize("name", ["aerial/fair_oam_z19", "aerial/korea_cogeo_3857.tif", "aerial/saotome_drone.tif"])
def test_real_imagery_becomes_a_gallery(name: str, models: Models, tmp_path: Path) -> None:
    imagery = open_imagery(real(name))
    gallery = build_gallery(imagery, models, tmp_path / "place", Grid(per_tile=1, rotations=1))
    assert len(gallery) > 0
    assert (gallery.bounds & imagery.bounds) is not None
    assert list((gallery.folder / "imagery").rglob("*.webp"))
