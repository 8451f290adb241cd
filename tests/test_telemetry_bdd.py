import json

import pytest

from gama_core.errors import TrackUnreadable
from gama_core.telemetry import read_track

START_MS = 1_503_828_163_000


def info(tmp_path, *rows, **fields):
    """Rows of (seconds since the start, latitude, longitude, more)."""
    locations = [
        {"timestamp": START_MS + round(time_s * 1000), "latitude": lat, "longitude": lon, **more}
        for time_s, lat, lon, more in rows
    ]
    content = {"rideID": "x", "startTime": START_MS, "endTime": START_MS + 40_000, "locations": locations, **fields}
    path = tmp_path / "0000f77c-6257be58.json"
    path.write_text(json.dumps(content))
    return path


def test_fixes_count_from_the_start_of_the_video(tmp_path):
    full = {"speed": 7.5, "course": 271.0, "accuracy": 4.0}
    track = read_track(info(tmp_path, (0.4, 40.7, -73.9, full), (1.4, 40.7, -73.901, {})))
    first, second = track.fixes
    assert (first.time_s, first.at.lat_deg, first.at.lon_deg) == (0.4, 40.7, -73.9)
    assert (first.speed_m_s, first.heading_deg, first.accuracy_m) == (7.5, 271.0, 4.0)
    assert (second.time_s, second.speed_m_s, second.heading_deg, second.accuracy_m) == (1.4, None, None, None)


def test_fixes_shortly_before_the_video_are_kept_and_older_ones_dropped(tmp_path):
    rows = [(time_s, 40.7, -73.9, {}) for time_s in (-1000, -5.1, -5, -0.5, 3)]
    assert [fix.time_s for fix in read_track(info(tmp_path, *rows)).fixes] == [-5, -0.5, 3]


def test_minus_one_means_unknown(tmp_path):
    (fix,) = read_track(info(tmp_path, (1, 40.7, -73.9, {"speed": -1.0, "course": -1.0, "accuracy": -1}))).fixes
    assert (fix.speed_m_s, fix.heading_deg, fix.accuracy_m) == (None, None, None)


def test_rows_that_are_no_place_are_left_out(tmp_path):
    rows = [
        (1, 91, 0, {}),
        (2, None, 5, {}),
        (3, "x", 5, {}),
        (4, 0, 0, {}),
        (5, 40.7, float("nan"), {}),
        (6, 1, 1, {}),
    ]
    assert [fix.time_s for fix in read_track(info(tmp_path, *rows)).fixes] == [6]


def test_of_fixes_at_one_time_the_first_counts(tmp_path):
    track = read_track(info(tmp_path, (2, 40.2, -73, {}), (1, 40.1, -73, {}), (1, 40.9, -73, {})))
    assert [(fix.time_s, fix.at.lat_deg) for fix in track.fixes] == [(1, 40.1), (2, 40.2)]


@pytest.mark.parametrize("locations", [[], None, "many", [3, "x", None], {"a": 1}])
def test_a_video_without_fixes_says_so(tmp_path, locations):
    with pytest.raises(TrackUnreadable, match="no GPS fix"):
        read_track(info(tmp_path, locations=locations))


def test_without_a_start_the_first_fix_starts(tmp_path):
    track = read_track(info(tmp_path, (3, 40, -73, {}), (4, 40, -73, {}), startTime=None))
    assert [fix.time_s for fix in track.fixes] == [0, 1]
