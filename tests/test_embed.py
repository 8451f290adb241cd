"""Pictures to vectors: the quick network is the same network, and weights that are given are the ones that answer."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from gama_core import embed
from gama_core.embed import CPU_BYTES, WEIGHTS, embed_clips, embed_tiles, load_models
from gama_core.errors import SettingsInvalid, WeightsUnreadable
from gama_core.models.config import COMPACT
from gama_core.models.folding import folded, halved
from gama_core.models.gama_net import GAMaNet
from gama_core.models.weights import load_weights, save_weights

GAMA_NET = WEIGHTS / "gama-net-compact.safetensors"


def pictures() -> tuple[np.ndarray, np.ndarray]:
    """Three clips and three tiles of coarse random colour."""
    rng = np.random.default_rng(5)
    clips = rng.integers(0, 256, (3, 8, 16, 32, 3), np.uint8).repeat(8, 2).repeat(8, 3)
    tiles = rng.integers(0, 256, (3, 14, 14, 3), np.uint8).repeat(8, 1).repeat(8, 2)
    return clips, tiles


def test_the_folded_network_is_the_same_network() -> None:
    clips, tiles = pictures()
    plain, models = load_weights(GAMA_NET), load_models("cpu", GAMA_NET, precision="float32")
    assert isinstance(plain, GAMaNet)
    with torch.inference_mode():
        as_clips = plain.embed_clips(torch.from_numpy(clips).permute(0, 4, 1, 2, 3) / 127.5 - 1)
        as_tiles = plain.embed_tiles(torch.from_numpy(tiles).permute(0, 3, 1, 2) / 127.5 - 1)
    assert embed_clips(models, clips) == pytest.approx(as_clips.numpy(), abs=1e-5)
    assert embed_tiles(models, tiles) == pytest.approx(as_tiles.numpy(), abs=1e-5)
    assert not any(
        isinstance(module, torch.nn.BatchNorm2d | torch.nn.BatchNorm3d) for module in models.gama_net.modules()
    )


def test_towers_in_bfloat16_move_vectors_little_and_all_else_stays_exact() -> None:
    _, tiles = pictures()
    exact, half = (load_models("cpu", GAMA_NET, precision=it) for it in ("float32", "bfloat16"))
    moved = np.abs(embed_tiles(exact, tiles) - embed_tiles(half, tiles)).max()
    assert 0 < moved < 0.02
    assert {value.dtype for value in half.gama_net.i_encoder.parameters()} == {torch.bfloat16}
    assert {value.dtype for value in half.gama_net.i_head.parameters()} == {torch.float32}


@pytest.mark.parametrize("multiplies", [False, True])
def test_a_cpu_that_multiplies_bfloat16_itself_gets_it_but_for_published_networks(
    multiplies: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed, "halving_pays", lambda: multiplies)
    small = dataclasses.replace(COMPACT, name="paper")
    save_weights(GAMaNet(small), tmp_path / "published.safetensors", {})
    ours, published = load_models("cpu"), load_models("cpu", tmp_path / "published.safetensors")
    found = {next(models.gama_net.i_encoder.parameters()).dtype for models in (ours, published)}
    assert found == ({torch.bfloat16, torch.float32} if multiplies else {torch.float32})
    assert next(published.gama_net.i_encoder.parameters()).dtype == torch.float32


def test_folding_and_halving_give_back_the_network_itself() -> None:
    net = GAMaNet(COMPACT).eval()
    assert halved(folded(net)) is net


def test_a_gama_net_of_ones_own_does_not_meet_the_shipped_screening_network(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    record = save_weights(GAMaNet(COMPACT), path, {})
    models = load_models("cpu", path)
    assert models.record == record
    assert models.screening_net is None
    assert load_models("cpu").screening_net is not None


def test_networks_in_each_others_place_are_refused() -> None:
    screening = WEIGHTS / "screening-compact.safetensors"
    with pytest.raises(WeightsUnreadable, match="give GAMa-Net's"):
        load_models("cpu", screening)
    with pytest.raises(WeightsUnreadable, match="give the screening network's"):
        load_models("cpu", GAMA_NET, GAMA_NET)


def test_batches_on_a_cpu_stay_small_and_vectors_keep_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    _, tiles = pictures()
    models, heard = load_models("cpu", GAMA_NET), []
    together = embed_tiles(models, tiles)
    monkeypatch.setattr("gama_core.embed.CPU_BYTES", CPU_BYTES >> 10)
    assert embed_tiles(models, tiles, on_done=heard.append) == pytest.approx(together, abs=1e-5)
    assert heard == [2, 3]


def test_a_device_that_nobody_knows_is_refused_by_name() -> None:
    with pytest.raises(SettingsInvalid, match="'gpu'; take auto, cpu, cuda"):
        load_models("gpu")  # type: ignore[arg-type]
