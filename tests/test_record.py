"""What is kept of localized drives."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from answers import AWAY, HOME, answer, inside, path_step, step

from gama_core.evaluate import compare, summary
from gama_core.record import hour_of_recording, record_drives
from gama_core.run import read_run, save_run
from gama_core.track import Fix, Track

START = inside(HOME, 0.2, 0.5)
TRACK = Track(tuple(Fix(float(second), START.moved(10.0 * second, 0)) for second in range(4)))


class City(SimpleNamespace):
    def __len__(self) -> int:
        return 9


CITY = City(name="city", sha256="b" * 64, regions=(HOME, AWAY))


def recorded(film: Path):
    steps = [step(second, START.moved(10.0 * second, 50)) for second in range(4)] + [step(99, START)]
    path = [path_step(second, START.moved(10.0 * second, 5)) for second in range(4)] + [path_step(99, START)]
    found = answer(steps, path=path)
    return found, record_drives("Made up", [(film, found, compare(found, TRACK))], CITY)


def test_each_clip_with_a_fix_is_kept_with_what_was_found(tmp_path):
    found, run = recorded(tmp_path / "drive.mp4")
    assert [clip.second for clip in run.clips] == [0, 1, 2, 3]
    assert run.tables["clips_without_fix"] == 1
    for clip, one in zip(run.clips, found.before, strict=False):
        assert clip.truth == TRACK.at(clip.second)
        assert (clip.region, clip.before[0].at, clip.before[0].region) == (HOME.name, one.at, HOME.name)
        assert clip.path is not None
        assert clip.truth.distance_m(clip.path) == pytest.approx(5, rel=1e-3)
    assert (run.gallery, run.weights, run.gallery_size) == (f"city ({'b' * 16})", f"compact ({'c' * 12})", 9)
    assert run.settings == found.settings.as_dict()
    assert {**summary([(found, compare(found, TRACK))]), "clips_without_fix": 1} == run.tables
    assert dataclasses.replace(read_run(save_run(run, tmp_path)), clips=()) == dataclasses.replace(run, clips=())


def test_a_generated_film_says_its_weather_and_its_clock_is_not_believed(tmp_path):
    film = tmp_path / "drive.mp4"
    film.with_suffix(".json").write_text(json.dumps({"startTime": 1.5e12, "locations": [{"longitude": 0.0}]}))
    assert {(clip.hour, clip.condition) for clip in recorded(film)[1].clips} == {(2, None)}
    (tmp_path / "drives.json").write_text(json.dumps([{"file": "drive.mp4", "note": "dusk"}]))
    assert {(clip.hour, clip.condition) for clip in recorded(film)[1].clips} == {(None, "dusk")}
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "drive.json").write_text(json.dumps({"weather": "rain"}))
    assert {(clip.hour, clip.condition) for clip in recorded(film)[1].clips} == {(None, "rain")}


@pytest.mark.parametrize("foreign", ["not json", '{"drives": [{"file": "drive.mp4"}]}', "[1, 2]", "\ufeff{}"])
def test_files_beside_a_film_that_are_not_ours_say_nothing(tmp_path, foreign):
    (tmp_path / "truth").mkdir()
    for name in ("drives.json", "drive.json", "truth/drive.json"):
        (tmp_path / name).write_text(foreign)
    assert {(clip.hour, clip.condition) for clip in recorded(tmp_path / "drive.mp4")[1].clips} == {(None, None)}


@pytest.mark.parametrize(
    ("start_ms", "lon_deg", "hour"),
    [
        (1_500_000_000_000, 0.0, 2),  # 02:40 UTC
        (1_500_000_000_000, -74.0, 21),  # 4 h 56 min behind
        (1_500_000_000_000, 179.0, 14),
        (12_345, -74.0, None),
        (None, -74.0, None),
        (1_500_000_000_000, None, None),
    ],
)
def test_the_hour_is_that_of_the_sun(start_ms, lon_deg, hour):
    assert hour_of_recording({"startTime": start_ms, "locations": [{"longitude": lon_deg}]}) == hour
    assert hour_of_recording({"startTime": start_ms}) is None


def test_a_film_below_the_folder_is_named_from_there(tmp_path, monkeypatch):
    film = tmp_path / "films" / "drive.mp4"
    film.parent.mkdir()
    assert recorded(film)[1].frames == {"drive": str(film)}
    monkeypatch.chdir(tmp_path)
    assert recorded(film)[1].frames == {"drive": "films/drive.mp4"}


def test_no_answer_makes_no_run():
    with pytest.raises(ValueError, match="at least one"):
        record_drives("none", [], CITY)
