import functools
import json

import numpy as np
import pytest

from gama_core.telemetry import read_track
from gama_core.world.drive import EDGE_M, FPS, plan_drive
from gama_core.world.gps import EPOCH_MS, phone_gps, to_json
from gama_core.world.paint import Canvas, Rectangle
from gama_core.world.place import make_place
from gama_core.world.shapes import disc, strip


@functools.cache
def city():
    return make_place(20_956)


@functools.cache
def drives():
    rng = np.random.default_rng(0)
    return [plan_drive(city(), rng, 40.0) for _ in range(6)]


def test_a_number_gives_the_same_drive_always():
    again = plan_drive(city(), np.random.default_rng(0), 40.0)
    assert np.array_equal(again.x_m, drives()[0].x_m)


def test_a_drive_lasts_as_long_as_asked():
    assert all(len(drive) == 40 * FPS for drive in drives())


def test_a_drive_stays_on_the_road():
    network = city().network
    road = Canvas(Rectangle.around(-80, -80, 500, 500, 0.5), channels=1)
    for street in network.streets:
        road.fill([strip(street.line, street.width_m)], 255.0)
    for junction, place in enumerate(network.junctions):
        road.fill([disc(place, network.radius_m(junction) + 1.5)], 255.0)
    for drive in drives():
        column, row = ((drive.x_m + 80) / 0.5).astype(int), ((drive.y_m + 80) / 0.5).astype(int)
        assert (road.image[row, column] > 0).mean() > 0.995


def test_a_drive_keeps_away_from_the_edge_of_the_place():
    for drive in drives():
        for along, size_m in ((drive.x_m, city().width_m), (drive.y_m, city().height_m)):
            assert along.min() > EDGE_M - 10
            assert along.max() < size_m - EDGE_M + 10


def test_a_drive_obeys_the_pedals():
    for drive in drives():
        assert drive.speed_m_s.min() >= -1e-9
        assert drive.speed_m_s.max() < 14.5
        change = np.diff(drive.speed_m_s[:: FPS // 3]) * 3
        assert np.abs(change).max() < 5.0


def test_the_car_points_where_it_goes():
    for drive in drives():
        going = np.degrees(np.arctan2(np.gradient(drive.x_m), -np.gradient(drive.y_m)))
        gap = (going - drive.heading_deg + 180) % 360 - 180
        assert np.abs(gap[drive.speed_m_s > 2]).max() < 8


def test_drives_turn_and_stop():
    turned = [np.ptp(np.unwrap(np.radians(drive.heading_deg))) for drive in drives()]
    assert max(turned) > np.pi / 3
    assert any((drive.speed_m_s < 0.1).sum() > FPS for drive in drives())


def test_oncoming_cars_come_the_other_way_on_the_other_side():
    for drive in drives():
        for frame in range(0, len(drive), 60):
            here = np.array([drive.x_m[frame], drive.y_m[frame]])
            for car in drive.others(frame):
                assert np.hypot(*(car[:2] - here)) < 110
                assert np.hypot(car[2], car[3]) == pytest.approx(1)


def test_gps_errs_by_three_to_eight_metres():
    for number, drive in enumerate(drives()):
        info = phone_gps(city(), drive, np.random.default_rng(number))
        gaps = []
        for row in info["locations"]:
            frame = round((row["timestamp"] - info["startTime"]) / 1000 * FPS)
            at = city().lat_lon(drive.x_m[min(frame, len(drive) - 1)], drive.y_m[min(frame, len(drive) - 1)])
            x_m, y_m = city().local(at)
            there = city().local(type(at)(row["latitude"], row["longitude"]))
            gaps.append(np.hypot(there[0] - x_m, there[1] - y_m))
        assert 2.0 < np.sqrt(np.mean(np.square(gaps))) < 9.0
        assert max(gaps) < 30.0


def test_gps_drops_out_and_invents_nothing():
    counts, longest = [], 0.0
    for number in range(40):
        info = phone_gps(city(), drives()[0], np.random.default_rng(number))
        times = [row["timestamp"] for row in info["locations"]]
        assert times == sorted(times)
        assert info["startTime"] <= times[0] <= times[-1] < info["endTime"]
        counts.append(len(times))
        longest = max(longest, *np.diff(times))
    assert max(counts) == 40
    assert min(counts) < 38
    assert longest > 3000


def test_the_json_reads_back_as_the_track(tmp_path):
    info = phone_gps(city(), drives()[1], np.random.default_rng(5))
    path = tmp_path / "drive.json"
    path.write_text(to_json(info))
    assert json.loads(path.read_text()) == info
    assert info["startTime"] >= EPOCH_MS
    track = read_track(path)
    assert len(track.fixes) == len(info["locations"])
    first, row = track.fixes[0], info["locations"][0]
    assert (first.at.lat_deg, first.at.lon_deg) == (row["latitude"], row["longitude"])
    assert first.time_s == pytest.approx((row["timestamp"] - info["startTime"]) / 1000)
