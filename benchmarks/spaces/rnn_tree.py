"""The recurrent cells of the first recurrent controller: a binary tree over eight leaves, and a memory.

Paper: B. Zoph, Q. Le, "Neural Architecture Search with Reinforcement Learning", ICLR 2017, arXiv:1611.01578,
section 3.4.

Each of the 15 places (8 leaves, 7 above them) adds or multiplies its two inputs and applies one of four functions; a
leaf's inputs are W x and U h. "Cell inject" is one more such pair: the memory c is combined with the output of one
place (``read``); the new memory is what another place (``written``) has before its function. (2 * 4)^16 * 15^2 =
6.33e16 cells, the paper's "about 6e16".

An LSTM is one of them (`LSTM`): its forget gate is the sum of two leaves' linear maps, its output gate of four. The
two children of a place can be swapped: `canonical` is a recursively sorted key. The paper draws a tree of base 2; in
larger ones the children of a place are two neighbors of the level below, from the left.
"""

from __future__ import annotations

from collections.abc import Hashable
from functools import cached_property

from nassim.errors import InvalidArchitecture, InvalidSetting
from nassim.recurrent import ADD, MULTIPLY, Joint, RecurrentSpace, Tree
from nassim.space import Architecture, Decision, Graph

COMBINE = (ADD, MULTIPLY)
FUNCTIONS = ("identity", "tanh", "sigmoid", "relu")
SIGNS = {ADD: "+", MULTIPLY: "*"}
LONGEST = 2000  # characters of an architecture
LSTM = (
    "+identity +identity +sigmoid +tanh +identity +identity +identity +identity "
    "+sigmoid *identity +identity +identity +tanh +sigmoid *identity / *identity 8 12"
)


class TreeSpace(RecurrentSpace):
    """Cells that are trees.

    >>> cell = SPACE.cell(SPACE.parse("LSTM"))
    >>> cell.leaves, cell.joints[cell.written], cell.read
    (8, Joint(combine='add', function='tanh'), 8)
    """

    published = "base 8"

    def __init__(self, name: str = "rnn_tree", leaves: int = 8) -> None:
        if leaves not in (2, 4, 8, 16):
            raise InvalidSetting(f"{name}: {leaves} leaves cannot be: use 2, 4, 8 or 16.")
        self.leaves, places = leaves, 2 * leaves - 1
        decisions = []
        for what in (*(f"a{place}" for place in range(places)), "inject"):
            decisions += [Decision(f"{what}_combine", COMBINE), Decision(f"{what}_function", FUNCTIONS)]
        indices = tuple(f"a{place}" for place in range(places))
        super().__init__(name, [*decisions, Decision("read", indices), Decision("written", indices)])

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """The positions of each place's decisions, of the injection's, and of the two indices."""
        return tuple((i, i + 1) for i in range(0, len(self.decisions), 2))

    # -- values ---------------------------------------------------------------------------------

    def cell(self, arch: Architecture) -> Tree:
        *c, read, written = self.check(arch).choices
        joints = [Joint(COMBINE[c[i]], FUNCTIONS[c[i + 1]]) for i in range(0, len(c), 2)]
        return Tree(tuple(joints[:-1]), joints[-1], read, written)

    def parse(self, text: str) -> Architecture:
        """Read ``+tanh *relu ... / +relu 0 1``, ``LSTM`` or the plain form."""
        body = text.strip().removeprefix(f"{self.name}:")[:LONGEST]
        body = LSTM if body == "LSTM" and self.leaves == 8 else body
        if "/" not in body:
            return super().parse(text if len(text) <= LONGEST else text[:LONGEST] + "...")
        words, places = body.replace("/", " / ").split(), 2 * self.leaves - 1
        try:
            if len(words) != places + 4 or words[places] != "/":
                raise ValueError(f"it has not {places} places before the / and three words behind it")
            del words[places]
            *joints, read, written = words
            choices = [number for word in joints for number in _joint(word)]
            choices += [_index(read, places), _index(written, places)]
        except ValueError as error:
            raise InvalidArchitecture(f"not an architecture of {self.name}: {error}. {self.how_to_write()}") from None
        return self.check(Architecture(self.name, tuple(choices)))

    def format(self, arch: Architecture) -> str:
        """``+tanh *relu ... / +relu 0 1``: places from the leaves up, injection, where c is read and written."""
        cell = self.cell(arch)
        joints = [f"{SIGNS[combine]}{function}" for combine, function in (*cell.joints, cell.inject)]
        return f"{' '.join(joints[:-1])} / {joints[-1]} {cell.read} {cell.written}"

    def how_to_write(self) -> str:
        places = 2 * self.leaves - 1
        return (
            f"Write {places} places from the leaves up as +tanh or *relu (functions: {', '.join(FUNCTIONS)}), a /, the "
            f"injection, and the places (0 to {places - 1}) where the memory is read and written; or "
            f"{len(self.decisions)} numbers with dashes."
        )

    # -- structure ------------------------------------------------------------------------------

    def canonical(self, arch: Architecture, kind: str = "published") -> Hashable:
        """The tree, the children of each place in a fixed order."""
        if kind != "published":
            raise InvalidSetting(f"{kind!r} is not an equivalence of {self.name}: use published.")
        cell = self.cell(arch)
        keys: list[str] = []
        for place, (combine, function) in enumerate(cell.joints):
            below = sorted(keys[child] for child in cell.children(place)) if place >= cell.leaves else []
            marks = "r" * (place == cell.read) + "w" * (place == cell.written)
            keys.append(f"{SIGNS[combine]}{function}{marks}({','.join(below)})")
        return f"{self.name}:{SIGNS[cell.inject.combine]}{cell.inject.function}:{keys[-1]}"

    def graph(self, arch: Architecture) -> Graph:
        """The input, the places and the output; what a place does stands at the edges into it."""
        cell = self.cell(arch)
        names = [f"{SIGNS[combine]}{function}" for combine, function in cell.joints]
        edges = []
        for place, name in enumerate(names):
            below = (0,) if place < cell.leaves else tuple(child + 1 for child in cell.children(place))
            edges += [(source, place + 1, name) for source in below]
        last = len(names) + 1
        return Graph(("input", *(f"a{i}" for i in range(len(names))), "output"), (*edges, (last - 1, last, "output")))


def _joint(word: str) -> tuple[int, int]:
    signs = {sign: i for i, sign in enumerate(SIGNS.values())}
    if word[:1] not in signs or word[1:] not in FUNCTIONS:
        raise ValueError(f"{word!r:.20} is no + or * with a function ({', '.join(FUNCTIONS)})")
    return signs[word[0]], FUNCTIONS.index(word[1:])


def _index(word: str, places: int) -> int:
    if not (word.isascii() and word.isdigit() and len(word) < 4 and int(word) < places):
        raise ValueError(f"{word!r:.20} is no place from 0 to {places - 1}")
    return int(word)


SPACE = TreeSpace()
