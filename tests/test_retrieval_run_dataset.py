"""The evaluation of a data set, from pictures to tables, on a tiny generated one with networks of random weights."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from gama_core.calibration import load_calibration
from gama_core.dataset import open_dataset, read_predictions
from gama_core.dataset.retrieved import write_retrieved
from gama_core.embed import Models
from gama_core.errors import DatasetUnreadable, SettingsInvalid
from gama_core.models.config import PAPER, PAPER_SCREENING, ResNetConfig, VideoConfig
from gama_core.models.gama_net import GAMaNet
from gama_core.models.screening_net import ScreeningNet
from gama_core.models.weights import WeightsRecord
from gama_core.retrieval import embeddings
from gama_core.retrieval.run_dataset import evaluate_dataset
from gama_core.retrieval.screening import kept_count
from gama_core.run import read_run, save_run
from tests.exported import damaged_copy

TOWER = ResNetConfig(8, 5, 8, 2, (8, 16), (2, 2), 1)
SMALL = dataclasses.replace(
    PAPER,
    dims=16,
    hidden=16,
    feed_forward=16,
    aerial=TOWER,
    video=VideoConfig(8, 5, 8, 2, (8, 16), (2, 2), 1, (2, 2), 0.0),
)


@pytest.fixture(scope="module")
def models() -> Models:
    """Networks with the paper's input and random weights."""
    torch.manual_seed(0)
    net = GAMaNet(SMALL).eval()
    screening = ScreeningNet(dataclasses.replace(PAPER_SCREENING, dims=16, hidden=16, tower=TOWER)).eval()
    record = WeightsRecord("small", "a" * 64, "gama_net", net.config, {})
    other = WeightsRecord("small screening", "b" * 64, "screening", screening.config, {})
    return Models(
        net, record, screening, other, load_calibration(Path("none.safetensors"), "a" * 64), torch.device("cpu")
    )


def stages(heard: list[str]) -> Any:
    return lambda stage, done, total: heard.append(stage) if done == total else None


def test_a_data_set_is_evaluated_from_its_films_to_the_tables(exported: Path, models: Models, tmp_path: Path) -> None:
    heard: list[str] = []
    dataset = open_dataset(exported, "val")
    found = evaluate_dataset(dataset, models, True, "1", tmp_path / "cache", stages(heard))
    tables, videos = found.run.tables, dataset.videos
    assert heard == ["clips", "tiles", "ranking", "regions", "sequences", "ranking again"]
    assert (tables["clips"], tables["gallery"], tables["clips_unreadable"]) == (12, 12, 0)
    assert (tables["regions"]["videos"], tables["regions"]["regions"], tables["regions"]["kept"]) == (2, 2, 1)
    assert {video: len(names) for video, names in found.predictions.items()} == dict.fromkeys(videos, 6)
    assert all(names[0] in videos and len(names) == 1 for names in found.kept.values())
    write_retrieved(found.predictions, tmp_path / "predictions.json")
    assert {video: list(names) for video, names in read_predictions(tmp_path / "predictions.json").items()} == (
        found.predictions
    )
    clip = found.run.clips[0]
    assert (clip.drive, clip.second, clip.truth) == (videos[0], 0.0, dataset.fix(videos[0], 0))
    assert clip.before[0].name == found.predictions[videos[0]][0]
    assert {match.region for match in clip.after} == set(found.kept[videos[0]])
    assert [match.score for match in clip.before] == sorted((match.score for match in clip.before), reverse=True)
    assert found.run.frames == {video: f"video_data/val/{video}.mov" for video in videos}
    assert read_run(save_run(found.run, tmp_path)).tables == json.loads(json.dumps(tables))


def test_no_evaluation_takes_the_place_of_another(exported: Path, models: Models, tmp_path: Path) -> None:
    """Not by its screening, nor by how many regions it keeps (100 of them are not 100 % of them), nor by weights that
    are called the same."""
    dataset = open_dataset(exported, "val")
    every = open_dataset(exported, "val", day=False)
    asked = [(dataset, False, "1"), (dataset, True, "100"), (dataset, True, "100%"), (every, False, "1")]
    found = [evaluate_dataset(data, models, screen, keep, tmp_path / "cache").run for data, screen, keep in asked]
    assert found[0].name == "gama val day cn small (aaaaaa)"
    assert found[2].name == "gama val day cn small (aaaaaa), small screening (bbbbbb) keeps 100 percent"
    assert {run.weights for run in found} == {"small (aaaaaaaaaaaa)"}  # as the page names the shipped ones
    namesake = dataclasses.replace(models, record=dataclasses.replace(models.record, sha256="c" * 64))
    found.append(evaluate_dataset(dataset, namesake, cache=tmp_path / "cache").run)
    assert len({save_run(run, tmp_path / "runs") for run in found}) == len(found) == 5
    assert save_run(evaluate_dataset(dataset, models, cache=tmp_path / "cache").run, tmp_path / "runs").name == (
        "gama-val-day-cn-small-aaaaaa.json.gz"
    )


def test_tiles_of_the_grid_are_ranked_by_their_centres(exported: Path, models: Models) -> None:
    dataset = open_dataset(exported, "val", "ucn")
    found = evaluate_dataset(dataset, models)
    assert found.run.gallery_size == len(dataset.gallery_items)
    assert found.run.tables["clips_without_own_item"] == 0
    assert "hierarchical" not in found.run.tables
    assert found.run.clips[0].before[0].at in {item.tile.center for item in dataset.gallery_items}


def test_a_killed_run_goes_on_where_it_stopped(
    exported: Path, models: Models, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset, shown = open_dataset(exported, "val"), []
    whole = embeddings.embed_queries(dataset, models, None, lambda *_: None)
    real = embeddings.embed_clips

    def dying(models: Models, clips: Any, batch: int) -> NDArray[np.float32]:
        if shown:
            raise KeyboardInterrupt
        return counted(models, clips, batch)

    def counted(models: Models, clips: Any, batch: int) -> NDArray[np.float32]:
        clips = list(clips)
        shown.append(len(clips))
        return real(models, clips, batch)

    monkeypatch.setattr(embeddings, "embed_clips", dying)
    with pytest.raises(KeyboardInterrupt):
        embeddings.embed_queries(dataset, models, tmp_path, lambda *_: None)
    assert len(list(tmp_path.rglob("*.npy"))) == 1  # the first video's, whole
    assert not list(tmp_path.rglob("*.partial"))
    monkeypatch.setattr(embeddings, "embed_clips", counted)
    again = embeddings.embed_queries(dataset, models, tmp_path, lambda *_: None)
    assert shown == [6, 6]  # each video once in all
    np.testing.assert_array_equal(again.vectors, whole.vectors)
    next(tmp_path.rglob("*.npy")).write_bytes(b"cut off")
    mended = embeddings.embed_queries(dataset, models, tmp_path, lambda *_: None)
    np.testing.assert_array_equal(mended.vectors, whole.vectors)
    assert shown == [6, 6, 6]
    other = dataclasses.replace(models, record=dataclasses.replace(models.record, sha256="c" * 64))
    embeddings.embed_queries(dataset, other, tmp_path, lambda *_: None)
    assert shown == [6, 6, 6, 6, 6]  # other weights know nothing of these


def test_what_is_missing_is_counted_and_the_rest_evaluated(exported: Path, models: Models, tmp_path: Path) -> None:
    root = damaged_copy(exported, tmp_path)
    dataset = open_dataset(root, "val")
    first, second = dataset.videos
    dataset.tile_path(dataset.gallery_items[0]).unlink()
    dataset.tile_path(dataset.gallery_items[1]).write_bytes(b"\xff\xd8\xff no picture")
    film = dataset.film(second)
    assert film is not None
    film.unlink()
    dataset.region_path(second).unlink()
    found = evaluate_dataset(dataset, models, True, "1%", tmp_path / "cache")
    tables = found.run.tables
    unreadable = {name: tables[name] for name in tables if name.endswith("_unreadable")}
    assert unreadable == {
        "clips_unreadable": 6,
        "tiles_unreadable": 2,
        "regions_unreadable": 1,
        "sequences_unreadable": 0,
    }
    assert (tables["clips"], tables["gallery"], tables["clips_without_own_item"]) == (6, 10, 2)
    assert {clip.drive for clip in found.run.clips} == {first}
    assert {fault.name for fault in found.faults if fault.what == "clip"} == {f"{second}_{s}" for s in range(6)}
    whole = evaluate_dataset(open_dataset(exported, "val"), models)
    scores = {match.name: match.score for match in whole.run.clips[0].before}
    both = [match for match in found.run.clips[0].before if match.name in scores]
    assert both
    assert all(match.score == pytest.approx(scores[match.name], abs=1e-6) for match in both)


def test_a_film_that_ends_early_loses_its_last_clips_alone(exported: Path, models: Models, tmp_path: Path) -> None:
    root = damaged_copy(exported, tmp_path)
    listed = root / "val_gps_day.list"
    video = open_dataset(root, "val").videos[0]
    listed.write_text(f"{video} 30 1_1\n" + listed.read_text())
    found = embeddings.embed_queries(open_dataset(root, "val"), models, None, lambda *_: None)
    assert found.sound.tolist() == [False] + [True] * 12
    assert [fault.name for fault in found.faults] == [f"{video}_30"]


def test_nothing_readable_is_an_error_that_says_why(exported: Path, models: Models, tmp_path: Path) -> None:
    root = damaged_copy(exported, tmp_path)
    for film in (root / "video_data" / "val").iterdir():
        film.unlink()
    with pytest.raises(DatasetUnreadable, match="not one clip"):
        evaluate_dataset(open_dataset(root, "val"), models)


def test_regions_to_keep_are_a_share_or_a_number() -> None:
    assert [kept_count(keep, 3103) for keep in ("1%", "5", "100%", "99999", "0.001%")] == [31, 5, 3103, 3103, 1]
    for wrong in ("0", "-1", "0%", "many", "1.5", "nan%"):
        with pytest.raises(SettingsInvalid, match="regions to keep"):
            kept_count(wrong, 100)
