"""Trainings that were made, kept in the data folder: one SQLite file, and checkpoints of those that are not whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from nassim.errors import CorruptData, OutputFailed
from nassim.full_training.images.data import ImageData
from nassim.full_training.training.device import choose_device
from nassim.full_training.training.recipe import Recipe
from nassim.full_training.training.training import Training
from nassim.space import Architecture
from nassim.tabular_data.locations import data_folder

if TYPE_CHECKING:
    from nassim.full_training.training.train import Curve

_SCHEMA = """
CREATE TABLE IF NOT EXISTS trainings (
    arch TEXT, data TEXT, recipe TEXT, seed INTEGER,  -- data and recipe are hashes
    epochs INTEGER, record TEXT,  -- epochs trained so far; the record as JSON
    PRIMARY KEY (arch, data, recipe, seed)) WITHOUT ROWID;
"""


def trainings_folder() -> Path:
    """Where trainings are kept: ``trainings`` in the data folder."""
    return data_folder() / "trainings"


class Kept:
    """The trainings in a folder. Every call opens the file anew, so that processes can share it."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder if folder is not None else trainings_folder()
        self.path = self.folder / "trainings.db"

    def find(self, arch: str, data_sha256: str, recipe_sha256: str, seed: int) -> Training | None:
        """The training of an architecture, data set, recipe and seed, whole or begun; None if there is none."""
        where = "arch = ? AND data = ? AND recipe = ? AND seed = ?"
        rows = self._read(f"SELECT record FROM trainings WHERE {where}", (arch, data_sha256, recipe_sha256, seed))
        return rows[0] if rows else None

    def all_of(self, data_sha256: str, recipe_sha256: str) -> list[Training]:
        """All trainings on a data set by a recipe."""
        where = "data = ? AND recipe = ? ORDER BY arch, seed"
        return self._read(f"SELECT record FROM trainings WHERE {where}", (data_sha256, recipe_sha256))

    def add(self, training: Training) -> None:
        """Keep a training in place of an earlier one of the same architecture, data, recipe and seed."""
        key = (training.arch, training.data_sha256, training.recipe_sha256, training.seed)
        with self._open() as db, db:
            epochs = len(training.valid_accuracy)
            db.execute("INSERT OR REPLACE INTO trainings VALUES (?,?,?,?,?,?)", (*key, epochs, training.to_json()))

    def checkpoint(self, arch: str, data_sha256: str, recipe_sha256: str, seed: int) -> Path:
        """Where the checkpoint of a training lies while it is not whole."""
        choices = arch.partition(":")[2] or arch
        return self.folder / "checkpoints" / f"{choices}-{data_sha256[:12]}-{recipe_sha256[:12]}-{seed}.pt"

    def _read(self, query: str, values: tuple[object, ...]) -> list[Training]:
        if not self.path.exists():
            return []
        with self._open() as db:
            return [Training.from_json(text) for (text,) in db.execute(query, values)]

    def obtain(
        self,
        arch: Architecture,
        data: ImageData,
        recipe: Recipe,
        seed: int,
        *,
        until: int | None = None,
        device: str = "auto",
        again: bool = False,
        tell: Callable[[Curve], None] | None = None,
    ) -> Training:
        """The training that is kept, or one that is made now and kept; needs torch for the latter.

        until: epochs that are needed (None: all); the checkpoint of a training that stops before its end stays.
        again: train although a training is kept, and keep the new one in its place.
        """
        wanted = until or recipe.epochs
        key = str(arch), data.sha256, recipe.sha256, seed
        known = None if again else self.find(*key)
        if known is not None and (known.failed or len(known.valid_accuracy) >= wanted):
            return known
        chosen = choose_device(device)
        from nassim.full_training.training.train import train

        path = self.checkpoint(*key)
        if again:
            path.unlink(missing_ok=True)
        training = train(arch, data, recipe, seed, device=chosen, resume=path, until=wanted, tell=tell)
        self.add(training)
        if training.failed or training.test_accuracy is not None:
            path.unlink(missing_ok=True)
        return training

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=60.0)) as db:
                db.executescript(_SCHEMA)
                yield db
        except sqlite3.OperationalError as error:
            raise OutputFailed(f"{self.path}: {error}. Is the folder writable and the disk not full?") from error
        except sqlite3.DatabaseError as error:
            raise CorruptData(f"{self.path} is damaged ({error}). Move it away: trainings are made anew.") from error
        except OSError as error:
            if isinstance(error, (CorruptData, OutputFailed)):
                raise
            raise OutputFailed(f"{self.path}: {error.strerror or error}.") from error
