"""Curves and bars against the same figures counted one clip at a time."""

from __future__ import annotations

import csv
import dataclasses
import io
import math

import numpy as np
import pytest

from gama_core import curves
from gama_core.curves import AFTER, BEFORE, PATH
from gama_core.geo import LatLon
from gama_core.run import ClipRecord, Match, Run

HOME = LatLon(40.0, -74.0)


def made_run(clips: int = 60, ranks: bool = False, seed: int = 4, spread_m: float = 15) -> Run:
    """Clips of three drives, found at random places around; some without an answer."""
    random = np.random.default_rng(seed)

    def near(at: LatLon, spread_m: float) -> LatLon:
        return at.moved(*(float(value) for value in random.normal(size=2) * spread_m))

    records = []
    for index in range(clips):
        truth = near(HOME, 1000)
        before = tuple(Match(str(k), near(truth, 400), 0.9 - 0.1 * k, "R") for k in range(5))
        after = tuple(Match(str(k), near(truth, 60), 0.9 - 0.1 * k, "R") for k in range(index % 4))
        rank = int(random.integers(1, 500)) if ranks and index % 7 else None
        hour = None if index % 5 == 0 else 8 + index % 3
        path = near(truth, spread_m) if index % 6 else None
        condition = ("day", "night", None)[index % 3]
        region = ("", "north", "south", "south")[index % 4]
        sure = index % 11 / 10 if path else None
        records.append(
            ClipRecord(f"d{index % 3}", float(index), truth, region, hour, condition, rank, before, after, path, sure)
        )
    return Run("made", "dataset", "g", "w", "2026", 500, {}, {}, tuple(records))


def plain_error_m(clip: ClipRecord, stage: str) -> float:
    lists = {BEFORE: clip.before, AFTER: clip.after}
    at = clip.path if stage == PATH else lists[stage][0].at if lists[stage] else None
    return math.inf if at is None else clip.truth.distance_m(at)


def test_errors_are_those_of_each_clips_first_answer():
    run = made_run()
    found = curves.errors_m(run)
    assert list(found) == [BEFORE, AFTER, PATH]
    for stage, error in found.items():
        assert error.tolist() == pytest.approx([plain_error_m(clip, stage) for clip in run.clips])


def test_the_risk_is_that_of_answering_no_less_sure_clips():
    run = made_run(spread_m=60)
    (line,) = curves.risk_by_coverage(run)
    said = [clip for clip in run.clips if clip.path is not None]
    for least, (share, wrong) in zip((1.0, 0.9, 0.8), zip(line.x, line.y, strict=True), strict=False):
        taken = [plain_error_m(clip, PATH) > 80 for clip in said if clip.confidence >= least]
        assert share == pytest.approx(len(taken) / len(said))
        assert wrong == pytest.approx(np.mean(taken))
    assert line.y.max() > 0
    unsaid = dataclasses.replace(run, clips=tuple(dataclasses.replace(clip, confidence=None) for clip in run.clips))
    assert curves.risk_by_coverage(unsaid) == []


def test_a_clip_without_an_answer_is_a_miss_in_every_recall():
    run = made_run()
    for line in curves.recall_by_distance(run):
        errors = [plain_error_m(clip, line.name) for clip in run.clips]
        for miles, share in zip(line.x, line.y, strict=True):
            assert share == pytest.approx(sum(error <= miles * 1609.344 for error in errors) / len(errors))
        assert np.all(np.diff(line.y) >= 0)
    assert (line.x[0], line.x[-1]) == pytest.approx((0.005, 2.0))
    after = next(line for line in curves.recall_by_distance(run) if line.name == AFTER)
    assert after.y[-1] == pytest.approx(0.75)  # every fourth has no answer


def test_recall_by_k_counts_clips_with_a_candidate_within_80_m():
    run = made_run()
    before, after = curves.recall_by_k(run)
    assert (before.x.tolist(), after.x.tolist()) == ([1, 2, 3, 4, 5], [1, 2, 3])
    for line, found in ((before, "before"), (after, "after")):
        for k, share in zip(line.x.astype(int), line.y, strict=True):
            right = [any(c.truth.distance_m(m.at) <= 80 for m in getattr(c, found)[:k]) for c in run.clips]
            assert share == pytest.approx(np.mean(right))


def test_recall_by_k_uses_ranks_over_the_whole_gallery_where_they_are_known():
    run = made_run(ranks=True)
    line = curves.recall_by_k(run)[0]
    assert (line.name, line.x[0], line.x[-1]) == (BEFORE, 1, 500)
    for k, share in zip(line.x, line.y, strict=True):
        assert share == pytest.approx(np.mean([clip.rank is not None and clip.rank <= k for clip in run.clips]))


@pytest.mark.parametrize("clips", [3, 60, 2000])
def test_the_error_distribution_says_which_share_lies_below(clips):
    run = made_run(clips)
    for line in curves.error_distribution(run):
        errors = np.array([plain_error_m(clip, line.name) for clip in run.clips])
        assert len(line.x) <= 2 * curves.POINTS
        assert line.x[-1] == pytest.approx(errors[np.isfinite(errors)].max())
        for error, share in zip(line.x, line.y, strict=True):
            assert share == pytest.approx(np.mean(errors <= error * (1 + 1e-12)), abs=1e-9)


@pytest.mark.parametrize(
    ("bars", "label_of"),
    [
        (curves.by_region, lambda clip: clip.region or None),
        (curves.by_hour, lambda clip: None if clip.hour is None else f"{clip.hour:02d}"),
        (curves.by_condition, lambda clip: clip.condition),
        (curves.by_drive, lambda clip: clip.drive),
    ],
)
def test_bars_are_the_recall_of_each_group(bars, label_of):
    run = made_run()
    found = bars(run)
    assert set(found.labels) == {label_of(clip) for clip in run.clips} - {None}
    for row, label in enumerate(found.labels):
        group = [clip for clip in run.clips if label_of(clip) == label]
        assert found.counts[row] == len(group)
        for stage, share in found.share.items():
            assert share[row] == pytest.approx(np.mean([plain_error_m(clip, stage) <= 80 for clip in group]))


def test_regions_with_more_clips_come_first():
    assert curves.by_region(made_run()).labels == ("south", "north")


def test_the_worst_clips_are_those_furthest_off_at_the_last_stage():
    run = made_run()
    order = sorted(range(60), key=lambda index: -plain_error_m(run.clips[index], PATH))
    assert [miss.index for miss in curves.worst_clips(run, 60)] == order
    one_each = curves.worst_clips(run, 10, per_drive=1)
    assert sorted(miss.clip.drive for miss in one_each) == ["d0", "d1", "d2"]
    assert one_each[0] == curves.worst_clips(run, 1)[0]


def test_a_run_without_answers_has_no_curves():
    clip = ClipRecord("d", 0.0, HOME, "", None, None, None, (), (), None)
    run = Run("none", "drives", "g", "w", "2026", 0, {}, {}, (clip,))
    assert (curves.recall_by_distance(run), curves.recall_by_k(run), curves.worst_clips(run, 3)) == ([], [], [])
    empty = Run("empty", "drives", "g", "w", "2026", 0, {}, {}, ())
    assert (curves.error_distribution(empty), curves.by_drive(empty).labels) == ([], ())


def test_a_figures_csv_holds_every_number_that_is_drawn():
    from pages.figures import figures_of

    run = made_run()
    for figure in figures_of(run):
        heads, *rows = csv.reader(io.StringIO(figure.to_csv()))
        assert all(len(row) == len(heads) for row in rows)
        if figure.bars is None:
            drawn = [(line.name, x, y) for line in figure.lines for x, y in zip(line.x, line.y, strict=True)]
            assert [(name, float(x), float(y)) for name, x, y in rows] == [
                (name, pytest.approx(x, rel=1e-5), pytest.approx(y, abs=1e-6)) for name, x, y in drawn
            ]
        else:
            assert [row[0] for row in rows] == list(figure.bars.labels)
            assert [float(row[2]) for row in rows] == pytest.approx(figure.bars.share[heads[2]].tolist(), abs=1e-6)
