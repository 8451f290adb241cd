"""Weights as files: what is saved comes back, and what is no weights says so."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from gama_core.errors import WeightsUnreadable
from gama_core.models.config import COMPACT, COMPACT_SCREENING
from gama_core.models.gama_net import GAMaNet
from gama_core.models.screening_net import ScreeningNet
from gama_core.models.weights import load_weights, read_record, save_weights, sha256_of

SHIPPED = Path(__file__).resolve().parents[1] / "weights"


def test_a_network_comes_back_with_its_architecture_and_card(tmp_path: Path) -> None:
    net = GAMaNet(COMPACT).eval()
    record = save_weights(net, tmp_path / "mine.safetensors", {"steps": 3})
    again = load_weights(tmp_path / "mine.safetensors")
    assert isinstance(again, GAMaNet)
    assert again.config == COMPACT
    assert (record.name, record.network, record.card) == ("mine", "gama_net", {"steps": 3})
    assert record.sha256 == sha256_of(tmp_path / "mine.safetensors")
    clips = torch.rand(1, 3, 8, 128, 256) * 2 - 1
    with torch.inference_mode():
        assert torch.allclose(net.embed_clips(clips), again.embed_clips(clips), atol=5e-3)  # stored in float16
    assert [path.name for path in tmp_path.iterdir()] == ["mine.safetensors"]


def test_weights_are_as_open_to_others_as_any_file(tmp_path: Path) -> None:
    (tmp_path / "any").touch()
    save_weights(ScreeningNet(COMPACT_SCREENING), tmp_path / "mine.safetensors", {})
    assert (tmp_path / "mine.safetensors").stat().st_mode == (tmp_path / "any").stat().st_mode


def test_the_file_says_which_network_it_is(tmp_path: Path) -> None:
    save_weights(ScreeningNet(COMPACT_SCREENING), tmp_path / "screening.safetensors", {})
    again = load_weights(tmp_path / "screening.safetensors")
    assert isinstance(again, ScreeningNet)
    assert again.config == COMPACT_SCREENING


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(WeightsUnreadable, match="no such file"):
        load_weights(tmp_path / "none.safetensors")


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.safetensors"
    save_weights(ScreeningNet(COMPACT_SCREENING), path, {})
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(WeightsUnreadable):
        load_weights(path)


def test_tensors_of_somebody_else_are_refused(tmp_path: Path) -> None:
    save_file({"layer.weight": torch.zeros(2, 2)}, str(tmp_path / "other.safetensors"))
    with pytest.raises(WeightsUnreadable, match="not weights of GAMa"):
        load_weights(tmp_path / "other.safetensors")


def test_a_pickle_is_refused_and_never_runs(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (tmp_path / "ran",))  # type: ignore[return-value]

    (tmp_path / "trap.safetensors").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(WeightsUnreadable):
        load_weights(tmp_path / "trap.safetensors")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("tower", [{"blocks": 10**9}, {"blocks": 0}, {"widths": [10**9] * 3}, {"widths": []}])
def test_an_architecture_that_no_network_has_is_refused_before_it_is_built(
    tmp_path: Path, tower: dict[str, object]
) -> None:
    path = tmp_path / "mine.safetensors"
    save_weights(ScreeningNet(COMPACT_SCREENING), path, {})
    with safe_open(str(path), framework="pt") as file:
        said = file.metadata()
    config = json.loads(said["config"])
    config["tower"] |= tower
    save_file({"layer.weight": torch.zeros(2, 2)}, str(path), said | {"config": json.dumps(config)})
    with pytest.raises(WeightsUnreadable, match="architecture"):
        load_weights(path)


@pytest.mark.parametrize("name", ["gama-net-compact", "screening-compact"])
def test_the_shipped_weights_open_and_their_card_names_their_hash(name: str) -> None:
    record = read_record(SHIPPED / f"{name}.safetensors")
    assert record.sha256 in (SHIPPED / f"{name}.md").read_text()
    assert load_weights(SHIPPED / f"{name}.safetensors").config.name == "compact"
