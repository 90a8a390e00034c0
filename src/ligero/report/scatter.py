"""Points on a plane, each with its name beside it: to be read in print, in grey, and by all eyes.

matplotlib is optional: ask `plots.INSTALL`. Colours are Okabe and Ito's (2008); what a colour says,
a marker says as well.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ligero.report.labels import place
from ligero.report.plots import DOTS, FAINT, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INCHES = (7.2, 5.4)
BLUE, SKY, GREEN, VERMILLION, PURPLE, BLACK = (
    "#0072B2", "#56B4E9", "#009E73", "#D55E00", "#CC79A7", "#000000",
)  # fmt: skip
SIZE = 6.5  # of a marker, points


@dataclass(frozen=True)
class Group:
    """Points that look alike. name: in the legend. names: beside each; an empty one is not shown.

    low, high: of an interval around each y; empty where there are none. first: whether its names
    are placed before those of other groups.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    names: Sequence[str]
    marker: str
    colour: str
    filled: bool = True
    low: Sequence[float] = ()
    high: Sequence[float] = ()
    first: bool = False


@dataclass(frozen=True)
class Front:
    """A frontier as steps: the best y for an x of so much or more. x ascending, y descending."""

    name: str
    x: Sequence[float]
    y: Sequence[float]
    colour: str
    dashed: bool = False


@dataclass(frozen=True)
class Scale:
    """An axis. label: with its unit. base: of its logarithm, None for a linear one. form: what
    stands at a tick."""

    label: str
    base: int | None = None
    form: Callable[[float], str] = "{:g}".format


def scatter(
    groups: Sequence[Group],
    paths: Sequence[str | Path],
    *,
    x: Scale,
    y: Scale,
    title: str,
    fronts: Sequence[Front] = (),
    floor: float | None = None,
    note: str = "",
) -> None:
    """Draw all groups to each of `paths` (PNG, SVG), the same bytes each time.

    floor: points below it stand at the lower edge, with an arrow and their value. note: a line below.
    """
    from matplotlib import rc_context

    # Letters as outlines: they look the same wherever the file is opened.
    with rc_context({"svg.hashsalt": "ligero", "svg.fonttype": "path"}):
        figure = draw(groups, x=x, y=y, title=title, fronts=fronts, floor=floor, note=note)
        for path in paths:
            nothing = {"Date": None} if Path(path).suffix == ".svg" else {"Software": None}
            figure.savefig(path, metadata=nothing)


def draw(
    groups: Sequence[Group],
    *,
    x: Scale,
    y: Scale,
    title: str,
    fronts: Sequence[Front] = (),
    floor: float | None = None,
    note: str = "",
) -> "Figure":
    """The figure of `scatter`, its names placed."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=INCHES, dpi=DOTS, layout="constrained")
    axes = figure.subplots()
    _axes(axes, x, y)
    for number, group in enumerate(groups):
        _points(axes, group, floor, 5 + number)
    _margins(axes, groups, y, floor)
    for front in fronts:
        _front(axes, front)
    axes.set_title(title, loc="left", fontsize=10.5, color=INK, pad=8)
    handles, names = axes.get_legend_handles_labels()
    order = np.argsort([name in [f.name for f in fronts] for name in names], kind="stable")
    figure.legend(
        [handles[i] for i in order], [names[i] for i in order],
        loc="outside lower left", ncols=2, frameon=False, fontsize=8,
        title=note or None, title_fontsize=7.5, alignment="left",
    )  # fmt: skip
    figure.draw_without_rendering()
    _names(figure, axes, groups, fronts, floor)
    return figure


def floor_of(own: Sequence[float], others: Sequence[float]) -> float | None:
    """Where to cut the plane off below, so that one failed model does not flatten all others.

    The lowest of `others` go, one by one, while that makes the range of all that is left less than
    half; `own` always stay. None where nothing need go.
    """
    left, cut = sorted(others), False
    while len(left) > 2:
        rest = [*left[1:], *own]
        if left[0] in rest or max(rest) - min(rest) >= (max(rest) - left[0]) / 2:
            break
        left, cut = left[1:], True
    if not cut:
        return None
    kept = [*left, *own]
    return min(kept) - 0.06 * (max(kept) - min(kept))


def _axes(axes: "Axes", x: Scale, y: Scale) -> None:
    from matplotlib.ticker import FuncFormatter, NullLocator

    for scale, axis, set_scale in (
        (x, axes.xaxis, axes.set_xscale), (y, axes.yaxis, axes.set_yscale),
    ):  # fmt: skip
        if scale.base:
            set_scale("log", base=scale.base)
            axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda v, _, form=scale.form: form(v)))
        axis.set_label_text(scale.label, color=INK, fontsize=9)
    axes.grid(color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8, colors=INK)


def _points(axes: "Axes", group: Group, floor: float | None, order: int) -> None:
    shown = [v if floor is None or v >= floor else math.nan for v in group.y]
    if len(group.low):
        around = [np.subtract(group.y, group.low), np.subtract(group.high, group.y)]
        axes.errorbar(
            group.x, shown, np.maximum(np.nan_to_num(around), 0.0), fmt="none", ecolor=group.colour,
            elinewidth=0.8, alpha=0.6, zorder=3,
        )  # fmt: skip
    axes.plot(
        group.x, shown, linestyle="", marker=group.marker, markersize=SIZE, label=group.name,
        markeredgecolor=group.colour, markeredgewidth=1.3, zorder=order,
        markerfacecolor=group.colour if group.filled else "white",
    )  # fmt: skip
    for at, value in zip(group.x, group.y, strict=True):
        if floor is not None and value < floor:
            axes.plot(
                at, 0.012, transform=axes.get_xaxis_transform(), marker="v", markersize=SIZE,
                color=group.colour, zorder=order, clip_on=False,
            )  # fmt: skip


def _margins(axes: "Axes", groups: Sequence[Group], y: Scale, floor: float | None) -> None:
    """Room around the points for their names, and no further than the lines' steps need."""
    axes.margins(x=0.09, y=0.13)
    places = {at for group in groups for at in group.x}
    if len(places) == 1:
        # One point alone has no range to take a share of.
        (at,) = places
        axes.set_xlim(at / 2, at * 2)
    axes.autoscale_view()
    if floor is not None:
        axes.set_ylim(bottom=floor)
    axes.set_xlim(axes.get_xlim())
    axes.set_ylim(axes.get_ylim())


def _front(axes: "Axes", front: Front) -> None:
    """Steps from the left edge to the first point, and from the last one down."""
    (left, _), (bottom, _) = axes.get_xlim(), axes.get_ylim()
    axes.plot(
        [left, *front.x, front.x[-1]], [front.y[0], *front.y, bottom],
        drawstyle="steps-pre", color=front.colour, linewidth=1.2, label=front.name, zorder=2,
        linestyle=(0, (4, 2)) if front.dashed else "-",
    )  # fmt: skip


def _names(
    figure: "Figure", axes: "Axes", groups: Sequence[Group], fronts: Sequence[Front],
    floor: float | None,
) -> None:  # fmt: skip
    """Put each point's name where it hides least; a line leads to one that stands away."""
    # In points of the figure, and so the same at any resolution.
    scale = figure.dpi / 72
    bottom = axes.get_ylim()[0]
    markers: list[Any] = []
    owners: list[int] = []
    texts: list[str] = []
    hues: list[str] = []
    lines = [np.empty((0, 2)), *(_steps(axes, front) for front in fronts)]
    for group in sorted(groups, key=lambda g: not g.first):
        for at, value, name in zip(group.x, group.y, group.names, strict=True):
            cut = floor is not None and value < floor
            if name:
                owners.append(len(markers))
                texts.append(f"{name}: {value:.1f}" if cut else name)
                hues.append(group.colour)
            markers.append(axes.transData.transform((at, bottom if cut else value)))
        for at, low, high in zip(group.x, group.low, group.high, strict=False):
            lines.append(_between(axes.transData.transform([(at, low), (at, high)])))
    style: dict[str, Any] = {
        "fontsize": 7.5, "va": "bottom", "ha": "left", "zorder": 20, "annotation_clip": False,
        # Paper behind the letters keeps them legible where a line runs below.
        "bbox": {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.3},
    }  # fmt: skip
    sizes = []
    for text in texts:
        tried = axes.annotate(text, (0, 0), xycoords="figure pixels", **style)
        extent = tried.get_window_extent()
        sizes.append((extent.width / scale, extent.height / scale))
        tried.remove()
    spots = np.array(markers).reshape(-1, 2) / scale
    left, low, right, top = np.asarray(axes.get_window_extent().extents) / scale
    placed = place(
        owners, sizes, spots, np.concatenate(lines) / scale,
        (left + 2, low + 2, right + 3, top + 3), SIZE / 2 + 1,
    )  # fmt: skip
    back = axes.transData.inverted().transform
    for text, owner, hue, spot in zip(texts, owners, hues, placed, strict=True):
        axes.annotate(
            text, tuple(back(spots[owner] * scale)), xytext=spot.corner - spots[owner],
            textcoords="offset points", color=hue, in_layout=False, **style,
        )  # fmt: skip
        if spot.end is not None:
            ends = back(np.array([spots[owner], spot.end]) * scale)
            axes.plot(*ends.T, color=hue, linewidth=0.6, zorder=4, alpha=0.8)


def _steps(axes: "Axes", front: Front) -> np.ndarray:
    """Places along a front's steps, pixels [places, 2]."""
    corners = [(front.x[0], front.y[0])]
    for at, value in zip(front.x[1:], front.y[1:], strict=True):
        corners += [(corners[-1][0], value), (at, value)]
    ends = axes.transData.transform(corners)
    # The step from the left edge to the first point as well.
    start = (axes.get_window_extent().x0, ends[0][1])
    return np.concatenate([_between(pair) for pair in pairwise([start, *ends])])


def _between(ends: Any) -> np.ndarray:
    """Places along a line, close enough for no name to slip through [places, 2]."""
    return np.linspace(ends[0], ends[1], 48)
