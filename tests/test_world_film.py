import functools
import json

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from gama_core.errors import SettingsInvalid, TrackUnreadable
from gama_core.geo import LatLon
from gama_core.world.commands import app
from gama_core.world.film import Take, film, read_truth, write_drive
from gama_core.world.place import make_place


@functools.cache
def city():
    return make_place(20_957)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drives")
    write_drive(city(), 1, 2.0, folder, weather="day")
    return folder


def test_a_film_is_h264_at_30_frames_a_second(folder):
    with av.open(str(folder / "drive_001.mp4")) as file:
        stream = file.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert stream.average_rate == 30
        frames = [frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)]
    assert len(frames) == 60
    assert frames[0].shape == (360, 640, 3)
    assert frames[0].std() > 10


def test_the_index_of_a_film_comes_first(folder):
    content = (folder / "drive_001.mp4").read_bytes()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


def test_the_gps_lies_beside_the_film_and_the_truth_apart(folder):
    info = json.loads((folder / "drive_001.json").read_text())
    truth = json.loads((folder / "truth" / "drive_001.json").read_text())
    assert info["endTime"] - info["startTime"] == 2000
    start = LatLon(*truth["rows"][0][1:3])
    row = info["locations"][0]
    assert start.distance_m(LatLon(row["latitude"], row["longitude"])) < 30
    assert len(truth["rows"]) == 20


def test_a_film_that_exists_is_kept(folder):
    before = (folder / "drive_001.mp4").stat().st_mtime_ns
    write_drive(city(), 1, 2.0, folder, weather="day")
    assert (folder / "drive_001.mp4").stat().st_mtime_ns == before


def test_a_film_that_fails_leaves_nothing(tmp_path):
    def stop(done, total):
        raise KeyboardInterrupt

    take = Take.random(city(), 2, 2.0, "day")
    with pytest.raises(KeyboardInterrupt):
        film(city(), take, tmp_path / "x.mp4", (128, 72), stop)
    assert list(tmp_path.iterdir()) == []


def test_a_number_gives_the_same_take():
    one, two = (Take.random(city(), 3, 3.0) for _ in range(2))
    assert one.camera == two.camera
    assert one.conditions.name == two.conditions.name
    assert np.array_equal(one.drive.x_m, two.drive.x_m)


def test_an_unknown_weather_is_refused():
    answer = CliRunner().invoke(app, ["drives", "--out", "x", "--weather", "hail"])
    assert isinstance(answer.exception, SettingsInvalid)
    assert "hail" in str(answer.exception)


@pytest.mark.parametrize("command", ["place", "drives", "training-set"])
def test_every_command_explains_itself(command):
    answer = CliRunner().invoke(app, [command, "--help"])
    assert answer.exit_code == 0
    assert "--out" in answer.output


def test_the_truth_of_a_film_reads_back(folder):
    track, weather = read_truth(folder / "drive_001.mp4")
    rows = json.loads((folder / "truth" / "drive_001.json").read_text())["rows"]
    assert weather == "day"
    assert [fix.time_s for fix in track.fixes] == [row[0] for row in rows]
    assert track.fixes[7].at == LatLon(*rows[7][1:3])
    assert (track.fixes[7].heading_deg, track.fixes[7].speed_m_s) == tuple(rows[7][3:])


def test_a_film_without_truth_says_so(tmp_path):
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "other.json").write_text('{"columns": ["time_s"], "rows": [[0]]}')
    for name in ("mine.mp4", "other.mp4"):
        with pytest.raises(TrackUnreadable, match="film the drive again"):
            read_truth(tmp_path / name)
