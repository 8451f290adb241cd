"""The golden metrics as a data set's root: lists, info files, kept regions and embeddings, no pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

GOLDEN = Path(__file__).parents[1] / ".." / "shared" / "golden"


def golden_set(root: Path) -> dict[str, Any]:
    """Writes the root, `queries.npy`, `gallery.npy` and `kept.json`; gives the published answers, or skips."""
    facts = GOLDEN / "metrics_seed0.json"
    if not facts.exists():
        pytest.skip("../shared/golden is not here")
    golden = json.loads(facts.read_text())
    (root / "info" / "val").mkdir(parents=True)
    for name in ("val_gps_day", "gallery_gps_day_center"):
        (root / f"{name}.list").write_text("".join(f"{line}\n" for line in golden[name]))
    for video, info in golden["info"].items():
        (root / "info" / "val" / f"{video}.json").write_text(json.dumps(info))
    (root / "kept.json").write_text(json.dumps(golden["regions"]))
    with np.load(GOLDEN / "metrics_seed0.npz") as arrays:
        np.save(root / "queries.npy", arrays["query"])
        np.save(root / "gallery.npy", arrays["gallery"])
    return dict(golden["expected"])
