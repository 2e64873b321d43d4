"""The supernet of DARTS' cells: every operation on every edge, as the authors search.

Paper: Liu, Simonyan, Yang, ICLR 2019, arXiv:1806.09055, section 2.1; sub-spaces S1 to S4: Zela et al., ICLR 2020,
arXiv:1909.09656. With C = 16, 8 cells and 10 classes the supernets of S1 to S4 have 405,146, 665,466, 665,466 and
624,506 parameters (the "param size" of their logs), that of the whole space 1,930,618.

Differences to the network that is evaluated: no normalization has scale and shift but the stem's, and poolings are
followed by one; there is a zero operation, ``none``, which no answer has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nassim.benchmarks.spaces.darts_cells import CELLS, EDGES, NODES, OPERATIONS, Cell
from nassim.benchmarks.spaces.darts_network import around, operation
from nassim.benchmarks.spaces.partial_channels import check_partial, divided, joined
from nassim.errors import InvalidArchitecture
from nassim.layout import Active, Group, Layout
from nassim.network import Draft, Frame, Network
from nassim.space import Architecture

if TYPE_CHECKING:
    from nassim.benchmarks.spaces.darts import DartsSpace

NONE = "none"
ALL = (NONE, *OPERATIONS)
Options = Sequence[Sequence[str]]  # the operations of each of the 14 edges

_K, _M, _A, _S3, _D3, _D5 = (
    "skip_connect",
    "max_pool_3x3",
    "avg_pool_3x3",
    "sep_conv_3x3",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
# Edges in the order of `darts_cells.EDGES`: normal, reduction.
S1: tuple[Options, Options] = (
    (
        *((_K, _D3), (_K, _D5)),
        *((_K, _D5), (_K, _S3), (_K, _D3)),
        *((_M, _K), (_K, _S3), (_K, _S3), (_K, _D3)),
        *((_K, _S3), (_M, _K), (_K, _D3), (_D3, _D5), (_D3, _D5)),
    ),
    (
        *((_M, _A), (_M, _D3)),
        *((_M, _A), (_M, _A), (_K, _D5)),
        *((_M, _A), (_M, _S3), (_K, _D3), (_K, _D5)),
        *((_M, _A), (_M, _A), (_K, _D5), (_K, _D5), (_K, _D5)),
    ),
)
SUBSPACES: dict[str, tuple[Options, Options]] = {
    "S1": S1,
    "S2": (((_K, _S3),) * 14,) * 2,
    "S3": (((NONE, _K, _S3),) * 14,) * 2,
    "S4": ((("noise", _S3),) * 14,) * 2,
    "S5": ((ALL,) * 14,) * 2,
}


class DartsLayout(Layout):
    """A group of operations for each of the 28 edges. An architecture uses two edges of every node.

    options: of the edges of the normal and of the reduction cell. An edge that a path does not use is ``none`` where
    the edge has that option, and has no active option where it has not.
    """

    space: DartsSpace
    none_wins = False
    kept = 2

    def __init__(self, space: DartsSpace, options: tuple[Options, Options] = SUBSPACES["S5"]) -> None:
        self.space = space
        self.options = options
        self.groups = tuple(
            Group(f"{cell}_{source}->{node}", tuple(names))
            for cell, edges in zip(CELLS, options, strict=True)
            for (source, node), names in zip(EDGES, edges, strict=True)
        )

    @property
    def nodes(self) -> tuple[tuple[int, ...], ...]:
        """The edges into each node of the normal, then of the reduction cell."""
        into = [tuple([i for i, (_, target) in enumerate(EDGES) if target == node]) for node in NODES]
        return tuple([tuple([len(EDGES) * cell + i for i in edges]) for cell in range(len(CELLS)) for edges in into])

    @property
    def cells(self) -> tuple[tuple[int, ...], ...]:
        """The edges of the normal and of the reduction cell."""
        return tuple([tuple(range(len(EDGES) * cell, len(EDGES) * (cell + 1))) for cell in range(len(CELLS))])

    def path(self, arch: Architecture) -> Active:
        """`InvalidArchitecture` for one with an operation that its edge has not."""
        active: list[tuple[int, ...]] = []
        for cell, edges in zip(self.space.cells(arch), self.options, strict=True):
            used = {(state, node): OPERATIONS[o] for node, terms in zip(NODES, cell, strict=True) for state, o in terms}
            for edge, names in zip(EDGES, edges, strict=True):
                wanted = used.get(edge, NONE)
                if wanted != NONE and wanted not in names:
                    raise InvalidArchitecture(f"{arch}: {wanted} on {edge[0]}->{edge[1]} is not in this supernet.")
                active.append((names.index(wanted),) if wanted in names else ())
        return tuple(active)

    def answer(self, weights: Sequence[Sequence[float]]) -> Architecture:
        """Of each node the two edges of the largest weights, on each the operation of the largest; ``none`` never.

        Paper: section 2.4. Of equal ones the earlier edge and the first operation.
        """
        rows, cells = iter(weights), list[Cell]()
        for edges in self.options:
            best: dict[int, list[tuple[float, int, int]]] = {node: [] for node in NODES}
            for (source, node), names in zip(EDGES, edges, strict=True):
                row = next(rows)
                allowed = [(row[i], -i) for i, name in enumerate(names) if name in OPERATIONS]
                if allowed:
                    weight, i = max(allowed)
                    best[node].append((weight, -source, OPERATIONS.index(names[-i])))
            cells.append(tuple(_two(best[node]) for node in NODES))
        return self.space.of_cells(*cells)


def _two(edges: list[tuple[float, int, int]]) -> tuple[tuple[int, int], tuple[int, int]]:
    (_, a, first), (_, b, second) = sorted(edges, reverse=True)[:2]
    low, high = sorted([(-a, first), (-b, second)])
    return low, high


def supernet(options: tuple[Options, Options], frame: Frame, partial: int | None = None) -> Network:
    """``frame.cells`` cells with all options on all edges; ``frame.channels`` is C.

    ``partial`` as in `nassim.space.SearchSpace.supernet`.
    """
    check_partial(partial, frame.channels)

    def cell(draft: Draft, name: str, inputs: tuple[int, int], C: int, reduces: bool) -> int:
        states = [*inputs]
        groups = iter(range(len(EDGES) * reduces, len(EDGES) * (1 + reduces)))
        for node in NODES:
            terms = []
            for source in range(node):
                group, edge = next(groups), f"{name}.edges.{source}-{node}"
                made, stride = {}, 2 if reduces and source < 2 else 1
                through, past = divided(draft, edge, states[source], C, partial, stride)
                for i, kind in enumerate(options[reduces][group % len(EDGES)]):
                    if kind != NONE:
                        made[i] = _option(draft, f"{edge}.{kind}", through, kind, C // (partial or 1), stride)
                mixed = draft.add(edge, "mix", *made.values(), group=group, options=tuple(made))
                terms.append(joined(draft, edge, mixed, past, partial, group))
            states.append(draft.add(f"{name}.nodes.{node}", "add", *terms))
        return draft.add(f"{name}.concat", "concat", *states[2:])

    return around(cell, frame._replace(auxiliary=False), affine=False)


def _option(draft: Draft, name: str, x: int, kind: str, C: int, stride: int) -> int:
    if kind == "noise":
        return draft.add(name, "noise", x, stride=stride)
    out = operation(draft, name, x, kind, C, stride, affine=False)
    if kind.endswith("pool_3x3"):
        out = draft.add(f"{name}.norm", "batch_norm", out, affine=False)
    return out
