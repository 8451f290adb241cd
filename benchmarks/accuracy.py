"""python -m benchmarks.accuracy: how right, on drives through places that no network has seen (`make bench-accuracy`).

The sample place; the test county of the paper's size (`benchmarks.county`), by length, by size, and with each drive's
own place left out; cities of styles held out; and the real pair, where it is at hand (`benchmarks.real`). Films are
made where they are missing. What the default answers on the sample becomes the run that ships with the Evaluate page.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks import county as test_county
from benchmarks.answering import Crew, Drive, crew
from benchmarks.county import City
from benchmarks.measures import (
    PAPER,
    print_by_weather,
    print_confidence,
    print_head,
    print_ladder,
    print_left_out,
    print_lengths,
    print_row,
)
from benchmarks.real import print_real
from gama_core.build_gallery import Grid, build_gallery
from gama_core.embed import Models, load_models
from gama_core.errors import GamaError
from gama_core.evaluate import compare
from gama_core.gallery import Gallery, open_gallery
from gama_core.record import record_drives
from gama_core.run import save_run
from gama_core.screen import can_screen
from gama_core.settings import Settings
from gama_core.telemetry import read_track
from gama_core.world.place import SAMPLE_SEED, make_place, street_map, style_of

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "assets" / "sample" / "gallery"
RUNS = ROOT / "assets" / "sample" / "runs"
CACHE = ROOT / "cache"
DRIVES = CACHE / "sample-drives"
COUNT = 24
LENGTHS = (20, 10, 5, 1)  # seconds; whole drives are 40
GRIDS = ((1, 1), (1, 8), (2, 1), (2, 4), (2, 8))  # views along a tile, and headings: from the paper's to ours


def main() -> None:
    """Prints the tables asked for; all where none is named."""
    parser = argparse.ArgumentParser()
    tables = {
        "sample": _sample,
        "sample-lengths": _sample_lengths,
        "grids": _grids,
        "county": _county,
        "lengths": _lengths,
        "sizes": _sizes,
        "left-out": _left_out,
        "held-out": _held_out,
        "real": _real,
    }
    parser.add_argument("tables", nargs="*", help=", ".join(tables))
    parser.add_argument(
        "--of-each-city",
        type=int,
        help="so many drives of each city of the county; else all, and for lengths and sizes one",
    )
    parser.add_argument("--cities", type=int, help="the first so many cities of the county; all where not given")
    asked = parser.parse_args()
    models = load_models()
    with crew() as workers:
        for name in asked.tables or tables:
            tables[name](models, workers, asked)


def _sample(models: Models, workers: Crew, _asked: Namespace) -> None:
    gallery = open_gallery(SAMPLE)
    if not can_screen(gallery, models):
        raise GamaError(f"{SAMPLE} was made with another screening network: `make sample` makes it anew.")
    films = _films()
    drives = workers.read_drives(films)
    _title(f"{len(films)} drives of 40 s through {gallery.name}", gallery)
    strict = _on_grid(gallery, models, Grid(per_tile=1, rotations=8))  # the paper's places, turned
    for name, screening in (("network", "screening network"), ("late", "late interaction")):
        settings = replace(PAPER, screening=name)  # type: ignore[arg-type]
        print_row(f"one view a tile, {screening}", "after", workers.answers(drives, strict, settings, name))
    rows = print_ladder(workers, drives, gallery, street_map(make_place(SAMPLE_SEED, 6, 6)))
    print_by_weather(drives, rows)
    print_confidence(rows)
    print_left_out(workers, drives, rows, gallery)
    tracks = [read_track(film.with_suffix(".json")) for film in films]  # the app compares with GPS as phones give it
    kept = [
        (film, row.answer, compare(row.answer, track)) for film, row, track in zip(films, rows, tracks, strict=True)
    ]
    print(f"\nkept: {save_run(record_drives('Sample drives', kept, gallery), RUNS).relative_to(ROOT)}\n")


def _sample_lengths(_models: Models, workers: Crew, _asked: Namespace) -> None:
    gallery, films = open_gallery(SAMPLE), _films()
    _title(f"the first seconds of {len(films)} drives through {gallery.name}", gallery)
    streets = street_map(make_place(SAMPLE_SEED, 6, 6))
    print_lengths(workers, workers.read_drives(films), gallery, LENGTHS, streets)
    print()


def _grids(models: Models, workers: Crew, _asked: Namespace) -> None:
    """What denser and turned views are worth, and what they weigh."""
    sample, films = open_gallery(SAMPLE), _films()
    drives = workers.read_drives(films)
    _title(f"{len(films)} drives of 40 s through {sample.name}, by the views of its gallery", sample)
    for per_tile, rotations in GRIDS:
        grid = Grid(per_tile, rotations)
        gallery = sample if grid == Grid() else _on_grid(sample, models, grid)
        weight_mb = gallery.embeddings.nbytes / 1e6
        print(f"{per_tile} x {per_tile} a tile, {rotations} headings: {len(gallery):,} views, {weight_mb:.1f} MB")
        clips = workers.answers(drives, gallery, replace(PAPER, screening="late"), "clips")
        print_row("  late interaction, windows", "after", clips, timed=False)
        print_row("  the default", "path", workers.answers(drives, gallery, Settings(), "default"), timed=False)
    print()


def _county(models: Models, workers: Crew, asked: Namespace) -> None:
    some = _cities(asked)
    gallery, _, every = _made(models, workers, some, _name(some))
    _title(f"{len(every)} drives of 40 s through {len(some)} cities", gallery)
    rows = print_ladder(workers, every, gallery, test_county.streets_of(some))
    print_by_weather(every, rows)
    print_confidence(rows)
    print()


def _lengths(models: Models, workers: Crew, asked: Namespace) -> None:
    some = _cities(asked, most=asked.of_each_city or 1, long=True)
    gallery, _, every = _made(models, workers, some, _name(some))
    _title(f"the first seconds of {len(every)} drives, and longer ones, through {len(some)} cities", gallery)
    print_row("  40 s", "path", workers.answers(every, gallery, Settings(), "40 s"), timed=False)
    print_lengths(workers, every, gallery, LENGTHS, test_county.streets_of(some))
    for seconds in test_county.LONG_DRIVES:
        long = workers.read_drives(
            [film for city in some for film in city.long_films if film.stem == f"long_{seconds}"]
        )
        for name, settings in (("", Settings()), (", in one piece", Settings(window_clips=100_000))):
            rows = workers.answers(long, gallery, settings, f"{seconds} s{name}", anew=True)
            print_row(f"  {seconds} s{name} ({len(long)})", "path", rows)
    print()


def _sizes(models: Models, workers: Crew, asked: Namespace) -> None:
    some = _cities(asked, most=asked.of_each_city or 1)
    gallery, drives, every = _made(models, workers, some, _name(some))
    _title(f"{len(every)} drives of 40 s among fewer regions than the county's", gallery)
    for count in (1, 6):
        _in_parts(models, workers, some, drives, count)
    rows = workers.answers(every, gallery, Settings(), "all")
    print_row(f"  among {len(gallery.regions)} regions", "path", rows, timed=False)
    print()


def _left_out(models: Models, workers: Crew, asked: Namespace) -> None:
    some = _cities(asked)
    gallery, _, every = _made(models, workers, some, _name(some))
    print(f"{len(every)} drives through {len(gallery.regions)} regions, and again without their own", end="")
    rows = workers.answers(every, gallery, Settings(), "default")
    print_left_out(workers, every, rows, gallery)
    print()


def _cities(asked: Namespace, most: int | None = None, long: bool = False) -> list[City]:
    """The cities of the county that were asked for; their long drives are not filmed where nobody looks at them."""
    found = test_county.cities(most or asked.of_each_city)[: asked.cities]
    return [replace(city, long_s=city.long_s if long else ()) for city in found]


def _name(some: Sequence[City]) -> str:
    return "county" if len(some) == test_county.CITIES else f"county-{len(some)}"


def _made(
    models: Models, workers: Crew, some: Sequence[City], name: str
) -> tuple[Gallery, dict[City, list[Drive]], list[Drive]]:
    """One gallery of some cities, the drives of 40 s through each, and all of them."""
    test_county.make_films(some)
    drives = {city: workers.read_drives(city.films) for city in some}
    every = [drive for city in some for drive in drives[city]]
    return test_county.county(models, some, name), drives, every


def _in_parts(models: Models, workers: Crew, some: Sequence[City], drives: dict[City, list[Drive]], count: int) -> None:
    """The default, each drive searched among so many cities alone."""
    rows, regions = [], 0
    for first in range(0, len(some), count):
        part = some[first : first + count]
        seeds = ",".join(str(city.seed) for city in part)
        gallery = test_county.county(models, part, f"part-{hashlib.sha256(seeds.encode()).hexdigest()[:8]}")
        mine = [drive for city in part for drive in drives[city]]
        rows += workers.answers(mine, gallery, Settings(), f"{count} cities")
        regions = len(gallery.regions)
    print_row(f"  among {regions} regions", "path", rows, timed=False)


def _held_out(models: Models, workers: Crew, asked: Namespace) -> None:
    some = test_county.held_out_cities(asked.of_each_city)
    gallery, drives, every = _made(models, workers, some, "held-out")
    _title(f"{len(every)} drives of 40 s through {len(some)} cities of styles that were held out", gallery)
    rows = print_ladder(workers, every, gallery)
    families = {city: style_of(city.seed).family.name for city in some}
    for family in sorted(set(families.values())):
        mine = {id(drive) for city in some if families[city] == family for drive in drives[city]}
        some_rows = [row for drive, row in zip(every, rows, strict=True) if id(drive) in mine]
        print_row(f"  {family} ({len(some_rows)})", "path", some_rows)
    print_confidence(rows)
    print()


def _real(models: Models, _workers: Crew, _asked: Namespace) -> None:
    print_real(models)


def _title(words: str, gallery: Gallery) -> None:
    print(f"{words}: {len(gallery.regions)} regions, {gallery.area_km2:.1f} km2, {len(gallery):,} views")
    print_head()


def _films() -> list[Path]:
    if len(list(DRIVES.glob("*.mp4"))) < COUNT:
        command = [sys.executable, "-m", "gama_core", "world", "drives", "--seed", str(SAMPLE_SEED), "--columns", "6"]
        command += ["--rows", "6", "--count", str(COUNT), "--seconds", "40", "--out", str(DRIVES), "--workers", "2"]
        subprocess.run(command, cwd=ROOT, check=True)
    return sorted(DRIVES.glob("*.mp4"))[:COUNT]


def _on_grid(gallery: Gallery, models: Models, grid: Grid) -> Gallery:
    """The same imagery by other views."""
    folder = CACHE / f"grid-{grid.per_tile}-{grid.rotations}-{test_county.made_by(models)}"
    if not folder.is_dir():
        build_gallery(gallery.imagery, models, folder, grid, name=f"{gallery.name}, other views")
    return open_gallery(folder)


if __name__ == "__main__":
    main()
