"""Augmentation as published: sizes, what moves together, and what may not come in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gama_core.training.augment import Turn, augmented_clip, augmented_tile

STILL = Turn(0.0, False, False)


def places(width: int, height: int) -> np.ndarray:
    """A picture whose red is its column and whose green is its row."""
    row, column = np.mgrid[:height, :width]
    return np.stack([column, row, np.zeros_like(row)], axis=-1).astype(np.uint8)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31))
def test_a_clip_is_cut_and_mirrored_as_one(seed: int) -> None:
    frames = np.stack([places(256, 144)] * 8)
    frames[..., 2] = np.arange(8)[:, None, None]
    clip = augmented_clip(frames, (256, 144), (112, 224), np.random.default_rng(seed))
    assert clip.shape == (8, 112, 224, 3)
    assert (clip[..., :2] == clip[:1, ..., :2]).all()  # the same piece of each frame
    assert [set(frame[..., 2].ravel()) for frame in clip] == [{number} for number in range(8)]
    across, down = np.diff(clip[0, :, :, 0].astype(int), axis=1), np.diff(clip[0, :, :, 1].astype(int), axis=0)
    assert abs(across).min() == 1
    assert set(across.ravel()) in ({1}, {-1})
    assert set(down.ravel()) == {1}  # never upside down


def test_half_of_the_clips_are_mirrored_and_every_crop_occurs() -> None:
    frames, rng = places(256, 144)[None], np.random.default_rng(0)
    clips = [augmented_clip(frames, (256, 144), (112, 224), rng)[0] for _ in range(2000)]
    mirrored = np.mean([clip[0, 0, 0] > clip[0, 1, 0] for clip in clips])
    assert 0.45 < mirrored < 0.55
    assert {int(clip[..., 0].min()) for clip in clips} == set(range(33))
    assert {int(clip[..., 1].min()) for clip in clips} == set(range(33))


def test_frames_of_another_size_are_resized_first() -> None:
    frames = np.stack([places(128, 72)] * 2)
    assert augmented_clip(frames, (256, 144), (112, 224), np.random.default_rng(0)).shape == (2, 112, 224, 3)


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        (STILL, lambda tile: tile),
        (Turn(90.0, False, False), np.rot90),
        (Turn(180.0, False, False), lambda tile: tile[::-1, ::-1]),
        (Turn(0.0, True, False), lambda tile: tile[:, ::-1]),
        (Turn(0.0, False, True), lambda tile: tile[::-1]),
        (Turn(90.0, True, False), lambda tile: np.rot90(tile)[:, ::-1]),
    ],
)
def test_a_whole_turn_moves_pixels_and_changes_none(turn: Turn, expected) -> None:
    tile = places(256, 256)
    turned = augmented_tile(tile, 256, 256, turn, np.random.default_rng(0))
    assert np.abs(turned.astype(int) - expected(tile)).max() <= 1


def test_a_tile_is_cut_anywhere() -> None:
    tile, rng = places(256, 256), np.random.default_rng(0)
    cuts = [augmented_tile(tile, 256, 224, STILL, rng) for _ in range(500)]
    assert {cut.shape for cut in cuts} == {(224, 224, 3)}
    for cut in cuts[:20]:
        left, top = int(cut[0, 0, 0]), int(cut[0, 0, 1])
        assert np.array_equal(cut, tile[top : top + 224, left : left + 224])
    assert {int(cut[0, 0, 0]) for cut in cuts} == set(range(33))


@settings(max_examples=30, deadline=None)
@given(st.floats(-180, 180), st.booleans(), st.booleans(), st.integers(0, 2**31))
def test_a_turn_brings_in_nothing_that_was_not_in_the_tile(
    angle_deg: float, mirrored: bool, upside_down: bool, seed: int
) -> None:
    tile = np.full((256, 256, 3), (200, 100, 50), np.uint8)
    turned = augmented_tile(tile, 256, 224, Turn(angle_deg, mirrored, upside_down), np.random.default_rng(seed))
    assert (turned == tile[:224, :224]).all()


def test_the_middle_of_a_tile_stays_in_the_middle() -> None:
    tile = np.zeros((256, 256, 3), np.uint8)
    tile[118:138, 118:138] = 255
    for angle_deg in (0.0, 37.0, -120.0):
        turned = augmented_tile(tile, 256, 256, Turn(angle_deg, True, False), np.random.default_rng(0))
        rows, columns = np.nonzero(turned[..., 0] > 127)
        assert (rows.mean(), columns.mean()) == pytest.approx((127.5, 127.5), abs=0.3)


def test_what_goes_in_is_not_changed() -> None:
    frames, tile = np.stack([places(256, 144)] * 2), places(256, 256)
    before = frames.copy(), tile.copy()
    rng = np.random.default_rng(3)
    augmented_clip(frames, (256, 144), (112, 224), rng)[:] = 0
    augmented_tile(tile, 256, 224, Turn.drawn(rng), rng)[:] = 0
    assert np.array_equal(frames, before[0])
    assert np.array_equal(tile, before[1])
