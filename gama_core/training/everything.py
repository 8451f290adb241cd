"""Both networks and their calibration, from nothing: each step is a command of its own; what is done stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

RUN = (sys.executable, "-m", "gama_core")
QUIET = {**os.environ, "OMP_NUM_THREADS": "1"}  # the world draws on one thread a process
VALIDATION_CITIES = range(20_100, 20_112)
BATCH_PLACES = {"cpu": 12, "cuda": 24}
START_LEARNING_RATE = 1.5e-3  # of a run that begins with weights


def train_everything(
    places: int, minutes: float, out: Path, data: Path, device: str = "cpu", workers: int = 1, start: Path | None = None
) -> None:
    """Makes places, trains, and calibrates; interrupted, it goes on where it was.

    Args:
        places: training places, of four regions each.
        minutes: of learning, for GAMa-Net.
        out: where weights go.
        data: where generated places go.
        device: cpu or cuda, where GAMa-Net learns.
        workers: processes that make places while it learns, and that calibrate.
        start: weights to begin with, instead of noise.

    Raises:
        subprocess.CalledProcessError: a step failed, and has said why.
    """
    many: dict[str, object] = {"workers": max(workers, 2)}
    _world("training-set", data / "validation", first=20_000, places=24, **many)
    _world("training-set", data / "train", first=10_000, places=24, clips=160, regions_across=2, **many)
    rest = _order(
        "training-set", data / "train", first=10_000, places=places, clips=160, regions_across=2, workers=workers
    )
    with subprocess.Popen(rest, env=QUIET) as making:
        where = {"device": device, "batch_places": BATCH_PLACES[device]}
        begin = {} if start is None else {"start": start, "learning_rate": START_LEARNING_RATE}
        folders = {"data": data / "train", "validation": data / "validation"}
        try:
            _train("gama-net", out, **folders, minutes=minutes, **where, **begin)
        except BaseException:
            making.send_signal(signal.SIGINT)  # nobody learns from what it would make
            raise
        if making.wait():
            raise subprocess.CalledProcessError(making.returncode, rest)
    _world("screening-set", data / "cities", first=12_000, cities=30, **many)
    _world("training-set", data / "validation-large", first=20_300, places=4, clips=400, regions_across=6, **many)
    _train("screening", out, cities=data / "cities", validation=data / "validation-large")
    cities = [data / "validation-cities" / str(seed) for seed in VALIDATION_CITIES]
    for city, seed in zip(cities, VALIDATION_CITIES, strict=True):
        size = {"seed": seed, "columns": 3, "rows": 3}
        if not (city / "aerial.tif").is_file():
            city.mkdir(parents=True, exist_ok=True)
            _world("place", city / "aerial.tif", **size)
        _world("drives", city, **size, count=3, **many)
    calibrate = [*RUN, "train", "calibrate", *map(str, cities), "--out", str(out), *_written(many)]
    subprocess.run([*calibrate, "--cache", str(data / "validation-galleries")], check=True)


def _world(what: str, out: Path, **options: object) -> None:
    subprocess.run(_order(what, out, **options), check=True, env=QUIET)


def _order(what: str, out: Path, **options: object) -> list[str]:
    return [*RUN, "world", what, "--out", str(out), *_written(options)]


def _train(what: str, out: Path, **options: object) -> None:
    subprocess.run([*RUN, "train", what, "--out", str(out), *_written(options)], check=True)


def _written(options: dict[str, object]) -> list[str]:
    return [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
