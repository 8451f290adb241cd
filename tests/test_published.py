"""Published checkpoints: the published vectors come out, and what is no checkpoint is refused without running it."""

from __future__ import annotations

import argparse
import importlib.util
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from torch import Tensor

from gama_core.errors import WeightsUnreadable
from gama_core.models.config import PAPER, PAPER_SCREENING
from gama_core.models.gama_net import GAMaNet
from gama_core.models.screening_net import ScreeningNet
from gama_core.models.weights import load_weights, open_weights, read_record, save_weights

GOLDEN = Path(__file__).resolve().parents[1] / "../shared/golden"


@pytest.fixture(scope="module")
def golden() -> Any:
    if not (GOLDEN / "golden.py").is_file():
        pytest.skip("the published vectors (../shared/golden) are not here")
    spec = importlib.util.spec_from_file_location("golden", GOLDEN / "golden.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def gama_net_file(golden: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a single GPU saves it."""
    path = tmp_path_factory.mktemp("published") / "gama_net.pth"
    torch.save(golden.build_checkpoint("gama_net"), path)
    return path


@pytest.fixture(scope="module")
def screening_file(golden: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As several GPUs and a PyTorch before 1.6 save it, under a name that says nothing."""
    path = tmp_path_factory.mktemp("published") / "screening.safetensors"
    checkpoint = golden.build_checkpoint("screening")
    checkpoint["model"] = {f"module.{name}": value for name, value in checkpoint["model"].items()}
    torch.save(checkpoint, path, _use_new_zipfile_serialization=False)
    return path


def test_gama_net_answers_as_published_at_any_batch_size(golden: Any, gama_net_file: Path, tmp_path: Path) -> None:
    net = load_weights(gama_net_file)
    assert isinstance(net, GAMaNet)
    assert (net.config, net.training) == (PAPER, False)
    inputs, expected = golden.inputs("gama_net"), np.load(GOLDEN / "expected_gama_net_seed0.npz")
    with torch.inference_mode():
        for count in (2, 1):
            clips, tiles = net.embed_clips(inputs["clips"][:count]), net.embed_tiles(inputs["tiles"][:count])
            assert np.abs(clips.numpy() - expected["video"][:count]).max() < 1e-4
            assert np.abs(tiles.numpy() - expected["aerial"][:count]).max() < 1e-4
        save_weights(net, tmp_path / "ours.safetensors", {}, "float32")
        again = load_weights(tmp_path / "ours.safetensors")
        assert isinstance(again, GAMaNet)
        assert torch.equal(again.embed_tiles(inputs["tiles"][:1]), tiles)


def test_the_screening_network_answers_as_published(golden: Any, screening_file: Path) -> None:
    net = load_weights(screening_file)
    assert isinstance(net, ScreeningNet)
    assert (net.config, net.training) == (PAPER_SCREENING, False)
    inputs, expected = golden.inputs("screening"), np.load(GOLDEN / "expected_screening_seed0.npz")
    with torch.inference_mode():
        both_ways = torch.cat([inputs["sequence"], inputs["sequence"].flip(1)])  # the mean knows no order
        assert np.abs(net.embed_sequences(both_ways).numpy() - expected["video"]).max() < 1e-4
        for count in (2, 1):
            regions = net.embed_regions(inputs["regions"][:count])
            assert np.abs(regions.numpy() - expected["aerial"][:count]).max() < 1e-4


def tensors() -> dict[str, Tensor]:
    """The screening network's, each one number stretched over its shape: a whole checkpoint in a few kilobytes."""
    with torch.device("meta"):
        plan = ScreeningNet(PAPER_SCREENING).state_dict()
    return {name: torch.tensor(0.5).expand(value.shape) for name, value in plan.items()}


def test_the_record_says_what_the_file_says_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "screening.pth"
    options = argparse.Namespace(model="resnet18", temp=0.1, betas=[0.9, 0.99])
    torch.save({"opt": options, "model": tensors(), "optimizer": {"state": {}}, "epoch": 400}, path)
    _, record = open_weights(path)
    assert record == read_record(path)
    assert (record.name, record.network, record.config) == ("screening", "screening", PAPER_SCREENING)
    assert record.card["options"] == {"model": "resnet18", "temp": 0.1}
    assert record.card["epoch"] == 400
    assert "does not say what data" in record.card["source"]


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_checkpoint_that_would_run_code_does_not(tmp_path: Path, zipped: bool) -> None:
    path, ran = tmp_path / "trap.pth", tmp_path / "ran"
    checkpoint = {"opt": argparse.Namespace(), "model": tensors(), "optimizer": Trap(ran)}
    torch.save(checkpoint, path, _use_new_zipfile_serialization=zipped)
    for read in (load_weights, read_record):
        with pytest.raises(WeightsUnreadable, match=r"would call posix\.mkdir.*nothing of it was run"):
            read(path)
    assert not ran.exists()
    torch.load(path, weights_only=False)
    assert ran.exists(), "the trap itself works"


def test_a_bare_pickle_does_not_run(tmp_path: Path) -> None:
    path, ran = tmp_path / "trap.pth", tmp_path / "ran"
    path.write_bytes(pickle.dumps({"model": Trap(ran)}))
    with pytest.raises(WeightsUnreadable):
        load_weights(path)
    assert not ran.exists()


def changed(name: str, value: Any) -> dict[str, Any]:
    return {**tensors(), name: value}


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({name: value for name, value in tensors().items() if name != "i_head.0.bias"}, "missing: i_head.0.bias"),
        (changed("v_head.9.bias", torch.zeros(2)), "not known: v_head.9.bias"),
        (changed("v_head.0.bias", torch.zeros(128)), r"another shape: v_head.0.bias \(128,\) for \(512,\)"),
        (changed("i_head.0.bias", torch.tensor(float("nan")).expand(512)), "not a number.*i_head.0.bias"),
        (changed("i_head.0.bias", torch.tensor(1e300, dtype=torch.float64).expand(512)), "infinite.*i_head.0.bias"),
        (changed("i_head.0.bias", torch.zeros(512, dtype=torch.int64)), "no dense tensor"),
        (changed("i_head.0.bias", torch.zeros(512).to_sparse()), "no dense tensor"),
        (changed("i_head.0.bias", "a word"), "no dense tensor"),
        (changed("module.i_head.0.bias", torch.zeros(512)), "i_head.0.bias twice"),
        ({"fc.weight": torch.zeros(2, 2)}, "neither GAMa-Net nor the screening"),
        ({}, "no tensors under 'model'"),
        ([1, 2], "no tensors under 'model'"),
    ],
)
def test_tensors_that_do_not_fit_are_named(tmp_path: Path, model: Any, said: str) -> None:
    path = tmp_path / "odd.pth"
    torch.save({"opt": argparse.Namespace(), "model": model, "epoch": 1}, path)
    with pytest.raises(WeightsUnreadable, match=said):
        load_weights(path)


def test_a_checkpoint_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    whole = tmp_path / "whole.pth"
    torch.save({"opt": argparse.Namespace(), "model": tensors()}, whole)
    content = whole.read_bytes()
    for share in (0.1, 0.5, 0.9, 0.999):
        (tmp_path / "cut.pth").write_bytes(content[: int(share * len(content))])
        with pytest.raises(WeightsUnreadable):
            load_weights(tmp_path / "cut.pth")


def test_other_archives_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "archive.pth"
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.writestr("letter.txt", "dear reader " * 1000)
        with pytest.raises(WeightsUnreadable, match="no checkpoint"):
            load_weights(path)


def test_a_folder_and_an_empty_file_say_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "empty.pth").touch()
    with pytest.raises(WeightsUnreadable, match="empty"):
        load_weights(tmp_path / "empty.pth")
    with pytest.raises(WeightsUnreadable, match="a folder"):
        load_weights(tmp_path)


@settings(max_examples=60, deadline=None)
@given(
    head=some.sampled_from([b"", b"PK\x03\x04", b"\x80\x02", b"\x80\x05", b"\x08\0\0\0\0\0\0\0{"]), tail=some.binary()
)
def test_no_bytes_end_in_another_error(tmp_path_factory: pytest.TempPathFactory, head: bytes, tail: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.pth"
    path.write_bytes(head + tail)
    with pytest.raises(WeightsUnreadable):
        load_weights(path)
