"""Pictures to vectors: batches, device and precision live here, and the models that one process shares."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal, TypeVar, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gama_core.calibration import Calibration, load_calibration
from gama_core.errors import SettingsInvalid, WeightsUnreadable
from gama_core.models import gama_net
from gama_core.models.config import PAPER, ResNetConfig
from gama_core.models.folding import folded, halved, halving_pays
from gama_core.models.gama_net import GAMaNet, channels_last
from gama_core.models.heads import scaled
from gama_core.models.screening_net import ScreeningNet
from gama_core.models.weights import WeightsRecord, open_weights

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"
GAMA_NET, SCREENING = "gama-net-compact.safetensors", "screening-compact.safetensors"

CPU_BYTES = 32 << 20  # of the first layer's answers at a time: larger batches are slower on a CPU

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["auto", "float32", "bfloat16"]
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

    @property
    def precision(self) -> str:
        """Of the towers: "float32" or "bfloat16"; vectors by one are not quite those by the other."""
        return str(next(self.gama_net.i_encoder.parameters()).dtype).removeprefix("torch.")


def load_models(
    device: Device = "auto",
    gama_net: Path | None = None,
    screening: Path | None = None,
    precision: Precision = "auto",
    calibrated: bool = True,
) -> Models:
    """The shipped networks, or those of the files given, on a device.

    Args:
        device: "auto" takes a CUDA GPU where there is one.
        gama_net: weights of GAMa-Net, ours or published; the shipped compact ones where None.
        screening: weights of the screening network. Where None, the shipped one beside the shipped GAMa-Net, whose
            errors it knows, if it is there; none beside another GAMa-Net.
        precision: of the towers. "auto" takes bfloat16 on a GPU, and on a CPU that multiplies bfloat16 itself: a path
            moves by a tenth of a metre, and takes two thirds of the time. There the published networks stay in
            float32: their vectors would move by up to 1.4e-3 (`make bench-embed`), and are to be met within 1e-3.
        calibrated: False for those who calibrate: what lies beside the weights is not read.

    Raises:
        WeightsUnreadable: a file that is missing or not the network it should be.
        SettingsInvalid: no such device, or CUDA asked for where there is none.
    """
    chosen = _device(device)
    path = gama_net or WEIGHTS / GAMA_NET
    network, record = open_weights(path)
    if not isinstance(network, GAMaNet):
        raise WeightsUnreadable(f"{path}: these are weights of the screening network; give GAMa-Net's.")
    if screening is None and gama_net is None and (WEIGHTS / SCREENING).is_file():
        screening = WEIGHTS / SCREENING
    screener, screening_record = None, None
    if screening is not None:
        opened, screening_record = open_weights(screening)
        if not isinstance(opened, ScreeningNet):
            raise WeightsUnreadable(f"{screening}: these are weights of GAMa-Net; give the screening network's.")
        screener = opened
    halves_itself = chosen.type == "cuda" or (halving_pays() and network.config.name != PAPER.name)
    half = halves_itself if precision == "auto" else precision == "bfloat16"
    for net in (network, screener):
        if net is not None:
            channels_last(halved(folded(net)) if half else folded(net)).to(chosen)
    calibration = load_calibration(path, record.sha256) if calibrated else Calibration(record.sha256)
    return Models(network, record, screener, screening_record, calibration, chosen)


def embed_clips(
    models: Models, clips: Iterable[Pixels], batch: int = 16, on_done: Callable[[int], None] | None = None
) -> Vectors:
    """Unit vectors float32 (C, D) of clips uint8 (T, H, W, 3), in their order; `on_done` hears how many are done."""
    config = models.gama_net.config
    batch = _batch(models, batch, config.video, *config.motion_size, frames=config.motion_frames)
    return _embed(models, clips, models.gama_net.embed_clips, (3, 0, 1, 2), batch, on_done)


@dataclass(frozen=True, eq=False)
class Reading:
    """What the network read from C clips or N tiles: unit vectors float32 (C, D); unit vectors (C, F) of the fine space
    and, of clips, how the camera moved (C, 4), as `models.odometry` gives it; None where the network has no such."""

    vectors: Vectors
    fine: Vectors | None
    motion: Vectors | None


def read_clips(
    models: Models, clips: Iterable[Pixels], batch: int = 16, on_done: Callable[[int], None] | None = None
) -> Reading:
    """All that the network reads from clips, in their order; see `embed_clips`."""
    config = models.gama_net.config
    batch = _batch(models, batch, config.video, *config.motion_size, frames=config.motion_frames)
    rows = _embed(
        models, clips, lambda pixels: _joined(models.gama_net.read_clips(pixels)), (3, 0, 1, 2), batch, on_done
    )
    return _parted(rows, models)


def read_tiles(models: Models, tiles: Iterable[Pixels], batch: int = 128) -> Reading:
    """Both vectors of tiles, in their order; see `embed_tiles`."""
    config = models.gama_net.config
    batch = _batch(models, batch, config.aerial, config.tile_size, config.tile_size)
    rows = _embed(models, tiles, lambda pixels: _joined(models.gama_net.read_tiles(pixels)), (2, 0, 1), batch, None)
    return _parted(rows, models)


def _joined(reading: gama_net.HeadOutputs) -> Tensor:
    return torch.cat([part for part in reading if part is not None], dim=1)


def _parted(rows: Vectors, models: Models) -> Reading:
    config = models.gama_net.config
    ends = np.cumsum([config.dims, config.fine_dims])
    vectors, fine, motion = np.split(rows, ends, axis=1)
    return Reading(vectors, fine if fine.shape[1] else None, motion if motion.shape[1] else None)


def embed_tiles(
    models: Models, tiles: Iterable[Pixels], batch: int = 128, on_done: Callable[[int], None] | None = None
) -> Vectors:
    """Unit vectors float32 (N, D) of tiles uint8 (H, W, 3), in their order."""
    config = models.gama_net.config
    batch = _batch(models, batch, config.aerial, config.tile_size, config.tile_size)
    return _embed(models, tiles, models.gama_net.embed_tiles, (2, 0, 1), batch, on_done)


def embed_sequence(models: Models, tiles: list[Pixels]) -> Vectors:
    """The screening network's unit vector float32 (D,) of a sequence of tiles uint8 (H, W, 3)."""
    net = _screening(models)
    with torch.inference_mode():
        sequence = _to_input(np.stack(tiles), (0, 3, 1, 2), models.device)
        return np.asarray(net.embed_sequences(sequence[None]).float().cpu().numpy()[0], dtype=np.float32)


def embed_regions(models: Models, regions: Iterable[Pixels], on_done: Callable[[int], None] | None = None) -> Vectors:
    """The screening network's unit vectors float32 (R, D) of regions uint8 (H, W, 3)."""
    config = _screening(models).config
    batch = _batch(models, 8, config.tower, config.region_size, config.region_size)
    return _embed(models, regions, _screening(models).embed_regions, (2, 0, 1), batch, on_done)


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
        with torch.inference_mode():
            pixels = _to_input(np.stack(group), (0, *(axis + 1 for axis in axes)), models.device)
            parts.append(network(pixels).float().cpu().numpy())
        done += len(group)
        if on_done is not None:
            on_done(done)
    return np.concatenate(parts) if parts else np.zeros((0, models.gama_net.config.dims), np.float32)


def _to_input(pixels: Pixels, axes: tuple[int, ...], device: torch.device) -> Tensor:
    """Pictures uint8 as the networks want them: float32 in [-1, 1], channels first."""
    return scaled(torch.from_numpy(pixels).to(device).permute(axes))


def _batch(models: Models, most: int, tower: ResNetConfig, height: int, width: int, frames: int = 1) -> int:
    """How many pictures at a time: on a CPU so many that the first layer's answers stay small, but at least two."""
    if models.device.type != "cpu":
        return most
    places = frames * (height // tower.stem_stride) * (width // tower.stem_stride)
    return min(most, max(2, CPU_BYTES // (4 * tower.stem_width * places)))


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while group := list(islice(iterator, size)):
        yield group


def _device(device: Device) -> torch.device:
    if device not in get_args(Device):
        raise SettingsInvalid(f"The device is '{device}'; take {', '.join(get_args(Device))}.")
    if device == "cuda" and not torch.cuda.is_available():
        raise SettingsInvalid("The device is 'cuda', but PyTorch sees no GPU here; take 'auto' or 'cpu'.")
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(device)


def _screening(models: Models) -> ScreeningNet:
    if models.screening_net is None:
        raise WeightsUnreadable("There is no screening network; `make train` makes one, or choose screening='late'.")
    return models.screening_net
