"""Folders and files that appear whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


@contextmanager
def whole_folder(folder: Path, keep: Sequence[str] = ()) -> Iterator[Path]:
    """A folder to write into that takes the place of `folder` when the block ends well, and goes when it does not.

    Args:
        folder: the folder to make or to replace; its parents are made.
        keep: names in the present `folder` that live on in the new one, unless the block wrote them anew.

    Yields:
        An empty folder beside it, named `.<name>.<hex>.partial`.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = _beside(folder, "partial")
    partial.mkdir()
    try:
        yield partial
        for name in keep:
            if (folder / name).exists() and not (partial / name).exists():
                (folder / name).rename(partial / name)
        if folder.exists():
            old = folder.rename(_beside(folder, "old.partial"))
            partial.rename(folder)
            shutil.rmtree(old)
        else:
            partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A file name to write to that takes the place of `path` when the block ends well, and goes when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = _beside(path, "partial")
    try:
        yield partial
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(f".{path.name}.{uuid4().hex[:8]}.{ending}")
