"""The published fingerprints of all cells of NAS-Bench-101 at once (`fingerprint` does one).

The release names its cells by these keys. A fingerprint takes up to 57 MD5 digests and there are 423,624
cells: 35 seconds, one after the other. Here numpy computes those of thousands of vertices side by side.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nassim.benchmarks.spaces.nasbench101.classes import Size, pair_bit
from nassim.benchmarks.spaces.nasbench101.graph import INPUT_LABEL, OPERATIONS, OUTPUT_LABEL, VERTICES

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]
_CELLS = 40_000  # worked on at once: their keys fill 10 MB
_HEXADECIMAL = np.frombuffer("".join(f"{i:02x}" for i in range(256)).encode(), dtype=np.uint16)  # of a byte

# Of MD5: RFC 1321, section 3.4.
_START = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
_SHIFTS = [row[i % 4] for row in ((7, 12, 17, 22), (5, 9, 14, 20), (4, 11, 16, 23), (6, 10, 15, 21)) for i in range(16)]
_SINES = [np.uint32(int(abs(math.sin(i + 1)) * 2**32)) for i in range(64)]
_WORDS = [(a * i + b) % 16 for a, b in ((1, 0), (5, 1), (3, 5), (7, 0)) for i in range(16)]


def fingerprints(size: Size) -> Bytes:
    """The fingerprints of all cells of a size, 16 bytes each: (cells, 16)."""
    parts = [slice(i, i + _CELLS) for i in range(0, len(size.wiring), _CELLS)]
    return np.concatenate([_fingerprints(size, part) for part in parts])


def _fingerprints(size: Size, part: slice) -> Bytes:
    wiring = size.wiring[part]
    edges = np.zeros((len(size.wirings), size.vertices, size.vertices), dtype=bool)
    for target in range(size.vertices):
        for source in range(target):
            edges[:, source, target] = size.wirings >> pair_bit(source, target) & 1
    groups = list(_groups(edges, wiring))
    keys = _first_keys(edges, wiring, size.labels[part])
    for _ in range(size.vertices):
        heads, texts = _read(keys)
        renewed = np.empty_like(keys)
        for cells, vertices, sources, targets in groups:
            near = [_joined(heads, texts, cells, some) for some in (sources, targets)]
            bar = np.full((len(cells), 1), ord("|"), dtype=np.uint8)
            renewed[cells, vertices] = md5(np.hstack([near[0], bar, near[1], bar, texts[cells, vertices]]))
        keys = renewed
    everything = np.broadcast_to(np.arange(size.vertices), keys.shape[:2])
    joined = _joined(*_read(keys), np.arange(len(keys)), everything)
    frame = str(["0" * 32] * size.vertices).encode()  # how Python prints a list of texts
    message = np.tile(np.frombuffer(frame, dtype=np.uint8), (len(keys), 1))
    for i in range(size.vertices):
        message[:, 2 + 36 * i : 34 + 36 * i] = joined[:, 32 * i : 32 * i + 32]
    return md5(message)


def _first_keys(edges: NDArray[np.bool_], wiring: Ints, labels: NDArray[np.int8]) -> Bytes:
    """The keys of all vertices before the first round: (cells, vertices, 16)."""
    shape = (VERTICES, VERTICES, len(OPERATIONS) + 2)  # targets, sources, labels from OUTPUT_LABEL on
    texts = [str((outward, inward, label + OUTPUT_LABEL)).encode() for outward, inward, label in np.ndindex(shape)]
    digests = b"".join(hashlib.md5(text, usedforsecurity=False).digest() for text in texts)
    ends = [np.full((len(labels), 1), label - OUTPUT_LABEL) for label in (INPUT_LABEL, OUTPUT_LABEL)]
    all_labels = np.hstack([ends[0], labels - OUTPUT_LABEL, ends[1]])
    which = np.ravel_multi_index((edges.sum(axis=2)[wiring], edges.sum(axis=1)[wiring], all_labels), shape)
    return np.frombuffer(digests, dtype=np.uint8).reshape(-1, 16)[which]


def _groups(edges: NDArray[np.bool_], wiring: Ints) -> Iterator[tuple[Ints, Ints, Ints, Ints]]:
    """Vertices with equally many sources and targets: cells (n,), vertices (n,), sources (n, i), targets (n, o)."""
    degrees = np.stack([edges.sum(axis=1), edges.sum(axis=2)], axis=-1)
    for inward, outward in np.unique(degrees.reshape(-1, 2), axis=0).tolist():
        cells, vertices = np.nonzero((degrees == (inward, outward)).all(axis=-1)[wiring])
        sources = np.nonzero(edges.swapaxes(1, 2)[wiring[cells], vertices])[1].reshape(len(cells), inward)
        targets = np.nonzero(edges[wiring[cells], vertices])[1].reshape(len(cells), outward)
        yield cells, vertices, sources, targets


def _read(keys: Bytes) -> tuple[NDArray[np.uint64], Bytes]:
    """Keys (cells, vertices, 16) as numbers that sort as they do, and as hexadecimal text (cells, vertices, 32).

    The numbers are of the first eight bytes: two keys that differ, but not there, are not to be expected
    in 10^11 runs.
    """
    return keys.view(">u8")[..., 0].astype(np.uint64), _HEXADECIMAL.take(keys).view(np.uint8)


def _joined(heads: NDArray[np.uint64], texts: Bytes, cells: Ints, vertices: Ints) -> Bytes:
    """The keys of some vertices (n, k) of each cell as text, joined in ascending order: (n, 32 k)."""
    columns = [(heads[cells, v], v) for v in vertices.T]
    for end in reversed(range(1, len(columns))):  # bubble sort, all cells at once
        for i in range(end):
            (a, v), (b, w) = columns[i : i + 2]
            swap = a > b
            columns[i] = np.minimum(a, b), np.where(swap, w, v)
            columns[i + 1] = np.maximum(a, b), np.where(swap, v, w)
    order = np.stack([v for _, v in columns], axis=1) if columns else vertices
    return texts[cells[:, None], order].reshape(len(cells), 32 * order.shape[1])


def md5(messages: Bytes) -> Bytes:
    """The MD5 digests (n, 16) of messages of equal length (n, length)."""
    n, length = messages.shape
    padded = np.zeros((n, (length + 8) // 64 * 64 + 64), dtype=np.uint8)
    padded[:, :length] = messages
    padded[:, length] = 0x80
    padded[:, -8:] = np.frombuffer((8 * length).to_bytes(8, "little"), dtype=np.uint8)
    words = np.ascontiguousarray(padded.view("<u4").T)
    state = [np.full(n, word, dtype=np.uint32) for word in _START]
    for block in range(0, len(words), 16):
        a, b, c, d = (part.copy() for part in state)
        for i in range(64):
            if i < 16:
                mixed = d ^ (b & (c ^ d))
            elif i < 32:
                mixed = c ^ (d & (b ^ c))
            elif i < 48:
                mixed = b ^ c ^ d
            else:
                mixed = c ^ (b | ~d)
            mixed += a
            mixed += words[block + _WORDS[i]]
            mixed += _SINES[i]
            turned = mixed << np.uint32(_SHIFTS[i])
            mixed >>= np.uint32(32 - _SHIFTS[i])
            turned |= mixed
            turned += b
            a, b, c, d = d, turned, b, c
        for part, change in zip(state, (a, b, c, d), strict=True):
            part += change
    return np.ascontiguousarray(np.stack(state, axis=1)).astype("<u4").view(np.uint8)
