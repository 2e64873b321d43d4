"""Data that whoever needs them loads himself: what travels to other processes is their name and their hash."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

from nassim.errors import CorruptData

Data = TypeVar("Data")


@dataclass(frozen=True)
class Named(Generic[Data]):
    """Images or a text by name; ``load`` reads them. `CorruptData` if they are others by then."""

    load: Callable[[str], Data]
    name: str
    sha256: str

    def __call__(self) -> Data:
        found: Data = _loaded(self.load, self.name, self.sha256)
        return found


@lru_cache(maxsize=2)
def _loaded(load: Callable[[str], Any], name: str, sha256: str) -> Any:
    data = load(name)
    if data.sha256 != sha256:
        raise CorruptData(f"{name} is not what the training was asked for on: ask again.")
    return data
