"""Cells of NAS-Bench-101 as bit patterns: edges, pruning and the published fingerprint.

Paper: Ying et al., "NAS-Bench-101", ICML 2019, arXiv:1902.09635, sections 2.1 and 2.2.

A cell has at most seven vertices, 0 (input) to 6 (output), edges that lead forward, and an operation at
each vertex between. An *edge code* holds the 21 possible edges as a number, the first edge in the
order of `PAIRS` as its highest bit. A *vertex mask* holds vertices, 0 as the highest of seven bits.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

VERTICES = 7
INTERIOR = VERTICES - 2
MOST_EDGES = 9
OPERATIONS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
INPUT_LABEL, OUTPUT_LABEL = -1, -2
PAIRS = tuple((a, b) for a in range(VERTICES) for b in range(a + 1, VERTICES))  # row by row of the matrix
BITS = {pair: 1 << i for i, pair in enumerate(reversed(PAIRS))}  # pair -> its bit of an edge code

_LAST = VERTICES - 1
# Row v of the matrix within an edge code. Its lowest bit is the edge to the output, as in a vertex mask.
_ROWS = [(BITS[v, _LAST].bit_length() - 1, (1 << (_LAST - v)) - 1) for v in range(_LAST)]
_DIGITS = bytes(48 + i if i < 10 else 63 for i in range(256))  # a byte below 10 -> its digit, else "?"
# Of each vertex after the input, the edges that lead to it and its operation (the output has none).
GROUPS = tuple(
    (*(i for i, (_, target) in enumerate(PAIRS) if target == v), *([len(PAIRS) + v - 1] if v < VERTICES - 1 else []))
    for v in range(1, VERTICES)
)


def edge_code(choices: Sequence[int]) -> int:
    """The edge code of the first 21 choices; -1 if one of them is not 0 or 1 or if there are fewer."""
    try:
        return int(bytes(choices[: len(PAIRS)]).translate(_DIGITS), 2) if len(choices) >= len(PAIRS) else -1
    except (TypeError, ValueError):
        return -1


def operation_code(choices: Sequence[int]) -> int:
    """The five operations as a number to base 3, the first as its highest digit; -1 if there is no such thing."""
    operations = choices[len(PAIRS) :]
    try:
        return int(bytes(operations).translate(_DIGITS), 3) if len(operations) == INTERIOR else -1
    except (TypeError, ValueError):
        return -1


def kept_vertices(code: Any) -> Any:
    """Mask of the vertices on a path from input to output, of an edge code or of an array of them.

    Where no path leads to the output, the input (the highest bit) is missing.
    """
    rows = [code >> shift & mask for shift, mask in _ROWS]
    reached = 1 << _LAST
    for v, row in enumerate(rows):
        reached = reached | row * (reached >> (_LAST - v) & 1)
    leading = 1
    for v in reversed(range(_LAST)):
        leading = leading | (((rows[v] & leading) != 0) << (_LAST - v))
    return reached & leading


def members(mask: int) -> tuple[int, ...]:
    """The vertices of a mask, ascending."""
    return tuple(v for v in range(VERTICES) if mask >> (_LAST - v) & 1)


# vertex mask -> the edges between its vertices, as an edge code
_INSIDE = [
    sum(bit for (a, b), bit in BITS.items() if mask >> (_LAST - a) & mask >> (_LAST - b) & 1)
    for mask in range(1 << VERTICES)
]


def objection(choices: Sequence[int]) -> str:
    """What keeps choices (21 edges, 5 operations) from being a cell of the benchmark; empty if nothing does."""
    code = edge_code(choices)
    if code < 0 or operation_code(choices) < 0:
        return f"it takes {len(PAIRS)} edges, 0 or 1, and {INTERIOR} operations, 0 to {len(OPERATIONS) - 1}"
    kept = kept_vertices(code)
    if not kept >> _LAST:
        return "no path leads from the input to the output"
    edges = (code & _INSIDE[kept]).bit_count()
    return f"it has {edges} edges after pruning, at most {MOST_EDGES} are allowed" if edges > MOST_EDGES else ""


def fingerprint(edges: Sequence[tuple[int, int]], labels: Sequence[int]) -> str:
    """The benchmark's key of a pruned cell: equal for isomorphic cells, 32 hexadecimal digits.

    ``labels``: of each vertex, `INPUT_LABEL` first, `OUTPUT_LABEL` last, positions in `OPERATIONS` between.
    Weisfeiler and Lehman's refinement with MD5 as the hash, a round for each vertex.
    """
    sources = [[a for a, b in edges if b == v] for v in range(len(labels))]
    targets = [[b for a, b in edges if a == v] for v in range(len(labels))]
    # Python's own numbers: numpy's are printed differently and would change every key.
    keys = [_md5(str((len(targets[v]), len(sources[v]), int(label)))) for v, label in enumerate(labels)]
    for _ in labels:
        keys = [
            _md5("|".join(["".join(sorted(keys[u] for u in near)) for near in (sources[v], targets[v])] + [keys[v]]))
            for v in range(len(labels))
        ]
    return _md5(str(sorted(keys)))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
