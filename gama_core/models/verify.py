"""Whether a weights file is what it should be: one check a line, each with what was found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from gama_core.calibration import calibration_path, load_calibration
from gama_core.errors import WeightsUnreadable
from gama_core.models.gama_net import GAMaNet
from gama_core.models.screening_net import ScreeningNet
from gama_core.models.weights import WeightsRecord, open_weights


@dataclass(frozen=True)
class Check:
    """One thing looked at, in words, and whether it is well."""

    what: str  # "opens", "card", "outputs" or "calibration"
    good: bool
    found: str


def verify_weights(path: Path, needs_card: bool = False) -> tuple[Check, ...]:
    """All checks of one file; a file that does not open ends with the first.

    Args:
        path: weights of ours or a published checkpoint.
        needs_card: whether it is wrong that no card (`NAME.md`) lies beside it.
    """
    try:
        network, record = open_weights(path)
    except WeightsUnreadable as error:
        return (Check("opens", False, str(error)),)
    opens = Check("opens", True, f"{record.network}, {record.config.name}: shapes fit, all numbers finite")
    return opens, _card(path, record, needs_card), _outputs(network), _calibration(path, record)


def _card(path: Path, record: WeightsRecord, needed: bool) -> Check:
    card = path.with_suffix(".md")
    if not card.is_file():
        return Check("card", not needed, f"no {card.name} beside it")
    if record.sha256 in card.read_text():
        return Check("card", True, f"{card.name} names this sha256")
    return Check("card", False, f"{card.name} names another sha256 than {record.sha256}")


def _outputs(network: GAMaNet | ScreeningNet) -> Check:
    """Both sides of the network on noise that is always the same."""
    with torch.inference_mode():
        if isinstance(network, GAMaNet):
            height, width = network.config.clip_size
            size = network.config.tile_size
            clips, tiles = _noise(1, 3, network.config.frames, height, width), _noise(1, 3, size, size)
            vectors = torch.cat([network.embed_clips(clips), network.embed_tiles(tiles)])
        else:
            tiles, regions = (
                _noise(1, 3, side, side) for side in (network.config.tile_size, network.config.region_size)
            )
            vectors = torch.cat([network.embed_sequences(tiles[None]), network.embed_regions(regions)])
    off = float((vectors.norm(dim=1) - 1.0).abs().max())
    return Check("outputs", off < 1e-4, f"vectors of {vectors.shape[1]} dimensions, lengths within {off:.0e} of 1")


def _calibration(path: Path, record: WeightsRecord) -> Check:
    if record.network != "gama_net" or not calibration_path(path).is_file():
        return Check("calibration", True, "none")
    try:
        load_calibration(path, record.sha256)
    except WeightsUnreadable as error:
        return Check("calibration", False, str(error))
    return Check("calibration", True, "belongs to these weights")


def _noise(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
