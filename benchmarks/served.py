"""The app on a free port of this machine, for as long as a block lasts."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STREAMLIT = ("-m", "streamlit", "run", "app.py", "--server.port", "{port}", "--server.headless", "true")


@contextmanager
def served(folder: Path, *command: str, **environment: str) -> Iterator[str]:
    """The address of the app once it answers; `{port}` in the command is a free one.

    Args:
        folder: where its log goes.
        command: arguments of Python; `STREAMLIT` where none is given.
        environment: variables for it alone.

    Raises:
        RuntimeError: it ended, or did not answer within a minute.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    arguments = [sys.executable, *(part.format(port=port) for part in command or STREAMLIT)]
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(arguments, cwd=ROOT, env=settings, stdout=log, stderr=log)
    try:
        _wait_until_healthy(f"http://127.0.0.1:{port}", process, folder / "log.txt")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_healthy(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"the app did not start:\n{log.read_text()}")
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=2)
            return
        except (urllib.error.URLError, TimeoutError):
            time.sleep(0.1)
    raise RuntimeError(f"the app did not answer:\n{log.read_text()}")
