"""A text as parallel streams, cut into pieces through which the state is carried."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Piece(NamedTuple):
    """Tokens (T, B) and the next ones (T, B)."""

    tokens: Tensor
    wanted: Tensor


def streams(tokens: NDArray[np.int32], count: int, device: torch.device) -> Tensor:
    """The text cut into ``count`` equal streams, (length, count) of int64; a few tokens are left over."""
    length = len(tokens) // count
    rows = torch.from_numpy(tokens[: length * count].astype(np.int64)).view(count, length)
    return rows.t().contiguous().to(device)


def pieces(rows: Tensor, steps: int) -> Iterator[Piece]:
    """Pieces of at most so many steps, one behind the other; the last may be shorter."""
    for i in range(0, len(rows) - 1, steps):
        end = min(i + steps, len(rows) - 1)
        yield Piece(rows[i:end], rows[i + 1 : end + 1])
