"""Answers of weights that do not compete: an option is taken where its weight reaches a threshold.

Paper: Chu et al., "Fair DARTS: Eliminating Unfair Advantages in Differentiable Architecture Search", ECCV 2020,
arXiv:1911.12126, section 4.2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from nassim.errors import InvalidSetting
from nassim.layout import Layout


def check_threshold(threshold: float) -> None:
    """`InvalidSetting` for a threshold that no sigmoid reaches: every node would be left without inputs."""
    if not 0.0 <= threshold < 1.0:
        raise InvalidSetting(
            f"threshold={threshold:g} leaves every node without inputs: a sigmoid is above 0 and below 1."
        )


def above(weights: Sequence[Sequence[float]], layout: Layout, threshold: float) -> list[list[float]]:
    """The weights with ``none`` in place of what does not reach the threshold, for `Layout.answer`.

    Of a node none of whose edges reaches it the best edge stays; an answer without ``none`` has its best edges anyway.
    """
    rows = [list(row) for row in weights]
    for node in layout.nodes:
        best = {i: max(w for w, o in _named(rows[i], layout, i) if o != "none") for i in node}
        stays = max(best, key=best.__getitem__)
        for i in node:
            taken = best[i] >= threshold or (i == stays and max(best.values()) < threshold)
            for k, option in enumerate(layout.groups[i].options):
                if option == "none":
                    rows[i][k] = -math.inf if taken else math.inf
    return rows


def _named(row: Sequence[float], layout: Layout, group: int) -> list[tuple[float, str]]:
    return list(zip(row, layout.groups[group].options, strict=True))
