import math

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pyproj import Geod

from gama_core.geo import EARTH_RADIUS_M, Bounds, LatLon, angle_between_deg, distances_m

SPHERE = Geod(a=EARTH_RADIUS_M, b=EARTH_RADIUS_M)
places = st.builds(LatLon, st.floats(-89.9, 89.9), st.floats(-180, 180))
near = st.floats(-5000, 5000)


@given(places, places)
def test_distances_are_those_of_proj(a, b):
    _, _, expected = SPHERE.inv(a.lon_deg, a.lat_deg, b.lon_deg, b.lat_deg)
    assert a.distance_m(b) == pytest.approx(expected, rel=1e-6, abs=1e-3)
    assert a.distance_m(b) == b.distance_m(a)


@given(places, places)
@example(LatLon(0, 0), LatLon(10, -1e-300))
def test_bearings_are_those_of_proj(a, b):
    assume(100 < a.distance_m(b) < 19_000_000)
    expected, _, _ = SPHERE.inv(a.lon_deg, a.lat_deg, b.lon_deg, b.lat_deg)
    assert angle_between_deg(a.bearing_deg(b), expected) < 1e-4
    assert 0 <= a.bearing_deg(b) < 360


@given(st.builds(LatLon, st.floats(-75, 75), st.floats(-180, 180)), near, near)
def test_a_move_arrives_as_far_and_in_the_direction_asked(start, east_m, north_m):
    assume(math.hypot(east_m, north_m) > 1)
    end = start.moved(east_m, north_m)
    assert start.distance_m(end) == pytest.approx(math.hypot(east_m, north_m), rel=3e-3, abs=0.01)
    assert angle_between_deg(start.bearing_deg(end), math.degrees(math.atan2(east_m, north_m))) < 0.3


def test_a_move_over_the_date_line_stays_on_earth():
    assert LatLon(0, 179.9999).moved(100, 0).lon_deg == pytest.approx(-179.9992, abs=1e-4)


@pytest.mark.parametrize(
    ("lat", "lon"), [(90.1, 0), (-91, 0), (0, 180.1), (0, -181), (math.nan, 0), (0, math.nan), (math.inf, 0)]
)
def test_what_is_no_place_is_refused(lat, lon):
    with pytest.raises(ValueError, match="no place"):
        LatLon(lat, lon)


def test_arrays_of_places_broadcast():
    found = distances_m(np.zeros(3), np.arange(3.0), 0.0, 0.0)
    assert found == pytest.approx(np.arange(3) * math.radians(1) * EARTH_RADIUS_M)


@given(st.floats(-720, 720), st.floats(-720, 720))
def test_the_angle_between_headings_is_the_smaller_one(a, b):
    expected = math.degrees(math.acos(max(-1, min(1, math.cos(math.radians(a - b))))))
    assert angle_between_deg(a, b) == pytest.approx(expected, abs=1e-4)


@given(st.lists(places, min_size=1, max_size=8))
def test_bounds_hold_what_they_were_made_around(points):
    box = Bounds.around(points)
    assert all(box.contains(point) for point in points)
    assert box.contains(box.center)


def test_bounds_need_a_point():
    with pytest.raises(ValueError, match="empty"):
        Bounds.around([])


@given(st.lists(places, min_size=2, max_size=5), st.lists(places, min_size=2, max_size=5), places)
def test_union_and_intersection_agree_with_contains(first, second, point):
    a, b = Bounds.around(first), Bounds.around(second)
    common = a & b
    assert (common is not None and common.contains(point)) == (a.contains(point) and b.contains(point))
    assert not (a.contains(point) or b.contains(point)) or (a | b).contains(point)


def test_bounds_have_a_size_on_the_ground():
    box = Bounds(40.0, -40.01, 40.01, -40.0)
    assert box.height_m == pytest.approx(1112, rel=1e-3)
    assert box.width_m == pytest.approx(1112 * math.cos(math.radians(40.005)), rel=1e-3)
