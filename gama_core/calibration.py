"""What turns similarities into probabilities: a few numbers, learned on validation places for one set of weights."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from gama_core.agreement import AgreementLaw, PathAgreement
from gama_core.errors import WeightsUnreadable
from gama_core.files import whole_file

LAWS = ("inside", "inside_closer", "right_closer")
NOT_LEARNED = AgreementLaw()


@dataclass(frozen=True)
class Calibration:
    """Numbers that belong to the weights of `weights_sha256`; the defaults are for weights never calibrated."""

    weights_sha256: str = ""
    sharpness: float = 15.0  # how much a clip's similarity is believed: log-probability per unit of cosine
    doubt: float = 0.1  # probability that a clip shows nothing of use
    region_sharpness: float = 100.0  # log-probability per unit of the mean of best similarities
    screening_weight: float = 0.1  # of the screening network's cosine beside the mean of best similarities
    network_sharpness: float = 10.0  # log-probability per unit of its cosine where the screening network ranks alone
    turn_penalty: float = 2.0  # log-penalty for a turn by one step of rotation between two clips
    closer_sharpness: float = 10.0  # as sharpness, where one looked closer: of the cosines of both spaces together
    fine_weight: float = 1.0  # of the fine space's cosine in them
    closer_doubt: float = 0.1
    inside: AgreementLaw = NOT_LEARNED  # whether the drive lies in the gallery, by a path over its own views
    inside_closer: AgreementLaw = NOT_LEARNED  # the same, by a path that was looked at closer
    right_closer: AgreementLaw = NOT_LEARNED  # whether that path is the right one

    def inside_by(self, agreement: PathAgreement) -> AgreementLaw:
        """Whether a drive with such a path lies in the gallery at all."""
        return self.inside_closer if agreement.closer else self.inside


def calibration_path(weights: Path) -> Path:
    """Where the calibration of a weights file lies: `NAME.calibration.json` beside it."""
    return weights.with_suffix(".calibration.json")


def load_calibration(weights: Path, sha256: str) -> Calibration:
    """The calibration beside a weights file (`NAME.calibration.json`), or the defaults where there is none.

    Numbers that this version does not know are left out, those that the file does not hold are the defaults; a law of
    other numbers is refused.

    Raises:
        WeightsUnreadable: the file cannot be read, or belongs to other weights.
    """
    path = calibration_path(weights)
    if not path.is_file():
        return Calibration(sha256)
    try:
        known = {one.name for one in fields(Calibration)}
        said = {name: it for name, it in json.loads(path.read_text()).items() if name in known}
        laws = {name: AgreementLaw(**said[name]) for name in LAWS if name in said}
        calibration = Calibration(**{**said, **laws})
        _check_numbers(calibration)
    except (OSError, TypeError, ValueError, AttributeError) as error:
        raise WeightsUnreadable(f"{path}: no calibration of ours ({error}); `train calibrate` writes one.") from error
    if calibration.weights_sha256 != sha256:
        raise WeightsUnreadable(f"{path}: belongs to other weights than {weights.name}; run `train calibrate` again.")
    return calibration


def _check_numbers(part: Calibration | AgreementLaw) -> None:
    for name, value in vars(part).items():
        if isinstance(value, AgreementLaw):
            _check_numbers(value)
        elif name != "weights_sha256" and not (isinstance(value, int | float) and math.isfinite(value)):
            raise ValueError(f"{name} is {value!r}, which is no number")


def save_calibration(calibration: Calibration, weights: Path) -> Path:
    """Writes it beside its weights, to a temporary name first."""
    path = calibration_path(weights)
    with whole_file(path) as partial:
        partial.write_text(json.dumps(asdict(calibration), indent=1) + "\n")
    return path
