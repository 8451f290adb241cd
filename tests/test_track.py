import pytest
from hypothesis import given
from hypothesis import strategies as st

from gama_core.geo import LatLon
from gama_core.track import Fix, Track

HOME = LatLon(40.0, -40.0)


def track(*rows):
    """Fixes of (seconds, metres east)."""
    return Track(tuple(Fix(time_s, HOME.moved(east_m, 0)) for time_s, east_m in rows))


@given(
    st.lists(st.tuples(st.floats(0, 60), st.floats(-500, 500)), min_size=2, max_size=20, unique_by=lambda row: row[0]),
    st.floats(0, 60),
)
def test_between_two_fixes_the_place_lies_between_them(rows, time_s):
    drive = track(*rows)
    at = drive.at(time_s, max_gap_s=100)
    before = [fix for fix in drive.fixes if fix.time_s <= time_s]
    after = [fix for fix in drive.fixes if fix.time_s >= time_s]
    if before and after:
        left, right = before[-1].at, after[0].at
        assert at is not None
        assert left.distance_m(at) + at.distance_m(right) == pytest.approx(left.distance_m(right), abs=0.01)


def test_the_place_moves_evenly_between_fixes():
    drive = track((0, 0), (4, 40))
    assert drive.at(1).distance_m(HOME) == pytest.approx(10, rel=1e-3)
    assert drive.at(3).distance_m(HOME) == pytest.approx(30, rel=1e-3)
    assert drive.at(4) == drive.fixes[1].at


def test_a_drop_out_is_not_guessed():
    drive = track((0, 0), (10, 100), (21, 200))
    assert drive.at(5) is not None
    assert drive.at(15) is None
    assert drive.at(15, max_gap_s=6) is not None


def test_before_the_first_and_after_the_last_fix_a_moment_is_allowed():
    drive = track((2, 0), (3, 10))
    assert drive.at(0.6) == drive.fixes[0].at
    assert drive.at(4.4) == drive.fixes[1].at
    assert drive.at(0.4) is None
    assert drive.at(4.6) is None
    assert drive.at(1.0, max_gap_s=0.5) is None


def test_fixes_are_sorted_and_the_first_of_equals_is_kept():
    drive = track((3, 30), (1, 10), (3, 99), (2, 20), (1, 77))
    assert [fix.time_s for fix in drive.fixes] == [1, 2, 3]
    assert [round(fix.at.distance_m(HOME)) for fix in drive.fixes] == [10, 20, 30]
    assert (drive.start_s, drive.end_s) == (1, 3)


def test_a_track_needs_a_fix():
    with pytest.raises(ValueError, match="at least one"):
        Track(())


def test_its_length_is_that_of_its_pieces():
    assert track((0, 0), (1, 100), (2, 50)).length_m == pytest.approx(150, rel=1e-3)
    assert track((0, 7)).length_m == 0


def test_resampling_keeps_to_the_track_and_leaves_drop_outs_out():
    drive = track((0.5, 0), (2.5, 20), (20.5, 200), (21.5, 210))
    even = drive.resample(1.0)
    assert [fix.time_s for fix in even.fixes] == [0.5, 1.5, 2.5, 20.5, 21.5]
    assert even.fixes[1].at.distance_m(HOME) == pytest.approx(10, rel=1e-3)


def test_its_bounds_hold_every_fix():
    drive = track((0, -30), (1, 80))
    assert all(drive.bounds.contains(fix.at) for fix in drive.fixes)
