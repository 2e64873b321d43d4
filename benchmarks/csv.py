"""Tables of your own: results in CSV, JSON or Parquet, with a specification of their columns.

Paper: the table's own.

Tasks: the names of the tables that were imported (`nassim data import NAME RESULTS --spec SPEC`; docs/own-table.md says
    how). They lie in the data folder; this page needs no other.

Splits, noise, cost: as the specification says. Where architectures are missing, they are either refused by
    name, or the space is only what is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nassim.benchmark import Noise
from nassim.tabular_data import own_table

if TYPE_CHECKING:
    from nassim.space import SearchSpace

__all__ = ["load"]


def __getattr__(name: str) -> tuple[str, ...] | tuple[SearchSpace, ...]:
    """TASKS and SPACES depend on what has been imported: they are looked up anew each time."""
    if name == "TASKS":
        return tuple(own_table.table_names())
    if name == "SPACES":
        return tuple(own_table.spaces())
    raise AttributeError(name)


def load(task: str, noise: Noise) -> own_table.OwnTable:
    """Open a table by its name."""
    return own_table.load(task, noise)
