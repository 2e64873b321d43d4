"""Choosing options by what their absence does to a trained supernet, edge by edge: DARTS-PT.

Paper: Wang et al., "Rethinking Architecture Selection in Differentiable NAS", ICLR 2021, arXiv:2108.04392, section 4
and Algorithm 1; the order, when a step is due, and that edges of all kinds of cells go together: its code.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from nassim.full_training.relaxations.continuous import options
from nassim.full_training.relaxations.mixtures import Mix, shares, softmax
from nassim.layout import Layout
from nassim.supernet import Supernet


class Projection:
    """How far a supernet has been made one architecture.

    A step fixes one edge of every kind of cell; where an answer keeps fewer edges of a node than there are, further
    steps take edges away from one node of every kind of cell. ``epochs``: between steps.
    """

    def __init__(self, layout: Layout, epochs: int) -> None:
        self.layout, self.epochs = layout, epochs
        self.active = options(layout, none=layout.none_wins)
        self.chosen = [-1] * len(layout.groups)  # the option of each edge that was fixed
        self.gone = [False] * len(layout.groups)  # edges that were taken away
        self.full = [i for i, node in enumerate(layout.nodes) if layout.kept is not None and len(node) > layout.kept]

    @property
    def steps(self) -> int:
        """How many there are."""
        return max(map(len, self.layout.cells)) + len(self.full) // len(self.layout.cells)

    @property
    def tuning(self) -> int:
        """The epochs from the first step on: of nodes the last is still followed by one."""
        return max(self.epochs * (self.steps - 1) + (1 if self.full else 0), self.steps)

    def due(self, epoch: int) -> bool:
        """Whether a step comes before this epoch of tuning, from 0. The last edge has one epoch after it."""
        return epoch >= 0 and (epoch % self.epochs == 0 or epoch == self.tuning - 1)

    def mix(self, alpha: Tensor) -> Mix:
        """The softmax of the logits, but exactly one-hot where an edge was fixed and zero where one is gone."""
        plain = softmax(alpha, self.layout.widths)
        rows, weights = [i for i, k in enumerate(self.chosen) if k >= 0], plain.weights
        assert isinstance(weights, Tensor)
        if rows:
            fixed = torch.zeros(len(rows), alpha.shape[1], device=alpha.device)
            for row, i in enumerate(rows):
                fixed[row, self.chosen[i]] = float(not self.gone[i])
            weights = weights.index_put((torch.tensor(rows, device=alpha.device),), fixed)
        return Mix(plain.active, weights)

    def scores(self, alpha: Tensor) -> list[list[float]]:
        """The weights of `mix` as numbers."""
        rows = shares(alpha, self.layout.widths)
        for i, k in enumerate(self.chosen):
            if k >= 0:
                rows[i] = [float(option == k and not self.gone[i]) for option in range(len(rows[i]))]
        return rows

    @torch.no_grad()
    def step(self, supernet: Supernet, alpha: Tensor, rng: random.Random) -> None:
        """Fix the next edges, or take away edges of the next nodes."""
        for cell in self.layout.cells:
            if left := [i for i in cell if self.chosen[i] < 0]:
                edge = rng.choice(left)
                self.chosen[edge] = self._needed(supernet, alpha, edge)
            elif nodes := [self.layout.nodes[i] for i in self.full if self._crowded(i) and self._of(i, cell)]:
                self._thin(supernet, alpha, rng.choice(nodes))

    def _needed(self, supernet: Supernet, alpha: Tensor, edge: int) -> int:
        """The option without which the supernet is worth least; the others are not weighed anew."""
        worth = {}
        for option in self.active[edge]:
            mix = self.mix(alpha)
            assert isinstance(mix.weights, Tensor)
            mix.weights[edge, option] = 0.0
            worth[option] = supernet.score(mix)
        return min(worth, key=worth.__getitem__)

    def _thin(self, supernet: Supernet, alpha: Tensor, node: tuple[int, ...]) -> None:
        """Take away the edges that the supernet misses least, one by one."""
        while len(left := [i for i in node if not self.gone[i]]) > (self.layout.kept or 0):
            worth = {}
            for edge in left:
                self.gone[edge] = True
                worth[edge] = supernet.score(self.mix(alpha))
                self.gone[edge] = False
            self.gone[max(worth, key=worth.__getitem__)] = True

    def _crowded(self, node: int) -> bool:
        return sum(not self.gone[i] for i in self.layout.nodes[node]) > (self.layout.kept or 0)

    def _of(self, node: int, cell: tuple[int, ...]) -> bool:
        return self.layout.nodes[node][0] in cell

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` takes, in a search that goes on."""
        return {"chosen": list(self.chosen), "gone": list(self.gone)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on as an interrupted search."""
        self.chosen, self.gone = [int(k) for k in state["chosen"]], [bool(gone) for gone in state["gone"]]
