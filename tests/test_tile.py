import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rasterio.warp import transform

from gama_core.geo import LatLon
from gama_core.tile import (
    MAX_LAT_DEG,
    ZOOM,
    Region,
    Tile,
    held_by,
    mercator_metres,
    metres_per_pixel,
    place,
    place_of_mercator,
    places,
    world_pixels,
)

WORLD = st.builds(LatLon, st.floats(-85, 85), st.floats(-180, 179.999999))
ZOOMS = st.integers(0, 22)


@given(WORLD, ZOOMS)
def test_places_and_world_pixels_round_trip(point, zoom):
    lat, lon = places(*world_pixels(point.lat_deg, point.lon_deg, zoom), zoom)
    assert (lat, lon) == pytest.approx((point.lat_deg, point.lon_deg), abs=1e-9)


@given(ZOOMS.flatmap(lambda zoom: st.builds(Tile, *[st.integers(0, 2**zoom - 1)] * 2, st.just(zoom))))
def test_a_tile_holds_its_centre_and_its_corner(tile):
    assert Tile.at(tile.center, tile.zoom) == tile
    corner = place(tile.x * 256 + 1e-3, tile.y * 256 + 1e-3, tile.zoom)
    assert Tile.at(corner, tile.zoom) == tile
    assert tile.bounds.contains(tile.center)


@given(WORLD, ZOOMS)
def test_a_place_lies_in_its_tile(point, zoom):
    around = Tile.at(point, zoom).bounds
    assert around.south - 1e-9 <= point.lat_deg <= around.north + 1e-9
    assert around.west - 1e-9 <= point.lon_deg <= around.east + 1e-9


@pytest.mark.parametrize(("lat", "lon"), [(90, 0), (-90, 0), (MAX_LAT_DEG, 180), (-MAX_LAT_DEG, -180), (0, 180)])
def test_the_ends_of_the_world_have_tiles(lat, lon):
    for zoom in (0, 5, 19, 22):
        tile = Tile.at(LatLon(lat, lon), zoom)
        assert 0 <= tile.x < 2**zoom
        assert 0 <= tile.y < 2**zoom


@given(WORLD)
def test_mercator_metres_are_those_of_proj(point):
    (east,), (north,) = transform("EPSG:4326", "EPSG:3857", [point.lon_deg], [point.lat_deg])
    x, y = world_pixels(point.lat_deg, point.lon_deg)
    assert mercator_metres(float(x), float(y)) == pytest.approx((east, north), abs=1e-3)
    back = place_of_mercator(east, north)
    assert (back.lat_deg, back.lon_deg) == pytest.approx((point.lat_deg, point.lon_deg), abs=1e-8)


def test_the_published_formula_gives_the_corner():
    x, y, n = 154393, 197029, 2**19  # spec: lon = X/n*360-180, lat = atan(sinh(pi*(1-2*Y/n)))
    box = Tile(x, y).bounds
    assert box.west == pytest.approx(x / n * 360 - 180)
    assert box.north == pytest.approx(math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / n)))))


def test_tiles_are_as_large_as_published():
    assert metres_per_pixel(40) == pytest.approx(0.23, abs=0.005)
    assert metres_per_pixel(0) == pytest.approx(0.2986, abs=0.0001)
    assert Tile(203888, 198480).size_m == pytest.approx(256 * metres_per_pixel(Tile(203888, 198480).center.lat_deg))


def test_names_are_read_back():
    tile = Tile(154393, 197029)
    assert tile.name == "154393_197029"
    assert Tile.from_name(tile.name) == tile


@pytest.mark.parametrize("name", ["154393", "a_b", "1_2_3", ""])
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match=r"unpack|invalid literal"):
        Tile.from_name(name)


def test_a_region_is_a_square_of_tiles():
    region = Region(203888, 198480)
    tiles = list(region.tiles)
    assert len(set(tiles)) == 49
    assert tiles[0] == Tile(203888, 198480)
    assert tiles[1] == Tile(203889, 198480)
    assert tiles[-1] == Tile(203894, 198486)
    assert region.size_px == 1792
    assert region.size_m == pytest.approx(7 * tiles[24].size_m, rel=1e-6)
    assert Tile.at(region.center) == tiles[24]
    assert all(region.contains(tile.center) and region.bounds.contains(tile.center) for tile in tiles)


@given(st.integers(-3, 10), st.integers(-3, 10))
def test_a_region_contains_the_places_of_its_tiles_and_no_others(column, row):
    region = Region(203888, 198480)
    inside = 0 <= column < 7 and 0 <= row < 7
    assert region.contains(Tile(region.x + column, region.y + row).center) == inside


@given(st.lists(st.tuples(st.floats(-3, 10), st.floats(-3, 10)), min_size=1, max_size=5))
def test_many_places_lie_in_many_regions_as_each_does_in_each(offsets):
    regions = [Region(203888, 198480), Region(203895, 198480), Region(101944, 99240, 3, ZOOM - 1)]
    points = [place((203888 + x) * 256, (198480 + y) * 256, ZOOM) for x, y in offsets]
    each = [[region.contains(point) for region in regions] for point in points]
    assert held_by(points, regions).tolist() == each


def test_neighbouring_regions_share_no_place():
    left, right = Region(203888, 198480), Region(203895, 198480)
    edge = place(right.x * 256.0, (right.y + 3) * 256.0, ZOOM)
    assert [left.contains(edge), right.contains(edge)] in ([False, True], [True, False])


def test_arrays_of_places_have_arrays_of_pixels():
    lat, lon = np.array([40.0, 41.0]), np.array([-40.0, -41.0])
    x, y = world_pixels(lat, lon)
    assert x.shape == y.shape == (2,)
    assert x[1] < x[0]
    assert y[1] < y[0]
