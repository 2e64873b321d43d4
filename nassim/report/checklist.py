"""The checklist of Lindauer and Hutter, answered from the study as far as a study can.

Lindauer & Hutter, "Best Practices for Scientific Research on Neural Architecture Search", JMLR 21(243), 2020, in its
three groups: releasing code, comparing methods, reporting details. What only the author knows is left open. One
question is ours: whether the runs say what they seem to (`nassim.cautions`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from nassim.grid import BASELINE
from nassim.report import numerals
from nassim.report.analysis import Analysis
from nassim.report.settings import changed_hyperparameters
from nassim.stats.words import counted

YES, NO, PARTLY, AUTHOR = "yes", "no", "partly", "for the author"


class Item(NamedTuple):
    """One question with its answer: yes, no, partly, or for the author; and what it rests on or what to do."""

    group: str
    question: str
    answer: str
    because: str


def checklist(analysis: Analysis) -> list[Item]:
    """All questions in the order of the paper."""
    settings = analysis.study.settings
    provenance = settings.get("provenance", {})
    changed = changed_hyperparameters(analysis)
    benchmarks = ", ".join(settings["benchmarks"])
    seeds = int(settings["seeds"])
    live = [s for part in analysis.parts for s in part.strategies if "live" in part.mode(s)]
    synthetic = [part.name for part in analysis.parts if part.facts.synthetic]
    same_budget = len(set(analysis.budgets.values())) <= 1
    where = ", ".join(f"{key} {value}" for key, value in provenance.items() if key != "begun")
    sums = "; ".join(f"{name} {facts.sha256[:16] or 'computed'}" for name, facts in analysis.study.facts.items())
    release, compare, details = "Releasing code", "Comparing methods", "Reporting details"
    trained = PARTLY if live else YES
    cautions = [caution.text for caution in analysis.cautions]
    return [
        Item(
            *(release, "Is the training pipeline of the final architectures released?", trained),
            f"The {_measured(analysis)} are those of {benchmarks}; its authors' pipeline made them (`nassim show`)."
            + (
                f" {', '.join(sorted(set(live)))} trained supernets here: release that code and its settings."
                * bool(live)
            ),
        ),
        Item(release, "Is the code of the search space released?", YES, f"It is part of nassim {settings['nassim']}."),
        Item(
            *(release, "Are the hyperparameters and seeds of the final training released?", YES),
            f"They are the benchmark's; data by SHA-256 (first digits): {sums}.",
        ),
        Item(
            *(release, "Is the code of the search methods released?", _registered(analysis)),
            f"Strategies of nassim {settings['nassim']}, one file each; your own strategies are yours to release.",
        ),
        Item(
            *(release, "Are the hyperparameters and seeds of the search methods released?", YES),
            f"{numerals.seeds(seeds).capitalize()}, and every hyperparameter in the table above and in study.db. "
            + (f"Not the defaults: {', '.join(changed)}; say why." if changed else "None was set by hand."),
        ),
        Item(
            *(compare, "Do all methods use the same benchmark, data, splits, space and training code?", YES),
            f"All ran on {benchmarks}" + (f" (made-up data: {', '.join(synthetic)})." if synthetic else "."),
        ),
        Item(
            *(compare, "Were confounding factors controlled (hardware, library versions, run times)?", trained),
            "Time is simulated: recorded or declared training seconds, the same for all methods"
            + (", but live runs are timed on this machine" if live else "")
            + f"; made with {where or 'versions that were not recorded'}.",
        ),
        Item(compare, "Were ablation studies run?", AUTHOR, "Name them, or run them with --set and --against."),
        Item(
            *(compare, "Is the evaluation protocol the same for all methods?", YES if same_budget else PARTLY),
            f"Budget {settings['budget']}, {counted(settings['workers'], 'worker')}, noise {settings['noise']}, "
            f"incumbent by {_searched(analysis)}."
            + ("" if same_budget else " Budgets differ: see the column at equal simulated time."),
        ),
        Item(
            compare,
            "Is performance compared over time?",
            YES if analysis.parts else NO,
            "Anytime curves, running times, ranks.",
        ),
        Item(
            *(compare, "Is random search among the methods?", YES if BASELINE in settings["strategies"] else NO),
            f"{BASELINE} is in every comparison.",
        ),
        Item(
            *(compare, "Were there several runs, and are the seeds reported?", YES if seeds > 1 else NO),
            _seeds(analysis)
            + (
                f"; {analysis.planned - len(analysis.study.runs):,} runs are missing."
                if not analysis.study.complete
                else "."
            ),
        ),
        Item(
            *(compare, "Did all runs leave their initial phase, use their workers and differ from each other?"),
            YES if analysis.parts and not cautions else NO,
            " ".join(cautions) or ("Every run did." if analysis.parts else "No run has finished."),
        ),
        Item(
            compare,
            "Were tabular or surrogate benchmarks used for depth?",
            NO if synthetic else YES,
            f"{benchmarks}.{_surrogates(analysis)}",
        ),
        Item(
            *(details, "Is it said how hyperparameters were tuned, and what that cost?", AUTHOR),
            "Say it for your own method, and give the others the same effort.",
        ),
        Item(
            *(details, "Is the time of the whole pipeline reported, not of the search alone?", PARTLY),
            "Simulated seconds hold every training that the search asked for; add your final training and the search's "
            "own thinking (study.db, thinking_seconds).",
        ),
        Item(
            *(details, "Are all details of the experiment reported?", PARTLY),
            "This report and study.db hold the settings; add what was done outside of them.",
        ),
    ]


def _surrogates(analysis: Analysis) -> str:
    """Which of the benchmarks predict, and from what they were fitted."""
    predicting = [f for f in analysis.study.facts.values() if f.surrogate]
    return "".join(f" {f.name} predicts ({f.surrogate}), and its costs are declared." for f in predicting)


def _seeds(analysis: Analysis) -> str:
    """How many runs of each strategy there are: recorded searches may be fewer than the seeds of the study."""
    per: dict[int, list[str]] = {}
    for strategy in analysis.strategies:
        counts = {len({run.seed for run in part.runs[strategy]}) for part in analysis.parts if strategy in part.runs}
        for seeds in sorted(counts, reverse=True):
            per.setdefault(seeds, []).append(strategy)
    if len(per) <= 1:
        return f"{counted(next(iter(per), 0), 'seed')} of each strategy"
    return ", ".join(f"{counted(n, 'seed')} of {_and(names)}" for n, names in sorted(per.items(), reverse=True))


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _searched(analysis: Analysis) -> str:
    """What chose the incumbents."""
    facts = analysis.study.facts.values()
    on_test = [f for f in facts if f.search_split == "test"]
    valid = _listed(f.metric.title("valid") for f in facts if f.search_split != "test")
    if not on_test:
        return valid
    where = f" on {', '.join(f.name for f in on_test)}, by {valid} elsewhere" if valid else ""
    return f"{_listed(f.metric.title('test') for f in on_test)}, which the searches saw{where}"


def _measured(analysis: Analysis) -> str:
    names = {facts.metric.name for facts in analysis.study.facts.values()}
    return "accuracies" if names == {"accuracy"} else f"values of {_listed(sorted(names))}"


def _listed(texts: Iterable[str]) -> str:
    return " or ".join(dict.fromkeys(texts))


def _registered(analysis: Analysis) -> str:
    from nassim.registry import algorithm_names

    return YES if set(analysis.study.algorithms.values()) <= set(algorithm_names()) else PARTLY
