"""python -m gama_core weights: what a weights file is, whether it is whole, and published checkpoints made ours."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from gama_core.errors import GamaError, WeightsUnreadable
from gama_core.terminal import JsonOption

app = typer.Typer(help="Weights files: ours, and the published checkpoints.", no_args_is_help=True)

SHIPPED = Path(__file__).resolve().parents[2] / "weights"


@app.command("convert")
def convert_command(
    source: Annotated[Path, typer.Argument(help="A published .pth, or weights of ours.")],
    out: Annotated[Path, typer.Argument(help="The .safetensors file to write.")],
    half: Annotated[bool, typer.Option("--half", help="Store float16: half the size, not to the letter.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace OUT where it exists.")] = False,
) -> None:
    """Make a safetensors file of a published checkpoint; float32 is kept exactly."""
    from gama_core.models.weights import open_weights, save_weights

    if out.exists() and not force:
        raise GamaError(f"{out} exists already; name another file, or give --force to replace it.")
    network, record = open_weights(source)
    card = {**record.card, "converted_from": source.name, "converted_from_sha256": record.sha256}
    made = save_weights(network, out, card, "float16" if half else "float32")
    typer.echo(f"{out}: {made.network}, {made.config.name}, {out.stat().st_size / 1e6:.1f} MB, sha256 {made.sha256}")


@app.command("info")
def info_command(
    file: Annotated[Path, typer.Argument(help="Weights of ours or a published .pth.")], as_json: JsonOption = False
) -> None:
    """Say what a weights file holds."""
    from gama_core.models.weights import open_weights

    network, record = open_weights(file)
    figures: dict[str, Any] = {
        "file": str(file),
        "network": record.network,
        "configuration": record.config.name,
        "dimensions": record.config.dims,
        "parameters": sum(value.numel() for value in network.parameters()),
        "bytes": file.stat().st_size,
        "sha256": record.sha256,
    }
    if as_json:
        typer.echo(json.dumps({**figures, "config": record.config.as_dict(), "card": record.card}, indent=1))
        return
    for name, value in {**figures, **record.card}.items():
        typer.echo(f"{name.replace('_', ' '):22}  {value}")


@app.command("verify")
def verify_command(
    files: Annotated[list[Path] | None, typer.Argument(help="Weights files; all shipped ones where left out.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Check weights files: hash against the card, shapes, finite numbers, unit vectors, calibration."""
    from gama_core.models.verify import verify_weights

    shipped = sorted(SHIPPED.glob("*.safetensors"))
    if not files and not shipped:
        raise WeightsUnreadable(f"{SHIPPED}: no weights in it; `make train` makes some.")
    checked = {path: verify_weights(path, needs_card=not files) for path in files or shipped}
    if as_json:
        found = {str(path): [asdict(check) for check in checks] for path, checks in checked.items()}
        typer.echo(json.dumps(found, indent=1))
    else:
        for path, checks in checked.items():
            typer.echo(str(path))
            for check in checks:
                typer.echo(f"  {'ok  ' if check.good else 'BAD '} {check.what:12} {check.found}")
    if not all(check.good for checks in checked.values() for check in checks):
        raise typer.Exit(1)
