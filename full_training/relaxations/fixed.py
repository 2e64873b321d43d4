"""A cell of a supernet that is not searched: GDAS with a fixed reduction cell (FRC).

Paper: Dong & Yang, CVPR 2019, arXiv:1910.04465, section 3.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor

from nassim.errors import InvalidSetting
from nassim.full_training.relaxations.mixtures import Mix
from nassim.layout import Layout

Rows = Mapping[int, list[float]]


def known_cell(layout: Layout, arch: str) -> Rows:
    """The weights of the last kind of cell (the reduction cell) of an architecture, by group; empty for none.

    `InvalidSetting` in spaces with one kind of cell.
    """
    if not arch:
        return {}
    if len(layout.cells) < 2:
        raise InvalidSetting(f"reduction_cell={arch}: {layout.space.name} has no reduction cell that is searched.")
    path, rows = layout.path(layout.space.parse(arch)), dict[int, list[float]]()
    for i in layout.cells[-1]:
        rows[i] = [float(k in path[i]) for k in range(layout.widths[i])]
    return rows


def fixed(mix: Mix, rows: Rows) -> Mix:
    """A drawn mix with these groups as they are: their logits get no gradient, and what they have not does not run."""
    if not rows:
        return mix
    weights = cast(Tensor, mix.weights).clone()
    rest, active = cast(Tensor, mix.rest).clone(), list(mix.active)
    for i, row in rows.items():
        weights[i] = torch.tensor([*row, *[0.0] * (weights.shape[1] - len(row))]).to(weights)
        active[i], rest[i] = tuple([k for k, w in enumerate(row) if w]), 0.0
    return replace(mix, active=tuple(active), weights=weights, rest=rest)
