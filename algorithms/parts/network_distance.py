"""How far networks are apart: the edit distance of their layers and the least cost of matching their skips.

Source: Jin, Song, Hu, "Auto-Keras: An Efficient Neural Architecture Search System", KDD 2019, arXiv:1806.10282, section
3.1, and its code of February 2019. Layers are those of the main chain, which leads from the output back through the
first input of each: convolutions, poolings, linear layers. Inserting or leaving one out costs 1, replacing it by one
of another type too, by one of the same type the mean of |a - b| / max(a, b) over width, kernel and stride. A skip joins
the chain where a sum or concatenation has a further input. Both parts are metrics on what they see, and their sum too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from nassim.morph_space import MorphSpace
from nassim.network import Network
from nassim.pareto import Floats
from nassim.space import Architecture, SearchSpace

Token = tuple[str, int, int, int]  # kind, width, kernel, stride
Skip = tuple[str, int, int]  # kind, where it begins on the chain, how many layers it passes
COUNTED = ("conv", "max_pool", "avg_pool", "global_pool", "linear")
CACHED = 100_000


class Described(NamedTuple):
    """What the distance sees of a network."""

    layers: tuple[Token, ...]
    skips: tuple[Skip, ...]


def described(network: Network) -> Described:
    """The layers of the main chain and the skips along it."""
    layers = network.layers
    chain = [len(layers) - 1]
    while layers[chain[-1]].inputs:
        chain.append(layers[chain[-1]].inputs[0])
    chain.reverse()
    tokens: list[Token] = []
    place: dict[int, int] = {}
    skips: list[Skip] = []
    for i in chain:
        kind, settings = layers[i].kind, layers[i].settings
        if kind in COUNTED:
            kernel, stride = settings.get("kernel", 1), settings.get("stride", 1)
            tokens.append((kind, _number(settings.get("channels", 1)), _number(kernel), _number(stride)))
        place[i] = len(tokens)
        for source in layers[i].inputs[1:]:
            while source not in place:
                source = layers[source].inputs[0]
            skips.append((kind, place[source], place[i] - place[source]))
    return Described(tuple(tokens), tuple(sorted(skips)))


def _number(value: object) -> int:
    return value if isinstance(value, int) else sum(value) if isinstance(value, tuple) else 1


def distances(first: Sequence[Described], second: Sequence[Described]) -> Floats:
    """Of each of the ``first`` to each of the ``second``: shape (first, second)."""
    found = _edits([a.layers for a in first], [b.layers for b in second])
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            if a.skips != b.skips:
                found[i, j] += skips_apart(a.skips, b.skips)
    return found


def _edits(first: Sequence[Sequence[Token]], second: Sequence[Sequence[Token]]) -> Floats:
    """Edit distances of all pairs at once; within a row, insertions are a running minimum."""
    words: dict[Token, int] = {}
    rows, lengths = _padded(first, words)
    columns, widths = _padded(second, words)
    costs = _replacing(list(words))
    along = np.arange(columns.shape[1] + 1, dtype=np.float64)
    table = np.broadcast_to(along, (len(first), len(second), len(along))).copy()
    found = np.zeros((len(first), len(second)))
    place = np.arange(len(second))
    for step in range(rows.shape[1] + 1):
        if step:
            replaced = table[:, :, :-1] + costs[rows[:, step - 1][:, None, None], columns[None]]
            best = table + 1.0
            best[:, :, 1:] = np.minimum(best[:, :, 1:], replaced)
            table = np.minimum.accumulate(best - along, axis=2) + along
        ended = lengths == step
        found[ended] = table[ended][:, place, widths]
    return found


def _padded(layers: Sequence[Sequence[Token]], words: dict[Token, int]) -> tuple[np.ndarray, np.ndarray]:
    lengths = np.array([len(each) for each in layers])
    codes = np.zeros((len(layers), int(lengths.max(initial=0))), dtype=np.intp)
    for row, each in zip(codes, layers, strict=True):
        row[: len(each)] = [words.setdefault(token, len(words)) for token in each]
    return codes, lengths


def _replacing(words: Sequence[Token]) -> Floats:
    sizes = np.array([word[1:] for word in words], dtype=np.float64).reshape(-1, 3)
    kinds = np.array([word[0] for word in words])
    larger = np.maximum(sizes[:, None], sizes[None])
    apart = (np.abs(sizes[:, None] - sizes[None]) / np.maximum(larger, 1.0)).mean(axis=2)
    return np.asarray(np.where(kinds[:, None] == kinds[None], apart, 1.0))


@lru_cache(maxsize=CACHED)
def skips_apart(a: tuple[Skip, ...], b: tuple[Skip, ...]) -> float:
    """The least cost of a matching, and 1 for each skip that is left over."""
    left = float(abs(len(a) - len(b)))
    if not a or not b:
        return left
    from scipy.optimize import linear_sum_assignment  # here: SciPy takes longer to load than a short search

    costs = np.array([[_skip_apart(s, t) for t in b] for s in a])
    rows, columns = linear_sum_assignment(costs)
    return left + float(costs[rows, columns].sum())


def _skip_apart(s: Skip, t: Skip) -> float:
    if s[0] != t[0]:
        return 1.0
    larger = max(s[1], t[1]) + max(s[2], t[2])
    return (abs(s[1] - t[1]) + abs(s[2] - t[2])) / larger if larger else 0.0


class Distances:
    """The distance of a space: of its networks where they grow, else the number of choices that differ."""

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._known: dict[Architecture, Described] = {}

    def __call__(self, first: Sequence[Architecture], second: Sequence[Architecture]) -> Floats:
        """Of each of the ``first`` to each of the ``second``: shape (first, second)."""
        if isinstance(self._space, MorphSpace):
            return distances([self._described(a) for a in first], [self._described(b) for b in second])
        rows, columns = (np.array([arch.choices for arch in archs]) for archs in (first, second))
        return np.asarray((rows[:, None] != columns[None]).sum(axis=2), dtype=np.float64)

    def _described(self, arch: Architecture) -> Described:
        if arch not in self._known:
            assert isinstance(self._space, MorphSpace)
            self._known[arch] = described(self._space.network(arch, self._space.frame))
        return self._known[arch]
