"""The conformance of search strategies."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from inspect import getsourcefile
from typing import Any

from nassim.benchmark import Benchmark
from nassim.clock import Budget
from nassim.errors import ProtocolError, Unsupported
from nassim.outlook import fidelities, horizon
from nassim.query import Query, Report, Trial
from nassim.registry import get_benchmark
from nassim.replay import replay
from nassim.run import run
from nassim.space import Architecture
from nassim.strategy import Algorithm, Strategy, stream
from nassim.supernet import Supernets
from nassim.testing.problems import Answers, ThreePoints
from nassim.testing.requirements import global_generators_untouched, refused, require


def check_strategy(algorithm: Algorithm, *, queries: int = 40, supernets: Supernets | None = None) -> None:
    """Hold a search strategy against its contract, on small problems; raises AssertionError.

    The algorithm must be defined at the top level of a file: one check runs it in another process.
    One that shares weights must refuse these problems, which have no supernet; it is trained twice on ``supernets``.
    """
    name = algorithm.name
    if algorithm.shares_weights:
        _check_weight_sharing(algorithm, supernets)
        return
    toy = get_benchmark("toy/additive")
    problems = [
        toy,
        Answers("constant", toy.space, lambda _: 0.5),
        Answers("ties", toy.space, lambda arch: 0.5 + 0.1 * (arch.choices[0] > 0)),
        Answers("three points", ThreePoints(), lambda arch: 0.1 * arch.choices[0]),
    ]
    for benchmark in problems:
        with global_generators_untouched(name):
            _check_restoring(algorithm, benchmark, queries)
    budget = Budget(queries=queries)
    serial = run(algorithm, toy, budget).trials
    require(serial == run(algorithm, toy, budget).trials, f"{name}: the same seed gave another trace")
    others = [[t.arch for t in run(algorithm, toy, budget, seed=seed).trials] for seed in (1, 2)]
    require(any(other != [t.arch for t in serial] for other in others), f"{name}: three seeds gave the same trace")
    asked = _converse(algorithm, toy, queries)[0]
    together = list(zip(asked, serial, strict=False))  # a last batch may be cut by the budget
    require(together and all(a[:2] == b[:2] for a, b in together), f"{name}: one worker is not one query at a time")
    for workers in (2, 5):
        trials = run(algorithm, toy, budget, workers=workers).trials
        again = run(algorithm, toy, budget, workers=workers).trials
        require(trials and trials == again, f"{name} on {workers} workers: the same seed gave another trace")
    require(repr(serial) == _trace_elsewhere(algorithm, queries), f"{name}: another process gave another trace")


def _check_weight_sharing(algorithm: Algorithm, supernets: Supernets | None) -> None:
    name = algorithm.name
    refused(Unsupported, lambda: run(algorithm, "toy/additive", "9q"), f"{name} on a benchmark without a supernet")
    if supernets is None:
        return
    space = supernets.space
    traces = []
    for seed in (0, 0, 1):
        with global_generators_untouched(name):
            supernet = supernets.make(seed, "cpu")
            search = algorithm.begin(space, stream(seed, "strategy"), supernet=supernet)
            trace: list[Architecture] = []
            while (message := search.ask()) is not None:
                if not isinstance(message, Report):
                    raise AssertionError(f"{name} asks for trainings beside its supernet's")
                require(space.is_valid(message.arch), f"{name} answers {message.arch}, which is not in {space.name}")
                require(0 <= message.cost < math.inf, f"{name} reports a cost of {message.cost} seconds")
                trace.append(message.arch)
                search.tell([])
        traces.append((trace, [weight.tolist() for weight in supernet.weights]))
    require(traces[0][0], f"{name} ended without an answer")
    require(traces[0] == traces[1], f"{name}: the same seed gave other answers or other weights")
    require(traces[0][1] != traces[2][1], f"{name}: two seeds gave the same weights")


def _begun(algorithm: Algorithm, benchmark: Benchmark, queries: int) -> Strategy:
    plan = horizon(Budget(queries=queries), benchmark)
    told: dict[str, Any] = {"horizon": plan, "fidelities": fidelities(benchmark), "measure": benchmark.measure}
    return algorithm.begin(benchmark.space, stream(0, "strategy"), **told)


def _converse(algorithm: Algorithm, benchmark: Benchmark, queries: int) -> tuple[list[Trial], list[int]]:
    """The trials of a search by ask and tell, and after how many of them each batch ended."""
    space, noise = benchmark.space, stream(0, "noise")
    search = _begun(algorithm, benchmark, queries)
    trials: list[Trial] = []
    ends: list[int] = []
    while len(trials) < queries and (message := search.ask()) is not None:
        asked = [Query(message.arch)] if isinstance(message, Report) else message.queries
        for query in asked:
            require(space.is_valid(query.arch), f"{algorithm.name} asks for {query.arch}, which is not in {space.name}")
        answers = [Trial(query, benchmark.query(query, noise), 0.0, 0.0, 0) for query in asked]
        if isinstance(message, Report):
            answers = []
        search.tell(answers)
        trials += answers
        ends.append(len(trials))
    return trials, ends


def _check_restoring(algorithm: Algorithm, benchmark: Benchmark, queries: int) -> None:
    """Replaying a part of the trials restores the search: it goes on with the others."""
    trials, ends = _converse(algorithm, benchmark, queries)
    require(ends, f"{algorithm.name} on {benchmark.name} ended without asking anything")
    for end in {ends[0], ends[len(ends) // 2]}:
        search = _begun(algorithm, benchmark, queries)
        try:
            replay(replay(search, trials[:end]), trials[end:])
        except ProtocolError as error:
            raise AssertionError(f"{algorithm.name} on {benchmark.name}: {error}") from error


def _trace_elsewhere(algorithm: Algorithm, queries: int) -> str:
    """The trials of seed 0 in a fresh process whose strings hash differently."""
    function = algorithm.function
    code = (
        "import sys, importlib.util as u; from nassim import run, Budget; "
        f"spec = u.spec_from_file_location('elsewhere', {getsourcefile(function)!r}); "
        "module = sys.modules['elsewhere'] = u.module_from_spec(spec); spec.loader.exec_module(module); "
        f"algorithm = module.{function.__qualname__}.configured(**{dict(algorithm.settings)!r}); "
        f"print(run(algorithm, 'toy/additive', Budget(queries={queries})).trials)"
    )
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True
    )
    require(done.returncode == 0, f"{algorithm.name} does not run in another process:\n{done.stderr}")
    return done.stdout.strip()
