import json

import pytest

from gama_core.errors import TrackUnreadable
from gama_core.telemetry import read_track


def table(tmp_path, *lines):
    path = tmp_path / "drive.csv"
    path.write_text("\n".join(lines))
    return path


def geojson(tmp_path, content):
    path = tmp_path / "drive.geojson"
    path.write_text(json.dumps(content))
    return path


def point(lon, lat, **properties):
    return {"type": "Feature", "geometry": {"type": "Point", "coordinates": [lon, lat]}, "properties": properties}


def collection(*features):
    return {"type": "FeatureCollection", "features": list(features)}


def times(track):
    return [fix.time_s for fix in track.fixes]


@pytest.mark.parametrize(
    "lines",
    [
        ("time_s,lat_deg,lon_deg", "0.5,40.1,-73.2", "1.5,40.2,-73.3"),
        ("Longitude;Latitude;Time_s;note", "-73.2;40.1;0.5;x", "-73.3;40.2;1.5;y"),
        ("\ufefflat\tlng\tt", "40.1\t-73.2\t0.5", "40.2\t-73.3\t1.5"),
    ],
)
def test_columns_are_found_by_their_names(tmp_path, lines):
    track = read_track(table(tmp_path, *lines))
    assert [(fix.time_s, fix.at.lat_deg, fix.at.lon_deg) for fix in track.fixes] == [
        (0.5, 40.1, -73.2),
        (1.5, 40.2, -73.3),
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2024-05-01T10:00:02Z", "2024-05-01T10:00:03.5Z"),
        ("2024-05-01T12:00:02+02:00", "2024-05-01 10:00:03.5"),
        ("1714557602", "1714557603.5"),
        ("1714557602000", "1714557603500"),
        ("1714557602000000", "1714557603500000"),
        ("1714557602000000000", "1714557603500000000"),
    ],
)
def test_a_clock_starts_at_the_first_fix(tmp_path, first, second):
    assert times(read_track(table(tmp_path, "time,lat,lon", f"{first},40,-73", f"{second},40,-73"))) == [0, 1.5]


def test_rows_without_a_place_are_left_out(tmp_path):
    lines = (
        "time_s,lat,lon,speed_m_s,heading_deg,accuracy_m",
        "0,40,-73,8,-1,3",
        "1,,",
        "2",
        "x,40,-73",
        "3,99,0",
        "4,41,-73",
    )
    track = read_track(table(tmp_path, *lines))
    assert times(track) == [0, 4]
    assert (track.fixes[0].speed_m_s, track.fixes[0].heading_deg, track.fixes[0].accuracy_m) == (8, None, 3)


def test_a_table_of_other_things_is_no_track(tmp_path):
    with pytest.raises(TrackUnreadable, match="no GPS format"):
        read_track(table(tmp_path, "name,price", "apple,3"))


def test_points_with_times_are_a_track(tmp_path):
    content = collection(point(-73.2, 40.1, time_s=0.5, speed_m_s=3), point(-73.3, 40.2, time_s=1.5), point(1, 2))
    track = read_track(geojson(tmp_path, content))
    assert [(fix.time_s, fix.at.lat_deg, fix.at.lon_deg) for fix in track.fixes] == [
        (0.5, 40.1, -73.2),
        (1.5, 40.2, -73.3),
    ]
    assert track.fixes[0].speed_m_s == 3


@pytest.mark.parametrize(
    "properties",
    [
        {"coordTimes": ["2024-05-01T10:00:02Z", "2024-05-01T10:00:04Z"]},
        {"times": [1714557602000, 1714557604000]},
        {"coordinateProperties": {"times": ["2024-05-01T10:00:02Z", "2024-05-01T10:00:04Z"]}},
    ],
)
def test_a_line_with_times_is_a_track(tmp_path, properties):
    line = {"type": "LineString", "coordinates": [[-73.2, 40.1, 5], [-73.3, 40.2, 5]]}
    track = read_track(geojson(tmp_path, {"type": "Feature", "geometry": line, "properties": properties}))
    assert times(track) == [0, 2]
    assert track.fixes[1].at.lon_deg == -73.3


def test_a_line_without_times_is_none(tmp_path):
    line = {"type": "LineString", "coordinates": [[-73.2, 40.1], [-73.3, 40.2]]}
    with pytest.raises(TrackUnreadable, match="no GPS fix"):
        read_track(geojson(tmp_path, {"type": "Feature", "geometry": line, "properties": {}}))


@pytest.mark.parametrize(
    "content",
    [
        {"type": "FeatureCollection", "features": 3},
        {"type": "FeatureCollection", "features": [None, 3, {"geometry": [], "properties": None}]},
        collection(
            point(None, "x", time_s=[1]), {"geometry": {"type": "Point", "coordinates": 7}, "properties": {"time": 1}}
        ),
    ],
)
def test_odd_geojson_holds_no_fix(tmp_path, content):
    with pytest.raises(TrackUnreadable, match="no GPS fix"):
        read_track(geojson(tmp_path, content))
