"""A test county of the paper's size: 600 regions of 24 unseen cities, with 100 drives among them (`make county`).

Made by one command and never shipped: about an hour of two cores. What exists is kept, so that it may be stopped and
started again; galleries belong to the weights that lie in `weights/`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import as_completed
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from gama_core.build_gallery import build_gallery
from gama_core.embed import Models, load_models
from gama_core.gallery import Gallery, open_gallery
from gama_core.imagery import open_imagery
from gama_core.join_galleries import join_galleries
from gama_core.streets import Streets, read_streets, write_streets
from gama_core.tile import Region
from gama_core.workers import worker_pool
from gama_core.world.film import write_drive
from gama_core.world.imagery import write_geotiff
from gama_core.world.place import HELD_OUT_SEEDS, anchor_of, make_place, street_map, style_of

ROOT = Path(__file__).resolve().parents[1]
COUNTY = ROOT / "cache" / "county"
SIDE = 5  # regions of a city, each way
CITIES, DRIVES, SECONDS = 24, 100, 40
LONG_DRIVES = {120: 6, 300: 2}  # seconds: drives
HELD_OUT_CITIES, HELD_OUT_DRIVES = 3, 12


@dataclass(frozen=True)
class City:
    """One city of the county, how many drives of 40 s go through it, and how many seconds its longer ones last."""

    seed: int
    drives: int
    long_s: tuple[int, ...] = ()

    @property
    def folder(self) -> Path:
        return COUNTY / str(self.seed)

    @property
    def films(self) -> list[Path]:
        return [self.folder / "drives" / f"drive_{number:03d}.mp4" for number in range(self.drives)]

    @property
    def long_films(self) -> list[Path]:
        return [self.folder / "drives" / f"long_{seconds}.mp4" for seconds in self.long_s]

    @property
    def street_map(self) -> Path:
        return self.folder / "streets.gpkg"

    @property
    def made(self) -> bool:
        """Whether its imagery, its streets and all its films are there."""
        ours = (self.folder / "aerial.tif", self.street_map, *self.films, *self.long_films)
        return all(path.is_file() for path in ours)


def cities(most: int | None = None) -> list[City]:
    """The county's cities, all test places; with at most so many drives of 40 s through each."""
    seeds = _apart(range(90_100, 90_300), CITIES)
    shares = [DRIVES // CITIES + (number < DRIVES % CITIES) for number in range(CITIES)]
    return [
        City(
            seed,
            min(drives, most or drives),
            tuple(s for s, count in LONG_DRIVES.items() if not number % (CITIES // count)),
        )
        for number, (seed, drives) in enumerate(zip(seeds, shares, strict=True))
    ]


def held_out_cities(most: int | None = None) -> list[City]:
    """Cities of styles that no training has seen, as many of each family."""
    seeds = _apart(HELD_OUT_SEEDS, 3 * HELD_OUT_CITIES)
    families = [style_of(seed).family.name for seed in seeds]
    each = HELD_OUT_CITIES // len(set(families))
    chosen = [seed for at, seed in enumerate(seeds) if families[:at].count(families[at]) < each]
    drives = HELD_OUT_DRIVES // HELD_OUT_CITIES
    return [City(seed, min(drives, most or drives)) for seed in chosen]


def county(models: Models, some: Sequence[City], name: str) -> Gallery:
    """One gallery of some cities, made by these weights."""
    folder = gallery_folder(name, models)
    if not folder.is_dir():
        join_galleries([gallery_of(city, models) for city in some], folder, name.title())
    return open_gallery(folder)


def gallery_folder(name: str, models: Models) -> Path:
    """Where a gallery of some cities lies, once it was made by these weights."""
    return COUNTY / f"{name}-{made_by(models)}"


def gallery_of(city: City, models: Models) -> Gallery:
    """One city's gallery, made by these weights."""
    folder = city.folder / f"gallery-{made_by(models)}"
    if not folder.is_dir():
        build_gallery(open_imagery(city.folder / "aerial.tif"), models, folder, name=f"City {city.seed}")
    return open_gallery(folder)


def made_by(models: Models) -> str:
    """Names the weights of a gallery's folder."""
    screening = models.screening_record
    return f"{models.record.sha256[:12]}-{screening.sha256[:12] if screening else 'none'}"


def streets_of(some: Sequence[City]) -> Streets:
    """The streets of some cities."""
    return Streets("streets", np.concatenate([read_streets(city.street_map).segments for city in some]))


def make_films(some: Sequence[City]) -> None:
    """Draws and films what is missing, in two processes."""
    with worker_pool(2) as pool:
        jobs = [pool.submit(_make_city, city) for city in some if not city.made]
        for job in tqdm(as_completed(jobs), "cities", len(jobs), disable=not sys.stderr.isatty()):
            job.result()


def _make_city(city: City) -> None:
    place = make_place(city.seed, SIDE, SIDE)
    aerial = city.folder / "aerial.tif"
    if not aerial.is_file():
        aerial.parent.mkdir(parents=True, exist_ok=True)
        write_geotiff(place, aerial, lambda _done, _total: None)
    if not city.street_map.is_file():
        write_streets(street_map(place), city.street_map)
    folder = city.folder / "drives"
    for film in city.films:
        write_drive(place, int(film.stem[-3:]), SECONDS, folder)
    for number, (seconds, film) in enumerate(zip(city.long_s, city.long_films, strict=True), 500):
        write_drive(place, number, seconds, folder, film.stem)


def _apart(seeds: range, count: int) -> list[int]:
    """The first seeds whose cities do not lie on each other."""
    taken: list[Region] = []
    chosen = []
    for seed in seeds:
        corner = anchor_of(seed)
        if all(max(abs(corner.x - other.x), abs(corner.y - other.y)) > 7 * (SIDE + 1) for other in taken):
            taken.append(corner)
            chosen.append(seed)
        if len(chosen) == count:
            return chosen
    raise AssertionError(f"only {len(chosen)} of {count} cities lie apart")


def main() -> None:
    """Makes films and galleries."""
    everything = [*cities(), *held_out_cities()]
    make_films(everything)
    models = load_models()
    for city in tqdm(everything, "galleries", disable=not sys.stderr.isatty()):
        gallery_of(city, models)
    county(models, cities(), "county")
    county(models, held_out_cities(), "held-out")


if __name__ == "__main__":
    main()
