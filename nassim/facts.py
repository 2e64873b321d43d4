"""What the analysis of a study needs of its benchmarks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from nassim.benchmark import Benchmark
from nassim.errors import InvalidSetting, Unsupported
from nassim.metric import ACCURACY, Metric
from nassim.objectives import Constraint
from nassim.outlook import within

WALL_SECONDS = "wall-clock seconds"  # the unit of times of studies on that clock


class Facts(NamedTuple):
    """What the analysis needs of a benchmark; kept in the study, so that no table is needed to plot it.

    ``best_valid`` and ``best_test`` are the best mean values of the space (of accuracies fractions, None where not
    known); ``typical_seconds`` is the mean cost of a query that names no epochs.
    """

    name: str
    epochs: int
    best_valid: float | None
    best_test: float | None
    typical_seconds: float | None  # None: nothing has been trained yet
    synthetic: bool
    sha256: str
    regret_on: str = ""  # the split that was asked for
    cost_unit: str = "seconds"  # of all times of the study; another one where a benchmark declares its costs
    metric_record: Mapping[str, str] = {}  # of `metric`; empty: accuracy, as in studies that say nothing of it
    surrogate: str = ""  # where values are predictions: fitted to what
    learned_best: float | None = None  # the largest value that such a surrogate was fitted to
    constraint: str = ""  # that ``best_valid`` and ``best_test`` keep to, as all answers do

    @classmethod
    def of(cls, b: Benchmark, regret_on: str = "", constraint: Constraint | None = None) -> Facts:
        """The facts of a benchmark; `Unsupported` if regret is asked for on a split that it lacks."""
        if regret_on not in ("", "valid", "test"):
            raise InvalidSetting(f"regret is taken on valid or test, not on {regret_on!r:.40}.")
        if regret_on == "test" and not b.has_test:
            raise Unsupported(f"there is no regret on test: {b.name} has no test split. {b.test_source}".rstrip())
        splits = ("valid", "test") if b.has_test else ("valid",)
        best = {split: b.optimum(b.metric.on(split)) for split in splits}
        if constraint is not None:
            known = [split for split in splits if best[split] is not None]
            found = within(b, constraint, [b.metric.on(split) for split in known]) if known else None
            best = {} if found is None else {split: found.best[b.metric.on(split)] for split in known}
        return cls(
            name=b.name,
            epochs=b.epochs,
            best_valid=best.get("valid"),
            best_test=best.get("test"),
            typical_seconds=None if math.isnan(b.typical_cost) else b.typical_cost,
            synthetic=b.about.synthetic,
            sha256=b.about.sha256,
            regret_on=regret_on,
            cost_unit=b.cost_unit,
            metric_record={} if b.metric == ACCURACY else b.metric._asdict(),
            surrogate=b.about.surrogate,
            learned_best=None if b.about.learned is None else b.about.learned[1],
            constraint="" if constraint is None else str(constraint),
        )

    def on(self, clock: str) -> Facts:
        """The same of a study on a clock: what is measured on the wall clock is never called seconds alone."""
        return self._replace(cost_unit=WALL_SECONDS) if clock == "wall" else self

    @property
    def time_axis(self) -> str:
        """The title of an axis of time: what its numbers are."""
        if self.cost_unit == WALL_SECONDS:
            return "time on the wall clock [s]"
        return "simulated time [s]" if self.cost_unit == "seconds" else f"declared cost [{self.cost_unit}]"

    @property
    def metric(self) -> Metric:
        """What the searches were judged by; it says how its values and regrets are printed."""
        return Metric.of(self.metric_record)

    @property
    def remark(self) -> str:
        """What stands behind the benchmark's name wherever its numbers are: that they are made up, or predictions."""
        if self.surrogate:
            return f" (surrogate, {self.surrogate})"
        return " (synthetic)" if self.synthetic else ""

    @property
    def among(self) -> str:
        """What stands behind "the best": among which architectures, where a constraint leaves some out."""
        return f" among those with {self.constraint}" if self.constraint else ""

    def best(self, split: str) -> float | None:
        """The best mean value of the space on a split."""
        return self.best_test if split == "test" else self.best_valid

    @property
    def search_split(self) -> str:
        """The split that the searches saw: validation, unless the benchmark's id says that it was test."""
        return "test" if ":search_on=test" in self.name else "valid"

    @property
    def regret_split(self) -> str:
        """The split that regret is taken on: the one asked for, else test where there is one, else validation."""
        return self.regret_on or ("valid" if self.best_test is None else "test")
