"""What each step adds, and how honest the confidence is: the rows that every accuracy table shares.

The time of a row is that of one core, with another drive answered beside it on the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from benchmarks.answering import Crew, Drive, Row
from gama_core.evaluate import NEAR_M, PRECISE_M, Stage, summary
from gama_core.gallery import Gallery
from gama_core.geo import METRES_PER_MILE
from gama_core.measures import (
    area_under_risk_coverage,
    expected_calibration_error,
    rejection_at_acceptance,
    risk_coverage,
)
from gama_core.settings import Settings
from gama_core.streets import Streets

MILES = (0.1, 0.2, 0.5, 1.0)
LIMITS_M = (NEAR_M, PRECISE_M, *(METRES_PER_MILE * miles for miles in MILES))
COLUMNS = (
    *("@80 m", "@25 m"), *(f"@{miles} mi" for miles in MILES),
    *("median", "mean", "ATE", "Frechet", "heading", "R@1", "R@5", "R@10", "ECE", "time"),
)  # fmt: skip
WIDTHS = (8, 8, 8, 8, 8, 8, 8, 8, 8, 9, 9, 6, 6, 6, 8, 9)
NAME = 38
COVERAGES = (0.5, 0.75, 0.9, 0.95, 1.0)
PAPER = Settings(screening="network", decode=False, headings=False, closer=False, odometry=False)  # no path is asked
STAGES = {"before": ("search",), "after": ("search", "screening", "second search")}  # of a path: all
LADDER: tuple[tuple[str, str, Settings], ...] = (
    ("GAMa-Net alone", "before", PAPER),
    ("+ screening network (the paper's)", "after", PAPER),
    ("late interaction", "after", replace(PAPER, screening="late", region_windows=False)),
    ("late interaction, windows", "after", replace(PAPER, screening="late")),
    ("fused", "after", replace(PAPER, screening="fused")),
    ("+ a path", "path", Settings(headings=False, closer=False, odometry=False)),
    ("+ headings", "path", Settings(closer=False, odometry=False)),
    ("+ a closer look", "path", Settings(odometry=False)),
    ("+ measured motion (the default)", "path", Settings()),
)


def print_head() -> None:
    print(f"{'':{NAME}}" + "".join(f"{name:>{width}}" for name, width in zip(COLUMNS, WIDTHS, strict=True)))


def print_ladder(crew: Crew, drives: Sequence[Drive], gallery: Gallery, streets: Streets | None = None) -> list[Row]:
    """Prints what each step adds; gives back what the default answers."""
    known = {Settings(): crew.answers(drives, gallery, Settings(), "default", anew=True)}
    for name, stage, settings in LADDER:
        if settings not in known:
            known[settings] = crew.answers(drives, gallery, settings, name)
        print_row(name, stage, known[settings], timed=settings == Settings() or not settings.closer)
        if settings.screening == "fused":
            _print_shortlists("  the best of five for each clip", known[settings])
    print_row("  own regions given", "path", crew.places_given(drives, gallery), timed=False)
    if streets is not None:
        streeted = crew.answers(drives, gallery, Settings(), "streets", streets)
        print_row("+ street prior", "path", streeted, timed=False)
    return known[Settings()]


def print_row(name: str, stage: str, rows: Sequence[Row], timed: bool = True) -> None:
    """One line: errors and ranks of a stage, and the seconds that this stage and those before it took, mean of all;
    no seconds where some of what was looked at was known from other rows."""
    seconds = np.mean([sum(row.answer.seconds[part] for part in STAGES.get(stage, row.answer.seconds)) for row in rows])
    pairs = [(row.answer, row.comparison) for row in rows]
    found = Stage(tuple(error for row in rows for error in getattr(row.comparison, stage).known))
    figures, path = summary(pairs), stage == "path"
    region = [f"{100 * share:.0f}" if stage != "before" else "-" for share in figures["region_recall"].values()]
    said, right = clip_confidence(rows)
    cells = [
        *_errors(found),
        f"{figures['frechet_m']:.0f} m" if path else "-",
        f"{figures['heading_error_deg']:.1f}" if path and "heading_error_deg" in figures else "-",
        *region,
        f"{expected_calibration_error(said, right):.3f}" if path else "-",
        f"{seconds:.2f} s" if timed else "-",
    ]
    _print_cells(name, cells)


def _print_shortlists(name: str, rows: Sequence[Row]) -> None:
    """What choosing among a clip's answers can reach at best: errors of the nearest of the places that it shows."""
    nearest = [
        min(candidate.at.distance_m(at) for candidate in step.candidates)
        for row in rows
        for step, at in zip(row.answer.after, row.comparison.truth, strict=True)
        if at is not None
    ]
    errors = _errors(Stage(tuple(nearest)))
    _print_cells(name, [*errors, *["-"] * (len(WIDTHS) - len(errors))])


def _errors(found: Stage) -> list[str]:
    middle = (f"{value:.0f} m" if value >= 100 else f"{value:.1f} m" for value in (found.median_m, found.mean_m))
    return [*(_percent(found.recall(limit)) for limit in LIMITS_M), *middle, f"{found.root_mean_square_m:.0f} m"]


def _print_cells(name: str, cells: Sequence[str]) -> None:
    print(f"{name:{NAME}}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, WIDTHS, strict=True)), flush=True)


def print_by_weather(drives: Sequence[Drive], rows: Sequence[Row]) -> None:
    """The default, weather by weather."""
    for weather in sorted({drive.weather for drive in drives}):
        some = [row for drive, row in zip(drives, rows, strict=True) if drive.weather == weather]
        print_row(f"  {weather} ({len(some)})", "path", some)


def print_lengths(
    crew: Crew, drives: Sequence[Drive], gallery: Gallery, lengths: Sequence[int], streets: Streets
) -> None:
    """The default, of the first seconds of the drives alone; the same with a street map, and where the drives' own
    regions are given."""
    for clips in lengths:
        short = [drive.first(clips) for drive in drives]
        print_row(f"  {clips} s", "path", crew.answers(short, gallery, Settings(), f"{clips} s"), timed=False)
        streeted = crew.answers(short, gallery, Settings(), f"{clips} s, streets", streets)
        print_row(f"  {clips} s, street prior", "path", streeted, timed=False)
        print_row(f"  {clips} s, own regions given", "path", crew.places_given(short, gallery), timed=False)


def print_confidence(rows: Sequence[Row]) -> None:
    """Calibration error and risk-coverage of the clips' confidence and of the drives'."""
    said, right = clip_confidence(rows)
    drive_said = np.array([row.answer.confidence for row in rows])
    drive_right = np.array([row.comparison.true_region_index in row.answer.kept for row in rows])
    print(f"\n{'confidence':{NAME}}{'says':>8}{'true':>8}{'ECE':>8}{'area under risk-coverage':>27}")
    for name, chance, true in (("of a clip (within 80 m)", said, right), ("of a drive", drive_said, drive_right)):
        error, area = expected_calibration_error(chance, true), area_under_risk_coverage(chance, true)
        print(f"{name:{NAME}}{chance.mean():8.3f}{true.mean():8.3f}{error:8.3f}{area:27.5f}")
    coverage, risk = risk_coverage(said, right)
    cells = [f"{100 * risk[np.searchsorted(coverage, share - 1e-9)]:.2f} %" for share in COVERAGES]
    print(
        f"clips wrong among the surest {', '.join(f'{100 * share:.0f}' for share in COVERAGES)} %: {', '.join(cells)}"
    )
    _print_bands(rows)
    for low, high in ((0.0, 0.5), (0.5, 0.9), (0.9, 1.01)):
        some = [true for chance, true in zip(drive_said, drive_right, strict=True) if low <= chance < high]
        if some:
            print(f"drives said to be {low:.1f} to {min(high, 1):.1f} sure: {sum(some)} of {len(some)} right")


def _print_bands(rows: Sequence[Row]) -> None:
    """How often the truth lies in the bands that the radii draw around the path: they are meant where it is right."""
    held = np.array(
        [
            (error <= step.radius_50_m, error <= step.radius_90_m)
            for row in rows
            if row.comparison.path is not None
            for step, error in zip(row.answer.path, row.comparison.path.error_m, strict=True)
            if error is not None and error <= NEAR_M
        ]
    )
    half, most = held.mean(axis=0)
    print(
        f"of the {len(held)} clips within 80 m the band of 50 % holds {_percent(half)}, that of 90 % {_percent(most)}"
    )


def print_left_out(crew: Crew, drives: Sequence[Drive], rows: Sequence[Row], gallery: Gallery) -> None:
    """How many drives are told to be elsewhere: those that are not in the gallery, and those that are."""
    absent = crew.places_left_out(drives, gallery)
    accepted = np.mean([row.answer.in_gallery for row in rows])
    rejected = np.mean([not answer.in_gallery for answer in absent])
    best = rejection_at_acceptance([row.answer.inside for row in rows], [answer.inside for answer in absent])
    believed = np.mean([answer.known == "yes" for answer in absent])
    print(
        f"\nplaces left out: {100 * accepted:.0f} % of {len(rows)} drives accepted, {100 * rejected:.0f} % of "
        f'{len(absent)} rejected as "not in this gallery", {100 * believed:.0f} % believed; '
        f"{100 * best:.0f} % would be rejected with 95 % accepted"
    )


def clip_confidence(rows: Sequence[Row]) -> tuple[np.ndarray, np.ndarray]:
    """What was said of each clip of the paths, and whether it was within 80 m."""
    said, right = [], []
    for row in rows:
        errors = row.comparison.path.error_m if row.comparison.path else ()
        for step, error in zip(row.answer.path, errors, strict=True):
            if error is not None:
                said.append(min(step.confidence, 1.0))
                right.append(error <= NEAR_M)
    return np.array(said), np.array(right)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
