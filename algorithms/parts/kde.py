"""Kernel densities over choices, and the good against the bad: the model of BOHB.

Source: Falkner, Klein, Hutter, ICML 2018, arXiv:1807.01774, and its code (HpBandSter). The kernel is that of Aitchison
and Aitken, Biometrika 63 (1976): 1 - h where two choices are equal, else h / (c - 1), c being the number of levels.

Two forms. "hpbandster" is the code as it is: h from the standard deviation of the options' numbers, without an upper
end (above 1 for five options that are equally frequent among seven rows), and c the levels that occur in the data, so
that a density can be negative or infinite. "categorical" is a density: c are the options of the decision, the spread
does not depend on how options are numbered, and h ends at (c - 1) / c, where all options are equally likely.
"""

from __future__ import annotations

import random
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nassim.query import Trial
from nassim.space import Architecture, SearchSpace

Form = Literal["categorical", "hpbandster"]
GOOD = 15  # percent of the trials that are good ones
LEAST = 1e-32  # of a density, where two are divided


class Density:
    """The mean of kernels around ``rows`` (n, d), which hold the numbers of the options chosen at d decisions.

    radices: (d,) options of each decision; ``bandwidths``: (d,) h of each decision, at least ``least``.
    """

    def __init__(self, rows: NDArray[np.intp], radices: NDArray[np.intp], form: Form, least: float) -> None:
        count, decisions = rows.shape
        scale = 1.06 * count ** (-1.0 / (4 + decisions))  # the normal reference rule
        self.rows = rows
        if form == "categorical":
            shares = np.stack([(rows == option).mean(axis=0) for option in range(int(radices.max()))])
            spread = np.sqrt(np.maximum(0.0, 1.0 - (shares**2).sum(axis=0)))
            self.bandwidths = np.minimum(np.maximum(scale * spread, least), (radices - 1) / radices)
            others = np.maximum(radices - 1, 1)
        else:
            self.bandwidths = np.maximum(scale * rows.std(axis=0), least)
            others = np.array([len(np.unique(column)) - 1 for column in rows.T])
        with np.errstate(divide="ignore"):
            self._elsewhere = self.bandwidths / others

    def __call__(self, points: NDArray[np.intp]) -> NDArray[np.float64]:
        """The density at ``points`` (m, d): shape (m,)."""
        product = np.ones((len(points), len(self.rows)))
        with np.errstate(invalid="ignore", over="ignore"):
            for point, row, h, elsewhere in zip(
                points.T, self.rows.T, self.bandwidths, self._elsewhere, strict=True
            ):  # a decision at a time: one array of (m, n)
                product *= np.where(point[:, None] == row, 1.0 - h, elsewhere)
            return np.asarray(product.mean(axis=1))

    def draw(self, count: int, radices: NDArray[np.intp], generator: np.random.Generator) -> NDArray[np.intp]:
        """Candidates, (count, d): a row, each choice kept with probability 1 - h and else uniform over all options."""
        rows = self.rows[generator.integers(len(self.rows), size=count)]
        moved = generator.random(rows.shape) >= 1.0 - self.bandwidths
        return np.where(moved, generator.integers(radices, size=rows.shape), rows)


class GoodAndBad:
    """What was seen after each number of epochs, and proposals from the most epochs that have a model.

    With d decisions and N trials: the best max(d + 1, 15 % of N) are good, the next max(d + 1, 85 %) of them bad, and
    there is a model where both are more than d: from N = 2 (d + 1) on.
    """

    def __init__(self, space: SearchSpace, rng: random.Random, form: Form, samples: int, least: float) -> None:
        self._space, self._rng, self._form, self._samples, self._least = space, rng, form, samples, least
        self._radices = np.array(space.radices, dtype=np.intp)
        self._seen: dict[int, tuple[list[tuple[int, ...]], list[float]]] = {}  # by epochs: choices, values
        self._generator: np.random.Generator | None = None
        self._model: tuple[Density, Density] | None = None
        self._made_of = (0, 0)  # epochs and trials of the model

    def observe(self, trial: Trial) -> None:
        """A training has ended."""
        choices, values = self._seen.setdefault(trial.result.epochs, ([], []))
        choices.append(trial.arch.choices)
        values.append(trial.value)

    @property
    def ready(self) -> bool:
        """Whether there is a model."""
        return any(len(values) >= 2 * (len(self._radices) + 1) for _, values in self._seen.values())

    def densities(self) -> tuple[Density, Density]:
        """Those of the good and of the bad, after the most epochs that have enough trials."""
        least = len(self._radices) + 1
        epochs = max(epochs for epochs, (_, values) in self._seen.items() if len(values) >= 2 * least)
        choices, values = self._seen[epochs]
        if self._model is None or self._made_of != (epochs, len(values)):
            order = np.argsort(-np.array(values), kind="stable")
            good, bad = (max(least, share * len(values) // 100) for share in (GOOD, 100 - GOOD))
            rows = np.array(choices, dtype=np.intp)[order]
            given = self._radices, self._form, self._least
            self._model = Density(rows[:good], *given), Density(rows[good : good + bad], *given)
            self._made_of = epochs, len(values)
        return self._model

    def propose(self) -> Architecture:
        """The candidate of the highest ratio of the densities; an infinite one is taken at once, as in the code.

        Candidates that are no architectures of the space are passed over; where none is left, the prior answers.
        """
        if self._generator is None:
            self._generator = np.random.default_rng(self._rng.getrandbits(128))
        good, bad = self.densities()
        points = good.draw(self._samples, self._radices, self._generator)
        above, below = good(points), bad(points)
        with np.errstate(invalid="ignore"):
            ratio = np.fmax(below, LEAST) / np.fmax(above, LEAST)
        ratio[np.isinf(ratio) & np.isfinite(above)] = -np.inf
        for place in np.argsort(ratio, kind="stable"):  # what is not a number comes last
            arch = Architecture(self._space.name, tuple(points[place].tolist()))
            if not np.isnan(ratio[place]) and self._space.is_valid(arch):
                return arch
        return self._space.sample(self._rng)
