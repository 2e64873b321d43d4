"""Runs that say less than they seem to, each with what to change: pure functions of what was recorded.

initial phase   all trainings were those that a strategy begins with before it uses what it has seen
idle workers    more than half of the workers' time was spent waiting
twins           two strategies made the same trials: their comparison says nothing about either
no answer       no training ended within the budget, or none kept to the constraint
failed          the search diverged: its last answer before that counts
restarted       trainings that were to go on began anew, as the benchmark cannot continue them
from scratch    trainings that were to inherit weights began without, as the benchmark has none
objectives      a strategy that searches for several was given none: what it searched for instead
first rung      a strategy that trains for few epochs first never came to train for more
beyond          a surrogate predicts more for the answer than anything that it was fitted to
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from nassim import rungs
from nassim.clock import Budget
from nassim.errors import NassimError
from nassim.registry import get_algorithm, get_benchmark
from nassim.store import RunEnd, StoredTrial
from nassim.study import Study
from nassim.trace import FROM_SCRATCH, Run

MOST = 0.5  # of the workers' time


class Caution(NamedTuple):
    """One sentence about runs of a strategy on a benchmark, with what to change."""

    strategy: str
    benchmark: str
    kind: str
    text: str


class _Ended(Protocol):
    """What `Run` and `RunEnd` have in common."""

    @property
    def strategy(self) -> str: ...
    @property
    def benchmark(self) -> str: ...
    @property
    def hyperparameters(self) -> dict[str, object]: ...
    @property
    def mode(self) -> str: ...
    @property
    def seconds(self) -> float: ...
    @property
    def clock(self) -> str: ...
    @property
    def worker_seconds(self) -> float: ...
    @property
    def stopped(self) -> str: ...
    @property
    def restarted(self) -> int: ...


def of_run(run: Run, learned: tuple[float, float] | None = None) -> list[Caution]:
    """What is to be said of one run; ``learned``: `About.learned` of its benchmark."""
    count, answered = len(run.trials), run.answered
    found = list(_of_runs([(run, count, answered)], run.budget, run.workers, prefix=False))
    extras = run.trials[0].result.extras if run.trials else {}
    found += _objectives(run.strategy, run.benchmark, bool(run.objectives), lambda: extras)
    answers = [run.incumbents[-1].valid] if run.incumbents else []
    found += _beyond(run.strategy, run.benchmark, answers, learned and learned[1])
    return [*found, *_first_rung(run.strategy, run.benchmark, [rungs.of_run(run)])]


def of_study(study: Study) -> list[Caution]:
    """What is to be said of a study, by benchmark and strategy."""
    budget, workers = Budget.parse(str(study.settings["budget"])), int(study.settings["workers"])
    found: list[Caution] = []
    by_epochs = rungs.of_study(study)
    for benchmark in study.benchmarks:
        for strategy in study.strategies:
            runs = [(run, run.trials, bool(run.curve)) for run in study.of(benchmark, strategy)]
            found += _of_runs(runs, budget, workers, prefix=True)
            measured = partial(_measured, benchmark)
            found += _objectives(strategy, benchmark, bool(study.settings.get("objectives")), measured)
            found += _first_rung(strategy, benchmark, by_epochs.get((benchmark, strategy), []))
            answers = [run.curve[-1].valid for run, _, answered in runs if answered]
            found += _beyond(strategy, benchmark, answers, study.facts[benchmark].learned_best)
        if study.settings.get("trials", True):  # without them nobody knows
            found += _twins([run for run in study.runs if run.benchmark == benchmark], study.trials)
    return found


_Counted = tuple[_Ended, int, bool]  # with its number of trials, and whether it has an answer


def _of_runs(runs: Sequence[_Counted], budget: Budget, workers: int, *, prefix: bool) -> Iterator[Caution]:
    """Of the runs of one strategy on one benchmark; ``prefix``: how --set names the strategy's hyperparameters."""
    if not runs:
        return
    first = runs[0][0]
    name = (first.strategy, first.benchmark)

    def said(chosen: Sequence[object], text: str) -> str:
        of = f"{len(chosen):,} of {len(runs):,} runs" if len(runs) > 1 else "This run"
        return f"{of} of {first.strategy} on {first.benchmark} {text}"

    failed = [run for run, _, _ in runs if run.stopped == "failed"]
    if failed:
        text = "failed: the weights of the search became no numbers. What was answered before counts."
        yield Caution(*name, "failed", said(failed, text))
    mute = [(run, trials > 0) for run, trials, answered in runs if not answered and run.stopped != "failed"]
    for trained, why in (
        (False, f"no training ended within the budget of {budget}. Give a larger one."),
        (True, "no training kept to the constraint. Give a larger budget, or a wider limit."),
    ):
        if found := [run for run, some in mute if some is trained]:
            yield Caution(*name, "no answer", said(found, f"ended without an answer: {why}"))
    yield from _initial(runs, name, said, prefix)
    again = [run for run, _, _ in runs if run.restarted]
    if again:
        count = sum(run.restarted for run in again) / len(again)
        text = f"restarted {count:.3g} trainings that were to go on, and paid them in full: here none can go on."
        yield Caution(*name, "restarted", said(again, text))
    anew = [run for run, _, _ in runs if run.mode == FROM_SCRATCH]
    if anew:
        text = "wanted to begin trainings with the weights of others: here all were made, and paid, from scratch."
        yield Caution(*name, FROM_SCRATCH, said(anew, text))
    idle = [run for run, trials, _ in runs if _idles(run, trials, budget, workers)]
    if idle:
        share = sum(1.0 - run.worker_seconds / (workers * run.seconds) for run in idle) / len(idle)
        trainings = sum(trials for _, trials, _ in runs) / len(runs)
        if any(run.mode not in ("black-box", FROM_SCRATCH) for run in idle):
            advice = "It trains one supernet, which is not done by several workers"
        elif trainings < 2 * workers:
            advice = f"There are {trainings:.0f} trainings a run: give fewer workers or a larger budget"
        else:
            advice = (
                "It waits for trainings before it asks for others: give fewer workers; a strategy of your own waits "
                "for nothing where it says `start(arch)` in place of `evaluate(arch)`"
            )
        waiting = f"{round(share * workers)} of {workers} workers"
        yield Caution(*name, "idle workers", said(idle, f"left {waiting} idle on average. {advice}."))


def _initial(
    runs: Sequence[_Counted], name: tuple[str, str], said: Callable[[Sequence[object], str], str], prefix: bool
) -> Iterator[Caution]:
    try:
        algorithm = get_algorithm(name[0])
    except NassimError:  # not of this installation: its initial phase is not known
        return
    parameter = algorithm.initial
    sizes = [(run, trials, run.hyperparameters.get(parameter)) for run, trials, _ in runs]
    caught = [(t, n) for run, t, n in sizes if isinstance(n, int) and 0 < t <= n and run.stopped == "budget"]
    if caught:
        trials, size = max(t for t, _ in caught), caught[0][1]
        setting = f"{algorithm.aliases[0] if algorithm.aliases else name[0]}.{parameter}" if prefix else parameter
        what = (
            f"ended within the initial phase ({parameter}={size}, {trials} trainings): nothing that was seen was used."
        )
        advice = f"Give a budget of more than {size} trainings, or --set {setting}={max(1, trials // 5)}."
        yield Caution(*name, "initial phase", said(caught, f"{what} {advice}"))


def _objectives(
    strategy: str, benchmark: str, given: bool, measured: Callable[[], Mapping[str, object]]
) -> list[Caution]:
    """What a strategy that takes objectives searched for where it was given none."""
    try:
        takes = inspect.signature(get_algorithm(strategy).function).parameters
        several = not given and "objectives" in takes and "remark" not in takes  # who remarks says it, or needs none
        extras = measured() if several else {}
    except NassimError:  # not of this installation
        return []
    if not several:
        return []
    what = (
        "its value and the parameters: its curve shows the first of them only"
        if "parameters" in extras
        else "its value alone, as parameters are not measured there: one objective makes no front"
    )
    advice = " Name others with --objectives." if extras else ""
    text = f"{strategy} was given no objectives on {benchmark} and searched for {what}.{advice}"
    return [Caution(strategy, benchmark, "objectives", text)]


def _beyond(strategy: str, benchmark: str, answers: Sequence[float | None], best: float | None) -> Iterator[Caution]:
    """``answers``: the predictions for the last incumbents; ``best``: the largest that the surrogate was fitted to."""
    over = [answer for answer in answers if best is not None and answer is not None and answer > best]
    if best is not None and over:
        of = f"{len(over):,} of {len(answers):,} runs" if len(answers) > 1 else "This run"
        text = (
            f"{of} of {strategy} on {benchmark} ended with a prediction above all that the surrogate was fitted to "
            f"(up to {100 * max(over):.2f} %, fitted to at most {100 * best:.2f} %): extrapolated, as searches look "
            "for what a surrogate overrates. Do not compare strategies by that part."
        )
        yield Caution(strategy, benchmark, "beyond", text)


def _measured(benchmark: str) -> Mapping[str, str]:
    return get_benchmark(benchmark).about.extras


def _first_rung(strategy: str, benchmark: str, runs: Sequence[Sequence[rungs.Rung]]) -> Iterator[Caution]:
    try:
        chooses = get_algorithm(strategy).chooses_epochs
    except NassimError:  # not of this installation
        return
    stuck = [run[0] for run in runs if len(run) == 1]
    if chooses and stuck:
        of = f"{len(stuck):,} of {len(runs):,} runs" if len(runs) > 1 else "This run"
        epochs, most = stuck[0].epochs, max(rung.trainings for rung in stuck)
        text = (
            f"{of} of {strategy} on {benchmark} never left the first rung: all trainings ({most:g}) were of {epochs} "
            f"epoch{'s' * (epochs != 1)}, none went on. Give a larger budget, or a smaller eta."
        )
        yield Caution(strategy, benchmark, "first rung", text)


def _idles(run: _Ended, trials: int, budget: Budget, workers: int) -> bool:
    """Whether most of the workers' time was idle for certain: what a limit on time cut off is not recorded.

    On the wall clock nothing is certain: the seconds of a device are not those that passed.
    """
    if run.clock == "wall":
        return False
    cut_off = 2.0 * run.worker_seconds / trials if trials and budget.seconds < float("inf") else 0.0
    return workers > 1 and run.worker_seconds + workers * cut_off < MOST * workers * run.seconds


def _twins(runs: Sequence[RunEnd], trials: Callable[[], Iterable[StoredTrial]]) -> Iterator[Caution]:
    """Strategies whose runs of a seed are equal trial by trial; each is named beside the first of them."""
    alike: dict[object, list[RunEnd]] = {}
    for run in runs:
        header = (run.seed, run.trials, run.epochs, run.seconds, run.worker_seconds, tuple(run.curve))
        alike.setdefault(header, []).append(run)
    groups = [group for group in alike.values() if len(group) > 1 and group[0].trials]
    if not groups:
        return
    wanted = {(run.benchmark, run.strategy, run.seed) for group in groups for run in group}
    rows: dict[tuple[object, ...], int] = {}
    for benchmark, strategy, seed, number, row in trials():
        key = (benchmark, strategy, seed)
        if key in wanted:
            rows[key] = hash((rows.get(key, 0), number, row._replace(extras=None)))
    pairs: dict[tuple[str, str], int] = {}
    for group in groups:
        first_of: dict[int, str] = {}
        for run in group:
            original = first_of.setdefault(rows[run.benchmark, run.strategy, run.seed], run.strategy)
            if original != run.strategy:
                pairs[original, run.strategy] = pairs.get((original, run.strategy), 0) + 1
    of = _count(runs)
    for (original, strategy), count in pairs.items():
        name = runs[0].benchmark
        text = (
            f"{count:,} of {of[strategy]:,} runs of {strategy} on {name} are those of {original} trial by trial: "
            "comparing them says nothing. Give a larger budget, or other settings."
        )
        yield Caution(strategy, name, "twins", text)


def _count(runs: Sequence[RunEnd]) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for run in runs:
        counts[run.strategy] = counts.get(run.strategy, 0) + 1
    return counts
