"""Processes that work side by side."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import cv2


def worker_pool(workers: int) -> ProcessPoolExecutor:
    """A pool of fresh processes, one thread each; what they run must be importable.

    Fresh, not forked: a fork of a process whose decoder or network has threads may wait for ever for their locks.
    """
    return ProcessPoolExecutor(workers, get_context("spawn"), initializer=cv2.setNumThreads, initargs=(1,))
