import numpy as np
import pytest

from gama_core.world.crowns import from_above, from_beside


@pytest.mark.parametrize("palms", [False, True])
def test_crowns_are_brighter_towards_the_sun(palms):
    for shape, light in from_above(np.array([1.0, 0.0]), palms):
        inside = shape > 0
        column = np.broadcast_to(np.arange(shape.shape[1]), shape.shape)
        east, west = inside & (column > shape.shape[1] / 2), inside & (column < shape.shape[1] / 2)
        assert light[east].mean() > light[west].mean()


def test_a_palm_lets_more_of_the_ground_be_seen_than_a_leafy_tree():
    leafy, palm = (
        np.mean([shape > 0 for shape, _ in from_above(np.array([0.0, 1.0]), palms)]) for palms in (False, True)
    )
    assert palm < 0.75 * leafy


@pytest.mark.parametrize("palms", [False, True])
def test_there_are_16_different_crowns(palms):
    crowns = from_beside(palms)
    assert len({shape.tobytes() for shape, _ in crowns}) == 16
    assert all(0.05 < (shape > 0).mean() < 0.95 for shape, _ in crowns)
