"""DARTS: two cells of four nodes, 10^18 architectures; cifar10 is a surrogate: NAS-Bench-301 at second hand.

Paper: H. Liu, K. Simonyan, Y. Yang, "DARTS: Differentiable Architecture Search", ICLR 2019, arXiv:1806.09055;
    A. Zela et al., "Surrogate NAS Benchmarks", ICLR 2022, arXiv:2008.09777 (NAS-Bench-301).

Splits: ``valid`` is a prediction: a linear model fitted to 1,218 of NAS-Bench-301's own predictions of the validation
    accuracy. There is no test split and no optimum, hence no regret.

Noise: none; an architecture has one value.

Pitfalls: docs/surrogates.md begins with what it must not be used for. Searches go where a surrogate errs in their
    favor: predictions above all that it was fitted to are said where they appear. Costs are declared: three times
    the multiply-adds (forward, and backward at twice its cost) of the network with 32 channels and 8 cells, for 100
    epochs of 40,000 images on an accelerator of 10^12 multiply-adds a second.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import cached_property

import numpy as np

from nassim.benchmark import About, Benchmark, Noise
from nassim.benchmarks.spaces.darts import SPACE
from nassim.benchmarks.spaces.darts_cost import multiply_adds, parameters
from nassim.benchmarks.spaces.darts_features import features
from nassim.errors import CorruptData, InvalidQuery, Unsupported
from nassim.full_training.supernets.sources import RECIPES, supernets_of
from nassim.query import Query, Result
from nassim.space import Architecture
from nassim.supernet import Supernets
from nassim.surrogates.linear import Linear
from nassim.tabular_data.table import Table
from nassim.tabular_data.trained import shipped

__all__ = ["SPACE", "TASKS", "load", "supernets"]

PATH = shipped("darts-cifar10.h5")
TASKS = ("cifar10",) if PATH.exists() else ()
SURROGATE = "distilled from 1,218 predictions of NAS-Bench-301"
EPOCHS, IMAGES = 100, 40_000
MULTIPLY_ADDS_PER_SECOND = 1e12  # of the declared accelerator


class Distilled(Benchmark):
    """Predictions in place of trainings."""

    space = SPACE
    epochs = EPOCHS
    fidelities = (EPOCHS,)
    test_source = "NAS-Bench-301 predicts validation accuracies only."
    epochs_source = "It predicts what a full training gives."

    def __init__(self, table: Table, task: str, noise: Noise) -> None:
        if noise.kind == "repeat" and noise.repeat > 1:
            raise InvalidQuery(f"darts/{task} has one prediction an architecture, no repeat={noise.repeat}: use mean.")
        columns = {name.partition("/")[2]: column for name, column in table.columns.items()}
        try:
            self._model = Linear(float(columns["intercept"][0]), columns["weights"])
            low, high = columns["learned"].tolist()
            r2, tau, upper = columns["cross_validated"].tolist()
            self._model.predict(features(np.zeros((1, len(SPACE.decisions)), np.int64)))
        except (LookupError, ValueError) as error:
            raise CorruptData(
                f"{table.path} is not the model of darts/{task} ({error}). Install nassim again."
            ) from None
        header = table.header
        self.name = f"darts/{task}"
        self.noise = noise
        self.about = About(
            title=f"NAS-Bench-301 at second hand, {task}: surrogate, {SURROGATE}",
            paper="Zela et al., ICLR 2022, arXiv:2008.09777; predictions: Krishnakumar et al., arXiv:2210.03230",
            source=header.source,
            licence=header.licence,
            citation=header.citation,
            splits={name.partition("/")[2]: text for name, text in header.splits.items()},
            extras={"parameters": "trainable", "flops": "multiply-adds for one image"},
            notes=(
                "What it must not be used for stands first in docs/surrogates.md.",
                *header.errata,
                f"Ten-fold cross-validation: R2 {r2:.3f}, Kendall's tau {tau:.3f}, in the upper half {upper:.3f}.",
                f"Fitted to predictions of {100 * low:.2f} to {100 * high:.2f} %: what lies beyond is extrapolated.",
                "Cost: 3 x multiply-adds x 100 epochs x 40,000 images at 10^12 multiply-adds a second.",
            ),
            sha256=header.sha256,
            surrogate=SURROGATE,
            learned=(low, high),
        )
        self._known: dict[Architecture, tuple[float, dict[str, float]]] = {}

    def query(self, query: Query, rng: random.Random) -> Result:
        """The prediction and its declared cost; ``rng`` is not used, as there is no noise."""
        epochs = self.epochs_of(query)
        value, size = self._look_up(query.arch)
        return Result(value, epochs, _seconds(size["flops"]), size, f"{query.arch}/1/{epochs}")

    def measure(self, arch: Architecture) -> Mapping[str, float]:
        """Parameters and multiply-adds of the network with 32 channels and 8 cells."""
        return self._look_up(arch)[1]

    def mean_accuracy(self, arch: Architecture, metric: str = "valid_accuracy") -> float:
        """The prediction."""
        if metric == "test_accuracy":
            raise Unsupported(f"{self.name} has no test split. {self.test_source}")
        if metric != "valid_accuracy":
            raise InvalidQuery(f"{self.name} has the metric valid_accuracy, not {metric!r:.40}.")
        return self._look_up(arch)[0]

    @cached_property
    def typical_cost(self) -> float:
        """Mean seconds over architectures of the space."""
        rng = random.Random("typical cost")
        sample = np.array([self.space.sample(rng).choices for _ in range(200)])
        return _seconds(float(multiply_adds(sample).mean()))

    def cheapest_cost(self, epochs: int | None = None) -> float:
        """Seconds of a network of poolings, which multiply nothing."""
        return _seconds(float(multiply_adds(np.zeros((1, len(SPACE.decisions)), np.int64))[0]))

    def _look_up(self, arch: Architecture) -> tuple[float, dict[str, float]]:
        found = self._known.get(arch)
        if found is None:
            choices = np.array([self.space.check(arch).choices])
            value = float(self._model.predict(features(choices))[0])
            size = {"parameters": float(parameters(choices)[0]), "flops": float(multiply_adds(choices)[0])}
            found = self._known[arch] = (min(max(value, 0.0), 1.0), size)  # a fraction, whatever is extrapolated
        return found


def _seconds(flops: float) -> float:
    return 3.0 * flops * EPOCHS * IMAGES / MULTIPLY_ADDS_PER_SECOND


def load(task: str, noise: Noise) -> Distilled:
    """The surrogate, which comes with nassim."""
    return Distilled(Table.open(PATH), task, noise)


def supernets(task: str) -> Supernets | None:
    """Where the one-shot runs on a set of images come from; those on Fashion-MNIST serve where there are none."""
    images = task.partition(":")[0]
    if (SPACE.name, images) not in RECIPES:
        return None
    return supernets_of(
        SPACE,
        images,
        published_seconds=_search_seconds,
        published_source="the searches' papers on CIFAR-10",
        stand_in=supernets("fashion14") if images != "fashion14" else None,
    )


def _search_seconds(algorithm: str, hyperparameters: Mapping[str, object]) -> float | None:
    """Of one search. DARTS' 1.5 and 4 days on a GTX 1080 Ti are those of four (section 3.3), GDAS' 0.21 of one."""
    if algorithm == "darts":
        return (4.0 if hyperparameters.get("order") == 2 else 1.5) * 86_400 / 4
    return 0.21 * 86_400 if algorithm == "gdas" else None
