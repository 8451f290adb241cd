"""python -m benchmarks.sample: makes the sample place anew (`make sample`): its imagery, its gallery and its drives.

The city is a test place: seed 90001, which no training has seen. Films and imagery that exist are kept; the gallery is
always made by the weights that lie in `weights/`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
from tqdm import tqdm

from gama_core.build_gallery import build_gallery
from gama_core.embed import load_models
from gama_core.imagery import open_imagery
from gama_core.video import open_video, read_frame
from gama_core.world.film import write_drive
from gama_core.world.place import SAMPLE_COLUMNS, SAMPLE_ROWS, SAMPLE_SEED, make_place

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "assets" / "sample"
OWNER = "Procedural city, made by GAMa"
IMAGERY = ROOT / "cache" / "sample-aerial.tif"

DRIVES = (  # number of the drive in the city, file, title, seconds, weather, GPS
    (100, "harbour-street", "Harbour Street", 40, "day", True),
    (101, "mill-lane", "Mill Lane", 40, "dusk", True),
    (102, "station-road", "Station Road", 40, "night", True),
    (103, "ring-road", "Ring Road", 40, "rain", True),
    (104, "north-avenue", "North Avenue", 10, "day", False),
    (105, "the-long-way", "The long way", 180, "overcast", True),
)


def main() -> None:
    """Makes what is missing, then the gallery."""
    _draw_city()
    _film_drives()
    folder = SAMPLE / "gallery"
    shutil.rmtree(folder, ignore_errors=True)
    with tqdm(disable=not sys.stderr.isatty()) as bar:

        def hear(stage: str, done: int, total: int) -> None:
            bar.set_description(stage)
            bar.total, bar.n = total, done
            bar.refresh()

        build_gallery(
            open_imagery(IMAGERY), load_models("auto"), folder, name="Sample city", attribution=OWNER, on_stage=hear
        )


def _draw_city() -> None:
    if IMAGERY.is_file():
        return
    size = ["--seed", str(SAMPLE_SEED), "--columns", str(SAMPLE_COLUMNS), "--rows", str(SAMPLE_ROWS)]
    command = [sys.executable, "-m", "gama_core", "world", "place", *size, "--out", str(IMAGERY)]
    IMAGERY.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(command, cwd=ROOT, check=True)


def _film_drives() -> None:
    folder = SAMPLE / "drives"
    folder.mkdir(parents=True, exist_ok=True)
    city, listed = None, []
    for number, name, title, seconds, weather, gps in DRIVES:
        film = folder / f"{name}.mp4"
        if not film.is_file():
            city = city or make_place(SAMPLE_SEED, SAMPLE_COLUMNS, SAMPLE_ROWS)
            write_drive(city, number, seconds, folder, name, weather, gps)
        poster = read_frame(open_video(film), min(6.0, seconds / 2), 320)
        cv2.imwrite(str(film.with_suffix(".jpg")), cv2.cvtColor(poster, cv2.COLOR_RGB2BGR))
        listed.append({"file": film.name, "title": title, "note": weather})
    (folder / "drives.json").write_text(json.dumps(listed, indent=1) + "\n")
    shutil.rmtree(folder / "truth", ignore_errors=True)  # the app compares with GPS as phones give it


if __name__ == "__main__":
    main()
