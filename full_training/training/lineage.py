"""Which training a training is: the hash of everything that it follows from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from nassim.errors import InvalidQuery
from nassim.full_training.images.data import ImageData
from nassim.full_training.training.recipe import Recipe
from nassim.space import Architecture


@dataclass(frozen=True)
class Lineage:
    """What a training follows from. A broken-off, a continued and an uninterrupted one share it.

    network: the architecture's choices, however many; with the space's name they are the architecture.
    recipe, data: their hashes.
    origin, inherit: the training (`after`) whose weights this one began with, and how they were passed on; both empty
        where nothing was inherited. An architecture alone cannot say it: a child may equal its parent.
    """

    space: str
    network: str
    recipe: str
    data: str
    seed: int
    origin: str = ""
    inherit: str = ""

    @classmethod
    def of(cls, arch: Architecture, data: ImageData, recipe: Recipe, seed: int) -> Lineage:
        """The training of an architecture from scratch."""
        return cls.read(str(arch), data.sha256, recipe.sha256, seed)

    @classmethod
    def read(cls, arch: str, data_sha256: str, recipe_sha256: str, seed: int) -> Lineage:
        """The training from scratch of an architecture that is written as ``space:choices``."""
        space, _, network = arch.partition(":")
        return cls(space, network, recipe_sha256, data_sha256, seed)

    @property
    def key(self) -> str:
        """SHA-256 of what is not empty."""
        values = {name: value for name, value in asdict(self).items() if value != ""}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()

    @property
    def arch(self) -> str:
        """The architecture as text."""
        return f"{self.space}:{self.network}"


def after(keys: list[str], epochs: int) -> str:
    """The name of trainings after so many epochs: ``KEY/EPOCHS``, several keys joined by ``+`` (of a mean)."""
    return f"{'+'.join(keys)}/{epochs}"


def read_name(name: str) -> tuple[list[str], int]:
    """The keys and epochs of a name that `after` wrote; `InvalidQuery` for another text."""
    keys, _, epochs = name.rpartition("/")
    if len(name) > 10_000 or not keys or not (epochs.isascii() and epochs.isdecimal() and len(epochs) < 10):
        raise InvalidQuery(f"{name!r:.60} does not name a training: use the name that its result carries.")
    return keys.split("+"), int(epochs)
