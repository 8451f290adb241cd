"""Places on a device: what is cut there is what the CPU cuts, and a place that finds no room is shown all the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gama_core.models.config import COMPACT
from gama_core.training.pairs import BatchShape, cut_pictures, draw_places
from gama_core.training.places import TrainingPlace, read_place
from gama_core.training.shelf import Shelf
from gama_core.world.training_set import write_training_place

SHAPE = BatchShape(places=2, clips=6, others=9, anchors=2, around=4)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> TrainingPlace:
    return read_place(write_training_place(10_000, tmp_path_factory.mktemp("place"), clips=6))


@pytest.mark.parametrize("most_bytes", [0, 2**30])
def test_what_is_cut_on_the_device_is_what_the_cpu_cuts(place: TrainingPlace, most_bytes: int) -> None:
    shelf = Shelf(torch.device("cpu"), most_bytes)
    draws = [draw for seed in range(3) for draw in draw_places([place], SHAPE, np.random.default_rng(seed))]
    assert {draw.mirrored for draw in draws} == {True, False}
    for draw in draws:
        there, here = shelf.pictures(draw, COMPACT), cut_pictures(draw, COMPACT)
        assert torch.equal(there.clips, here.clips)
        assert torch.equal(there.frames, here.frames)
        for cut, known in ((there.tiles, here.tiles), (there.patches, here.patches)):
            assert cut.shape == known.shape
            off = (cut.float() - known.float()).abs()  # OpenCV places its samples on 1/32 of a pixel
            assert float(off.mean()) < 0.6
            assert float((off > 12).float().mean()) < 0.001


def test_a_place_is_held_once_and_only_where_there_is_room(place: TrainingPlace) -> None:
    (draw, again) = draw_places([place], SHAPE, np.random.default_rng(0))
    shelf = Shelf(torch.device("cpu"), 2**30)
    shelf.pictures(draw, COMPACT)
    room_bytes = shelf.room_bytes
    shelf.pictures(again, COMPACT)
    assert 2**30 - room_bytes == place.clips.nbytes + place.frames.nbytes + place.aerial.nbytes
    assert shelf.room_bytes == room_bytes
