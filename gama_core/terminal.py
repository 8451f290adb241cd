"""What the commands share: options that mean the same everywhere, choices that are checked, a progress bar."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from gama_core.errors import SettingsInvalid
from gama_core.stages import OnStage

DeviceOption = Annotated[str, typer.Option("--device", help="auto, cpu or cuda; auto takes a GPU where there is one.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a program to read.")]


def require(value: str, name: str, *allowed: str) -> None:
    """Refuses what is no choice.

    Raises:
        SettingsInvalid: `value`, given for the option `--name`, is none of those allowed.
    """
    if value not in allowed:
        raise SettingsInvalid(f"--{name} is {value!r}; choose one of {', '.join(allowed)}.")


@contextmanager
def bar() -> Iterator[OnStage | None]:
    """A progress bar on a terminal; None elsewhere."""
    from tqdm import tqdm

    if not sys.stderr.isatty():
        yield None
        return
    with tqdm() as shown:

        def hear(stage: str, done: int, total: int) -> None:
            shown.set_description(stage, refresh=False)
            shown.total, shown.n = total, done
            shown.refresh()

        yield hear
