"""A made-up drive through a made-up city, for the tests of what is drawn and exported. Nothing in it was measured."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np

from gama_core.gallery import Gallery, Views
from gama_core.geo import LatLon
from gama_core.result import Candidate, Localization, PathStep, RegionHit, Step
from gama_core.settings import Settings
from gama_core.tile import Region, Tile, place, world_pixels
from gama_core.track import Fix, Track

SIDE = 4  # regions along a side of the city
CORNER = Tile(203888, 198480)  # its north-west tile, in the open ocean near 40 N 40 W
HOME = 5  # index of the region that holds the drive
CLIPS = 40
HOSTILE = "<script>alert(1)</script>{{7*7}}{%x%}`${1}`\"'&"


def make_gallery(folder: Path, side: int = SIDE) -> Gallery:
    """A city of side x side regions, one view a tile, with imagery in as few tiles as will do."""
    cells = [(column, row) for row in range(side) for column in range(side)]
    regions = tuple(Region(CORNER.x + 7 * column, CORNER.y + 7 * row) for column, row in cells)
    centres = [(tile.center, index) for index, region in enumerate(regions) for tile in region.tiles]
    lat = np.array([at.lat_deg for at, _ in centres])
    lon = np.array([at.lon_deg for at, _ in centres])
    region = np.array([index for _, index in centres], np.int32)
    views = Views(lat, lon, np.full(len(lat), 58.5, np.float32), np.zeros(len(lat), np.float32), region)
    unit = np.zeros((len(lat), 4), np.float16)
    unit[:, 0] = 1
    _write_tiles(regions, folder / "imagery")
    return Gallery(
        folder, "Sample city", "made-up imagery", views, regions, unit, None,
        "compact", "c" * 64, None, None, 58.5, "2026-01-01",
    )  # fmt: skip


def _write_tiles(regions: tuple[Region, ...], folder: Path, zooms: tuple[int, ...] = (15, 16)) -> None:
    """Gentle colours that tell where a pixel lies, as files z/x/y.webp; few zooms, as painting takes time."""
    first, last = regions[0], regions[-1]
    for zoom in zooms:
        shrink = 2 ** (19 - zoom)
        for x in range(first.x // shrink, (last.x + 6) // shrink + 1):
            for y in range(first.y // shrink, (last.y + 6) // shrink + 1):
                path = folder / str(zoom) / str(x) / f"{y}.webp"
                path.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(path), _painted(x * 256, y * 256, shrink), [cv2.IMWRITE_WEBP_QUALITY, 50])


def _painted(x_px: int, y_px: int, shrink: int) -> np.ndarray:
    x, y = (x_px + np.arange(256)) * shrink, (y_px + np.arange(256)) * shrink
    blocks = (x[None, :] // 224 + y[:, None] // 224) % 2
    shade = 90 + 40 * blocks + 12 * np.sin(x / 37)[None, :] * np.sin(y / 41)[:, None]
    return np.stack([shade * 0.7, shade, shade * 0.8], axis=-1).astype(np.uint8)


def drive(home: Region, time_s: float) -> LatLon:
    """Where the camera is: round two corners of the home region."""
    x, y = world_pixels(home.bounds.north, home.bounds.west)
    legs = [(420.0, 1400.0), (760.0, 1390.0), (800.0, 1090.0), (1050.0, 1080.0), (1300.0, 960.0)]
    share = min(max(time_s / CLIPS, 0.0), 1.0) * (len(legs) - 1)
    leg = min(int(share), len(legs) - 2)
    (x_0, y_0), (x_1, y_1) = legs[leg], legs[leg + 1]
    return place(float(x) + x_0 + (share - leg) * (x_1 - x_0), float(y) + y_0 + (share - leg) * (y_1 - y_0))


def make_track(gallery: Gallery, home: int = HOME) -> Track:
    return Track(tuple(Fix(float(t), drive(gallery.regions[home], t)) for t in range(CLIPS + 1)))


def make_localization(
    gallery: Gallery,
    seed: int = 0,
    before_right: float = 0.3,
    best: int = HOME,
    video_name: str = "Parkside loop.mp4",
) -> Localization:
    """A drive in region HOME, of which the first search finds a share, and the second most in region `best`."""
    random = np.random.default_rng(seed)
    regions = gallery.regions
    first, second, path = [], [], []
    for clip in range(CLIPS):
        truth = drive(regions[HOME], clip)
        lost = random.random() > before_right
        index = int(random.integers(len(regions))) if lost else HOME
        first.append(
            _step(clip, _snapped(truth if index == HOME else _anywhere(random, regions[index]), 64), index, 0.6)
        )
        wrong = best != HOME or random.random() < 0.3
        second.append(_step(clip, _snapped(_anywhere(random, regions[best]) if wrong else truth, 64), best, 0.8))
        if best == HOME:
            sure = 0.95 if clip > 12 else 0.2 + clip * 0.06
            path.append(
                PathStep(
                    clip,
                    float(clip),
                    truth.moved(9 * math.sin(clip), -6),
                    10.0 * clip % 360,
                    HOME,
                    sure,
                    6.0,
                    60 - 40 * sure,
                )
            )
    order = sorted(range(len(regions)), key=lambda index: (index != best, index != HOME, index))
    chance = np.array([0.9, *([0.1 / (len(regions) - 1)] * (len(regions) - 1))])
    hits = tuple(RegionHit(regions[i], i, 0.8 - 0.01 * rank, float(chance[rank])) for rank, i in enumerate(order))
    return Localization(
        video_name, "a" * 64, float(CLIPS), gallery.name, "b" * 64, "compact", "c" * 64, Settings(), tuple(first), hits,
        (best,), tuple(second), tuple(path), 0.9, {"search": 0.1},
    )  # fmt: skip


def _step(clip: int, at: LatLon, region: int, score: float) -> Step:
    return Step(clip, float(clip), (Candidate(49 * region, at, 90.0 * (clip % 4), region, score),))


def _anywhere(random: np.random.Generator, region: Region) -> LatLon:
    x, y = world_pixels(region.bounds.north, region.bounds.west)
    dx, dy = random.uniform(60, region.size_px - 60, 2)
    return place(float(x + dx), float(y + dy))


def _snapped(at: LatLon, stride_px: int) -> LatLon:
    """The middle of the view that holds a place: views stand in a grid."""
    x, y = world_pixels(at.lat_deg, at.lon_deg)
    return place((float(x) // stride_px + 0.5) * stride_px, (float(y) // stride_px + 0.5) * stride_px)
