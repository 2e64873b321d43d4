"""Methodological warnings: what a study is known to get wrong, each with what to do and who showed it.

A warning stands in a report when the study has what it warns of, and only then. Runs that say less than they seem to
are found by `nassim.cautions`; the others are of the comparison.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from statistics import fmean, stdev
from typing import NamedTuple

from nassim.cautions import Caution
from nassim.report.analysis import Analysis
from nassim.report.runs import Part
from nassim.stats.certainty import listed
from nassim.stats.words import points

FEW = 5  # runs of a strategy: with four of each the tests of three strategies cannot be significant at 0.05
ENOUGH = 5  # answers that the spread of a training's noise is taken from
HONEST = ("live", "recorded")  # supernets that learned the benchmark's images
_PRACTICES = (
    'M. Lindauer & F. Hutter, "Best Practices for Scientific Research on Neural Architecture Search", '
    "JMLR 21(243), 2020"
)
SOURCES = {
    "initial phase": 'L. Li & A. Talwalkar, "Random Search and Reproducibility for Neural Architecture Search", '
    "UAI 2019",
    "idle workers": 'L. Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020',
    "unequal budgets": _PRACTICES,
    "search on test": _PRACTICES,
    "few seeds": 'R. Agarwal et al., "Deep Reinforcement Learning at the Edge of the Statistical Precipice", '
    "NeurIPS 2021",
    "below noise": 'A. Yang, P. Esperança & F. Carlucci, "NAS evaluation is frustratingly hard", ICLR 2020',
    "proxy beside others": 'K. Yu, C. Sciuto et al., "Evaluating the Search Phase of Neural Architecture Search", '
    "ICLR 2020",
}
_OF_RUNS = {"initial phase": "initial phase", "first rung": "initial phase", "idle workers": "idle workers"}


class Pitfall(NamedTuple):
    """A warning: its kind, what is wrong in this study, what to do, and the publication that says why."""

    kind: str
    text: str
    advice: str
    source: str

    @property
    def sentence(self) -> str:
        """All of it in one paragraph."""
        return " ".join(part for part in (self.text, self.advice, f"({self.source}.)") if part)


def pitfalls(analysis: Analysis) -> list[Pitfall]:
    """All warnings of a study, in the order of `SOURCES`; none where there is nothing to warn of."""
    if not analysis.parts:
        return []
    found = [*_of_runs(analysis.cautions), *_budgets(analysis)]
    for part in analysis.parts:
        found += [*_on_test(part), *_few_seeds(part), *_below_noise(part), *_proxies(part)]
    order = list(SOURCES)
    return sorted(found, key=lambda each: order.index(each.kind))


def _pitfall(kind: str, text: str, advice: str) -> Pitfall:
    return Pitfall(kind, text, advice, SOURCES[kind])


def _of_runs(cautions: list[Caution]) -> Iterator[Pitfall]:
    """Those of single runs say what to do themselves."""
    for caution in cautions:
        if caution.kind in _OF_RUNS:
            yield _pitfall(_OF_RUNS[caution.kind], caution.text, "")


def _budgets(analysis: Analysis) -> Iterator[Pitfall]:
    if len(set(analysis.budgets.values())) > 1:
        said = "; ".join(f"{strategy} {budget}" for strategy, budget in analysis.budgets.items())
        yield _pitfall(
            "unequal budgets",
            f"Strategies had unequal budgets ({said}), so that their final answers compare efforts as well.",
            "Compare them at a time that all had (the column at equal simulated time, the curves), or give a budget in "
            "seconds.",
        )


def _on_test(part: Part) -> Iterator[Pitfall]:
    if part.facts.search_split == "test":
        yield _pitfall(
            "search on test",
            f"Searches on {part.name} saw the test split: what is reported there is what was optimized, and no "
            "estimate of anything new.",
            "Take it as a comparison of optimizers; for accuracies use a source with validation results.",
        )


def _few_seeds(part: Part) -> Iterator[Pitfall]:
    """Where strategies are compared at all."""
    few = {strategy: len(runs) for strategy, runs in part.runs.items() if len(runs) < FEW}
    if few and len(part.runs) > 1:
        said = listed([f"{strategy} {count}" for strategy, count in few.items()])
        yield _pitfall(
            "few seeds",
            f"There are fewer than {FEW} runs on {part.name} of some strategies ({said}): a mean of so few says "
            "little, and no order of them is safe.",
            "Give more --seeds (of recorded searches: record more); the table of pairs says how many each difference "
            "would take.",
        )


def _below_noise(part: Part) -> Iterator[Pitfall]:
    """Pairs whose means differ by less than a training of one architecture does."""
    noise = training_noise(part)
    if noise is None or len(part.runs) < 2:
        return
    means = {s: fmean(found) for s, found in valid_answers(part).items() if found}
    close = [
        (first, second, abs(means[first] - means[second]))
        for first, second in combinations(means, 2)
        if 0 < abs(means[first] - means[second]) < noise
    ]
    if close:
        scale, unit = part.metric.regret_factor, part.metric.regret_words
        first, second, gap = min(close, key=lambda pair: pair[2])
        many = f"{len(close)} pairs of strategies end" if len(close) > 1 else f"{first} and {second} end"
        nearest = f" ({first} and {second}: {points(scale * gap)})" if len(close) > 1 else f" ({points(scale * gap)})"
        yield _pitfall(
            "below noise",
            f"On {part.name} {many} closer to each other in validation{nearest} than one more training of the same "
            f"architecture moves it (standard deviation {points(scale * noise)} {unit}, of the answers' trainings).",
            "However significant, such a difference is lost in a network that is trained once: report it with "
            "that noise.",
        )


def training_noise(part: Part) -> float | None:
    """The standard deviation between what a search saw of its answer and that answer's mean over repeats.

    In the metric's own unit. None where it is not known: answers of fewer epochs or of the test split, values without
    repeats, fewer than five answers.
    """
    short = any(run.epochs != run.trials * part.facts.epochs for runs in part.runs.values() for run in runs)
    if short or part.facts.search_split == "test" or ":search_epochs=" in part.name:
        return None
    ends = [run.curve[-1] for runs in part.runs.values() for run in runs if run.curve]
    apart = [
        end.observed - end.valid
        for end in ends
        if end.observed is not None and end.valid is not None and end.source == "mean"
    ]
    spread = stdev(apart) if len(apart) >= ENOUGH else 0.0
    return spread or None


def valid_answers(part: Part) -> dict[str, list[float]]:
    """strategy -> validation values of the last answers, means over repeats."""
    return {
        strategy: [run.curve[-1].valid for run in runs if run.curve and run.curve[-1].valid is not None]
        for strategy, runs in part.runs.items()
    }


def _proxies(part: Part) -> Iterator[Pitfall]:
    modes = {strategy: {run.mode for run in runs} for strategy, runs in part.runs.items()}
    proxy = [strategy for strategy, found in modes.items() if "proxy" in found]
    others = [strategy for strategy in modes if strategy not in proxy]
    if proxy and others:
        honest = [s for s in others if modes[s] & set(HONEST)]
        beside = f"{listed(honest)}, which learned them," if honest else f"{listed(others)}, which asked for them,"
        yield _pitfall(
            "proxy beside others",
            f"On {part.name} the supernets of {listed(proxy)} learned other images than the benchmark's (proxy); "
            f"beside {beside} their curves say what a transfer is worth, not what the strategy is.",
            "Use --live with the images, recorded searches on them (`nassim data get nasbench201-recorded`), or "
            "compare proxies with proxies.",
        )
