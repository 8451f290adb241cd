from itertools import pairwise

import pytest
from real import real

from gama_core.errors import TrackUnreadable
from gama_core.telemetry import read_track

RECORD = "2025/06/29 11:37:{:02d} S:16.92{:04d} E:145.434723 {} km/h {} 403.17 23 x:+0.148 y:-0.137 z:-0.402"


def test_records_without_line_breaks_are_told_apart(tmp_path):
    path = tmp_path / "20250629.TXT"
    path.write_text("".join(RECORD.format(49 + index, 1000 + index, "36.00", "111.02") for index in range(3)))
    track = read_track(path)
    assert [fix.time_s for fix in track.fixes] == [0, 1, 2]
    assert track.fixes[0].at.lat_deg == pytest.approx(-16.921)
    assert track.fixes[0].at.lon_deg == pytest.approx(145.434723)
    assert track.fixes[0].speed_m_s == pytest.approx(10)
    assert track.fixes[0].heading_deg == 111.02


def test_dates_that_do_not_exist_are_left_out(tmp_path):
    path = tmp_path / "a.TXT"
    text = RECORD.format(10, 1000, "36.00", "1") + RECORD.format(11, 1000, "36.00", "1")
    path.write_text(text.replace("2025/06/29 11:37:10", "2025/13/40 11:37:10"))
    assert len(read_track(path).fixes) == 1


@pytest.mark.parametrize("minute", ["113649_000155A", "113749_000156A", "113849_000157A"])
def test_a_real_minute_drives_as_fast_as_it_says(minute):
    track = read_track(real(f"tracks/dashmap/20250629{minute}.TXT"))
    speeds = [fix.speed_m_s for fix in track.fixes]
    assert len(track.fixes) == 59
    assert track.length_m == pytest.approx(sum(speeds[:-1]), rel=0.05)  # a fix a second


def test_three_real_minutes_follow_each_other():
    names = ("113649_000155A", "113749_000156A", "113849_000157A")
    tracks = [read_track(real(f"tracks/dashmap/20250629{name}.TXT")) for name in names]
    for before, after in pairwise(tracks):
        assert before.fixes[-1].at.distance_m(after.fixes[0].at) < 40


def test_70mai_rows_without_a_fix_are_left_out(tmp_path):
    path = tmp_path / "GPSData000001.txt"
    path.write_text(
        "$V02\n1783850132,A,50.123456,9.5,0,55,100,-5,-12,NO1.MP4,0,0,0\n"
        "1783850133,V,0.000000,0.000000,0,0,0,0,0,NO1.MP4,0,0,0\n"
        "1783850134,A,-50.1,-9.5,0,55,100,-5,-12,NO1.MP4,0,0,0\nrubbish\n"
    )
    track = read_track(path)
    assert [(fix.time_s, fix.at.lat_deg, fix.at.lon_deg) for fix in track.fixes] == [
        (0, 50.123456, 9.5),
        (2, -50.1, -9.5),
    ]


def test_70mai_without_any_fix_says_so(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("$V02\n1783850133,V,0.000000,0.000000,0,0,0\n")
    with pytest.raises(TrackUnreadable, match="no GPS fix"):
        read_track(path)


def test_a_real_70mai_log_is_read():
    track = read_track(real("tracks/dashcam_logs/70mai_real-anonymized-a810.txt"))
    assert len(track.fixes) == 50
    assert track.end_s == 49
    assert track.fixes[0].at.lat_deg == 50.0
