"""NASNet's own search space: thirteen operations, whose pairs are added or concatenated.

Paper: B. Zoph, V. Vasudevan, J. Shlens, Q. Le, "Learning Transferable Architectures for Scalable Image Recognition",
    CVPR 2018, arXiv:1707.07012, section 3 and appendix.

A normal and a reduction cell of five blocks. A block takes two earlier states (0 and 1 are the outputs of the cells
before the last and of the last), an operation on each, and adds or concatenates what they give; the states that no
block takes are concatenated. In the order in which the paper's controller says them: the two states, the two
operations, how they are combined; 2 * 25 decisions, (2.287e18)^2 = 5.23e36 architectures as they are written.

The spaces ``nasnet`` and ``nasnet-one`` are its form in AmoebaNet and PNAS: eight operations, sums only, fewer blocks.
`nasnet13_network` says what NASNet-A's published number of parameters was held against.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from nassim.benchmarks.spaces.nasnet13_network import COMBINED, OPERATIONS, Block, Cell, joined, unused
from nassim.errors import InvalidArchitecture, InvalidSetting
from nassim.network import Frame, Network
from nassim.space import Architecture, Decision, Graph, SearchSpace

CELLS = ("normal", "reduction")
A_BLOCK = 5  # decisions
LONGEST = 1000  # characters of an architecture
# The best cells of the paper, its figure 4, by the listing in DARTS' code (quark0/darts, cnn/genotypes.py).
PUBLISHED = {
    "NASNet-A": "sep5~1+sep3~0|sep5~0+sep3~0|avg3~1+identity~0|avg3~0+avg3~0|sep3~1+identity~1||"
    "sep5~1+sep7~0|max3~1+sep7~0|avg3~1+sep5~0|identity~3+avg3~2|sep3~2+max3~1",
}
_SIDE = rf"({'|'.join(OPERATIONS)})~([0-9])"
_BLOCK = re.compile(rf"{_SIDE}([+&]){_SIDE}")
_SIGNS = dict(zip(COMBINED, "+&", strict=True))


class NASNet13Space(SearchSpace):
    """A normal and a reduction cell of ``blocks`` blocks; five decisions a block.

    >>> arch = SPACE.parse("NASNet-A")
    >>> SPACE.format(arch)[:33], len(arch.choices), len(SPACE.neighbors(arch))
    ('sep5~1+sep3~0|sep5~0+sep3~0|avg3~', 50, 310)
    """

    frame = Frame(channels=32, cells=6, classes=10)

    def __init__(self, name: str = "nasnet13", blocks: int = 5) -> None:
        if not 1 <= blocks <= 8:
            raise InvalidSetting(f"{name}: {blocks} blocks in a cell: it takes 1 to 8.")
        decisions = []
        for cell in CELLS:
            for b in range(blocks):
                states = tuple(map(str, range(b + 2)))
                decisions += [Decision(f"{cell}_block{b}_{side}_input", states) for side in ("first", "second")]
                decisions += [Decision(f"{cell}_block{b}_{side}_operation", OPERATIONS) for side in ("first", "second")]
                decisions.append(Decision(f"{cell}_block{b}_combine", COMBINED))
        super().__init__(name, decisions)
        self.blocks = blocks
        self.groups = tuple(tuple(range(i, i + A_BLOCK)) for i in range(0, len(decisions), A_BLOCK))

    def cells(self, arch: Architecture) -> tuple[Cell, Cell]:
        """The normal and the reduction cell."""
        c = self.check(arch).choices
        found = tuple(Block((c[i], c[i + 2]), (c[i + 1], c[i + 3]), c[i + 4]) for i in range(0, len(c), A_BLOCK))
        return found[: self.blocks], found[self.blocks :]

    def of_cells(self, normal: Sequence[Block], reduction: Sequence[Block]) -> Architecture:
        """The architecture of two cells; they are not checked."""
        blocks = [*normal, *reduction]
        return Architecture(self.name, tuple(x for (a, p), (b, q), how in blocks for x in (a, b, p, q, how)))

    # -- text -----------------------------------------------------------------------------------

    def parse(self, text: str) -> Architecture:
        """Read ``sep5~1+sep3~0|...||...`` (+ adds, & concatenates), a name of `PUBLISHED`, or the plain form."""
        body = text.strip()
        short = body.removeprefix(f"{self.name}:")
        short = PUBLISHED.get(short, short)
        if "~" not in short or len(short) > LONGEST:
            return super().parse(body if len(body) <= LONGEST else body[:200] + "...")
        try:
            cells = [self._read(part) for part in short.split("||")]
            if len(cells) != len(CELLS):
                raise ValueError(f"it has {len(cells)} cells, not {len(CELLS)}")
        except ValueError as error:
            text = f"not an architecture of {self.name}: {error}. {self.how_to_write()}"
            raise InvalidArchitecture(text) from None
        return self.of_cells(*cells)

    def _read(self, text: str) -> Cell:
        parts = text.split("|")
        if len(parts) != self.blocks:
            raise ValueError(f"it has {len(parts)} blocks in a cell, not {self.blocks}")
        blocks = []
        for b, part in enumerate(parts):
            match = _BLOCK.fullmatch(part)
            if match is None:
                raise ValueError(f"block {b}, {part[:60]!r}, is not operation~state+operation~state")
            first, one, sign, second, two = match.groups()
            if max(int(one), int(two)) > b + 1:
                raise ValueError(f"block {b} takes state {max(int(one), int(two))}: the earlier ones are 0 to {b + 1}")
            sides = (int(one), OPERATIONS.index(first)), (int(two), OPERATIONS.index(second))
            blocks.append(Block(*sides, "+&".index(sign)))
        return tuple(blocks)

    def how_to_write(self) -> str:
        example = "|".join(["sep3~0+identity~1"] * self.blocks)
        return (
            f"Write {example}||{example}: {self.blocks} blocks a cell, each two operations ({', '.join(OPERATIONS)}) "
            "on earlier states (0 and 1 are the cell's inputs, block b is state b + 2), + adds and & concatenates; "
            f"{', '.join(PUBLISHED)}; or {self.name}: and {len(self.decisions)} numbers with dashes."
        )

    def format(self, arch: Architecture) -> str:
        """``sep5~1+sep3~0|max3~2&sep5~0|...||...``: blocks, then ``||`` and the reduction cell."""
        signs = [_SIGNS[how] for how in COMBINED]
        return "||".join(
            "|".join(f"{OPERATIONS[p]}~{a}{signs[how]}{OPERATIONS[q]}~{b}" for (a, p), (b, q), how in cell)
            for cell in self.cells(arch)
        )

    # -- structure ------------------------------------------------------------------------------

    def canonical(self, arch: Architecture, kind: str = "published") -> Architecture:
        """The halves of each block in order: what they compute differs in the order of channels alone."""
        if kind != "published":
            raise InvalidSetting(f"{kind!r} is not an equivalence of {self.name}: use published.")
        normal, reduction = (
            tuple(Block(min(first, second), max(first, second), how) for first, second, how in cell)
            for cell in self.cells(arch)
        )
        return self.of_cells(normal, reduction)

    def graph(self, arch: Architecture) -> Graph:
        """The cells beside each other: two inputs, the blocks (+ or &), and the output of what no block takes."""
        names: list[str] = []
        edges: list[tuple[int, int, str]] = []
        for title, cell in zip(CELLS, self.cells(arch), strict=True):
            first, last = len(names), len(cell) + 2
            blocks = [f"{b}{_SIGNS[COMBINED[block.combine]]}" for b, block in enumerate(cell)]
            names += [f"{title} {n}" for n in ("c_{k-2}", "c_{k-1}", *blocks, "c_{k}")]
            for b, block in enumerate(cell):
                sides = (block.first, block.second)
                edges += [(first + state, first + b + 2, OPERATIONS[operation]) for state, operation in sides]
            edges += [(first + state, first + last, "") for state in unused(cell)]
        return Graph(tuple(names), tuple(edges))

    def network(self, arch: Architecture, frame: Frame) -> Network:
        """``frame.channels`` is F, ``frame.cells`` the normal cells of each of the three stacks (N)."""
        return joined(*self.cells(arch), frame)


SPACE = NASNet13Space()
