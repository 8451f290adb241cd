import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gama_core.errors import GamaError
from gama_core.geo import LatLon
from gama_core.run import ClipRecord, Match, Run, find_runs, read_run, save_run

words = st.text(max_size=12)
places = st.builds(
    lambda lat, lon: LatLon(lat / 1e6, lon / 1e6), st.integers(-90 * 10**6, 90 * 10**6), st.integers(-(10**8), 10**8)
)
scores = st.integers(-(10**4), 10**4).map(lambda n: n / 1e4)
found = st.lists(st.builds(Match, words, places, scores, words), max_size=5).map(tuple)
clips = st.builds(
    ClipRecord,
    drive=words,
    second=st.integers(0, 10**6).map(lambda n: n / 1e3),
    truth=places,
    region=words,
    hour=st.none() | st.integers(0, 23),
    condition=st.none() | words,
    rank=st.none() | st.integers(1, 10**6),
    before=found,
    after=found,
    path=st.none() | places,
    confidence=st.none() | st.integers(0, 10**4).map(lambda n: n / 1e4),
)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
runs = st.builds(
    Run,
    name=words,
    kind=st.sampled_from(["drives", "dataset"]),
    gallery=words,
    weights=words,
    created=words,
    gallery_size=st.integers(0, 10**7),
    settings=st.dictionaries(words, plain, max_size=3),
    tables=st.dictionaries(words, plain, max_size=3),
    clips=st.lists(clips, max_size=4).map(tuple),
    frames=st.none() | st.dictionaries(words, words, max_size=3),
)


def small(name: str = "Night drives, path") -> Run:
    match = Match("0_1", LatLon(40.0, -74.0), 0.9, "R0")
    clip = ClipRecord("a", 1.0, LatLon(40.001, -74.0), "R0", 23, "night", 7, (match, match), (match,), None)
    return Run(
        name, "drives", "city", "compact", "2026-01-02T03:04:05+00:00", 9, {"k": 5}, {"top1": 0.5}, (clip,), {"a": "b"}
    )


@given(runs)
@hypothesis_settings(max_examples=60, deadline=None)
def test_a_run_comes_back_from_its_file(tmp_path_factory, run):
    assert read_run(save_run(run, tmp_path_factory.mktemp("runs"))) == run


def test_a_run_from_before_the_confidence_was_kept_is_read(tmp_path):
    run = small()
    path = save_run(run, tmp_path)
    columns = json.loads(gzip.decompress(path.read_bytes()))
    del columns["confidence"]
    path.write_bytes(gzip.compress(json.dumps(columns).encode()))
    assert read_run(path) == run
    columns["confidence"] = [1.5]
    path.write_bytes(gzip.compress(json.dumps(columns).encode()))
    with pytest.raises(GamaError, match="no probability"):
        read_run(path)


def test_more_digits_than_a_run_keeps_are_rounded(tmp_path):
    clip = ClipRecord("a", 1.23456, LatLon(40.12345678, -74.98765432), "", None, None, None, (), (), None)
    run = Run("digits", "dataset", "", "", "", 0, {}, {"mean": float("nan"), "all": [float("inf"), 1.25]}, (clip,))
    back = read_run(save_run(run, tmp_path))
    assert back.clips[0].truth == LatLon(40.123457, -74.987654)
    assert back.clips[0].second == 1.235
    assert back.tables == {"mean": None, "all": [None, 1.25]}


def test_runs_are_found_by_name_and_a_broken_write_is_none_of_them(tmp_path):
    assert find_runs(tmp_path / "nowhere") == []
    second, first = save_run(small("Z"), tmp_path), save_run(small("Night drives, path"), tmp_path)
    (tmp_path / ".z.json.gz.ab.partial").write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("no run")
    assert first.name == "night-drives-path.json.gz"
    assert find_runs(tmp_path) == [first, second]


def test_a_failed_write_leaves_the_run_that_was_there(tmp_path):
    path = save_run(small(), tmp_path)
    with pytest.raises(TypeError):
        save_run(Run(small().name, "drives", "", "", "", 0, {"x": object()}, {}, ()), tmp_path)
    assert read_run(path) == small()
    assert list(tmp_path.iterdir()) == [path]


def damaged(path: Path, change) -> Path:
    fields = json.loads(gzip.decompress(path.read_bytes()))
    change(fields)
    path.write_bytes(gzip.compress(json.dumps(fields).encode()))
    return path


@pytest.mark.parametrize(
    "change",
    [
        lambda fields: fields.pop("before"),
        lambda fields: fields.update(schema=99),
        lambda fields: fields.update(format="other"),
        lambda fields: fields.update(kind="pairs"),
        lambda fields: fields.update(name=5),
        lambda fields: fields.update(tables=[]),
        lambda fields: fields.update(frames={"a": 1}),
        lambda fields: fields.update(gallery_size="many"),
        lambda fields: fields["drive"].append("more"),
        lambda fields: fields["second"].__setitem__(0, "one"),
        lambda fields: fields["truth"][0].__setitem__(0, 95.0),
        lambda fields: fields["truth"][0].__setitem__(0, None),
        lambda fields: fields["items"][2].__setitem__(0, float("nan")),
        lambda fields: fields["items"].pop(),
        lambda fields: fields["before"]["item"].__setitem__(0, 5),
        lambda fields: fields["before"]["item"].__setitem__(0, -1),
        lambda fields: fields["before"]["count"].__setitem__(0, 7),
        lambda fields: fields["before"]["score"].__setitem__(0, float("inf")),
    ],
)
def test_a_run_with_a_harmed_field_is_refused_by_its_name(tmp_path, change):
    path = damaged(save_run(small(), tmp_path), change)
    with pytest.raises(GamaError, match="night-drives-path"):
        read_run(path)


@pytest.mark.parametrize(
    "harm",
    [
        lambda raw: b"",
        lambda raw: b"plain text",
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw[:20] + b"\xff\xff\xff" + raw[23:],
        lambda raw: gzip.compress(b"[1, 2]"),
        lambda raw: gzip.compress(b"\xff\xfe not text"),
        lambda raw: gzip.compress(b"[" * 200_000),
        lambda raw: gzip.compress(b'{"format": "gama-run", "schema": ' + b"9" * 5000 + b"}"),
    ],
)
def test_a_damaged_or_foreign_file_is_refused_by_its_name(tmp_path, harm):
    path = save_run(small(), tmp_path)
    path.write_bytes(harm(path.read_bytes()))
    with pytest.raises(GamaError, match="night-drives-path"):
        read_run(path)


def test_a_file_that_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("gama_core.run.MOST_BYTES", 1000)
    path = tmp_path / "bomb.json.gz"
    path.write_bytes(gzip.compress(b" " * 100_000))
    with pytest.raises(GamaError, match="unpacks to more"):
        read_run(path)


def test_a_missing_file_is_named():
    with pytest.raises(GamaError, match=r"nowhere\.json\.gz"):
        read_run(Path("nowhere.json.gz"))


def test_a_run_takes_the_place_of_its_own_name_alone(tmp_path):
    names = ("東京", "大阪", "Zürich 1.5", "Z-RICH 1 5", "a" * 300)
    files = {name: save_run(small(name), tmp_path) for name in names}
    assert len(set(files.values())) == len(names)
    assert {name: save_run(small(name), tmp_path) for name in names} == files
    assert {read_run(path).name for path in find_runs(tmp_path)} == set(names)
