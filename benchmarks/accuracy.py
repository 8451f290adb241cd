"""python -m benchmarks.accuracy: how right, on drives through the sample place that no network has seen.

Films the drives if they are not there (`world drives`, seed 90001: a test place), localizes each in several ways, and
prints one table. What the default answers becomes the run that ships with the Evaluate page. `make bench-accuracy` does
all of it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tqdm import tqdm

from benchmarks.measures import print_measures
from gama_core.build_gallery import Grid, build_gallery
from gama_core.embed import Models, load_models
from gama_core.evaluate import Comparison, compare, summary
from gama_core.gallery import Gallery, open_gallery
from gama_core.localize import localize
from gama_core.record import record_drives
from gama_core.result import Localization
from gama_core.run import save_run
from gama_core.settings import Settings
from gama_core.telemetry import read_track
from gama_core.video import open_video
from gama_core.world.place import SAMPLE_SEED, make_place, street_map

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "assets" / "sample" / "gallery"
RUNS = ROOT / "assets" / "sample" / "runs"
CACHE = ROOT / "cache"
DRIVES = CACHE / "sample-drives"
COUNT = 24

Answer = tuple[Localization, Comparison]


def main() -> None:
    """Prints the table."""
    films = _films()
    models, gallery = load_models(), open_gallery(SAMPLE)
    strict = _paper_grid(gallery, models)
    size = f"{len(gallery.regions)} regions, {gallery.area_km2:.1f} km2"
    print(f"{len(films)} drives of 40 s through {gallery.name}: {size}")
    print(f"{'':44}{'clips within 80 m':>26}  {'median error':>26}  {'region':>16}")
    head = "".join(f"{name:>9}" for name in ("before", "after", "path"))
    print(f"{'':44}{head:>27} {head:>27}  {'@1':>5}{'@5':>5}{'@10':>6}")
    for name, place, settings in (
        ("the paper's grid, screening network", strict, Settings(screening="network", decode=False)),
        ("the paper's grid, late interaction", strict, Settings(screening="late", decode=False)),
        ("dense, screening network", gallery, Settings(screening="network", decode=False)),
        ("dense, late interaction", gallery, Settings(screening="late")),
        ("dense, both", gallery, Settings(screening="fused")),
        ("dense, both and a path (the default)", gallery, Settings()),
        ("the default, only one region kept", gallery, Settings(keep_regions=1)),
    ):
        _print(name, _answers(films, place, models, settings, name))
    rows = _answers(films, gallery, models, Settings(), "conditions")
    for condition in sorted({_condition(film) for film in films}):
        some = [row for film, row in zip(films, rows, strict=True) if _condition(film) == condition]
        _print(f"  default, {condition} ({len(some)})", some)
    _by_confidence(films, gallery, models)
    answers = [(film, *row) for film, row in zip(films, rows, strict=True)]
    print_measures(films, gallery, models, street_map(make_place(SAMPLE_SEED, 6, 6)), _condition)
    print(f"\nkept: {save_run(record_drives('Sample drives', answers, gallery), RUNS).relative_to(ROOT)}")


def _by_confidence(films: list[Path], gallery: Gallery, models: Models) -> None:
    """How sure the system says it is, beside how often it is right."""
    rows = _answers(films, gallery, models, Settings(), "confidence")
    print("\nconfidence said, and how often the drive lies in the regions kept:")
    for low, high in ((0.0, 0.5), (0.5, 0.9), (0.9, 1.01)):
        some = [row for row in rows if low <= row[0].confidence < high]
        if some:
            right = sum(comparison.region_rank <= len(answer.kept) for answer, comparison in some)
            print(f"  {low:.1f} to {min(high, 1):.1f}: {right} of {len(some)} right")


def _films() -> list[Path]:
    if len(list(DRIVES.glob("*.mp4"))) < COUNT:
        command = [sys.executable, "-m", "gama_core", "world", "drives", "--seed", "90001", "--columns", "6"]
        command += ["--rows", "6", "--count", str(COUNT), "--seconds", "40", "--out", str(DRIVES), "--workers", "2"]
        subprocess.run(command, cwd=ROOT, check=True)
    return sorted(DRIVES.glob("*.mp4"))[:COUNT]


def _paper_grid(gallery: Gallery, models: Models) -> Gallery:
    """The same imagery on the paper's grid: one view a tile, north up and at seven other headings."""
    folder = CACHE / f"paper-grid-{models.record.sha256[:12]}"
    if not folder.is_dir():
        build_gallery(gallery.imagery, models, folder, Grid(per_tile=1, rotations=8), name="the paper's grid")
    return open_gallery(folder)


def _answers(films: list[Path], gallery: Gallery, models: Models, settings: Settings, name: str) -> list[Answer]:
    answers = []
    for film in tqdm(films, desc=name, leave=False, disable=not sys.stderr.isatty()):
        answer = localize(open_video(film), gallery, models, settings, cache=CACHE / "answers")
        answers.append((answer, compare(answer, read_track(film.with_suffix(".json")))))
    return answers


def _condition(film: Path) -> str:
    facts = film.parent / "truth" / f"{film.stem}.json"
    return str(json.loads(facts.read_text())["weather"])


def _print(name: str, rows: list[Answer]) -> None:
    figures = summary(rows)

    def cells(shown: Callable[[dict[str, float]], str]) -> str:
        return "".join(
            f"{shown(figures[stage]) if stage in figures else '-':>9}" for stage in ("before", "after", "path")
        )

    recall = cells(lambda stage: f"{100 * stage['within_80_m']:.1f} %")
    median = cells(lambda stage: f"{stage['median_m']:.0f} m")
    ranks = "".join(f"{100 * share:5.0f}" for share in figures["region_recall"].values())
    print(f"{name:44}{recall} {median}  {ranks}")


if __name__ == "__main__":
    main()
