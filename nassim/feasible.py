"""How many of a study's trials keep to its constraint."""

from __future__ import annotations

from typing import NamedTuple

from nassim.study import Study


class Kept(NamedTuple):
    """Of the trials of a strategy's runs on a benchmark: how many keep to the constraint, of how many."""

    feasible: int
    trials: int

    @property
    def share(self) -> float:
        """A fraction; NaN without trials."""
        return self.feasible / self.trials if self.trials else float("nan")

    def __str__(self) -> str:
        return f"{100 * self.share:.0f} %" if self.trials else "–"


def of_study(study: Study) -> dict[tuple[str, str], Kept]:
    """By benchmark and strategy, over all runs; empty without a constraint, and where trials were not kept."""
    if not study.settings.get("constraint") or not study.settings.get("trials", True):
        return {}
    found = dict.fromkeys(((run.benchmark, run.strategy) for run in study.runs), Kept(0, 0))
    for benchmark, strategy, _, _, row in study.trials():
        kept = found[benchmark, strategy]
        found[benchmark, strategy] = Kept(kept.feasible + row.feasible, kept.trials + 1)
    return found
