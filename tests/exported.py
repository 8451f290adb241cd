"""A tiny data set in the published layout, made once a session: two drives of 6 s in each split, no night.

Use the fixture by importing it into a test file, `from exported import exported  # noqa: F401`, and naming it as an
argument; it is the root, `open_dataset(exported, "val")` opens it. It is shared: a test that changes files takes
`damaged_copy(exported, tmp_path)`. The same every time: val has 10 to 12 clips (a phone's fix may be missing), each
with a 256 x 144 film at 30 frames a second (each drawn frame is shown four times), 49 UCN tiles a video
(gallery_gps.list names those with a fix in them), one 1792 x 1792 region a video.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gama_core.world.export import Plan, export_gama

PLAN = Plan(seed=7, train_drives=2, val_drives=2, seconds=6.0, drives_per_place=2, frame=(256, 144), draw_every=4)


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of the data set."""
    return export_gama(tmp_path_factory.mktemp("exported") / "gama", PLAN)


def damaged_copy(root: Path, folder: Path) -> Path:
    """A copy of the data set that a test may damage."""
    return Path(shutil.copytree(root, folder / "damaged"))
