"""Microseconds a trial: nassim's loop, the barest Python loop over a dict, and other frameworks on the same table."""

from __future__ import annotations

import importlib
import random
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from operator import itemgetter
from typing import Any

from speed_row import Row, best_of

import nassim

GROUP = "a trial of evolution"
MODELS = "a run of 150 queries, strategies that fit a model"
PEERS = "other frameworks, same table"
TRIALS, ROUNDS = 20_000, 9
PEER_TRIALS = 500

Table = dict[tuple[int, ...], tuple[tuple[float, ...], float]]  # choices -> accuracies of the repeats, seconds


def evolution_rows(name: str, *, trials: int = TRIALS) -> Iterator[Row]:
    """Regularized evolution through `nassim.run`, and the ratio to the bare loop on the same table."""
    benchmark = nassim.get_benchmark(name)  # opened once for all rounds, as a comparison does
    table = as_dict(benchmark)
    for population, sample in ((100, 25), (10, 3)):
        algorithm = nassim.get_algorithm("re").configured(population_size=population, sample_size=sample)
        lowest = nassim.get_algorithm("evolution").configured(population_size=population, sample_size=sample)
        ours, unaged, bare = best_of(
            ROUNDS,
            partial(nassim.run, algorithm, benchmark, nassim.Budget(queries=trials)),
            partial(nassim.run, lowest, benchmark, nassim.Budget(queries=trials)),
            partial(bare_evolution, table, benchmark.space.radices, trials, population, sample),
        )
        label = f"population {population}, sample {sample}"
        note = f"{trials:,} trials, best of {ROUNDS}"
        yield Row(GROUP, f"nassim.run, {label}", 1e6 * ours / trials, "µs", 15.0, note)
        yield Row(GROUP, f"nassim.run, the lowest dies, {label}", 1e6 * unaged / trials, "µs", 10.0, note)
        yield Row(GROUP, f"bare loop over a dict, {label}", 1e6 * bare / trials, "µs")
        yield Row(GROUP, f"ratio, {label}", ours / bare, "times", 2.5)


def model_rows(name: str) -> Iterator[Row]:
    """CPU seconds of a run of 150 queries; one thread where OMP_NUM_THREADS says so."""
    benchmark = nassim.get_benchmark(name)
    for algorithm, most in (
        ("smbo", 0.2),
        ("pnas", 0.2),
        ("gp_bo", 0.2),
        ("bananas", 3.0),
        ("nasrl", 0.5),
        ("nasnet", 0.5),
    ):
        nassim.run(algorithm, benchmark, "20q")  # what is imported and listed once
        (seconds,) = best_of(2, partial(nassim.run, algorithm, benchmark, "150q"))
        yield Row(MODELS, algorithm, seconds, "s", most, "best of 2")


def as_dict(benchmark: nassim.Benchmark) -> Table:
    """The whole benchmark as a dict; the repeats are collected by drawing low, in the middle and high."""
    draws = [_Fixed(point) for point in (0.1, 0.5, 0.9)]
    table = {}
    for arch in benchmark.space.architectures():
        results = [benchmark.query(nassim.Query(arch), draw) for draw in draws]
        table[arch.choices] = (tuple(dict.fromkeys(result.value for result in results)), results[0].cost)
    return table


class _Fixed(random.Random):
    """A generator that always draws the same number."""

    def __init__(self, number: float) -> None:
        super().__init__(0)
        self._number = number

    def random(self) -> float:
        return self._number


def bare_evolution(
    table: Table, radices: tuple[int, ...], trials: int, population_size: int, sample_size: int
) -> object:
    """The same search as a user would write it by hand: no clock, no budget, no values, no border."""
    rng = random.Random(0)
    population: deque[tuple[tuple[int, ...], float]] = deque(maxlen=population_size)
    accuracy = itemgetter(1)
    history = []
    seconds = 0.0
    for _ in range(trials):
        if len(population) < population_size:
            arch = tuple([int(rng.random() * n) for n in radices])
        else:
            parent = max(rng.choices(population, k=sample_size), key=accuracy)[0]
            i = int(rng.random() * len(parent))
            option = int(rng.random() * (radices[i] - 1))
            arch = (*parent[:i], option + (option >= parent[i]), *parent[i + 1 :])
        values, cost = table[arch]
        value = values[int(rng.random() * len(values))]
        seconds += cost
        population.append((arch, value))
        history.append((arch, value, seconds))
    return max(history, key=accuracy)


def peer_rows(name: str, *, trials: int = PEER_TRIALS) -> Iterator[Row]:
    """Optuna, PyGlove and Nevergrad, each where it is installed."""
    benchmark = nassim.get_benchmark(name)
    table = as_dict(benchmark)
    rng = random.Random(0)

    def look_up(choices: tuple[int, ...]) -> float:
        values = table[choices][0]
        return values[int(rng.random() * len(values))]

    for package, works in (("optuna", _optuna), ("pyglove", _pyglove), ("nevergrad", _nevergrad)):
        try:
            module = importlib.import_module(package)
        except ImportError:
            yield Row(PEERS, package, None, "µs", note="not installed: pip install 'nassim[peers]'")
            continue
        for label, work in works(module, benchmark.space.radices, look_up, trials).items():
            (seconds,) = best_of(2, work)
            version = getattr(module, "__version__", "")
            yield Row(PEERS, f"{package} {version}, {label}", 1e6 * seconds / trials, "µs", note=f"{trials} trials")


Works = dict[str, Callable[[], object]]
LookUp = Callable[[tuple[int, ...]], float]


def _optuna(optuna: Any, radices: tuple[int, ...], look_up: LookUp, trials: int) -> Works:
    optuna.logging.set_verbosity(optuna.logging.ERROR)

    def objective(trial: Any) -> float:
        return look_up(tuple([trial.suggest_categorical(str(i), range(n)) for i, n in enumerate(radices)]))

    def search(sampler: Any) -> object:
        return optuna.create_study(direction="maximize", sampler=sampler).optimize(objective, n_trials=trials)

    samplers = optuna.samplers
    return {
        "random": lambda: search(samplers.RandomSampler(seed=0)),
        "NSGA-II, population 10": lambda: search(samplers.NSGAIISampler(population_size=10, seed=0)),
        "TPE": lambda: search(samplers.TPESampler(seed=0)),
    }


def _pyglove(pg: Any, radices: tuple[int, ...], look_up: LookUp, trials: int) -> Works:
    def space() -> Any:
        return pg.List([pg.oneof(list(range(n))) for n in radices])

    def evolution() -> Any:
        return pg.evolution.regularized_evolution(population_size=10, tournament_size=3)

    def sampled() -> None:
        for arch, feedback in pg.sample(space(), evolution(), num_examples=trials):
            feedback(look_up(tuple(arch)))

    def direct() -> None:
        algorithm = evolution()
        algorithm.setup(pg.dna_spec(space()))
        for _ in range(trials):
            dna = algorithm.propose()
            algorithm.feedback(dna, look_up(tuple(dna.to_numbers())))

    label = "regularized evolution, population 10, sample 3"
    return {f"{label}, pg.sample": sampled, f"{label}, without its loop": direct}


def _nevergrad(ng: Any, radices: tuple[int, ...], look_up: LookUp, trials: int) -> Works:
    def search(kind: str) -> None:
        space = ng.p.Tuple(*[ng.p.Choice(list(range(n))) for n in radices])
        optimizer = ng.optimizers.registry[kind](parametrization=space, budget=trials)
        for _ in range(trials):
            asked = optimizer.ask()
            optimizer.tell(asked, -look_up(tuple(asked.value)))

    return {"DiscreteOnePlusOne": lambda: search("DiscreteOnePlusOne")}


def fewer_epochs_rows(name: str) -> Iterator[Row]:
    """Strategies that train for few epochs first; on digits, as NAS-Bench-201's wheel has 200 epochs only."""
    benchmark = nassim.get_benchmark("nasbench201/digits")
    for strategy in ("successive_halving", "hyperband", "asha", "bohb"):
        (seconds,) = best_of(ROUNDS, partial(nassim.run, strategy, benchmark, "150q"))
        target = 200.0 if strategy == "bohb" else None
        yield Row("a run of 150 queries, fewer epochs", strategy, 1e3 * seconds, "ms", target, f"best of {ROUNDS}")
