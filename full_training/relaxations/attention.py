"""The controllers of ENAS' own spaces: which earlier value is taken is chosen by attention over earlier steps.

Paper: Pham, Guan, Zoph, Le, Dean, ICML 2018, arXiv:1802.03268, sections 2.3 and 2.4; sizes and constants as its code is
known to have them: one LSTM of 64 units, weights uniform within 0.1, logits C * tanh(.) with C = 1.5 for skips and
for inputs 1.1, those of operations divided by 2.5.

Macro: of each layer an operation, then with another step for each earlier value a bit: the logits of taking it or not
are q and -q, q a function of this step's and the earlier layer's state (v . tanh(W1 a + W2 h)). The next step is told
the sum of the states that were taken over one more than their number. The divergence of each bit's probability from 0.4
is a penalty.

Micro: of each node two inputs by the same attention, then two operations; the normal cell's last state is the
reduction cell's first, and the normal cell prefers separable convolutions a little.

Recurrent: of each state a source, by attention less a sixth of the squared distance, then a function; one LSTM of 100
units, all logits 2.5 * tanh(. / 5); the step that chooses the function is told the source's state, less the farther it
is: over 0.1 plus the distance (its code of 2018; an earlier version has a twelfth). Departure: entropies are exact
(the code counts one drawn term of each).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nassim.full_training.relaxations.controller import (
    SKIP_TARGET,
    TANH_CONSTANT,
    TEMPERATURE,
    UNITS,
    Controller,
    Samples,
)
from nassim.full_training.relaxations.mixtures import seeded
from nassim.layout import Layout
from nassim.recurrent import Edges
from nassim.supernet import Supernet

MACRO_TANH, MICRO_TANH, OPERATIONS_TANH = 1.5, 1.1, 2.5  # the last divides the others
LEARNED_BIAS, FIXED_BIAS = (
    10.0,
    0.25,
)  # of separable convolutions; the fixed one in the first cell, below it is its minus

RECURRENT_UNITS, DISTANCE, NEAR = 100, 6.0, 0.1


def controller_of(
    layout: Layout, rng: random.Random
) -> Controller | MacroController | MicroController | RecurrentController:
    """The controller that suits a layout: with attention where it decides on earlier values, else `Controller`."""
    kinds = [group.kind for group in layout.groups]
    if isinstance(layout, Edges):
        return RecurrentController(layout, rng)
    if "skip" in kinds:
        return MacroController(layout, rng)
    if "end" in kinds:
        return MicroController(layout, rng)
    return Controller(layout.space.radices, rng)


def controller_for(supernet: Supernet, rng: random.Random) -> Any:
    """`controller_of` its layout; recurrent cells begin anew with the paper's keys, node and source."""
    if isinstance(supernet.layout, Edges):
        supernet.shape(keys="source")
    return controller_of(supernet.layout, rng)


class Attentive(nn.Module):
    """An LSTM whose states of earlier steps can be chosen among."""

    def __init__(self, layout: Layout, rng: random.Random, operations: int, units: int = UNITS) -> None:
        super().__init__()
        self.groups = layout.groups
        self.generator = seeded(rng)
        with torch.device("meta"):
            self.begin = nn.Embedding(1, units)
            self.embedding = nn.Embedding(operations, units)
            self.cell = nn.LSTMCell(units, units)
            self.head = nn.Linear(units, operations, bias=False)
            self.of_earlier = nn.Linear(units, units, bias=False)
            self.of_present = nn.Linear(units, units, bias=False)
            self.score = nn.Linear(units, 1, bias=False)
        self.to_empty(device="cpu")
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(-0.1, 0.1, generator=self.generator)

    def attention(self, earlier: Sequence[Tensor], present: Tensor) -> Tensor:
        """How much each earlier state suits the present one: (n, earlier)."""
        keys = torch.stack([self.of_earlier(state) for state in earlier], dim=1)
        scores: Tensor = self.score(torch.tanh(keys + self.of_present(present)[:, None])).squeeze(2)
        return scores

    def draw(self, logits: Tensor, drawn: _Drawn) -> Tensor:
        """One option for each of the last dimension's rows, and what it adds to log-probability and entropy."""
        logs = F.log_softmax(logits, dim=-1)
        flat = logs.detach().exp().flatten(0, -2)
        choice = torch.multinomial(flat, 1, generator=self.generator).view(logs.shape[:-1])
        taken = logs.gather(-1, choice[..., None]).squeeze(-1)
        entropy = -(logs.exp() * logs).sum(dim=-1)
        drawn.log_probability = drawn.log_probability + (taken if taken.ndim == 1 else taken.sum(dim=1))
        drawn.entropy = drawn.entropy + (entropy if entropy.ndim == 1 else entropy.sum(dim=1))
        return choice


class _Drawn:
    """What was drawn so far, and its sums, each (n,)."""

    def __init__(self, n: int) -> None:
        self.log_probability, self.entropy, self.penalty = torch.zeros(n), torch.zeros(n), torch.zeros(n)
        self.choices: list[Tensor] = []

    def samples(self) -> Samples:
        rows = torch.cat(self.choices, dim=1).tolist()
        return Samples([tuple(row) for row in rows], self.log_probability, self.entropy, self.penalty)


class MacroController(Attentive):
    """Operations and skips, layer after layer."""

    def __init__(self, layout: Layout, rng: random.Random) -> None:
        super().__init__(layout, rng, len(layout.groups[0].options))
        self.layers = sum(group.kind == "operation" for group in layout.groups)

    def sample(self, n: int = 1) -> Samples:
        """``n`` architectures, drawn independently; the penalty is the mean over layers of the bits' divergences."""
        drawn = _Drawn(n)
        x = self.begin.weight.expand(n, -1)
        state = (torch.zeros(n, UNITS), torch.zeros(n, UNITS))
        earlier: list[Tensor] = []
        for layer in range(self.layers):
            state = self.cell(x, state)
            logits = MACRO_TANH / OPERATIONS_TANH * torch.tanh(self.head(state[0]))
            operation = self.draw(logits, drawn)
            drawn.choices.append(operation[:, None])
            state = self.cell(self.embedding(operation), state)
            x = self.begin.weight.expand(n, -1)
            if layer:
                q = self.attention(earlier, state[0])
                both = MACRO_TANH * torch.tanh(torch.stack([-q, q], dim=2))
                bits = self.draw(both, drawn)
                drawn.choices.append(bits)
                drawn.penalty = drawn.penalty + divergence(both).sum(dim=1) / (self.layers - 1)
                taken = bits.to(state[0])[:, :, None] * torch.stack(earlier, dim=1)
                x = taken.sum(dim=1) / (1.0 + bits.sum(dim=1, keepdim=True))
            earlier.append(state[0])
        return drawn.samples()


def divergence(logits: Tensor) -> Tensor:
    """Kullback-Leibler divergence of each pair of sigmoids (not, yes) from (1 - `SKIP_TARGET`, `SKIP_TARGET`)."""
    share = torch.sigmoid(logits)
    target = torch.tensor([1.0 - SKIP_TARGET, SKIP_TARGET]).to(share)
    return (share * torch.log(share / target)).sum(dim=-1)


class MicroController(Attentive):
    """Two inputs and two operations of each node, of the normal and then of the reduction cell."""

    def __init__(self, layout: Layout, rng: random.Random) -> None:
        decided = [group for group in layout.groups if group.kind != "end"]
        words = decided[1].options
        super().__init__(layout, rng, len(words))
        self.nodes = len(decided) // 8
        preferred = [word.startswith("sep") for word in words]
        self.bias = nn.Parameter(torch.tensor([LEARNED_BIAS * p for p in preferred]))
        self._first = torch.tensor([FIXED_BIAS if p else -FIXED_BIAS for p in preferred])

    def sample(self, n: int = 1) -> Samples:
        """``n`` architectures, drawn independently."""
        drawn = _Drawn(n)
        state = (torch.zeros(n, UNITS), torch.zeros(n, UNITS))
        for cell in range(2):
            state = self._cell(n, state, drawn, self._first if cell == 0 else torch.zeros_like(self._first))
        return drawn.samples()

    def _cell(self, n: int, state: tuple[Tensor, Tensor], drawn: _Drawn, bias: Tensor) -> tuple[Tensor, Tensor]:
        begin = self.begin.weight.expand(n, -1)
        keys: list[Tensor] = []
        for _ in range(2):
            state = self.cell(begin, state)
            keys.append(state[0])
        told = [torch.zeros(n, UNITS)] * 2  # what a step is told of an input of the cell: nothing
        for _ in range(self.nodes):
            x, inputs, operations = begin, [], []
            for _ in range(2):
                state = self.cell(x, state)
                source = self.draw(MICRO_TANH * torch.tanh(self.attention(keys, state[0])), drawn)
                inputs.append(source)
                x = torch.stack(told, dim=1)[torch.arange(n), source]
            for _ in range(2):
                state = self.cell(x, state)
                logits = MICRO_TANH / OPERATIONS_TANH * torch.tanh(self.head(state[0]) + self.bias) + bias
                operation = self.draw(logits, drawn)
                operations.append(operation)
                x = self.embedding(operation)
            state = self.cell(x, state)
            keys.append(state[0])
            told.append(state[0])
            drawn.choices.append(torch.stack([inputs[0], operations[0], inputs[1], operations[1]], dim=1))
        return state


class RecurrentController(Attentive):
    """A source and a function of each state of a recurrent cell."""

    def __init__(self, layout: Edges, rng: random.Random) -> None:
        super().__init__(layout, rng, len(layout.functions), RECURRENT_UNITS)
        self.first, self.nodes = layout.first, len(layout.nodes)

    def sample(self, n: int = 1) -> Samples:
        """``n`` architectures, drawn independently: choices in the order of the space's decisions."""
        drawn = _Drawn(n)
        begin = x = self.begin.weight.expand(n, -1)
        state = (torch.zeros(n, RECURRENT_UNITS), torch.zeros(n, RECURRENT_UNITS))
        earlier: list[Tensor] = []
        for node in range(self.nodes + 1):
            state = self.cell(x, state)
            if node > 1:  # the first node has state 0 alone to go on from
                logits = TANH_CONSTANT * torch.tanh(self.attention(earlier, state[0]) / TEMPERATURE)
                distance = node - torch.arange(node, dtype=torch.float32)
                source = self.draw(logits - distance.square() / DISTANCE, drawn)
                drawn.choices.append(source[:, None])
                taken = torch.stack(earlier, dim=1)[torch.arange(n), source]
                x = taken / (NEAR + distance[source])[:, None]
            elif node:
                x = earlier[0] / (NEAR + 1.0)
            else:
                x = begin
            earlier.append(state[0])
            if node or self.first:
                state = self.cell(x, state)
                logits = TANH_CONSTANT * torch.tanh(self.head(state[0]) / TEMPERATURE)
                function = self.draw(logits, drawn)
                drawn.choices.append(function[:, None])
                x = self.embedding(function)
        return drawn.samples()
