"""python -m benchmarks.embed: clips and tiles a second of the published networks (`make bench-embed`).

The paper's configuration with weights of a fixed seed: ours (`gama_core.embed`) beside the same network run naively,
PNG files through PIL, one at a time, in eager float32 and the plain layout. All take turns in one run on the same
pictures. Where a vector by the device's default precision differs by more than 1e-3, the exit code is 1; bfloat16,
which these networks get on a CPU for the asking alone, is there to be compared.
"""

from __future__ import annotations

import math
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
import typer
from numpy.typing import NDArray
from PIL import Image
from torch.nn.functional import adaptive_avg_pool2d

from benchmarks.arithmetic import show_arithmetic
from gama_core.embed import embed_clips, embed_tiles, load_models
from gama_core.models.config import PAPER
from gama_core.models.gama_net import GAMaNet
from gama_core.models.heads import unit
from gama_core.models.weights import load_weights, save_weights

Vectors = NDArray[np.float32]
Pixels = NDArray[np.uint8]
ALLOWED = 1e-3  # largest difference of one number of a unit vector


def main(clips: int = 8, tiles: int = 8, rounds: int = 3) -> None:
    """Prints the table, and the arithmetic achieved."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights = _write_weights(folder / "random.safetensors")
        plain = load_weights(weights).to(device)
        assert isinstance(plain, GAMaNet)
        exact, half = (load_models(device.type, weights, precision=it) for it in ("float32", "bfloat16"))  # type: ignore[arg-type]
        rng = np.random.default_rng(0)
        films = [[_write(folder / f"{clip}-{frame}.png", rng, 144, 256) for frame in range(8)] for clip in range(clips)]
        squares = [_write(folder / f"tile-{tile}.png", rng, 256, 256) for tile in range(tiles)]
        print(f"{'':34}{'a second':>10}{'ratio':>8}{'largest difference':>20}")
        exact_is_ours = device.type == "cpu"
        off = _compare("clips", clips, rounds, exact_is_ours, {
            "naive": lambda: _naively(plain, device, (_read_pil(film, 112, 224) for film in films)),
            "ours, float32": lambda: embed_clips(exact, (_read(film, 112, 224) for film in films)),
            "ours, towers in bfloat16": lambda: embed_clips(half, (_read(film, 112, 224) for film in films)),
        })  # fmt: skip
        off |= _compare("tiles", tiles, rounds, exact_is_ours, {
            "naive": lambda: _naively(plain, device, (_read_pil([square], 224, 224) for square in squares)),
            "ours, float32": lambda: embed_tiles(exact, (_read([square], 224, 224)[0] for square in squares)),
            "ours, towers in bfloat16": lambda: embed_tiles(half, (_read([square], 224, 224)[0] for square in squares)),
        })  # fmt: skip
    machine = torch.cuda.get_device_name() if device.type == "cuda" else f"{torch.get_num_threads()} CPU thread(s)"
    print(f"\n{machine}, torch {torch.__version__}, median of {rounds} rounds in turns.")
    show_arithmetic(exact if exact_is_ours else half, rounds=20 if device.type == "cuda" else rounds)
    sys.exit(1 if off else 0)


def _compare(what: str, count: int, rounds: int, exact_is_ours: bool, ways: dict[str, Callable[[], Vectors]]) -> bool:
    """Prints one row a way, the first of which is the measure; whether the default one differs too much from it."""
    vectors = {name: way() for name, way in ways.items()}  # the first turn warms up
    taken_s: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            taken_s[name].append(time.perf_counter() - started)
    measure, differences = next(iter(ways)), []
    for name in ways:
        median_s = float(np.median(taken_s[name]))
        ratio = float(np.median(taken_s[measure])) / median_s
        differences.append(float(np.abs(vectors[name] - vectors[measure]).max()))
        print(f"{what + ', ' + name:34}{count / median_s:10.2f}{ratio:7.2f}x{differences[-1]:20.1e}")
    return differences[1 if exact_is_ours else 2] > ALLOWED


def _naively(net: GAMaNet, device: torch.device, pictures: Iterator[Pixels]) -> Vectors:
    """One at a time; clips uint8 (8, H, W, 3), tiles (1, H, W, 3)."""
    vectors = []
    with torch.inference_mode():
        for pixels in pictures:
            values = ((torch.from_numpy(pixels).permute(3, 0, 1, 2) / 255 - 0.5) / 0.5).contiguous().to(device)
            if len(pixels) > 1:
                vector = unit(net.v_encoder(values[None]).mean((2, 3, 4)), net.v_head)
            else:
                tokens = adaptive_avg_pool2d(net.i_encoder(values.transpose(0, 1)), 7).flatten(2).transpose(1, 2)
                vector = unit(net.transformer_encoder_i(tokens).mean(1), net.i_head)
            vectors.append(vector.cpu().numpy())
    return np.concatenate(vectors)


def _read_pil(files: list[Path], height: int, width: int) -> Pixels:
    return np.stack([_middle(np.asarray(Image.open(file).convert("RGB")), height, width) for file in files])


def _read(files: list[Path], height: int, width: int) -> Pixels:
    return np.stack([_middle(cv2.imread(str(file))[..., ::-1], height, width) for file in files])


def _middle(picture: Pixels, height: int, width: int) -> Pixels:
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    return picture[top : top + height, left : left + width]


def _write(path: Path, rng: np.random.Generator, height: int, width: int) -> Path:
    """A picture of coarse random colour."""
    coarse = rng.integers(0, 256, (height // 8, width // 8, 3), np.uint8)
    cv2.imwrite(str(path), coarse.repeat(8, 0).repeat(8, 1))
    return path


def _write_weights(path: Path) -> Path:
    """The paper's configuration, drawn so that signals keep their size through all layers."""
    torch.manual_seed(0)
    net = GAMaNet(PAPER)
    for name, value in net.state_dict().items():
        if name.endswith("running_var"):
            value.normal_().abs_().mul_(0.1).add_(1.0)
        elif value.dim() > 1:
            value.normal_().mul_(math.sqrt(2.0 / math.prod(value.shape[1:])))
        elif value.is_floating_point():
            value.normal_().mul_(0.1).add_(1.0 if name.endswith("weight") else 0.0)
    save_weights(net, path, {}, "float32")
    return path


if __name__ == "__main__":
    typer.run(main)
