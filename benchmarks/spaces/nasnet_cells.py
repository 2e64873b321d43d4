"""Cells of NASNet's kind: from choices to blocks and back, as text, their order, and the blocks that make one larger.

A cell begins with two states, 0 (two cells ago) and 1 (the last cell). Block b takes two operations, each on any of
the states 0 to b + 1, and their sum is state b + 2. It is written in four choices: state, operation, state, operation;
where a cell has fewer blocks than the space allows, the last option of each says that the block is not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import combinations_with_replacement, product
from math import prod

OPERATIONS = ("identity", "sep3", "sep5", "sep7", "avg3", "max3", "dil3", "1x7-7x1")
ABSENT = "absent"
CELLS = ("normal", "reduction")
A_BLOCK = 4  # choices

Term = tuple[int, int]  # state, operation
Block = tuple[Term, Term]
Cell = tuple[Block, ...]

_TERM = rf"({'|'.join(OPERATIONS)})~([0-9])"
_BLOCK = re.compile(rf"{_TERM}\+{_TERM}")


@lru_cache(maxsize=1 << 12)
def cell_of(choices: tuple[int, ...]) -> Cell | None:
    """The blocks of a cell's choices; None if they are no cell: no block, or one that comes after an absent one."""
    blocks: list[Block] = []
    ended = False
    operations = len(OPERATIONS)
    for b in range(len(choices) // A_BLOCK):
        one, first, two, second = choices[A_BLOCK * b :][:A_BLOCK]
        here = 0 <= one < b + 2 and 0 <= first < operations and 0 <= two < b + 2 and 0 <= second < operations
        if here and not ended:
            blocks.append(((one, first), (two, second)))
        elif b and (one, first, two, second) == _absent(b):
            ended = True
        else:
            return None
    return tuple(blocks) or None


def choices_of(cell: Cell, most: int) -> tuple[int, ...]:
    """The choices of a cell in a space of at most ``most`` blocks."""
    written = [x for (one, two) in cell for x in (*one, *two)]
    return (*written, *(x for b in range(len(cell), most) for x in _absent(b)))


@cache
def _absent(block: int) -> tuple[int, ...]:
    return (block + 2, len(OPERATIONS)) * 2


def unused(cell: Cell) -> list[int]:
    """The states that no block takes, the cell's inputs among them: they are concatenated."""
    used = {state for block in cell for state, _ in block}
    return [state for state in range(len(cell) + 2) if state not in used]


# -- text ---------------------------------------------------------------------------------------------


def written(cell: Cell) -> str:
    """``sep3~0+identity~1|max3~2+sep5~0``."""
    return "|".join(f"{OPERATIONS[p]}~{a}+{OPERATIONS[q]}~{b}" for (a, p), (b, q) in cell)


def read(text: str) -> Cell:
    """The cell of `written`; ValueError says what is wrong with it."""
    blocks: list[Block] = []
    for b, part in enumerate(text.split("|")):
        match = _BLOCK.fullmatch(part)
        if match is None:
            raise ValueError(f"block {b}, {part[:60]!r}, is not operation~state+operation~state")
        first, one, second, two = match.groups()
        if max(int(one), int(two)) > b + 1:
            raise ValueError(f"block {b} takes state {max(int(one), int(two))}: the earlier ones are 0 to {b + 1}")
        blocks.append(((int(one), OPERATIONS.index(first)), (int(two), OPERATIONS.index(second))))
    return tuple(blocks)


# -- order --------------------------------------------------------------------------------------------


def relabelled(cell: Cell) -> Cell:
    """The first of the cells that differ from this one in the order of blocks and of the two halves of a block alone.

    What they compute differs in the order of channels. All blocks count, as what no block takes is concatenated.
    """
    return min(_orders(cell, (0, 1), frozenset(range(len(cell)))))


def _orders(cell: Cell, places: tuple[int, ...], left: frozenset[int]) -> Iterator[Cell]:
    """The cells that begin with the states ``places`` (of the given cell, in their new order) and go on as they can."""
    if not left:
        yield ()
        return
    new = {state: place for place, state in enumerate(places)}
    able = [b for b in left if all(state in new for state, _ in cell[b])]
    moved = {b: tuple(sorted((new[state], operation) for state, operation in cell[b])) for b in able}
    first = min(moved.values())  # the smallest cell begins with the smallest block
    for b in able:
        if moved[b] == first:
            yield from (((first[0], first[1]), *rest) for rest in _orders(cell, (*places, b + 2), left - {b}))


# -- growth and numbers -------------------------------------------------------------------------------


@cache
def new_blocks(block: int) -> tuple[Block, ...]:
    """What block number ``block`` can be, whatever the order of its halves: 136, 300, 528, 820, 1176 of them."""
    return tuple(combinations_with_replacement(product(range(block + 2), range(len(OPERATIONS))), 2))


@cache
def cells_of_exactly(blocks: int) -> int:
    """Number of cells of so many blocks, as they are written."""
    return prod((len(OPERATIONS) * (b + 2)) ** 2 for b in range(blocks))


def number_of(cell: Cell) -> int:
    """Position of a cell among all: by the number of blocks, then by choices."""
    number = 0
    for b, block in enumerate(cell):
        for state, operation in block:
            number = (number * (b + 2) + state) * len(OPERATIONS) + operation
    return number + sum(cells_of_exactly(fewer) for fewer in range(1, len(cell)))


def cell_at(number: int) -> Cell:
    """The inverse of `number_of`."""
    blocks = 1
    while number >= cells_of_exactly(blocks):
        number -= cells_of_exactly(blocks)
        blocks += 1
    terms: list[Term] = []
    for b in reversed(range(blocks)):
        for _ in range(2):
            number, operation = divmod(number, len(OPERATIONS))
            number, state = divmod(number, b + 2)
            terms.append((state, operation))
    terms.reverse()
    return tuple((terms[2 * b], terms[2 * b + 1]) for b in range(blocks))
