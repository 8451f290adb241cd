import functools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gama_core.world.camera import SHIFT, Camera, View
from gama_core.world.ground_view import GroundView
from gama_core.world.place import make_place, style_of
from gama_core.world.render import Renderer
from gama_core.world.scene import Scene
from gama_core.world.weather import WEATHERS, random_conditions

FRAME = (256, 144)
LEVEL = Camera(focal=0.6, horizon=0.5, height_m=1.4, roll_deg=0.0, yaw_deg=0.0, hood=0.0)


@functools.cache
def city():
    return make_place(20_955, style=replace(style_of(20_955), wear=0.0))


@functools.cache
def ground():
    return GroundView(city())


def clear_day(rng):
    return replace(
        random_conditions(rng, "day"),
        noise=0.0, jpeg=0, softness=0.0, vignette=0.0, sun=0.0, visibility_m=1e6, gain=np.ones(3), gamma=1.0,
        glare=0.0, blacks=0.0, saturation=1.0, resolution=1.0, reflection=0.0, tones=0,
    )  # fmt: skip


def renderer(camera, conditions, empty=False):
    rng = np.random.default_rng(0)
    scene = Scene(city(), rng, np.zeros((2, 2)), conditions.lit_windows)
    if empty:
        scene.cars, scene.trees, scene.lamps = scene.cars[:0], scene.trees[:0], scene.lamps[:0]
    return Renderer(scene, ground(), camera, conditions, FRAME, rng)


def exact(pixels):
    return pixels / (1 << SHIFT) + 0.5


@pytest.mark.parametrize("heading_deg", [0, 45, 90, 200])
def test_what_lies_ahead_is_in_the_middle(heading_deg):
    view = View.of(LEVEL, 10.0, 20.0, heading_deg, FRAME, (0, 0))
    angle = np.radians(heading_deg)
    ahead = np.array([[10 + 30 * np.sin(angle), 20 - 30 * np.cos(angle)]])
    x, z = view.relative(ahead)
    assert exact(view.pixels(x, z, LEVEL.height_m))[0] == pytest.approx([128, 72], abs=0.1)


def test_east_is_to_the_right_of_north():
    view = View.of(LEVEL, 0.0, 0.0, 0.0, FRAME, (0, 0))
    x, z = view.relative(np.array([[5.0, -20.0]]))
    assert float(x[0]) == pytest.approx(5)
    assert exact(view.pixels(x, z, 0.0))[0, 0] > 128


@given(st.floats(0, 360), st.floats(-8, 8), st.floats(2, 60))
def test_the_ground_is_warped_to_where_points_are_projected(heading_deg, right_m, ahead_m):
    view = View.of(LEVEL, 100.0, 50.0, heading_deg, FRAME, (4, 6))
    point = view.at + view.forward * ahead_m + view.right * right_m
    warped = view.ground_homography() @ np.array([*point, 1.0])
    x, z = view.relative(point[None])
    assert exact(view.pixels(x, z, 0.0))[0] == pytest.approx(np.clip(warped[:2] / warped[2], -3500, 3500), abs=0.1)


def test_what_is_behind_is_not_drawn():
    view = View.of(LEVEL, 0.0, 0.0, 0.0, FRAME, (0, 0))
    behind = np.array([[-1.0, 5.0], [1.0, 5.0], [1.0, 9.0]])
    assert view.on_ground(behind) is None
    assert view.on_ground(behind - [0, 8.0]) is not None


@given(st.integers(0, 10_000))
def test_cameras_are_dash_cams(seed):
    camera = Camera.random(np.random.default_rng(seed))
    field_deg = 2 * np.degrees(np.arctan(0.5 / camera.focal))
    assert 60 <= field_deg <= 110
    assert 1.2 <= camera.height_m <= 1.7
    pitch_deg = np.degrees(np.arctan((camera.horizon - 0.5) * 9 / 16 / camera.focal))
    assert abs(pitch_deg) <= 4.001


def test_a_crosswalk_is_where_the_frame_shows_it():
    rng = np.random.default_rng(2)
    bright, dark = [], []
    inside = [c for c in city().crosswalks if len(c.stripes) > 4 and (c.centre > 30).all() and (c.centre < 380).all()]
    for crosswalk in inside[:6]:
        at, way = crosswalk.centre + crosswalk.along * 8.0, -crosswalk.along
        heading_deg = float(np.degrees(np.arctan2(way[0], -way[1])))
        image = renderer(LEVEL, clear_day(rng), empty=True).take(*at, heading_deg).mean(2)
        view = View.of(LEVEL, *at, heading_deg, FRAME, (0, 0))
        side = (crosswalk.stripes[1].mean(0) - crosswalk.stripes[0].mean(0)) / 2
        for stripe in crosswalk.stripes[1:-1]:
            for where, values in ((stripe.mean(0), bright), (stripe.mean(0) + side, dark)):
                x, z = view.relative(where[None])
                column, row = np.floor(exact(view.pixels(x, z, 0.0))[0]).astype(int)
                if 0 <= row < 144 and 0 <= column < 256:
                    values.append(image[row, column])
    assert np.median(bright) > np.median(dark) + 40


def test_the_same_drive_gives_the_same_frame():
    rng = np.random.default_rng(3)
    conditions = random_conditions(rng, "rain")
    frames = [renderer(LEVEL, conditions).take(200.0, 200.0, 30.0) for _ in range(2)]
    assert np.array_equal(*frames)
    assert frames[0].shape == (144, 256, 3)
    assert frames[0].dtype == np.uint8


@pytest.mark.parametrize("name", WEATHERS)
def test_every_weather_can_be_filmed(name):
    conditions = replace(random_conditions(np.random.default_rng(4), name), gain=np.ones(3), gamma=1.0)
    image = renderer(LEVEL, conditions).take(205.0, 180.0, 120.0)
    assert image.std() > 5


def test_nights_are_darker_than_days():
    def brightness(name):
        rng = np.random.default_rng(5)
        return np.mean([renderer(LEVEL, random_conditions(rng, name)).take(200, 200, 0).mean() for _ in range(3)])

    assert brightness("night") < 0.6 * brightness("day")


def test_the_headlights_light_the_road_ahead():
    night = replace(random_conditions(np.random.default_rng(6), "night"), noise=0.0, drops=0, jpeg=0)
    dark = replace(night, headlights=0.0)
    lit, unlit = (renderer(LEVEL, each, empty=True).take(200, 200, 0) for each in (night, dark))
    road = np.s_[100:130, 90:166]
    assert lit[road].mean() > 1.5 * unlit[road].mean()


def test_a_pitched_camera_moves_the_horizon():
    up, down = (View.of(replace(LEVEL, horizon=h), 0, 0, 0, FRAME, (0, 0)) for h in (0.4, 0.6))
    assert up.horizon_px < down.horizon_px
