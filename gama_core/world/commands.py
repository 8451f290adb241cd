"""`python -m gama_core world`: places, drives and the training set."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from gama_core.world.training_set import write_training_set

app = typer.Typer(help="Make procedural cities: aerial imagery, dash-cam drives, the training set.", no_args_is_help=True)
_log = logging.getLogger("gama_core.world")


@app.callback()
def world() -> None:
    """Make procedural cities: aerial imagery, dash-cam drives, the training set."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")


@app.command("training-set")
def training_set(
    out: Annotated[Path, typer.Option(help="Folder for one .npz file a place.")],
    first: Annotated[int, typer.Option(help="First seed: 10000 to 19999 training, 20000 to 20999 validation.")],
    places: Annotated[int, typer.Option(help="How many seeds, one place each.", min=1)] = 100,
    clips: Annotated[int, typer.Option(help="Clips of each place.", min=1)] = 80,
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = 2,
) -> None:
    """Write training places; those that exist are kept, so that it may be stopped and started again."""
    write_training_set(out, first, places, clips, workers, lambda seed, fate: _log.info("%s %s", seed, fate))


if __name__ == "__main__":
    app()
