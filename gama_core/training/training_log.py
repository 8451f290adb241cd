"""What a training writes down as it goes: a CSV always, TensorBoard where it is installed."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gama_core.files import whole_file


class TrainingLog:
    """Rows of figures, one a report, in `PATH` and beside it in a folder for TensorBoard.

    A run that goes on from a checkpoint drops the rows that came after it: they are learned, and written, again.

    Args:
        path: the CSV.
        after_step: the step at which the run goes on; 0 begins a new log.
    """

    def __init__(self, path: Path, after_step: int = 0) -> None:
        self.path = path
        rows = [row for row in _rows(path) if int(row["step"]) <= after_step] if after_step else []
        self._names = list(rows[0]) if rows else []
        with whole_file(path) as partial, partial.open("w", newline="") as file:
            if rows:
                writer = csv.DictWriter(file, self._names)
                writer.writeheader()
                writer.writerows(rows)
        self._board = _tensorboard(path.with_suffix(""), after_step)

    def write(self, facts: Mapping[str, float]) -> None:
        """One row; the first one names the columns."""
        with self.path.open("a", newline="") as file:
            writer = csv.DictWriter(file, self._names or list(facts))
            if not self._names:
                self._names = list(facts)
                writer.writeheader()
            writer.writerow(facts)
        if self._board is not None:
            for name, value in facts.items():
                if name != "step":
                    self._board.add_scalar(name, value, int(facts["step"]))

    def close(self) -> None:
        if self._board is not None:
            self._board.close()


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return [row for row in csv.DictReader(file) if (row.get("step") or "").isdigit() and None not in row.values()]


def _tensorboard(folder: Path, after_step: int) -> Any:
    """A writer that hides what an interrupted run wrote after its checkpoint, None where TensorBoard is missing."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=after_step + 1)
