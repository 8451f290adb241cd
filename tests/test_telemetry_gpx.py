from datetime import UTC, datetime

import pytest
from real import real

from gama_core.errors import TrackUnreadable
from gama_core.telemetry import read_track

GPX = """<?xml version="1.0" encoding="UTF-8"?>
<gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1">{}</gpx>"""


def gpx(tmp_path, body, text=GPX):
    path = tmp_path / "drive.gpx"
    path.write_text(text.format(body), encoding="utf-8")
    return path


def points(*rows, name="trkpt"):
    return "".join(f'<{name} lat="{lat}" lon="{lon}"><time>{time}</time></{name}>' for time, lat, lon in rows)


DRIVE = points(("2024-05-01T10:00:02Z", 45.1, 13.2), ("2024-05-01T10:00:04.5Z", 45.2, 13.3))


def test_the_first_point_starts_the_clock(tmp_path):
    track = read_track(gpx(tmp_path, f"<trk><trkseg>{DRIVE}</trkseg></trk>"))
    assert [(fix.time_s, fix.at.lat_deg, fix.at.lon_deg) for fix in track.fixes] == [(0, 45.1, 13.2), (2.5, 45.2, 13.3)]


@pytest.mark.parametrize("start", [datetime(2024, 5, 1, 10, 0, 3), datetime(2024, 5, 1, 10, 0, 3, tzinfo=UTC)])
def test_a_known_start_starts_the_clock(tmp_path, start):
    track = read_track(gpx(tmp_path, f"<trk><trkseg>{DRIVE}</trkseg></trk>"), start)
    assert [fix.time_s for fix in track.fixes] == [-1, 1.5]


def test_all_segments_and_routes_are_one_track_in_time(tmp_path):
    later = points(("2024-05-01T10:00:09Z", 45.3, 13.3))
    route = f"<rte>{points(('2024-05-01T10:00:06Z', 45.4, 13.4), name='rtept')}</rte>"
    track = read_track(gpx(tmp_path, f"{route}<trk><trkseg>{later}</trkseg><trkseg>{DRIVE}</trkseg></trk>"))
    assert [fix.time_s for fix in track.fixes] == [0, 2.5, 4, 7]


def test_points_without_a_time_are_no_track(tmp_path):
    with pytest.raises(TrackUnreadable, match="no GPS fix"):
        read_track(gpx(tmp_path, '<trk><trkseg><trkpt lat="1" lon="2"/></trkseg></trk>'))


def test_entities_are_refused_before_they_grow(tmp_path):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;">]>' + GPX.format("&b;").partition("?>")[2]
    with pytest.raises(TrackUnreadable, match="entities"):
        read_track(gpx(tmp_path, "", bomb.replace("{", "{{").replace("}", "}}")))


def test_broken_xml_is_no_track(tmp_path):
    with pytest.raises(TrackUnreadable, match=r"drive\.gpx"):
        read_track(gpx(tmp_path, "<trk><trkseg>"))
    with pytest.raises(TrackUnreadable, match=r"drive\.gpx"):
        read_track(gpx(tmp_path, '<trk><trkseg><trkpt lat="north" lon="2"/></trkseg></trk>'))


def test_a_byte_order_mark_and_other_encodings_are_read(tmp_path):
    text = GPX.format(f"<trk><trkseg>{DRIVE}</trkseg></trk>")
    for encoding in ("utf-8-sig", "utf-16"):
        path = tmp_path / "drive.gpx"
        path.write_text(text.replace("UTF-8", encoding.removesuffix("-sig")), encoding=encoding)
        assert len(read_track(path).fixes) == 2


def test_a_real_car_drive_has_its_published_length():
    track = read_track(real("tracks/gpxpy_around-visnjan-with-car.gpx"))
    assert len(track.fixes) == 104
    assert track.length_m == pytest.approx(2730, abs=10)


def test_a_real_file_with_a_byte_order_mark_and_no_track_point_is_refused():
    with pytest.raises(TrackUnreadable, match="no GPS fix"):
        read_track(real("tracks/gpxpy_unicode_with_bom.gpx"))


def test_a_gopros_gpx_is_read():
    track = read_track(real("tracks/gopro2gpx_hero05.gpx"))
    assert track.bounds.center.lat_deg == pytest.approx(33.1265, abs=0.0005)
    assert track.end_s == pytest.approx(34, abs=1)
