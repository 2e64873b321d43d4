"""The table ``nasbench201/digits``, which ships with nassim: 15,625 cells in 4,930 classes."""

from __future__ import annotations

from pathlib import Path

from nassim.tabular_data.table import Table
from nassim.tabular_data.trained import open_trained, shipped

TASK = "digits"
PATH = shipped("nasbench201-digits.h5")


def open_table(path: Path | None = None) -> Table:
    """The table (the one that is shipped) with a row for each of the 15,625 cells: `open_trained` has its columns."""
    return open_trained(path or PATH, TASK)
