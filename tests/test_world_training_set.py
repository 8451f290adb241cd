import json

import numpy as np
import pytest

from gama_core.errors import GamaError, SettingsInvalid
from gama_core.training.places import read_place
from gama_core.world.drive import plan_drive
from gama_core.world.place import make_place
from gama_core.world.training_set import _motion, write_seeds, write_training_place, write_training_set

SEED = 20_959


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("places")
    write_training_place(SEED, folder, clips=4)
    return folder


def test_a_place_reads_back(folder):
    place = read_place(folder / str(SEED))
    assert place.seed == SEED
    assert place.clips.shape == (4, 4, 64, 128, 3)
    assert place.frames.shape == (4, 128, 256, 3)
    side_px = (place.size_m + 2 * place.margin_m) / place.m_per_px
    assert place.aerial.shape[:2] == pytest.approx((side_px, side_px), abs=1.5)
    assert ((place.poses[:, :2] > 0) & (place.poses[:, :2] < place.size_m)).all()


def test_clips_of_a_place_are_not_the_same_spot(folder):
    poses = read_place(folder / str(SEED)).poses[:, :2]
    gaps = np.hypot(*(poses[:, None] - poses[None]).transpose(2, 0, 1))
    assert gaps[np.triu_indices(4, 1)].min() > 5


def test_a_clip_knows_how_fast_the_camera_was_and_where_it_turned():
    drive = plan_drive(make_place(SEED, 2, 2), np.random.default_rng(3), 40.0)
    turns = []
    for frame in range(0, len(drive) - 30, 15):
        speed_m_s, turn_deg_s = _motion(drive, frame)
        moved_m = np.hypot(drive.x_m[frame + 12] - drive.x_m[frame], drive.y_m[frame + 12] - drive.y_m[frame])
        assert moved_m == pytest.approx(0.4 * speed_m_s, abs=0.15)
        ways = [np.arctan2(np.diff(drive.x_m)[at], -np.diff(drive.y_m)[at]) for at in (frame, frame + 12)]
        if speed_m_s > 2:
            turns.append((turn_deg_s, np.degrees((ways[1] - ways[0] + np.pi) % (2 * np.pi) - np.pi) / 0.4))
    assert np.abs(turns).max() > 5
    assert np.corrcoef(np.array(turns).T)[0, 1] > 0.97


def test_a_place_is_written_the_same_again(folder, tmp_path):
    write_training_place(SEED, tmp_path, clips=4)
    for name in ("clips", "poses", "motions", "cameras", "aerial"):
        first, second = (np.load(root / str(SEED) / f"{name}.npy") for root in (folder, tmp_path))
        assert np.array_equal(first, second)


def test_places_that_exist_are_kept(folder):
    before = (folder / str(SEED) / "clips.npy").stat().st_mtime_ns
    write_training_set(folder, SEED, 1, clips=4)
    assert (folder / str(SEED) / "clips.npy").stat().st_mtime_ns == before
    assert json.loads((folder / str(SEED) / "place.json").read_text())["seed"] == SEED


@pytest.mark.parametrize(("first", "places"), [(19_990, 20), (20_990, 20), (5, 1)])
def test_splits_are_never_mixed(tmp_path, first, places):
    with pytest.raises(SettingsInvalid):
        write_training_set(tmp_path, first, places)
    assert not list(tmp_path.iterdir())


def unwritable(seed):
    """For another process: as on a full disk."""
    raise GamaError(f"place {seed} cannot be written: the disk is full.")


def test_places_that_cannot_be_written_fail_the_run_once_all_were_tried(tmp_path):
    heard = []
    with pytest.raises(GamaError, match=r"2 of 2 places were not made.*the disk is full"):
        write_seeds(unwritable, tmp_path, SEED, 2, 1, lambda seed, fate: heard.append(seed))
    assert sorted(heard) == [SEED, SEED + 1]
