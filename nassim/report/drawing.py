"""An architecture's graph as SVG: nodes in a row, operations on the edges or in the nodes.

Colors are classes of the page's style sheet (``o0``, ``o1``, ... by the operation's place in the space), so that
they follow light and dark; every operation is also named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from nassim.metric import ACCURACY, Metric
from nassim.space import Graph, SearchSpace

LETTER = 6.4  # width of a letter at 11 px
NODE, RISE = 15.0, 24.0  # radius of a node; how much higher an edge goes for each node that it passes
NOTHING = ("none", "off", "zero")  # operations that pass nothing on
CLASSES = 8


def operations(space: SearchSpace) -> list[str]:
    """The names of all options of a space, in order of first appearance."""
    return list(dict.fromkeys(option for decision in space.decisions for option in decision.options))


def graph_svg(graph: Graph, names: Sequence[str], title: str) -> str:
    """The drawing; ``names`` gives each operation its color, ``title`` is read out to who cannot see it."""
    words = [_words(name) for name in graph.nodes]
    half = [max(NODE, len(word) * LETTER / 2 + 8) for word in words]
    longest = max([0, *[len(operation) for source, target, operation in graph.edges if target == source + 1]])
    gap = longest * LETTER + 26
    centers: list[float] = []
    for i, width in enumerate(half):
        centers.append(width + 4 if i == 0 else centers[-1] + half[i - 1] + gap + width)
    above = max([0, *[t - s for s, t, _ in graph.edges if t - s > 1 and s % 2 == 0]])
    below = max([0, *[t - s for s, t, _ in graph.edges if t - s > 1 and s % 2]])
    middle = NODE + 6 + above * RISE
    height, width = middle + NODE + 6 + below * RISE, centers[-1] + half[-1] + 4
    parts = [_edge(graph, edge, centers, half, middle, names) for edge in graph.edges]
    for x, w, word, name in zip(centers, half, words, graph.nodes, strict=True):
        box = f'x="{x - w:.1f}" y="{middle - NODE:.1f}" width="{2 * w:.1f}" height="{2 * NODE:.0f}" rx="{NODE:.0f}"'
        kind = f"node {_color(name, names)}" if name in names else "node"
        parts.append(f'<rect class="{kind}" {box}/><text x="{x:.1f}" y="{middle + 4:.1f}">{escape(word)}</text>')
    return (
        f'<svg class="cell" viewBox="0 0 {width:.0f} {height:.0f}" style="max-width:{width:.0f}px" role="img" '
        f'aria-label="{escape(title, quote=True)}">{"".join(parts)}</svg>'
    )


def curve_svg(found: Mapping[int, float], metric: Metric = ACCURACY) -> str:
    """Values on validation by epochs, as they are printed, as a small curve with its first and last value."""
    values = {epochs: metric.shown(value) for epochs, value in found.items()}
    width, height, left, bottom = 300, 110, 46, 92
    first, last = min(values), max(values)
    low, high = min(values.values()), max(values.values())
    points = " ".join(
        f"{left + (e - first) / max(1, last - first) * (width - left - 8):.1f},"
        f"{bottom - (v - low) / ((high - low) or 1) * (bottom - 12):.1f}"
        for e, v in sorted(values.items())
    )
    texts = [
        (left - 4, 16, "end", _with_unit(metric, high, 1)),
        (left - 4, bottom + 4, "end", _with_unit(metric, low, 1)),
        (left, height - 2, "start", str(first)),
        (width - 8, height - 2, "end", f"{last} epochs"),
    ]
    ends = [_with_unit(metric, values[epochs], 2) for epochs in (first, last)]
    said = escape(f"{metric.title('valid')} by epochs, from {ends[0]} to {ends[1]}", quote=True)
    labels = "".join(
        f'<text x="{x}" y="{y}" style="text-anchor:{side}">{escape(text)}</text>' for x, y, side, text in texts
    )
    size = f'viewBox="0 0 {width} {height}" style="max-width:{width}px"'
    axes = f'<path class="line" d="M{left} 8V{bottom}H{width - 8}"/>'
    curve = f'<polyline class="edge o1" points="{points}"/>'
    return f'<svg class="cell" {size} role="img" aria-label="{said}">{axes}{curve}{labels}</svg>'


def _with_unit(metric: Metric, shown: float, decimals: int) -> str:
    return f"{metric.text(shown, decimals)} {metric.shown_unit}".rstrip()


def _edge(
    graph: Graph,
    edge: tuple[int, int, str],
    centers: Sequence[float],
    half: Sequence[float],
    middle: float,
    names: Sequence[str],
) -> str:
    source, target, operation = edge
    span = target - source
    a, b = centers[source], centers[target]
    if span == 1:
        a, b, y, bend = a + half[source], b - half[target] - 2, middle, 0.0
    else:
        side = -1 if source % 2 == 0 else 1
        a, b, y, bend = a + NODE * 0.6, b - NODE * 0.6, middle + side * NODE * 0.8, side * (2 * span * RISE - 2 * NODE)
    x, top = (a + b) / 2, y + bend / 2
    word = _words(operation)
    kind = "edge nothing" if operation in NOTHING else f"edge {_color(operation, names)}"
    arrow = "" if operation in NOTHING else ' marker-end="url(#arrow)"'
    path = f'<path class="{kind}" d="M{a:.1f} {y:.1f}Q{x:.1f} {y + bend:.1f} {b:.1f} {y:.1f}"{arrow}/>'
    if not word:
        return path
    w = len(word) * LETTER + 6
    paper = f'<rect class="paper" x="{x - w / 2:.1f}" y="{top - 8:.1f}" width="{w:.1f}" height="16" rx="3"/>'
    muted = ' class="muted"' if operation in NOTHING else ""
    return f'{path}{paper}<text{muted} x="{x:.1f}" y="{top + 4:.1f}">{escape(word)}</text>'


def _words(name: str) -> str:
    return name.replace("_", " ")


def _color(operation: str, names: Sequence[str]) -> str:
    return f"o{names.index(operation) % CLASSES}" if operation in names else ""
