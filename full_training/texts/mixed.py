"""The cell of a supernet: nodes whose sources and functions are mixed (torch).

Paper: Liu, Simonyan, Yang, ICLR 2019, arXiv:1806.09055, and its code: s_i is the sum over the earlier states j and the
functions f of p_jf * (s_j + gate * (f(candidate) - s_j)), [gate, candidate] = s_j W, normalized without scale and shift
by the moments of the batch. With the keys ``target`` W is that of the node, whatever its source (DARTS); with
``source`` there is one for each node and source (ENAS: Pham et al., ICML 2018, arXiv:1802.03268, section 2.1).
Functions have no weights. In a mixture the output is the mean of all nodes; that of the loose ends is defined for
single cells only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nassim.errors import ProtocolError
from nassim.full_training.relaxations.mixtures import Mix
from nassim.full_training.texts.model import FUNCTIONS, State, masked, onward
from nassim.recurrent import Edges

Keys = Literal["target", "source"]
EPSILON = 1e-5  # of the normalization


class MixedCell(nn.Module):
    """All cells of a space of highway nodes with shared weights; ``forward`` takes a mix beside the state."""

    normalized = True

    def __init__(self, layout: Edges, hidden: int, keys: Keys) -> None:
        super().__init__()
        self.layout, self.keys = layout, keys
        self.of_word = nn.Parameter(torch.empty(hidden, 2 * hidden))
        self.of_last = nn.Parameter(torch.empty(hidden, 2 * hidden))
        wanted = [node for _, node in layout.edges] if keys == "source" else range(1, 1 + len(layout.nodes))
        self.of_node = nn.ParameterList([nn.Parameter(torch.empty(hidden, 2 * hidden)) for _ in wanted])
        self._ends = isinstance(layout, Edges) and layout.first  # the output is the mean of the loose ends

    def project(self, x: Tensor) -> Tensor:
        """The part of the words, of all steps at once."""
        return x @ self.of_word

    def begin(self, batch: int) -> State:
        """The state before the first word."""
        return (self.of_last.new_zeros(batch, len(self.of_last)),)

    def weight(self, source: int, node: int) -> Tensor:
        """The matrix of a node (from 1) for a source: the same tensor for every cell that has both."""
        place = node - 1 if self.keys == "target" else self.layout.edges.index((source, node))
        found: Tensor = self.of_node[place]
        return found

    def forward(self, projected: Tensor, state: State, mask: Tensor | None, mix: Mix) -> State:
        """One step of time. `ProtocolError` for a mix that weighs decisions as a whole."""
        if mix.edges is not None:
            raise ProtocolError("a mix weighs decisions as a whole, and this supernet of recurrent cells cannot.")
        (last,) = state
        both = projected + masked(last, mask) @ self.of_last
        states = [self._normal(self._first(last, both, mix))]
        used: set[int] = set()
        for node, groups in enumerate(self.layout.nodes, 1):
            value: Tensor | None = None
            for source, group in enumerate(groups):
                term = self._edge(states[source], source, node, group, mask, mix)
                if term is not None:
                    used.add(source)
                    value = term if value is None else value + term
            if mix.rest is not None:
                more = sum(mix.rest[group] for group in groups)
                value = more + (torch.zeros_like(last) if value is None else value)
            states.append(self._normal(torch.zeros_like(last) if value is None else value))
        outputs = states[1:]
        if self._ends and mix.weights is None:
            outputs = [one for i, one in enumerate(states) if i not in used]
        return (torch.stack(outputs).mean(dim=0),)

    def _first(self, last: Tensor, both: Tensor, mix: Mix) -> Tensor:
        if not self.layout.first:
            return onward(last, both, "tanh")
        functions = [self.layout.functions[i] for i in mix.active[0]]
        terms = [onward(last, both, function) for function in functions]
        if mix.weights is None:
            return sum(terms[1:], terms[0]) if terms else torch.zeros_like(last)
        return sum((_one(mix.weights[0], i) * x for i, x in zip(mix.active[0], terms, strict=True)), last.new_zeros(()))

    def _edge(self, source: Tensor, place: int, node: int, group: int, mask: Tensor | None, mix: Mix) -> Tensor | None:
        """What a node has of one earlier state: the weighted functions that run; None where none does."""
        running = [i for i in mix.active[group] if i]  # option 0 is none
        if not running:
            return None
        gate, candidate = (masked(source, mask) @ self.weight(place, node)).chunk(2, dim=-1)
        gate = torch.sigmoid(gate)
        made = [FUNCTIONS[self.layout.functions[i - 1]](candidate) for i in running]
        if mix.weights is None:
            total = torch.stack(made).sum(dim=0) if len(made) > 1 else made[0]
            return len(made) * source + gate * (total - len(made) * source)
        shares = [_one(mix.weights[group], i) for i in running]
        whole, total = shares[0], shares[0] * made[0]
        for share, x in zip(shares[1:], made[1:], strict=True):
            whole, total = whole + share, total + share * x
        return whole * source * (1.0 - gate) + gate * total

    def _normal(self, x: Tensor) -> Tensor:
        if not self.normalized or len(x) < 2:
            return x
        return F.batch_norm(x, None, None, training=True, eps=EPSILON)


def _one(weights: Tensor, option: int) -> Tensor:
    """The weight of an option: a number, or one a stream, (batch, 1)."""
    return weights[option] if weights.ndim == 1 else weights[:, option, None]


def sizes(layout: Edges, hidden: int) -> Sequence[Sequence[int]]:
    """Parameters of every option: those of its node's two matrices; ``none`` has none."""
    both = 2 * hidden * hidden
    return [[both if option != "none" else 0 for option in g.options] for g in layout.groups]
