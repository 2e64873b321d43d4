"""The cells of NAS-Bench-201 whose edges are ``none``, ``skip_connect`` or ``nor_conv_3x3``: 3^6 = 729.

Paper: Dong & Yang, "NAS-Bench-201", ICLR 2020, arXiv:2001.00326, section 2.1, of which this is a part. The order of the
edges, the string, the graph and the equivalences are those of the whole space; options are numbered anew, 0 to 2.
Of the 729 cells 127 differ by the authors' rule and 78 truly (496 and 82 by the two others of `canonical`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nassim.benchmarks.spaces import nasbench201
from nassim.benchmarks.spaces.nasbench201_network import supernet
from nassim.errors import InvalidArchitecture
from nassim.layout import Layout
from nassim.network import Frame, Network
from nassim.space import Architecture, Decision, Graph, SearchSpace

WHOLE = nasbench201.SPACE
CODES = (0, 1, 3)  # our options as those of the whole space
OPERATIONS = tuple(nasbench201.OPERATIONS[code] for code in CODES)
_OURS = {code: option for option, code in enumerate(CODES)}


class NASBench201ThreeOps(SearchSpace):
    """Six edges with three operations each.

    >>> arch = SPACE.parse("|nor_conv_3x3~0|+|skip_connect~0|none~1|+|none~0|nor_conv_3x3~1|skip_connect~2|")
    >>> str(arch), arch == SPACE.parse("210021"), str(SPACE.cell(arch))
    ('nasbench201_3ops:2-1-0-0-2-1', True, 'nasbench201:3-1-0-0-3-1')
    """

    frame = WHOLE.frame

    def __init__(self) -> None:
        super().__init__("nasbench201_3ops", [Decision(d.name, OPERATIONS) for d in WHOLE.decisions])

    def cell(self, arch: Architecture) -> Architecture:
        """The same cell as one of NAS-Bench-201."""
        return Architecture(WHOLE.name, tuple([CODES[choice] for choice in arch.choices]))

    def from_cell(self, cell: Architecture) -> Architecture:
        """A cell of NAS-Bench-201 as one of this space; `InvalidArchitecture` if it has another operation."""
        if not set(cell.choices) <= set(CODES):
            others = {nasbench201.OPERATIONS[choice] for choice in set(cell.choices) - set(CODES)}
            raise InvalidArchitecture(f"{cell} is not a cell of {self.name}: it has {', '.join(sorted(others))}.")
        return Architecture(self.name, tuple([_OURS[choice] for choice in cell.choices]))

    def parse(self, text: str) -> Architecture:
        """Read the official string, six digits 0 to 2, ``nasbench201_3ops:2-1-0-0-2-1``, ``nasbench201:3-...``."""
        body = text.strip()
        if body.startswith(("|", f"{WHOLE.name}:")):
            return self.from_cell(WHOLE.parse(body))
        return super().parse(body)

    def how_to_write(self) -> str:
        return (
            f"Write {self.name}:2-1-0-0-2-1, 210021 or |op~0|+|op~0|op~1|+|op~0|op~1|op~2|, edges in the order "
            f"{' '.join(d.name for d in self.decisions)}, operations "
            f"{', '.join(f'{i} {name}' for i, name in enumerate(OPERATIONS))}."
        )

    def format(self, arch: Architecture) -> str:
        """The official string."""
        return WHOLE.format(self.cell(arch))

    def graph(self, arch: Architecture) -> Graph:
        """All six edges in the order of the decisions, those labelled ``none`` included."""
        return WHOLE.graph(self.cell(arch))

    def network(self, arch: Architecture, frame: Frame) -> Network:
        """The network of the same cell of the whole space."""
        return WHOLE.network(self.cell(arch), frame)

    @property
    def layout(self) -> Layout:
        """A decision is an edge; those with the same target meet."""
        return Layout(self, nasbench201.NODES)

    def supernet(self, frame: Frame, partial: int | None = None) -> Network:
        """Every cell with the three operations on each of its edges."""
        return supernet(OPERATIONS, frame, partial)

    def canonical(self, arch: Architecture, kind: str = "published") -> str:
        """As in the whole space: ``published``, ``algebraic``, ``identity`` or ``zero``."""
        return WHOLE.canonical(self.cell(arch), kind)

    # -- growth, for progressive search ---------------------------------------------------------

    def complexity(self, arch: Architecture) -> int:
        """Number of edges on a path from input to output without a ``none``."""
        return WHOLE.complexity(self.cell(arch))

    def smallest(self) -> list[Architecture]:
        """The cells that are a single path: 2 + 4 + 4 + 8."""
        return self._ours(WHOLE.smallest())

    def grow(self, arch: Architecture) -> list[Architecture]:
        """Those of the whole space's steps that stay in this one."""
        return self._ours(WHOLE.grow(self.cell(arch)))

    def _ours(self, cells: Sequence[Architecture]) -> list[Architecture]:
        return [self.from_cell(cell) for cell in cells if set(cell.choices) <= set(CODES)]


SPACE = NASBench201ThreeOps()
CELLS: NDArray[np.int8] = np.array(CODES, dtype=np.int8)[SPACE.choice_matrix]  # (729, 6), as choices of the whole space
ROWS: NDArray[np.int64] = np.array(  # (729,): where each stands in the whole space's order
    [WHOLE.index(SPACE.cell(arch)) for arch in SPACE.architectures()]
)


def whole(arch: Architecture) -> Architecture:
    """A cell of this space as one of NAS-Bench-201; one of NAS-Bench-201 as it is."""
    return SPACE.cell(arch) if arch.space == SPACE.name else arch
