"""The conformance of benchmarks."""

from __future__ import annotations

import math
import random
from functools import partial

import numpy as np

from nassim.benchmark import Benchmark
from nassim.errors import InvalidArchitecture, InvalidQuery, Unsupported
from nassim.query import UNNAMED, Query
from nassim.space import Architecture
from nassim.testing.requirements import LISTED, global_generators_untouched, refused, require


def check_benchmark(benchmark: Benchmark) -> None:
    """Hold a benchmark against its contract, under the noise policy that it has; raises AssertionError."""
    name = benchmark.name
    known = benchmark.fidelities
    require(list(known) == sorted(set(known)) and known[0] > 0, f"{name}: fidelities {known} do not ascend from 1")
    require(benchmark.epochs in known, f"{name}: the full training of {benchmark.epochs} epochs is not in {known}")
    for metric in benchmark.metrics:
        require(metric.startswith(("train_", "valid_")), f"{name}: metric {metric!r} must name its split, never test")
    answers = map(benchmark.metric.on, ("valid", "test"))
    require(
        benchmark.search_metric in answers, f"{name}: search_metric {benchmark.search_metric!r} is not its metric's"
    )
    for field in ("title", "paper", "source", "licence", "citation"):
        require(getattr(benchmark.about, field), f"{name}: about.{field} is empty")
    rng = random.Random(0)
    archs = [benchmark.space.sample(rng) for _ in range(20)]
    with global_generators_untouched(name):
        for arch in archs:
            _check_answers(benchmark, arch)
        for arch in archs[:3]:
            _check_noise(benchmark, arch)
        require(0 < benchmark.typical_cost < math.inf, f"{name}: typical_cost is {benchmark.typical_cost}")
    _check_query_refusals(benchmark, archs[0])
    _check_continuing(benchmark, archs[0])
    _check_test_split(benchmark, archs)
    usual = [benchmark.mean_accuracy(arch) for arch in archs]
    named = [benchmark.mean_accuracy(arch, benchmark.metric.on("valid")) for arch in archs]
    require(usual == named, f"{name}: mean_accuracy without a metric is not that on validation")
    for split in ("valid", "test")[: 1 + benchmark.has_test]:
        _check_optimum(benchmark, benchmark.metric.on(split), archs)


def _check_answers(benchmark: Benchmark, arch: Architecture) -> None:
    before = 0.0
    for epochs in benchmark.fidelities:
        for metric in benchmark.metrics:
            what = f"{benchmark.name}: {metric} of {arch} after {epochs} epochs"
            result = benchmark.query(Query(arch, epochs, metric), random.Random(1))
            again = benchmark.query(Query(arch, epochs, metric), random.Random(1))
            require(result == again, f"{what}: the same rng gave another answer")
            require(result.epochs == epochs, f"{what} says {result.epochs} epochs")
            require(before < result.cost < math.inf, f"{what} costs {result.cost} s, with fewer epochs {before} s")
            require(math.isfinite(result.value), f"{what} is {result.value}")
            fits = metric.partition("_")[2] != benchmark.metric.name or benchmark.metric.fits(result.value)
            require(fits, f"{what} is {result.value}: {_kind(benchmark)}")
            require(all(map(math.isfinite, result.extras.values())), f"{what} has extras {result.extras}")
        before = result.cost
    full = benchmark.query(Query(arch), random.Random(1))
    measured = dict(benchmark.measure(arch))
    known = {name: full.extras.get(name) for name in measured}
    require(measured == known, f"{benchmark.name}: measure({arch}) gives {measured}, the results carry {known}")
    require(measured.keys() <= benchmark.about.extras.keys(), f"{benchmark.name}: about.extras lacks units")
    judged = {benchmark.metric.name, *map(benchmark.metric.on, ("train", "valid", "test"))}
    told = any("acc" in name for name in measured) or judged & measured.keys()
    require(not told, f"{benchmark.name}: measure gives an accuracy, or what trainings are judged by")
    require(full.epochs == benchmark.epochs, f"{benchmark.name}: epochs=None trains {full.epochs} epochs")


def _kind(benchmark: Benchmark) -> str:
    """What its values are, for an error."""
    fraction = benchmark.metric.limits[0] == 0.0
    return "accuracies are fractions" if fraction else f"values of {benchmark.metric.name} are finite numbers"


def _check_noise(benchmark: Benchmark, arch: Architecture) -> None:
    """The mean of many answers is `mean_accuracy` within 5 standard errors; exactly that under ``mean``."""
    rng = random.Random(2)
    values = np.array([benchmark.query(Query(arch), rng).value for _ in range(400)])
    mean = benchmark.mean_accuracy(arch, benchmark.search_metric)
    what = f"{benchmark.name} with noise={benchmark.noise}: {arch}"
    if benchmark.noise.kind == "draw":
        off = abs(values.mean() - mean)
        near = off <= 5 * values.std() / math.sqrt(len(values)) + 1e-9
        require(near, f"{what}: answers average {values.mean()}, mean_accuracy is {mean}")
    else:
        require(np.ptp(values) == 0, f"{what}: answers differ")
    if benchmark.noise.kind == "mean":
        same = math.isclose(values[0], mean, abs_tol=1e-9)
        require(same, f"{what}: the answer {values[0]} is not mean_accuracy {mean}")


def _check_query_refusals(benchmark: Benchmark, arch: Architecture) -> None:
    rng = random.Random(3)
    wrong = [Query(arch, epochs) for epochs in (-1, 0, benchmark.fidelities[-1] + 1)]
    for query in (*wrong, *(Query(arch, None, metric) for metric in (benchmark.metric.on("test"), "accuracy", ""))):
        refused(InvalidQuery, partial(benchmark.query, query, rng), f"{benchmark.name}.query({query})")
    for choices in ((), (*arch.choices, 0), (-1, *arch.choices[1:]), (*arch.choices[:-1], 10**6)):
        bad = Query(Architecture(arch.space, choices))
        refused(InvalidArchitecture, partial(benchmark.query, bad, rng), f"{benchmark.name}.query({bad})")


def _check_continuing(benchmark: Benchmark, arch: Architecture) -> None:
    """A training that goes on keeps its repeat, draws nothing and pays the difference; else it is one from scratch."""
    short, full = benchmark.fidelities[0], benchmark.fidelities[-1]
    first = benchmark.query(Query(arch, short), random.Random(4))
    asked = Query(arch, full, origin=first.training or UNNAMED)
    what = f"{benchmark.name}: {arch} from {short} to {full} epochs"
    wishes = asked._replace(inherit="morph")
    for bad in (wishes._replace(inherit="wish"), wishes._replace(origin="")):
        refused(InvalidQuery, partial(benchmark.query, bad, random.Random(4)), f"{benchmark.name}.query({bad})")
    if not benchmark.inherits:
        anew = benchmark.query(Query(arch, full), random.Random(5))
        require(benchmark.query(wishes, random.Random(5)) == anew, f"{what}, morph: it is not one from scratch")
        require(benchmark.epochs_to_pay(wishes) == full, f"{what}, morph: {benchmark.epochs_to_pay(wishes)} to pay")
    if benchmark.continues and short < full:
        require(bool(first.training), f"{what}: a training that can go on needs a name")
        goes_on = benchmark.query(asked, drawing := random.Random(5))
        require(drawing.getstate() == random.Random(5).getstate(), f"{what} draws a random number")
        require(goes_on.paid_epochs == full - short, f"{what} pays {goes_on.paid_epochs} epochs")
        require(benchmark.epochs_to_pay(asked) == full - short, f"{what}: {benchmark.epochs_to_pay(asked)} to pay")
        whole = [benchmark.query(Query(arch, full), random.Random(i)) for i in range(40)]
        same = [result for result in whole if result.training == goes_on.training]
        require(bool(same) and same[0].value == goes_on.value, f"{what} is none of the trainings of {full} epochs")
        paid = math.isclose(goes_on.cost + first.cost, same[0].cost, rel_tol=1e-9)
        require(paid, f"{what} costs {goes_on.cost} after {first.cost}, at once {same[0].cost}")
        back = asked._replace(epochs=short, origin=goes_on.training)
        refused(InvalidQuery, partial(benchmark.query, back, random.Random(4)), f"{benchmark.name}.query({back})")
        other = asked._replace(arch=next(a for a in map(benchmark.space.sample, [random.Random(6)] * 99) if a != arch))
        refused(InvalidQuery, partial(benchmark.query, other, random.Random(4)), f"{benchmark.name}.query({other})")
    elif short < full:
        again = benchmark.query(asked, random.Random(5))
        require(again == benchmark.query(Query(arch, full), random.Random(5)), f"{what} is no training from scratch")
        require(again.paid == full, f"{what} restarts and pays {again.paid_epochs} epochs")
    job = benchmark.job(Query(arch), random.Random(7))
    require(job() == benchmark.query(Query(arch), random.Random(7)), f"{benchmark.name}: a job gives another answer")


def _check_test_split(benchmark: Benchmark, archs: list[Architecture]) -> None:
    name = benchmark.name
    if not benchmark.has_test:
        refused(Unsupported, partial(benchmark.test_accuracy, archs[0]), f"{name} without a test split: test_accuracy")
        return
    tests = [benchmark.test_accuracy(arch) for arch in archs]
    require(all(map(benchmark.metric.fits, tests)), f"{name} on test: {_kind(benchmark)}")
    differ = tests != [benchmark.mean_accuracy(arch) for arch in archs]
    require(differ, f"{name}: the test split is the validation split under another name")


def _check_optimum(benchmark: Benchmark, metric: str, archs: list[Architecture]) -> None:
    optimum = benchmark.optimum(metric)
    if optimum is None:
        return
    listed = benchmark.space.size <= LISTED
    best = max(benchmark.mean_accuracy(arch, metric) for arch in (benchmark.space.architectures() if listed else archs))
    what = f"{benchmark.name}: optimum({metric}) is {optimum}, the best mean {best}"
    require(best <= optimum + 1e-12 and (not listed or best >= optimum - 1e-12), what)
