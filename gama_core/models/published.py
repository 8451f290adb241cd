"""Published checkpoints: what the authors' training scripts save, read without running any of it.

Such a file is `torch.save` of `{"opt": argparse.Namespace, "model": state_dict, "optimizer": ..., "epoch": int}`. It
is a pickle, which may hold code; it is read with PyTorch's restricted unpickler, which knows tensors, plain containers
and, here, `argparse.Namespace`, and refuses all else before anything runs.

Source: the release of GAMa (ECCV 2022); the tensors are named there as they are in `GAMaNet` and `ScreeningNet`.
"""

from __future__ import annotations

import argparse
import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.serialization import safe_globals

from gama_core.errors import WeightsUnreadable
from gama_core.models.config import PAPER, PAPER_SCREENING, GAMaNetConfig, ScreeningNetConfig

ZIP, PICKLE = b"PK\x03\x04", b"\x80"  # how a file of `torch.save` begins, since PyTorch 1.6 and before
UNUSED = ("encoder_layer_i.", "encoder_norm_i.")  # prototypes that the published forward pass never uses
PARALLEL = "module."  # what data parallelism puts before each name
COUNTER = ".num_batches_tracked"  # of training alone


@dataclass(frozen=True)
class Published:
    """A published network, not yet built: "gama_net" or "screening", and its tensors by our names, float32."""

    network: str
    config: GAMaNetConfig | ScreeningNetConfig
    tensors: dict[str, Tensor]
    card: dict[str, Any]  # what the file says of its training, which is little


def is_published(path: Path) -> bool:
    """Whether a file begins as a checkpoint of PyTorch does, whatever it is called."""
    with path.open("rb") as file:
        head = file.read(9)
    return head.startswith((ZIP, PICKLE)) and head[8:] != b"{"  # a safetensors header has its brace there


def read_published(path: Path) -> Published:
    """The network in a published checkpoint; its optimizer is not read.

    Returns:
        Tensors on the CPU, finite or not and of whatever shapes the file gives them.

    Raises:
        WeightsUnreadable: cut short, no checkpoint, one that would run code, or of another network.
    """
    checkpoint = _unpickled(path)
    model = checkpoint.get("model") if isinstance(checkpoint, Mapping) else None
    if not isinstance(model, Mapping) or not model:
        raise WeightsUnreadable(f"{path}: a file of PyTorch, but no published checkpoint: no tensors under 'model'.")
    tensors: dict[str, Tensor] = {}
    for given, value in model.items():
        name = str(given).removeprefix(PARALLEL)
        if name.startswith(UNUSED) or name.endswith(COUNTER):
            continue
        if name in tensors:
            raise WeightsUnreadable(f"{path}: holds {name} twice, with and without '{PARALLEL}'.")
        if not _is_plain(value):
            raise WeightsUnreadable(f"{path}: {name} is no dense tensor of floating-point numbers.")
        tensors[name] = value.detach()
    network, config = _recognised(tensors, path)
    return Published(network, config, tensors, _card(checkpoint))


def _unpickled(path: Path) -> Any:
    try:
        _refuse_compressed(path)
        with (
            path.open("rb") as file,  # given a path, `torch.load` goes by its ending
            safe_globals([argparse.Namespace]),
            warnings.catch_warnings(action="ignore"),
        ):
            return torch.load(file, "cpu", weights_only=True)
    except Exception as error:  # hostile bytes can end in any exception of the reader; none of them has run anything
        raise WeightsUnreadable(f"{path}: {_reason(error)}") from error


def _refuse_compressed(path: Path) -> None:
    """`torch.save` never compresses; archives that burst the memory do."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        if any(member.compress_type != zipfile.ZIP_STORED for member in archive.infolist()):
            raise ValueError("a compressed archive")


def _reason(error: Exception) -> str:
    if found := re.search(r"(?:Unsupported global: GLOBAL|unsupported GLOBAL|Unsupported class) (\S+)", str(error)):
        return f"reading it would call {found[1].rstrip('.')}, which no checkpoint needs; nothing of it was run."
    first = (str(error).strip().splitlines() or [""])[0].split(". ")[0]
    return f"cut short, or no checkpoint that can be read safely ({type(error).__name__}: {first[:160]})."


def _is_plain(value: object) -> bool:
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and value.device.type == "cpu"
        and value.is_floating_point()
        and not (value.is_nested or value.is_quantized)
    )


def _recognised(tensors: dict[str, Tensor], path: Path) -> tuple[str, GAMaNetConfig | ScreeningNetConfig]:
    """By the first layer that the clips, or the sequence of tiles, meet."""
    if "v_encoder.stem.0.weight" in tensors:
        return "gama_net", PAPER
    if "v_encoder.conv1.weight" in tensors:
        return "screening", PAPER_SCREENING
    some = ", ".join(sorted(tensors)[:3]) or "none"
    raise WeightsUnreadable(f"{path}: its tensors ({some} ...) belong to neither GAMa-Net nor the screening network.")


def _card(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    options = checkpoint.get("opt")
    given = vars(options) if isinstance(options, argparse.Namespace) else {}
    epoch = checkpoint.get("epoch")
    return {
        "source": "a published checkpoint; it does not say what data it was trained on, nor how well it does",
        "epoch": epoch if isinstance(epoch, int) else None,
        "options": {str(name): value for name, value in given.items() if _is_word(value)},
    }


def _is_word(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bool)
