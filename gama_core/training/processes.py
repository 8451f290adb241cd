"""Several processes that learn one network together, as `torchrun` starts them; alone, all of this is nothing.

Each process embeds its share of the batch; the embeddings of all are gathered, and each process has the whole loss of
the whole batch, with a gradient through its own share. The sum of these gradients over the processes is the gradient
of one process with the whole batch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from gama_core.errors import SettingsInvalid


@dataclass(frozen=True)
class Processes:
    """Which of how many processes this is, and the device that is its own."""

    rank: int = 0
    count: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def first(self) -> bool:
        """Whether this process is the one that writes and reports."""
        return self.rank == 0

    def share(self, batch: int) -> int:
        """Items of a batch that fall to each process.

        Raises:
            SettingsInvalid: the batch cannot be shared evenly.
        """
        if batch % self.count:
            raise SettingsInvalid(
                f"A batch of {batch} cannot be shared by {self.count} processes: take a multiple of {self.count}."
            )
        return batch // self.count

    def spread(self, module: nn.Module, unused: bool = False) -> nn.Module:
        """The module, its gradients averaged over the processes; alone, the module itself.

        On GPUs batch normalization takes its statistics over all processes (SyncBatchNorm). PyTorch has none for CPUs:
        there each process normalizes by its own share of the batch, and the running statistics are those of the
        first, as in the data parallelism that the published networks were trained with.

        Args:
            module: on this process's device.
            unused: whether some of its parameters take no part in the loss.
        """
        if self.count == 1:
            return module
        if self.device.type == "cuda":
            module = nn.SyncBatchNorm.convert_sync_batchnorm(module)
        devices = [self.device] if self.device.type == "cuda" else None
        return DistributedDataParallel(module, device_ids=devices, find_unused_parameters=unused)

    def gathered(self, own: Tensor) -> Tensor:
        """The rows of all processes in the order of their ranks, with a gradient through those of this one."""
        if self.count == 1:
            return own
        parts = [torch.empty_like(own) for _ in range(self.count)]
        distributed.all_gather(parts, own.detach().contiguous())
        parts[self.rank] = own
        return torch.cat(parts)

    def wait(self) -> None:
        """Until all processes are here."""
        if self.count > 1:
            distributed.barrier()


@contextmanager
def joined(device: str = "auto") -> Iterator[Processes]:
    """The processes that `torchrun` started, joined: by NCCL on GPUs and by Gloo on CPUs; or this one, alone.

    Args:
        device: auto, cpu or cuda; under `torchrun` each process takes the GPU of its local rank.

    Raises:
        SettingsInvalid: a GPU is asked for that PyTorch does not see, or there are more processes than GPUs.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise SettingsInvalid(f"The device is '{device}': take auto, cpu or cuda.")
    gpus = torch.cuda.device_count()
    if device == "cuda" and not gpus:
        raise SettingsInvalid("The device is 'cuda', but PyTorch sees no GPU here; take 'auto' or 'cpu'.")
    local, on_gpu = int(os.environ.get("LOCAL_RANK", "0")), device != "cpu" and gpus > 0
    if on_gpu and local >= gpus:
        raise SettingsInvalid(f"Process {local} of this machine has no GPU of its own: there are {gpus}.")
    chosen = torch.device("cuda", local) if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(chosen)
    if "WORLD_SIZE" not in os.environ:
        yield Processes(device=chosen)
        return
    distributed.init_process_group("nccl" if on_gpu else "gloo")
    try:
        yield Processes(distributed.get_rank(), distributed.get_world_size(), chosen)
    finally:
        distributed.destroy_process_group()


def machine(device: torch.device) -> str:
    """The machine's name for a model card: its GPU, or its cores."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{os.cpu_count()} CPU cores, {torch.get_num_threads()} in use"
