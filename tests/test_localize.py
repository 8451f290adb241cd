"""The whole job on a small painted place, with networks that know nothing: shape, honesty, cache, errors."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gama_core.build_gallery import Grid, build_gallery, cover
from gama_core.embed import Models
from gama_core.errors import Cancelled, ImageryUnreadable, SettingsInvalid, WeightsMismatch
from gama_core.gallery import Gallery
from gama_core.geo import Bounds
from gama_core.localize import CLIPS, _sure, find, localize
from gama_core.result import Localization
from gama_core.see import see
from gama_core.settings import Settings
from gama_core.streets import Streets
from gama_core.tile import Region
from gama_core.video import Video, open_video
from tests.cities import CORNER, painted, random_models, small_gallery
from tests.films import even, film


@pytest.fixture(scope="module")
def models() -> Models:
    return random_models()


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory, models: Models) -> Gallery:
    return small_gallery(tmp_path_factory.mktemp("place"), models)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Video:
    rng = np.random.default_rng(3)
    pictures = [rng.integers(0, 255, (72, 128, 3), np.uint8) for _ in range(60)]
    return open_video(film(tmp_path_factory.mktemp("film") / "drive.mp4", even(15, 60), pictures, (128, 72)))


def test_a_drive_becomes_steps_regions_and_a_path(video: Video, gallery: Gallery, models: Models) -> None:
    heard: list[str] = []
    answer = localize(video, gallery, models, on_stage=lambda stage, _done, _total: heard.append(stage))
    assert [step.clip for step in answer.before] == [0, 1, 2, 3]
    assert len(answer.after) == len(answer.path) == 4
    assert list(dict.fromkeys(heard)) == ["video", "embedding", "search", "screening", "path", "second search"]
    assert sum(hit.probability for hit in answer.regions) == pytest.approx(1.0)
    assert {hit.index for hit in answer.regions} == set(range(len(gallery.regions)))
    assert all(step.best.region_index in answer.kept for step in answer.after)
    assert len({candidate.at for candidate in answer.before[0].candidates}) == len(answer.before[0].candidates)
    assert 0.0 <= answer.confidence <= answer.inside <= 1.0
    assert set(answer.seconds) == set(heard)


def test_every_way_of_screening_ranks_all_regions(video: Video, gallery: Gallery, models: Models) -> None:
    for screening in ("network", "late", "fused", "path"):
        answer = localize(video, gallery, models, Settings(screening=screening, decode=False))
        assert len(answer.regions) == len(gallery.regions)
        assert answer.path == ()


def test_a_few_clips_are_said_to_be_few(video: Video, gallery: Gallery, models: Models) -> None:
    assert any("Only 4 clip" in note for note in localize(video, gallery, models).notes)


def test_only_a_video_of_few_frames_is_said_to_be_one(video: Video, gallery: Gallery, models: Models) -> None:
    """One clip that lies in a gap of the recording makes none."""

    def told(*frames: int) -> bool:
        some = dataclasses.replace(see(video, models), frames=np.array(frames))
        return any("few frames a second" in note for note in find(some, gallery, models).notes)

    assert told(1, 1, 2, 2)
    assert not told(8, 8, 1, 8)


def test_the_same_question_is_answered_from_the_cache(
    video: Video, gallery: Gallery, models: Models, tmp_path: Path
) -> None:
    first = localize(video, gallery, models, cache=tmp_path)
    heard: list[str] = []
    again = localize(video, gallery, models, cache=tmp_path, on_stage=lambda stage, *_: heard.append(stage))
    assert again == first
    assert heard == []
    copied = dataclasses.replace(video, name="copy.mp4")
    renamed = localize(copied, dataclasses.replace(gallery, name="Elsewhere"), models, cache=tmp_path)
    assert (renamed.video_name, renamed.gallery_name) == ("copy.mp4", "Elsewhere")
    assert dataclasses.replace(renamed, video_name=first.video_name, gallery_name=first.gallery_name) == first
    other = localize(video, gallery, models, Settings(keep_regions=1), cache=tmp_path)
    assert len(other.kept) == 1
    assert len(list(tmp_path.glob("*.json"))) == 2
    assert len(list((tmp_path / CLIPS).iterdir())) == 1  # the same clips, seen once


def test_streets_are_another_question_and_said_to_be_used(
    video: Video, gallery: Gallery, models: Models, tmp_path: Path
) -> None:
    box = gallery.bounds
    here = Streets("city.gpkg", np.array([[box.south, box.west, box.north, box.east]]))
    plain = localize(video, gallery, models, cache=tmp_path)
    far = Streets("far.gpkg", here.segments + 9.0)
    for streets, words in ((here, "prefers the streets of city.gpkg"), (far, "changed nothing")):
        led = localize(video, gallery, models, cache=tmp_path, streets=streets)
        assert any(words in note for note in led.notes)
        assert localize(video, gallery, models, cache=tmp_path, streets=streets) == led
    renamed = localize(video, gallery, models, cache=tmp_path, streets=Streets("moved.gpkg", far.segments))
    assert any("moved.gpkg" in note for note in renamed.notes)
    assert led.path == plain.path  # those that lie elsewhere
    assert led.regions == plain.regions
    assert localize(video, gallery, models, cache=tmp_path) == plain
    assert len(list(tmp_path.glob("*.json"))) == 4


def test_headings_that_do_not_count_are_said_to_take_the_closer_look_with_them(
    video: Video, gallery: Gallery, models: Models
) -> None:
    def said(settings: Settings) -> bool:
        return any("Headings do not count" in note for note in localize(video, gallery, models, settings).notes)

    assert said(Settings(headings=False))
    assert not said(Settings())
    assert not said(Settings(headings=False, closer=False))


def test_a_drive_that_is_hardly_here_is_said_to_be_elsewhere(video: Video, gallery: Gallery, models: Models) -> None:
    strict = localize(video, gallery, models, Settings(inside_at_least=0.9))
    lenient = localize(video, gallery, models, Settings(inside_at_least=0.0))
    assert (strict.in_gallery, lenient.in_gallery) == (False, True)
    assert strict.inside == lenient.inside < 0.5  # of weights never calibrated, and it says so
    assert any("never calibrated" in note for note in strict.notes)
    assert strict.known == "not in this gallery"
    assert lenient.known == "we do not know"
    assert Localization.from_json(strict.to_json()) == strict


def test_an_answer_of_another_version_in_the_cache_is_made_anew(
    video: Video, gallery: Gallery, models: Models, tmp_path: Path
) -> None:
    localize(video, gallery, models, cache=tmp_path)
    (kept,) = tmp_path.glob("*.json")
    kept.write_text('{"schema": 0}')
    assert localize(video, gallery, models, cache=tmp_path).before
    assert Localization.from_json(kept.read_text()).before


def test_an_answer_that_cannot_be_kept_is_given_all_the_same(
    video: Video, gallery: Gallery, models: Models, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").write_text("no folder")
    assert localize(video, gallery, models, cache=tmp_path / "cache").before
    assert "not kept" in caplog.text


def test_cancelling_stops_and_leaves_nothing(video: Video, gallery: Gallery, models: Models, tmp_path: Path) -> None:
    def cancel(stage: str, _done: int, _total: int) -> None:
        if stage == "embedding":
            raise Cancelled

    with pytest.raises(Cancelled):
        localize(video, gallery, models, on_stage=cancel, cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_gallery_of_other_weights_is_refused(video: Video, gallery: Gallery) -> None:
    with pytest.raises(WeightsMismatch, match="Painted"):
        localize(video, gallery, random_models(seed=1))


def test_a_gallery_holds_every_place_at_every_rotation(gallery: Gallery) -> None:
    assert len(gallery.regions) == 2
    assert gallery.places == 2 * 49
    assert len(gallery) == 2 * 49 * 4
    first = gallery.views.rotation_deg[:4].tolist()
    assert first == [0.0, 90.0, 180.0, 270.0]
    tiles = [tile.center for tile in CORNER.tiles]
    assert gallery.views.lat_deg[:196:4] == pytest.approx([at.lat_deg for at in tiles], abs=1e-9)
    assert gallery.views.lon_deg[:196:4] == pytest.approx([at.lon_deg for at in tiles], abs=1e-9)


def test_a_denser_grid_has_a_smaller_stride(tmp_path: Path, models: Models) -> None:
    made = small_gallery(tmp_path, models, Grid(per_tile=2, rotations=1), columns=1)
    assert made.places == 196
    assert made.stride_m == pytest.approx(CORNER.size_m / 14, rel=1e-6)


def test_building_over_what_exists_is_refused(gallery: Gallery, models: Models, tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="exists already"):
        build_gallery(painted(tmp_path / "p.png"), models, gallery.folder)


def test_building_that_is_cancelled_leaves_nothing(models: Models, tmp_path: Path) -> None:
    def cancel(stage: str, _done: int, _total: int) -> None:
        if stage == "regions":
            raise Cancelled

    with pytest.raises(Cancelled):
        build_gallery(painted(tmp_path / "p.png"), models, tmp_path / "place", on_stage=cancel)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.png"]


def test_imagery_that_covers_next_to_nothing_is_refused(models: Models, tmp_path: Path) -> None:
    import cv2

    from gama_core.imagery import open_imagery

    cv2.imwrite(str(tmp_path / "dot.png"), np.full((8, 8, 3), 90, np.uint8))
    at = CORNER.center
    dot = open_imagery(tmp_path / "dot.png", Bounds(at.lat_deg, at.lon_deg, at.lat_deg + 5e-5, at.lon_deg + 5e-5))
    with pytest.raises(ImageryUnreadable):
        build_gallery(dot, models, tmp_path / "place")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dot.png"]


def test_a_box_as_large_as_a_continent_is_refused_before_anything_is_made() -> None:
    with pytest.raises(ImageryUnreadable, match=r"4,3\d\d,\d\d\d regions"):
        cover(Bounds(0.0, 0.0, 10.0, 10.0))


def test_regions_cover_a_box_from_its_north_west_tile() -> None:
    assert cover(CORNER.bounds) == (CORNER,)
    east = Region(CORNER.x + 7, CORNER.y).bounds
    assert cover(CORNER.bounds | east) == (CORNER, Region(CORNER.x + 7, CORNER.y))


def test_a_path_is_as_sure_where_it_leaves_the_regions_that_were_searched_again() -> None:
    """A fast drive crosses more regions than are kept."""
    path = [SimpleNamespace(region_index=region) for region in range(7)]
    followed = SimpleNamespace(sure=np.append(np.full(7, 0.97 / 7), 0.0), mass=np.full(8, 1 / 8), path=path)
    window = SimpleNamespace(followed=followed, kept=(0, 1, 2))
    assert _sure(window, 0.99) == pytest.approx(0.97)  # type: ignore[arg-type]
    followed.sure = None
    assert _sure(window, 0.8) == pytest.approx(0.8 * 3 / 8)  # type: ignore[arg-type]
