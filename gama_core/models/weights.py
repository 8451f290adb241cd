"""Weights as records: a safetensors file that carries its architecture and where it comes from."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from gama_core.errors import WeightsUnreadable
from gama_core.models.config import (
    BirdsEyeConfig,
    GAMaNetConfig,
    ResNetConfig,
    ScreeningNetConfig,
    VideoConfig,
)
from gama_core.models.gama_net import GAMaNet
from gama_core.models.screening_net import ScreeningNet

SCHEMA = "1"
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
        path: a `.safetensors` file of ours.

    Returns:
        The network that the file says it is; `read_record(path)` tells which weights they are.

    Raises:
        WeightsUnreadable: no such file, not ours, cut short, or tensors that do not fit the architecture.
    """
    record = read_record(path)
    network = _NETWORKS[record.network](record.config)  # type: ignore[arg-type]
    try:
        with safe_open(str(path), framework="pt") as file:
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        counters = {name: value for name, value in network.state_dict().items() if name.endswith("tracked")}
        network.load_state_dict({**counters, **tensors})
    except (SafetensorError, RuntimeError, OSError) as error:
        raise WeightsUnreadable(
            f"{path}: the tensors do not fit the {record.network} they are named for ({error})."
        ) from error
    return network.eval()


def read_record(path: str | Path) -> WeightsRecord:
    """What a weights file says of itself, without building the network.

    Raises:
        WeightsUnreadable: no such file, not a safetensors file of ours, or one of another version.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsUnreadable(f"{path}: there is no such file; `make train` makes weights, or take the shipped ones.")
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise WeightsUnreadable(f"{path}: not a safetensors file ({error}).") from error
    if metadata.get("gama_schema") != SCHEMA or metadata.get("network") not in _NETWORKS:
        raise WeightsUnreadable(f"{path}: a safetensors file, but not weights of GAMa (schema {SCHEMA}).")
    try:
        config = _config(metadata["network"], json.loads(metadata["config"]))
        card = json.loads(metadata.get("card", "{}"))
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsUnreadable(f"{path}: its architecture cannot be read ({error}).") from error
    return WeightsRecord(path.stem, sha256_of(path), metadata["network"], config, card)


def save_weights(network: GAMaNet | ScreeningNet, path: str | Path, card: dict[str, Any]) -> WeightsRecord:
    """Writes a network in float16 with its architecture and card, to a temporary name first."""
    path = Path(path)
    kind = next(kind for kind, made in _NETWORKS.items() if isinstance(network, made))
    tensors = {
        name: value.detach().cpu().to(torch.float16).contiguous()
        for name, value in network.state_dict().items()
        if value.is_floating_point()
    }
    metadata = {
        "gama_schema": SCHEMA,
        "network": kind,
        "config": json.dumps(network.config.as_dict()),
        "card": json.dumps(card),
    }
    partial = path.with_name(path.name + ".partial")
    save_file(tensors, str(partial), metadata)
    os.replace(partial, path)
    return read_record(path)


def sha256_of(path: str | Path) -> str:
    """SHA-256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


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
    return GAMaNetConfig(**{field.name: values[field.name] for field in fields(GAMaNetConfig)})


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
