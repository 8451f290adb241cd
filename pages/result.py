"""An answer on one screen: its figures, the map, the current clip, and a bar for every clip."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import streamlit as st

from gama_core.draw import draw_scene, moving_marker
from gama_core.evaluate import agreement, start_doubt
from gama_core.result import Localization
from pages import session
from pages.catalog import Drive, Place
from pages.charts import evidence, timeline
from pages.clip import clip_panel
from pages.components import player
from pages.jobs import Job
from pages.routes import LEAFLET_URL, STREETS_URL, TILE_URL
from pages.story import Story
from pages.widgets import distance, figure, figures, grown, notice, panel, probability, share, show_map

COLUMNS = (0.725, 0.275)  # the map, and what is beside it
LINE = 165  # letters of a notice that fit into one line of the page


def show(job: Job, drive: Drive, place: Place) -> None:
    """The whole answer of a finished job."""
    story = session.story(job, drive)
    st.html(figures(_figures(story, job.result.device)))
    if words := _caution(story.localization):
        st.html(words)
    if story.track and (doubt := start_doubt(story.track, story.localization.duration_s)):
        st.html(notice("Is this the right part of the GPS file?", doubt, one_line=LINE))
    _explore(job, drive, place)


def streets_url(place: Place) -> str | None:
    """What serves the lines of the street network that is chosen."""
    network = session.streets(place)
    return STREETS_URL.format(place=place.id, streets=network.id) if network else None


def export(job: Job, drive: Drive, place: Place) -> None:
    """The menu of files to take away, under the name that the person knows; each is made when it is asked for."""
    told = replace(job.result.localization, video_name=drive.title)
    name = "".join(letter if letter.isalnum() else "-" for letter in drive.title).strip("-").lower() or "drive"
    with st.popover("Export"):
        for label, ending, kind, make in _exports(told, drive, place):
            st.download_button(
                label, make, f"{name}.{ending}", kind, on_click="ignore", width="stretch", key=f"export-{ending}"
            )


def _exports(localization: Localization, drive: Drive, place: Place) -> list[tuple[str, str, str, Callable[[], str]]]:
    from gama_core import export as files

    return [
        ("Map, one HTML file", "html", "text/html",
         lambda: files.standalone_html(localization, place.gallery, drive.track())),
        ("GeoJSON", "geojson", "application/geo+json", lambda: files.to_geojson(localization, drive.track())),
        ("GPX", "gpx", "application/gpx+xml", lambda: files.to_gpx(localization, drive.track())),
        ("CSV, a row per clip", "csv", "text/csv", lambda: files.to_csv(localization, drive.track())),
        ("JSON, everything", "json", "application/json", localization.to_json),
    ]  # fmt: skip


@st.fragment
def _explore(job: Job, drive: Drive, place: Place) -> None:
    """Map, clip and bars: all that moves with the slider, and nothing else."""
    story = session.story(job, drive)
    index = session.clip(job, story.clips)
    left, right = st.columns(COLUMNS, gap="small")
    with left:
        _map(story, place, index)
    with right, st.container(key="side"):
        _player(job, story, drive, index)
        st.html(panel(clip_panel(story, place, index)))
        st.html(panel(f"<h2>Along the drive</h2>{evidence(story, index)}", "grow"))
    with st.container(key="timeline"):
        st.html(timeline(story))
        if story.clips > 1:
            st.html(f"<style>.st-key-timeline{{--clips:{story.clips}}}</style>")
            st.slider("Clip", 0, story.clips - 1, key=session.clip_key(job), label_visibility="collapsed")


def _map(story: Story, place: Place, index: int) -> None:
    localization = story.localization
    sheet = draw_scene(
        story.scene,
        place.gallery,
        imagery_url=TILE_URL.format(place=place.id),
        leaflet_url=LEAFLET_URL,
        streets_url=streets_url(place),
        theme=session.theme(),
    )
    marker = moving_marker(localization, place.gallery, localization.before[index].clip, story.track)
    show_map(sheet, "answer", marker)


def _player(job: Job, story: Story, drive: Drive, index: int) -> None:
    localization = story.localization
    times_s = np.array([step.time_s for step in localization.before])
    key = f"player-{job.id}"

    def follow() -> None:
        second = st.session_state[key]["second"]
        session.set_clip(job, int(np.abs(times_s - second).argmin()))

    player(
        key,
        film_url=f"/video/{drive.id}.mp4" if drive.film_path else None,
        still_url=f"/frame/{drive.id}/{1000 * times_s[index]:.0f}.jpg",
        time_s=float(times_s[index]),
        duration_s=localization.duration_s,
        on_second=follow,
    )


def _figures(story: Story, device: str) -> list[tuple[str, str]]:
    localization, comparison = story.localization, story.comparison
    regions, crossed = len(localization.regions), localization.crossed
    there = sum(hit.probability for hit in localization.regions if hit.index in crossed)
    odds = f"{len(crossed)} of {regions} · p {probability(localization.chance(there, crossed))}"
    seconds = sum(localization.seconds.values())
    took = ("Time", figure(f"{seconds:.1f} s", device))
    if comparison is None:
        agreed = agreement(localization)
        here = localization.path if localization.in_gallery else ()
        radius_m = float(np.median([step.radius_90_m for step in here])) if here else float("nan")
        return [
            _belief(localization, odds),
            ("Clips that agree on it", figure(share(agreed.share_agreeing), "of GAMa-Net's top-1")),
            ("Spread of the clips", grown([distance(agreed.spread_before_m), distance(agreed.spread_after_m)])),
            ("Place", figure(f"± {distance(radius_m)}", "90 %") if here else figure("–")),
            took,
        ]
    stages = [comparison.before, comparison.after, *([comparison.path] if comparison.path else [])]
    tone = "good" if stages[-1].recall() >= 0.5 else ""
    rank, turned = comparison.region_rank, comparison.heading_error_deg
    elsewhere = figure("elsewhere", "not in this gallery", "bad" if localization.in_gallery else "good")
    found = {1: figure("found", odds, "good"), None: elsewhere}
    return [
        ("Region", found.get(rank) or figure(f"rank {rank}", f"of {regions}", "bad")),
        ("Clips within 80 m", grown((share(stage.recall()) for stage in stages), tone)),
        ("Median error", grown((distance(stage.median_m) for stage in stages), tone)),
        ("Heading", figure("–" if turned is None else f"± {turned:.0f}°", "median")),
        took,
    ]


def _belief(localization: Localization, odds: str) -> tuple[str, str]:
    """The first figure of a drive whose truth nobody knows."""
    if localization.known == "not in this gallery":
        return "In this gallery", figure("probably not", f"p {probability(localization.inside)}")
    belief = "likely" if localization.known == "yes" else "unsure"
    return "Most likely region", figure(belief, odds)


def _caution(localization: Localization) -> str:
    """What must be read before the answer is believed, one doubt at a time; nothing, where all is well."""
    notes = " ".join(localization.notes)
    if localization.known == "yes":
        return notice("", notes, "info", one_line=LINE) if notes else ""
    if localization.known == "not in this gallery":
        guess = (
            f"The chance that it is here is {probability(localization.inside)}; we ask for "
            f"{probability(localization.inside_at_least)}. Search another place: what you see only looks most alike."
        )
        return notice("Probably not in this gallery.", f"{guess} {notes}".strip(), one_line=LINE)
    kept = len(localization.kept)
    where = f"the {kept} best" if kept > 1 else "the best"
    guess = (
        f"What you see is a guess: with a probability of {probability(localization.confidence)} the drive lies in "
        f"{where} of {len(localization.regions)} regions."
    )
    return notice("We do not know where this was filmed.", f"{guess} {notes}".strip(), one_line=LINE)
