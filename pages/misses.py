"""The clips that a run got most wrong: the frame, the true tile, and the five tiles that were found, by stage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gama_core.curves import AFTER, BEFORE, NEAR_M, Miss
from gama_core.dataset.reader import CLIP_FPS
from gama_core.run import ClipRecord, Match, Run
from pages import runs, session
from pages.runs import RunFile
from pages.tiles import Tiles, inline, inline_picture, tiles_of
from pages.widgets import clock, distance, panel, text

FRAME_PX = 320
MIDDLE_FRAME = 8  # of a clip, 30 a second; one of those that are extracted where only clips are wanted


def miss_panel(file: RunFile, run: Run, miss: Miss) -> str:
    """One clip as a card."""
    clip, tiles = miss.clip, tiles_of(file, run)
    away = distance(miss.error_m) if np.isfinite(miss.error_m) else "nothing found"
    facts = [clip.condition or "", "" if clip.hour is None else f"{clip.hour:02d} h"]
    facts += [f"region {clip.region}" if clip.region else "", f"rank {clip.rank:,}" if clip.rank else ""]
    facts += [f"{clip.truth.lat_deg:.5f}, {clip.truth.lon_deg:.5f}"]
    words = " · ".join(text(fact) for fact in facts if fact)
    return panel(
        f"<h2>{text(clip.drive)} <small>{clock(clip.second)} · {words}</small><em>{text(away)} off</em></h2>"
        f'<div class="miss"><figure>{_frame(file, run, clip)}<figcaption>frame</figcaption></figure>'
        f"<figure>{_true_tile(tiles, run, miss.index)}<figcaption>true place</figcaption></figure>"
        f"{_found(BEFORE, clip, clip.before, tiles)}{_found(AFTER, clip, clip.after, tiles)}</div>"
    )


def _frame(file: RunFile, run: Run, clip: ClipRecord) -> str:
    """The middle of a clip, from its film or, in a data set, from the frames that were extracted."""
    source = ""
    if film := runs.film_of(file, run, clip):
        source = inline(session.still(film, clip.second + MIDDLE_FRAME / CLIP_FPS, FRAME_PX))
    elif extracted := runs.frame_of(file, run, clip, MIDDLE_FRAME):
        source = inline_picture(extracted, FRAME_PX)
    if not source:
        return '<span class="none wide">the film is not on this machine</span>'
    return f'<img class="wide" src="{source}" alt="frame">'


def _true_tile(tiles: Tiles | None, run: Run, index: int) -> str:
    source = tiles.true(run.clips, index) if tiles else ""
    if not source:
        return '<span class="none">no imagery of this gallery here</span>'
    return f'<img class="true" src="{source}" alt="true tile">'


def _found(stage: str, clip: ClipRecord, matches: Sequence[Match], tiles: Tiles | None) -> str:
    if not matches:
        return ""
    items = "".join(_tile(clip, match, tiles) for match in matches)
    return f'<figure><ol class="tiles">{items}</ol><figcaption>{stage}, top {len(matches)}</figcaption></figure>'


def _tile(clip: ClipRecord, match: Match, tiles: Tiles | None) -> str:
    away_m = clip.truth.distance_m(match.at)
    hint = f"{match.name} · similarity {match.score:.3f} · {distance(away_m)} from the truth"
    source = tiles.found(match) if tiles else ""
    picture = f'<img src="{source}" alt="{text(hint)}">' if source else ""
    right = ' class="right"' if away_m <= NEAR_M else ""
    return f'<li{right} title="{text(hint)}">{picture}<b>{distance(away_m)}</b></li>'
