"""Panels of a figure: how many stand in a row, and what is above them."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from nassim.paper.looks import POINT, wrapped

SIDE = 34  # points beside a panel's axis, for its labels


def columns_of(count: int, width: float, least: float) -> int:
    """How many panels of ``least`` inches stand in a row: as many as fit, and in as even rows as there can be."""
    fitting = max(1, min(count, int(width / least)))
    return -(-count // -(-count // fitting))


def panels_of(
    titles: Sequence[str], width: float, columns: int, tall: float, more: float
) -> tuple[Figure, list[Axes], float]:
    """A figure, a panel for each title (shown if there are several), and the points that an axis is wide.

    width, tall: inches of the figure and of a panel; more: inches above and below all panels.
    """
    rows = -(-len(titles) // columns)
    figure = Figure(figsize=(width, tall * rows + more), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.03, h_pad=0.03, wspace=0.03, hspace=0.04)  # type: ignore[union-attr, call-arg]
    panels = list(figure.subplots(rows, columns, squeeze=False).ravel())
    wide = width / columns * POINT - SIDE
    for axes, title in zip(panels, titles, strict=False):
        if len(titles) > 1:
            axes.set_title(wrapped(title, wide), loc="left")
    for axes in panels[len(titles) :]:
        axes.set_axis_off()
    return figure, panels[: len(titles)], wide
