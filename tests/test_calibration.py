"""The calibration beside the weights: it comes back, older ones are read, and others' are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gama_core.agreement import LONG_CLIPS, AgreementLaw, PathAgreement
from gama_core.calibration import Calibration, calibration_path, load_calibration, save_calibration
from gama_core.errors import WeightsUnreadable

MINE = "a" * 64


def test_a_calibration_comes_back(tmp_path: Path) -> None:
    made = Calibration(
        MINE,
        sharpness=9.0,
        inside=AgreementLaw(slope=42.0, size_slope=-0.6),
        inside_closer=AgreementLaw(3.0, 4.0, length_slope=-0.5),
    )
    save_calibration(made, tmp_path / "net.safetensors")
    assert load_calibration(tmp_path / "net.safetensors", MINE) == made


def test_an_older_file_is_read_and_what_it_does_not_hold_is_the_default(tmp_path: Path) -> None:
    older = {"weights_sha256": MINE, "sharpness": 9.0, "inside_slope": 1.2, "inside_bias": -1.5}
    calibration_path(tmp_path / "net.safetensors").write_text(json.dumps(older))
    assert load_calibration(tmp_path / "net.safetensors", MINE) == Calibration(MINE, sharpness=9.0)


@pytest.mark.parametrize(
    "text",
    [
        *("[]", "not json", '"words"'),
        *(
            f'{{"weights_sha256": "{MINE}", {said}}}'
            for said in (
                *('"inside": {"threshold": 0.4}', '"inside": {"slope": null}'),
                *('"sharpness": null', '"doubt": "0.1"', '"doubt": NaN'),
            )
        ),
    ],
)
def test_what_is_no_calibration_is_refused(tmp_path: Path, text: str) -> None:
    calibration_path(tmp_path / "net.safetensors").write_text(text)
    with pytest.raises(WeightsUnreadable, match="train calibrate"):
        load_calibration(tmp_path / "net.safetensors", MINE)


def test_the_calibration_of_other_weights_is_refused(tmp_path: Path) -> None:
    save_calibration(Calibration("b" * 64), tmp_path / "net.safetensors")
    with pytest.raises(WeightsUnreadable, match="other weights"):
        load_calibration(tmp_path / "net.safetensors", MINE)


def test_weights_that_were_never_calibrated_are_never_sure() -> None:
    plain = Calibration(MINE)
    assert not plain.inside.learned
    assert plain.inside.probability(PathAgreement(1.0), LONG_CLIPS, 1) < 0.5  # whatever the path agrees with
    assert AgreementLaw(slope=42.0).learned
