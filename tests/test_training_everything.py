"""Training from nothing: every step is a command that the command line knows, in an order that can work."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
from typer.testing import CliRunner

from gama_core.training import commands as training
from gama_core.training import everything
from gama_core.world import commands as world

APPS = {"train": training.app, "world": world.app}


class Watched:
    """Hears the orders instead of running them."""

    returncode = 0
    told = 0

    def __init__(self, orders: list[list[str]], order: list[str]) -> None:
        orders.append(order)

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        return None

    def wait(self) -> int:
        return self.returncode

    def send_signal(self, signal: int) -> None:
        self.told = signal


@pytest.fixture
def orders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    heard: list[list[str]] = []
    monkeypatch.setattr(everything.subprocess, "run", lambda order, **_: heard.append(order))
    monkeypatch.setattr(everything.subprocess, "Popen", lambda order, **_: Watched(heard, order))
    everything.train_everything(400, 180.0, tmp_path / "weights", tmp_path / "cache")
    return [order[len(everything.RUN) :] for order in heard]


def test_each_order_is_understood(orders: list[list[str]]) -> None:
    for order in orders:
        answer = CliRunner().invoke(APPS[order[0]], [*order[1:], "--help"])  # options are read before help is given
        assert answer.exit_code == 0, (order, answer.output)


def test_a_run_on_a_gpu_that_begins_with_weights_is_understood(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    heard: list[list[str]] = []
    monkeypatch.setattr(everything.subprocess, "run", lambda order, **_: heard.append(order))
    monkeypatch.setattr(everything.subprocess, "Popen", lambda order, **_: Watched(heard, order))
    everything.train_everything(900, 5.0, tmp_path, tmp_path, "cuda", 15, tmp_path / "gama-net-compact.safetensors")
    order = next(order for order in heard if "gama-net" in order)
    assert order[order.index("--device") + 1] == "cuda"
    assert order[order.index("--start") + 1] == str(tmp_path / "gama-net-compact.safetensors")
    answer = CliRunner().invoke(training.app, [*order[len(everything.RUN) + 1 :], "--help"])
    assert answer.exit_code == 0, answer.output


def test_an_option_that_nobody_knows_would_be_noticed(orders: list[list[str]]) -> None:
    assert CliRunner().invoke(APPS[orders[0][0]], [*orders[0][1:], "--no-such-option", "--help"]).exit_code != 0


def test_networks_are_trained_before_they_are_calibrated(orders: list[list[str]]) -> None:
    trained = [order[1] for order in orders if order[0] == "train"]
    assert trained == ["gama-net", "screening", "calibrate"]


def test_no_seed_is_in_two_splits(orders: list[list[str]]) -> None:
    def seeds(order: list[str]) -> set[int]:
        given: dict[str, Any] = dict(zip(order[2::2], order[3::2], strict=False))
        if "--seed" in given:
            return {int(given["--seed"])}
        return set(
            range(int(given["--first"]), int(given["--first"]) + int(given.get("--places", given.get("--cities"))))
        )

    learned, judged = set(), set()
    for order in orders:
        if order[0] == "world":
            validates = "validation" in order[order.index("--out") + 1].split("cache")[-1]
            (judged if validates else learned).update(seeds(order))
    assert learned
    assert judged
    assert not learned & judged
    assert all(10_000 <= seed < 20_000 for seed in learned)
    assert all(20_000 <= seed < 21_000 for seed in judged)


def test_a_failed_training_stops_the_making_of_places_and_failed_places_the_rest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    heard: list[list[str]] = []
    watched = Watched(heard, [])

    def run(order: list[str], **_: object) -> None:
        if "gama-net" in order and watched.returncode == 0:
            raise subprocess.CalledProcessError(2, order)
        heard.append(order)

    monkeypatch.setattr(everything.subprocess, "run", run)
    monkeypatch.setattr(everything.subprocess, "Popen", lambda _order, **_: watched)
    with pytest.raises(subprocess.CalledProcessError):
        everything.train_everything(400, 180.0, tmp_path, tmp_path)
    assert watched.told == signal.SIGINT
    watched.returncode = 3
    with pytest.raises(subprocess.CalledProcessError) as caught:
        everything.train_everything(400, 180.0, tmp_path, tmp_path)
    assert caught.value.returncode == 3
    assert not any("screening" in order for order in heard)
