import pytest
from shapely.geometry import LinearRing, Point, Polygon

from gama_core.geo import LatLon
from gama_core.lines import band, path_pieces, square, truth_pieces
from gama_core.result import PathStep
from gama_core.track import Fix, Track

SOMEWHERE = LatLon(40.0, -40.0)


def step(clip, at, confidence=0.9, radius_90_m=30.0, seconds_a_clip=1.0):
    return PathStep(clip, seconds_a_clip * clip, at, None, 0, confidence, 10.0, radius_90_m)


def on_paper(ring):
    return [(at.lon_deg, at.lat_deg) for at in ring]


def test_a_truth_is_cut_at_a_drop_out_and_at_the_ends_of_the_video():
    times_s = [-30.0, 0.0, 1.0, 2.0, 20.0, 21.0, 40.5, 99.0]
    track = Track(tuple(Fix(time_s, SOMEWHERE.moved(time_s, 0)) for time_s in times_s))
    pieces = truth_pieces(track, 40.0)
    assert [[fix.time_s for fix in piece] for piece in pieces] == [[0.0, 1.0, 2.0], [20.0, 21.0]]


def test_every_stretch_of_the_path_has_one_style():
    path = [step(n, SOMEWHERE.moved(10 * n, 0), confidence) for n, confidence in enumerate([0.9, 0.9, 0.5, 0.9, 0.9])]
    assert [len(piece) for piece in path_pieces(path, 0.7, 1.1)] == [2, 2]
    assert [len(piece) for piece in path_pieces(path, 0.35, 0.7)] == [3]
    assert path_pieces(path, 0.0, 0.35) == []


def test_the_band_holds_the_circle_of_every_step():
    path = [step(n, SOMEWHERE.moved(40 * n, 0)) for n in range(5)]
    (rings,) = band(path)
    shape = Polygon(on_paper(rings[0]))
    for moment in path:
        for east_m, north_m in ((28, 0), (-28, 0), (0, 28), (0, -28)):
            edge = moment.at.moved(east_m, north_m)
            assert shape.contains(Point(edge.lon_deg, edge.lat_deg))
    outside = path[0].at.moved(0, 40)
    assert not shape.contains(Point(outside.lon_deg, outside.lat_deg))


def test_a_drive_around_a_block_leaves_a_hole_in_its_band():
    corners = [(0, 0), (300, 0), (300, 300), (0, 300), (0, 0)]
    (rings,) = band([step(n, SOMEWHERE.moved(*corner), seconds_a_clip=20.0) for n, corner in enumerate(corners)])
    assert len(rings) == 2
    assert LinearRing(on_paper(rings[0])).is_ccw
    assert not LinearRing(on_paper(rings[1])).is_ccw


def test_nothing_is_drawn_where_the_path_jumps():
    path = [step(n, SOMEWHERE.moved(10 * n + (n > 2) * 900, 0)) for n in range(5)]
    assert [len(piece) for piece in path_pieces(path, 0.7, 1.1)] == [3, 2]
    between = SOMEWHERE.moved(450, 0)
    for rings in band(path):
        assert not Polygon(on_paper(rings[0])).contains(Point(between.lon_deg, between.lat_deg))


def test_one_step_is_a_circle():
    (rings,) = band([step(0, SOMEWHERE, radius_90_m=100.0)])
    assert all(at.distance_m(SOMEWHERE) == pytest.approx(100.0, rel=0.02) for at in rings[0])


@pytest.mark.parametrize("rotation_deg", [0.0, 30.0, 90.0, 215.0])
def test_a_view_shows_its_heading_upwards(rotation_deg):
    upper_left, upper_right, lower_right, _ = square(SOMEWHERE, 60.0, rotation_deg)
    assert upper_left.distance_m(upper_right) == pytest.approx(60.0, rel=0.005)
    assert lower_right.bearing_deg(upper_right) == pytest.approx(rotation_deg, abs=0.5) or rotation_deg == 0.0
    assert upper_left.bearing_deg(upper_right) == pytest.approx((rotation_deg + 90) % 360, abs=0.5)
