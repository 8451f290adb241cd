"""Folders and files that appear whole or not at all, and names that any of them may hold; where they cannot be written,
a `GamaError` says why."""

from __future__ import annotations

import errno
import logging
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from gama_core.errors import GamaError

log = logging.getLogger(__name__)


@contextmanager
def whole_folder(folder: Path, keep: Sequence[str] = ()) -> Iterator[Path]:
    """A folder to write into that takes the place of `folder` when the block ends well, and goes when it does not.

    Args:
        folder: the folder to make or to replace; its parents are made.
        keep: names in the present `folder` that live on in the new one, unless the block wrote them anew.

    Yields:
        An empty folder beside it, named `.<name>.<hex>.partial`.

    Raises:
        GamaError: nothing can be written there, the disk is full, or a file of that name is in the way.
    """
    if folder.is_file():
        raise GamaError(f"{folder} is a file; name a folder.")
    partial = _beside(folder, "partial")
    with _writing(folder):
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
    """A file name to write to that takes the place of `path` when the block ends well, and goes when it does not.

    Raises:
        GamaError: nothing can be written there, the disk is full, or a folder of that name is in the way.
    """
    if path.is_dir():
        raise GamaError(f"{path} is a folder; name a file.")
    partial = _beside(path, "partial")
    with _writing(path):
        try:
            yield partial
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)


def keep_if_possible(path: Path, write: Callable[[Path], object]) -> None:
    """Writes what can be made anew, whole or not at all; where nothing can be written the log says so, no more."""
    try:
        with whole_file(path) as partial:
            write(partial)
    except GamaError as error:
        log.warning("not kept: %s", error)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Says what a person can mend: a place that takes no files, or a disk that is full."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        probe = _beside(path, "probe")
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise GamaError(f"{path} cannot be written ({error.strerror}): choose another place.") from error
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise GamaError(f"{path} cannot be written: the disk is full. Make room, or choose another place.") from error


def _beside(path: Path, ending: str) -> Path:
    path = path.absolute()
    return path.with_name(f".{path.name}.{uuid4().hex[:8]}.{ending}")


def printable(name: str) -> str:
    """A file's name as text that any file may hold: what XML and UTF-8 cannot write becomes U+FFFD."""
    odd = (letter not in "\t\n\r" and unicodedata.category(letter) in ("Cc", "Cs") for letter in name)
    return "".join("\ufffd" if is_odd else letter for letter, is_odd in zip(name, odd, strict=True))
