"""How long a mixture takes: the sum of its weights times the look-up table's milliseconds.

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


class ExpectedLatency:
    """Latency of weights (decisions, options), which is linear in them: of one-hot weights the network's.

    unit: "ms" or "us", in which it is counted. rest: of the layers that every network has.
    """

    def __init__(self, supernet: Supernet, table: str, unit: Unit = "ms") -> None:
        rows, rest = supernet.latencies(table)
        self.unit, self._scale = unit, 1e3 if unit == "us" else 1.0
        self.rest = self._scale * rest
        self.rows = [[self._scale * milliseconds for milliseconds in row] for row in rows]
        widest = max(map(len, self.rows))
        padded = [[*row, *[0.0] * (widest - len(row))] for row in self.rows]
        self._table = torch.tensor(padded, dtype=torch.float32).to(supernet.device)

    def __call__(self, weights: Tensor | Sequence[Tensor] | None) -> Tensor:
        """Of a mix's weights, one row a decision, 0 behind its options."""
        return (cast(Tensor, weights) * self._table).sum() + self.rest

    def of(self, choices: Sequence[int]) -> float:
        """Milliseconds of one option a decision."""
        whole = self.rest + sum(row[choice] for row, choice in zip(self.rows, choices, strict=True))
        return whole / self._scale

    @property
    def least(self) -> float:
        """Of the fastest network."""
        return self.rest + sum(map(min, self.rows))


def refuse_short(owner: str, latency: ExpectedLatency) -> None:
    """`InvalidSetting` where a logarithm of the latency could be negative: its power would be no number."""
    if latency.least <= 1.0:
        raise InvalidSetting(
            f"{owner}: the fastest network takes {latency.least:.3g} {latency.unit}, and the loss has a power of the "
            "latency's logarithm, so that it must be above 1: --set unit=us counts microseconds."
        )
