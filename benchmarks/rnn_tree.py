"""Recurrent cells of language models that are trees over eight leaves with a memory; an LSTM is one of them.

Paper: B. Zoph, Q. Le, "Neural Architecture Search with Reinforcement Learning", ICLR 2017, arXiv:1611.01578.

Tasks: none. No table of this space is published. ``rnn_tree/TEXT:training`` trains cells on a text; docs/recurrent.md.
"""

from __future__ import annotations

from nassim.benchmarks.spaces.rnn_tree import SPACE

__all__ = ["SPACE", "TASKS"]

TASKS: tuple[str, ...] = ()
