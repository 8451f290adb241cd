"""How much of a device's arithmetic the networks use: their multiplications and additions a second, beside a product.

The product is that of large square matrices in the precision that the networks run in: bfloat16 on a GPU, float32 on a
CPU. Of the networks PyTorch counts convolutions and products of matrices, which is nearly all.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from gama_core.embed import Models
from gama_core.models.gama_net import GAMaNet
from gama_core.training.dataset_items import Item
from gama_core.training.processes import Processes
from gama_core.training.published_recipe import GAMA_NET_RECIPE
from gama_core.training.published_trainer import PublishedTrainer


def show_arithmetic(models: Models, rounds: int) -> None:
    """Prints the rate of a product of matrices, and beside it those of clips, of tiles and of a step of training.

    Args:
        models: in the precision that this device runs them in.
        rounds: how often each is timed; the mean counts.
    """
    net, device = models.gama_net, models.device
    on_gpu = device.type == "cuda"
    side, pictures, pairs = (8192, 64, 2 * GAMA_NET_RECIPE.batch) if on_gpu else (2048, 4, 4)
    precision = torch.bfloat16 if on_gpu else torch.float32
    square = torch.randn(side, side, device=device, dtype=precision)
    peak = 2 * side**3 / _seconds(lambda: square @ square, device, rounds)
    name = f"product of matrices, {str(precision).removeprefix('torch.')}"
    print(f"\n{name:34}{'':31}{peak / 1e12:9.3f} TFLOP/s")

    def show(what: str, work: Callable[[], Any], count: int, learning: bool = False) -> None:
        with FlopCounterMode(display=False) as counted:  # with gradients: what is fused without them is not counted
            work()
        with torch.inference_mode(not learning):
            seconds = _seconds(work, device, rounds)
        rate = counted.get_total_flops() / seconds
        print(f"{what:34}{count / seconds:10.2f} a second, {seconds:7.3f} s {rate / 1e12:9.3f} TFLOP/s, "
              f"{100 * rate / peak:.0f} % of that")  # fmt: skip

    config = net.config
    clips = torch.rand(pictures, 3, config.frames, *config.clip_size, device=device) * 2 - 1
    tiles = torch.rand(pictures, 3, config.tile_size, config.tile_size, device=device) * 2 - 1
    show(f"{pictures} clips, the network alone", lambda: net.embed_clips(clips), pictures)
    show(f"{pictures} tiles, the network alone", lambda: net.embed_tiles(tiles), pictures)
    trainer = PublishedTrainer(GAMaNet(config), GAMA_NET_RECIPE, Processes(device=device))
    batch = Item(
        torch.randint(256, (pairs, config.frames, *config.clip_size, 3), dtype=torch.uint8),
        torch.randint(256, (pairs, config.tile_size, config.tile_size, 3), dtype=torch.uint8),
        unreadable=0,
    )
    show(f"a step of training, {pairs} pairs", lambda: trainer.learn(batch), pairs, learning=True)


def _seconds(work: Callable[[], Any], device: torch.device, rounds: int) -> float:
    """Mean seconds of some work, warm."""
    for _ in range(3 if device.type == "cuda" else 1):
        work()
    _wait(device)
    started = time.perf_counter()
    for _ in range(rounds):
        work()
    _wait(device)
    return (time.perf_counter() - started) / rounds


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize()
