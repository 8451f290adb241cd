"""The dialog of the settings: how the answer is made, and along which streets."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import streamlit as st

from gama_core.errors import GamaError
from gama_core.settings import Settings
from pages import session, street_files
from pages.catalog import STREET_ENDINGS, Place
from pages.choices import CHOICES, WORDS, Choice, Group
from pages.components import drop_zone
from pages.widgets import notice, text, told_apart

NAME = "settings"
HOW = (
    "With the defaults places were nearest to the truth where we measured. What you change stays in the page's "
    "address: a reload and a link keep it."
)
NO_STREETS = ""


def settings_button(place: Place) -> None:
    """A button that opens the dialog; it stays open, through runs of the page, until the visitor closes it."""
    st.button("Settings", key=NAME, on_click=session.open_dialog, args=(NAME,), help="How the answer is made")
    if session.dialog_is_open(NAME):
        st.dialog("Settings", width="large", on_dismiss=session.close_dialog)(_settings)(place)


def _settings(place: Place) -> None:
    st.html(f'<p class="why">{HOW}</p>')
    columns = dict(zip(get_args(Group), st.columns(3, gap="medium"), strict=True))
    for group, column in columns.items():
        with column:
            st.html(f"<h6>{group}</h6>")
            if group == "Streets":
                _streets(place)
            else:
                _choices(group)
    with st.container(key="settings-foot", horizontal=True, horizontal_alignment="right"):
        st.button("Back to the defaults", key="defaults", on_click=session.set_settings, args=(Settings(),))
        if st.button("Done", key="settings-done", type="primary"):
            session.close_dialog()
            st.rerun()


def _choices(group: Group) -> None:
    for choice in CHOICES:
        if choice.group == group:
            _choice(choice)


def _choice(choice: Choice) -> None:
    """The widget for one field; what it says goes to the address at once."""
    key = f"set-{choice.name}"
    st.session_state[key] = getattr(session.settings(), choice.name)
    known: dict[str, Any] = {"key": key, "on_change": _note, "args": (choice,)}
    if choice.options:
        captions = [WORDS[option][1] if option in WORDS else "" for option in choice.options]
        st.radio(choice.words, choice.options, format_func=_name, captions=captions, **known)
    elif isinstance(choice.default, bool):
        st.toggle(choice.words, help=choice.hint, **known)
    else:
        low, high = choice.range
        step = 1 if isinstance(choice.default, int) else 0.1 if high <= 10 else 1.0
        written = "%d" if isinstance(choice.default, int) else "%g"
        st.number_input(choice.words, low, high, step=step, format=written, help=choice.hint, **known)


def _note(choice: Choice) -> None:
    value = st.session_state[f"set-{choice.name}"]
    session.set_settings(replace(session.settings(), **{choice.name: value}))


def _name(option: str) -> str:
    return WORDS[option][0] if option in WORDS else option


def _streets(place: Place) -> None:
    """Which street network the path prefers, and a place to bring one."""
    above = st.container()
    files = drop_zone(
        "dropped-streets", "Drop streets here", "GeoPackage up to 512 MB, GeoJSON up to 64 MB", STREET_ENDINGS
    )
    if files:
        try:
            session.add_streets(street_files.accept(files))
        except GamaError as error:
            st.html(notice("", str(error)))
    with above:
        _choose_streets(place)
        if session.streets(place):
            _choices("Streets")


def _choose_streets(place: Place) -> None:
    titles = told_apart({NO_STREETS: "None"} | {file.id: file.title for file in session.street_networks(place)})
    chosen = session.streets(place)
    st.session_state["set-streets"] = chosen.id if chosen else NO_STREETS
    st.selectbox(
        "Street network",
        list(titles),
        format_func=titles.__getitem__,
        key="set-streets",
        on_change=lambda: session.choose("streets", st.session_state["set-streets"]),
        help="Where cars may drive, if you know it: the path prefers it.",
    )
    if chosen is None:
        return
    try:
        near = chosen.read().within(place.gallery.bounds)
        name = text(place.gallery.name)
        words = (
            f"{len(near):,} piece{'s' * (len(near) > 1)} of it in {name}." if near else f"None of it lies in {name}."
        )
        st.html(f'<p class="under">{words}</p>')
    except GamaError as error:
        st.html(notice("", str(error)))
