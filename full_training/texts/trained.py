"""The benchmark whose answers are trainings of language models: a cell that is asked for is trained now, and kept."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

from nassim.benchmark import About, Noise
from nassim.full_training.texts.data import TextData, load_text
from nassim.full_training.texts.recipe import TextRecipe, text_recipe
from nassim.full_training.training.kept import trainings_folder
from nassim.full_training.training.named import Named
from nassim.full_training.training.sizes import SECONDS
from nassim.full_training.training.trained import Task, Trained
from nassim.full_training.training.training import Training
from nassim.recurrent import Cell, RecurrentSpace
from nassim.space import Architecture


class TrainedText(Trained):
    """Training of language models behind the query interface; torch is needed from the first query on.

    A value is minus the mean validation loss in nats a token. A training that failed answers what a model that knows
    nothing has: minus the logarithm of the size of the vocabulary. Nothing inherits: such a query trains from scratch.
    """

    inherits = False
    metrics = ("valid_loss",)
    search_metric = "valid_loss"
    space: RecurrentSpace
    data: TextData  # type: ignore[assignment]
    recipe: TextRecipe  # type: ignore[assignment]

    def use(self, recipe: TextRecipe) -> None:  # type: ignore[override]
        """Train by another recipe from now on; `InvalidSetting` if it does not fit the text."""
        recipe.check(self.data)
        self.metric = self.data.metric
        self._follow(recipe)  # type: ignore[arg-type]

    def _with(self, arch: Architecture, seeds: tuple[int, ...], epochs: int, since: int = 0) -> Task:
        cell: Any = partial(self.space.cell, self.space.check(arch))
        recipe: Any = self.recipe
        return TextTask(arch, cell, recipe, seeds, epochs, since, self.device, self.kept, self.space)

    def measure(self, arch: Architecture) -> dict[str, float]:
        """Parameters and multiply-adds of the language model, those for one token."""
        return model_sizes(self.space.cell(self.space.check(arch)), self.recipe.hidden, len(self.data.vocabulary))

    def worth(self, training: Training, epochs: int) -> float:
        """The value of a training after so many epochs; of one that failed that of a model that knows nothing."""
        return value(training, epochs, self.data)

    def tested(self, training: Training) -> float:
        return self.worth(training, self.epochs) if training.test_loss is None else -training.test_loss

    def own_accuracies(self, training: str) -> tuple[float, float] | None:
        """None: nothing inherits."""
        return None


@dataclass(frozen=True)
class TextTask(Task):
    """Trainings of one cell that answer a query, all choices made."""

    def value(self, training: Training, data: Any) -> float:
        return value(training, self.epochs, data)

    def sizes(self, data: Any) -> dict[str, float]:
        network: Any = self.network()
        recipe: Any = self.recipe
        return model_sizes(network, recipe.hidden, len(data.vocabulary))

    def training(self, data: Any, seed: int) -> Training:
        from nassim.full_training.texts.train import train_text

        return self.kept.obtain(
            *(self.arch, data, self.recipe, seed),
            network=self.network,
            until=self.epochs,
            device=self.device,
            lineage=self.lineage(data, seed),
            trainer=train_text,
        )


def value(training: Training, epochs: int, data: TextData) -> float:
    """Minus the validation loss after so many epochs; of a training that failed before that of a uniform guess."""
    if len(training.valid_loss) >= epochs:
        return -training.valid_loss[epochs - 1]
    return -math.log(len(data.vocabulary))


def model_sizes(cell: Cell, hidden: int, words: int) -> dict[str, float]:
    """Parameters and multiply-adds of a language model (the embedding is the softmax's as well and counts once)."""
    inside, softmax = cell.matrices * hidden**2, words * hidden
    return {"parameters": float(inside + softmax + words), "flops": float(inside + softmax)}


def load_text_training(
    space: RecurrentSpace, name: str, noise: Noise, *, paper: str, device: str = "auto"
) -> TrainedText:
    """A space's cells trained anew on a text by the usual recipe; `UnknownName` where there is no such text."""
    data, recipe = load_text(name), text_recipe()
    given, used = cast(Any, data), cast(Any, recipe)
    splits = {
        f"{split}_loss": f"{len(data.splits[split]):,} {data.unit} ({data.names[split]})" for split in data.splits
    }
    return TrainedText(
        f"{space.name}/{data.name}:training",
        space,
        given,
        used,
        About(
            title=f"{space.name}: recurrent cells trained now on the text {data.name}, recipe {recipe.name}",
            paper=paper,
            source=f"trained on this machine; kept in {trainings_folder()}",
            licence="MIT",
            citation="name the machine and nassim's version",
            splits=splits,
            extras={"parameters": "trainable", "flops": f"multiply-adds for one {data.each}"},
            notes=(SECONDS, f"Losses of another text than {data.name} are not to be compared with these."),
            sha256=data.sha256,
        ),
        noise=noise,
        device=device,
        images=Named(load_text, data.name, data.sha256),  # type: ignore[arg-type]
    )
