"""python -m gama_core: the main job, and all that leads to it, from the command line."""

from __future__ import annotations

import errno
import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from gama_core.errors import GamaError, TrackUnreadable, VideoUnreadable
from gama_core.geo import Bounds
from gama_core.settings import Settings
from gama_core.terminal import DeviceOption, JsonOption, bar
from gama_core.tile import MAX_LAT_DEG

app = typer.Typer(help="GAMa puts a dash-cam drive on the map.", no_args_is_help=True, pretty_exceptions_enable=False)
gallery_app = typer.Typer(help="Galleries: places that can be searched, made of aerial imagery.", no_args_is_help=True)
app.add_typer(gallery_app, name="gallery")

CACHE = Path(os.environ.get("GAMA_CACHE") or "cache") / "answers"  # as the app keeps them
WeightsOption = Annotated[
    Path | None, typer.Option("--weights", help="GAMa-Net: a .safetensors of ours or a published .pth.")
]
ScreeningWeightsOption = Annotated[
    Path | None, typer.Option("--screening-weights", help="The screening network that belongs to --weights.")
]
ScreeningOption = Annotated[str, typer.Option(help="Who ranks regions: network, late, fused or path.")]
KeepRegionsOption = Annotated[int, typer.Option(help="Regions that the second search looks into.")]
DecodeOption = Annotated[
    bool, typer.Option(help="Answer with one drivable path; without, it still ranks regions and says how sure.")
]
RegionWindowsOption = Annotated[
    bool, typer.Option(help="Count windows that share half of a region in the clips' vote for it.")
]
HeadingsOption = Annotated[bool, typer.Option(help="The path minds which way each view looks.")]
CloserOption = Annotated[bool, typer.Option(help="Look again, more densely, where the first path may lie.")]
OdometryOption = Annotated[bool, typer.Option(help="The path drives and turns as the camera was seen to.")]
StreetsOption = Annotated[
    Path | None, typer.Option(help="A street network (GeoPackage, GeoJSON, Shapefile ...): the path prefers it.")
]
StreetWeightOption = Annotated[float, typer.Option(help="How much it does; 0 is not at all.")]
MaxSpeedOption = Annotated[float, typer.Option(help="Faster the path does not drive.")]
WindowClipsOption = Annotated[
    int, typer.Option(help="A drive of more clips is localized in windows of so many, each in regions of its own.")
]
InsideAtLeastOption = Annotated[
    float, typer.Option(help='A drive less likely to lie here is "not in this gallery"; 0 never says so.')
]


@app.command("localize")
def localize_command(
    video: Annotated[Path, typer.Argument(help="A dash-cam video: mp4, mov, mkv, avi, webm or gif.")],
    gallery: Annotated[Path, typer.Option(help="The gallery to search: a folder that `gallery build` wrote.")],
    track: Annotated[Path | None, typer.Option(help="The true GPS track, only to compare with the answer.")] = None,
    track_start: Annotated[
        datetime | None, typer.Option(help="When the video began (UTC), for a track with times of day.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write map.html, track.geojson, track.gpx, steps.csv ... here.")
    ] = None,
    screening: ScreeningOption = Settings.screening,
    keep_regions: KeepRegionsOption = Settings.keep_regions,
    decode: DecodeOption = Settings.decode,
    streets: StreetsOption = None,
    street_weight: StreetWeightOption = Settings.street_weight,
    region_windows: RegionWindowsOption = Settings.region_windows,
    headings: HeadingsOption = Settings.headings,
    closer: CloserOption = Settings.closer,
    odometry: OdometryOption = Settings.odometry,
    max_speed_m_s: MaxSpeedOption = Settings.max_speed_m_s,
    window_clips: WindowClipsOption = Settings.window_clips,
    inside_at_least: InsideAtLeastOption = Settings.inside_at_least,
    evidence: Annotated[bool, typer.Option(help="Say, too, what the first seconds alone would have said.")] = False,
    weights: WeightsOption = None,
    screening_weights: ScreeningWeightsOption = None,
    device: DeviceOption = "auto",
    cache: Annotated[bool, typer.Option(help="Answer the same question from the cache.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Say where a video was filmed."""
    from gama_core.embed import load_models
    from gama_core.evaluate import compare, start_doubt
    from gama_core.evidence import growing_evidence, tabled
    from gama_core.export import check_spares, write_exports
    from gama_core.gallery import open_gallery
    from gama_core.localize import CLIPS, localize
    from gama_core.see import see
    from gama_core.streets import read_streets
    from gama_core.telemetry import read_track
    from gama_core.video import open_video

    settings = Settings(
        screening=screening,  # type: ignore[arg-type]
        keep_regions=keep_regions,
        decode=decode,
        street_weight=street_weight,
        region_windows=region_windows,
        headings=headings,
        closer=closer,
        odometry=odometry,
        max_speed_m_s=max_speed_m_s,
        window_clips=window_clips,
        inside_at_least=inside_at_least,
    )
    if out is not None:
        check_spares(out, (video, track, streets))
    network = read_streets(streets) if streets else None
    truth = read_track(track, track_start) if track else None
    place, opened = open_gallery(gallery), open_video(video)
    with bar() as hear:
        models = load_models(device, weights, screening_weights)  # type: ignore[arg-type]
        answer = localize(opened, place, models, settings, hear, CACHE if cache else None, network)
        if evidence:
            seen = see(opened, models, settings, hear, cache=CACHE / CLIPS if cache else None)
            grown = growing_evidence(seen, place, models, settings, hear, network)
    figures = _figures(answer)
    if truth is not None:
        figures |= _beside_truth(compare(answer, truth))
        if doubt := start_doubt(truth, answer.duration_s):
            figures["notes"] = [*figures.get("notes", []), doubt]
    if evidence:
        figures |= tabled(grown, truth)
    if out is not None:
        figures["files"] = [str(path) for path in write_exports(answer, place, truth, out)]
    _show(figures, as_json)


@gallery_app.command("build")
def build_command(
    imagery: Annotated[list[Path], typer.Argument(help="GeoTIFF/COG files, folders of XYZ tiles, or one plain image.")],
    out: Annotated[Path, typer.Option(help="The gallery's folder; must not exist yet.")],
    name: Annotated[str | None, typer.Option(help="What people call the place.")] = None,
    attribution: Annotated[str | None, typer.Option(help="Whose imagery it is; shown on every map.")] = None,
    bounds: Annotated[str | None, typer.Option(help="south,west,north,east of a plain image, in degrees.")] = None,
    per_tile: Annotated[int, typer.Option(help="View centres along a zoom-19 tile (the paper's grid: 1).")] = 2,
    rotations: Annotated[int, typer.Option(help="Headings at each centre (the paper's grid: 1).")] = 8,
    weights: WeightsOption = None,
    screening_weights: ScreeningWeightsOption = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Make a gallery of aerial imagery."""
    from gama_core.build_gallery import Grid, build_gallery
    from gama_core.embed import load_models
    from gama_core.imagery import mosaic, open_imagery

    grid = Grid(per_tile, rotations)
    box = _bounds(bounds) if bounds else None
    pixels = mosaic([open_imagery(path, box) for path in imagery])
    with bar() as hear:
        models = load_models(device, weights, screening_weights)  # type: ignore[arg-type]
        made = build_gallery(pixels, models, out, grid, name, attribution, hear)
    _show(_gallery_figures(made), as_json)


@gallery_app.command("join")
def join_command(
    galleries: Annotated[list[Path], typer.Argument(help="Folders of galleries, made with the same weights.")],
    out: Annotated[Path, typer.Option(help="The folder of the whole; must not exist yet.")],
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make one gallery of several, to be searched together."""
    from gama_core.gallery import open_gallery
    from gama_core.join_galleries import join_galleries

    with bar() as hear:
        made = join_galleries([open_gallery(folder) for folder in galleries], out, name, hear)
    _show(_gallery_figures(made), as_json)


@gallery_app.command("info")
def info_command(
    gallery: Annotated[Path, typer.Argument(help="A gallery's folder.")], as_json: JsonOption = False
) -> None:
    """Say what a gallery holds."""
    from gama_core.gallery import open_gallery

    _show(_gallery_figures(open_gallery(gallery)), as_json)


@app.command("evaluate")
def evaluate_command(
    drives: Annotated[Path, typer.Argument(help="A folder of films, a track beside each: NAME.mp4, NAME.gpx ...")],
    gallery: Annotated[Path, typer.Option(help="The gallery to search.")],
    screening: ScreeningOption = Settings.screening,
    keep_regions: KeepRegionsOption = Settings.keep_regions,
    decode: DecodeOption = Settings.decode,
    streets: StreetsOption = None,
    street_weight: StreetWeightOption = Settings.street_weight,
    region_windows: RegionWindowsOption = Settings.region_windows,
    headings: HeadingsOption = Settings.headings,
    closer: CloserOption = Settings.closer,
    odometry: OdometryOption = Settings.odometry,
    max_speed_m_s: MaxSpeedOption = Settings.max_speed_m_s,
    window_clips: WindowClipsOption = Settings.window_clips,
    inside_at_least: InsideAtLeastOption = Settings.inside_at_least,
    save_run: Annotated[
        Path | None, typer.Option(help="Keep the run in this folder for the Evaluate page, which looks in cache/runs.")
    ] = None,
    run_name: Annotated[str | None, typer.Option(help="What to call it; else the folder and the time.")] = None,
    weights: WeightsOption = None,
    screening_weights: ScreeningWeightsOption = None,
    device: DeviceOption = "auto",
    as_json: JsonOption = False,
) -> None:
    """Localize a folder of drives and print the figures beside their true tracks."""
    from gama_core.embed import load_models
    from gama_core.evaluate import compare, start_doubt, summary
    from gama_core.gallery import open_gallery
    from gama_core.localize import localize
    from gama_core.record import record_drives
    from gama_core.run import save_run as write_run
    from gama_core.streets import read_streets
    from gama_core.telemetry import films_with_tracks, read_track
    from gama_core.video import open_video

    settings = Settings(
        screening=screening,  # type: ignore[arg-type]
        keep_regions=keep_regions,
        decode=decode,
        street_weight=street_weight,
        region_windows=region_windows,
        headings=headings,
        closer=closer,
        odometry=odometry,
        max_speed_m_s=max_speed_m_s,
        window_clips=window_clips,
        inside_at_least=inside_at_least,
    )
    network = read_streets(streets) if streets else None
    place, models = open_gallery(gallery), load_models(device, weights, screening_weights)  # type: ignore[arg-type]
    found = films_with_tracks(drives)
    alone = [film.name for film, log in found if log is None]
    known = [(film, log) for film, log in found if log is not None]
    if not known:
        raise GamaError(
            f"{drives}: no drive in it ({len(found)} films); it needs films with a track of the same name beside each."
        )
    answers: list[Any] = []
    unreadable: dict[str, str] = {}
    doubts: dict[str, str] = {}
    for index, (path, log) in enumerate(known, start=1):
        typer.echo(f"\r{index}/{len(known)} {path.name}", nl=False, err=True)
        try:
            track = read_track(log)
            answer = localize(open_video(path), place, models, settings, cache=CACHE, streets=network)
        except (VideoUnreadable, TrackUnreadable) as error:
            unreadable[path.name] = str(error)
            continue
        answers.append((path, answer, compare(answer, track)))
        if doubt := start_doubt(track, answer.duration_s):
            doubts[path.name] = doubt
    typer.echo("", err=True)
    if not answers:
        raise GamaError(f"{drives}: none of its {len(known)} drives can be read. {next(iter(unreadable.values()))}")
    figures = summary([(answer, comparison) for _, answer, comparison in answers])
    if unreadable:
        figures["unreadable"] = unreadable
    if alone:
        figures["without_track"] = alone
    if doubts:
        figures["doubts"] = doubts
    if save_run is not None:
        name = run_name or f"{drives.resolve().name} {datetime.now():%Y-%m-%d %H.%M}"
        figures["run"] = str(write_run(record_drives(name, answers, place), save_run))
    _show(figures, as_json)


def _figures(answer: Any) -> dict[str, Any]:
    best = answer.regions[0]
    figures: dict[str, Any] = {
        "video": answer.video_name,
        "gallery": answer.gallery_name,
        "region": best.region.name,
        "region_center": [round(best.region.center.lat_deg, 6), round(best.region.center.lon_deg, 6)],
        "confidence": round(answer.confidence, 3),
        "known": answer.known,
        "in_gallery": answer.in_gallery,
        "inside": round(answer.inside, 3),
        "inside_at_least": round(answer.inside_at_least, 3),
        "clips": len(answer.before),
        "seconds": {**answer.seconds, "all": round(sum(answer.seconds.values()), 2)},
    }
    if answer.path:
        figures["start"] = [round(answer.path[0].at.lat_deg, 6), round(answer.path[0].at.lon_deg, 6)]
        figures["end"] = [round(answer.path[-1].at.lat_deg, 6), round(answer.path[-1].at.lon_deg, 6)]
        looks_deg = answer.path[0].heading_deg, answer.path[-1].heading_deg
        if None not in looks_deg:
            figures["camera_looks_deg"] = [round(look_deg) for look_deg in looks_deg]
    if answer.notes:
        figures["notes"] = list(answer.notes)
    return figures


def _beside_truth(comparison: Any) -> dict[str, Any]:
    stages = {"before": comparison.before, "after": comparison.after, "path": comparison.path}
    shown = {
        name: {"within_80_m": round(stage.recall(), 3), "median_error_m": round(stage.median_m, 1)}
        for name, stage in stages.items()
        if stage is not None and stage.known
    }
    if comparison.heading_error_deg is not None:
        shown["path"]["heading_error_deg"] = round(comparison.heading_error_deg, 1)
    return {"true_region_rank": comparison.region_rank, **shown}


def _gallery_figures(gallery: Any) -> dict[str, Any]:
    return {
        "name": gallery.name,
        "folder": str(gallery.folder),
        "regions": len(gallery.regions),
        "places": gallery.places,
        "views": len(gallery.embeddings),
        "area_km2": round(gallery.area_km2, 2),
        "stride_m": round(gallery.stride_m, 1),
        "weights": f"{gallery.weights_name} ({gallery.weights_sha256[:12]})",
        "screening": gallery.screening_name or "none",
        "attribution": gallery.attribution,
        "created": gallery.created,
    }


def _bounds(text: str) -> Bounds:
    try:
        south, west, north, east = (float(value) for value in text.split(","))
    except ValueError as error:
        raise GamaError(
            f"--bounds is {text!r}; give south,west,north,east in degrees, as 47.1,8.2,47.3,8.6."
        ) from error
    if not (-MAX_LAT_DEG <= south < north <= MAX_LAT_DEG and -180.0 <= west < east <= 180.0):
        raise GamaError(
            f"--bounds is {text!r}; south must be below north, west below east, latitudes within {MAX_LAT_DEG:.2f} and "
            "longitudes within 180 degrees, as 47.1,8.2,47.3,8.6."
        )
    return Bounds(south, west, north, east)


def _show(figures: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(figures, indent=1))
        return
    width = max(len(name) for name in figures)
    for name, value in figures.items():
        if isinstance(value, dict):
            value = "  ".join(f"{key} {item}" for key, item in value.items())
        elif isinstance(value, bool):
            value = "yes" if value else "no"
        elif isinstance(value, list):
            value = ", ".join(str(item) for item in value)
        typer.echo(f"{name.replace('_', ' '):{width}}  {value}")


def main() -> None:
    """The command line; what the person can mend is said in one line, without a traceback."""
    from gama_core.models.commands import app as weights_app
    from gama_core.retrieval.commands import app as dataset_app
    from gama_core.training.commands import app as train_app
    from gama_core.world.commands import app as world_app

    app.add_typer(world_app, name="world")
    app.add_typer(train_app, name="train")
    app.add_typer(weights_app, name="weights")
    app.add_typer(dataset_app, name="dataset")
    try:
        app()
    except GamaError as error:
        typer.echo(f"{error}", err=True)
        sys.exit(2)
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        typer.echo(f"A name is longer than files may have: {str(error.filename)[:80]}...", err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
