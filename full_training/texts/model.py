"""Language models: an embedding, a recurrent cell, and the embedding again as a softmax (torch).

Shapes: T steps of B parallel streams; tokens (T, B), states (B, H). A mask is what dropout keeps, (B, H), the same in
all steps; None: nothing is dropped.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nassim.full_training.images.batches import generator
from nassim.full_training.texts.recipe import TextRecipe
from nassim.recurrent import MULTIPLY, Cell, Highway, Tree

State = tuple[Tensor, ...]  # the output first


def _itself(x: Tensor) -> Tensor:
    return x


FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "identity": _itself,
}


class Masks(NamedTuple):
    """What dropout keeps, in units of one over its probability."""

    input: Tensor | None = None
    hidden: Tensor | None = None
    output: Tensor | None = None

    @classmethod
    def drawn(cls, recipe: TextRecipe, batch: int, generator: torch.Generator, device: torch.device) -> Masks:
        """Masks of a batch by a recipe's three probabilities."""

        def mask(rate: float) -> Tensor | None:
            if not rate:
                return None
            kept = torch.rand(batch, recipe.hidden, generator=generator, device=generator.device).to(device) >= rate
            return kept.to(torch.float32) / (1.0 - rate)

        return cls(mask(recipe.dropout_input), mask(recipe.dropout_hidden), mask(recipe.dropout_output))


NONE = Masks()


def masked(x: Tensor, mask: Tensor | None) -> Tensor:
    """What dropout leaves."""
    return x if mask is None else x * mask


class HighwayCell(nn.Module):
    """`nassim.recurrent.Highway`: a matrix each for the word, for the last output, and for every node."""

    def __init__(self, cell: Highway, hidden: int) -> None:
        super().__init__()
        self.cell = cell
        self.of_word = nn.Parameter(torch.empty(hidden, 2 * hidden))
        self.of_last = nn.Parameter(torch.empty(hidden, 2 * hidden))
        self.of_node = nn.ParameterList([nn.Parameter(torch.empty(hidden, 2 * hidden)) for _ in cell.nodes])

    def project(self, x: Tensor) -> Tensor:
        """The part of the words, of all steps at once."""
        return x @ self.of_word

    def begin(self, batch: int) -> State:
        """The state before the first word."""
        return (self.of_last.new_zeros(batch, len(self.of_last)),)

    def forward(self, projected: Tensor, state: State, mask: Tensor | None) -> State:
        """One step of time."""
        (last,) = state
        states = [onward(last, projected + masked(last, mask) @ self.of_last, self.cell.first)]
        for node, weight in zip(self.cell.nodes, self.of_node, strict=True):
            source = states[node.source]
            states.append(onward(source, masked(source, mask) @ weight, node.function))
        outputs = [states[i] for i in self.cell.outputs]
        return (outputs[0] if len(outputs) == 1 else torch.stack(outputs).mean(dim=0),)


def onward(source: Tensor, both: Tensor, function: str) -> Tensor:
    """source + sigmoid(gate) * (function(candidate) - source), of gate and candidate beside each other."""
    gate, candidate = both.chunk(2, dim=-1)
    return torch.lerp(source, FUNCTIONS[function](candidate), torch.sigmoid(gate))


class TreeCell(nn.Module):
    """`nassim.recurrent.Tree`: two matrices a leaf, none above."""

    def __init__(self, cell: Tree, hidden: int) -> None:
        super().__init__()
        self.cell = cell
        self.of_word = nn.Parameter(torch.empty(hidden, cell.leaves * hidden))
        self.of_last = nn.Parameter(torch.empty(hidden, cell.leaves * hidden))

    def project(self, x: Tensor) -> Tensor:
        """The part of the words, of all steps at once."""
        return x @ self.of_word

    def begin(self, batch: int) -> State:
        """Output and memory before the first word."""
        zeros = self.of_last.new_zeros(batch, len(self.of_last))
        return zeros, zeros

    def forward(self, projected: Tensor, state: State, mask: Tensor | None) -> State:
        """One step of time."""
        cell, (last, memory) = self.cell, state
        words = projected.chunk(cell.leaves, dim=-1)
        lasts = (masked(last, mask) @ self.of_last).chunk(cell.leaves, dim=-1)
        kept, made = memory, list[Tensor]()
        for place, (combine, function) in enumerate(cell.joints):
            leaf = place < cell.leaves
            a, b = (words[place], lasts[place]) if leaf else (made[child] for child in cell.children(place))
            value = a * b if combine == MULTIPLY else a + b
            kept = value if place == cell.written else kept
            out = FUNCTIONS[function](value)
            if place == cell.read:
                injected = out * memory if cell.inject.combine == MULTIPLY else out + memory
                out = FUNCTIONS[cell.inject.function](injected)
            made.append(out)
        return made[-1], kept


def cell_module(cell: Cell, hidden: int) -> HighwayCell | TreeCell:
    """The torch module of a cell."""
    return HighwayCell(cell, hidden) if isinstance(cell, Highway) else TreeCell(cell, hidden)


class LanguageModel(nn.Module):
    """A cell between an embedding of ``words`` and the same embedding as the softmax's weights, which has a bias."""

    def __init__(self, cell: nn.Module, words: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Parameter(torch.empty(words, hidden))
        self.bias = nn.Parameter(torch.empty(words))
        self.cell: Any = cell

    def forward(
        self,
        tokens: Tensor,
        state: State,
        masks: Masks = NONE,
        *more: Any,
    ) -> tuple[Tensor, State, Tensor]:
        """Logits (T, B, words), the state after the last step, and the outputs (T, B, H) before dropout."""
        projected = self.cell.project(masked(F.embedding(tokens, self.embedding), masks.input))
        outputs = []
        for part in projected:
            state = self.cell(part, state, masks.hidden, *more)
            outputs.append(state[0])
        raw = torch.stack(outputs)
        logits = masked(raw, masks.output) @ self.embedding.t() + self.bias
        return logits, state, raw


def initialize(model: nn.Module, purpose: str, seed: int, device: torch.device) -> None:
    """First weights: of the embedding uniform within 0.1, biases 0, of the cell within 1 / sqrt(H).

    Each weight's follow from its name and the seed, so that the same one in two models begins alike.
    """
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith("bias"):
                weight.zero_()
                continue
            bound = 0.1 if name.endswith("embedding") else 1.0 / math.sqrt(weight.shape[-2])
            weight.uniform_(-bound, bound, generator=generator(f"{purpose} {name}", seed))
    model.to(device)
