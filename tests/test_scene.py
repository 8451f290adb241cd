from dataclasses import replace

import pytest
from made_up import CLIPS, HOME, make_gallery, make_localization, make_track

from gama_core.geo import LatLon
from gama_core.scene import Scene
from gama_core.track import Fix, Track


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    return make_gallery(tmp_path_factory.mktemp("city"))


def test_the_map_opens_on_the_true_region_where_it_is_known(gallery):
    scene = Scene(make_localization(gallery, best=10), make_track(gallery))
    assert (scene.home.index, scene.home_is_true, scene.guess.index) == (HOME, True, 10)
    assert [tag[3] for tag in scene.tags()] == ["home", "guess"]
    assert "true region · ranked 2 of 16" in scene.tags()[0][2]


def test_the_map_opens_on_the_most_likely_region_where_nothing_is_known(gallery):
    scene = Scene(make_localization(gallery, best=10), None)
    assert (scene.home.index, scene.home_is_true, scene.guess) == (10, False, None)
    assert scene.tags()[0][2] == "most likely region · ranked 1 of 16 · p 0.90"
    doubtful = Scene(replace(scene.localization, inside=0.5), None)
    assert doubtful.tags()[0][2] == "most likely region · ranked 1 of 16 · p 0.45"
    unsure = Scene(replace(scene.localization, inside=0.5, confidence=0.2), None)  # no region is likelier than all kept
    assert unsure.tags()[0][2] == "most likely region · ranked 1 of 16 · p 0.20"


def test_a_track_outside_the_gallery_does_not_move_the_map(gallery):
    far = Track((Fix(0.0, LatLon(10.0, 10.0)), Fix(40.0, LatLon(10.001, 10.0))))
    scene = Scene(make_localization(gallery), far)
    assert (scene.home.index, scene.home_is_true) == (HOME, False)


def test_a_path_that_leads_out_of_its_region_is_shown_whole(gallery):
    localization = make_localization(gallery)
    home = Scene(localization, None).home.region.bounds
    beyond = LatLon(home.north + 0.3 * (home.north - home.south), home.center.lon_deg)
    leaves = replace(localization, path=(replace(localization.path[0], at=beyond),))
    assert Scene(leaves, None).bounds.contains(beyond)
    away = replace(localization.path[0], at=LatLon(home.north + 2.0, home.west))
    assert Scene(replace(localization, path=(away,)), None).bounds.height_m < 12 * 1000
    assert Scene(replace(localization, path=()), None).bounds.contains(home.center)


def test_every_clip_stands_on_the_map_once_a_stage(gallery):
    rows = Scene(make_localization(gallery), make_track(gallery)).label_rows()
    clips = {kind: [clip for row in places for clip, _, _ in row[2:]] for kind, places in rows.items()}
    assert sorted(clips["after"]) == list(range(CLIPS))
    assert sorted(clips["before"] + clips["outlier"]) == list(range(CLIPS))


def test_outliers_lie_in_other_regions_and_these_have_a_border(gallery):
    scene = Scene(make_localization(gallery), make_track(gallery))
    home = scene.home.region.bounds
    for lat_deg, lon_deg, *_ in scene.label_rows()["outlier"]:
        assert not (home.south < lat_deg < home.north and home.west < lon_deg < home.east)
    wrong = {step.best.region_index for step in scene.localization.before} - {HOME}
    assert len(scene.outlier_rows()) == len(wrong)
    assert wrong | {HOME} <= scene.concerned


def test_what_was_found_in_a_region_that_the_drive_crosses_is_no_outlier(gallery):
    localization = make_localization(gallery)
    next_door = next(step.best.region_index for step in localization.before if step.best.region_index != HOME)
    crossing = replace(
        localization, path=(replace(localization.path[0], region_index=next_door), *localization.path[1:])
    )
    there = [step for step in localization.before if step.best.region_index == next_door]

    def outliers(scene):
        return sum(len(places[2:]) for places in scene.label_rows()["outlier"])

    assert outliers(Scene(crossing, None)) == outliers(Scene(localization, None)) - len(there)
    assert len(Scene(crossing, None).outlier_rows()) == len(Scene(localization, None).outlier_rows()) - 1
    assert Scene(crossing, make_track(gallery)).passed == {HOME}  # by the truth, where it is known


def test_errors_are_written_beside_the_clips_only_where_the_truth_is_known(gallery):
    localization, track = make_localization(gallery), make_track(gallery)
    known = Scene(localization, track).label_rows()["after"]
    unknown = Scene(localization, None).label_rows()["after"]
    assert all(error_m is not None for row in known for _, _, error_m in row[2:])
    assert all(error_m is None for row in unknown for _, _, error_m in row[2:])
