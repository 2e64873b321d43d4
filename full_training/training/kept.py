"""Trainings that were made, kept in the data folder: one SQLite file, and checkpoints of those that are not whole.

A training is kept under the key of its lineage (`nassim.full_training.training.lineage`). Asked for more epochs of the
same schedule it goes on from its checkpoint. Of several processes that ask for the same one, one makes it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nassim.full_training.images.data import ImageData
from nassim.full_training.training.device import choose_device
from nassim.full_training.training.kept_file import open_file, write
from nassim.full_training.training.leases import SECONDS, Lease, LeaseLost, hold
from nassim.full_training.training.lineage import Lineage
from nassim.full_training.training.recipe import Recipe
from nassim.full_training.training.training import Training
from nassim.network import Network
from nassim.space import Architecture
from nassim.tabular_data.locations import data_folder

if TYPE_CHECKING:
    from nassim.full_training.training.heritage import Heritage
    from nassim.full_training.training.train import Curve


def trainings_folder() -> Path:
    """Where trainings are kept: ``trainings`` in the data folder."""
    return data_folder() / "trainings"


class Kept:
    """The trainings in a folder. Every call opens the file anew, so that processes can share it.

    lease_seconds: without a sign of life from whoever makes a training, until another takes it over.
    """

    def __init__(self, folder: Path | None = None, *, lease_seconds: float = SECONDS) -> None:
        self.folder = folder if folder is not None else trainings_folder()
        self.path = self.folder / "trainings.db"
        self.lease_seconds = lease_seconds

    def find(self, lineage: Lineage) -> Training | None:
        """The training of a lineage, whole or begun; None if there is none."""
        return self.named(lineage.key)

    def named(self, key: str) -> Training | None:
        """The training with a key, whole or begun; None if there is none."""
        rows = self._read("SELECT record FROM trainings WHERE key = ?", (key,))
        return rows[0] if rows else None

    def all_of(self, data_sha256: str, recipe_sha256: str, space: str) -> list[Training]:
        """All trainings of a space's architectures on a data set by a recipe, from scratch."""
        where = "data = ? AND recipe = ? AND space = ? AND origin = '' ORDER BY network, seed"
        return self._read(f"SELECT record FROM trainings WHERE {where}", (data_sha256, recipe_sha256, space))

    def add(self, lineage: Lineage, training: Training) -> None:
        """Keep a training in place of an earlier one of the same lineage."""
        with self._open() as db, db:
            write(db, lineage, len(training.valid_accuracy), training.to_json())

    def checkpoint(self, lineage: Lineage) -> Path:
        """Where the checkpoint of a training lies while it is not whole."""
        return self.folder / "checkpoints" / f"{lineage.key}.pt"

    def weights(self, key: str, epochs: int) -> Path:
        """Where the weights of a training lie after so many epochs, if they are kept."""
        return self.folder / "weights" / f"{key}-{epochs}.pt"

    def lineage(self, key: str) -> Lineage | None:
        """What a kept training follows from; None if there is none of that key."""
        if not self.path.exists():
            return None
        columns = "space, network, recipe, data, seed, origin, inherit"
        with self._open() as db:
            row = db.execute(f"SELECT {columns} FROM trainings WHERE key = ?", (key,)).fetchone()
        return None if row is None else Lineage(*row)

    def obtain(
        self,
        arch: Architecture,
        data: ImageData,
        recipe: Recipe,
        seed: int,
        *,
        network: Callable[[], Network] | None = None,
        until: int | None = None,
        device: str = "auto",
        again: bool = False,
        compiled: bool = False,
        tell: Callable[[Curve], None] | None = None,
        waits: Callable[[str], None] | None = None,
        lineage: Lineage | None = None,
        heritage: Callable[[], Heritage] | None = None,
        weights: bool = False,
        trainer: Callable[..., Training] | None = None,
    ) -> Training:
        """The training that is kept, or one that is made now and kept; needs torch for the latter.

        network: gives what `train` is to train, if there is something to train; None: a cell of NAS-Bench-201.
        until: epochs that are needed (None: all); fewer may be asked for later, and more: the checkpoint of a training
            that stops before its end stays, and only the epochs that it lacks are trained.
        again: train although a training is kept, and keep the new one in its place.
        compiled: run what is trained here by torch.compile; its last digits are others.
        tell: called after every epoch that is trained here.
        waits: told who makes this training already, if somebody does; then it is waited for.
        lineage: what it is kept by (None: a training from scratch by this recipe).
        heritage: gives the weights that it begins with, if there is something to train.
        weights: keep the weights after ``until`` epochs as well, and train anew where they are not there.
        trainer: what trains, with `train`'s arguments, where it is not `train`.
        """
        lineage = lineage or Lineage.of(arch, data, recipe, seed)
        wanted = min(until or recipe.epochs, recipe.epochs)
        keep = self.weights(lineage.key, wanted) if weights else None

        def enough() -> Training | None:
            known = None if again else self.find(lineage)
            reached = known is not None and (len(known.valid_accuracy) >= wanted and (keep is None or keep.exists()))
            return known if known is not None and (known.failed or reached) else None

        while True:
            if (known := enough()) is not None:
                return known
            chosen = choose_device(device)
            try:
                with hold(self._open, lineage.key, seconds=self.lease_seconds, waits=waits) as lease:
                    if (known := enough()) is not None:  # made while this process waited
                        return known

                    known = self.find(lineage)
                    beyond = known is not None and not again and len(known.valid_accuracy) >= wanted
                    path = None if beyond else self._own_checkpoint(lineage, again)  # only the weights are lost

                    def told(curve: Curve, lease: Lease = lease) -> None:
                        if not lease.renew():  # before the checkpoint of the epoch is written
                            raise LeaseLost
                        if tell is not None:
                            tell(curve)

                    options: dict[str, Any] = {"device": chosen, "resume": path, "until": wanted, "tell": told}
                    options |= {"compiled": compiled, "heritage": heritage and heritage(), "keep": keep}
                    training = (trainer or _usual())(arch, data, recipe, seed, network=network and network(), **options)
                    if not lease.renew():
                        raise LeaseLost
                    if beyond and known is not None:
                        return known
                    self.add(lineage, training)
                    if path is not None and (training.failed or training.test_accuracy is not None):
                        path.unlink(missing_ok=True)
                    return training
            except LeaseLost:
                continue

    def _own_checkpoint(self, lineage: Lineage, again: bool) -> Path:
        """Where the checkpoint lies; one of an earlier version, which named it otherwise, is put there."""
        path = self.checkpoint(lineage)
        choices = lineage.network if lineage.space == "nasbench201" else ""  # the only space that it trained
        old = path.with_name(f"{choices}-{lineage.data[:12]}-{lineage.recipe[:12]}-{lineage.seed}.pt")
        if old.exists() and not path.exists():
            old.replace(path)
        if again:
            path.unlink(missing_ok=True)
        return path

    def _read(self, query: str, values: tuple[object, ...]) -> list[Training]:
        if not self.path.exists():
            return []
        with self._open() as db:
            return [Training.from_json(text) for (text,) in db.execute(query, values)]

    def _open(self) -> AbstractContextManager[sqlite3.Connection]:
        return open_file(self.path)


def _usual() -> Callable[..., Training]:
    """What trains networks of images; found when it is needed, as it loads torch."""
    from nassim.full_training.training import train

    return train.train
