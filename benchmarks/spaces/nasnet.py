"""The cell spaces of AmoebaNet and PNAS: NASNet's cells with eight operations.

Paper: B. Zoph, V. Vasudevan, J. Shlens, Q. Le, "Learning Transferable Architectures for Scalable Image Recognition",
    CVPR 2018, arXiv:1707.07012 (cells of blocks); eight operations and sums only as in arXiv:1802.01548, section 3;
    growth as in arXiv:1712.00559.

A cell is at most five blocks, each the sum of two operations on earlier states; the states that no block takes are
concatenated, the cell's inputs among them. The space ``nasnet`` has a normal and a reduction cell: (5.57e14)^2 =
3.098e29 pairs of five blocks. ``nasnet-one`` is PNAS's: one cell, with stride 2 where it reduces.

Samples have all blocks, mutations and neighbors keep their number, smaller cells are what progressive search begins
with. Departure: the papers would also allow a later block as an input where that makes no loop; here states are
earlier ones, so that every mutation is valid. No published parameter count was at hand to hold the networks against.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from nassim.benchmarks.spaces.nasnet_cells import (
    A_BLOCK,
    ABSENT,
    CELLS,
    OPERATIONS,
    Cell,
    cell_at,
    cell_of,
    cells_of_exactly,
    choices_of,
    new_blocks,
    number_of,
    read,
    relabelled,
    unused,
    written,
)
from nassim.benchmarks.spaces.nasnet_network import stacked, summed
from nassim.errors import InvalidArchitecture, InvalidSetting
from nassim.network import Frame, Network
from nassim.space import Architecture, Decision, Graph, SearchSpace

LONGEST = 1000  # characters of an architecture


class NASNetSpace(SearchSpace):
    """Cells of 1 to ``blocks`` blocks: a normal and a reduction cell, or one that is both.

    >>> arch = SPACE.parse("sep3~0+identity~1|max3~2+sep5~0||avg3~0+avg3~1")
    >>> SPACE.complexity(arch), str(arch)[:31], SPACE.format(arch)
    (3, 'nasnet:0-1-1-0-2-5-0-2-4-8-4-8-', 'sep3~0+identity~1|max3~2+sep5~0||avg3~0+avg3~1')
    >>> len(SPACE.neighbors(SPACE.sample(random.Random(0))))
    200
    """

    options_are_words = True
    frame = Frame(channels=24, cells=3, classes=10)

    def __init__(self, name: str = "nasnet", blocks: int = 5, cells: Sequence[str] = CELLS) -> None:
        if not 1 <= blocks <= 7 or not 1 <= len(cells) <= len(CELLS):
            raise InvalidSetting(f"{name}: {blocks} blocks in {len(cells)} cells: it takes 1 to 7 in one or two cells.")
        decisions = []
        for cell in cells:
            for b in range(blocks):
                gone = (ABSENT,) if b else ()
                states, operations = (*map(str, range(b + 2)), *gone), (*OPERATIONS, *gone)
                for side in ("first", "second"):
                    decisions.append(Decision(f"{cell}_block{b}_{side}_input", states))
                    decisions.append(Decision(f"{cell}_block{b}_{side}_operation", operations))
        super().__init__(name, decisions)
        self.blocks = blocks
        self.names = tuple(cells)
        self._a_cell = A_BLOCK * blocks  # choices
        self._present = [  # of each decision and option the others, without the absent one
            [[o for o in others if ABSENT not in (d.options[o], d.options[i])] for i, others in enumerate(row)]
            for d, row in zip(self.decisions, self._others, strict=True)
        ]
        self._all_cells = sum(map(cells_of_exactly, range(1, blocks + 1)))

    @property
    def size(self) -> int:
        """Number of architectures as they are written, those with fewer blocks included."""
        return math.prod([self._all_cells] * len(self.names))

    # -- values ---------------------------------------------------------------------------------

    def is_valid(self, arch: Architecture) -> bool:
        """Whether it is cells of this space, without a block behind an absent one."""
        c, n = arch.choices, self._a_cell
        return (
            arch.space == self.name
            and len(c) == n * len(self.names)
            and all(cell_of(c[i : i + n]) is not None for i in range(0, len(c), n))
        )

    def check(self, arch: Architecture) -> Architecture:
        """Return ``arch``; `InvalidArchitecture` if it is not of this space."""
        if not self.is_valid(arch):
            raise InvalidArchitecture(f"{str(arch)[:200]} is not an architecture of {self.name}. {self.how_to_write()}")
        return arch

    def cells(self, arch: Architecture) -> tuple[Cell, ...]:
        """The cells, as many as ``names``."""
        c, n = self.check(arch).choices, self._a_cell
        return tuple([cell_of(c[i : i + n]) or () for i in range(0, len(c), n)])

    def of_cells(self, *cells: Cell) -> Architecture:
        """The architecture of these cells; they are not checked."""
        return Architecture(self.name, tuple([x for cell in cells for x in choices_of(cell, self.blocks)]))

    def parse(self, text: str) -> Architecture:
        """Read ``sep3~0+identity~1|...||...`` (blocks separated by ``|``, cells by ``||``), or the plain form."""
        body = text.strip()
        short = body.removeprefix(f"{self.name}:")
        if "~" not in short or len(short) > LONGEST:
            return super().parse(body if len(body) <= LONGEST else body[:200] + "...")
        parts = short.split("||")
        try:
            if len(parts) != len(self.names):
                raise ValueError(f"it has {len(parts)} cells, not {len(self.names)}")
            cells = [read(part) for part in parts]
            if max(map(len, cells)) > self.blocks:
                raise ValueError(f"it has {max(map(len, cells))} blocks in a cell, not at most {self.blocks}")
        except ValueError as error:
            text = f"not an architecture of {self.name}: {error}. {self.how_to_write()}"
            raise InvalidArchitecture(text) from None
        return self.of_cells(*cells)

    def how_to_write(self) -> str:
        example = "sep3~0+identity~1|max3~2+sep5~0"
        return (
            f"Write {'||'.join([example] * len(self.names))}: 1 to {self.blocks} blocks a cell, each of two operations "
            f"({', '.join(OPERATIONS)}) on earlier states (0 and 1 are the cell's inputs, block b is state b + 2); or "
            f"{self.name}: and {len(self.decisions)} numbers with dashes."
        )

    def format(self, arch: Architecture) -> str:
        """``sep3~0+identity~1|max3~2+sep5~0||avg3~0+avg3~1``: blocks, then ``||`` and the reduction cell."""
        return "||".join(map(written, self.cells(arch)))

    # -- moving about ---------------------------------------------------------------------------

    def sample(self, rng: random.Random) -> Architecture:
        """Cells with all blocks; inputs and operations uniform, as the papers begin."""
        draw, operations = rng.random, len(OPERATIONS)
        sides = [b + 2 for _ in self.names for b in range(self.blocks) for _ in range(2)]
        return Architecture(self.name, tuple([x for n in sides for x in (int(draw() * n), int(draw() * operations))]))

    def mutate(self, arch: Architecture, rng: random.Random) -> Architecture:
        """An operation or an input, with equal chance, is another one.

        Paper: Real et al., arXiv:1802.01548, section 3: cell, block and side uniform. Departures: it always changes
            (their operation may be drawn again), and the identity mutation is left to the strategy.
        """
        return self.mutate_wiring(arch, rng) if rng.random() < 0.5 else self.mutate_operation(arch, rng)

    def mutate_wiring(self, arch: Architecture, rng: random.Random) -> Architecture:
        """One input of a block is another earlier state (hidden-state mutation)."""
        return self._moved(arch, rng, 0)

    def mutate_operation(self, arch: Architecture, rng: random.Random) -> Architecture:
        """One operation is another one."""
        return self._moved(arch, rng, 1)

    def _moved(self, arch: Architecture, rng: random.Random, offset: int) -> Architecture:
        """Another option of a place that is drawn: the cell, then its block, then the side."""
        which = int(rng.random() * len(self.names))
        block = int(rng.random() * len(self.cells(arch)[which]))
        i = which * self._a_cell + block * A_BLOCK + 2 * int(rng.random() * 2) + offset
        others = self._present[i][arch.choices[i]]
        c = arch.choices
        return Architecture(self.name, (*c[:i], others[int(rng.random() * len(others))], *c[i + 1 :]))

    def crossover(self, a: Architecture, b: Architecture, rng: random.Random) -> Architecture:
        """Each decision from one of the parents, but where only one has the block: there it is the first's."""
        pairs = zip(self.decisions, a.choices, b.choices, strict=True)
        return Architecture(
            self.name,
            tuple([y if rng.random() < 0.5 and ABSENT not in (d.options[x], d.options[y]) else x for d, x, y in pairs]),
        )

    def neighbors(self, arch: Architecture) -> list[Architecture]:
        """All with one other operation or input: 200 of two whole cells (140 and 60)."""
        c = self.check(arch).choices
        return [
            Architecture(self.name, (*c[:i], other, *c[i + 1 :]))
            for i, current in enumerate(c)
            for other in self._present[i][current]
        ]

    # -- growth, for progressive search ---------------------------------------------------------

    def complexity(self, arch: Architecture) -> int:
        """Number of blocks, of all cells together."""
        return sum(map(len, self.cells(arch)))

    def smallest(self) -> list[Architecture]:
        """Cells of one block each, whatever the order of its halves: 136 of one cell, 136^2 of two."""
        found: list[tuple[Cell, ...]] = [()]
        for _ in self.names:
            found = [(*cells, (block,)) for cells in found for block in new_blocks(0)]
        return [self.of_cells(*cells) for cells in found]

    def grow(self, arch: Architecture) -> list[Architecture]:
        """One more block, whatever the order of its halves, in the cell that has fewer (the normal one first).

        That reaches all architectures, up to the order of halves.
        """
        cells = self.cells(arch)
        which = min(range(len(cells)), key=lambda i: len(cells[i]))
        if len(cells[which]) == self.blocks:
            return []
        blocks = new_blocks(len(cells[which]))
        return [self.of_cells(*cells[:which], (*cells[which], block), *cells[which + 1 :]) for block in blocks]

    # -- structure ------------------------------------------------------------------------------

    def canonical(self, arch: Architecture, kind: str = "published") -> Architecture:
        """The first of the architectures that differ in the order of blocks and of the halves of blocks alone."""
        if kind != "published":
            raise InvalidSetting(f"{kind!r} is not an equivalence of {self.name}: use published.")
        return self.of_cells(*map(relabelled, self.cells(arch)))

    def index(self, arch: Architecture) -> int:
        """Position of ``arch``: by the number of blocks of the first cell, then by its choices, then the other cell."""
        index = 0
        for cell in self.cells(arch):
            index = index * self._all_cells + number_of(cell)
        return index

    def at(self, index: int) -> Architecture:
        """The inverse of `index`."""
        numbers = []
        for _ in self.names:
            index, number = divmod(index, self._all_cells)
            numbers.append(number)
        return self.of_cells(*map(cell_at, reversed(numbers)))

    def graph(self, arch: Architecture) -> Graph:
        """The cells beside each other: two inputs, the blocks, and the output of the states that no block takes."""
        names: list[str] = []
        edges: list[tuple[int, int, str]] = []
        for title, cell in zip(self.names, self.cells(arch), strict=True):
            first, last = len(names), len(cell) + 2
            names += [f"{title} {n}" for n in ("c_{k-2}", "c_{k-1}", *map(str, range(len(cell))), "c_{k}")]
            for b, block in enumerate(cell):
                edges += [(first + state, first + b + 2, OPERATIONS[operation]) for state, operation in block]
            edges += [(first + state, first + last, "") for state in unused(cell)]
        return Graph(tuple(names), tuple(edges))

    def network(self, arch: Architecture, frame: Frame) -> Network:
        """``frame.channels`` is F, ``frame.cells`` the normal cells of each of the three stacks (N)."""
        cells = self.cells(arch)
        return stacked(cells[0], cells[-1], frame, summed)


SPACE = NASNetSpace()
ONE_CELL = NASNetSpace("nasnet-one", cells=("cell",))
