"""Where the data lies: one folder for all tables."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_data_dir

VARIABLE = "NASSIM_DATA"


def data_folder() -> Path:
    """The folder of the tables: the environment variable ``NASSIM_DATA``, else the user's data folder.

    The folder need not exist: whatever writes to it makes it.
    """
    chosen = os.environ.get(VARIABLE, "").strip()
    return Path(chosen).expanduser().absolute() if chosen else Path(user_data_dir("nassim", appauthor=False))


def downloads_folder() -> Path:
    """The folder of released files as they were fetched, below the data folder."""
    return data_folder() / "downloads"
