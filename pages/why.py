"""Why this answer: what the first seconds of the drive said, and why some clips were not believed."""

from __future__ import annotations

from functools import partial

import streamlit as st

from gama_core.outliers import Outlier, outliers
from pages import growth, session
from pages.catalog import Drive, Place
from pages.jobs import Job
from pages.story import Story
from pages.widgets import clock, distance, notice, probability, text
from pages.work import grow_evidence

TALL_PX, LOW_PX = 250, 190
LIST_PX = 470


def why_button(job: Job, drive: Drive, place: Place) -> None:
    """A button that opens the dialog; it stays open, through runs of the page, until the visitor closes it."""
    name = f"why-{job.id}"
    st.button(
        "Why?", key="why", on_click=session.open_dialog, args=(name,), help="Growing evidence, and outliers explained"
    )
    if session.dialog_is_open(name):
        st.dialog("Why this answer", width="large", on_dismiss=partial(_close, job))(_why)(job, drive, place)


def _close(job: Job) -> None:
    """Nobody waits for the curves any more, but the next drive would."""
    session.close_dialog()
    if work := session.jobs().about(_about(job)):
        work.cancel()


def _why(job: Job, drive: Drive, place: Place) -> None:
    story = session.story(job, drive)
    found = outliers(story.localization)
    growing, strays = st.tabs(["Growing evidence", f"Outliers ({len(found)} of {story.clips} clips)"])
    with growing:
        _growing(job, drive, place, story)
    with strays, st.container(height=LIST_PX, border=False):
        st.html(outlier_list(story, found))


def _growing(job: Job, drive: Drive, place: Place, story: Story) -> None:
    """The curves, or how far the work is; the work is queued when somebody looks."""
    about = _about(job)
    grow = grow_evidence(drive, place.gallery, job.result)
    work = session.jobs().about(about)
    if work is None or work.state == "cancelled":
        work = session.jobs().submit(about, grow)
    if work.active:
        _wait(work)
    elif work.state == "done":
        _curves(work, story)
    else:
        st.html(notice("This did not work.", work.error))
        st.button("Try again", key="grow", on_click=session.jobs().submit, args=(about, grow))


def _about(job: Job) -> tuple[str, ...]:
    return "evidence", job.id


def _wait(work: Job) -> None:
    @st.fragment(run_every=0.5)
    def watch() -> None:
        if not work.active:
            st.rerun()
        ahead = session.jobs().ahead_of(work) if work.state == "queued" else 0
        words = (
            f"Waiting for {ahead} other job{'s' if ahead > 1 else ''}"
            if ahead
            else "Asking again as if the video ended earlier"
        )
        st.progress(work.done / work.total if work.total else 0.0, text=f"{words} …")

    watch()


def _curves(work: Job, story: Story) -> None:
    theme = session.theme()
    words = f"What the first seconds of the video say, as if it had ended there. {growth.said(work.result)}"
    st.html(f'<p class="why">{text(words)}</p>')
    track = story.track if story.comparison else None
    st.vega_lite_chart(growth.sureness(work.result, track, theme, TALL_PX), width="stretch", key=f"sureness-{theme}")
    errors = growth.wrongness(work.result, track, theme, LOW_PX) if track else None
    if errors is not None:
        st.vega_lite_chart(errors, width="stretch", key=f"wrongness-{theme}")


def outlier_list(story: Story, found: tuple[Outlier, ...]) -> str:
    """A line for each clip that the first search put elsewhere: where it pointed, and why it was dropped; HTML."""
    if not found:
        return '<p class="why">No clip pointed elsewhere: each one\'s best tile lies within 80 m of the answer.</p>'
    rows = "".join(
        f"<tr><td>{one.clip}</td><td>{clock(one.time_s)}</td><td>{one.region_index + 1}</td>"
        f"<td>{distance(one.away_m)}</td><td>{reason(story, one)}</td></tr>"
        for one in found
    )
    return (
        '<p class="why">Clips whose best tile in the whole place lies more than 80 m off where the drive puts them.</p>'
        "<table class=why><thead><tr><th>Clip</th><th>At</th><th>Region</th><th>Off</th><th>Why it was dropped</th>"
        f"</tr></thead><tbody>{rows}</tbody></table>"
    )


def reason(story: Story, one: Outlier) -> str:
    """Why a clip was not believed, in words; HTML."""
    answer = story.localization
    words = {
        "region": f"Its region is ranked {one.region_rank} of {len(answer.regions)} by the whole drive "
        f"(p {probability(one.region_probability)}): not searched again.",
        "speed": f"A region that was kept, but a car would have to drive {one.needed_m_s:.0f} m/s to pass there; "
        f"at most {answer.settings.max_speed_m_s:.0f} m/s are believed.",
        "outvoted": "A car could pass there, but the clips around it agree on another place.",
    }[one.reason]
    little = f" It shows little: its best tiles differ by {one.margin:.3f} only." if one.shows_little else ""
    return text(words + little)
