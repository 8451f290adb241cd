import functools
import json
import os
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gama_core.errors import SettingsInvalid
from gama_core.geo import LatLon
from gama_core.world.paint import Canvas, Rectangle
from gama_core.world.place import (
    HELD_OUT_SEEDS,
    MARGIN_M,
    SAMPLE_COLUMNS,
    SAMPLE_ROWS,
    SAMPLE_SEED,
    TEST_SEEDS,
    TRAINING_SEEDS,
    VALIDATION_SEEDS,
    make_place,
    split_of,
    street_map,
    style_of,
)
from gama_core.world.shapes import strip


@functools.cache
def city():
    return make_place(20_950)


def test_a_seed_gives_the_same_place_always():
    again = make_place(20_950)
    assert np.array_equal(again.network.junctions, city().network.junctions)
    assert np.array_equal(again.trees, city().trees)
    assert all(np.array_equal(a.outline, b.outline) for a, b in zip(again.buildings, city().buildings, strict=True))
    assert len(again.ground.shapes) == len(city().ground.shapes)


PRINT_SIZES = """
import json
from gama_core.world.place import SAMPLE_COLUMNS, SAMPLE_ROWS, SAMPLE_SEED, make_place
place = make_place(SAMPLE_SEED, SAMPLE_COLUMNS, SAMPLE_ROWS)
tables = place.network.junctions, place.trees, place.spots, place.lamps
print(json.dumps([[len(table), float(table.sum())] for table in tables]))
"""


def test_a_seed_gives_the_same_place_on_every_cpu():
    """Older CPUs round a sine's last digit otherwise; blocks of one size were then split in another order.

    The numbers are those of the city that the sample's drives were filmed in, on a CPU with AVX-512.
    """
    assert (SAMPLE_SEED, SAMPLE_COLUMNS, SAMPLE_ROWS) == (90_001, 6, 6)
    older = {"NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR", "OPENBLAS_CORETYPE": "Nehalem"}
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PRINT_SIZES], env=os.environ | older, capture_output=True, check=True
    )
    filmed = [[2075, 5161217.0493], [20214, 50054244.5525], [23264, 57625185.5836], [2845, 7044990.6052]]
    assert json.loads(told.stdout) == [[count, pytest.approx(total, abs=0.01)] for count, total in filmed]


def test_another_seed_gives_another_place():
    assert not np.array_equal(make_place(20_951).network.junctions, city().network.junctions)


def test_no_seed_belongs_to_two_splits():
    seeds = [set(TRAINING_SEEDS), set(VALIDATION_SEEDS), set(TEST_SEEDS), set(HELD_OUT_SEEDS)]
    assert sum(map(len, seeds)) == len(set.union(*seeds))
    assert split_of(SAMPLE_SEED) == "test"
    assert split_of(95_000) == "held-out"


@pytest.mark.parametrize("seed", [0, 9_999, 21_000, 89_999, 100_000, -1])
def test_a_seed_of_no_split_is_refused(seed):
    with pytest.raises(SettingsInvalid, match=str(seed)):
        make_place(seed)


def test_a_city_without_regions_is_refused():
    with pytest.raises(SettingsInvalid, match="0 x 1"):
        make_place(20_950, 0, 1)


@given(st.floats(-100, 600), st.floats(-100, 600))
def test_the_local_frame_and_the_globe_agree(x_m, y_m):
    back = city().local(city().lat_lon(x_m, y_m))
    assert back == pytest.approx((x_m, y_m), abs=1e-5)


@given(st.floats(0, 410), st.floats(0, 410))
def test_local_metres_are_metres(x_m, y_m):
    corner, at = city().lat_lon(0, 0), city().lat_lon(x_m, y_m)
    assert corner.distance_m(at) == pytest.approx(np.hypot(x_m, y_m), rel=3e-3, abs=0.01)


def test_the_regions_tile_the_city_in_the_open_ocean():
    wide = make_place(20_952, 2, 1)
    west, east = wide.regions
    assert west.bounds.east == pytest.approx(east.bounds.west, abs=1e-9)
    assert west.bounds.north == pytest.approx(wide.lat_lon(0, 0).lat_deg, abs=1e-9)
    assert east.bounds.east == pytest.approx(wide.lat_lon(wide.width_m, 0).lon_deg, abs=1e-9)
    assert wide.lat_lon(0, 0).distance_m(LatLon(40, -40)) < 60_000


def test_no_building_stands_on_a_road():
    place = city()
    where = Rectangle.around(-MARGIN_M, -MARGIN_M, place.width_m + MARGIN_M, place.height_m + MARGIN_M, 0.25)
    roads = Canvas(where, channels=1)
    for street in place.network.streets:
        roads.fill([strip(street.line, street.width_m)], 255.0)
    for building in place.buildings:
        middle = building.centre
        inner = roads.pixels(middle + (building.outline - middle) * 0.96) >> 4
        mask = np.zeros_like(roads.image)
        cv2.fillPoly(mask, [inner], 1)
        assert not (roads.image[mask > 0] > 0).any()


@pytest.mark.parametrize("terraces", [0.0, 1.0])
def test_no_two_houses_stand_in_each_other(terraces):
    place = make_place(20_954, style=replace(style_of(20_954), terraces=terraces))
    where = Rectangle.around(-120, -120, 540, 540, 0.5)
    stands = Canvas(where, channels=1)
    for building in (each for each in place.buildings if each.base_m == 0):
        middle = building.centre
        inner = stands.pixels(middle + (building.outline - middle) * 0.8) >> 4
        mask = np.zeros_like(stands.image)
        cv2.fillConvexPoly(mask, inner, 1)
        assert not stands.image[mask > 0].any()
        stands.image[mask > 0] = 1


def test_every_street_runs_from_its_start_to_its_end():
    network = city().network
    for street in network.streets:
        assert street.line[0] == pytest.approx(network.junctions[street.start])
        assert street.line[-1] == pytest.approx(network.junctions[street.end])


def test_all_streets_can_be_reached():
    network = city().network
    seen, queue = {0}, [0]
    while queue:
        junction = queue.pop()
        for street in network.at_junction[junction]:
            for other in (network.streets[street].start, network.streets[street].end):
                if other not in seen:
                    seen.add(other)
                    queue.append(other)
    assert len(seen) == len(network.junctions)


def test_a_crosswalk_lies_on_a_street():
    place = city()
    middles = np.vstack([street.line for street in place.network.streets])
    for crosswalk in place.crosswalks:
        assert np.hypot(*(middles - crosswalk.centre).T).min() < 2.0


def test_the_street_map_runs_along_the_streets_of_the_city_in_few_pieces():
    drawn = [[city().local(LatLon(*end)) for end in piece.reshape(2, 2)] for piece in street_map(city()).segments]
    lines = [street.line for street in city().network.streets]
    assert len(drawn) < sum(len(line) - 1 for line in lines) / 5
    on_map = shapely.union_all(shapely.linestrings(drawn))
    assert shapely.distance(shapely.points(np.concatenate(lines)), on_map).max() < 0.25
    ends = shapely.points(np.array(drawn).reshape(-1, 2))
    assert shapely.distance(ends, shapely.multipoints(np.concatenate(lines))).max() < 1e-3


def test_terraces_stand_wall_to_wall():
    place = make_place(20_954, style=replace(style_of(20_954), terraces=1.0))
    rows = [building.outline for building in place.buildings if building.kind == "terrace"]
    assert len(rows) > 200
    rights, lefts = np.array([outline[1] for outline in rows]), np.array([outline[0] for outline in rows])
    gaps_m = np.minimum(
        np.linalg.norm(rights[:, None] - lefts[None], axis=2).min(0),
        np.linalg.norm(lefts[:, None] - rights[None], axis=2).min(0),
    )
    assert (gaps_m < 1.5).mean() > 0.6
