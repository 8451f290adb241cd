"""`python -m gama_core dataset ...` as a stranger types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from gama_core.errors import GamaError, SettingsInvalid
from gama_core.retrieval.commands import app
from tests.golden_set import golden_set
from tests.real import real


def asked(*arguments: str | Path) -> str:
    """What a command prints; its errors stay errors."""
    shown = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if shown.exception is not None and not isinstance(shown.exception, SystemExit):
        raise shown.exception
    assert shown.exit_code == 0, shown.output
    return shown.stdout


def figures(*arguments: str | Path) -> dict[str, Any]:
    return dict(json.loads(asked(*arguments, "--json")))


def test_embeddings_made_elsewhere_are_evaluated_in_list_order(tmp_path: Path) -> None:
    expected = golden_set(tmp_path)
    arrays = ("--queries", tmp_path / "queries.npy", "--gallery", tmp_path / "gallery.npy")
    found = figures("evaluate-embeddings", tmp_path, *arrays, "--kept", tmp_path / "kept.json")
    names = ("top1", "top5", "top10", "top1pct")
    assert [found[name] for name in names] == pytest.approx(expected["plain"]["top"], abs=0.005)
    assert found["mean_error_miles"] == pytest.approx(expected["plain"]["mean_error_miles"], rel=0.001)
    assert [found["hierarchical"][name] for name in names[:3]] == pytest.approx(
        expected["hierarchical"]["top"][:3], abs=0.005
    )
    assert found["published"][0] == {"table": "clips", "metric": "top1", "value": 0.153, "source": "release"}
    np.save(tmp_path / "queries.npy", 3 * np.load(tmp_path / "queries.npy").astype(np.float64))
    text = asked("evaluate-embeddings", tmp_path, *arrays)
    assert "normalised here" in text
    assert "55.08 %" in text  # ours, beside
    assert "15.30 %  release" in text
    assert "by chance is 0.01 %" in text


def test_arrays_that_do_not_fit_the_lists_are_refused_with_both_numbers(tmp_path: Path) -> None:
    golden_set(tmp_path)
    np.save(tmp_path / "short.npy", np.ones((7, 64), np.float32))
    np.save(tmp_path / "narrow.npy", np.ones((708, 3), np.float32))
    gallery = ("--gallery", tmp_path / "gallery.npy")
    with pytest.raises(GamaError, match=r"\(7, 64\).*708 clips"):
        asked("evaluate-embeddings", tmp_path, "--queries", tmp_path / "short.npy", *gallery)
    with pytest.raises(GamaError, match="3 dims and the gallery 64"):
        asked("evaluate-embeddings", tmp_path, "--queries", tmp_path / "narrow.npy", *gallery)


def test_the_published_regions_give_the_published_percentages() -> None:
    kept = real("gama_release/L_top1per.json.gz")
    found = figures("evaluate-regions", "--kept", kept)
    assert found == {"videos": 3103, "top1": 6.54, "top5": 20.88, "top10": 29.33, "top1pct": 46.25}
    assert "46.25 %   published 46.3 % (release)" in asked("evaluate-regions", "--kept", kept)


def test_options_that_contradict_each_other_are_refused_before_any_work(tmp_path: Path) -> None:
    common = ("evaluate", tmp_path, "--weights", tmp_path / "none.pth")
    with pytest.raises(SettingsInvalid, match="--screening"):
        asked(*common, "--write-kept", tmp_path / "kept.json")
    with pytest.raises(SettingsInvalid, match="cn"):
        asked(*common, "--gallery", "ucn", "--write-predictions", tmp_path / "p.json")
    with pytest.raises(SettingsInvalid, match="choose one of cn, ucn"):
        asked(*common, "--gallery", "centred")


def test_a_data_set_is_looked_over_unpacked_and_evaluated(exported: Path, tmp_path: Path) -> None:
    assert "Nothing wrong" in asked("check", exported)
    assert figures("check", exported)["sound"] is True
    films = exported / "video_data" / "val"
    made = figures("frames", films, "--out", tmp_path / "root", "--only-clips", "--workers", "1")
    assert (made["made"], made["failed"]) == (2, 0)
    weights = Path(__file__).parents[1] / "weights"
    common = ("--weights", weights / "gama-net-compact.safetensors", "--cache", tmp_path / "cache", "--device", "cpu")
    files = ("--write-predictions", tmp_path / "predictions.json", "--write-kept", tmp_path / "kept.json")
    found = figures(
        "evaluate", exported, *common, "--screening", weights / "screening-compact.safetensors", "--keep", "1", *files,
        "--runs", tmp_path / "runs",
    )  # fmt: skip
    assert (found["clips"], found["regions"]["kept"], found["faults"]) == (12, 1, [])
    assert all(Path(path).is_file() for path in found["files"])
    assert len(found["files"]) == 3
    assert "north-up tiles" in found["notes"][0]
    predictions = json.loads((tmp_path / "predictions.json").read_text())
    assert [len(names) for names in predictions.values()] == [6, 6]
    renamed = figures(
        "evaluate", exported, *common, "--screening-weights", weights / "screening-compact.safetensors", "--keep", "1"
    )
    assert renamed["hierarchical"] == found["hierarchical"]
    again = figures("evaluate", exported, *common)
    assert again["top1"] == found["top1"]
    assert "hierarchical" not in again
