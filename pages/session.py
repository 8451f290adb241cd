"""What all visitors share and what one visitor has chosen: the only place for caches and session state.

The choice of a drive, of a place and the job live in the page's address, so that a reload and a link find them.
"""

from __future__ import annotations

import contextlib
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import cv2
import streamlit as st

from gama_core.errors import GamaError
from gama_core.run import Run, read_run
from gama_core.settings import Settings
from gama_core.video import open_video, read_frame
from pages import catalog, choices, runs, street_files, uploads
from pages.catalog import Drive, Place
from pages.figures import Figure, figures_of
from pages.jobs import Job, Jobs, Work
from pages.runs import RunFile
from pages.story import Story
from pages.street_files import OWN, StreetFile

if TYPE_CHECKING:
    from gama_core.embed import Models

_MODELS_LOCK = threading.Lock()


@st.cache_resource(show_spinner=False)
def jobs() -> Jobs:
    """The one queue of this server for drives."""
    uploads.forget_old()
    threading.Thread(target=_forget_hourly, name="forget", daemon=True).start()
    return Jobs()


@st.cache_resource(show_spinner=False)
def films() -> Jobs:
    """Another queue, for the browser's copies of videos: no drive waits for them."""
    return Jobs()


def _forget_hourly() -> None:
    while True:
        time.sleep(3600.0)
        uploads.forget_old()


def models() -> Models:
    """The networks, loaded once for all visitors; workers may ask as well.

    Raises:
        WeightsUnreadable: they are missing or damaged.
    """
    with _MODELS_LOCK:
        return _models()


@st.cache_resource(show_spinner=False)
def _models() -> Models:
    from gama_core.embed import load_models  # torch takes seconds: not before it is needed

    return load_models()


def theme() -> Literal["dark", "light"]:
    """The theme that the visitor sees."""
    return "light" if st.context.theme.type == "light" else "dark"


@st.cache_resource(show_spinner=False)
def warm_up() -> None:
    """Has the networks loaded while the first visitor still looks around; what fails here is told by the first job."""

    def load() -> None:
        with contextlib.suppress(GamaError):
            models()

    if catalog.has_weights():
        threading.Thread(target=load, name="warm-up", daemon=True).start()


def drives() -> tuple[Drive, ...]:
    """The sample drives, then what this visitor has brought."""
    brought = [catalog.find_drive(drive_id) for drive_id in _uploads()]
    return (*catalog.sample_drives(), *(drive for drive in brought if drive))


def drive() -> Drive | None:
    """The drive chosen, or the first."""
    chosen = catalog.find_drive(st.query_params.get("drive", ""))
    if chosen and chosen.is_upload and chosen.id not in _uploads():
        _uploads().append(chosen.id)  # the visitor comes back
    return chosen or next(iter(drives()), None)


def place() -> Place | None:
    """The place chosen, or the first that can be searched."""
    return catalog.find_place(st.query_params.get("place", "")) or next(iter(catalog.places()), None)


def choose(name: Literal["drive", "place", "streets"], value: str) -> None:
    """Notes a choice in the address."""
    st.query_params[name] = value
    st.query_params.pop("job", None)


def settings() -> Settings:
    """How drives are to be localized: the defaults, and what the address says of them."""
    return choices.settings_of(st.query_params)


def set_settings(wanted: Settings) -> None:
    """Notes in the address what differs from the defaults."""
    for choice in choices.CHOICES:
        st.query_params.pop(choice.name, None)
    st.query_params.pop("job", None)
    st.query_params.update(choices.address_of(wanted))


def streets(where: Place) -> StreetFile | None:
    """The street network chosen for a place."""
    chosen = street_files.find(st.query_params.get("streets", ""), where)
    if chosen and chosen.id not in (OWN, *_streets()):
        _streets().append(chosen.id)  # the visitor comes back
    return chosen


def street_networks(where: Place) -> tuple[StreetFile, ...]:
    """Those to choose from: a place's own, then what this visitor has brought."""
    found = [street_files.find(street_id, where) for street_id in (OWN, *_streets())]
    return tuple(file for file in found if file)


def add_streets(brought: StreetFile) -> None:
    """Puts a network among this visitor's and chooses it."""
    _streets().append(brought.id)
    choose("streets", brought.id)


def add_upload(brought: Drive) -> None:
    """Puts an upload among this visitor's drives and chooses it."""
    _uploads().append(brought.id)
    choose("drive", brought.id)


def start(about: Drive, where: Place, work: Work) -> Job:
    """Queues a job on a drive in a place, as the settings are, and notes all three in the address."""
    started = jobs().submit(_subject(about, where), work)
    _started().append(started.id)
    st.query_params.update(drive=about.id, place=where.id, job=started.id)
    return started


def job(about: Drive, where: Place) -> Job | None:
    """The job on a drive in a place with the settings as they are: the one in the address, else the newest; what others
    ask is theirs to see and to cancel, and what they were told is for all."""
    named = jobs().find(st.query_params.get("job", ""))
    subject = _subject(about, where)
    return named if named and named.subject == subject else jobs().about(subject, _started())


def address() -> dict[str, str]:
    """The home page's address, for links back to it from other pages."""
    found: dict[str, str] = st.session_state.get("address", {})
    return found


def note_address() -> None:
    """Notes the home page's address, before another page takes its place."""
    st.session_state["address"] = st.query_params.to_dict()


def story(about: Job, of: Drive) -> Story:
    """The answer of a finished job beside its truth; told once, however often the slider moves."""
    known: Story | None = st.session_state.get("story")
    if known is None or known.localization is not about.result.localization:
        known = st.session_state["story"] = Story(about.result.localization, of.track())
    return known


def clip(about: Job, count: int) -> int:
    """Which of so many clips the visitor looks at, counted from 0."""
    return min(int(st.session_state.get(clip_key(about), 0)), count - 1)


def clip_key(about: Job) -> str:
    """The slider's name: another answer starts at its first clip."""
    return f"clip-{about.id}"


def set_clip(about: Job, index: int) -> None:
    """Moves the slider; only in a callback."""
    st.session_state[clip_key(about)] = index


def dialog_is_open(name: str) -> bool:
    """Whether the visitor has opened a dialog and not closed it; there is one at a time."""
    return bool(st.session_state.get("dialog") == name)


def open_dialog(name: str) -> None:
    """Opens a dialog with the next run of the page."""
    st.session_state["dialog"] = name


def close_dialog() -> None:
    st.session_state.pop("dialog", None)


def run_file() -> RunFile | None:
    """The run chosen, or the first."""
    chosen = runs.find_run_file(st.query_params.get("run", ""))
    if chosen and not chosen.trusted and chosen.id not in _brought():
        _brought().append(chosen.id)  # the visitor comes back
    return chosen or next(iter(run_files()), None)


def run_files() -> tuple[RunFile, ...]:
    """The runs of this server, then what this visitor has brought."""
    brought = [runs.find_run_file(run_id) for run_id in _brought()]
    return (*runs.run_files(), *(file for file in brought if file))


def choose_run(run_id: str) -> None:
    """Notes a choice in the address."""
    st.query_params["run"] = run_id


def run(file: RunFile) -> Run:
    """A run, read once for all visitors until its file changes.

    Raises:
        GamaError: it is damaged.
    """
    return _run(file.path, file.changed_ns)


def run_figures(file: RunFile) -> list[Figure]:
    """A run's figures, computed once."""
    return _run_figures(file.path, file.changed_ns)


@st.cache_resource(show_spinner=False, max_entries=3)
def _run(path: Path, changed_ns: int) -> Run:
    del changed_ns  # only names the file's state
    return read_run(path)


@st.cache_resource(show_spinner=False, max_entries=8)
def _run_figures(path: Path, changed_ns: int) -> list[Figure]:
    return figures_of(_run(path, changed_ns))


@st.cache_resource(show_spinner=False)
def shipped_weights() -> tuple[str, ...]:
    """The shipped networks as runs name them; their files are read once."""
    return runs.shipped_weights()


@st.cache_data(show_spinner=False, max_entries=256)
def still(film: Path, time_s: float, width_px: int) -> bytes:
    """A frame of a film as JPEG; empty where the film does not decode."""
    try:
        picture = read_frame(open_video(film), time_s, width_px)
    except GamaError:
        return b""
    return bytes(cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])[1])


def message() -> str:
    """What went wrong last, told once."""
    return str(st.session_state.pop("message", ""))


def leave_message(text: str) -> None:
    """Keeps a message for the next run of the page."""
    st.session_state["message"] = text


def _subject(about: Drive, where: Place) -> tuple[str, ...]:
    """What a job is about: the drive, the place, and all that is chosen besides."""
    chosen, network = choices.address_of(settings()), streets(where)
    return (about.id, where.id, network.id if network else "", *(f"{name}={value}" for name, value in chosen.items()))


def _streets() -> list[str]:
    found: list[str] = st.session_state.setdefault("street-networks", [])
    return found


def _brought() -> list[str]:
    found: list[str] = st.session_state.setdefault("runs", [])
    return found


def _started() -> list[str]:
    found: list[str] = st.session_state.setdefault("jobs", [])
    return found


def _uploads() -> list[str]:
    found: list[str] = st.session_state.setdefault("uploads", [])
    return found
