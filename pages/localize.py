"""The home page: pick a drive or bring one, run it, see where it was filmed."""

from __future__ import annotations

import re

import streamlit as st

from gama_core.draw import draw_galleries
from gama_core.errors import GamaError
from gama_core.video import Video
from pages import catalog, choices, result, session, street_files
from pages.catalog import STREET_ENDINGS, TRACK_ENDINGS, VIDEO_ENDINGS, Drive, Place
from pages.components import drop_zone, player
from pages.jobs import Job
from pages.preferences import settings_button
from pages.routes import LEAFLET_URL, TILE_URL
from pages.uploads import accept
from pages.why import why_button
from pages.widgets import clock, headline, notice, panel, show_map, text, told_apart
from pages.work import BY_WINDOW, STAGES, film_drive, localize_drive


def page() -> None:
    """The whole page."""
    drive, place = session.drive(), session.place()
    _sidebar(drive, place)
    if words := session.message():
        st.html(notice("This file cannot be used.", words))
    if place is None:
        _no_place()
    elif drive is None:
        st.html(headline("Localize a drive", []))
        st.html(notice("No drive yet.", "Drop a dash-cam video on the left.", "info"))
    else:
        try:
            _drive(drive, drive.open(), place)
        except GamaError as error:
            st.html(headline(drive.title, []))
            st.html(notice("This drive cannot be opened.", str(error)))
    session.note_address()
    session.warm_up()


def _drive(drive: Drive, video: Video, place: Place) -> None:
    """One drive in one place: before, while and after it is localized."""
    job = session.job(drive, place)
    active = job is not None and job.active  # asked once: a job that ends while the page is drawn is still watched
    done = not active and job is not None and job.state == "done"
    _head(drive, video, place, job, active, done)
    if done and job is not None:
        _film(drive)
        result.show(job, drive, place)
        return
    if not catalog.has_weights():
        st.html(notice("There are no weights yet.", "Without networks nothing can be localized: run make train."))
    if job is not None and job.state == "failed":
        st.html(notice("It did not work.", job.error))
    if job is not None and job.state == "cancelled":
        st.html(notice("Cancelled.", "Nothing was kept; start again whenever you like.", "info"))
    left, right = st.columns(result.COLUMNS, gap="small")
    with left:
        _where(place)
    with right, st.container(key="side"):
        _what(drive, video)
        if active and job is not None:
            _progress(job)
        else:
            st.html(panel(_promise(place)))


def _head(drive: Drive, video: Video, place: Place, job: Job | None, active: bool, done: bool) -> None:
    """Title and facts, the one green button, and the menu of exports."""
    chips = [
        f"{clock(video.duration_s)} · {video.fps:.0f} fps · {video.width}×{video.height} · {_size(video)}",
        "GPS for comparison only" if drive.track_path else "no GPS",
        f"weights {place.gallery.weights_name}",
    ]
    with st.container(key="head", horizontal=True, vertical_alignment="center"):
        network = session.streets(place)
        changed = choices.chips(session.settings(), network.title if network else None)
        st.html(headline(drive.title, chips, changed))
        pressed = st.button(
            "Localize again" if done else "Localize",
            type="primary",
            disabled=active or not catalog.has_weights(),
            key="run",
        )
        settings_button(place)
        if done and job is not None:
            why_button(job, drive, place)
            result.export(job, drive, place)
    if pressed:
        session.start(drive, place, localize_drive(drive, place.gallery, session.settings(), network))
        st.rerun()


def _size(video: Video) -> str:
    size = video.path.stat().st_size
    return f"{size / 1e6:.1f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"


def _where(place: Place) -> None:
    """The place to search on a map."""
    urls = [TILE_URL.format(place=place.id)]
    sheet = draw_galleries(
        [place.gallery],
        imagery_urls=urls,
        leaflet_url=LEAFLET_URL,
        streets_url=result.streets_url(place),
        theme=session.theme(),
    )
    show_map(sheet, f"place-{session.theme()}")


def _what(drive: Drive, video: Video) -> None:
    """What was filmed."""
    player(
        f"preview-{drive.id}",
        film_url=f"/video/{drive.id}.mp4" if drive.film_path else None,
        still_url=f"/frame/{drive.id}/1000.jpg",
        time_s=min(1.0, video.duration_s / 2),
        duration_s=video.duration_s,
        on_second=lambda: None,
    )


def _progress(job: Job) -> None:
    """What the job is doing, twice a second; the page itself is drawn again once, at the end."""

    @st.fragment(run_every=0.5)
    def watch() -> None:
        if not job.active:
            st.rerun()
        ahead = session.jobs().ahead_of(job) if job.state == "queued" else 0
        rows = "".join(_stage(job, name, words) for name, words in STAGES.items())
        waiting = f"<p>Waiting for {ahead} other drive{'s' if ahead > 1 else ''}.</p>" if ahead else ""
        st.html(panel(f"<h2>Localizing</h2>{waiting}<ol>{rows}</ol>", "progress"))
        words = "Stopping …" if job.stopping else "Cancel"
        st.button(words, on_click=job.cancel, disabled=job.stopping, key="cancel", width="stretch")

    watch()


def _stage(job: Job, name: str, words: str) -> str:
    done, total = job.stages.get(name, (0, 0))
    order = list(STAGES)  # a stage whose outcome was known from before is passed over in silence
    earlier = job.stage in STAGES and order.index(name) < order.index(job.stage)
    left = name in BY_WINDOW and done < total
    passed = (earlier or name in job.stages) and job.stage != name and not left
    state = "passed" if passed else "current" if job.stage == name else "waiting"
    share = 100 if passed else round(100 * done / total) if total else 0
    count = f"{total if passed else done} of {total}" if total > 1 and (done or state != "waiting") else ""
    return (
        f'<li class="{state}"><span>{words}</span><em>{count}</em>'
        f'<div class="bar"><i style="width:{share}%"></i></div></li>'
    )


def _promise(place: Place) -> str:
    gallery = place.gallery
    facts = f"{len(gallery.regions)} regions, {gallery.area_km2:.1f} km², {len(gallery.views):,} views"
    return (
        "<h2>Where was this filmed?</h2>"
        f"<p>Every second of the video is compared with {facts} of {text(gallery.name)}. The video's "
        "GPS, if it has any, is not looked at: it is only laid beside the answer.</p>"
    )


def _film(drive: Drive) -> None:
    """Has a copy made of a video that browsers do not play; until it is there the page shows stills."""
    if drive.is_upload and drive.film_path is None and session.films().about(("film", drive.id)) is None:
        session.films().submit(("film", drive.id), film_drive(drive))


def _sidebar(drive: Drive | None, place: Place | None) -> None:
    with st.sidebar:
        _choose_place(place)
        st.html("<h6>Drives</h6>")
        with st.container(key="drives"):
            for one in session.drives():
                _card(one, chosen=drive is not None and one.id == drive.id)
        with st.container(key="drop"):
            _bring()


def _choose_place(place: Place | None) -> None:
    found = catalog.places()
    if place is None:
        return
    st.html("<h6>Place to search</h6>")
    names = told_apart({one.id: one.gallery.name for one in found})

    def choose() -> None:
        session.choose("place", st.session_state["place-select"])

    st.session_state["place-select"] = place.id
    st.selectbox(
        "Place to search",
        list(names),
        format_func=names.__getitem__,
        key="place-select",
        on_change=choose,
        label_visibility="collapsed",
    )
    st.html(f'<p class="under">{len(place.gallery.regions)} regions · {place.gallery.area_km2:.1f} km²</p>')


def _card(drive: Drive, chosen: bool) -> None:
    """A drive as a button with a picture."""
    try:
        facts = f"{clock(drive.open().duration_s)} · {'GPS' if drive.track_path else 'no GPS'}"
    except GamaError:
        facts = "cannot be opened"
    title = re.sub(r"([\\`*_\[\]()#:$~<>])", r"\\\1", drive.title)  # no Markdown of theirs
    st.button(
        f"![](/poster/{drive.id}.jpg) **{title}** {' · '.join(filter(None, (facts, drive.note)))}",
        key=f"drive-{drive.id}",
        type="tertiary" if not chosen else "secondary",
        width="stretch",
        on_click=session.choose,
        args=("drive", drive.id),
    )


def _bring() -> None:
    words = "MP4, MOV, MKV, WebM, GIF · up to 4 GB\nand its GPS file, if there is one"
    files = drop_zone("dropped", "Drop a video here", words, VIDEO_ENDINGS + TRACK_ENDINGS + STREET_ENDINGS)
    if not files:
        return
    try:
        with st.spinner("Looking at it …"):
            if street_files.are_streets(files):
                session.add_streets(street_files.accept(files))
            else:
                session.add_upload(accept(files))
    except GamaError as error:
        session.leave_message(str(error))
    st.rerun()


def _no_place() -> None:
    """Kindly, what to do when there is nothing to search in."""
    st.html(headline("No place to search yet", []))
    for broken in catalog.broken_places():
        st.html(notice(f"{broken.folder.name} cannot be searched.", broken.problem))
    st.html(
        panel(
            "<h2>A drive is found on aerial imagery that was embedded before: a gallery.</h2>"
            "<p>Make one from any orthophoto (GeoTIFF, COG, or a folder of tiles):</p>"
            "<pre>python -m gama_core gallery build orthophoto.tif --out galleries/my-place</pre>"
            "<p>and start the app with</p><pre>GAMA_GALLERIES=galleries streamlit run app.py</pre>"
        )
    )


page()
