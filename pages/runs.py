"""The runs that the Evaluate page can show: those shipped, those kept by this server, and those that visitors bring."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import get_args

from gama_core.dataset import Dataset, open_dataset
from gama_core.dataset.layout import SPLITS, GalleryKind, Split, frame_name
from gama_core.dataset.reader import CLIP_FPS
from gama_core.errors import GamaError
from gama_core.files import whole_file
from gama_core.run import ENDING, ClipRecord, Run, find_runs, read_run
from pages import catalog
from pages.catalog import Place

SHIPPED = catalog.ASSETS / "sample" / "runs"
LIMIT_MB = 64  # of a run file that a visitor brings; the paper's day set takes 9


@dataclass(frozen=True)
class RunFile:
    """A run on the disk; a visitor's own may not choose which files of this machine are opened."""

    id: str  # safe in a URL
    path: Path
    trusted: bool = True

    @property
    def changed_ns(self) -> int:
        return self.path.stat().st_mtime_ns


def run_files() -> tuple[RunFile, ...]:
    """The shipped runs, then those in `cache/runs`."""
    shipped = [RunFile(_slug(path), path) for path in find_runs(SHIPPED)]
    kept = [RunFile(f"kept-{_slug(path)}", path) for path in find_runs(catalog.cache_folder() / "runs")]
    return (*shipped, *kept)


def find_run_file(run_id: str) -> RunFile | None:
    """The run of that id: listed, or brought by a visitor; None for any other."""
    if re.fullmatch(r"u-[0-9a-f]{16}", run_id):
        path = _brought_path(run_id)
        return RunFile(run_id, path, trusted=False) if path.is_file() else None
    return next((file for file in run_files() if file.id == run_id), None)


def accept_run(data: bytes, name: str) -> RunFile:
    """Keeps a run that a visitor brings, under a name of our own; it is forgotten with the uploads.

    Raises:
        GamaError: no run, or one that is damaged; says so under the name that the person knows.
    """
    run_id = f"u-{hashlib.sha256(data).hexdigest()[:16]}"
    path = _brought_path(run_id)
    with whole_file(path) as partial:
        partial.write_bytes(data)
        try:
            read_run(partial)
        except GamaError as error:
            raise GamaError(str(error).replace(str(partial), name)) from error
    return RunFile(run_id, path, trusted=False)


def place_of(run: Run) -> Place | None:
    """The very gallery that a run searched, if it can be opened here."""
    named = re.search(r"\(([0-9a-f]{16})\)$", run.gallery)
    return catalog.find_place(named[1]) if named else None


def film_of(file: RunFile, run: Run, clip: ClipRecord) -> Path | None:
    """A clip's film, if it lies where the run says; a visitor's run reaches the shipped drives only.

    The films of a data set are named from its root, those of drives from this app's.
    """
    name = (run.frames or {}).get(clip.drive)
    if name is None:
        return None
    base = str(run.settings.get("root", "")) if run.kind == "dataset" else ""
    try:
        path = (catalog.ROOT / base / name).resolve()
        reachable = file.trusted or path.parent == catalog.DRIVES.resolve()
        return path if reachable and path.is_file() else None
    except (OSError, ValueError):  # no name that a file can have
        return None


def frame_of(file: RunFile, run: Run, clip: ClipRecord, number: int) -> Path | None:
    """The picture of one of a clip's frames, 30 a second, where a data set holds extracted frames of its drive."""
    dataset = dataset_of(file, run)
    folder = dataset.frame_folder(clip.drive) if dataset else None
    return folder / frame_name(int(clip.second) * CLIP_FPS + number) if folder else None


def dataset_of(file: RunFile, run: Run) -> Dataset | None:
    """The very data set that a run searched, if it lies here; a visitor's run reaches none."""
    if run.kind != "dataset" or not file.trusted:
        return None
    root, split, gallery, day = (run.settings.get(name) for name in ("root", "split", "gallery", "day"))
    if not isinstance(root, str) or split not in SPLITS or gallery not in get_args(GalleryKind):
        return None
    try:
        return _dataset(root, split, gallery, bool(day))
    except GamaError:  # it has been moved
        return None


def shipped_weights() -> tuple[str, ...]:
    """The shipped networks as runs name them."""
    return tuple(
        f"{path.stem} ({hashlib.sha256(path.read_bytes()).hexdigest()[:12]})"
        for path in sorted(catalog.WEIGHTS.glob("*.safetensors"))
    )


@lru_cache(maxsize=2)
def _dataset(root: str, split: Split, gallery: GalleryKind, day: bool) -> Dataset:
    """Kept open: the paper's lists take a second to read."""
    return open_dataset(root, split, gallery, day)


def _slug(path: Path) -> str:
    return re.sub(r"[^a-z0-9]+", "-", path.name.removesuffix(ENDING).lower()).strip("-")


def _brought_path(run_id: str) -> Path:
    return catalog.uploads_folder() / f"{run_id}{ENDING}"
