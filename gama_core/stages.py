"""How a long job tells where it is, and how long each stage took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

OnStage = Callable[[str, int, int], None]  # hears (stage, done, total); may raise `Cancelled`


@contextmanager
def timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    """Adds what the block takes to a stage's seconds."""
    started = time.monotonic()
    yield
    seconds[stage] = round(seconds.get(stage, 0.0) + time.monotonic() - started, 3)


def silent(_stage: str, _done: int, _total: int) -> None:
    """Hears nothing."""
