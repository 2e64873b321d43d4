"""What a mixture costs: the sum of its weights times what options cost, in ms of a look-up table or multiply-adds.

Papers: Wu et al., "FBNet", CVPR 2019, arXiv:1812.03443, equations 3 and 6; Cai et al., "ProxylessNAS", ICLR 2019,
arXiv:1812.00332, section 3.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

import torch
from torch import Tensor

from nassim.errors import InvalidSetting
from nassim.supernet import Supernet

Unit = Literal["ms", "us"]


class LinearCost:
    """What mixtures cost, linear in their weights: of one-hot weights the network's own cost.

    rows: of every option of every decision, times ``scale`` counted in ``unit``; rest: of the layers that every network
    has.
    """

    def __init__(self, supernet: Supernet, rows: Sequence[Sequence[float]], rest: float, unit: str, scale: float):
        self.unit, self.rest = unit, scale * rest
        self.rows = [[scale * value for value in row] for row in rows]
        widest = max(map(len, self.rows))
        padded = [[*row, *[0.0] * (widest - len(row))] for row in self.rows]
        self._table = torch.tensor(padded, dtype=torch.float32).to(supernet.device)

    def __call__(self, weights: Tensor | Sequence[Tensor] | None) -> Tensor:
        """Of a mix's weights (decisions, options), 0 behind a decision's options; of (decisions, images, options)
        each image's, (images,).
        """
        w = cast(Tensor, weights)
        return (w * self._table.view(len(self.rows), *[1] * (w.dim() - 2), -1)).sum(dim=(0, -1)) + self.rest

    def of(self, choices: Sequence[int]) -> float:
        """Of one option a decision."""
        return self.rest + sum(row[choice] for row, choice in zip(self.rows, choices, strict=True))

    @property
    def least(self) -> float:
        """Of the cheapest network."""
        return self.rest + sum(map(min, self.rows))


class ExpectedLatency(LinearCost):
    """By a look-up table of milliseconds; unit: "ms" or "us", in which it is counted."""

    def __init__(self, supernet: Supernet, table: str, unit: Unit = "ms") -> None:
        self._scale = 1e3 if unit == "us" else 1.0
        super().__init__(supernet, *supernet.latencies(table), unit, self._scale)

    def of(self, choices: Sequence[int]) -> float:
        """Milliseconds of one option a decision."""
        return super().of(choices) / self._scale


def expected_cost(supernet: Supernet, cost: str) -> LinearCost:
    """``macs``: multiply-adds of an image in millions; else a look-up table of milliseconds."""
    if cost == "macs":
        return LinearCost(supernet, *supernet.option_macs, "mmacs", 1e-6)
    return ExpectedLatency(supernet, cost)


def refuse_short(owner: str, latency: ExpectedLatency) -> None:
    """`InvalidSetting` where a logarithm of the latency could be negative: its power would be no number."""
    if latency.least <= 1.0:
        raise InvalidSetting(
            f"{owner}: the fastest network takes {latency.least:.3g} {latency.unit}, and the loss has a power of the "
            "latency's logarithm, so that it must be above 1: --set unit=us counts microseconds."
        )
