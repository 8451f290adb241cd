"""Model cards: what a weights file says of itself, as a page for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gama_core.files import whole_file
from gama_core.models.gama_net import GAMaNet
from gama_core.models.screening_net import ScreeningNet
from gama_core.models.weights import WeightsRecord, load_weights, read_record

_WHAT = {
    "gama_net": "GAMa-Net, {name}: dash-cam clips of 0.5 s and views of the ground to unit vectors of one space",
    "screening": "The screening network, {name}: sequences of small aerial images and large regions to one space",
}
_LIMITS = {
    "gama_net": (
        "Learned on a procedural world alone. It has seen no real street, and is not expected to find one: on real "
        "imagery the confidence must say so. Cameras look forwards, 1.2 to 1.7 m above the road, 60 to 110 degrees."
    ),
    "screening": (
        "Learned on a procedural world alone. It recognises the ground of a tile in a region of the same imagery, not "
        "of another year; what it is shown is only as good as GAMa-Net's matches, and a drive's path knows more."
    ),
    "dataset": (
        "Learned on the data set named above alone, and measured on nothing yet: `dataset evaluate` measures it. "
        "Its scores are not calibrated."
    ),
}


def write_card(weights: Path) -> Path:
    """The card of a weights file, `NAME.md` beside it, from what the file holds.

    Raises:
        WeightsUnreadable: the file holds no network of ours.
    """
    record, path = read_record(weights), weights.with_suffix(".md")
    with whole_file(path) as partial:
        partial.write_text(card(record, weights))
    return path


def card(record: WeightsRecord, weights: Path) -> str:
    """The text of a card, in Markdown."""
    network = load_weights(weights)
    parameters = sum(value.numel() for value in network.parameters()) / 1e6
    facts = record.card
    lines = [
        f"# {record.name}",
        "",
        f"{_WHAT[record.network].format(name=record.config.name)}.",
        "",
        "| | |",
        "|---|---|",
        f"| file | `{weights.name}`, {weights.stat().st_size / 1e6:.1f} MB, float16 |",
        f"| sha256 | `{record.sha256}` |",
        f"| architecture | {_architecture(network)}; {parameters:.2f} M parameters |",
        *(f"| {name} | {value} |" for name, value in _training(record.network, facts)),
        "",
        *_validation(facts.get("validation", {})),
        "## Limits",
        "",
        _LIMITS["dataset" if "dataset" in facts else record.network],
        "",
        "## Recipe",
        "",
        *(f"- {name.replace('_', ' ')}: {value}" for name, value in facts.get("recipe", {}).items()),
        "",
    ]
    return "\n".join(lines)


def _architecture(network: GAMaNet | ScreeningNet) -> str:
    if isinstance(network, GAMaNet):
        clips = "R3D and the road seen from above" if network.birds_eye is not None else "R3D"
        towers = f"{clips} for clips, ResNet and two transformer layers for views"
    elif network.config.cells:
        towers = "GAMa-Net's aerial tower, regions in 7 x 7 cells, histograms of visual words"
    else:
        towers = "two ResNets, averaged over the picture and the sequence"
    return f"{towers}, {network.config.dims} dimensions"


def _training(kind: str, facts: dict[str, Any]) -> list[tuple[str, str]]:
    if "dataset" in facts:
        return _on_dataset(facts)
    if kind == "screening":
        return [
            ("data", f"{facts.get('cities')} generated cities, seeds {facts.get('seeds')}, {facts.get('tiles')} tiles"),
            ("tower", f"of {facts.get('tower')}, as it is"),
        ]
    return [
        ("data", f"{facts.get('places')} generated places, {facts.get('clips')} clips, seeds {facts.get('seeds')}"),
        ("steps", f"{facts.get('steps')} ({facts.get('pairs')} pairs of clip and tile)"),
        ("time", f"{facts.get('hours')} hours on {facts.get('machine')}, torch {facts.get('torch')}"),
        *([("began with", str(facts["origin"]))] if "origin" in facts else []),
        *([("in stages", str(facts["stages"]))] if "stages" in facts else []),
    ]


def _on_dataset(facts: dict[str, Any]) -> list[tuple[str, str]]:
    """What a training on a data set says: `gama_core.training.published`."""
    skipped = ", ".join(f"{count} with {why}" for why, count in facts["videos_skipped"].items()) or "none"
    hours = "day" if facts["day"] else "day and night"
    rows = [
        ("data", f"training split of `{facts['dataset']}`, {hours}, {facts['gallery'].upper()} tiles"),
        ("videos", f"{facts['videos']} with {facts['clips']} clips or tiles; skipped: {skipped}"),
        ("damaged", f"{facts['unreadable']} draws that did not read, replaced by another video"),
        (
            "steps",
            f"{facts['steps']} ({facts['pairs']} pairs), {facts['epochs']} of {facts['recipe']['epochs']} epochs",
        ),
        ("precision", f"{facts['precision']}, in {facts['processes']} processes"),
        ("time", f"{facts['hours']} hours on {facts['machine']}, torch {facts['torch']}"),
    ]
    if "predictions_by" in facts:
        rows.append(("fine-tuned", f"from `{facts['started_from']}` on `{facts['predictions_by']}`"))
    return rows


def _validation(figures: dict[str, float]) -> list[str]:
    """Figures on places that no training has seen, as `train gama-net` printed them."""
    if not figures:
        return []
    if "true_top1" in figures:
        return _validation_of_regions(figures)
    return [
        f"## On {figures['places']:.0f} validation places, laid side by side",
        "",
        f"- clips within 80 m, top-1 over all places: {100 * figures['before_80m']:.1f} %",
        f"- the same in the place that the clips rank first: {100 * figures['after_80m']:.1f} %",
        f"- the same in the right place: {100 * figures['own_place_80m']:.1f} %",
        f"- right place ranked first: {100 * figures['place_top1']:.1f} %",
        "",
        "On the sample city, unseen too: `make bench-accuracy`.",
        "",
    ]


def _validation_of_regions(figures: dict[str, Any]) -> list[str]:
    """Figures of the screening network, as `train screening` printed them."""

    def shares(kind: str) -> str:
        return ", ".join(f"{100 * figures[f'{kind}_top{rank}']:.0f} %" for rank in (1, 5, 10))

    seeds = ", ".join(str(seed) for seed in figures["seeds"])
    return [
        f"## On {figures['drives']:.0f} drives through validation cities of {figures['regions']:.0f} regions ({seeds})",
        "",
        f"- own region among the first 1, 5, 10 by the tiles that the drive passed: {shares('true')}",
        f"- by the tiles that GAMa-Net finds for its clips, one view a tile: {shares('found')}",
        "",
        "On the sample city, unseen too: `make bench-accuracy`.",
        "",
    ]
