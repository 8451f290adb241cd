import pytest

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
