"""Recurrent cells of language models: DARTS' (rnn) and ENAS' (rnn-enas), 10^9 and 10^14 of them.

Paper: H. Liu, K. Simonyan, Y. Yang, "DARTS: Differentiable Architecture Search", ICLR 2019, arXiv:1806.09055;
    H. Pham, M. Guan, B. Zoph, Q. Le, J. Dean, "Efficient Neural Architecture Search via Parameter Sharing", ICML 2018,
    arXiv:1802.03268.

Tasks: none. No table of these spaces is published. ``rnn/TEXT:training`` trains cells on a text; docs/recurrent.md.
"""

from __future__ import annotations

from nassim.benchmarks.spaces.rnn import DARTS_SPACE, ENAS_SPACE
from nassim.full_training.supernets.sources import known_supernets
from nassim.supernet import Supernets

__all__ = ["SPACES", "TASKS", "supernets"]

SPACES = (DARTS_SPACE, ENAS_SPACE)
TASKS: tuple[str, ...] = ()


def supernets(task: str) -> Supernets | None:
    """Where the one-shot runs of ``rnn`` on a text come from."""
    return known_supernets(DARTS_SPACE, task.partition(":")[0])
