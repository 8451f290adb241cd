"""The page of runs: what it shows of one, what it says where there is none, and what it refuses."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import stand_in
from running import html_of
from streamlit.testing.v1 import AppTest

from gama_core.errors import GamaError
from gama_core.evaluate import compare
from gama_core.geo import LatLon
from gama_core.record import record_drives
from gama_core.run import ClipRecord, Match, Run, read_run, save_run
from pages import catalog, runs
from pages.figures import Figure, figures_of
from pages.paper import tables
from pages.print import on_paper

PAGE = str(catalog.ROOT / "pages" / "evaluate.py")


@pytest.fixture
def shipped(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of shipped runs that holds one: two drives through the stand-in place."""
    folder = tmp_path / "shipped"
    monkeypatch.setattr(runs, "SHIPPED", folder)
    save_run(made_run(world), folder)
    return folder


def made_run(world: Path, name: str = "Two <b>drives</b>") -> Run:
    gallery = catalog.places()[0].gallery
    track = catalog.sample_drives()[0].track()
    assert track
    answers = []
    for drive in catalog.sample_drives():
        answer = stand_in.answer(gallery, drive.video_path.name, 12.0, track, 0.9)
        answers.append((drive.video_path, answer, compare(answer, track)))
    return record_drives(name, answers, gallery)


def paper_run() -> Run:
    """A run of the published data set: other tables, no films, no gallery here."""
    at = LatLon(40.0, -74.0)
    clip = ClipRecord("v1", 3.0, at, "v1", 9, None, 17, (Match("v2_4", at.moved(900, 0), 0.8, "v2"),), (), None)
    other = replace(clip, drive="v2", region="v2", hour=10)
    figures = {"top1": 0.25, "top1_at_0.1mi": 0.5, "mean_error_miles": 12.0, "clips": 2, "hierarchical": {"top1": 0.75}}
    return Run("Day test set", "dataset", "cn", "published", "2026-01-02", 500, {}, figures, (clip, other))


def opened(run: str = "") -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=60)
    if run:
        app.query_params["run"] = run
    app.run()
    assert not app.exception
    return app


def test_without_a_run_it_says_how_one_is_made(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "SHIPPED", tmp_path / "none")
    assert "--save-run" in html_of(opened())


def test_a_run_shows_its_figures_its_tables_and_its_worst_clips(shipped: Path) -> None:
    app = opened()
    page = html_of(app)
    assert "Two &lt;b&gt;drives&lt;/b&gt;" in page
    assert "2 drives · 24 clips" in page
    assert "15.30 %" in page
    assert "abstract" in page
    assert "not to compare with" in page
    assert page.count('class="miss"') == 2  # one of each drive
    assert page.count("data:image/jpeg;base64,") == 2
    assert 'class="true" src="/view/' in page
    titles = ("Recall against distance", "Recall against k", "Error", "Risk against coverage", "By drive")
    assert all(f"<h2>{title} <small>" in page for title in titles)
    assert len(app.get("vega_lite_chart")) == len(titles)
    app.toggle(key="one-each").set_value(False).run()
    assert html_of(app).count('class="miss"') == 8


def test_weights_that_are_not_shipped_are_named(shipped: Path) -> None:
    assert "Other weights." in html_of(opened())


def test_a_run_of_the_paper_stands_beside_its_figures_without_films_or_imagery(shipped: Path) -> None:
    save_run(paper_run(), catalog.cache_folder() / "runs")
    page = html_of(opened("kept-day-test-set"))
    assert "25.00 %" in page
    assert "75.00 %" in page
    assert "97.10 mi" in page
    assert "not to compare with" not in page
    assert "the film is not on this machine" in page
    assert "no imagery of this gallery here" in page


def test_a_damaged_run_is_told_and_does_not_break_the_page(shipped: Path) -> None:
    broken = catalog.cache_folder() / "runs" / "broken.json.gz"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"nothing")
    assert "This run cannot be read." in html_of(opened("kept-broken"))


def test_a_run_that_a_visitor_brings_is_kept_and_found_again(shipped: Path) -> None:
    path = save_run(paper_run(), shipped.parent / "mine")
    file = runs.accept_run(path.read_bytes(), "mine.json.gz")
    assert runs.find_run_file(file.id) == file
    assert read_run(file.path).clips[1].drive == "v2"
    assert "Day test set" in html_of(opened(file.id))


def test_what_is_no_run_is_refused_under_its_own_name_and_not_kept(shipped: Path) -> None:
    with pytest.raises(GamaError, match=r"holiday\.gz is no run"):
        runs.accept_run(gzip.compress(b"{}"), "holiday.gz")
    assert list(catalog.uploads_folder().iterdir()) == []


def test_a_brought_run_opens_no_film_but_the_shipped_ones(shipped: Path, tmp_path: Path) -> None:
    run = made_run(shipped)
    clip = run.clips[0]
    brought, own = runs.RunFile("u-0", tmp_path, trusted=False), runs.RunFile("own", tmp_path)
    assert runs.film_of(brought, run, clip) == catalog.sample_drives()[0].video_path
    secret = stand_in.make_film(tmp_path / "secret.mp4", 1)
    away = replace(run, frames={clip.drive: str(secret)})
    assert runs.film_of(brought, away, clip) is None
    assert runs.film_of(own, away, clip) == secret
    for no_name in ("\0", 300 * "x"):
        assert runs.film_of(brought, replace(run, frames={clip.drive: no_name}), clip) is None
    assert runs.find_run_file("u-../../etc/passwd") is None


def test_tables_that_hold_anything_but_figures_are_left_out(shipped: Path) -> None:
    odd = replace(paper_run(), tables={"top1": "<script>", "hierarchical": [1], "regions": {"top1": 0.5}})
    assert "script" not in tables(odd)
    assert "50.00 %" in tables(odd)


@pytest.fixture
def figures(shipped: Path) -> list[Figure]:
    return figures_of(made_run(shipped))


def test_lines_and_bars_print_as_svg_pdf_and_png(figures: list[Figure]) -> None:
    lines, bars = figures[0], figures[-1]
    svg = on_paper(lines, "svg")
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert on_paper(lines, "svg") == svg
    assert on_paper(bars, "pdf").startswith(b"%PDF")
    assert on_paper(bars, "png").startswith(b"\x89PNG")


def test_films_of_a_data_set_are_found_below_its_root_but_not_for_a_visitor(tmp_path: Path) -> None:
    run = replace(paper_run(), settings={"root": str(tmp_path)}, frames={"v1": "video_data/val/v1.mov"})
    film = tmp_path / "video_data" / "val" / "v1.mov"
    film.parent.mkdir(parents=True)
    film.touch()
    assert runs.film_of(runs.RunFile("kept-day", tmp_path / "day.json.gz"), run, run.clips[0]) == film.resolve()
    assert runs.film_of(runs.RunFile("u-0", tmp_path / "u.json.gz", trusted=False), run, run.clips[0]) is None
