"""Pictures to vectors: batches, device and precision live here, and the models that one process shares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gama_core.calibration import Calibration, load_calibration
from gama_core.errors import SettingsInvalid, WeightsUnreadable
from gama_core.models.gama_net import GAMaNet
from gama_core.models.screening_net import ScreeningNet
from gama_core.models.weights import WeightsRecord, load_weights, read_record

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"
GAMA_NET, SCREENING = "gama-net-compact.safetensors", "screening-compact.safetensors"

Device = Literal["auto", "cpu", "cuda"]
Vectors = NDArray[np.float32]
Pixels = NDArray[np.uint8]
T = TypeVar("T")


@dataclass(frozen=True)
class Models:
    """The networks of one process, on one device; safe to share between threads (they are only read)."""

    gama_net: GAMaNet
    record: WeightsRecord
    screening_net: ScreeningNet | None
    screening_record: WeightsRecord | None
    calibration: Calibration
    device: torch.device


def load_models(device: Device = "auto", gama_net: Path | None = None, screening: Path | None = None) -> Models:
    """The shipped networks, or those of the files given, on a device.

    Args:
        device: "auto" takes a CUDA GPU where there is one.
        gama_net: weights of GAMa-Net; the shipped compact ones where None.
        screening: weights of the screening network; the shipped ones where None, and none where these are missing.

    Raises:
        WeightsUnreadable: a file that is missing or not the network it should be.
        SettingsInvalid: CUDA asked for where there is none.
    """
    chosen = _device(device)
    path = gama_net or WEIGHTS / GAMA_NET
    network = load_weights(path)
    if not isinstance(network, GAMaNet):
        raise WeightsUnreadable(f"{path}: these are weights of the screening network; give GAMa-Net's.")
    screening_path = screening or WEIGHTS / SCREENING
    screener, screening_record = None, None
    if screening is not None or screening_path.is_file():
        loaded = load_weights(screening_path)
        if not isinstance(loaded, ScreeningNet):
            raise WeightsUnreadable(f"{screening_path}: these are weights of GAMa-Net; give the screening network's.")
        screener, screening_record = loaded.to(chosen), read_record(screening_path)
    record = read_record(path)
    return Models(network.to(chosen), record, screener, screening_record, load_calibration(path, record.sha256), chosen)


def embed_clips(
    models: Models, clips: Iterable[Pixels], batch: int = 16, on_done: Callable[[int], None] | None = None
) -> Vectors:
    """Unit vectors float32 (C, D) of clips uint8 (T, H, W, 3), in their order; `on_done` hears how many are done."""
    return _embed(models, clips, models.gama_net.embed_clips, (3, 0, 1, 2), batch, on_done)


def embed_tiles(
    models: Models, tiles: Iterable[Pixels], batch: int = 128, on_done: Callable[[int], None] | None = None
) -> Vectors:
    """Unit vectors float32 (N, D) of tiles uint8 (H, W, 3), in their order."""
    return _embed(models, tiles, models.gama_net.embed_tiles, (2, 0, 1), batch, on_done)


def embed_sequence(models: Models, tiles: list[Pixels]) -> Vectors:
    """The screening network's unit vector float32 (D,) of a sequence of tiles uint8 (H, W, 3)."""
    net = _screening(models)
    with torch.inference_mode(), _precision(models.device):
        sequence = _to_input(np.stack(tiles), (0, 3, 1, 2), models.device)
        return np.asarray(net.embed_sequences(sequence[None]).float().cpu().numpy()[0], dtype=np.float32)


def embed_regions(models: Models, regions: Iterable[Pixels], on_done: Callable[[int], None] | None = None) -> Vectors:
    """The screening network's unit vectors float32 (R, D) of regions uint8 (H, W, 3)."""
    return _embed(models, regions, _screening(models).embed_regions, (2, 0, 1), 8, on_done)


def _embed(
    models: Models,
    images: Iterable[Pixels],
    network: Callable[[Tensor], Tensor],
    axes: tuple[int, ...],
    batch: int,
    on_done: Callable[[int], None] | None,
) -> Vectors:
    parts: list[Vectors] = []
    done = 0
    for group in _batches(images, batch):
        with torch.inference_mode(), _precision(models.device):
            pixels = _to_input(np.stack(group), (0, *(axis + 1 for axis in axes)), models.device)
            parts.append(network(pixels).float().cpu().numpy())
        done += len(group)
        if on_done is not None:
            on_done(done)
    return np.concatenate(parts) if parts else np.zeros((0, models.gama_net.config.dims), np.float32)


def _to_input(pixels: Pixels, axes: tuple[int, ...], device: torch.device) -> Tensor:
    """Pictures uint8 as the networks want them: float32 in [-1, 1], channels first."""
    return torch.from_numpy(pixels).to(device).permute(axes).float().div_(127.5).sub_(1.0)


def _precision(device: torch.device) -> AbstractContextManager[object]:
    """bfloat16 on a GPU; float32 on a CPU, where half precision is quick on few."""
    return torch.autocast("cuda", torch.bfloat16) if device.type == "cuda" else nullcontext()


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while group := list(islice(iterator, size)):
        yield group


def _device(device: Device) -> torch.device:
    if device == "cuda" and not torch.cuda.is_available():
        raise SettingsInvalid("The device is 'cuda', but PyTorch sees no GPU here; take 'auto' or 'cpu'.")
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(device)


def _screening(models: Models) -> ScreeningNet:
    if models.screening_net is None:
        raise WeightsUnreadable("There is no screening network; `make train` makes one, or choose screening='late'.")
    return models.screening_net
