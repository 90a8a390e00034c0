"""Curves as PNG files, to be read in colour, in grey and from far away. matplotlib is optional."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INSTALL = "pip install 'ligero[plots]'"

# Dark, then lighter: told apart in grey too, and by who is colour-blind (Okabe and Ito, 2008).
COLOURS = ("#0b3c5d", "#e08a3c", "#6fbf9f", "#c3a5d1")
INK, FAINT = "#222222", "#d8d8d8"
INCHES, DOTS = (7.2, 4.8), 160


@dataclass(frozen=True)
class Line:
    """One curve: y over x, ascending; NaN interrupts it.

    points: its values are few, and are marked. shade: which of COLOURS, dark to light; the
    curve's place among the panel's where left out. A lighter one is drawn first.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    points: bool = False
    shade: int | None = None


@dataclass(frozen=True)
class Panel:
    """Curves over one another. label: the y axis, with its unit. height: its share. top: where it
    is cut off, for curves that begin far above all else."""

    label: str
    lines: Sequence[Line]
    height: float = 1.0
    top: float | None = None


def curves(
    panels: Sequence[Panel],
    path: str | Path,
    *,
    x_label: str,
    title: str = "",
    marks: Sequence[tuple[float, str]] = (),
    log_x: bool = False,
) -> bool:
    """Write panels above one another, which share their x axis; whether matplotlib was there to.

    marks: places on the x axis, and what begins there.
    """
    if find_spec("matplotlib") is None:
        return False
    from matplotlib.figure import Figure

    figure = Figure(figsize=INCHES, dpi=DOTS, layout="constrained")
    heights = [panel.height for panel in panels]
    all_axes = figure.subplots(
        len(panels), 1, sharex=True, squeeze=False, height_ratios=heights
    )[:, 0]  # fmt: skip
    for axes, panel in zip(all_axes, panels, strict=True):
        _draw(axes, panel)
        for x, _ in marks:
            axes.axvline(x, color=INK, linewidth=0.8, linestyle=(0, (1, 2)))
        if log_x:
            axes.set_xscale("log")
        elif any(len(line.x) for line in panel.lines):
            axes.set_xlim(left=0)
    for x, text in marks:
        all_axes[0].annotate(
            text, (x, 1), xycoords=("data", "axes fraction"), xytext=(0, 4),
            textcoords="offset points", va="bottom", fontsize=8, color=INK,
        )  # fmt: skip
    all_axes[-1].set_xlabel(x_label, color=INK)
    if title:
        all_axes[0].set_title(title, loc="left", fontsize=10, color=INK, pad=20 if marks else 8)
    figure.align_ylabels(list(all_axes))
    figure.savefig(path, metadata={"Software": None})
    return True


def _draw(axes: "Axes", panel: Panel) -> None:
    for number, line in enumerate(panel.lines):
        shade = (number if line.shade is None else line.shade) % len(COLOURS)
        axes.plot(
            line.x, line.y, label=line.name, color=COLOURS[shade], zorder=9 - shade,
            linewidth=0.9 if line.points else 1.6,
            marker="o" if line.points else "", markersize=3.5,
        )  # fmt: skip
    axes.set_ylabel(panel.label, color=INK)
    axes.grid(axis="y", color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8, colors=INK)
    if panel.top is not None:
        axes.set_ylim(top=panel.top)
    if len(panel.lines) > 1:
        axes.legend(edgecolor="none", framealpha=0.9, fontsize=8, loc="upper right")
