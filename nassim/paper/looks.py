"""How figures for a paper look: eight strategies that differ in luminance, dashes and marks; text that can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from nassim.errors import InvalidSetting
from nassim.plots import DASHES, MARKERS

POINT = 72.0  # matplotlib's points an inch
TEXT = 7.0  # points, at the printed width; nothing is smaller
# Black, then hues of Okabe and Ito moved in lightness: CIE L* is 0, 47, 77, 37, 67, 26, 57, 14, so that any two differ
# by ten or so in grey, neighbors in the order by twenty and more.
COLORS = ("#000000", "#0B75B5", "#FAB022", "#006447", "#DD89B7", "#7C033F", "#DE650C", "#000086")
SIZES = {"P": 5.2, "X": 5.2, "*": 7.0}  # of marks that are thinner than others, in points
GRID, EDGE = "#DDDDDD", "#444444"
STYLE: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same figure on every machine
    "font.size": TEXT,
    "axes.labelsize": TEXT,
    "axes.titlesize": TEXT,
    "figure.labelsize": TEXT,
    "legend.fontsize": TEXT,
    "xtick.labelsize": TEXT,
    "ytick.labelsize": TEXT,
    "axes.linewidth": 0.6,
    "axes.edgecolor": EDGE,
    "axes.labelpad": 2.0,
    "axes.titlepad": 3.0,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.pad": 2.0,
    "ytick.major.pad": 2.0,
    "text.parse_math": False,  # a dollar in a name is a dollar
    "pdf.fonttype": 42,  # text stays text; publishers refuse Type 3
    "svg.fonttype": "path",
}


class Look(NamedTuple):
    """How a strategy is drawn; ``dashes`` in widths of the line, empty for a solid one."""

    color: str
    dashes: tuple[float, ...]
    marker: str

    def line(self) -> dict[str, Any]:
        """What `Axes.plot` takes for a line without marks."""
        return {"color": self.color, "linestyle": (0, self.dashes) if self.dashes else "-", "lw": 1.1}

    def mark(self) -> dict[str, Any]:
        """What `Axes.plot` takes for marks; an edge of paper parts those that touch."""
        ring = {"markeredgecolor": "white", "markeredgewidth": 0.4}
        return {"marker": self.marker, "color": self.color, "ms": SIZES.get(self.marker, 4.2), **ring}

    def bars(self) -> dict[str, Any]:
        """What `Axes.errorbar` takes for marks with bars and without a line."""
        return {"ls": "none", "elinewidth": 0.7, "capsize": 0, **self.mark()}


LOOKS = tuple(Look(*look) for look in zip(COLORS, DASHES, MARKERS, strict=True))


@contextmanager
def paper_style() -> Iterator[None]:
    """The settings of matplotlib under which all of this is made and saved; they end with the block."""
    with rc_context(STYLE):
        yield


def check_font(texts: Sequence[str]) -> None:
    """`InvalidSetting` for text that the font cannot draw: the figure would show boxes."""
    known = get_font(findfont(FontProperties(family=STYLE["font.family"]))).get_charmap()
    for text in texts:
        strange = [character for character in text if ord(character) not in known]
        if strange:
            raise InvalidSetting(
                f"{text!r:.80} has {strange[0]!r}, which the figures' font cannot draw: "
                "give another name with --names 'STRATEGY=NAME'."
            )


def renderer_of(figure: Figure) -> RendererAgg:
    """What measures the text of a figure."""
    canvas = figure.canvas
    agg: Any = canvas if isinstance(canvas, FigureCanvasAgg) else FigureCanvasAgg(figure)
    renderer: RendererAgg = agg.get_renderer()
    return renderer


def width_of(text: str) -> float:
    """How wide a line of text is, in points."""
    font = get_font(findfont(FontProperties(family=STYLE["font.family"])))
    font.set_size(10 * TEXT, POINT)  # in the large, as small letters are fitted to pixels
    font.set_text(text)
    return float(font.get_width_height()[0]) / 64 / 10  # of a pixel, which is a point here


def wrapped(name: str, points: float) -> str:
    """A name in lines of so many points: it goes on after a space or a sign, else anywhere."""
    lines = [""]
    for piece in re.findall(r"[^\s_/,:\[\]=-]*[\s_/,:\[\]=-]*", name):
        if lines[-1] and width_of((lines[-1] + piece).rstrip()) > points:
            lines.append("")
        for letter in piece:
            if lines[-1] and width_of((lines[-1] + letter).rstrip()) > points:
                lines.append("")
            lines[-1] += letter
    return "\n".join(line.strip() for line in lines)


def add_legend(figure: Figure, names: Sequence[str], more: Sequence[tuple[Line2D, str]] = ()) -> Legend:
    """One legend above all panels, in as many columns as the width of the figure holds, which grows by its height.

    more: what is drawn beside the strategies, with its name.
    """
    width = figure.get_figwidth() * POINT
    handles = [Line2D([], [], **{**look.line(), **look.mark()}) for look, _ in zip(LOOKS, names, strict=False)]
    handles, names = [*handles, *(handle for handle, _ in more)], [*names, *(name for _, name in more)]
    shown = [wrapped(name, width - 40) for name in names]
    columns = len(names)
    while True:
        legend = figure.legend(
            handles,
            shown,
            loc="outside upper center",
            ncols=columns,
            frameon=False,
            handlelength=2.6,
            handletextpad=0.5,
            columnspacing=1.2,
            labelspacing=0.3,
            borderaxespad=0.2,
            borderpad=0.2,
        )
        extent = legend.get_window_extent(renderer_of(figure))
        if columns == 1 or extent.width <= figure.get_figwidth() * figure.dpi:
            figure.set_figheight(figure.get_figheight() + extent.height / figure.dpi)
            return legend
        legend.remove()
        rows = -(-len(names) // columns) + 1
        columns = min(columns - 1, -(-len(names) // rows))  # as even rows as there can be


def bare(axes: Axes) -> None:
    """A light grid, and no frame above and to the right."""
    axes.grid(True, which="major", color=GRID, lw=0.5)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
