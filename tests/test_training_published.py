"""Training as published: the loss, what a batch is made of, resuming, several processes, what is left behind."""

from __future__ import annotations

import csv
import math
import os
import pickle
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from tiny_dataset import STEP, TINY, TINY_SCREENING, colour, write_dataset
from two_processes import two_steps
from typer.testing import CliRunner

from gama_core.dataset import open_dataset
from gama_core.errors import Cancelled, DatasetUnreadable, SettingsInvalid, WeightsUnreadable
from gama_core.models import config as configurations
from gama_core.models.gama_net import GAMaNet
from gama_core.models.weights import load_weights, read_record
from gama_core.training import published
from gama_core.training.commands import app
from gama_core.training.dataset_items import ClipItems, Item, ItemKey, SequenceItems
from gama_core.training.processes import Processes
from gama_core.training.published_batches import Batches, Order
from gama_core.training.published_recipe import GAMA_NET_RECIPE, SCREENING_RECIPE, PublishedRecipe
from gama_core.training.published_trainer import PublishedTrainer
from gama_core.training.training_log import TrainingLog

RECIPE = PublishedRecipe(batch=2, epochs=2, apart_fixes=3)
ALONE = Processes()


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("published") / "tiny")


def clip_items(root: Path, recipe: PublishedRecipe = RECIPE, gallery: str = "cn") -> ClipItems:
    return ClipItems(open_dataset(root, "train", gallery), TINY, recipe)


def trainer(recipe: PublishedRecipe = RECIPE) -> PublishedTrainer:
    torch.manual_seed(0)
    return PublishedTrainer(GAMaNet(TINY), recipe)


def weights(trained: PublishedTrainer) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in trained.net.state_dict().items()}


def silent(_facts: dict[str, float]) -> None:
    pass


def test_the_recipe_is_the_published_one() -> None:
    at = GAMA_NET_RECIPE.learning_rate_at
    assert [at(epoch) for epoch in (0, 99, 100, 149, 150, 249, 250, 399)] == pytest.approx(
        [8e-5, 8e-5, 8e-6, 8e-6, 8e-7, 8e-7, 8e-8, 8e-8]
    )
    assert (GAMA_NET_RECIPE.batch, SCREENING_RECIPE.batch, SCREENING_RECIPE.sequence) == (64, 8, 8)
    adam = trainer().optimizer
    assert type(adam) is torch.optim.Adam
    assert adam.defaults["weight_decay"] == 1e-4


def test_the_loss_is_that_of_the_formula_over_clips_and_hard_negatives(root: Path) -> None:
    items, learner = clip_items(root), trainer()
    learner.net.eval()
    batch = next(iter(Batches(items, Order(items, ALONE), 0, False)))
    assert (len(batch.first), len(batch.second)) == (4, 4)  # two items, and a hard negative for each
    with torch.no_grad():
        clips = learner.net.embed_clips(batch.first.permute(0, 4, 1, 2, 3) / 127.5 - 1).tolist()
        tiles = learner.net.embed_tiles(batch.second.permute(0, 3, 1, 2) / 127.5 - 1).tolist()
    alike = [[sum(a * b for a, b in zip(clip, tile, strict=True)) / 0.1 for tile in tiles] for clip in clips]
    forwards = [math.log(sum(map(math.exp, alike[i]))) - alike[i][i] for i in range(4)]
    backwards = [math.log(sum(math.exp(row[i]) for row in alike)) - alike[i][i] for i in range(4)]
    assert learner.learn(batch)["loss"] == pytest.approx((sum(forwards) + sum(backwards)) / 8, rel=1e-4)


@pytest.mark.parametrize("gallery", ["cn", "ucn"])
def test_an_item_is_two_clips_of_a_video_some_fixes_apart_each_with_its_own_tile(root: Path, gallery: str) -> None:
    items = clip_items(root, gallery=gallery)
    for epoch in range(6):
        item = items[ItemKey(epoch, 1)]
        assert item.first.shape == (2, 8, 112, 224, 3)
        assert item.second.shape == (2, 224, 224, 3)
        seen = [colour(clip) for clip in item.first]
        assert seen == [colour(tile) for tile in item.second]
        assert {video for video, _ in seen} == {1}
        assert abs(seen[0][1] - seen[1][1]) >= RECIPE.apart_fixes


def test_a_sequence_is_of_true_tiles_and_of_predictions_in_fine_tuning(root: Path) -> None:
    dataset, recipe = open_dataset(root, "train"), PublishedRecipe(batch=2, sequence=5)
    item = SequenceItems(dataset, TINY_SCREENING, recipe)[ItemKey(0, 3)]
    assert item.first.shape == (1, 5, 224, 224, 3)
    assert item.second.shape == (1, 224, 224, 3)
    seen = [colour(tile) for tile in item.first[0]]
    assert {video for video, _ in seen} == {3}
    assert len(set(seen)) == 5  # without repetition
    assert colour(item.second)[0] == 3
    found = {"v2": ("v0_4", "v1_6", "nowhere_3"), "v3": ("nowhere_1",), "unknown": ("v0_1",)}
    items = SequenceItems(dataset, TINY_SCREENING, recipe, found)
    assert items.videos == ("v2",)
    assert set(items.skipped) == {"v3", "unknown"}
    tuned = items[ItemKey(0, 0)]
    assert {colour(tile) for tile in tuned.first[0]} == {(0, 4), (1, 6)}
    assert colour(tuned.second)[0] == 2


def test_workers_and_processes_see_the_same_batches(root: Path) -> None:
    items = clip_items(root)
    order = Order(items, ALONE)
    here = list(Batches(items, order, 0, False))
    assert len(here) == order.steps == 4
    for one, other in zip(here, Batches(items, order, 1, False), strict=True):
        assert torch.equal(one.first, other.first)
        assert torch.equal(one.second, other.second)
    shares = [list(Order(items, Processes(rank, 2))) for rank in range(2)]
    assert [a + b for a, b in zip(*shares, strict=True)] == list(order)
    assert list(Order(items, ALONE, first_step=3)) == list(order)[3:]
    for epoch in range(2):
        assert sorted(key.position for keys in list(order)[2 * epoch : 2 * epoch + 2] for key in keys) == [0, 1, 2, 3]


def test_videos_without_usable_clips_are_skipped_and_counted(root: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(root, tmp_path / "copy"))
    shutil.rmtree(copy / "video_data/train/v0.mov")
    (copy / "info/train/v1.json").unlink()
    items = clip_items(copy)
    assert items.videos == ("v2", "v3")
    assert items.skipped == {"v0": "no film", "v1": "no clip with a fix and a tile"}
    far = PublishedRecipe(batch=2, apart_fixes=8)
    assert set(clip_items(root, far).skipped.values()) == {"too few fixes for a hard negative"}
    with pytest.raises(SettingsInvalid, match="64"):
        Order(clip_items(copy, PublishedRecipe()), ALONE)


def test_damaged_pictures_are_replaced_and_counted_until_nothing_reads(root: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(root, tmp_path / "copy"))
    for tile in (copy / "satelite_data/train_gps/v0").iterdir():
        tile.write_bytes(b"no picture")
    items = clip_items(copy)
    item = items[ItemKey(0, 0)]
    assert isinstance(item, Item)
    assert item.unreadable >= 1
    assert colour(item.second)[0] != 0
    shutil.rmtree(copy / "satelite_data/train_gps")
    with pytest.raises(DatasetUnreadable, match="in a row"):
        next(iter(Batches(items, Order(items, ALONE), 0, False)))


def test_a_run_that_was_killed_and_goes_on_is_the_run_that_was_not(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, heard = trainer(), list[dict[str, float]]()
    published.learn(whole, clip_items(root), tmp_path / "whole.checkpoint", heard.append, report_every=1)
    monkeypatch.setattr(published, "SAVE_EVERY_S", 0.0)

    def kill(facts: dict[str, float]) -> None:
        if facts["step"] == 3:  # logged and learned, but not kept
            raise Cancelled

    with pytest.raises(Cancelled):
        published.learn(trainer(), clip_items(root), tmp_path / "cut.checkpoint", kill, report_every=1)
    torch.rand(7)  # whatever the process did meanwhile
    again, later = trainer(), list[dict[str, float]]()
    published.learn(again, clip_items(root), tmp_path / "cut.checkpoint", later.append, report_every=1)
    assert [facts["loss"] for facts in later] == [facts["loss"] for facts in heard[2:]]
    for name, value in weights(whole).items():
        assert torch.equal(value, again.net.state_dict()[name]), name
    rows = {name: list(csv.DictReader((tmp_path / f"{name}.csv").open())) for name in ("whole", "cut")}
    assert [row["loss"] for row in rows["cut"]] == [row["loss"] for row in rows["whole"]]
    assert [row["step"] for row in rows["cut"]] == ["1", "2", "3", "4"]
    assert all(0 <= float(row["waiting"]) <= 1 for row in rows["cut"])
    assert not list(tmp_path.glob(".*"))


def test_a_run_goes_on_up_to_the_step_that_is_asked_for(root: Path, tmp_path: Path) -> None:
    whole, first, second = trainer(), trainer(), trainer()
    published.learn(whole, clip_items(root), tmp_path / "whole.checkpoint", silent)
    published.learn(first, clip_items(root), tmp_path / "half.checkpoint", silent, last_step=2)
    assert first.step == 2
    published.learn(second, clip_items(root), tmp_path / "half.checkpoint", silent)
    assert (second.step, second.pairs) == (4, 16)
    for name, value in weights(whole).items():
        assert torch.equal(value, second.net.state_dict()[name]), name


def test_a_checkpoint_of_another_training_is_refused(root: Path, tmp_path: Path) -> None:
    path = tmp_path / "run.checkpoint"
    learned = {"videos": "v0", "gallery": "cn"}
    trainer().save(path, learned)
    with pytest.raises(SettingsInvalid, match="batch, seed"):
        trainer(PublishedRecipe(batch=4, epochs=2, apart_fixes=3, seed=1)).resume(path, learned)
    for name in learned:
        with pytest.raises(SettingsInvalid, match=f"other {name}:"):
            trainer().resume(path, {**learned, name: "another"})
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(WeightsUnreadable, match="damaged"):
        trainer().resume(path, learned)


def test_other_tiles_or_predictions_are_another_lesson(root: Path) -> None:
    def lesson(gallery: str, predictions: dict[str, tuple[str, ...]] | None = None) -> dict[str, str]:
        dataset = open_dataset(root, "train", gallery)
        return dict(SequenceItems(dataset, TINY_SCREENING, SCREENING_RECIPE, predictions).lesson)

    plain, found = lesson("cn"), lesson("cn", {"v2": ("v0_4", "v1_6")})
    assert plain == lesson("cn")
    assert plain != lesson("ucn")
    assert found["predictions"] != plain["predictions"]
    assert found["predictions"] != lesson("cn", {"v2": ("v1_6", "v0_4")})["predictions"]


def test_a_checkpoint_runs_no_code(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "sprung"),)

    torch.save({"net": Trap()}, tmp_path / "run.checkpoint")
    (tmp_path / "plain.checkpoint").write_bytes(pickle.dumps(Trap(), protocol=2))
    for name in ("run", "plain"):
        with pytest.raises(WeightsUnreadable):
            trainer().resume(tmp_path / f"{name}.checkpoint")
    assert not (tmp_path / "sprung").exists()


def test_two_processes_learn_what_one_does_with_the_whole_batch(root: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    script = Path(__file__).with_name("two_processes.py")
    running = []
    for rank in ("0", "1"):
        told = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        path = os.pathsep.join([str(script.parent), str(script.parents[1])])
        command = [sys.executable, str(script), str(root), str(tmp_path / f"{rank}.pt")]
        running.append(subprocess.Popen(command, env={**os.environ, **told, "PYTHONPATH": path}))
    losses, gradients = two_steps(root)
    assert [process.wait(240) for process in running] == [0, 0]
    for rank in ("0", "1"):
        their_losses, their_gradients = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        assert their_losses == pytest.approx(losses, abs=1e-5)
        assert len(their_gradients) == len(gradients) > 10
        for own, theirs in zip(gradients, their_gradients, strict=True):
            assert torch.allclose(own, theirs, atol=1e-5, rtol=1e-4)
    assert max(float(gradient.abs().max()) for gradient in gradients) > 1e-3  # or nothing was compared


def test_a_batch_that_the_processes_cannot_share_says_so() -> None:
    with pytest.raises(SettingsInvalid, match="multiple of 3"):
        Processes(0, 3).share(64)


def test_gama_net_leaves_weights_and_an_honest_card(root: Path, tmp_path: Path) -> None:
    place = published.Place(root, tmp_path / "out", device="cpu", workers=0)
    facts = published.train_gama_net(place, silent, RECIPE, TINY)
    path = tmp_path / "out" / "gama-net-tiny-tiny.safetensors"
    assert facts is not None
    assert facts["file"] == str(path)
    loaded, record = load_weights(path), read_record(path)
    assert loaded.config == TINY
    assert (record.card["videos"], record.card["clips"], record.card["steps"], record.card["pairs"]) == (4, 32, 4, 16)
    text = path.with_suffix(".md").read_text()
    assert "training split of `tiny`, day, CN tiles" in text
    assert "procedural" not in text
    assert published.train_gama_net(place, silent, RECIPE, TINY)["steps"] == 4  # finished: nothing more is learned


def test_screening_is_fine_tuned_from_what_true_sequences_gave(root: Path, tmp_path: Path) -> None:
    predictions = tmp_path / "predictions.json"
    predictions.write_text('{"v0": ["v0_1", "v3_2"], "v1": ["v1_5"], "v9": ["v9_1"]}')
    place = published.Place(root, tmp_path / "out", device="cpu", workers=0)
    recipe = PublishedRecipe(batch=2, epochs=1, sequence=3)
    with pytest.raises(WeightsUnreadable, match="without --finetune-on first"):
        published.train_screening(place, silent, recipe, TINY_SCREENING, predictions)
    published.train_screening(place, silent, recipe, TINY_SCREENING)
    start = load_weights(tmp_path / "out" / "screening-tiny-tiny.safetensors")
    facts = published.train_screening(place, silent, recipe, TINY_SCREENING, predictions)
    assert facts is not None
    assert facts["videos_skipped"] == {"no large region": 1}
    tuned_path = tmp_path / "out" / "screening-tiny-tiny-finetuned.safetensors"
    tuned = load_weights(tuned_path)
    with torch.no_grad():
        change = max(float((a - b).abs().max()) for a, b in zip(start.parameters(), tuned.parameters(), strict=True))
    assert 0 < change < 1e-3  # one step of Adam from there
    assert "from `screening-tiny-tiny.safetensors` on `predictions.json`" in tuned_path.with_suffix(".md").read_text()


def test_the_command_trains_on_a_data_set(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configurations, "PAPER", TINY)
    options = ["--config", "paper", "--dataset", str(root), "--out", str(tmp_path), "--device", "cpu"]
    more = ["--batch", "2", "--steps", "3", "--workers", "1"]
    shown = CliRunner().invoke(app, ["gama-net", *options, *more], catch_exceptions=False)
    assert shown.exit_code == 0
    assert "waiting" in shown.output
    assert '"steps": 3' in shown.output
    assert (tmp_path / "gama-net-tiny-tiny.safetensors").is_file()


@pytest.mark.parametrize(
    "words",
    [
        ["gama-net", "--config", "paper"],
        ["screening", "--config", "paper"],
        ["screening", "--finetune-on", "predictions.json"],
        ["gama-net", "--config", "large"],
    ],
)
def test_the_papers_configuration_needs_a_data_set(words: list[str], tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match=r"--dataset ROOT|paper or compact"):
        CliRunner().invoke(app, [*words, "--out", str(tmp_path)], catch_exceptions=False)
    assert list(tmp_path.iterdir()) == []


def test_half_precision_on_a_cpu_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match="float32"):
        PublishedTrainer(GAMaNet(TINY), RECIPE, precision=torch.bfloat16)


def test_tensorboard_hears_what_the_log_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[str, float, int]] = []

    class SummaryWriter:
        def __init__(self, folder: str, purge_step: int) -> None:
            assert (folder, purge_step) == (str(tmp_path / "log"), 1)

        def add_scalar(self, name: str, value: float, step: int) -> None:
            heard.append((name, value, step))

        def close(self) -> None:
            heard.append(("closed", 0.0, 0))

    fake = ModuleType("torch.utils.tensorboard")
    monkeypatch.setattr(fake, "SummaryWriter", SummaryWriter, raising=False)
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", fake)
    log = TrainingLog(tmp_path / "log.csv")
    log.write({"step": 5, "loss": 0.5})
    log.close()
    assert heard == [("loss", 0.5, 5), ("closed", 0.0, 0)]
    assert (tmp_path / "log.csv").read_text().split() == ["step,loss", "5,0.5"]


def test_the_colours_of_the_tiny_set_tell_its_clips_apart(root: Path) -> None:
    clip = open_dataset(root, "train").read_clip("v2", 5)
    assert colour(clip) == (2, 5)
    assert np.array_equal(clip[0, 0, 0], [2 * STEP, 5 * STEP, 0])
