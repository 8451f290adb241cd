import functools
from dataclasses import replace

import numpy as np
import pytest

from gama_core.world.camera import Camera
from gama_core.world.ground_view import GroundView
from gama_core.world.lens import Lens
from gama_core.world.place import make_place
from gama_core.world.render import Renderer
from gama_core.world.scene import Scene
from gama_core.world.weather import random_conditions
from gama_core.world.windscreen import Glare

FRAME = (256, 144)
LEVEL = Camera(focal=0.6, horizon=0.5, height_m=1.4, roll_deg=0.0, yaw_deg=0.0, hood=0.0)
EAST, WEST, NORTH, SOUTH = 90.0, 270.0, 0.0, 180.0


@functools.cache
def city():
    place = make_place(20_955)
    return place, GroundView(place)


def plain(**changes):
    """A clear day with a true camera; the sun stands in the west: its light travels along x, to the east."""
    true = {
        "noise": 0.0, "jpeg": 0, "softness": 0.0, "vignette": 0.0, "gain": np.ones(3), "gamma": 1.0, "blacks": 0.0,
        "saturation": 1.0, "resolution": 1.0, "reflection": 0.0, "tones": 0, "sun": 0.8, "sun_azimuth": 0.0,
        "sun_height_deg": 15.0, "glare": 0.0,
    }  # fmt: skip
    return replace(random_conditions(np.random.default_rng(1), "day"), **true | changes)


def frame(conditions, heading_deg):
    place, ground = city()
    rng = np.random.default_rng(0)
    scene = Scene(place, rng, np.zeros((2, 2)), 0.0)
    scene.cars = scene.cars[:0]
    return Renderer(scene, ground, LEVEL, conditions, FRAME, rng).take(205.0, 205.0, heading_deg).astype(int)


def test_glare_brightens_the_frames_that_look_into_the_sun_and_no_others():
    dazzling, calm = plain(glare=1.0), plain()
    assert frame(dazzling, WEST).max(2).mean() > frame(calm, WEST).max(2).mean()
    assert (frame(dazzling, WEST).min(2) > 235).sum() > (frame(calm, WEST).min(2) > 235).sum() + 200
    for heading_deg in (EAST, NORTH, SOUTH):
        assert np.array_equal(frame(dazzling, heading_deg), frame(calm, heading_deg))


def test_the_sun_blooms_where_it_stands():
    image = frame(plain(glare=1.0), WEST)
    row = 72 - 0.6 * 256 * np.tan(np.radians(15))
    sun = np.s_[round(row) - 4 : round(row) + 4, 124:132]
    assert image[sun].min() > 230


def test_a_camera_against_the_sun_sees_the_road_with_less_contrast():
    glare = Glare(*FRAME, np.random.default_rng(3))
    light, dark = (glare.before(np.full((144, 256, 3), tone, np.uint8), 128, 30, 1.0) for tone in (140, 60))
    road = np.s_[110:, :]
    gap = light[road].astype(int) - dark[road]
    assert 20 < gap.mean() < 0.85 * (140 - 60)


def lens(**changes):
    return Lens(plain(**changes), *FRAME, np.random.default_rng(0))


def scene():
    return np.random.default_rng(5).integers(0, 256, (144, 256, 3)).astype(np.uint8)


def test_a_true_lens_changes_nothing():
    assert np.abs(lens().take(scene()).astype(int) - scene()).max() <= 1


def test_no_saturation_is_grey():
    assert np.ptp(lens(saturation=0.0).take(scene()).astype(int), axis=2).max() <= 1


def test_blacks_are_crushed_and_whites_stay():
    image = lens(blacks=0.2).take(scene())
    assert (image[scene() < 50] == 0).all()
    assert (image[scene() == 255] >= 254).all()


def test_a_coarse_recorder_loses_what_is_fine():
    assert lens(resolution=0.4).take(scene()).std() < 0.7 * scene().std()


@pytest.mark.parametrize("tones", [4, 9])
def test_dithering_keeps_the_brightness_with_few_tones(tones):
    ramp = np.repeat(np.tile(np.linspace(0, 255, 256), (144, 1))[:, :, None], 3, 2).astype(np.uint8)
    image = lens(tones=tones).take(ramp)
    assert len(np.unique(image)) <= tones
    blocks = image.reshape(36, 4, 64, 4, 3).mean((1, 3))
    assert np.abs(blocks - ramp.reshape(36, 4, 64, 4, 3).mean((1, 3))).max() < 0.6 * 255 / (tones - 1)


def test_the_dashboard_is_mirrored_in_the_lower_half_only():
    grey = np.full((144, 256, 3), 100, np.uint8)
    image = lens(reflection=1.0).take(grey).astype(int)
    assert np.abs(image[:60] - 100).max() <= 1
    assert np.abs(image[100:] - 100).max() > 15


def test_most_frames_are_ordinary():
    drawn = [random_conditions(np.random.default_rng(seed)) for seed in range(1000)]
    plain_ones = [
        each.resolution == 1.0 and each.reflection == 0.0 and each.blacks == 0.0 and each.tones == 0 for each in drawn
    ]
    assert np.mean(plain_ones) > 0.6
    assert 0.1 < np.mean([each.glare > 0 for each in drawn]) < 0.5
