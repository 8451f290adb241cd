"""The two small charts under and beside the map, as HTML: one bar per clip, and how sure each place is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pages.story import Story
from pages.widgets import text

COLUMNS = 240  # more clips share columns
POINTS = 60  # of a curve


def timeline(story: Story) -> str:
    """One bar per clip: its height is the similarity, its colour whether the place is near; two rows below."""
    groups = np.array_split(np.arange(story.clips), min(story.clips, COLUMNS))
    scores = np.array([step.best.score for step in story.localization.after])
    low, high = np.percentile(scores, (5, 95))  # one odd clip must not flatten all others
    heights = 14 + 86 * np.clip((scores - low) / max(high - low, 1e-6), 0, 1)
    bars = "".join(
        f'<i{"" if _most(group, story.near) else " class=far"} style="height:{heights[group].mean():.0f}%"></i>'
        for group in groups
    )
    first, second = (
        "".join(f"<i{' class=on' if _most(group, right) else ''}></i>" for group in groups)
        for right in (story.first_right, story.second_right)
    )
    return (
        f'<div class="timeline" style="--columns:{len(groups)}">{_legend(story)}<div class="plot">'
        f'<div class="bars">{bars}</div><div class="row first">{first}</div>'
        f'<div class="row second">{second}</div></div></div>'
    )


def evidence(story: Story, index: int) -> str:
    """How sure the whole drive is of each place, and the share of clips so far that agree."""
    inside = [step.best.region_index == story.localization.regions[0].index for step in story.localization.before]
    voted = np.cumsum(inside) / np.arange(1, story.clips + 1)
    lines = "".join(
        f'<i class="{name}" style="clip-path:polygon({_line(values)})"></i>'
        for name, values in (("votes", voted), ("sure", np.array(story.confidence)))
    )
    now = 100 * index / max(story.clips - 1, 1)
    return (
        f'<div class="evidence">{lines}<u style="left:{now:.1f}%"></u><small>1.0</small><small>0</small></div>'
        f'<p class="axis"><span>0 s</span><span>{story.localization.before[-1].time_s:.0f} s</span></p>'
        '<p class="axis keys"><span class="sure">confidence of the place</span>'
        '<span class="votes">clips that agree</span></p>'
    )


def _legend(story: Story) -> str:
    words = (
        ("place within 80 m", "place further off", "GAMa-Net right", "hierarchical right")
        if story.comparison
        else ("confident", "unsure", "GAMa-Net in the region", "agrees with the path")
    )
    kinds = ("near", "far", "first", "second")
    rows = "".join(f'<li><i class="{kind}"></i>{text(word)}</li>' for kind, word in zip(kinds, words, strict=True))
    return f'<ul class="legend">{rows}</ul>'


def _most(group: np.ndarray, right: Callable[[int], bool]) -> bool:
    return sum(right(int(index)) for index in group) * 2 >= len(group)


def _line(values: np.ndarray) -> str:
    """A curve over the whole width as a CSS polygon, two pixels thick: Streamlit's HTML knows no SVG."""
    picked = np.unique(np.linspace(0, len(values) - 1, min(len(values), POINTS)).astype(int))
    points = [(100 * index / max(len(values) - 1, 1), 100 * (1 - values[index])) for index in picked]
    points = [(0.0, points[0][1]), (100.0, points[0][1])] if len(points) == 1 else points
    above = [f"{x:.1f}% calc({y:.1f}% - 1px)" for x, y in points]
    below = [f"{x:.1f}% calc({y:.1f}% + 1px)" for x, y in reversed(points)]
    return ",".join(above + below)
