import csv
import io
import json
from dataclasses import replace
from xml.etree import ElementTree

import gpxpy
import pytest
from made_up import CLIPS, HOSTILE, make_gallery, make_localization, make_track
from shapely.geometry import LinearRing, shape

from gama_core.errors import GamaError, SettingsInvalid
from gama_core.export import CSV_COLUMNS, check_spares, to_csv, to_geojson, to_gpx, to_kml, write_exports
from gama_core.labels import spots
from gama_core.result import Localization

KML = "{http://www.opengis.net/kml/2.2}"


@pytest.fixture(scope="module")
def gallery(tmp_path_factory):
    return make_gallery(tmp_path_factory.mktemp("city"))


@pytest.fixture(scope="module")
def localization(gallery):
    return make_localization(gallery)


@pytest.fixture(scope="module")
def track(gallery):
    return make_track(gallery)


def test_every_file_is_written_and_nothing_else(localization, gallery, track, tmp_path):
    written = write_exports(localization, gallery, track, tmp_path / "new" / "folder")
    names = ["localization.json", "map.html", "track.geojson", "track.gpx", "track.kml", "steps.csv"]
    assert [path.name for path in written] == names
    assert sorted(path.name for path in (tmp_path / "new" / "folder").iterdir()) == sorted(names)
    assert Localization.from_json(written[0].read_text("utf-8")) == localization


def test_a_folder_that_cannot_be_written_is_named(localization, gallery, tmp_path):
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(GamaError, match="taken"):
        write_exports(localization, gallery, None, tmp_path / "taken")
    assert (tmp_path / "taken").read_text() == "a file"


def test_geojson_is_in_longitude_latitude_and_its_rings_are_closed_and_turn_left(localization, gallery, track):
    collection = json.loads(to_geojson(localization, track))
    assert collection["type"] == "FeatureCollection"
    assert "crs" not in collection
    bounds = gallery.bounds
    for feature in collection["features"]:
        geometry = shape(feature["geometry"])
        assert geometry.is_valid
        west, south, east, north = geometry.bounds
        slack = 1e-6
        assert bounds.west - slack <= west <= east <= bounds.east + slack
        assert bounds.south - slack <= south <= north <= bounds.north + slack
        if feature["geometry"]["type"] == "Polygon":
            outer, *holes = feature["geometry"]["coordinates"]
            assert outer[0] == outer[-1]
            assert LinearRing(outer).is_ccw
            assert not any(LinearRing(hole).is_ccw for hole in holes)


def test_geojson_holds_every_step_of_every_stage(localization, track):
    kinds = [feature["properties"]["kind"] for feature in json.loads(to_geojson(localization, track))["features"]]
    counts = {kind: kinds.count(kind) for kind in set(kinds) - {"region"}}
    assert counts == {"ground_truth": 1, "path": 1, "path_band": 1, "path_step": CLIPS, "before": CLIPS, "after": CLIPS}


def test_gpx_gives_back_the_path_with_its_times(localization, track):
    read = gpxpy.parse(to_gpx(localization, track))
    assert [line.name for line in read.tracks] == ["Decoded path", "Hierarchical step", "Ground truth"]
    points = read.tracks[0].segments[0].points
    assert len(points) == CLIPS
    for point, step in zip(points, localization.path, strict=True):
        assert (point.latitude, point.longitude) == pytest.approx((step.at.lat_deg, step.at.lon_deg), abs=1e-7)
        assert point.time.timestamp() == step.time_s


def test_without_a_path_gpx_still_holds_the_hierarchical_step(gallery):
    read = gpxpy.parse(to_gpx(make_localization(gallery, best=3)))
    assert [line.name for line in read.tracks] == ["Hierarchical step"]


def test_csv_has_the_documented_header_and_a_row_a_clip(localization, track):
    rows = list(csv.DictReader(io.StringIO(to_csv(localization, track))))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert [int(row["clip"]) for row in rows] == list(range(CLIPS))
    for row, step in zip(rows, localization.path, strict=True):
        assert float(row["path_lat_deg"]) == pytest.approx(step.at.lat_deg, abs=1e-7)
        assert float(row["path_error_m"]) == pytest.approx(track.at(step.time_s).distance_m(step.at), abs=0.06)


def test_csv_has_a_row_for_each_clip_of_a_second(localization):
    halves = {
        stage: tuple(replace(one, clip=one.clip // 2, time_s=one.time_s / 2) for one in getattr(localization, stage))
        for stage in ("before", "after", "path")
    }
    rows = list(csv.DictReader(io.StringIO(to_csv(replace(localization, **halves)))))
    assert [float(row["time_s"]) for row in rows] == [number / 2 for number in range(CLIPS)]
    assert all(row["path_confidence"] for row in rows)


def test_csv_leaves_empty_what_is_not_known(gallery):
    rows = list(csv.DictReader(io.StringIO(to_csv(make_localization(gallery, best=3)))))
    assert {row[name] for row in rows for name in CSV_COLUMNS if name.startswith(("truth", "path"))} == {""}
    assert all(row["after_lat_deg"] for row in rows)


def test_kml_can_be_read_and_holds_the_labels(localization, track):
    root = ElementTree.fromstring(to_kml(localization, track))
    names = [name.text for name in root.iter("{http://www.opengis.net/kml/2.2}name")]
    assert {"Parkside loop.mp4", "Decoded path", "Ground truth", "GAMa-Net top-1"} <= set(names)
    assert {spot.label for spot in spots(localization.after)} <= set(names)


def test_every_format_with_room_for_it_says_that_a_drive_lies_elsewhere(localization):
    elsewhere = replace(localization, inside=0.1, inside_at_least=0.5)
    told = json.loads(to_geojson(elsewhere))
    assert (told["known"], told["in_gallery"], told["inside"]) == ("not in this gallery", False, 0.1)
    assert "not in this gallery" in gpxpy.parse(to_gpx(elsewhere)).description
    assert "not in this gallery" in to_kml(elsewhere)
    assert json.loads(to_geojson(localization))["known"] == "yes"
    assert not any("not in this gallery" in write(localization) for write in (to_geojson, to_gpx, to_kml))


def test_hostile_names_stay_text(gallery):
    localization = make_localization(gallery, video_name=HOSTILE)
    assert json.loads(to_geojson(localization))["name"] == HOSTILE
    assert gpxpy.parse(to_gpx(localization)).name == HOSTILE
    assert ElementTree.fromstring(to_kml(localization))[0][0].text == HOSTILE


def test_no_format_draws_a_line_where_the_path_jumps(localization):
    """Two clips, a jump across the city, and the rest: as after a gap in the video."""
    first, second, *rest = localization.path
    far = [replace(step, at=step.at.moved(0, 5_000)) for step in rest]
    jumping = replace(localization, path=(first, second, *far))
    features = json.loads(to_geojson(jumping))["features"]
    lines = [feature for feature in features if feature["properties"]["kind"] == "path"]
    assert [len(line["geometry"]["coordinates"]) for line in lines] == [2, CLIPS - 2]
    path = gpxpy.parse(to_gpx(jumping)).tracks[0]
    assert [len(segment.points) for segment in path.segments] == [2, CLIPS - 2]
    assert [len(line) for line in _kml_lines(jumping, "Decoded path")] == [2, CLIPS - 2]


def test_a_path_of_one_clip_is_a_point(localization):
    single = replace(localization, path=localization.path[:1], after=localization.after[:1])
    root = ElementTree.fromstring(to_kml(single))
    assert not list(root.iter(f"{KML}LineString"))
    assert _kml_lines(single, "Decoded path") == []
    points = {mark.find(f"{KML}name").text: mark.find(f"{KML}Point") for mark in root.iter(f"{KML}Placemark")}
    assert points["Decoded path"] is not None


def _kml_lines(localization, name):
    root = ElementTree.fromstring(to_kml(localization))
    marks = [mark for mark in root.iter(f"{KML}Placemark") if mark.find(f"{KML}name").text == name]
    return [line.find(f"{KML}coordinates").text.split() for mark in marks for line in mark.iter(f"{KML}LineString")]


def test_a_result_takes_the_place_of_nothing_that_a_person_brought(tmp_path):
    (tmp_path / "track.gpx").write_text("the phone's")
    check_spares(tmp_path, (tmp_path / "drive.mp4", None, tmp_path / "walk.gpx"))
    with pytest.raises(SettingsInvalid, match=r"track\.gpx would be overwritten"):
        check_spares(tmp_path, (tmp_path / "drive.mp4", tmp_path / "track.gpx"))
