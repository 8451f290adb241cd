"""Whether a drive lies in a gallery: a law of how well its clips agree with what stands along its path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gama_core.agreement import AgreementLaw, PathAgreement, together


def test_more_evidence_makes_a_place_more_likely() -> None:
    law = AgreementLaw(slope=40.0, offset=-24.0, bias=-1.0)
    assert law.probability(PathAgreement(0.625), 40, 1) == pytest.approx(0.5)
    assert law.probability(PathAgreement(0.7), 40, 1) > 0.9
    assert law.probability(PathAgreement(0.7), 10, 1) < law.probability(PathAgreement(0.7), 40, 1)
    assert law.probability(PathAgreement(0.7), 400, 1) == law.probability(PathAgreement(0.7), 40, 1)


def test_a_path_beside_which_others_are_possible_is_less_likely() -> None:
    law = AgreementLaw(slope=40.0, offset=-24.0, around_slope=0.3, bias=-1.0)
    half, most, all_of_it = (law.probability(PathAgreement(0.625, around=held), 40, 1) for held in (0.5, 0.9, 1.0))
    assert half == pytest.approx(0.5)
    assert half < most < all_of_it < 1.0


@given(st.floats(0.0, 1.0), st.integers(1, 400), st.integers(1, 10_000), st.floats(-2.0, 0.0))
def test_among_more_regions_one_is_less_sure(coarse: float, clips: int, regions: int, size_slope: float) -> None:
    law = AgreementLaw(slope=20.0, offset=-10.0, size_slope=size_slope)
    few, many = (law.probability(PathAgreement(coarse), clips, count) for count in (regions, 10 * regions))
    assert many <= few


def test_no_agreement_is_too_much_or_too_little_to_be_told() -> None:
    law = AgreementLaw(slope=80.0, offset=-48.0)
    assert law.probability(PathAgreement(-666.0), 40, 1) == pytest.approx(0.0, abs=1e-9)
    assert law.probability(PathAgreement(666.0), 40, 1) == pytest.approx(1.0)


def test_the_parts_of_a_drive_agree_by_their_share() -> None:
    parts = [PathAgreement(0.2, around=1.0, closer=True), PathAgreement(0.6, around=0.6, closer=True, held=0.8)]
    assert together(parts, [0.25, 0.75]) == PathAgreement(
        pytest.approx(0.5), around=pytest.approx(0.7), closer=True, held=pytest.approx(0.85)
    )
    assert not together([PathAgreement(0.2), parts[1]], [0.5, 0.5]).closer
