"""The look-up tables of latencies that a user has: in ``latency/`` of the data folder, or where a path says."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from nassim.errors import InvalidSetting
from nassim.latency import DECLARED, LatencyTable, read_table, write_table
from nassim.tabular_data.locations import data_folder

NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,39}", re.ASCII)  # it becomes the device of latency[NAME]


def folder() -> Path:
    """Where tables lie."""
    return data_folder() / "latency"


def path_of(name: str) -> Path:
    """The file of a name; `InvalidSetting` for what is no name."""
    if not NAME.fullmatch(name) or name == DECLARED.name:
        raise InvalidSetting(f"{name!r:.60} is no name of a look-up table: small letters, digits and _, not macs.")
    return folder() / f"{name}.json"


def latency_table(name: str) -> LatencyTable:
    """The table of a name or of a path that ends with ``.json``; ``macs`` is the declared one.

    `MissingData` where there is none, `CorruptData` for another file.
    """
    if name == DECLARED.name:
        return DECLARED
    path = Path(name).expanduser() if name.endswith(".json") else path_of(name)
    return _read(path, path.stat().st_mtime_ns if path.is_file() else 0)


def latency_tables() -> list[LatencyTable]:
    """All tables of the folder, by name."""
    return [latency_table(path.stem) for path in sorted(folder().glob("*.json")) if NAME.fullmatch(path.stem)]


def keep(table: LatencyTable) -> tuple[Path, str]:
    """The file of a table and what is to be written to it."""
    return path_of(table.name), write_table(table)


@lru_cache(maxsize=32)
def _read(path: Path, changed: int) -> LatencyTable:
    return read_table(path)
