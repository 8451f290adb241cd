"""python -m benchmarks.paper: our evaluation of embeddings beside the published procedure (`make bench-paper`).

Both see the same embeddings, in processes of their own, in turns. Above `WHOLE` clips the published procedure is timed
on a slice of the clips against the whole gallery and multiplied, since all it does is proportional to the clips.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time

import numpy as np

from benchmarks.served import ROOT

DIMS, CLIPS_A_VIDEO, WHOLE, SLICE = 512, 37, 5_000, 500
SIZES = (2_000, 5_000, 20_000)
FULL = 115_866  # the day test set


def main() -> None:
    """Prints the table; `--full` adds the day test set's own size."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true", help="also 115,866 x 115,866")
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        side, count, clips = options.child
        _child(side, int(count), int(clips))
        return
    cores = len(os.sched_getaffinity(0))
    print(f"clips x items x {DIMS}, {cores} cores, Python {sys.version.split()[0]}, numpy {np.__version__}")
    print(f"{'size':>9}{'ours':>11}{'memory':>10}{'published':>14}{'memory':>10}{'ratio':>9}   first ten")
    for count in [*options.sizes, *([FULL] if options.full else [])]:
        clips = count if count <= WHOLE else SLICE
        turns = 3 if count <= WHOLE else 1
        ours, theirs = [], []
        for _ in range(turns):
            ours.append(_measured("ours", count, count))
            theirs.append(_measured("published", count, clips))
        mine, plain = (min(runs, key=lambda run: run["seconds"]) for runs in (ours, theirs))
        seconds = plain["seconds"] * count / clips
        same = mine["before"][:clips] == plain["before"] and mine["after"][:clips] == plain["after"]
        told = f"{seconds:.1f} s" + ("" if clips == count else "*")
        shown = f"{mine['seconds']:.2f} s", f"{mine['memory_mb']:.0f} MB", told, f"{plain['memory_mb']:.0f} MB"
        widths = zip(shown, (11, 10, 14, 10), strict=True)
        row = "".join(f"{text:>{width}}" for text, width in widths)
        verdict = f"{'the same' if same else 'DIFFER'} for {clips} clips"
        print(f"{count:9}{row}{seconds / mine['seconds']:8.0f}x   {verdict}", flush=True)
    print(f"* from {SLICE} clips against all items, times the clips; its memory is that of the slice.")


def _measured(side: str, count: int, clips: int) -> dict:
    command = [sys.executable, "-m", "benchmarks.paper", "--child", side, str(count), str(clips)]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return dict(json.loads(shown))


def _child(side: str, count: int, clips: int) -> None:
    """One side, once; prints JSON."""
    from gama_core.geo import LatLon
    from gama_core.retrieval.metrics import clip_table, kept_rows
    from gama_core.retrieval.places import Places, RightItems
    from gama_core.retrieval.ranking import rank

    rng = np.random.default_rng(0)
    gallery = rng.standard_normal((count, DIMS), dtype=np.float32)
    asked = gallery + 3 * rng.standard_normal((count, DIMS), dtype=np.float32)
    for rows in (gallery, asked):
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    videos = [f"video {row // CLIPS_A_VIDEO}" for row in range(count)]
    regions = len(set(videos))
    centres = rng.uniform((40.5, -74.3), (41.0, -73.7), (regions, 2))
    places = np.repeat(centres, CLIPS_A_VIDEO, axis=0)[:count] + rng.normal(0, 1e-3, (count, 2))
    fixes = [LatLon(*map(float, place)) for place in places]
    names = [f"{video}_{row % CLIPS_A_VIDEO}" for row, video in enumerate(videos)]
    items = Places.of(names, videos, fixes)
    few = max(1, regions // 100)
    picked = rng.integers(regions, size=(regions, few))
    kept = {f"video {row}": [f"video {other}" for other in picked[row]] for row in range(regions)}
    some = items.take(np.arange(clips))
    started = time.perf_counter()
    if side == "ours":
        right = RightItems(some, items)
        first = rank(asked[:clips], gallery, right)
        again = rank(asked[:clips], gallery, right, within=kept_rows(some, items, kept))
        clip_table(first, right), clip_table(again, right)
        seconds = time.perf_counter() - started
        before, after = first.row.tolist(), [[row for row in rows if row >= 0] for rows in again.row.tolist()]
    else:
        from benchmarks.paper_procedure import evaluate_plainly

        started = time.perf_counter()
        found = evaluate_plainly(asked[:clips], gallery, some, items, kept)
        seconds = time.perf_counter() - started
        before, after = found.before, found.after
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "memory_mb": peak, "before": before, "after": after}))


if __name__ == "__main__":
    main()
