"""What each step adds, how honest the confidence is, and what becomes of short drives and of places left out.

Part of `python -m benchmarks.accuracy`: each drive is embedded once, and its clips' vectors serve every row.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from gama_core.embed import Models
from gama_core.evaluate import NEAR_M, PRECISE_M, Comparison, Stage, compare, summary
from gama_core.gallery import Gallery
from gama_core.localize import find
from gama_core.measures import (
    area_under_risk_coverage,
    expected_calibration_error,
    rejection_at_acceptance,
    risk_coverage,
)
from gama_core.plane import left_out
from gama_core.result import Localization
from gama_core.see import Seen, see
from gama_core.settings import Settings
from gama_core.streets import Streets
from gama_core.telemetry import read_track
from gama_core.track import Track
from gama_core.video import open_video

LENGTHS = (5, 10, 20)  # clips of one second; whole drives are 40
Row = tuple[Localization, Comparison]
Drive = tuple[Seen, Track]


def print_measures(
    films: Sequence[Path], gallery: Gallery, models: Models, streets: Streets, condition: Callable[[Path], str]
) -> None:
    """Prints the ladder of steps, drive lengths, conditions, the confidence, and the places left out."""
    drives = [
        (see(open_video(film), models), read_track(film.with_suffix(".json"))) for film in _shown(films, "embedding")
    ]
    columns = ("@80 m", "@25 m", "median", "ATE", "Frechet", "heading", "region @1", "time")
    widths = (8, 8, 8, 8, 9, 9, 11, 8)
    print(f"\n{'':36}" + "".join(f"{name:>{width}}" for name, width in zip(columns, widths, strict=True)))
    network = Settings(screening="network", decode=False)
    ladder = (
        ("GAMa-Net alone", "before", network, None),
        ("+ screening network (the paper's)", "after", network, None),
        ("late interaction", "after", Settings(screening="late", region_windows=False), None),
        ("late interaction, windows", "after", Settings(screening="late"), None),
        ("fused", "after", Settings(screening="fused"), None),
        ("+ a path, headings off", "path", Settings(headings=False), None),
        ("+ a path (the default)", "path", Settings(), None),
        ("+ a path, street prior", "path", Settings(), streets),
    )
    answers: dict[tuple[Settings, bool], tuple[list[Row], float]] = {}
    for name, stage, settings, network_of_streets in ladder:
        key = (settings, network_of_streets is not None)
        if key not in answers:
            answers[key] = _answers(drives, gallery, models, settings, network_of_streets, name)
        _print(name, stage, *answers[key])
    rows, _ = answers[Settings(), False]
    for clips in LENGTHS:
        short = [(seen.first(clips), track) for seen, track in drives]
        _print(f"  default, {clips} s", "path", *_answers(short, gallery, models, Settings(), None, f"{clips} s"))
    for weather in sorted({condition(film) for film in films}):
        some = [row for film, row in zip(films, rows, strict=True) if condition(film) == weather]
        _print(f"  default, {weather} ({len(some)})", "path", some, float("nan"))
    _print_confidence(rows)
    _print_left_out(drives, rows, gallery, models)


def places_left_out(drives: Sequence[Drive], gallery: Gallery, models: Models) -> list[Localization]:
    """Each drive's answer in a gallery without the regions that it passes through and all that touch them."""
    answers = []
    for seen, track in _shown(drives, "left out"):
        truth = [at for at in (track.at(float(time_s)) for time_s in seen.times_s) if at is not None]
        own = [index for index, region in enumerate(gallery.regions) if any(region.contains(at) for at in truth)]
        if elsewhere := left_out(gallery, own):
            answers.append(find(seen, gallery.within(elsewhere), models, Settings()))
    return answers


def _print_confidence(rows: list[Row]) -> None:
    """Calibration error and risk-coverage of the clips' confidence and of the drives'."""
    said, right = _clip_confidence(rows)
    drive_said = np.array([answer.confidence for answer, _ in rows])
    drive_right = np.array([comparison.true_region_index in answer.kept for answer, comparison in rows])
    print(f"\n{'confidence':36}{'says':>8}{'true':>8}{'ECE':>8}{'area under risk-coverage':>27}")
    for name, chance, true in (("of a clip (within 80 m)", said, right), ("of a drive", drive_said, drive_right)):
        error, area = expected_calibration_error(chance, true), area_under_risk_coverage(chance, true)
        print(f"{name:36}{chance.mean():8.3f}{true.mean():8.3f}{error:8.3f}{area:27.3f}")
    coverage, risk = risk_coverage(said, right)
    cells = [f"{100 * risk[np.searchsorted(coverage, share - 1e-9)]:.1f} %" for share in (0.25, 0.5, 0.75, 1.0)]
    print(f"clips wrong among the surest 25, 50, 75, 100 %: {', '.join(cells)}")


def _print_left_out(drives: Sequence[Drive], rows: list[Row], gallery: Gallery, models: Models) -> None:
    """How many drives are told to be elsewhere: those that are not in the gallery, and those that are."""
    absent = places_left_out(drives, gallery, models)
    accepted = np.mean([answer.in_gallery for answer, _ in rows])
    rejected = np.mean([not answer.in_gallery for answer in absent])
    best = rejection_at_acceptance([answer.inside for answer, _ in rows], [answer.inside for answer in absent])
    unsure = np.mean([answer.confidence < 0.5 for answer in absent])
    print(
        f"\nplaces left out: {100 * accepted:.0f} % of {len(rows)} drives accepted, {100 * rejected:.0f} % of "
        f'{len(absent)} rejected as "not in this gallery", {100 * unsure:.0f} % answered with "we do not know"; '
        f"{100 * best:.0f} % would be rejected with 95 % accepted"
    )


def _clip_confidence(rows: list[Row]) -> tuple[np.ndarray, np.ndarray]:
    said, right = [], []
    for answer, comparison in rows:
        errors = comparison.path.error_m if comparison.path else ()
        for step, error in zip(answer.path, errors, strict=True):
            if error is not None:
                said.append(min(step.confidence, 1.0))
                right.append(error <= NEAR_M)
    return np.array(said), np.array(right)


def _answers(
    drives: Sequence[Drive], gallery: Gallery, models: Models, settings: Settings, streets: Streets | None, name: str
) -> tuple[list[Row], float]:
    """The answers, and the mean seconds of one."""
    rows, started = [], time.monotonic()
    for seen, track in _shown(drives, name):
        answer = find(seen, gallery, models, settings, streets=streets)
        rows.append((answer, compare(answer, track)))
    return rows, (time.monotonic() - started) / len(drives)


def _print(name: str, stage: str, rows: list[Row], seconds: float) -> None:
    found = Stage(tuple(error for _, comparison in rows for error in getattr(comparison, stage).known))
    figures = summary(rows)
    path = stage == "path"
    leash = f"{figures['frechet_m']:.0f} m" if path else "-"
    heading = f"{figures['heading_error_deg']:.1f}" if path and "heading_error_deg" in figures else "-"
    region = f"{100 * figures['region_recall']['@1']:.0f} %" if stage != "before" else "-"
    shares = f"{100 * found.recall():.1f} %", f"{100 * found.recall(PRECISE_M):.1f} %"
    spent = "-" if np.isnan(seconds) else f"{seconds:.2f} s"
    print(
        f"{name:36}{shares[0]:>8}{shares[1]:>8}{found.median_m:6.0f} m{found.root_mean_square_m:6.0f} m"
        f"{leash:>9}{heading:>9}{region:>11}{spent:>8}"
    )


def _shown(items: Sequence[Drive] | Sequence[Path], name: str) -> tqdm:
    return tqdm(items, desc=name, leave=False, disable=not sys.stderr.isatty())
