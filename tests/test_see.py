"""What is seen in a video is the same however many of its clips are held at once."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from gama_core import see as seeing
from gama_core.embed import load_models
from gama_core.see import see
from gama_core.settings import Settings
from gama_core.video import open_video
from tests.cities import random_models
from tests.films import even, film

SETTINGS = Settings(clip_every_s=0.5)


def test_a_video_seen_piece_by_piece_is_the_video_seen_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    pictures = [rng.integers(0, 255, (72, 128, 3), np.uint8) for _ in range(60)]
    video = open_video(film(tmp_path / "drive.mp4", even(15, 60), pictures, (128, 72)))
    models = random_models(fine=True)
    whole, heard = see(video, models, SETTINGS), []
    monkeypatch.setattr(seeing, "PIECE_CLIPS", 3)
    pieces = see(video, models, SETTINGS, lambda stage, done, _total: heard.append((stage, done)))
    assert whole.numbers == pieces.numbers
    assert len(whole.numbers) % 3 != 0
    for one, other in ((whole.times_s, pieces.times_s), (whole.vectors, pieces.vectors), (whole.fine, pieces.fine)):
        assert other == pytest.approx(one, abs=2e-2)  # bfloat16, and other batches
    assert whole.odometry is not None
    assert pieces.odometry is not None
    for name in (field.name for field in dataclasses.fields(whole.odometry)):
        assert len(getattr(pieces.odometry, name)) == len(whole.numbers)
    assert [done for stage, done in heard if stage == "video"] == list(range(1, len(whole.numbers) + 1))
    assert heard[-1] == ("embedding", len(whole.numbers))


def test_what_was_seen_by_another_precision_or_is_damaged_is_seen_anew(tmp_path: Path) -> None:
    pictures = [np.full((72, 128, 3), shade, np.uint8) for shade in range(0, 240, 8)]
    video = open_video(film(tmp_path / "drive.mp4", even(15, 30), pictures, (128, 72)))
    for precision in ("float32", "bfloat16", "float32"):
        see(video, load_models("cpu", precision=precision), cache=tmp_path / "seen")  # type: ignore[arg-type]
    assert len(list((tmp_path / "seen").glob("*.npz"))) == 2
    models = load_models("cpu", precision="float32")
    exact = see(video, models, cache=tmp_path / "one")
    (path,) = (tmp_path / "one").glob("*.npz")
    whole = path.read_bytes()
    names = [whole.rindex(name) for name in (b"motion", b"fine", b"vectors")]  # in the directory at the end of the file
    for at in [*names, *np.random.default_rng(7).integers(0, len(whole), 40)]:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x11]) + whole[at + 1 :])
        again = see(video, models, cache=tmp_path / "one")
        assert again.vectors == pytest.approx(exact.vectors, abs=1e-5)
        assert (again.fine is None, again.odometry is None) == (False, False)
