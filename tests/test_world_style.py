import colorsys
from dataclasses import fields
from itertools import product

import numpy as np
import pytest

from gama_core.world.palette import Palette
from gama_core.world.place import (
    HELD_OUT_SEEDS,
    SAMPLE_SEED,
    TEST_SEEDS,
    TRAINING_SEEDS,
    VALIDATION_SEEDS,
    make_place,
    style_of,
)
from gama_core.world.style import BROAD, HELD_OUT, Style, Tones

DRAWN = [each.name for each in fields(Style) if each.name != "family"]


def family_id(family):
    return family.name


def test_no_training_city_is_ever_of_a_held_out_family():
    assert {style_of(seed).family.name for seed in TRAINING_SEEDS} == {"broad"}
    assert {style_of(seed).family.name for seed in (*VALIDATION_SEEDS, *TEST_SEEDS[::50], SAMPLE_SEED)} == {"broad"}


def test_held_out_seeds_take_every_held_out_family():
    assert len(HELD_OUT) >= 3
    assert {style_of(seed).family for seed in HELD_OUT_SEEDS[:9]} == set(HELD_OUT)
    assert BROAD not in {style_of(seed).family for seed in HELD_OUT_SEEDS}


@pytest.mark.parametrize("family", HELD_OUT, ids=family_id)
@pytest.mark.parametrize("thing", ["road", "pavement", "soil", "grass", "leaves", "roofs", "facades"])
def test_no_colour_of_a_held_out_family_is_in_the_broad_one(family, thing):
    pairs = product(family.boxes[thing], BROAD.boxes[thing])
    assert not any(one.meets(other) for one, other in pairs)


@pytest.mark.parametrize("family", HELD_OUT, ids=family_id)
def test_the_streets_of_a_held_out_family_are_unlike_the_broad_ones(family):
    spans = ((getattr(family, name), getattr(BROAD, name)) for name in DRAWN)
    apart = sum(one[1] < other[0] or other[1] < one[0] for one, other in spans)
    assert apart >= 2


@pytest.mark.parametrize("family", [BROAD, *HELD_OUT], ids=family_id)
def test_a_style_stays_within_its_family(family):
    rng = np.random.default_rng(1)
    for _ in range(50):
        style = Style.random(rng, family)
        for name in DRAWN:
            low, high = getattr(family, name)
            assert low <= getattr(style, name) <= high


def test_training_styles_are_spread_over_their_whole_spans():
    styles = [style_of(seed) for seed in TRAINING_SEEDS[:400]]
    for name in DRAWN:
        low, high = getattr(BROAD, name)
        counts = np.histogram([getattr(style, name) for style in styles], 5, (low, high))[0]
        assert counts.min() > 40


@pytest.mark.parametrize("family", [BROAD, *HELD_OUT], ids=family_id)
def test_the_green_of_a_city_stays_within_its_family(family):
    rng = np.random.default_rng(2)
    palette = Palette.random(rng, family)
    for at in rng.uniform(0, 2000, (60, 2)):
        hue, saturation, value = colorsys.rgb_to_hsv(*(palette.grass(at, rng) / 255))
        assert family.grass.hue_deg[0] - 0.01 <= hue * 360 <= family.grass.hue_deg[1] + 0.01
        assert family.grass.saturation[0] - 0.01 <= saturation <= family.grass.saturation[1] + 0.01
        assert family.grass.value[0] - 0.01 <= value <= family.grass.value[1] + 0.01


def test_hues_meet_across_the_full_turn():
    red, pink = Tones((-10, 10), (0.5, 0.6), (0.5, 0.6)), Tones((345, 355), (0.5, 0.6), (0.5, 0.6))
    assert red.meets(pink)
    assert not red.meets(Tones((20, 340), (0.5, 0.6), (0.5, 0.6)))
    assert not red.meets(Tones((345, 355), (0.5, 0.6), (0.7, 0.8)))


def test_a_city_has_the_style_of_its_seed():
    assert make_place(20_950).style == style_of(20_950)
    assert make_place(95_001).style.family in HELD_OUT
