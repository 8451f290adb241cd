"""Training: losses against their definition, batches that know what they do not know, runs that can be resumed."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gama_core.errors import Cancelled, GamaError, SettingsInvalid, WeightsUnreadable
from gama_core.models.config import COMPACT, COMPACT_SCREENING
from gama_core.models.screening_net import ScreeningNet
from gama_core.models.weights import save_weights
from gama_core.training.calibrate import _logistic
from gama_core.training.gama_net import Recipe, Trainer, train
from gama_core.training.losses import gaussian, neighbourhood, nt_xent
from gama_core.training.model_card import write_card
from gama_core.training.pairs import BatchShape, colours, draw_batch, stream
from gama_core.training.places import find_places, read_place

SMALL = BatchShape(places=2, clips=3, others=3, anchors=1, around=4)


def write_place(folder: Path, seed: int, clips: int = 6) -> Path:
    """A place of noise in the format of the training set."""
    rng, place = np.random.default_rng(seed), folder / str(seed)
    place.mkdir(parents=True)
    np.save(place / "clips.npy", rng.integers(0, 255, (clips, 4, 64, 128, 3), np.uint8))
    np.save(place / "frames.npy", rng.integers(0, 255, (clips, 128, 256, 3), np.uint8))
    poses = np.stack([rng.uniform(0, 410, clips), rng.uniform(0, 410, clips), rng.uniform(0, 360, clips)], axis=1)
    np.save(place / "poses.npy", poses.astype(np.float32))
    np.save(place / "motions.npy", np.stack([rng.uniform(0, 15, clips), rng.normal(0, 5, clips)], 1).astype(np.float32))
    np.save(place / "cameras.npy", np.tile(np.array([0.6, 0.5, 1.4], np.float32), (clips, 1)))
    np.save(place / "conditions.npy", np.array(["day"] * clips, "<U16"))
    np.save(place / "aerial.npy", rng.integers(0, 255, (1060, 1060, 3), np.uint8))
    facts = {"seed": seed, "margin_m": 60.0, "m_per_px": 0.5, "size_m": 410.0}
    (place / "place.json").write_text(json.dumps(facts))
    return place


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("train")
    for seed in (10_000, 10_001):
        write_place(folder, seed)
    return folder


def test_the_loss_is_the_mean_of_both_directions() -> None:
    rng = torch.Generator().manual_seed(0)
    clips = torch.nn.functional.normalize(torch.randn(3, 5, generator=rng), dim=1)
    tiles = torch.nn.functional.normalize(torch.randn(4, 5, generator=rng), dim=1)
    logits = (clips @ tiles.T * 10).tolist()
    forwards = [-logits[i][i] + math.log(sum(math.exp(value) for value in logits[i])) for i in range(3)]
    backwards = [-logits[i][i] + math.log(sum(math.exp(logits[j][i]) for j in range(3))) for i in range(3)]
    expected = (sum(forwards) / 3 + sum(backwards) / 3) / 2
    assert float(nt_xent(clips, tiles, 10.0)) == pytest.approx(expected, rel=1e-5)


def test_a_pair_that_is_unsure_is_neither_right_nor_wrong() -> None:
    rng = torch.Generator().manual_seed(1)
    clips = torch.nn.functional.normalize(torch.randn(2, 5, generator=rng), dim=1)
    tiles = torch.nn.functional.normalize(torch.randn(3, 5, generator=rng), dim=1)
    unsure = torch.tensor([[False, False, True], [False, False, True]])
    assert float(nt_xent(clips, tiles, 10.0, unsure)) == pytest.approx(float(nt_xent(clips, tiles[:2], 10.0)), rel=1e-4)


def test_near_duplicates_of_one_place_are_unsure_and_own_tiles_never(data: Path) -> None:
    places = [read_place(folder) for folder in find_places(data)]
    batch = draw_batch(places, COMPACT, BatchShape(2, 30, 12), np.random.default_rng(0))
    assert not batch.unsure.diagonal().any()
    assert batch.unsure.any()
    assert not batch.unsure[:30, 30:60].any()  # tiles of the other place are always wrong


def test_a_batch_has_the_shapes_that_the_network_takes(data: Path) -> None:
    places = [read_place(folder) for folder in find_places(data)]
    batch = draw_batch(places, COMPACT, SMALL, np.random.default_rng(0))
    assert batch.clips.shape == (6, 4, 64, 128, 3)
    assert batch.frames.shape == (6, 128, 256, 3)
    assert batch.tiles.shape == (20, 112, 112, 3)
    assert batch.unsure.shape == batch.nearness.shape == (6, 20)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.floats(0, 1))
def test_colours_change_and_geometry_does_not(seed: int, strength: float) -> None:
    image = torch.zeros(2, 4, 4, 3, dtype=torch.uint8)
    image[:, 1, 2] = 200
    seen = colours(image, torch.Generator().manual_seed(seed), strength)
    assert (seen[:, 1, 2] > seen[:, 0, 0]).all()
    assert torch.equal(seen[:, 0, 0], seen[:, 3, 3])


def test_a_cut_shows_the_ground_ahead_heading_up(data: Path) -> None:
    place = read_place(data / "10000")
    east = place.cut(np.array([200.0, 200.0, 90.0]), 72.0, 16.0, 112)
    column, row = int((200 + 16 + 60) / 0.5), int((200 + 60) / 0.5)  # 16 m east of the camera, in pixels
    around = place.aerial[row - 40 : row + 40, column - 40 : column + 40].mean()
    assert float(east.mean()) == pytest.approx(float(around), abs=3.0)


def test_a_run_goes_on_where_it_stopped(data: Path, tmp_path: Path) -> None:
    first = Trainer(recipe=Recipe(minutes=60.0))
    places = [read_place(folder) for folder in find_places(data)]
    batch = draw_batch(places, COMPACT, SMALL, np.random.default_rng(0))
    facts = [first.learn(batch) for _ in range(2)]
    first.save(tmp_path / "run.checkpoint")
    again = Trainer(recipe=Recipe(minutes=60.0))
    again.resume(tmp_path / "run.checkpoint")
    assert (again.step, again.pairs) == (2, 12)
    for name, value in first.mean.state_dict().items():
        assert torch.equal(value, again.mean.state_dict()[name])
    assert all(math.isfinite(value) for fact in facts for value in fact.values())
    assert [path.name for path in tmp_path.iterdir()] == ["run.checkpoint"]


def test_a_run_begins_with_what_an_earlier_network_shares_with_it(tmp_path: Path) -> None:
    plain = dataclasses.replace(COMPACT, fine_dims=0, fine_hidden=0, odometry=False)
    earlier = Trainer(plain, Recipe(seed=3))
    save_weights(earlier.mean, tmp_path / "earlier.safetensors", {"pairs": 7, "hours": 0.5}, "float32")
    trainer = Trainer(recipe=Recipe())
    fresh = trainer.net.v_fine[0].weight.clone()
    trainer.start(tmp_path / "earlier.safetensors")
    assert torch.equal(trainer.net.v_head[0].weight, earlier.net.v_head[0].weight)
    assert torch.equal(trainer.mean.v_head[0].weight, earlier.net.v_head[0].weight)
    assert torch.equal(trainer.net.v_fine[0].weight, fresh)
    assert "earlier" in trainer.origin
    assert "7 pairs" in trainer.origin


def test_a_run_cannot_begin_with_another_network(tmp_path: Path) -> None:
    save_weights(ScreeningNet(COMPACT_SCREENING), tmp_path / "screening.safetensors", {})
    with pytest.raises(WeightsUnreadable, match="choose another file"):
        Trainer(recipe=Recipe()).start(tmp_path / "screening.safetensors")


def test_similarities_that_say_how_near_each_tile_is_cost_nothing() -> None:
    clip, scale = torch.tensor([[1.0, 0.0]]), 10.0
    angles = torch.tensor([0.1, 0.4, 0.8, 1.2, 3.0])
    tiles = torch.stack([angles.cos(), angles.sin()], dim=1)
    nearness = torch.where(angles < 2, scale * angles.cos() - 3.0, -math.inf)[None]
    assert float(neighbourhood(clip, tiles, scale, nearness)) == pytest.approx(0.0, abs=1e-6)
    turned = nearness[:, [3, 2, 1, 0, 4]]
    assert float(neighbourhood(clip, tiles, scale, turned)) > 1.0


def test_a_clip_with_few_tiles_around_it_teaches_nothing() -> None:
    nearness = torch.tensor([[0.0, -1.0, -2.0, -math.inf]])
    tiles = torch.nn.functional.normalize(torch.randn(4, 3), dim=1)
    assert float(neighbourhood(tiles[:1], tiles, 10.0, nearness)) == 0.0


def test_the_likelihood_of_a_motion_is_that_of_a_gaussian() -> None:
    said, true = torch.tensor([[8.0, 3.0, 2.0, 1.5]]), torch.tensor([[9.0, 0.0]])
    exact = -torch.distributions.Normal(said[:, :2], said[:, 2:]).log_prob(true).mean()
    assert float(gaussian(said, true)) == pytest.approx(float(exact) - 0.5 * math.log(2 * math.pi), rel=1e-5)


def test_a_motion_that_is_far_off_asks_for_a_wider_spread() -> None:
    said = torch.tensor([[0.0, 0.0, 1.0, 1.0]], requires_grad=True)
    gaussian(said, torch.tensor([[10.0, 0.0]])).backward()
    assert said.grad is not None
    assert float(said.grad[0, 2]) < 0  # descent widens the one that was wrong
    assert float(said.grad[0, 0]) < 0
    assert float(said.grad[0, 3]) > 0


def test_tiles_around_an_anchor_are_as_near_as_they_lie(data: Path) -> None:
    places = [read_place(folder) for folder in find_places(data)]
    batch = draw_batch(places, COMPACT, BatchShape(2, 3, 3, anchors=3, around=8), np.random.default_rng(0))
    around = batch.nearness[:3, 6 + 3 : 6 + 3 + 24].isfinite().sum(dim=1)
    assert (around >= 8).all()
    assert not batch.nearness[:3, 3:6].isfinite().any()  # of the other place


def test_a_place_drawn_twice_teaches_nothing_of_its_other_draw(data: Path) -> None:
    place = read_place(data / "10000")
    batch = draw_batch([place], COMPACT, BatchShape(2, 3, 3, anchors=3, around=8), np.random.default_rng(0))
    assert not batch.nearness[:3, 3:6].isfinite().any()  # it may be the place in a mirror
    assert not batch.nearness[3:, :3].isfinite().any()


def test_a_mirrored_clip_turns_the_other_way(data: Path) -> None:
    place = read_place(data / "10000")
    turns = {float(abs(turn)) for turn in place.motions[:, 1]}
    batches = [draw_batch([place], COMPACT, SMALL, np.random.default_rng(seed)) for seed in range(6)]
    drawn = torch.cat([batch.motions[:, 1] for batch in batches])
    assert {round(float(turn.abs()), 4) for turn in drawn} <= {round(turn, 4) for turn in turns}
    assert (drawn > 0).any()
    assert (drawn < 0).any()


def test_cancelling_a_run_keeps_its_last_checkpoint(data: Path, tmp_path: Path) -> None:
    trainer = Trainer(recipe=Recipe(minutes=60.0))
    trainer.step = 24  # the next step reports

    def cancel(_facts: dict[str, float]) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        train(trainer, data, tmp_path / "run.checkpoint", SMALL, cancel)
    assert trainer.step == 25


def test_a_checkpoint_of_another_beginning_is_not_gone_on_from(data: Path, tmp_path: Path) -> None:
    earlier, checkpoint = Trainer(recipe=Recipe(seed=3)), tmp_path / "run.checkpoint"
    save_weights(earlier.mean, tmp_path / "earlier.safetensors", {}, "float32")
    earlier.save(checkpoint)
    kept = checkpoint.read_bytes()
    trainer = Trainer(recipe=Recipe(minutes=60.0))
    trainer.start(tmp_path / "earlier.safetensors")
    with pytest.raises(SettingsInvalid, match="began with noise, not with earlier"):
        train(trainer, data, checkpoint, SMALL, print)
    assert checkpoint.read_bytes() == kept


def test_a_folder_without_places_is_said_to_hold_none(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid, match="holds no place"):
        train(Trainer(recipe=Recipe()), tmp_path, tmp_path / "run.checkpoint", SMALL, print)


def test_who_waits_for_batches_hears_why_there_are_none() -> None:
    with pytest.raises(ValueError, match=r".+"):
        next(stream([], COMPACT, SMALL, seed=0))


def test_places_of_held_back_seeds_are_left_alone(data: Path, tmp_path: Path) -> None:
    heard: list[float] = []

    def cancel(facts: dict[str, float]) -> None:
        heard.append(facts["places"])
        raise Cancelled

    trainer = Trainer(recipe=Recipe(minutes=60.0))
    trainer.step = 24
    with pytest.raises(Cancelled):
        train(trainer, data, tmp_path / "run.checkpoint", SMALL, cancel, below_seed=10_001)
    assert heard == [1]


def test_a_damaged_place_says_so(tmp_path: Path) -> None:
    place = write_place(tmp_path, 10_005)
    (place / "poses.npy").unlink()
    with pytest.raises(GamaError, match="make it again"):
        read_place(place)


def test_the_log_odds_of_a_known_law_are_found() -> None:
    rng = np.random.default_rng(0)
    x = np.stack([rng.normal(3.0, 1.0, 20_000), rng.normal(0.0, 0.05, 20_000)], axis=1)
    y = (rng.random(20_000) < 1 / (1 + np.exp(-(1.5 * x[:, 0] + 20.0 * x[:, 1] - 5.0)))).astype(float)
    assert _logistic(x, y) == pytest.approx([1.5, 20.0, -5.0], rel=0.1)


def test_a_card_names_its_file_by_hash(tmp_path: Path) -> None:
    trainer = Trainer(recipe=Recipe(minutes=1.0))
    record = save_weights(trainer.mean, tmp_path / "mine.safetensors", {"steps": 7, "pairs": 9, "recipe": {"seed": 0}})
    text = write_card(tmp_path / "mine.safetensors").read_text()
    assert record.sha256 in text
    assert "7 (9 pairs" in text
    assert "## Limits" in text
