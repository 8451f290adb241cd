"""How right a run was: its tables beside the paper's, its curves, and the clips that it got most wrong."""

from __future__ import annotations

from typing import Literal

import numpy as np
import streamlit as st

from gama_core import curves
from gama_core.errors import GamaError
from gama_core.run import ENDING, Run
from pages import misses, paper, runs, session
from pages.figures import Figure
from pages.print import on_paper
from pages.runs import LIMIT_MB, RunFile
from pages.vega import on_screen
from pages.widgets import distance, figure, figures, grown, headline, notice, panel, share, text, told_apart

WORST = 8
TALL_PX, LOW_PX = 368, 222  # figures beside the table, and in a row of three
FILES: dict[Literal["svg", "pdf", "png"], str] = {"svg": "image/svg+xml", "pdf": "application/pdf", "png": "image/png"}
HOW = "python -m gama_core evaluate DRIVES --gallery GALLERY --save-run cache/runs"


def page() -> None:
    """The whole page."""
    file = session.run_file()
    _sidebar(file)
    if words := session.message():
        st.html(notice("This file is no run.", words))
    if file is None:
        st.html(headline("Evaluate", []))
        st.html(panel(f"<h2>No run yet</h2><p>One command makes one:</p><pre>{HOW}</pre>"))
        return
    try:
        run = session.run(file)
    except GamaError as error:
        st.html(headline("Evaluate", []))
        st.html(notice("This run cannot be read.", str(error)))
        return
    _run(file, run)


def _run(file: RunFile, run: Run) -> None:
    st.html(headline(run.name, _chips(run)))
    if not run.clips:
        st.html(notice("This run holds no clip.", "Its drives have no fix at the time of their clips.", "info"))
        return
    if run.weights not in session.shipped_weights():
        words = f"Made by {run.weights}; this app ships {', '.join(session.shipped_weights()) or 'none'}."
        st.html(notice("Other weights.", words, "info"))
    st.html(figures(_cards(run)))
    first, *others = session.run_figures(file)
    left, right = st.columns((0.52, 0.48), gap="small")
    with left:
        _figure(first, run, TALL_PX)
    with right:
        st.html(panel(paper.tables(run), "beside"))
    for row in (others[start : start + 3] for start in range(0, len(others), 3)):
        for column, one in zip(st.columns(len(row), gap="small"), row, strict=True):
            with column:
                _figure(one, run, LOW_PX)
    _failures(file, run)
    with st.expander("How this run was made"):
        st.json({"gallery": run.gallery, "weights": run.weights, "created": run.created, **run.settings})


def _chips(run: Run) -> list[str]:
    drives = len({clip.drive for clip in run.clips})
    return [
        f"{drives:,} {'videos' if run.kind == 'dataset' else 'drives'} · {len(run.clips):,} clips",
        f"{run.gallery.split(' (')[0]} · {run.gallery_size:,} {'tiles' if run.kind == 'dataset' else 'views'}",
        f"weights {run.weights}",
        run.created[:10],
    ]


def _cards(run: Run) -> list[tuple[str, str]]:
    errors = list(curves.errors_m(run).values())
    ranks = run.tables.get("region_recall")
    ranked = [value for value in ranks.values() if isinstance(value, int | float)] if isinstance(ranks, dict) else []
    drives = curves.by_drive(run)
    best = drives.share[list(drives.share)[-1]] if drives.share else np.zeros(0)
    cards = [
        ("Clips within 80 m", grown(share(float((error <= curves.NEAR_M).mean())) for error in errors)),
        ("Median error", grown(distance(float(np.median(error))) for error in errors)),
        ("Drives with most clips right", figure(f"{int((best > 0.5).sum()):,}", f"of {len(best):,}")),
    ]
    if ranked:
        names = " / ".join(str(name) for name in ranks)  # type: ignore[union-attr]
        cards.append((f"Region {names}", figure(" / ".join(f"{100 * value:.0f}" for value in ranked), "%")))
    return cards if errors else []


def _figure(one: Figure, run: Run, height_px: int) -> None:
    """A figure, and the files that a paper wants of it; each is made when it is asked for."""
    name = f"{one.key}-{run.created[:10]}"
    with st.container(key=f"figure-{one.key}"):
        st.html(f"<h2>{text(one.title)} <small>{text(one.note)}</small></h2>")
        st.vega_lite_chart(
            on_screen(one, session.theme(), height_px), width="stretch", key=f"chart-{one.key}-{session.theme()}"
        )
        with st.container(horizontal=True, gap="small", key=f"files-{one.key}"):
            for kind, mime in FILES.items():
                st.download_button(
                    kind.upper(), lambda kind=kind: on_paper(one, kind), f"{name}.{kind}", mime,
                    on_click="ignore", type="tertiary", key=f"{kind}-{one.key}",
                )  # fmt: skip
            st.download_button(
                "CSV", one.to_csv, f"{name}.csv", "text/csv", on_click="ignore", type="tertiary", key=f"csv-{one.key}"
            )


@st.fragment
def _failures(file: RunFile, run: Run) -> None:
    with st.container(key="failures", horizontal=True, vertical_alignment="center"):
        st.html("<h2>Where it fails <small>the clips furthest from the truth after the last stage</small></h2>")
        one_each = st.toggle("One of each drive", value=True, key="one-each")
    for miss in curves.worst_clips(run, WORST, per_drive=1 if one_each else None):
        st.html(misses.miss_panel(file, run, miss))


def _sidebar(file: RunFile | None) -> None:
    found = session.run_files()
    with st.sidebar:
        st.html("<h6>Run</h6>")
        if file is not None:
            titles = told_apart({one.id: _title(one) for one in found})
            st.session_state["run-select"] = file.id
            st.selectbox(
                "Run", list(titles), format_func=titles.__getitem__,
                key="run-select", on_change=lambda: session.choose_run(st.session_state["run-select"]),
                label_visibility="collapsed",
            )  # fmt: skip
        with st.container(key="drop"):
            st.file_uploader(
                "Open a run", key="run-file", type=["gz"], max_upload_size=LIMIT_MB, on_change=_bring,
                help=f"A file that `{HOW}` wrote.",
            )  # fmt: skip


def _title(file: RunFile) -> str:
    name = file.path.name.removesuffix(ENDING)
    return f"opened · {name[2:10]}" if file.id.startswith("u-") else name.replace("-", " ").capitalize()


def _bring() -> None:
    """Keeps the file that the visitor opened, or says why not."""
    brought = st.session_state["run-file"]
    if brought is None:
        return
    try:
        session.choose_run(runs.accept_run(brought.getvalue(), brought.name).id)
    except GamaError as error:
        session.leave_message(str(error))


page()
