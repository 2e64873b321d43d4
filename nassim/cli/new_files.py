"""What `nassim new` writes; NAME stands for the name."""

from __future__ import annotations

STRATEGY = '''"""NAME: climbs from the best architecture so far to one near it. Say in this line what yours does.

Paper: none.

Pseudocode:
    1  best <- a random architecture, trained
    2  repeat
    3      child <- best with some decisions changed; train it
    4      best <- child if it is not worse

Departures:
    none

Hyperparameters:
    mutations: decisions changed in a child (a later change may undo an earlier one).
"""

from __future__ import annotations

import random

from nassim import Search, SearchSpace, evaluate, strategy


# The function's name is the strategy's. What stands after the * are its hyperparameters, each with type and default:
# --set NAME.mutations=2, or NAME.py[mutations=1|2] for one beside the other.
@strategy(family="evolution", year=2026)
def NAME(space: SearchSpace, rng: random.Random, *, mutations: int = 1) -> Search:
    """One search. `space` has sample, mutate, crossover, neighbors; all chance comes from `rng`."""
    best = yield from evaluate(space.sample(rng))  # 1: trains one architecture, waits for it and gives its trial
    while True:  # 2: the run ends the loop when the budget is spent
        arch = best.arch
        for _ in range(mutations):
            arch = space.mutate(arch, rng)
        child = yield from evaluate(arch)  # 3: always `yield from`; evaluate_all and start use several workers
        if child.value >= best.value:  # 4: a value is the validation accuracy, and more is better
            best = child
'''

STRATEGY_TEST = '''"""Tests of NAME.py: what every strategy must hold, and what this one does."""

from pathlib import Path

import nassim
from nassim.own_files import typed_algorithm
from nassim.testing import check_strategy

FILE = str(Path(__file__).with_name("NAME.py"))


def test_it_keeps_the_contract() -> None:
    """The same seed gives the same search, in any process and on any number of workers; no hidden randomness."""
    check_strategy(typed_algorithm(FILE))


def test_each_child_is_near_the_best_before_it() -> None:
    run = nassim.run(f"{FILE}[mutations=1]", "toy/additive", "30q", seed=1)
    best = run.trials[0]
    for trial in run.trials[1:]:
        changed = [a != b for a, b in zip(trial.arch.choices, best.arch.choices, strict=True)]
        assert sum(changed) <= 1
        best = trial if trial.value >= best.value else best


def test_it_beats_random_search_here() -> None:
    """Ten seeds of each on a small problem; on your own benchmark, `nassim compare` says it with statistics."""
    found = {
        name: sum(nassim.run(name, "toy/additive", "30q", seed=seed).best.valid for seed in range(10))
        for name in (FILE, "random_search")
    }
    assert found[FILE] >= found["random_search"]
'''

BENCHMARK = '''"""NAME: six layers, each of three kinds, whose gains are made up. Say in this line what yours is.

Synthetic: no network was trained for it. Put your own results, or your own training, where `gain` is.
"""

from __future__ import annotations

import random

from nassim import Architecture, Benchmark, Decision, Noise, Query, Result, SearchSpace
from nassim.benchmark import About

TASKS = ("small",)  # the benchmark's ids are NAME/small, ...; on the command line NAME.py/small
SPACE = SearchSpace("NAME", [Decision(f"layer{i}", ("none", "narrow", "wide")) for i in range(6)])
GAINS = (0.00, 0.03, 0.05)  # of each option
REPEATS = (-0.01, 0.0, 0.01)  # what three trainings of one architecture add to its accuracy


class Task(Benchmark):
    """One task: what training an architecture gives, and what it costs."""

    space = SPACE
    epochs = 10  # of a full training
    fidelities = (5, 10)  # the epochs that there are results after

    def __init__(self, task: str, noise: Noise) -> None:
        self.name = f"NAME/{task}"
        self.noise = noise
        self.about = About(
            title="NAME (synthetic)",
            paper="none",
            source="computed",
            licence="none",
            citation="none",
            splits={"valid_accuracy": "synthetic, three repeats"},
            synthetic=True,
        )

    def query(self, query: Query, rng: random.Random) -> Result:
        """The answer to a strategy's question: an accuracy on validation (a fraction) and its cost in seconds."""
        epochs = self.epochs_of(query)  # refuses epochs and metrics that there are none of
        accuracy = self.mean_accuracy(self.space.check(query.arch)) - 0.1 * (epochs < self.epochs)
        if self.noise.kind == "draw":  # any of the repeats, as training again would give
            accuracy += rng.choice(REPEATS)
        elif self.noise.kind == "repeat":
            accuracy += REPEATS[self.noise.repeat - 1]
        return Result(accuracy, epochs, cost=60.0 * epochs, extras={})

    def mean_accuracy(self, arch: Architecture, metric: str = "valid_accuracy") -> float:
        """The mean over the repeats of a full training: what results are reported by, never told to a strategy."""
        return 0.5 + sum(GAINS[choice] for choice in arch.choices)

    def optimum(self, metric: str = "valid_accuracy") -> float:
        """The best mean in the space, which regret is taken from; leave the method out where it is not known."""
        return 0.5 + max(GAINS) * len(SPACE.decisions)


def load(task: str, noise: Noise) -> Benchmark:
    """The benchmark of a task."""
    return Task(task, noise)
'''

BENCHMARK_TEST = '''"""Tests of NAME.py: what every space and benchmark must hold, and what this one says."""

from pathlib import Path

import nassim
from nassim.own_files import typed_benchmark
from nassim.testing import check_benchmark, check_space

FILE = str(Path(__file__).with_name("NAME.py"))


def test_it_keeps_the_contract() -> None:
    """Answers follow from the random stream, costs grow with epochs, no test split leaks, the optimum is one."""
    for noise in ("draw", "mean", "repeat=1"):
        benchmark = typed_benchmark(f"{FILE}/small", noise)
        check_space(benchmark.space)
        check_benchmark(benchmark)


def test_the_optimum_is_reached_by_the_widest() -> None:
    benchmark = typed_benchmark(f"{FILE}/small")
    widest = nassim.Architecture("NAME", (2,) * len(benchmark.space.decisions))
    assert benchmark.optimum() == benchmark.mean_accuracy(widest)


def test_a_search_finds_more_than_the_first_architecture() -> None:
    run = nassim.run("re", f"{FILE}/small", "60q", seed=1)
    assert run.best.valid > run.incumbents[0].valid
'''
