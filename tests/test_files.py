from pathlib import Path

import pytest

from gama_core.errors import GamaError
from gama_core.files import whole_file, whole_folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_folder_appears_when_the_block_ends(tmp_path):
    with whole_folder(tmp_path / "new" / "a") as partial:
        (partial / "x").touch()
        assert not (tmp_path / "new" / "a").exists()
    assert names(tmp_path / "new") == ["a"]
    assert names(tmp_path / "new" / "a") == ["x"]


def test_a_folder_that_fails_leaves_the_old_one(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "old").touch()
    with pytest.raises(FileNotFoundError), whole_folder(tmp_path / "a") as partial:
        (partial / "not there").unlink()
    assert names(tmp_path) == ["a"]
    assert names(tmp_path / "a") == ["old"]


def test_what_is_to_be_kept_lives_on(tmp_path):
    (tmp_path / "a" / "kept").mkdir(parents=True)
    (tmp_path / "a" / "kept" / "y").touch()
    (tmp_path / "a" / "old").touch()
    with whole_folder(tmp_path / "a", keep=("kept", "absent")) as partial:
        (partial / "x").touch()
    assert names(tmp_path) == ["a"]
    assert names(tmp_path / "a") == ["kept", "x"]
    assert names(tmp_path / "a" / "kept") == ["y"]


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with whole_file(path) as partial:
        partial.write_text("first")
        assert not path.exists()
    with pytest.raises(UnicodeEncodeError), whole_file(path) as partial:
        partial.write_text("second \udc80", encoding="utf-8")
    assert path.read_text() == "first"
    assert names(path.parent) == ["a.txt"]


def test_a_place_that_takes_no_files_is_named(tmp_path):
    (tmp_path / "file").touch()
    for whole in (whole_file, whole_folder):
        with pytest.raises(GamaError, match="file/a cannot be written"), whole(tmp_path / "file" / "a"):
            pass
    assert names(tmp_path) == ["file"]


def test_a_folder_does_not_give_way_to_a_file_nor_a_file_to_a_folder(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(GamaError, match="folder is a folder"), whole_file(tmp_path / "folder"):
        pass
    with pytest.raises(GamaError, match="file is a file"), whole_folder(tmp_path / "file"):
        pass
    assert names(tmp_path) == ["file", "folder"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this machine has no disk that is always full")
def test_a_full_disk_says_so_and_leaves_what_was_there(tmp_path):
    (tmp_path / "a").write_text("old")
    with pytest.raises(GamaError, match="the disk is full"), whole_file(tmp_path / "a"):
        Path("/dev/full").write_text("new")
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_text() == "old"
