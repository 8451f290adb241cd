"""python -m gama_core weights: convert, info and verify."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from gama_core.errors import GamaError, WeightsUnreadable
from gama_core.models.commands import SHIPPED, app
from gama_core.models.config import COMPACT_SCREENING
from gama_core.models.screening_net import ScreeningNet
from gama_core.models.weights import load_weights, read_record, save_weights, sha256_of


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.safetensors"
    save_weights(ScreeningNet(COMPACT_SCREENING), path, {"steps": 3}, "float32")
    return path


def run(*arguments: str | Path, code: int = 0) -> str:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if isinstance(done.exception, GamaError):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.stdout


def test_convert_keeps_every_number_and_says_where_it_comes_from(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out.safetensors"
    run("convert", source, out)
    before, after = load_weights(source).state_dict(), load_weights(out).state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())
    card = read_record(out).card
    assert card == {"steps": 3, "converted_from": source.name, "converted_from_sha256": sha256_of(source)}
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_convert_replaces_nothing_unless_told_to(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.safetensors"
    out.write_text("mine")
    with pytest.raises(GamaError, match="exists already"):
        run("convert", source, out)
    assert out.read_text() == "mine"
    run("convert", source, out, "--half", "--force")
    assert out.stat().st_size < 0.6 * source.stat().st_size


def test_convert_leaves_nothing_behind_where_it_fails(tmp_path: Path) -> None:
    (tmp_path / "letter.pth").write_text("dear reader")
    with pytest.raises(WeightsUnreadable):
        run("convert", tmp_path / "letter.pth", tmp_path / "out.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["letter.pth"]


def test_info_names_the_network_its_size_and_its_card(source: Path) -> None:
    shown = json.loads(run("info", source, "--json"))
    network = load_weights(source)
    assert (shown["network"], shown["configuration"]) == ("screening", "compact")
    assert shown["parameters"] == sum(value.numel() for value in network.parameters())
    assert (shown["bytes"], shown["sha256"]) == (source.stat().st_size, sha256_of(source))
    assert (shown["card"], shown["config"]["dims"]) == ({"steps": 3}, COMPACT_SCREENING.dims)
    assert shown["sha256"] in run("info", source)


def test_verify_finds_the_shipped_weights_well() -> None:
    shown = json.loads(run("verify", "--json"))
    assert set(shown) == {str(path) for path in SHIPPED.glob("*.safetensors")}
    assert {check["what"] for checks in shown.values() for check in checks} == {
        "opens",
        "card",
        "outputs",
        "calibration",
    }
    assert all(check["good"] for checks in shown.values() for check in checks)


def test_verify_tells_weights_from_their_card_and_calibration(tmp_path: Path) -> None:
    for path in SHIPPED.glob("gama-net-compact.*"):
        shutil.copy(path, tmp_path)
    path = tmp_path / "gama-net-compact.safetensors"
    save_weights(load_weights(path), path, {"steps": 4})
    shown = {check["what"]: check["good"] for check in json.loads(run("verify", path, "--json", code=1))[str(path)]}
    assert shown == {"opens": True, "card": False, "outputs": True, "calibration": False}


def test_verify_goes_on_after_a_bad_file(source: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.safetensors").write_bytes(source.read_bytes()[:4000])
    shown = run("verify", tmp_path / "cut.safetensors", source, code=1)
    assert "BAD  opens" in shown
    assert "ok   outputs" in shown
    assert "no source.md beside it" in shown
