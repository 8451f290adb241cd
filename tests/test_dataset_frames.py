import json

import cv2
import numpy as np
import pytest
from films import even, film

from gama_core.dataset import open_dataset
from gama_core.dataset.frames import extract_frames


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def listed(root, rows):
    (root / "val_gps_day.list").write_text(rows)
    (root / "gallery_gps_day_center.list").write_text("one/00.jpeg 0 1_2\n")


@pytest.mark.parametrize("fps", [25, 30])
def test_clips_of_extracted_frames_are_those_of_the_film(tmp_path, fps):
    listed(tmp_path, "one 0 1_2\n")
    path = film(tmp_path / "one.mov", even(fps, 35))
    report = extract_frames([path], tmp_path, workers=1)
    folder = tmp_path / "video_data" / "val" / "one.mov"
    assert [(made.video, made.fate, made.frames) for made in report.films] == [("one", "made", round(35 * 30 / fps))]
    assert names(folder) == [f"{number:04d}.png" for number in range(round(35 * 30 / fps))]
    from_frames = open_dataset(tmp_path).read_clip("one", 0)
    (tmp_path / "video_data" / "val" / "one.mp4").write_bytes(path.read_bytes())
    dataset = open_dataset(tmp_path)
    assert dataset.film("one") is not None
    np.testing.assert_array_equal(dataset.read_clip("one", 0), from_frames)


def test_only_the_frames_of_listed_clips_or_of_every_second(tmp_path):
    listed(tmp_path, "one 1 1_2\none 9 1_2\n")
    films = [film(tmp_path / f"{name}.mov", even(30, 63), size=(32, 18)) for name in ("one", "two")]
    report = extract_frames(films, tmp_path, only_clips=True, workers=1)
    assert [made.frames for made in report.films] == [8, 16]
    folder = tmp_path / "video_data" / "val"
    assert names(folder / "one.mov") == [f"{number:04d}.png" for number in range(30, 46, 2)]
    clips = [*range(0, 16, 2), *range(30, 46, 2)]
    assert names(folder / "two.mov") == [f"{number:04d}.png" for number in clips]


def test_a_finished_folder_is_left_and_a_half_one_is_made_anew(tmp_path):
    path = film(tmp_path / "one.mov", even(30, 20))
    folder = tmp_path / "video_data" / "train" / "one.mov"

    def fate():
        return [made.fate for made in extract_frames([path], tmp_path, workers=1, split="train").films]

    assert fate() == ["made"]
    stamps = {name: (folder / name).stat().st_mtime_ns for name in names(folder)}
    assert fate() == ["kept"]
    assert {name: (folder / name).stat().st_mtime_ns for name in names(folder)} == stamps
    (folder / "0013.png").unlink()
    assert fate() == ["made"]
    assert len(names(folder)) == 20
    assert names(folder.parent) == ["one.mov"]


def test_frames_of_a_film_of_which_none_are_wanted_stay(tmp_path):
    path = film(tmp_path / "one.mov", even(30, 20))
    extract_frames([path], tmp_path, workers=1)
    folder = tmp_path / "video_data" / "val" / "one.mov"
    before = names(folder)
    listed(tmp_path, "one 50 1_2\n")
    assert [made.fate for made in extract_frames([path], tmp_path, only_clips=True, workers=1).films] == ["kept"]
    assert names(folder) == before != []


def test_a_bad_film_becomes_a_value_beside_good_ones(tmp_path):
    good = film(tmp_path / "good.mov", even(30, 20))
    bad = tmp_path / "bad.mov"
    bad.write_bytes(b"no film")
    (tmp_path / "again").mkdir()
    again = film(tmp_path / "again" / "good.mov", even(30, 20))
    steps = []
    report = extract_frames(
        [bad, good, again, tmp_path / "nowhere.mov"], tmp_path, on_done=lambda done, total: steps.append((done, total))
    )
    assert [made.fate for made in report.films] == ["failed", "made", "failed", "failed"]
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    figures = json.loads(json.dumps(report.as_dict()))
    assert (figures["made"], figures["kept"], figures["failed"]) == (1, 0, 3)
    assert "bad.mov" in figures["failures"][0]["error"]
    assert names(tmp_path / "video_data" / "val") == ["good.mov"]


def test_a_film_that_lies_where_its_frames_go_is_kept(tmp_path):
    (tmp_path / "video_data" / "val").mkdir(parents=True)
    path = film(tmp_path / "video_data" / "val" / "one.mov", even(30, 20))
    report = extract_frames([path], tmp_path, workers=1)
    assert report.films[0].fate == "failed"
    assert "move it" in report.films[0].error
    assert path.is_file()


def test_frames_are_256_by_144_and_upright(tmp_path):
    picture = np.zeros((90, 160, 3), np.uint8)
    picture[:, :80] = 200
    path = film(tmp_path / "one.mov", even(30, 3), [picture] * 3, size=(160, 90))
    extract_frames([path], tmp_path, workers=1)
    frame = cv2.imread(str(tmp_path / "video_data" / "val" / "one.mov" / "0000.png"))
    assert frame.shape == (144, 256, 3)
    assert frame[:, :110].mean() > 180
    assert frame[:, 146:].mean() < 20
