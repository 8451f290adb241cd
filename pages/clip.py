"""The current clip: what each search took for its place, with scores, and how far off that was."""

from __future__ import annotations

from collections.abc import Sequence

from gama_core.geo import angle_between_deg
from gama_core.result import Candidate, PathStep
from pages.catalog import Place
from pages.story import Story
from pages.widgets import clock, distance, probability, text


def clip_panel(story: Story, place: Place, index: int) -> str:
    """The clip's best tiles before and after the hierarchical step, the right ones marked, and its figures in words."""
    localization = story.localization
    before, after = localization.before[index], localization.after[index]
    start_s, tenths = before.time_s, localization.settings.clip_duration_s
    when = f"{clock(start_s)}.{int(start_s * 10) % 10} – {clock(start_s + tenths)}.{int((start_s + tenths) * 10) % 10}"
    kept = len(localization.kept)
    where = "best region" if kept == 1 else f"{kept} best regions"
    return (
        f"<h2>Clip {before.clip} <small>{when}</small></h2>"
        f"<h3>GAMa-Net <small>in all {len(localization.regions)} regions</small></h3>"
        f"{_tiles(story, place, index, before.candidates)}"
        f"<h3>Hierarchical <small>in the {where}</small></h3>"
        f"{_tiles(story, place, index, after.candidates)}"
        f"<p>{_words(story, index)}</p>"
    )


def _tiles(story: Story, place: Place, index: int, candidates: Sequence[Candidate]) -> str:
    return f'<ol class="tiles">{"".join(_tile(story, place, index, one) for one in candidates[:5])}</ol>'


def _tile(story: Story, place: Place, index: int, candidate: Candidate) -> str:
    truth = story.truth(index)
    right = story.is_right(candidate, index)
    away = f" · {distance(truth.distance_m(candidate.at))} from the truth" if truth else ""
    hint = f"similarity {candidate.score:.3f} · region {candidate.region_index + 1}{away}"
    return (
        f'<li class="{"right" if right else ""}" title="{text(hint)}">'
        f'<img src="/view/{place.id}/{candidate.row}.jpg" alt="{text(hint)}" width="128" height="128">'
        f"<b>{candidate.score:.2f}</b></li>"
    )


def _words(story: Story, index: int) -> str:
    """Where the clip ended up, beside the truth or beside what is believed of it."""
    step, truth = story.final[index], story.truth(index)
    stage = "Decoded place" if isinstance(step, PathStep) else "Place"
    parts = []
    if truth is not None:
        parts.append(f"{stage} <b>{distance(truth.distance_m(step.at))}</b> from the truth")
    if isinstance(step, PathStep):
        parts.append(f"confidence <b>{text(probability(story.confidence[index]))}</b>, ± {distance(step.radius_90_m)}")
        if step.heading_deg is not None:
            true_deg = story.heading_deg(index)
            off = "" if true_deg is None else f" ({float(angle_between_deg(step.heading_deg, true_deg)):.0f}° off)"
            parts.append(f"heading <b>{step.heading_deg:.0f}°</b>{off}")
        if step.speed_m_s is not None:
            parts.append(f"<b>{3.6 * step.speed_m_s:.0f}</b> km/h")
    return " · ".join(parts) or "Nothing more is known of this clip."
