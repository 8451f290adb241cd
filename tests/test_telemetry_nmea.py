import functools
import operator

import pytest
from real import real

from gama_core.errors import TrackUnreadable
from gama_core.telemetry import read_track


def sentence(body):
    return f"${body}*{functools.reduce(operator.xor, body.encode()):02X}\r\n"


def rmc(time, lat="4807.038,N", lon="01131.000,E", status="A", more="022.4,084.4,230394"):
    return sentence(f"GPRMC,{time},{status},{lat},{lon},{more},003.1,W")


def gga(time, quality=1):
    return sentence(f"GPGGA,{time},4807.038,N,01131.000,E,{quality},08,0.9,545.4,M,46.9,M,,")


def log(tmp_path, *lines):
    path = tmp_path / "drive.nmea"
    path.write_text("".join(lines))
    return path


def test_degrees_and_minutes_become_degrees_and_knots_metres(tmp_path):
    first, second = read_track(log(tmp_path, rmc("123519.00"), rmc("123520.50", "4807.038,S", "01131.000,W"))).fixes
    assert (first.time_s, second.time_s) == (0, 1.5)
    assert (first.at.lat_deg, first.at.lon_deg) == pytest.approx((48 + 7.038 / 60, 11 + 31 / 60))
    assert (second.at.lat_deg, second.at.lon_deg) == pytest.approx((-48 - 7.038 / 60, -11 - 31 / 60))
    assert first.speed_m_s == pytest.approx(22.4 * 0.514444, rel=1e-4)
    assert first.heading_deg == 84.4


def test_void_and_damaged_sentences_are_left_out(tmp_path):
    damaged = rmc("123521").replace("4807", "4907")
    cut = rmc("123522")[:30] + "\r\n"
    track = read_track(log(tmp_path, rmc("123519", status="V"), rmc("123520"), damaged, cut, rmc("123523")))
    assert [fix.time_s for fix in track.fixes] == [0, 3]


def test_midnight_is_passed(tmp_path):
    lines = rmc("235959", more="1,2,311299"), rmc("000001", more="1,2,010100")
    assert [fix.time_s for fix in read_track(log(tmp_path, *lines)).fixes] == [0, 2]


def test_without_rmc_the_gga_sentences_are_read(tmp_path):
    track = read_track(log(tmp_path, gga("235958"), gga("235959", quality=0), gga("000000")))
    assert [fix.time_s for fix in track.fixes] == [0, 2]


def test_other_talkers_and_noise_between_are_fine(tmp_path):
    text = f"junk\n{rmc('123519').replace('$GPRMC', '$GNRMC')}$GSENSORD,0.2,0.1,0\r\n\x00\x01{rmc('123520')}"
    assert len(read_track(log(tmp_path, text)).fixes) == 1  # the first one's check sum is wrong now


def test_a_log_without_a_fix_says_so(tmp_path):
    with pytest.raises(TrackUnreadable, match="no GPS fix"):
        read_track(log(tmp_path, rmc("123519", status="V")))


def test_a_log_whose_places_were_rounded_later_is_read_without_check_sums():
    track = read_track(real("tracks/dashcam_logs/mivue_real-anonymized.NMEA"))
    assert [fix.time_s for fix in track.fixes] == list(range(7))
    assert {(fix.at.lat_deg, fix.at.lon_deg) for fix in track.fixes} == {(-23.0, 150.0)}
