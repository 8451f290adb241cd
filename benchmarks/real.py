"""The one real pair at hand: a dash-cam drive in Brooklyn and its aerial region, among other real places and made ones.

Part of `python -m benchmarks.accuracy`; looks for `../shared/real` and says so where it is missing.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from benchmarks.county import cities, gallery_of, made_by, make_films
from gama_core.build_gallery import build_gallery
from gama_core.embed import Models
from gama_core.evaluate import NEAR_M, compare
from gama_core.gallery import Gallery, open_gallery
from gama_core.geo import LatLon
from gama_core.imagery import open_imagery
from gama_core.join_galleries import join_galleries
from gama_core.localize import find
from gama_core.see import Seen, see
from gama_core.settings import Settings
from gama_core.tile import Region
from gama_core.track import Fix, Track
from gama_core.video import open_video

ROOT = Path(__file__).resolve().parents[1]
REAL = ROOT.parent / "shared" / "real"
PAIR = REAL / "pairs" / "gama_fig_brooklyn"
CACHE = ROOT / "cache" / "real"
MADE_CITIES = 4  # of 25 regions each
AERIAL = {
    "brooklyn": PAIR / "aerial_merged_NOMINAL_GEOREF.tif",
    "zurich": REAL / "aerial" / "zurich_swissimage_1091-322_00.tif",
    "kampala": REAL / "aerial" / "fair_oam_z19",
    "korea": REAL / "aerial" / "korea_cogeo_3857.tif",
    "saotome": REAL / "aerial" / "saotome_drone.tif",
    "manhattan": PAIR.parent / "gama_predictions2_manhattan" / "aerial_clean.png",
}
BOUNDS = {"manhattan": Region(154_420, 197_000).bounds}  # of a plain picture of one region; the place is invented


def print_real(models: Models) -> None:
    """Prints where the real drive's own region is ranked, how near its seconds are put, and how sure it is."""
    if not PAIR.is_dir():
        print("the real pair: ../shared/real is not here\n")
        return
    seen = see(open_video(PAIR / "video_1fps.mp4"), models)
    fixes = json.loads((PAIR / "truth.json").read_text())["track"]
    truth = Track(tuple(Fix(float(fix["t_s"] - 1), LatLon(fix["nominal_lat"], fix["nominal_lon"])) for fix in fixes))
    real = [_gallery(name, models) for name in AERIAL]
    some = cities()[:MADE_CITIES]
    make_films(some)
    everything = _joined([*real, *(gallery_of(city, models) for city in some)], models)
    made = len(everything.regions) - sum(len(gallery.regions) for gallery in real)
    print(f"the real drive in Brooklyn ({len(seen.numbers)} s), among {len(everything.regions) - made} real regions")
    print(f"and {made} made ones; its place is invented, its region is real")
    print(f"{'':32}{'rank of its region':>20}{'confidence':>12}   answer")
    for screening in ("network", "late", "fused", "path"):
        answer = find(seen, everything, models, Settings(screening=screening))  # type: ignore[arg-type]
        ranks = {hit.index: rank for rank, hit in enumerate(answer.regions, start=1)}
        own = min(ranks[index] for index, region in enumerate(everything.regions) if _holds(region, truth))
        print(f"{screening:32}{f'{own} of {len(everything.regions)}':>20}{answer.confidence:12.2f}   {answer.known}")
    _print_inside(seen, real[0], truth, models)


def _print_inside(seen: Seen, gallery: Gallery, truth: Track, models: Models) -> None:
    """How near the seconds are put where only its own region is searched, beside chance."""
    comparison = compare(find(seen, gallery, models, Settings()), truth)
    where = gallery.views.lat_deg, gallery.views.lon_deg
    near = [
        np.mean([LatLon(float(lat), float(lon)).distance_m(at) <= NEAR_M for lat, lon in zip(*where, strict=True)])
        for at in (truth.at(float(time_s)) for time_s in seen.times_s)
        if at is not None
    ]
    stages = {"GAMa-Net": comparison.before, "path": comparison.path}
    found = ", ".join(f"{name} {100 * stage.recall():.0f} %" for name, stage in stages.items() if stage is not None)
    print(f"within 80 m inside its own region: {found}; chance {100 * float(np.mean(near)):.0f} %\n")


def _holds(region: Region, truth: Track) -> bool:
    return any(region.contains(fix.at) for fix in truth.fixes)


def _gallery(name: str, models: Models) -> Gallery:
    folder = CACHE / f"{name}-{made_by(models)}"
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        build_gallery(open_imagery(AERIAL[name], BOUNDS.get(name)), models, folder, name=name.title())
    return open_gallery(folder)


def _joined(galleries: list[Gallery], models: Models) -> Gallery:
    folder = CACHE / f"everything-{made_by(models)}"
    if not folder.is_dir():
        join_galleries(galleries, folder, "Everything")
    return open_gallery(folder)


if __name__ == "__main__":
    from gama_core.embed import load_models

    print_real(load_models())
