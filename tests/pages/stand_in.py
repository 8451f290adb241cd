"""What stands in for networks and sample place in the app's tests: a small gallery, short films, made-up answers.

The app itself knows nothing of it. `python tests/pages/stand_in.py FOLDER PORT` serves the app with it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import cv2
import numpy as np

from gama_core.gallery import Gallery, Views, save_gallery
from gama_core.geo import LatLon
from gama_core.result import Candidate, Localization, PathStep, RegionHit, Step
from gama_core.settings import Settings
from gama_core.tile import Region, Tile, place, places, world_pixels
from gama_core.track import Track

CORNER = Tile(203_000, 199_000)  # in the open ocean
SIDE = 3  # regions along a side of the place
HOME = 4  # the region in which the drives were filmed
STAGES = ("video", "embedding", "search", "screening", "path", "second search")


@dataclass(frozen=True)
class StandIn:
    """How the made-up service behaves: seconds between two steps of progress, and how sure it claims to be."""

    pause_s: float = 0.0
    held: threading.Event | None = None  # every step waits for it
    confidence: float = 0.97
    inside: float = 1.0
    notes: tuple[str, ...] = ()
    error: Exception | None = None
    asked: list[tuple[Settings, Any]] = field(default_factory=list)  # the settings and the streets of each question


@dataclass(frozen=True)
class Seen:
    """What was seen of a drive: its clips, one a second."""

    duration_s: float
    times_s: np.ndarray

    def first(self, clips: int) -> Seen:
        return Seen(float(clips), self.times_s[:clips])


def make_assets(folder: Path, drives: tuple[str, ...] = ("mill-lane", "north-avenue"), seconds: int = 12) -> None:
    """A gallery in `folder`/city/gallery and drives in `folder`/drives; the first drive has GPS."""
    make_gallery(folder / "city" / "gallery")
    (folder / "weights").mkdir()
    (folder / "weights" / "stand-in.safetensors").touch()
    films = folder / "drives"
    films.mkdir(parents=True)
    for number, name in enumerate(drives):
        make_film(films / f"{name}.mp4", seconds)
        if number == 0:
            (films / f"{name}.json").write_text(json.dumps(_phone_log(seconds)))
    listed = [{"file": f"{name}.mp4", "title": name.replace("-", " ").title(), "note": "day"} for name in drives]
    (films / "drives.json").write_text(json.dumps(listed))


def make_gallery(folder: Path, name: str = "Stand-in city") -> Gallery:
    """Nine painted regions, four views a region and tile row, embeddings at random."""
    regions = tuple(Region(CORNER.x + 7 * (i % SIDE), CORNER.y + 7 * (i // SIDE)) for i in range(SIDE**2))
    _paint(regions, folder / "imagery")
    rows = [
        ((region.x + column / 2 + 0.25) * 256, (region.y + row / 2 + 0.25) * 256, 90.0 * turn, index)
        for index, region in enumerate(regions)
        for row in range(14)
        for column in range(14)
        for turn in range(2)
    ]
    x, y, rotation, index = np.array(rows).T
    lat, lon = places(x, y)
    vectors = np.random.default_rng(0).normal(size=(len(rows), 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    views = Views(lat, lon, np.full(len(rows), 60, np.float32), rotation.astype(np.float32), index.astype(np.int32))
    gallery = Gallery(
        folder, name, "Painted for the tests", views, regions, vectors.astype(np.float16), None,
        "stand-in", "c" * 64, None, None, 29.0, "2026-01-31",
    )  # fmt: skip
    return save_gallery(gallery, folder)


def make_film(path: Path, seconds: int = 12, codec: str = "libx264") -> Path:
    """A moving pattern, 4 frames a second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=4)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for number in range(4 * seconds):
            picture = np.full((180, 320, 3), (60, 70, 80), np.uint8)
            cv2.circle(picture, (20 + 6 * number % 280, 90), 30, (230, 180, 60), -1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def where(time_s: float, home: Region) -> LatLon:
    """Where the drives were filmed: eastwards, then north."""
    x, y = world_pixels(home.bounds.north, home.bounds.west)
    east, north = min(time_s, 20.0) * 45, max(time_s - 20.0, 0.0) * 45
    return place(float(x) + 300 + east, float(y) + 1300 - north)


def _phone_log(seconds: int) -> dict[str, Any]:
    home = Region(CORNER.x + 7 * (HOME % SIDE), CORNER.y + 7 * (HOME // SIDE))
    fixes = []
    for second in range(seconds + 1):
        at = where(float(second), home)
        fixes.append(
            {"timestamp": 1_500_000_000_000 + 1000 * second, "latitude": at.lat_deg, "longitude": at.lon_deg,
             "speed": 10.0, "course": 90.0, "accuracy": 5.0}
        )  # fmt: skip
    return {"startTime": 1_500_000_000_000, "endTime": 1_500_000_000_000 + 1000 * seconds, "locations": fixes}


def _paint(regions: tuple[Region, ...], folder: Path) -> None:
    first, last = regions[0], regions[-1]
    for zoom in (15, 16, 17, 18):
        shrink = 2 ** (19 - zoom)
        for x in range(first.x // shrink, (last.x + 7) // shrink + 1):
            for y in range(first.y // shrink, (last.y + 7) // shrink + 1):
                picture = np.full((256, 256, 3), (70 + 20 * (x % 2), 105 + 20 * (y % 2), 80), np.uint8)
                cv2.line(picture, (0, 128), (256, 128), (150, 150, 150), 10)
                path = folder / str(zoom) / str(x) / f"{y}.webp"
                path.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(path), picture)


def answer(gallery: Gallery, name: str, seconds: float, track: Track | None, confidence: float) -> Localization:
    """A made-up answer: the first search is right now and then, the second often, the path nearly always."""
    random = np.random.default_rng(3)
    home = HOME if track is None else _region_of(gallery, track)
    numbers = range(max(1, int(seconds)))
    truth = [(track.at(float(second)) if track else None) or where(second, gallery.regions[home]) for second in numbers]
    chance = np.r_[confidence, np.full(len(gallery.regions) - 1, (1 - confidence) / (len(gallery.regions) - 1))]
    order = sorted(range(len(gallery.regions)), key=lambda index: index != home)
    hits = [
        RegionHit(gallery.regions[index], index, 0.8 - 0.01 * rank, float(chance[rank]))
        for rank, index in enumerate(order)
    ]
    everywhere = range(len(gallery.regions))
    return Localization(
        video_name=name, video_sha256="a" * 64, duration_s=seconds, gallery_name=gallery.name,
        gallery_sha256=gallery.sha256, weights_name=gallery.weights_name, weights_sha256="c" * 64, settings=Settings(),
        before=tuple(_step(gallery, s, at, random, 0.2, everywhere) for s, at in zip(numbers, truth, strict=True)),
        regions=tuple(hits), kept=(home,),
        after=tuple(_step(gallery, s, at, random, 0.6, [home]) for s, at in zip(numbers, truth, strict=True)),
        path=tuple(
            PathStep(s, float(s), at.moved(8.0, -5.0), 90.0, home, confidence * min(1.0, 0.3 + 0.1 * s), 9.0, 30.0)
            for s, at in zip(numbers, truth, strict=True)
        ),
        confidence=confidence, seconds={"video": 1.0, "embedding": 2.0, "search": 0.5},
    )  # fmt: skip


def _region_of(gallery: Gallery, track: Track) -> int:
    middle = track.fixes[len(track.fixes) // 2].at
    return next((i for i, region in enumerate(gallery.regions) if region.contains(middle)), HOME)


def _step(gallery: Gallery, second: int, truth: LatLon, random: np.random.Generator, right: float, among: Any) -> Step:
    found: dict[int, Candidate] = {}
    top = float(np.clip(random.normal(0.7, 0.07), 0.4, 0.95))
    while len(found) < 5:
        rows = gallery.rows_of([int(random.choice(list(among)))])
        row = int(random.choice(rows))
        if not found and random.random() < right:
            lat, lon = gallery.views.lat_deg, gallery.views.lon_deg
            row = int(np.argmin((lat - truth.lat_deg) ** 2 + (lon - truth.lon_deg) ** 2))
        found[row] = gallery.candidate(row, top - 0.02 * len(found) * random.random())
    best = sorted(found.values(), key=lambda candidate: -candidate.score)
    return Step(second, float(second), tuple(best))


def modules(service: StandIn) -> dict[str, ModuleType]:
    """Stand-ins for gama_core.localize, gama_core.see and gama_core.embed, to lay over sys.modules."""
    from pages import catalog

    def localize(
        video: Any, gallery: Gallery, models: Any, settings: Settings, on_stage: Any, cache: Path, streets: Any
    ) -> Localization:
        del models, cache
        service.asked.append((settings, streets))
        for stage in STAGES:
            for done in range(5):
                threading.Event().wait(service.pause_s)
                on_stage(stage, done + 1, 5)
                if service.held is not None:
                    service.held.wait(60.0)
        if service.error:
            raise service.error
        drive = next((one for one in catalog.sample_drives() if one.video_path == video.path), None)
        track = drive.track() if drive else None
        told = answer(gallery, video.name, video.duration_s, track, service.confidence)
        path = told.path if settings.decode else ()
        return dataclasses.replace(
            told, settings=settings, path=path, notes=service.notes, inside=service.inside, inside_at_least=0.5
        )

    def see(video: Any, models: Any, settings: Settings, on_stage: Any, cache: Path) -> Seen:
        del models, settings, cache
        if service.error:
            raise service.error
        return Seen(video.duration_s, np.arange(float(max(1, int(video.duration_s)))))

    def find(
        seen: Seen, gallery: Gallery, models: Any, settings: Any = None, on_stage: Any = None, streets: Any = None,
        views: Any = None,
    ) -> Localization:  # fmt: skip
        del models, on_stage, views
        service.asked.append((settings, streets))
        threading.Event().wait(service.pause_s)
        grown = service.confidence * min(1.0, 0.2 + seen.duration_s / 12)
        return answer(gallery, "drive.mp4", seen.duration_s, None, grown)

    localizer, embedder = ModuleType("gama_core.localize"), ModuleType("gama_core.embed")
    localizer.localize, localizer.find, localizer.CLIPS = localize, find, "clips"  # type: ignore[attr-defined]
    eyes = ModuleType("gama_core.see")
    eyes.see = see  # type: ignore[attr-defined]
    embedder.load_models = type("Models", (), {"device": "cpu"})  # type: ignore[attr-defined]
    closer = ModuleType("gama_core.closer")
    closer.KnownViews = dict  # type: ignore[attr-defined]
    return {
        "gama_core.localize": localizer,
        "gama_core.see": eyes,
        "gama_core.embed": embedder,
        "gama_core.closer": closer,
    }


def serve(folder: Path, port: int, pause_s: float) -> None:
    """Serves the app with all of this, until it is stopped."""
    from streamlit.web import cli

    from pages import catalog

    if not (folder / "drives").exists():
        make_assets(folder)
    os.environ.setdefault("GAMA_GALLERIES", str(folder / "city"))
    os.environ.setdefault("GAMA_CACHE", str(folder / "cache"))
    catalog.DRIVES, catalog.WEIGHTS = folder / "drives", folder / "weights"
    sys.modules.update(modules(StandIn(pause_s, confidence=float(os.environ.get("STAND_IN_CONFIDENCE", "0.97")))))
    cli.main(["run", str(catalog.ROOT / "app.py"), "--server.port", str(port)])


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else 0.05)
