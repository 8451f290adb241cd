import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from real import real

from gama_core.dataset import open_dataset, read_kept, read_predictions
from gama_core.dataset.lists import (
    GalleryItem,
    Query,
    VideoRow,
    centred_rows,
    query_rows,
    tile_rows,
    video_rows,
)
from gama_core.dataset.retrieved import write_retrieved
from gama_core.errors import DatasetUnreadable
from gama_core.tile import Tile

TILE = Tile(154379, 197218)


def written(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_each_list_is_read_as_the_release_writes_it(tmp_path):
    path = tmp_path / "a.list"
    assert query_rows(written(path, "b1c66a42-6f7d68ca 1 154379_197218\n")).sound() == (
        Query("b1c66a42-6f7d68ca", 1, TILE),
    )
    assert centred_rows(written(path, "b1c66a42-6f7d68ca/02.jpeg 1 154379_197218\n")).sound() == (
        GalleryItem("b1c66a42-6f7d68ca_1", "b1c66a42-6f7d68ca", 1, TILE, "b1c66a42-6f7d68ca/02.jpeg"),
    )
    assert tile_rows(written(path, "154379_197218 b1c66a42-6f7d68ca\n")).sound() == (
        GalleryItem("154379_197218", "b1c66a42-6f7d68ca", None, TILE, "b1c66a42-6f7d68ca/154379_197218.jpeg"),
    )
    assert video_rows(written(path, "0008a165-c48f4b3e 1202\nb1c66a42-6f7d68ca\n")).sound() == (
        VideoRow("0008a165-c48f4b3e", 1202),
        VideoRow("b1c66a42-6f7d68ca", None),
    )


def test_blank_lines_carriage_returns_a_byte_order_mark_and_blanks_mean_nothing(tmp_path):
    text = "\ufeff\r\n  one   1\t154379_197218  \r\n\r\n\r\ntwo 2 154379_197218"
    rows = query_rows(written(tmp_path / "a.list", text))
    assert rows.sound() == (Query("one", 1, TILE), Query("two", 2, TILE))


def test_a_gzipped_list_is_read_like_a_plain_one(tmp_path):
    path = written(tmp_path / "a.list.gz", gzip.compress(b"one 30\n"))
    assert video_rows(path).sound() == (VideoRow("one", 30),)


def test_rows_that_repeat_are_kept_and_counted(tmp_path):
    rows = query_rows(written(tmp_path / "a.list", "one 1 1_2\none 1 1_2\none 1 1_2\ntwo 1 1_2\n"))
    assert len(rows.sound()) == 4
    assert rows.repeated == 2


@pytest.mark.parametrize(
    "row",
    ["one", "one 1 2_3 4", "one -1 2_3", "one 1.5 2_3", "one 1 2", "one 1 2_x", "one 1 524288_0", "../one 1 2_3",
     "a/b 1 2_3", ".. 1 2_3", "one ² 2_3", "one 9999999999 2_3"],
)  # fmt: skip
def test_a_bad_row_is_named_with_its_file_and_line(tmp_path, row):
    rows = query_rows(written(tmp_path / "val_gps_day.list", f"one 1 2_3\n\n{row}\ntwo 2 2_3\n"))
    assert [fault.line for fault in rows.faults] == [3]
    assert len(rows.rows) == 2
    with pytest.raises(DatasetUnreadable, match=r"val_gps_day\.list, line 3"):
        rows.sound()


@pytest.mark.parametrize("row", ["one.jpeg 1 2_3", "one/../two.jpeg 1 2_3", "one/.. 1 2_3", "one/a 1", "/a 1 2_3"])
def test_a_tile_cannot_lie_elsewhere_than_in_its_video(tmp_path, row):
    assert len(centred_rows(written(tmp_path / "a.list", row)).faults) == 1


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xff\xfe\x00bad", b"\x1f\x8bno gzip"])
def test_an_empty_list_and_one_that_is_no_text_are_refused(tmp_path, content):
    with pytest.raises(DatasetUnreadable, match=r"a\.list"):
        video_rows(written(tmp_path / "a.list", content)).sound()


names = st.from_regex(r"[0-9a-f]{8}-[0-9a-f]{8}", fullmatch=True)
tiles = st.builds(Tile, st.integers(0, 2**19 - 1), st.integers(0, 2**19 - 1))


@given(st.lists(st.builds(Query, names, st.integers(0, 10**6), tiles), min_size=1))
def test_what_is_written_is_read_again(tmp_path_factory, queries):
    path = tmp_path_factory.getbasetemp() / "round.list"
    path.write_text("".join(f"{query.row}\n" for query in queries))
    assert list(query_rows(path).sound()) == queries


def test_the_published_lists_are_read_as_they_are(tmp_path):
    for name, packed in (("val_gps_day", "gama_val_gps_day"), ("gallery_gps", "gama_gallery_gps")):
        (tmp_path / f"{name}.list.gz").write_bytes(real(f"tracks/{packed}.list.gz").read_bytes())
    (tmp_path / "val_day_vid.list").write_bytes(real("gama_release/val_day_vid.list").read_bytes())
    dataset = open_dataset(tmp_path, gallery="ucn")
    assert len(dataset.queries) == 115_866  # README of ../shared/real
    assert len(dataset.gallery_items) == 29_521
    assert len(dataset.videos) == 3_103
    assert dataset.queries[0] == Query("b1c66a42-6f7d68ca", 1, TILE)
    assert len({query.name for query in dataset.queries}) == 115_866 - 162  # awk, sort and uniq count as many
    assert dataset.gallery_items[1].tile == Tile(154380, 197218)


def test_the_published_answers_are_read_as_they_are():
    kept = read_kept(real("gama_release/L_top1per.json.gz"))
    own = sum(video in regions for video, regions in kept.items()) / len(kept)
    assert own == pytest.approx(0.4625, abs=5e-5)  # README of ../shared/real
    found = read_predictions(real("gama_release/top_finetuning_pred.json.gz"))
    assert len(found) == 4_000
    same = [name.rpartition("_")[0] == video for video, names in found.items() for name in names]
    assert sum(same) / len(same) == pytest.approx(0.4994, abs=5e-5)


def test_answers_are_written_as_they_are_read(tmp_path):
    found = {"one": ("two_1", "three_22"), "two": ()}
    write_retrieved(found, tmp_path / "found.json")
    assert json.loads((tmp_path / "found.json").read_text()) == {"one": ["two_1", "three_22"], "two": []}
    assert read_predictions(tmp_path / "found.json") == found


@pytest.mark.parametrize(
    "text", ["", "[1]", "{", '{"one": "two_1"}', '{"one": [1]}', '{"one": ["two"]}', '{"../one": ["two_1"]}', "1"]
)
def test_answers_of_another_form_are_refused(tmp_path, text):
    with pytest.raises(DatasetUnreadable, match=r"found\.json"):
        read_predictions(written(tmp_path / "found.json", text))


def test_a_folder_is_no_file_of_answers(tmp_path):
    with pytest.raises(DatasetUnreadable, match="is a folder"):
        read_kept(tmp_path)
