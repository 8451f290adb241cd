"""python -m benchmarks.bench: how fast and how large, on the sample place, and on the county where it was made
(`make bench`).

Each figure is printed beside the limit that the project has set itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.county import cities, gallery_folder
from benchmarks.served import ROOT, served
from gama_core.embed import load_models

GALLERY = ROOT / "assets" / "sample" / "gallery"
DRIVE = ROOT / "assets" / "sample" / "drives"
LOCALIZE = """
import resource, sys, time
from pathlib import Path
started = time.monotonic()
from gama_core import follow
from gama_core.embed import load_models
from gama_core.gallery import open_gallery
from gama_core.localize import localize
from gama_core.video import open_video
imported = time.monotonic()
decode, decoding = follow.decode, []
def timed(*asked):
    begun = time.monotonic()
    decoded = decode(*asked)
    decoding.append(time.monotonic() - begun)
    return decoded
follow.decode = timed
gallery, models = open_gallery(sys.argv[1]), load_models()
opened = time.monotonic()
cache = Path(sys.argv[3])
answer = localize(open_video(sys.argv[2]), gallery, models, cache=cache)
done = time.monotonic()
localize(open_video(sys.argv[2]), gallery, models, cache=cache)
again = time.monotonic()
peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
taken = imported - started, opened - imported, done - opened, again - done
print(*taken, peak_mb, sum(decoding), *answer.seconds.values())
"""


def main() -> None:
    """Prints the table."""
    film = sorted(DRIVE.glob("*.mp4"))[0]
    figures = _localize(film, GALLERY)
    print(f"{'what':54} {'measured':>10}   limit")
    _row("a 40 s drive localized, decode to result", f"{figures[2]:.2f} s", "15 s")
    _row("the same question again, from the cache", f"{figures[3]:.2f} s", "0.5 s")
    _row("peak memory of that process", f"{figures[4]:.0f} MB", "2048 MB")
    _row("importing the library and torch", f"{figures[0]:.2f} s", "")
    _row("opening the gallery and the weights", f"{figures[1]:.2f} s", "")
    stages = ("video", "embedding", "search", "screening", "path", "second search")
    for stage, seconds in zip(stages, figures[6:], strict=True):
        _row(f"  of which {stage}", f"{seconds:.2f} s", "")
        if stage == "path":
            _row("    in which the decoder, twice", f"{figures[5]:.2f} s", "")
    city = cities(1)[0]
    county = gallery_folder("county", load_models())
    if county.is_dir() and city.films[0].is_file():
        figures = _localize(city.films[0], county)
        _row("a 40 s drive among 600 regions, decode to result", f"{figures[2]:.2f} s", "10 s")
        _row("peak memory of that process", f"{figures[4]:.0f} MB", "2048 MB")
    _row("the app answers after its start", f"{_app_start_s():.1f} s", "10 s")
    sizes = _tracked_bytes()
    _row("files of the repository", f"{sum(sizes) / 1e6:.0f} MB", "120 MB")
    _row("largest file", f"{max(sizes) / 1e6:.1f} MB", "40 MB")
    weights = sum(path.stat().st_size for path in (ROOT / "weights").glob("*.safetensors"))
    _row("shipped weights", f"{weights / 1e6:.1f} MB", "40 MB")
    cores = len(os.sched_getaffinity(0))
    print(f"\n{cores} cores, Python {sys.version.split()[0]}, drive {film.name}; app and slider: tests/browser.")


def _localize(film: Path, gallery: Path) -> list[float]:
    with tempfile.TemporaryDirectory() as cache:
        arguments = [sys.executable, "-c", LOCALIZE, str(gallery), str(film), cache]
        shown = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [float(value) for value in shown.split()]


def _app_start_s() -> float:
    """From the command to the first answer of the server."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, served(Path(folder)):
        return time.monotonic() - started


def _tracked_bytes() -> list[int]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [(ROOT / name).stat().st_size for name in listed.split("\0") if name and (ROOT / name).is_file()]


def _row(what: str, measured: str, limit: str) -> None:
    print(f"{what:54} {measured:>10}   {limit}")


if __name__ == "__main__":
    main()
