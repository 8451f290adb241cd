"""The networks' public surface; tests/test_published.py holds them against the published ones."""

from __future__ import annotations

import pytest
import torch

from gama_core.models.birds_eye import BirdsEye
from gama_core.models.config import COMPACT, COMPACT_SCREENING, BirdsEyeConfig
from gama_core.models.gama_net import GAMaNet
from gama_core.models.screening_net import ScreeningNet


@pytest.mark.parametrize("shape", [(2, 3, 8, 128, 256), (1, 3, 4, 112, 224), (3, 3, 16, 90, 160)])
def test_clips_of_any_length_and_size_become_unit_vectors(shape: tuple[int, ...]) -> None:
    net = GAMaNet(COMPACT).eval()
    with torch.inference_mode():
        vectors = net.embed_clips(torch.rand(shape) * 2 - 1)
    assert vectors.shape == (shape[0], COMPACT.dims)
    assert vectors.dtype == torch.float32
    assert vectors.norm(dim=1).numpy() == pytest.approx(1.0, abs=1e-5)


def test_tiles_sequences_and_regions_become_unit_vectors() -> None:
    net, screening = GAMaNet(COMPACT).eval(), ScreeningNet(COMPACT_SCREENING).eval()
    with torch.inference_mode():
        tiles = net.embed_tiles(torch.rand(2, 3, 256, 256) * 2 - 1)
        sequences = screening.embed_sequences(torch.rand(2, 5, 3, 224, 224) * 2 - 1)
        regions = screening.embed_regions(torch.rand(2, 3, 256, 256) * 2 - 1)
    for vectors, dims in (
        (tiles, COMPACT.dims),
        (sequences, COMPACT_SCREENING.dims),
        (regions, COMPACT_SCREENING.dims),
    ):
        assert vectors.shape == (2, dims)
        assert vectors.norm(dim=1).numpy() == pytest.approx(1.0, abs=1e-5)


def test_an_embedding_does_not_depend_on_what_else_is_in_the_batch() -> None:
    net = GAMaNet(COMPACT).eval()
    clips = torch.rand(3, 3, 8, 128, 256) * 2 - 1
    with torch.inference_mode():
        together, alone = net.embed_clips(clips), net.embed_clips(clips[1:2])
    assert torch.allclose(together[1:2], alone, atol=1e-5)


def test_the_road_seen_from_above_is_where_the_camera_saw_it() -> None:
    """A white bar painted on the ground 12 m ahead, by the pinhole camera itself, appears at 12 m on the map."""
    assert COMPACT.birds_eye is not None
    config: BirdsEyeConfig = COMPACT.birds_eye
    focal, horizon, height_m = 0.6, 0.48, 1.4
    rows_px, columns_px = 128, 256
    frame = torch.zeros(1, 3, rows_px, columns_px)
    for row in range(rows_px):
        below = (row + 0.5) - horizon * rows_px
        if below > 0 and 11.5 < focal * columns_px * height_m / below < 12.5:
            frame[:, :, row] = 1.0
    road = BirdsEye(config)(frame, torch.tensor([[focal, horizon, height_m]]))[0, 0]
    bright = road[:, config.columns // 2].argmax()
    ahead_m = config.far_m - float(bright) * (config.far_m - config.near_m) / (config.rows - 1)
    assert ahead_m == pytest.approx(12.0, abs=0.7)
