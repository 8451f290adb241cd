"""Whether a drive lies in a gallery: a law of how well its clips agree with what stands along its path."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gama_core.agreement import AgreementLaw, PathAgreement, together


def test_more_evidence_makes_a_place_more_likely() -> None:
    law = AgreementLaw(slope=40.0, offset=-24.0, bias=-1.0)
    assert law.probability(PathAgreement(0.625), 40, 1) == pytest.approx(0.5)
    assert law.probability(PathAgreement(0.7), 40, 1) > 0.9
    assert law.probability(PathAgreement(0.7), 10, 1) < law.probability(PathAgreement(0.7), 40, 1)
    assert law.probability(PathAgreement(0.7), 400, 1) == law.probability(PathAgreement(0.7), 40, 1)


def test_both_spaces_speak_where_one_looked_closer() -> None:
    law = AgreementLaw(slope=40.0, fine_slope=20.0, offset=-34.0, bias=-1.0)
    assert law.probability(PathAgreement(0.625, 0.5), 40, 1) == pytest.approx(0.5)
    assert law.probability(PathAgreement(0.625, 0.6), 40, 1) > 0.8


def test_a_path_beside_which_others_are_possible_is_less_likely() -> None:
    law = AgreementLaw(slope=40.0, offset=-24.0, around_slope=0.3, bias=-1.0)
    half, most, all_of_it = (law.probability(PathAgreement(0.625, around=held), 40, 1) for held in (0.5, 0.9, 1.0))
    assert half == pytest.approx(0.5)
    assert half < most < all_of_it < 1.0


def test_a_shorter_drive_is_held_to_a_threshold_of_its_own() -> None:
    law = AgreementLaw(enough=1.0, enough_short=-2.0)
    assert law.least(10, 1) == law.least(3, 1) == pytest.approx(1 / (1 + math.exp(2.0)))
    assert law.least(40, 1) == law.least(400, 1) == pytest.approx(1 / (1 + math.exp(-1.0)))
    assert law.least(10, 1) < law.least(20, 1) < law.least(40, 1)


@given(
    st.floats(0.0, 1.0), st.integers(1, 400), st.integers(1, 10_000), st.floats(-2.0, 0.0), st.floats(-5.0, 5.0)
)  # fmt: skip
def test_among_more_regions_one_is_less_sure_and_accepts_the_same(
    coarse: float, clips: int, regions: int, size_slope: float, enough: float
) -> None:
    law = AgreementLaw(slope=20.0, offset=-10.0, size_slope=size_slope, enough=enough, enough_short=enough)
    agreement = PathAgreement(coarse)
    few, many = (law.probability(agreement, clips, count) for count in (regions, 10 * regions))
    assert many <= few
    assume(abs(law.log_odds(agreement, clips) - enough) > 1e-6)
    assert (few >= law.least(clips, regions)) == (many >= law.least(clips, 10 * regions))


def test_no_agreement_is_too_much_or_too_little_to_be_told() -> None:
    law = AgreementLaw(slope=80.0, offset=-48.0)
    assert law.probability(PathAgreement(-666.0), 40, 1) == pytest.approx(0.0, abs=1e-9)
    assert law.probability(PathAgreement(666.0), 40, 1) == pytest.approx(1.0)


def test_the_parts_of_a_drive_agree_by_their_share() -> None:
    parts = [PathAgreement(0.2, 0.4, around=1.0), PathAgreement(0.6, 0.8, around=0.6)]
    assert together(parts, [0.25, 0.75]) == PathAgreement(
        pytest.approx(0.5), pytest.approx(0.7), around=pytest.approx(0.7)
    )
    assert together([PathAgreement(0.2), PathAgreement(0.6, 0.8)], [0.5, 0.5]) == PathAgreement(0.4)
