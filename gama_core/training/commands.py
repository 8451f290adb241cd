"""python -m gama_core train: both compact networks from nothing, and the numbers that make their scores honest."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from gama_core.errors import GamaError
from gama_core.training import published_commands as published

app = typer.Typer(help="Train the networks on generated places.", no_args_is_help=True)

DataOption = Annotated[Path, typer.Option(help="Folder of training places; made by `world training-set`.")]
ValidationOption = Annotated[Path, typer.Option(help="Folder of validation places, of other seeds.")]
OutOption = Annotated[Path, typer.Option(help="Where checkpoints and weights go.")]
HELD_BACK = 11_000  # seeds from here on are kept from GAMa-Net: cities that the screening network learns from


@app.command("gama-net")
def gama_net_command(
    data: DataOption = Path("cache/train"),
    validation: ValidationOption = Path("cache/validation"),
    out: OutOption = Path("weights"),
    minutes: Annotated[float, typer.Option(help="Minutes of learning; an interrupted run goes on.")] = 90.0,
    start: Annotated[
        Path | None, typer.Option(help="Compact weights of an earlier run to begin with, instead of noise.")
    ] = None,
    learning_rate: Annotated[float, typer.Option(help="At its highest; half of the default suits --start.")] = 2e-3,
    validate_every: Annotated[float, typer.Option(help="Minutes between looks at unseen places.")] = 15.0,
    batch_places: Annotated[
        int, typer.Option(help="Places in a batch, 16 clips each; a GPU has room for more.", min=1)
    ] = 12,
    device: Annotated[
        str | None, typer.Option(help="cpu or cuda; with --dataset also auto, which is the default there.")
    ] = None,
    config: published.ConfigOption = "compact",
    dataset: published.DatasetOption = None,
    gallery: published.GalleryOption = "cn",
    all_hours: published.AllHoursOption = False,
    epochs: published.EpochsOption = None,
    batch: published.BatchOption = None,
    steps: published.StepsOption = None,
    workers: published.WorkersOption = None,
    precision: published.PrecisionOption = "auto",
    seed: published.SeedOption = 0,
) -> None:
    """GAMa-Net, compact; resumable, and fed by places that are still being made. Or as published, on a data set."""
    place = published.place_of(
        dataset, config, out, gallery, all_hours, device or "auto", precision, workers, steps, epochs, batch
    )
    if place is not None:
        published.train_gama_net_on(place, config, epochs, batch, seed)
        return
    from gama_core.calibration import calibration_path
    from gama_core.embed import GAMA_NET
    from gama_core.models.gama_net import GAMaNet
    from gama_core.models.weights import save_weights
    from gama_core.training.gama_net import Recipe, Trainer, card, train
    from gama_core.training.model_card import write_card
    from gama_core.training.pairs import BatchShape
    from gama_core.training.places import find_places, read_place
    from gama_core.training.validate import validate

    def look(net: GAMaNet, places: int) -> dict[str, float]:
        return validate(net, [read_place(folder) for folder in find_places(validation)[:places]])

    if not find_places(validation):
        raise GamaError(f"{validation} holds no place to validate on; `world training-set` makes some.")
    recipe, shape = Recipe(minutes=minutes, learning_rate=learning_rate), BatchShape(places=batch_places)
    trainer = Trainer(recipe=recipe, device=device or "cpu")
    if start is not None:
        trainer.start(start)
    checkpoint = out / "gama-net-compact.checkpoint"
    out.mkdir(parents=True, exist_ok=True)
    train(
        trainer,
        data,
        checkpoint,
        shape,
        published.print_facts,
        lambda net: look(net, 12),
        60 * validate_every,
        HELD_BACK,
    )
    facts = {**card(trainer, data, shape, HELD_BACK), "validation": look(trainer.mean, 24)}
    record = save_weights(trainer.mean, out / GAMA_NET, facts)
    calibration_path(out / GAMA_NET).unlink(missing_ok=True)  # it belonged to the weights that these replace
    write_card(out / GAMA_NET)
    typer.echo(json.dumps({"sha256": record.sha256, **facts}, indent=1))


@app.command("screening")
def screening_command(
    cities: Annotated[Path, typer.Option(help="Cities to learn from; made by `world screening-set`.")] = Path(
        "cache/cities"
    ),
    validation: Annotated[Path, typer.Option(help="Folder of validation places of many regions.")] = Path(
        "cache/validation-large"
    ),
    out: OutOption = Path("weights"),
    config: published.ConfigOption = "compact",
    dataset: published.DatasetOption = None,
    finetune_on: published.FinetuneOption = None,
    start: published.StartOption = None,
    gallery: published.GalleryOption = "cn",
    all_hours: published.AllHoursOption = False,
    epochs: published.EpochsOption = None,
    batch: published.BatchOption = None,
    steps: published.StepsOption = None,
    workers: published.WorkersOption = None,
    device: Annotated[str, typer.Option(help="With --dataset: auto, cpu or cuda.")] = "auto",
    precision: published.PrecisionOption = "auto",
    seed: published.SeedOption = 0,
) -> None:
    """The screening network, compact: words for what GAMa-Net's tower sees. Or as published, on a data set."""
    place = published.place_of(
        dataset, config, out, gallery, all_hours, device, precision, workers, steps, epochs, batch, finetune_on, start
    )
    if place is not None:
        published.train_screening_on(place, config, epochs, batch, seed, finetune_on, start)
        return
    from gama_core.embed import GAMA_NET, SCREENING
    from gama_core.models.gama_net import GAMaNet
    from gama_core.models.weights import load_weights, save_weights, sha256_of
    from gama_core.training.model_card import write_card
    from gama_core.training.places import find_places, read_place
    from gama_core.training.screening import train_screening
    from gama_core.training.screening_cities import find_cities, read_city

    gama_net = load_weights(out / GAMA_NET)
    assert isinstance(gama_net, GAMaNet)
    seen = [read_city(folder) for folder in find_cities(cities)]
    judges = [read_place(folder) for folder in find_places(validation)]
    if not seen or not judges:
        raise GamaError(f"{cities} holds {len(seen)} cities, {validation} {len(judges)} places; `world` makes both.")
    net, facts = train_screening(seen, judges, gama_net, published.print_facts)
    facts["tower"] = f"{GAMA_NET} ({sha256_of(out / GAMA_NET)[:12]})"
    record = save_weights(net, out / SCREENING, facts)
    write_card(out / SCREENING)
    typer.echo(json.dumps({"sha256": record.sha256, **facts}, indent=1))


@app.command("calibrate")
def calibrate_command(
    cities: Annotated[
        list[Path], typer.Argument(help="Folders of validation cities: aerial.tif and drives beside it.")
    ],
    out: OutOption = Path("weights"),
    cache: Annotated[Path, typer.Option(help="Where the cities' galleries go.")] = Path("cache/validation-galleries"),
    workers: Annotated[int, typer.Option(help="Processes; each wants a core and about 1 GB.", min=1)] = 1,
) -> None:
    """The numbers that turn similarities into probabilities, learned on validation cities searched together."""
    from functools import partial

    from gama_core.build_gallery import build_gallery
    from gama_core.calibration import save_calibration
    from gama_core.embed import GAMA_NET, SCREENING, load_models
    from gama_core.gallery import open_gallery
    from gama_core.imagery import open_imagery
    from gama_core.join_galleries import join_galleries
    from gama_core.telemetry import read_track
    from gama_core.training.calibrate import calibrate
    from gama_core.video import open_video
    from gama_core.world.film import holds_truth, read_truth

    screening = out / SCREENING
    load = partial(load_models, "auto", out / GAMA_NET, screening if screening.is_file() else None, calibrated=False)
    models = load()
    weights = (
        f"{models.record.sha256[:12]}-{models.screening_record.sha256[:12] if models.screening_record else 'none'}"
    )
    parts, films = [], []
    for city in cities:
        folder = cache / f"{city.name}-{weights}"
        if not folder.is_dir():
            build_gallery(open_imagery(city / "aerial.tif"), models, folder, name=city.name)
        parts.append(open_gallery(folder))
        films += sorted(city.rglob("*.mp4"))
    parts_sha256 = hashlib.sha256("".join(part.sha256 for part in parts).encode()).hexdigest()
    whole = cache / f"all-{parts_sha256[:12]}"
    if not whole.is_dir():
        join_galleries(parts, whole, "validation")
    drives = [
        (open_video(film), read_truth(film)[0] if holds_truth(film) else read_track(film.with_suffix(".json")))
        for film in films
    ]
    calibration, facts = calibrate(open_gallery(whole), drives, load, published.print_facts, workers)
    path = save_calibration(calibration, out / GAMA_NET)
    typer.echo(json.dumps({"file": str(path), **facts, **asdict(calibration)}, indent=1))


@app.command("all")
def all_command(
    places: Annotated[int, typer.Option(help="Training places to make, of four regions each.")] = 400,
    minutes: Annotated[float, typer.Option(help="Minutes of learning for GAMa-Net.")] = 180.0,
    out: OutOption = Path("weights"),
    data: Annotated[Path, typer.Option(help="Where generated places go.")] = Path("cache"),
    device: Annotated[Literal["cpu", "cuda"], typer.Option(help="Where GAMa-Net learns.")] = "cpu",
    workers: Annotated[int, typer.Option(help="Processes that make places while it learns.", min=1)] = 1,
    start: Annotated[Path | None, typer.Option(help="Compact weights to begin with, instead of noise.")] = None,
) -> None:
    """Everything, from nothing or from weights: places are made while GAMa-Net learns from the first of them."""
    from gama_core.training.everything import train_everything

    train_everything(places, minutes, out, data, device, workers, start)
