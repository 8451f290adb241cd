"""python -m gama_core dataset: the published data set, looked over, unpacked and evaluated."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from gama_core.errors import SettingsInvalid
from gama_core.terminal import DeviceOption, JsonOption, bar, require

app = typer.Typer(help="The published data set: look it over, evaluate on it.", no_args_is_help=True)

Root = Annotated[Path, typer.Argument(help="The folder that holds the lists, info/, video_data/ and satelite_data/.")]
GalleryOption = Annotated[str, typer.Option(help="cn: tiles centred on fixes; ucn: tiles of the grid.")]
SplitOption = Annotated[str, typer.Option(help="val, which the paper reports, or train.")]
DayOption = Annotated[bool, typer.Option("--day/--all", help="Only the drives by day, as in the paper, or all.")]


@app.command("check")
def check_command(
    root: Root,
    deep: Annotated[bool, typer.Option("--deep", help="Decode every picture and every film.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Say what is there, and what is missing or odd; exit 1 where something is wrong."""
    from gama_core.dataset.doctor import check_dataset

    with bar() as hear:
        report = check_dataset(root, deep=deep, on_done=partial(hear, "videos") if hear else None)
    if as_json:
        typer.echo(json.dumps(report.as_dict(), indent=1))
    else:
        for split in report.splits:
            typer.echo(f"{split.split}: " + ", ".join(f"{count} {name}" for name, count in split.there.items()))
        rows = report.rows()
        width = max((len(row[2]) for row in rows), default=0)
        for name, level, what, places, count, example in rows:
            typer.echo(f"{name:6}{level:6}{what:{width}}{count:8} in {places}, such as {example}")
        typer.echo(report.verdict)
    if not report.sound:
        raise typer.Exit(1)


@app.command("frames")
def frames_command(
    videos: Annotated[list[Path], typer.Argument(help="Films, or folders of films.")],
    out: Annotated[Path, typer.Option(help="The root of the data set; frames go to video_data/SPLIT/VIDEO.mov/.")],
    only_clips: Annotated[bool, typer.Option("--only-clips", help="Only the frames that clips need.")] = False,
    split: SplitOption = "val",
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = 2,
    as_json: JsonOption = False,
) -> None:
    """Write the frames of films, 256 x 144; what is there already stays. Evaluation reads films without this."""
    from gama_core.dataset.frames import extract_frames
    from gama_core.dataset.layout import FILM_ENDINGS

    require(split, "split", "val", "train")
    films = [film for path in videos for film in (sorted(path.iterdir()) if path.is_dir() else [path])]
    films = [film for film in films if film in videos or (film.suffix in FILM_ENDINGS and film.is_file())]
    if not films:
        raise SettingsInvalid("There is no film in the folders given: name .mov or .mp4 files, or folders of them.")
    with bar() as hear:
        progress = partial(hear, "films") if hear else None
        report = extract_frames(films, out, only_clips, workers, progress, split)  # type: ignore[arg-type]
    facts = report.as_dict()
    if as_json:
        typer.echo(json.dumps(facts, indent=1))
    else:
        typer.echo(f"{facts['folder']}: {facts['made']} made, {facts['kept']} kept, {facts['failed']} failed")
        for film in report.of("failed"):
            typer.echo(f"  {film.video}: {film.error}")
    if report.of("failed"):
        raise typer.Exit(1)


@app.command("evaluate")
def evaluate_command(
    root: Root,
    weights: Annotated[Path, typer.Option(help="GAMa-Net: a .safetensors file of ours or a published .pth.")],
    screening: Annotated[
        Path | None,
        typer.Option(
            "--screening",
            "--screening-weights",  # its name in the main commands, where --screening says who ranks the regions
            help="The screening network; without it only the clip level is evaluated.",
        ),
    ] = None,
    gallery: GalleryOption = "cn",
    split: SplitOption = "val",
    day: DayOption = True,
    keep: Annotated[str, typer.Option(help="Regions that are searched again: 1% of all, or a number.")] = "1%",
    write_predictions: Annotated[
        Path | None,
        typer.Option(help="Write the first item of each clip: what the screening network is fine-tuned on."),
    ] = None,
    write_kept: Annotated[Path | None, typer.Option(help="Write the regions kept for each video.")] = None,
    runs: Annotated[Path | None, typer.Option(help="Keep the run in this folder for the Evaluate page.")] = None,
    cache: Annotated[Path, typer.Option(help="Where vectors are kept, so that a killed run goes on.")] = Path(
        "cache/dataset"
    ),
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Embed, rank, screen, rank again: the paper's tables, beside the published figures."""
    from gama_core.dataset import open_dataset
    from gama_core.dataset.retrieved import write_retrieved
    from gama_core.embed import load_models
    from gama_core.retrieval.run_dataset import evaluate_dataset
    from gama_core.run import save_run

    if write_kept is not None and screening is None:
        raise SettingsInvalid("--write-kept writes what the screening network kept: give --screening too.")
    if write_predictions is not None and gallery != "cn":
        raise SettingsInvalid("--write-predictions writes items VIDEO_SECOND, which only --gallery cn has.")
    require(gallery, "gallery", "cn", "ucn")
    require(split, "split", "val", "train")
    dataset = open_dataset(root, split, gallery, day)  # type: ignore[arg-type]
    models = load_models(device, weights, screening)  # type: ignore[arg-type]
    with bar() as hear:
        found = evaluate_dataset(dataset, models, screening is not None, keep, cache, hear)
    shown: dict[str, Any] = {**found.run.tables, "notes": found.run.settings["notes"]}
    written: list[Path] = []
    if write_predictions is not None:
        write_retrieved(found.predictions, write_predictions)
        written.append(write_predictions)
    if write_kept is not None:
        write_retrieved(found.kept, write_kept)
        written.append(write_kept)
    if runs is not None:
        written.append(save_run(found.run, runs))
    if written:
        shown["files"] = [str(path) for path in written]
    shown["faults"] = [f"{fault.what} {fault.name}: {fault.why}" for fault in found.faults[:20]]
    _show_tables(shown, as_json)


@app.command("evaluate-embeddings")
def evaluate_embeddings_command(
    root: Root,
    queries: Annotated[Path, typer.Option(help="An .npy array (clips, dims) in the order of the list of clips.")],
    gallery: Annotated[Path, typer.Option(help="An .npy array (items, dims) in the order of the gallery's list.")],
    kept: Annotated[
        Path | None, typer.Option(help="The regions kept for each video, JSON: adds the hierarchical figures.")
    ] = None,
    ucn: Annotated[bool, typer.Option("--ucn", help="The gallery is UCN, tiles of the grid.")] = False,
    day: DayOption = True,
    as_json: JsonOption = False,
) -> None:
    """The paper's metrics on embeddings made elsewhere."""
    from gama_core.dataset import open_dataset, read_kept
    from gama_core.retrieval.run_embeddings import evaluate_embeddings, read_embeddings

    dataset = open_dataset(root, "val", "ucn" if ucn else "cn", day)
    regions = read_kept(kept) if kept is not None else None
    asked, notes = read_embeddings(queries, len(dataset.queries), "clips")
    views, more = read_embeddings(gallery, len(dataset.gallery_items), "gallery items")
    with bar() as hear:
        tables = evaluate_embeddings(dataset, asked, views, regions, hear)
    _show_tables({**tables, "notes": [*notes, *more]}, as_json)


@app.command("evaluate-regions")
def evaluate_regions_command(
    kept: Annotated[Path, typer.Option(help="{VIDEO: [VIDEO, ...]}, best first: JSON, plain or gzipped.")],
    regions: Annotated[int | None, typer.Option(help="How many regions were ranked; else as many as videos.")] = None,
    as_json: JsonOption = False,
) -> None:
    """How often a video's own region is among those kept for it, in percent."""
    from gama_core.dataset import read_kept
    from gama_core.retrieval.metrics import evaluate_regions
    from gama_core.retrieval.published import METRICS, PUBLISHED

    found = {
        name: round(value, 2) if value is not None else None
        for name, value in evaluate_regions(read_kept(kept), regions).items()
    }
    if as_json:
        typer.echo(json.dumps(found, indent=1))
        return
    typer.echo(f"{found['videos']} videos, own region among the first:")
    for figure in PUBLISHED:
        if figure.table == "regions":
            ours = found[figure.metric]
            shown = "-" if ours is None else f"{ours:.2f} %"
            typer.echo(
                f"{METRICS[figure.metric]:10}{shown:>10}   published {100 * figure.value:.1f} % ({figure.source})"
            )


def _show_tables(tables: dict[str, Any], as_json: bool) -> None:
    """The figures, the published ones beside them with their source, and what could not be evaluated."""
    from gama_core.retrieval.published import CHANCE, METRICS, TITLES, TRUE_SEQUENCES, beside_published, written

    lines = beside_published(tables)
    if as_json:
        known = [line for line in lines if line.published is not None]
        published = [
            {"table": line.table, "metric": line.metric, "value": line.published, "source": line.source}
            for line in known
        ]
        typer.echo(json.dumps({**tables, "published": published}, indent=1))
        return
    for table, title in TITLES.items():
        mine = [line for line in lines if line.table == table]
        if mine:
            typer.echo(f"\n{title:40}{'here':>14}{'published':>14}  source")
        for line in mine:
            ours, theirs = written(line.metric, line.ours), written(line.metric, line.published)
            typer.echo(f"  {METRICS[line.metric]:38}{ours:>14}{theirs:>14}  {line.source or ''}")
    chance = written(CHANCE.metric, CHANCE.value)
    typer.echo(f"\nPublished: 116 k clips of 3,103 drives by day, CN gallery; top-1 by chance is {chance}.")
    if "regions" in tables:
        before = ", ".join(f"{METRICS[one.metric]} {written(one.metric, one.value)}" for one in TRUE_SEQUENCES)
        typer.echo(f"The published screening network, before it was fine-tuned: {before}.")
    for name, value in tables.items():
        if isinstance(value, int):
            typer.echo(f"  {name.replace('_', ' '):38}{value:>14}")
    for name in ("notes", "faults", "files"):
        for text in tables.get(name, ()):
            typer.echo(f"  {text}")
