"""What Streamlit has not: a player that keeps time with the page, a drop zone that streams, a watch on the theme."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from pages.catalog import ASSETS


def _read(name: str) -> str:
    return (ASSETS / "components" / name).read_text("utf-8")


_player = st.components.v2.component("gama_player", css=_read("player.css"), js=_read("player.js"))
_drop = st.components.v2.component("gama_drop", css=_read("drop.css"), js=_read("drop.js"))
_theme = st.components.v2.component("gama_theme", js=_read("theme.js"))


def player(
    key: str, film_url: str | None, still_url: str, time_s: float, duration_s: float, on_second: Callable[[], None]
) -> None:
    """The video at a moment; while it plays, `on_second` runs once a second.

    Args:
        key: names the player; the second is in `st.session_state[key]["second"]`.
        film_url: what browsers play; None where there is only the still.
        still_url: the frame at `time_s`.
        time_s: the moment to show.
        duration_s: of the whole video.
        on_second: a callback; Streamlit runs it before the script.
    """
    data = {"film": film_url, "still": still_url, "time_s": time_s, "duration_s": duration_s}
    _player(key=key, data=data, on_second_change=on_second)


def drop_zone(key: str, title: str, words: str, endings: Sequence[str]) -> list[dict[str, str]] | None:
    """A place to drop files; they go to PUT /upload one by one.

    Args:
        key: names the zone.
        title: what to drop.
        words: more about it, in lines.
        endings: what the browser's dialog offers.

    Returns:
        {"token", "name"} of each file, once, when all of them have arrived.
    """
    data = {"title": title, "words": words, "endings": [*endings]}
    result: Any = _drop(key=key, data=data, on_files_change=lambda: None)
    return result.files or None


def watch_theme() -> None:
    """Runs the page again when its visitor changes the theme, which Streamlit does not tell."""
    with st.container(key="theme"):
        _theme(key="theme-watch", on_scheme_change=lambda: None)
