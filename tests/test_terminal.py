"""What the commands share: a choice that is none is refused, a bar is drawn for people alone."""

from __future__ import annotations

import io
import sys

import pytest

from gama_core.errors import SettingsInvalid
from gama_core.terminal import bar, require


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_on_a_terminal_shows_stage_and_count(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    with bar() as hear:
        assert hear is not None
        hear("tiles", 30, 40)
    assert "tiles" in screen.getvalue()
    assert "30/40" in screen.getvalue()


def test_a_file_gets_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with bar() as hear:
        assert hear is None
    assert sys.stderr.getvalue() == ""  # type: ignore[attr-defined]


def test_a_choice_that_is_none_is_refused_with_all_that_are() -> None:
    require("cn", "gallery", "cn", "ucn")
    with pytest.raises(SettingsInvalid, match="--gallery is 'xx'; choose one of cn, ucn"):
        require("xx", "gallery", "cn", "ucn")
