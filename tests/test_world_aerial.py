import functools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gama_core.world.aerial import draw_aerial, draw_ground, flight_over, park
from gama_core.world.paint import Canvas, Rectangle
from gama_core.world.palette import WHITE_PAINT
from gama_core.world.place import make_place, style_of
from gama_core.world.shapes import strip


@functools.cache
def city():
    return make_place(20_953)


def test_the_same_place_looks_the_same():
    where = Rectangle(200, 100, 160, 120, 0.25)
    assert np.array_equal(draw_aerial(city(), where), draw_aerial(make_place(20_953), where))


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 260), st.integers(0, 260))
def test_a_part_drawn_alone_is_the_part_of_the_whole(left, top):
    m_per_px, flight = city().m_per_px, replace(flight_over(city()), jpeg=0)
    whole = draw_aerial(city(), Rectangle(500, 700, 360, 360, m_per_px), flight)
    part = draw_aerial(city(), Rectangle(500 + left, 700 + top, 100, 100, m_per_px), flight)
    gap = np.abs(whole[top : top + 100, left : left + 100].astype(int) - part)
    assert gap.mean() < 0.15  # OpenCV rounds the long edges that leave the picture, by less than a pixel
    assert (gap > 2).mean() < 0.02


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 260), st.integers(0, 260))
def test_the_blocks_of_a_compressed_image_fit_together(left, top):
    m_per_px, flight = city().m_per_px, replace(flight_over(city()), jpeg=30)
    whole = draw_aerial(city(), Rectangle(500, 700, 360, 360, m_per_px), flight)
    part = draw_aerial(city(), Rectangle(500 + left, 700 + top, 100, 100, m_per_px), flight)
    assert np.median(np.abs(whole[top : top + 100, left : left + 100].astype(int) - part)) == 0


def test_tiles_of_the_road_fit_together():
    whole = draw_ground(city(), Rectangle(1024, 1024, 1024, 512, 0.125))
    east = draw_ground(city(), Rectangle(1536, 1024, 512, 512, 0.125))
    assert (np.abs(whole[:, 512:].astype(int) - east) > 2).mean() < 1e-3


def test_a_fresh_crosswalk_is_bright_on_the_ground():
    seen, fresh = 0, make_place(20_953, style=replace(style_of(20_953), wear=0.0))
    for crosswalk in fresh.crosswalks:
        if len(crosswalk.stripes) < 4 or (crosswalk.centre < 0).any() or (crosswalk.centre > fresh.width_m).any():
            continue
        left, top = crosswalk.centre - 6
        where = Rectangle.around(left, top, left + 12, top + 12, 0.05)
        image = draw_ground(fresh, where).mean(2)
        for stripe in crosswalk.stripes[1:-1]:
            column, row = ((stripe.mean(0) - where.box[:2]) / 0.05).astype(int)
            if 0 <= row < image.shape[0] and 0 <= column < image.shape[1]:
                seen += image[row, column] > 0.75 * WHITE_PAINT.mean()
    assert seen > 20


def test_years_lie_between_the_flight_and_a_drive():
    flight = flight_over(city())
    later = park(city(), np.random.default_rng(1), 0.5)
    above = {tuple(np.round(car[:2])) for car in flight.cars}
    below = {tuple(np.round(car[:2])) for car in later}
    assert above - below
    assert below - above
    assert flight.trees_seen.mean() == pytest.approx(0.97, abs=0.03)


def test_colours_of_aerial_images_differ_from_place_to_place():
    gains = np.array([flight_over(make_place(seed)).gain for seed in (20_953, 20_954)])
    assert np.abs(gains[0] - gains[1]).max() > 0.01


def over_the_roads(**changes):
    """The colours of a city's roads in its aerial image, int (n, 3), before they are developed."""
    place = make_place(20_953, style=replace(style_of(20_953), texture=0.0, **changes))
    where = Rectangle.around(0, 0, 400, 400, 0.5)
    plain = {"gain": np.ones(3), "contrast": 1.0, "saturation": 1.0, "haze": 0.0, "blur_m": 0.0, "jpeg": 0}
    image = draw_aerial(place, where, replace(flight_over(place), **plain))
    roads = Canvas(where, channels=1)
    for street in place.network.streets:
        roads.fill([strip(street.line, street.width_m)], 255.0)
    return image[roads.image > 0].astype(int)


def share_of_green(colours):
    return (colours[:, 1] > colours[:, [0, 2]].max(1) + 8).mean()


def test_crowns_that_overhang_the_road_hide_more_of_it():
    lined = {"street_trees": 1.0, "crown_m": 5.0, "tree_step_m": 7.0}
    none, some, all_of_it = (share_of_green(over_the_roads(overhang=reach, **lined)) for reach in (0.0, 0.5, 1.0))
    assert none < 0.5 * some
    assert some < all_of_it
    assert all_of_it > 0.25


def test_worn_paint_leaves_fewer_white_pixels_on_the_road():
    fresh, worn = (over_the_roads(wear=wear, street_trees=0.0, parked=0.0).min(1) for wear in (0.0, 1.0))
    assert (worn > 170).mean() < 0.3 * (fresh > 170).mean()


def test_darker_shade_makes_darker_images():
    light, dark = (np.percentile(over_the_roads(shade=shade, street_trees=1.0), 5) for shade in (0.6, 0.12))
    assert dark < light - 10
