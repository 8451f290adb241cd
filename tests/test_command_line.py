"""The command line as a stranger types it: help, the main job end to end with the shipped weights, and clear errors."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gama_core.__main__ import _bounds
from gama_core.errors import GamaError
from gama_core.result import Localization
from gama_core.tile import Region
from tests.cities import CORNER, painted
from tests.films import even, film

ROOT = Path(__file__).resolve().parents[1]


def gama(*arguments: str | Path, cwd: Path = ROOT, ok: bool = True) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gama_core", *map(str, arguments)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, env=_environment())
    assert (done.returncode == 0) == ok, done.stderr
    return done


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "160", "NO_COLOR": "1"}


def test_help_names_every_command() -> None:
    shown = gama("--help").stdout
    for command in ("localize", "gallery", "evaluate", "world", "train"):
        assert command in shown


@pytest.mark.parametrize("command", [["gallery", "build"], ["world", "drives"], ["train", "gama-net"], ["evaluate"]])
def test_every_command_explains_itself(command: list[str]) -> None:
    assert len(gama(*command, "--help").stdout) > 400


def test_a_stranger_builds_a_gallery_and_localizes_a_video_in_it(tmp_path: Path) -> None:
    painted(tmp_path / "county.png", columns=1)
    box = CORNER.bounds
    bounds = f"--bounds={box.south},{box.west},{box.north},{box.east}"
    place, out = tmp_path / "county", tmp_path / "out"
    grid = ["--per-tile", "1", "--rotations", "4"]
    built = json.loads(
        gama("gallery", "build", tmp_path / "county.png", bounds, "--out", place, *grid, "--json").stdout
    )
    assert (built["regions"], built["views"]) == (1, 196)
    assert json.loads(gama("gallery", "info", place, "--json").stdout) == built
    drive = film(tmp_path / "drive.mp4", even(15, 45), size=(128, 72))
    shown = gama("localize", drive, "--gallery", place, "--out", out, "--no-cache", "--json", cwd=tmp_path).stdout
    figures = json.loads(shown)
    assert figures["region"] == Region(CORNER.x, CORNER.y).name
    assert figures["clips"] == 3
    assert figures["known"] != "yes"  # grey frames on painted squares: nothing to be sure of
    assert (figures["known"] == "not in this gallery") == (not figures["in_gallery"])
    assert figures["in_gallery"] == (figures["inside"] >= figures["inside_at_least"])
    names = {"localization.json", "map.html", "track.geojson", "track.gpx", "steps.csv"}
    assert names <= {path.name for path in out.iterdir()}
    assert Localization.from_json((out / "localization.json").read_text()).video_name == figures["video"]
    _one_bad_drive_costs_the_others_nothing(tmp_path, drive, place)


def _one_bad_drive_costs_the_others_nothing(tmp_path: Path, drive: Path, place: Path) -> None:
    at = CORNER.center
    fixes = [{"timestamp": 1000 * second, "latitude": at.lat_deg, "longitude": at.lon_deg} for second in range(4)]
    log = json.dumps({"startTime": 0, "endTime": 3000, "locations": fixes})
    folder = tmp_path / "drives"
    folder.mkdir()
    for name in ("cut", "good", "lost"):
        (folder / f"{name}.mp4").write_bytes(drive.read_bytes()[: 200 if name == "cut" else None])
        (folder / f"{name}.json").write_text("no track" if name == "lost" else log)
    runs = tmp_path / "runs"
    asked = ("evaluate", folder, "--gallery", place, "--save-run", runs, "--json")
    found = json.loads(gama(*asked, cwd=tmp_path).stdout)
    assert found["drives"] == 1
    assert found["unreadable"].keys() == {"cut.mp4", "lost.mp4"}
    assert Path(tmp_path, found["run"]).is_file()
    (folder / "alone.mp4").write_bytes(drive.read_bytes())
    (folder / "good.json").unlink()
    rows = "".join(f"{second},{at.lat_deg},{at.lon_deg}\n" for second in range(4))
    (folder / "good.CSV").write_text(f"time_s,lat,lon\n{rows}")
    found = json.loads(gama(*asked, cwd=tmp_path).stdout)
    assert (found["drives"], found["without_track"]) == (1, ["alone.mp4"])
    (folder / "good.json").write_text("notes of another program")
    assert json.loads(gama(*asked, cwd=tmp_path).stdout)["drives"] == 1
    (folder / "good.CSV").write_text("no track")
    assert "none of its 3 drives can be read" in gama(*asked, cwd=tmp_path, ok=False).stderr


def test_what_the_person_can_mend_is_one_line_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "drive.mp4").write_text("no video")
    done = gama("localize", tmp_path / "drive.mp4", "--gallery", tmp_path, ok=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "gallery" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("text", ["47.4,8.5,47.3,8.6", "47.3,nan,47.4,8.6", "47.3,8.5,47.4,inf", "95,8,96,9", "47"])
def test_bounds_that_are_none_are_said(text: str) -> None:
    with pytest.raises(GamaError, match=re.escape(text)):
        _bounds(text)


def test_a_name_longer_than_any_file_has_is_said(tmp_path: Path) -> None:
    done = gama("gallery", "build", tmp_path / ("x" * 300 + ".tif"), "--out", tmp_path / "g", ok=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "longer than" in done.stderr
