"""Weights as records: a file that carries its architecture and where it comes from.

Ours are safetensors; the published checkpoints (`gama_core.models.published`) are read beside them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from gama_core.errors import WeightsUnreadable
from gama_core.files import whole_file
from gama_core.models.config import (
    BirdsEyeConfig,
    GAMaNetConfig,
    ResNetConfig,
    ScreeningNetConfig,
    VideoConfig,
)
from gama_core.models.gama_net import GAMaNet
from gama_core.models.published import Published, is_published, read_published
from gama_core.models.screening_net import ScreeningNet

SCHEMA = "1"
Precision = Literal["float16", "float32"]
_NETWORKS: dict[str, type[GAMaNet] | type[ScreeningNet]] = {"gama_net": GAMaNet, "screening": ScreeningNet}


@dataclass(frozen=True)
class WeightsRecord:
    """What a weights file says of itself."""

    name: str  # the file's stem
    sha256: str  # of the file
    network: str  # "gama_net" or "screening"
    config: GAMaNetConfig | ScreeningNetConfig
    card: dict[str, Any]  # training data, steps, metrics: whatever the training wrote


def load_weights(path: str | Path) -> GAMaNet | ScreeningNet:
    """A network, ready to embed (in eval mode, on the CPU, float32).

    Args:
        path: a `.safetensors` file of ours or a published checkpoint; told apart by what they hold, not by their names.

    Returns:
        The network that the file says it is; `open_weights` tells as well which weights they are.

    Raises:
        WeightsUnreadable: no such file, neither of the two, cut short, tensors that do not fit the architecture or are
            not finite. Nothing in the file is run, whatever it holds.
    """
    return open_weights(path)[0]


def open_weights(path: str | Path) -> tuple[GAMaNet | ScreeningNet, WeightsRecord]:
    """A network as `load_weights` gives it, and its record; the file is read once.

    Raises:
        WeightsUnreadable: as `load_weights`.
    """
    path = _existing(path)
    if is_published(path):
        found = read_published(path)
        return _built(path, found.network, found.config, found.tensors), _record_of(path, found)
    record = _our_record(path)
    try:
        with safe_open(str(path), framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise WeightsUnreadable(f"{path}: its tensors cannot be read ({error}).") from error
    return _built(path, record.network, record.config, tensors), record


def read_record(path: str | Path) -> WeightsRecord:
    """What a weights file says of itself, without building the network.

    Raises:
        WeightsUnreadable: no such file, neither weights of ours nor a published checkpoint, or of another version.
    """
    path = _existing(path)
    return _record_of(path, read_published(path)) if is_published(path) else _our_record(path)


def save_weights(
    network: GAMaNet | ScreeningNet, path: str | Path, card: dict[str, Any], precision: Precision = "float16"
) -> WeightsRecord:
    """Writes a network with its architecture and card, to a temporary name first.

    Args:
        precision: of the numbers stored: "float32" keeps them exactly, "float16" halves the file.
    """
    path, dtype = Path(path), getattr(torch, precision)
    kind = next(kind for kind, made in _NETWORKS.items() if isinstance(network, made))
    tensors = {
        name: value.detach().cpu().to(dtype).contiguous()
        for name, value in network.state_dict().items()
        if value.is_floating_point()
    }
    metadata = {
        "gama_schema": SCHEMA,
        "network": kind,
        "config": json.dumps(network.config.as_dict()),
        "card": json.dumps(card),
    }
    with whole_file(path) as partial:
        partial.write_bytes(save(tensors, metadata))  # `save_file` hides it from all other users of the machine
    return read_record(path)


def sha256_of(path: str | Path) -> str:
    """SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _existing(path: str | Path) -> Path:
    path = Path(path)
    if path.is_dir():
        raise WeightsUnreadable(f"{path}: a folder; give the weights file itself.")
    if not path.is_file():
        raise WeightsUnreadable(f"{path}: there is no such file; `make train` makes weights, or take the shipped ones.")
    if not path.stat().st_size:
        raise WeightsUnreadable(f"{path}: the file is empty; copy or download it again.")
    return path


def _our_record(path: Path) -> WeightsRecord:
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise WeightsUnreadable(
            f"{path}: neither a safetensors file of ours nor a published checkpoint, or cut short ({error})."
        ) from error
    if metadata.get("gama_schema") != SCHEMA or metadata.get("network") not in _NETWORKS:
        raise WeightsUnreadable(f"{path}: a safetensors file, but not weights of GAMa (schema {SCHEMA}).")
    try:
        config = _config(metadata["network"], json.loads(metadata["config"]))
        card = dict(json.loads(metadata.get("card", "{}")))
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise WeightsUnreadable(f"{path}: its architecture cannot be read ({error}).") from error
    return WeightsRecord(path.stem, sha256_of(path), metadata["network"], config, card)


def _record_of(path: Path, found: Published) -> WeightsRecord:
    return WeightsRecord(path.stem, sha256_of(path), found.network, found.config, found.card)


def _built(
    path: Path, kind: str, config: GAMaNetConfig | ScreeningNetConfig, tensors: dict[str, Tensor]
) -> GAMaNet | ScreeningNet:
    """The network with these tensors; their shapes are looked at before any memory is taken for it."""
    made = _NETWORKS[kind]
    try:
        with torch.device("meta"):
            plan = made(config).state_dict()  # type: ignore[arg-type]
    except (ArithmeticError, AssertionError, AttributeError, TypeError, ValueError, RuntimeError) as error:
        raise WeightsUnreadable(f"{path}: no network has such an architecture ({error}).") from error
    needed = {name: value.shape for name, value in plan.items() if value.is_floating_point()}
    if odd := _misfits(needed, tensors):
        raise WeightsUnreadable(f"{path}: the tensors do not fit the {kind} they are named for: {odd}.")
    tensors = {name: value.float() for name, value in tensors.items()}
    if sick := [name for name, value in tensors.items() if not value.isfinite().all()]:
        raise WeightsUnreadable(f"{path}: not a number, or infinite, in {_some(sick)}; the file is damaged.")
    network = made(config)  # type: ignore[arg-type]
    counters = {name: value for name, value in network.state_dict().items() if name not in needed}
    network.load_state_dict({**counters, **tensors})
    return network.eval()


def _misfits(needed: dict[str, torch.Size], tensors: dict[str, Tensor]) -> str:
    """What is missing, too much or of another shape, in words; empty where all fits."""
    missing, surplus = sorted(needed.keys() - tensors.keys()), sorted(tensors.keys() - needed.keys())
    other = [
        f"{name} {tuple(tensors[name].shape)} for {tuple(shape)}"
        for name, shape in needed.items()
        if name in tensors and tensors[name].shape != shape
    ]
    parts = (("missing", missing), ("not known", surplus), ("of another shape", other))
    return "; ".join(f"{what}: {_some(names)}" for what, names in parts if names)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _config(network: str, values: dict[str, Any]) -> GAMaNetConfig | ScreeningNetConfig:
    """The configuration that `as_dict` wrote, its nested parts and tuples restored."""
    if network == "screening":
        return ScreeningNetConfig(**{**values, "tower": ResNetConfig(**_tuples(values["tower"]))})
    birds_eye = values["birds_eye"]
    if birds_eye is not None:
        birds_eye = BirdsEyeConfig(**{**birds_eye, "tower": ResNetConfig(**_tuples(birds_eye["tower"]))})
    values = {
        **_tuples(values),
        "video": VideoConfig(**_tuples(values["video"])),
        "aerial": ResNetConfig(**_tuples(values["aerial"])),
        "birds_eye": birds_eye,
    }
    known = {field.name for field in fields(GAMaNetConfig)}  # weights of before the second space lack its numbers
    return GAMaNetConfig(**{name: value for name, value in values.items() if name in known})


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
