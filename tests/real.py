"""Where the real input lies; tests that need it skip where it is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

REAL = Path(__file__).parents[1] / ".." / "shared" / "real"


def real(name: str) -> Path:
    """A real file or folder; skips the test where it is missing."""
    path = (REAL / name).resolve()
    if not path.exists():
        pytest.skip(f"../shared/real/{name} is not here")
    return path
