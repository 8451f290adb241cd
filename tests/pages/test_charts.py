"""Bars and curves: one for every clip, with and without the truth, however long the drive."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import stand_in

from gama_core.gallery import Gallery
from gama_core.track import Fix, Track
from pages.charts import COLUMNS, POINTS, evidence, timeline
from pages.clip import clip_panel
from pages.story import Story


@pytest.fixture(scope="module")
def gallery(assets: Path) -> Gallery:
    from gama_core.gallery import open_gallery

    return open_gallery(assets / "city" / "gallery")


def story(gallery: Gallery, seconds: int, with_truth: bool = True) -> Story:
    home = gallery.regions[stand_in.HOME]
    track = Track(tuple(Fix(float(s), stand_in.where(s, home)) for s in range(seconds + 1)))
    answer = stand_in.answer(gallery, "drive.mp4", float(seconds), track, 0.9)
    return Story(answer, track if with_truth else None)


def test_there_is_a_bar_for_every_clip(gallery: Gallery) -> None:
    assert timeline(story(gallery, 12)).count("height:") == 12


def test_a_long_drive_shares_columns_and_stays_small(gallery: Gallery) -> None:
    long = story(gallery, 1500)
    assert timeline(long).count("height:") == COLUMNS
    assert len(timeline(long)) + len(evidence(long, 700)) < 30_000


def test_a_single_clip_can_be_drawn(gallery: Gallery) -> None:
    assert timeline(story(gallery, 1)).count("height:") == 1
    assert "polygon" in evidence(story(gallery, 1), 0)


def test_curves_stay_inside_their_box(gallery: Gallery) -> None:
    curves = re.findall(r"polygon\((.*)\)\"", evidence(story(gallery, 300), 10).replace("></i>", "\n"))
    assert len(curves) == 2
    for curve in curves:
        places = re.findall(r"([-\d.]+)% calc\(([-\d.]+)% [-+] 1px\)", curve)
        assert len(places) == 2 * POINTS
        assert all(0 <= float(x) <= 100 and 0 <= float(y) <= 100 for x, y in places)


def test_a_clip_is_near_when_its_final_place_is_within_80_m(gallery: Gallery) -> None:
    told = story(gallery, 12)
    assert all(told.near(index) for index in range(12))  # the made-up path is 9 m off
    assert told.final_error_m == pytest.approx([9.434] * 12, abs=0.05)


def test_without_truth_a_clip_is_near_when_it_is_confident(gallery: Gallery) -> None:
    told = story(gallery, 12, with_truth=False)
    confident = [step.confidence >= 0.5 for step in told.localization.path]
    assert [told.near(index) for index in range(12)] == confident
    assert True in confident
    assert False in confident


def test_the_right_tiles_are_marked_and_only_with_a_truth(gallery: Gallery, world: Path) -> None:
    from pages import catalog

    place = catalog.places()[0]
    told = story(gallery, 12)
    rights = [
        sum(told.is_right(one, index) for one in told.localization.after[index].candidates) for index in range(12)
    ]
    index = next(index for index, count in enumerate(rights) if count)
    assert clip_panel(told, place, index).count('class="right"') >= 1
    assert 'class="right"' not in clip_panel(story(gallery, 12, with_truth=False), place, index)


def test_headings_are_compared_only_where_the_drive_moves(gallery: Gallery) -> None:
    told = story(gallery, 12)
    assert told.heading_deg(5) == pytest.approx(90.0, abs=0.5)
    here = told.localization.path[0].at
    still = Story(told.localization, Track(tuple(Fix(float(s), here) for s in range(13))))
    assert still.heading_deg(5) is None


def test_a_track_of_another_time_counts_as_none(gallery: Gallery) -> None:
    told = story(gallery, 12)
    elsewhen = Track(tuple(Fix(float(s), told.localization.path[0].at) for s in range(5000, 5010)))
    assert Story(told.localization, elsewhen).comparison is None
