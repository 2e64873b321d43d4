"""Architectures as vectors, for predictors and kernels: one-hot, tokens, ordinal, adjacency and paths.

The last two read `SearchSpace.graph` and need a space whose every architecture has the same graph, one edge
for each decision and labelled by it (NAS-Bench-201). An edge labelled ``none`` is not there. Where that does not
fit, a space brings its own (`SearchSpace.encodings`).

Path encoding: White, Neiswanger, Savani, "BANANAS", AAAI 2021, arXiv:1910.11858, section 3. Departure:
their code also counts paths through ``none``, which carry nothing; here they are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.errors import InvalidSetting, Unsupported
from nassim.space import Architecture, SearchSpace

ABSENT = "none"  # the label of an edge that is not there
WIDEST = 100_000  # columns that a path encoding may have

Encoding = NDArray[np.uint8]


def encode(
    space: SearchSpace,
    archs: Sequence[Architecture] | None = None,
    kind: str = "one_hot",
    *,
    columns: int | None = None,
) -> Encoding:
    """Encode architectures, or by default the whole space in the order of its `index`, as rows (n, d).

    kind: ``one_hot``: one block of options for each decision (NAS-Bench-201: d = 30).
        ``tokens``: the option of each decision, for sequence models (6).
        ``adjacency``: which operation feeds which, then one-hot. Operations are nodes 1, 2, ... in the
            order of the decisions, 0 is the input and the last node the output; the upper triangle row by
            row. An operation ``none`` has no edges (28 + 30).
        ``path``: which sequences of operations lead from the input to the output, by length and
            then lexicographically (5 + 25 + 125).
        ``ordinal``: option k of n as k ones and n - 1 - k zeros, so that distances count the steps between
            ordered options, as of widths (6 x 4).
    columns: keep only the first so many (``path``: 5 or 30 are the published truncations).

    `Unsupported` where the space has no such graph, `InvalidSetting` for other kinds and columns.
    """
    if kind not in KINDS:
        raise InvalidSetting(f"{kind!r} is not an encoding: use {', '.join(KINDS)}.")
    choices = choice_rows(space, archs)
    encoded = space.encodings[kind](choices) if kind in space.encodings else KINDS[kind](space, choices)
    if columns is None:
        return encoded
    if not 1 <= columns <= encoded.shape[1]:
        raise InvalidSetting(f"the {kind} encoding of {space.name} has 1 to {encoded.shape[1]} columns, not {columns}.")
    return encoded[:, :columns]


def choice_rows(space: SearchSpace, archs: Sequence[Architecture] | None = None) -> NDArray[np.int8]:
    """The choices of architectures, or by default of the whole space, as an array (n, decisions)."""
    radices = space.radices  # `Unsupported` where architectures have no fixed length
    if archs is None:
        return space.choice_matrix
    rows = np.array([space.check(arch).choices for arch in archs], dtype=np.int8)
    return rows.reshape(len(archs), len(radices))


def _one_hot(space: SearchSpace, choices: NDArray[Any]) -> Encoding:
    starts = np.cumsum([0, *space.radices[:-1]])
    encoded = np.zeros((len(choices), sum(space.radices)), dtype=np.uint8)
    encoded[np.arange(len(choices))[:, None], starts + choices] = 1
    return encoded


def _tokens(_space: SearchSpace, choices: NDArray[Any]) -> Encoding:
    return choices.astype(np.uint8)


def _ordinal(space: SearchSpace, choices: NDArray[Any]) -> Encoding:
    above = [choices[:, [i]] > np.arange(n - 1) for i, n in enumerate(space.radices)]
    return np.hstack(above).astype(np.uint8)


def _adjacency(space: SearchSpace, choices: NDArray[Any]) -> Encoding:
    edges, last = _skeleton(space)
    nodes = [(-1, 0), *edges, (last, -1)]  # what each node of the new graph leads from and to
    pairs = [(a, b) for a in range(len(nodes)) for b in range(a + 1, len(nodes))]
    always = np.ones((len(choices), 1), dtype=bool)
    there = np.hstack([always, _present(space, choices), always])
    feeds = [there[:, a] & there[:, b] & (nodes[a][1] == nodes[b][0]) for a, b in pairs]
    return np.hstack([np.stack(feeds, axis=1).astype(np.uint8), _one_hot(space, choices)])


def _path(space: SearchSpace, choices: NDArray[Any]) -> Encoding:
    edges, last = _skeleton(space)
    options = max(space.radices)
    paths = _paths(edges, 0, last)
    lengths = sorted({len(path) for path in paths})
    start = dict(zip(lengths, np.cumsum([0, *[options**length for length in lengths]]).tolist(), strict=False))
    width = sum(options**length for length in lengths)
    if width > WIDEST:
        raise Unsupported(f"the path encoding of {space.name} would have {width:,} columns: use one_hot or adjacency.")
    there = _present(space, choices)
    encoded = np.zeros((len(choices), width), dtype=np.uint8)
    for path in paths:
        whole = there[:, path].all(axis=1)
        weights = options ** np.arange(len(path))[::-1]
        encoded[whole, start[len(path)] + choices[whole][:, path] @ weights] = 1
    return encoded


KINDS: dict[str, Callable[[SearchSpace, NDArray[Any]], Encoding]] = {
    "one_hot": _one_hot,
    "tokens": _tokens,
    "adjacency": _adjacency,
    "path": _path,
    "ordinal": _ordinal,
}


def _skeleton(space: SearchSpace) -> tuple[list[tuple[int, int]], int]:
    """Source and target of each decision's edge, and the output node; `Unsupported` if they vary."""
    first, final = (space.graph(space.at(index)) for index in (0, space.size - 1))
    edges = [(source, target) for source, target, _ in first.edges]
    if len(edges) != len(space.decisions) or edges != [edge[:2] for edge in final.edges]:
        raise Unsupported(f"{space.name} has no graph with one edge for each decision: use one_hot or tokens.")
    return edges, len(first.nodes) - 1


def _present(space: SearchSpace, choices: NDArray[Any]) -> NDArray[np.bool_]:
    """Which edges are there, shape (n, decisions)."""
    absent = [d.options.index(ABSENT) if ABSENT in d.options else -1 for d in space.decisions]
    present: NDArray[np.bool_] = choices != np.array(absent)
    return present


def _paths(edges: Sequence[tuple[int, int]], source: int, last: int) -> list[list[int]]:
    """All paths from a node to the last, as positions in ``edges``."""
    if source == last:
        return [[]]
    return [[i, *rest] for i, (s, t) in enumerate(edges) if s == source for rest in _paths(edges, t, last)]
