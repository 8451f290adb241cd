"""`python -m gama_core world`: places, drives, the training set, and data sets in the published layout."""

from __future__ import annotations

import logging
from itertools import repeat
from pathlib import Path
from typing import Annotated, Literal

import typer

from gama_core.errors import SettingsInvalid
from gama_core.streets import write_streets
from gama_core.workers import worker_pool
from gama_core.world.export import Plan, export_gama
from gama_core.world.film import write_drive
from gama_core.world.imagery import write_geotiff, write_tiles
from gama_core.world.place import SAMPLE_COLUMNS, SAMPLE_ROWS, SAMPLE_SEED, make_place, street_map
from gama_core.world.screening_set import write_screening_set
from gama_core.world.training_set import write_training_set
from gama_core.world.weather import WEATHERS

app = typer.Typer(
    help="Make procedural cities: aerial imagery, dash-cam drives, the training set.", no_args_is_help=True
)
_log = logging.getLogger("gama_core.world")

Seed = Annotated[
    int,
    typer.Option(
        help="Which city: 10000-19999 training, 20000-20999 validation, 90000-94999 test, "
        "95000-99999 held-out styles, 90001 the sample."
    ),
]
Columns = Annotated[int, typer.Option(help="Regions from west to east; a region is about 410 m wide.", min=1, max=40)]
Rows = Annotated[int, typer.Option(help="Regions from north to south.", min=1, max=40)]


@app.callback()
def world() -> None:
    """Make procedural cities: aerial imagery, dash-cam drives, the training set."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")


@app.command("place")
def place_command(
    out: Annotated[Path, typer.Option(help="city.tif for one GeoTIFF, else a folder for tiles: OUT/19/x/y.jpg.")],
    seed: Seed = SAMPLE_SEED,
    columns: Columns = SAMPLE_COLUMNS,
    rows: Rows = SAMPLE_ROWS,
    ending: Annotated[str, typer.Option(help="Of the tiles: png, jpg or webp.")] = "jpg",
) -> None:
    """Draw the aerial image of a city, north up, zoom 19."""
    city = make_place(seed, columns, rows)
    if out.suffix.lower() in (".tif", ".tiff"):
        write_geotiff(city, out, _tell)
    else:
        write_tiles(city, out, ending, _tell)


@app.command("drives")
def drives_command(
    out: Annotated[Path, typer.Option(help="Folder for drive_000.mp4, drive_000.json ... and the truth beside them.")],
    seed: Seed = SAMPLE_SEED,
    columns: Columns = SAMPLE_COLUMNS,
    rows: Rows = SAMPLE_ROWS,
    count: Annotated[int, typer.Option(help="How many drives.", min=1)] = 6,
    first: Annotated[int, typer.Option(help="Number of the first: each number is a drive of its own.", min=0)] = 0,
    seconds: Annotated[float, typer.Option(help="How long each drive is.", min=2, max=3600)] = 40.0,
    weather: Annotated[
        str | None, typer.Option(help=f"One of {', '.join(WEATHERS)}; drawn by lot if left out.")
    ] = None,
    gps: Annotated[bool, typer.Option(help="Write the phone's GPS beside each drive.")] = True,
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = 2,
) -> None:
    """Film drives through a city; films that exist are kept, so that it may be stopped and started again."""
    if weather is not None and weather not in WEATHERS:
        raise SettingsInvalid(f"There is no weather {weather!r}; choose one of {', '.join(WEATHERS)}.")
    with worker_pool(min(workers, count)) as pool:
        shares = [range(first + share, first + count, workers) for share in range(min(workers, count))]
        jobs = (repeat(value) for value in (seed, columns, rows, seconds, out, weather, gps))
        list(pool.map(_film_all, shares, *jobs))


@app.command("streets")
def streets_command(
    out: Annotated[Path, typer.Argument(help="The file to write: NAME.gpkg or NAME.geojson.")],
    seed: Seed = SAMPLE_SEED,
    columns: Columns = SAMPLE_COLUMNS,
    rows: Rows = SAMPLE_ROWS,
) -> None:
    """Write the middle lines of a city's streets, as a person would bring them: `localize --streets`."""
    _log.info("%s", write_streets(street_map(make_place(seed, columns, rows)), out))


@app.command("training-set")
def training_set(
    out: Annotated[Path, typer.Option(help="Folder for one folder a place.")],
    first: Annotated[int, typer.Option(help="First seed: 10000 to 19999 training, 20000 to 20999 validation.")],
    places: Annotated[int, typer.Option(help="How many seeds, one place each.", min=1)] = 100,
    clips: Annotated[int, typer.Option(help="Clips of each place.", min=1)] = 80,
    regions_across: Annotated[int, typer.Option(help="A place is a square of so many regions a side.", min=1)] = 1,
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = 2,
) -> None:
    """Write training places; those that exist are kept, so that it may be stopped and started again."""
    write_training_set(
        out, first, places, clips, regions_across, workers, lambda seed, fate: _log.info("%s %s", seed, fate)
    )


@app.command("export")
def export_command(
    out: Annotated[Path, typer.Argument(help="The root of the data set; may hold a part of the same export.")],
    layout: Annotated[Literal["gama"], typer.Option(help="Of the files: that of the published data set.")] = "gama",
    seed: Annotated[int, typer.Option(help="First place of each split; 0 is 10000 and 20000.", min=0, max=900)] = 0,
    train_drives: Annotated[int, typer.Option(help="Drives by day in the train split.", min=1)] = Plan.train_drives,
    val_drives: Annotated[int, typer.Option(help="Drives by day in the val split.", min=1)] = Plan.val_drives,
    night_drives: Annotated[int, typer.Option(help="Night drives more in each split.", min=0)] = Plan.night_drives,
    seconds: Annotated[float, typer.Option(help="How long each drive is.", min=2, max=60)] = Plan.seconds,
    drives_per_place: Annotated[int, typer.Option(help="A place is larger the more there are.", min=1, max=400)] = (
        Plan.drives_per_place
    ),
    width: Annotated[int, typer.Option(help="Of the films in pixels; BDD100K has 1280.", min=64)] = Plan.frame[0],
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = 2,
) -> None:
    """Write places and drives as the published data set is laid out; drives that exist are kept."""
    frame = width // 2 * 2, round(width * 9 / 32) * 2
    plan = Plan(seed, train_drives, val_drives, night_drives, seconds, drives_per_place, frame)
    export_gama(out, plan, workers, lambda done, total: _log.info("drive %s of %s", done, total))


@app.command("screening-set")
def screening_set(
    out: Annotated[Path, typer.Option(help="Folder for one folder a city.")],
    first: Annotated[int, typer.Option(help="First seed, of the training seeds that GAMa-Net does not see: 11000 on.")],
    cities: Annotated[int, typer.Option(help="How many seeds, one city each.", min=1)] = 30,
    regions_across: Annotated[int, typer.Option(help="A city is a square of so many regions a side.", min=2)] = 5,
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = 2,
) -> None:
    """Write cities for the screening network; those that exist are kept."""
    write_screening_set(out, first, cities, regions_across, workers, lambda seed, fate: _log.info("%s %s", seed, fate))


def _film_all(
    numbers: range, seed: int, columns: int, rows: int, seconds: float, out: Path, weather: str | None, gps: bool
) -> None:
    """One process's share of the drives: the city is made once."""
    city = make_place(seed, columns, rows)
    for number in numbers:
        _log.info("%s", write_drive(city, number, seconds, out, weather=weather, with_gps=gps))


def _tell(done: int, total: int) -> None:
    _log.info("region %s of %s", done, total)


if __name__ == "__main__":
    app()
