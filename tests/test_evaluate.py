import json
import math
from dataclasses import replace

import pytest
from answers import AWAY, HOME, answer, inside, path_step, step

from gama_core.evaluate import Stage, agreement, compare, start_doubt, summary
from gama_core.geo import LatLon
from gama_core.track import Fix, Track

START = inside(HOME, 0.2, 0.5)


def truth(seconds, speed_m_s=10.0):
    """A drive eastwards from START."""
    return Track(tuple(Fix(float(second), START.moved(speed_m_s * second, 0)) for second in range(seconds)))


def off(second, north_m):
    """So many metres beside the true place."""
    return START.moved(10.0 * second, north_m)


def test_errors_are_metres_from_the_true_place():
    found = compare(answer([step(0, off(0, 10)), step(1, off(1, 200)), step(2, off(2, 70))]), truth(3))
    assert found.before.error_m == pytest.approx((10, 200, 70), rel=1e-3)
    assert found.before.recall() == pytest.approx(2 / 3)
    assert found.before.recall(25) == pytest.approx(1 / 3)
    assert found.before.median_m == pytest.approx(70, rel=1e-3)
    assert found.before.mean_m == pytest.approx(280 / 3, rel=1e-3)
    assert found.before.root_mean_square_m == pytest.approx(math.sqrt((10**2 + 200**2 + 70**2) / 3), rel=1e-3)
    assert found.frechet_m is None


def test_before_after_and_path_are_told_apart():
    before, after = [step(0, off(0, 500))], [step(0, off(0, 50))]
    found = compare(answer(before, after, [path_step(0, off(0, 5))]), truth(2))
    assert (found.before.median_m, found.after.median_m) == pytest.approx((500, 50), rel=1e-3)
    assert found.path is not None
    assert found.path.median_m == pytest.approx(5, rel=1e-3)
    assert found.frechet_m == pytest.approx(5, rel=1e-3)
    assert compare(answer(before, after), truth(2)).path is None


def test_a_clip_without_a_fix_is_no_miss_and_no_hit():
    found = compare(answer([step(0, off(0, 10)), step(30, off(0, 10))]), truth(3))
    assert found.before.error_m[1] is None
    assert found.truth[1] is None
    assert found.before.recall() == 1.0


def test_without_any_fix_the_figures_are_unknown():
    found = compare(answer([step(90, off(0, 10))]), truth(3))
    assert math.isnan(found.before.recall())
    assert math.isnan(found.before.median_m)
    assert math.isnan(Stage(()).mean_m)
    assert found.region_rank is None


@pytest.mark.parametrize(("best", "rank"), [(0, 1), (1, 2)])
def test_the_true_region_is_the_one_that_holds_most_of_the_drive(best, rank):
    found = compare(answer([step(second, off(second, 0)) for second in range(4)], best=best), truth(4))
    assert (found.true_region_index, found.region_rank) == (0, rank)


def test_a_drive_outside_every_region_has_no_rank():
    far = Track((Fix(0.0, LatLon(10.0, 10.0)),))
    found = compare(answer([step(0, START)]), far)
    assert (found.true_region_index, found.region_rank) == (None, None)


def test_the_heading_is_compared_where_the_drive_moves():
    path = [path_step(second, off(second, 0), heading_deg=100.0) for second in range(4)]
    steps = [step(second, off(second, 0)) for second in range(4)]
    assert compare(answer(steps, path=path), truth(4)).heading_error_deg == pytest.approx(10, abs=0.1)
    assert compare(answer(steps, path=path), truth(4, speed_m_s=1.0)).heading_error_deg is None


def test_agreement_needs_no_truth():
    middle, aside = inside(HOME, 0.5, 0.5), inside(AWAY, 0.5, 0.5)
    before = [step(0, middle), step(1, middle.moved(30, 0)), step(2, middle.moved(-30, 0)), step(3, aside, region=1)]
    after = [step(number, middle.moved(10 * number, 0)) for number in range(4)]
    found = agreement(answer(before, after))
    assert found.share_agreeing == 0.75
    through_both = answer(before, after, [path_step(0, middle), replace(path_step(1, aside), region_index=1)])
    assert agreement(through_both).share_agreeing == 1.0
    assert found.spread_after_m == pytest.approx(10, rel=1e-2)
    assert found.spread_before_m > found.spread_after_m


def test_a_summary_counts_clips_and_not_drives():
    short = answer([step(0, off(0, 10))])
    long = answer([step(second, off(second, 500)) for second in range(3)], best=1)
    rows = [(short, compare(short, truth(5))), (long, compare(long, truth(5)))]
    figures = summary(rows)
    assert (figures["drives"], figures["clips"]) == (2, 4)
    assert figures["before"]["within_80_m"] == 0.25
    assert figures["region_recall"] == {"@1": 0.5, "@5": 1.0, "@10": 1.0}
    assert "path" not in figures


@pytest.mark.parametrize(
    ("assumed", "duration_s", "doubted"), [(True, 60.0, True), (False, 60.0, False), (True, 110.0, False)]
)
def test_a_long_track_whose_start_was_assumed_is_doubted(assumed, duration_s, doubted):
    track = Track(truth(121).fixes, start_assumed=assumed)
    assert ("60 s longer" in start_doubt(track, duration_s)) == doubted


def test_a_drive_whose_track_does_not_meet_it_is_counted_apart():
    met = answer([step(0, off(0, 10))])
    missed = answer([step(90, off(0, 10))])
    figures = summary([(met, compare(met, truth(3))), (missed, compare(missed, truth(3)))])
    assert figures["region_recall"]["@1"] == 1.0
    assert (figures["drives"], figures["drives_without_truth"]) == (2, 1)


def test_where_no_track_meets_its_film_there_is_no_recall():
    missed = answer([step(90, off(0, 10))])
    figures = summary([(missed, compare(missed, truth(3)))])
    assert figures["drives_without_truth"] == 1
    json.dumps(figures, allow_nan=False)


@pytest.mark.parametrize(("shift_s", "doubted"), [(0.0, False), (100.0, True), (-100.0, True)])
def test_a_track_that_does_not_meet_the_video_is_doubted(shift_s, doubted):
    track = Track(tuple(Fix(fix.time_s + shift_s, fix.at) for fix in truth(10).fixes))
    assert ("do not meet" in start_doubt(track, 10.0)) == doubted
