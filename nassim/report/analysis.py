"""What a study shows, computed once for all forms of the report."""

from __future__ import annotations

from functools import cached_property

from nassim.benchmark import Benchmark
from nassim.cautions import Caution, of_study
from nassim.errors import NassimError
from nassim.registry import get_benchmark
from nassim.report.runs import SPLIT_NAMES, Part, budget_in_words
from nassim.stats import Circumstances, Comparison, compare_strategies, three_sentences
from nassim.study import Study

RESAMPLES = 2000


class Analysis:
    """A study with its parts (one a benchmark), the comparison of final regrets, and what could not be computed."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.parts = [Part(study, name) for name in study.benchmarks]
        self.strategies = study.strategies
        self._opened: dict[str, Benchmark | str] = {}

    @property
    def planned(self) -> int:
        """How many runs the study is to have."""
        return int(self.study.settings["runs"])

    @cached_property
    def comparison(self) -> Comparison:
        """All strategies against each other by final regret."""
        return compare_strategies({part.name: part.final_regrets() for part in self.parts}, resamples=RESAMPLES)

    @cached_property
    def budgets(self) -> dict[str, str]:
        """strategy -> what its runs had to spend, in words; over benchmarks where that differs."""
        found = {}
        for strategy in self.strategies:
            parts = [part for part in self.parts if strategy in part.runs]
            said = [budget_in_words(part.budget, part.runs[strategy], part.clock) for part in parts]
            found[strategy] = " or ".join(dict.fromkeys(said))
        return found

    @cached_property
    def cautions(self) -> list[Caution]:
        """Runs that say less than they seem to."""
        return of_study(self.study)

    @cached_property
    def sentences(self) -> tuple[str, str, str]:
        """What the study shows, how sure that is, what to keep in mind."""
        if not self.parts:
            return (
                f"None of this study's {self.planned:,} runs has finished yet.",
                "So it says nothing about any strategy.",
                "The command that began it continues it.",
            )
        replayed: dict[str, dict[str, str]] = {}
        for part in self.parts:
            for strategy in part.strategies:
                for mode in ("recorded", "proxy"):
                    if any(run.mode == mode for run in part.runs[strategy]):
                        replayed.setdefault(strategy, {})[part.name] = mode
        circumstances = Circumstances(
            splits={part.name: part.split_name for part in self.parts},
            regrets={part.name: (part.regret_name, part.metric.regret_words) for part in self.parts},
            budgets=self.budgets,
            synthetic=[part.name for part in self.parts if part.facts.synthetic],
            surrogates={part.name: part.facts.surrogate for part in self.parts if part.facts.surrogate},
            replayed=replayed,
            missing=self.planned - len(self.study.runs),
            times={part.name: part.open_times() for part in self.parts if part.open_times()},
            units={part.name: part.clock.words for part in self.parts},
            workers=int(self.study.settings["workers"]),
            constraint=next((part.facts.constraint for part in self.parts), ""),
        )
        return three_sentences(self.comparison, circumstances)

    @cached_property
    def limits(self) -> list[str]:
        """What cannot be computed from this study, each with the reason; empty if everything can."""
        if not self.parts:
            return ["No run has finished: there are no curves, tables, tests or diagrams."]
        found = []
        if len(self.strategies) == 1:
            found.append("One strategy: there are no pairs, tests or ranks to show.")
        if all(len(runs) == 1 for part in self.parts for runs in part.runs.values()):
            found.append("One seed of each strategy: there are no intervals, no quartiles and no tests.")
        if len(self.parts) == 1:
            found.append("One benchmark: ranks and tests are over its seeds, and speak of it alone.")
        for part in self.parts:
            found += [f"No {SPLIT_NAMES[split]} results on {why}" for split, why in part.lacking.items()]
            reference = part.references.get(part.split)
            if reference is not None and not reference.known:
                best = part.metric.read(reference.value)
                found.append(
                    f"{part.name} predicts, and the best that it predicts is not known: there is no regret. In its "
                    f"place stands the gap to the highest prediction that this study found ({best})."
                    if part.facts.surrogate
                    else f"The best {part.metric.title(part.split)} on {part.name} is not known: its regret is "
                    f"measured from the best that this study found ({best})."
                )
        if len(set(self.budgets.values())) > 1:
            equal = [part.name for part in self.parts if part.equal_time() is not None]
            column = f" The column at equal simulated time does not ({', '.join(equal)})." if equal else ""
            found.append(f"Budgets differ: final regrets compare unequal efforts.{column}")
        left_out: dict[str, str] = self.study.settings.get("left_out", {})
        return found + [f"{what} was left out: {why}" for what, why in left_out.items()]

    def benchmark(self, name: str) -> Benchmark | str:
        """The benchmark itself with means over repeats, or why it cannot be opened or is not the study's."""
        if name not in self._opened:
            self._opened[name] = _open(name, self.study.facts[name].sha256)
        return self._opened[name]


def _open(name: str, sha256: str) -> Benchmark | str:
    try:
        found = get_benchmark(name, "mean")
    except (NassimError, ImportError) as error:
        return f"{name} cannot be opened here: {error}"
    if found.about.sha256 != sha256:
        return f"the table of {name} on this machine is not the one that the study was made with."
    return found
