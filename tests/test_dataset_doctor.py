import json

import cv2
import numpy as np
import pytest
from exported import damaged_copy

from gama_core.dataset import open_dataset
from gama_core.dataset.doctor import Finding, check_dataset
from gama_core.errors import DatasetUnreadable


def found(root, split="val", deep=False):
    """Everything that the doctor counts in a split: kind -> place -> count."""
    report = check_dataset(root, [split], deep)
    return {kind: group["where"] for kind, group in report.as_dict()["splits"][split]["findings"].items()}


def shortened(path, count=200):
    path.write_bytes(path.read_bytes()[:-count])


def changed_info(root, video, change):
    path = root / "info" / "val" / f"{video}.json"
    info = json.loads(path.read_text())
    change(info)
    path.write_text(json.dumps(info))


@pytest.mark.parametrize("deep", [False, True])
def test_nothing_is_wrong_with_an_export(exported, deep):
    report = check_dataset(exported, deep=deep)
    assert report.rows() == []
    assert report.sound
    assert report.verdict == "Nothing wrong."
    train, val = report.splits
    assert (train.split, val.split) == ("train", "val")
    assert (val.there["videos"], val.there["clips"], val.there["films"], val.there["regions"]) == (2, 12, 2, 2)
    assert (train.there["CN tiles"], train.there["UCN tiles"], train.there["info files"]) == (12, 98, 2)
    assert json.loads(json.dumps(report.as_dict()))["verdict"] == "Nothing wrong."


def test_damaged_and_missing_files_are_counted_exactly(exported, tmp_path):
    root = damaged_copy(exported, tmp_path)
    one, two = open_dataset(root).videos
    tiles = root / "satelite_data"
    shortened(tiles / "val_gps" / one / "00.jpeg")
    shortened(tiles / "val_gps" / one / "01.jpeg")
    (tiles / "val_gps" / two / "02.jpeg").unlink()
    (tiles / "val_gps" / two / "spare.jpeg").write_bytes(b"")
    cv2.imwrite(str(tiles / "val_gps" / two / "03.jpeg"), np.zeros((64, 256, 3), np.uint8))
    same = (tiles / "val" / one / "same").parent
    first, second = sorted(same.iterdir())[:2]
    second.write_bytes(first.read_bytes())
    cv2.imwrite(str(tiles / "val_hr" / f"{one}.jpeg"), np.zeros((100, 100, 3), np.uint8))
    (tiles / "val_hr" / f"{two}.jpeg").unlink()
    shortened(root / "video_data" / "val" / f"{one}.mov", 5000)
    (root / "video_data" / "val" / f"{two}.mov").unlink()
    (root / "info" / "val" / "nobody.json").write_text("{}")
    assert found(root) == {
        "neither_film_nor_frames": {two: 1},
        "film_unreadable": {one: 1},
        "tiles_missing": {two: 1},
        "tiles_unreadable": {one: 2},
        "tiles_of_another_size": {two: 1},
        "region_missing": {two: 1},
        "region_of_another_size": {one: 1},
        "tiles_twice": {one: 1},
        "files_that_no_list_names": {two: 1, "info/val": 1},
    }
    assert found(root, "train") == {}


def test_odd_fixes_are_counted_exactly(exported, tmp_path):
    root = damaged_copy(exported, tmp_path)
    one, two = open_dataset(root).videos

    def change(info):
        start, rows = info["startTime"], info["locations"]
        for row, second in zip(rows, (-2.5, -1.5, 0.0, 0.5, 4.2, 6.7), strict=True):
            row["timestamp"] = start + round(second * 1000)
        rows[0], rows[1] = rows[1], rows[0]
        rows.append({"timestamp": start + 5000, "latitude": 0, "longitude": 0})

    changed_info(root, one, change)
    changed_info(root, two, lambda info: info.update(locations=[]))
    kinds = found(root)
    assert kinds["fixes_before_the_start"] == {one: 2}
    assert kinds["fixes_after_the_end"] == {one: 1}
    assert kinds["fixes_out_of_order"] == {one: 1}
    assert kinds["fixes_closer_than_0.8_s"] == {one: 1}
    assert kinds["gaps_of_more_than_2_s"] == {one: 2}
    assert kinds["locations_without_a_place"] == {one: 1}
    assert kinds["no_fix"] == {two: 1}
    assert kinds["clips_without_a_fix"][two] == 6
    assert not check_dataset(root, ["val"]).sound


def test_frames_are_held_against_the_list_and_the_clips(exported, tmp_path):
    root = damaged_copy(exported, tmp_path)
    one, two = open_dataset(root).videos
    for video, numbers in ((one, [*range(100), *range(102, 181)]), (two, range(180))):
        (root / "video_data" / "val" / f"{video}.mov").unlink()
        folder = root / "video_data" / "val" / f"{video}.mov"
        folder.mkdir()
        packed = cv2.imencode(".png", np.zeros((144, 256, 3), np.uint8))[1].tobytes()
        for number in numbers:
            (folder / f"{number:04d}.png").write_bytes(packed)
    (folder / "0007.png").write_bytes(packed[:-3])
    (folder / "0008.png").write_bytes(cv2.imencode(".png", np.zeros((256, 144, 3), np.uint8))[1].tobytes())
    (folder / "Thumbs.db").write_bytes(b"")
    with (root / "val_gps_day.list").open("a") as file:
        file.write(f"{two} 6 1_2\n")
    assert found(root) == {
        "frames_missing": {one: 2},
        "frames_more_than_listed": {one: 1},
        "frames_unreadable": {two: 1},
        "frames_of_another_size": {two: 1},
        "clips_without_a_fix": {two: 1},
        "clips_outside_of_the_video": {two: 1},
        "files_that_no_list_names": {two: 1},
    }


def test_a_film_of_another_length_than_listed_is_counted_in_frames(exported, tmp_path):
    root = damaged_copy(exported, tmp_path)
    one, two = open_dataset(root, "train").videos
    (root / "train_day.list").write_text(f"{one} 182\n{two} 179\n")
    (root / "train.list").write_text(f"{one} 182\n{two} 179\n")
    assert found(root, "train", deep=True) == {"frames_missing": {one: 2}, "frames_more_than_listed": {two: 1}}


def test_lists_are_examined_row_by_row(exported, tmp_path):
    root = damaged_copy(exported, tmp_path)
    path = root / "val_gps_day.list"
    rows = path.read_text().splitlines()
    video = rows[0].split()[0]
    path.write_text("\n".join([*rows, rows[1], rows[1], "what", f"{video} x 1_2", "stranger 0 1_2"]))
    (root / "gallery_gps_day_center.list").unlink()
    (root / "gallery_gps.list").open("a").write(f"{(root / 'gallery_gps.list').read_text().split()[0]} stranger\n")
    kinds = found(root)
    assert kinds["list_rows_unreadable"] == {"val_gps_day.list": 2}
    assert kinds["list_rows_repeated"] == {"val_gps_day.list": 2}
    assert kinds["clips_of_videos_that_no_list_names"] == {"stranger": 1}
    assert kinds["list_missing"] == {"gallery_gps_day_center.list": 1}
    assert kinds["tiles_shared_by_videos"] == {"val": 1}
    assert kinds["info_missing"] == {"stranger": 1}


def test_the_doctor_says_how_far_it_is_and_refuses_only_what_is_no_folder(exported, tmp_path):
    steps = []
    check_dataset(exported, on_done=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    (tmp_path / "empty").mkdir()
    assert found(tmp_path / "empty")["list_missing"] == {
        "val_day_vid.list": 1, "val_gps_day.list": 1, "gallery_gps_day_center.list": 1, "gallery_gps.list": 1,
    }  # fmt: skip
    with pytest.raises(DatasetUnreadable, match="nowhere"):
        check_dataset(tmp_path / "nowhere")


def test_a_finding_has_one_of_the_known_kinds():
    with pytest.raises(ValueError, match="no kind"):
        Finding("bad weather", "one", 1, "rain")
