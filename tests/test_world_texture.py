import numpy as np
import pytest

from gama_core.world.paint import Rectangle
from gama_core.world.texture import leaf_light, walls, weathered


def plain(where):
    return np.full((where.height_px, where.width_px, 3), 120, np.uint8)


@pytest.mark.parametrize("strength", [0.03, 0.09])
def test_brightness_deviates_by_the_strength(strength):
    where = Rectangle(0, 0, 512, 512, 0.5)
    image = weathered(plain(where), where, strength)
    assert image.mean() == pytest.approx(120, abs=1.5)
    assert image.std() == pytest.approx(120 * strength, rel=0.15)


def test_the_same_places_are_dark_at_every_resolution():
    coarse, fine = Rectangle(40, 60, 100, 100, 0.5), Rectangle(160, 240, 400, 400, 0.125)
    there = weathered(plain(coarse), coarse, 0.09)[:, :, 0]
    here = weathered(plain(fine), fine, 0.09)[:, :, 0].reshape(100, 4, 100, 4).mean((1, 3))
    assert np.corrcoef(there.ravel(), here.ravel())[0, 1] > 0.9


def test_a_part_is_the_part_of_the_whole_even_far_away():
    whole, part = Rectangle(-30_000, 9000, 300, 300, 0.23), Rectangle(-29_950, 9070, 100, 100, 0.23)
    gap = weathered(plain(whole), whole, 0.09)[70:170, 50:150].astype(int) - weathered(plain(part), part, 0.09)
    assert np.abs(gap).mean() < 0.5


def test_tiles_wrap_without_a_seam():
    for tile in (leaf_light(), *(kind[0] for kind in walls()[:1])):
        steps = np.abs(np.diff(tile.astype(int), axis=1)).mean()
        seam = np.abs(tile[:, 0].astype(int) - tile[:, -1]).mean()
        assert seam < 2.0 * steps + 2
