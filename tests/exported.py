"""A tiny data set in the published layout, made once a session: two drives of 6 s in each split, none by night.

Name the fixture `exported` as an argument (tests/conftest.py hands it to every test file): it is the root, and
`open_dataset(exported, "val")` opens it. It is shared: a test that changes files takes
`damaged_copy(exported, tmp_path)`. It is the same every time: 12 clips in val, 12 in train; a 256 x 144 film of 180
frames at 30 a second for each drive (each drawn frame is shown four times), 49 UCN tiles and one 1792 x 1792 region
for each; `gallery_gps.list` names the UCN tiles with a fix in them.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of the data set."""
    from gama_core.world.export import Plan, export_gama

    plan = Plan(seed=7, train_drives=2, val_drives=2, seconds=6.0, drives_per_place=2, frame=(256, 144), draw_every=4)
    return export_gama(tmp_path_factory.mktemp("exported") / "gama", plan)


def damaged_copy(root: Path, folder: Path) -> Path:
    """A copy of the data set that a test may damage."""
    return Path(shutil.copytree(root, folder / "damaged"))
