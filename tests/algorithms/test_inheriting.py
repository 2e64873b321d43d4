"""Strategies whose children inherit: each step of the papers on the space of networks that grow, without training."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

import nassim
from nassim.algorithms.lemonade import front_of
from nassim.algorithms.parts.density import SizeDensity, rare
from nassim.algorithms.parts.large_scale import CHANGES, IDENTITY, RESET, mutation
from nassim.algorithms.parts.shrinking import proposals
from nassim.benchmark import About
from nassim.morph_space import MorphSpace
from nassim.morphs import tied
from nassim.network import measure
from nassim.objectives import Objective
from nassim.pareto import hypervolume
from nassim.query import Query, Result
from nassim.space import Architecture
from nassim.testing.problems import Answers

GROWN = nassim.get_space("grown")
assert isinstance(GROWN, MorphSpace)


def size(arch: Architecture) -> dict[str, float]:
    found = measure(GROWN.network(arch, GROWN.frame))
    return {"parameters": float(found.parameters), "flops": float(found.macs)}


def promise(arch: Architecture) -> float:
    """More parameters are better, ever less so."""
    return 0.1 + 0.03 * math.log2(size(arch)["parameters"])


class Pretended(Answers):
    """Trains nothing, and answers as if whoever inherits had something of it; noise of a hundredth."""

    inherits = True

    def __init__(self, accuracy: Callable[[Architecture], float] = promise, noise: float = 0.01) -> None:
        super().__init__("pretended", GROWN, accuracy)
        self._noise = noise
        self.asked: list[Query] = []
        self.about = About("pretended", "none", "none", "MIT", "none", extras={"parameters": "", "flops": ""})

    def query(self, query: Query, rng: random.Random) -> Result:
        self.asked.append(query)
        epochs = self.epochs_of(query)
        value = self._accuracy(query.arch) + self._noise * rng.gauss(0.0, 1.0) + 0.01 * bool(query.inherit)
        return Result(value, epochs, 10.0 * epochs, size(query.arch), f"training {len(self.asked)}")

    def measure(self, arch: Architecture) -> dict[str, float]:
        return size(arch)


def searched(name: str, budget: str = "60q", seed: int = 0, **settings: object) -> tuple[nassim.Run, Pretended]:
    bench = Pretended()
    return nassim.run(nassim.get_algorithm(name).configured(**settings), bench, budget, seed=seed), bench


# -- nash ---------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_nash_child_0_is_the_unmodified_parent_and_all_inherit_from_the_best() -> None:
    run, _ = searched("nash", "65q", neighbors=8, morphisms=5)
    best, steps = run.trials[0], [run.trials[i : i + 8] for i in range(1, 65, 8)]
    assert best.query == Query(GROWN.seed)
    for step in steps:
        assert step[0].arch == best.arch
        assert {(t.query.origin, t.query.inherit) for t in step} == {(best.result.training, "morph")}
        assert all(GROWN.transfer(best.arch, t.arch).exact for t in step)
        following = max(step, key=lambda t: t.value)
        assert following.value >= step[0].value  # the best child is never below child 0
        best = following


def test_nash_networks_only_grow() -> None:
    run, bench = searched("nash")
    by_name = {f"training {i}": q.arch for i, q in enumerate(bench.asked, 1)}
    for trial in run.trials[1:]:
        assert size(trial.arch)["parameters"] >= size(by_name[trial.query.origin])["parameters"]


def test_nash_from_scratch_asks_for_no_weights() -> None:
    run, _ = searched("nash", inherit=False)
    assert not any(t.query.inherit or t.query.origin for t in run.trials)


# -- lemonade -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_lemonade_front_grows_and_is_mutually_non_dominated() -> None:
    run, _ = searched("lemonade", "100q")
    volumes = []
    for end in range(4, len(run.trials), 8):
        front = front_of(run.trials[:end], (), None, size)
        points = np.array([[1 - t.value, math.log(size(t.arch)["parameters"]) / 20] for t in front])
        assert not any((a <= b).all() for i, a in enumerate(points) for j, b in enumerate(points) if i != j)
        volumes.append(hypervolume(points, np.array([1.0, 1.0])))
    assert all(b >= a - 1e-12 for a, b in pairwise(volumes)) and volumes[-1] > volumes[0]


def test_lemonade_trains_exact_children_by_morph_and_others_as_pupils() -> None:
    run, bench = searched("lemonade", "84q")
    by_name = {f"training {i}": q.arch for i, q in enumerate(bench.asked, 1)}
    ways = set()
    for trial in run.trials[4:]:
        exact = GROWN.transfer(by_name[trial.query.origin], trial.arch).exact
        assert trial.query.inherit == ("morph" if exact else "distill")
        ways.add(trial.query.inherit)
    assert ways == {"morph", "distill"}


def test_lemonade_trains_the_accepted_only_and_takes_the_objective_that_is_asked_for() -> None:
    bench = Pretended()
    run = nassim.run("lemonade", bench, "52q", objectives="valid_accuracy,flops")
    assert len(run.trials) == 52 and len(bench.asked) == 52
    flops = (Objective("valid_accuracy", "", False), Objective("flops", "", True))
    front = front_of(run.trials, flops, None, size)
    assert len(front) < len(run.trials)


def test_lemonade_density_draws_flatten_the_histogram_of_log_sizes() -> None:
    """Kullback-Leibler divergence from uniform is smaller than of uniform draws over the crowd."""
    rng = random.Random(3)
    sizes = np.array([[10 ** rng.gauss(5.0, 0.15)] for _ in range(80)] + [[10.0 ** (4 + k / 4)] for k in range(9)])
    density = SizeDensity(sizes)(sizes)
    places = range(len(sizes))
    edges = np.linspace(4, 6, 9)

    def divergence(drawn: list[int]) -> float:
        shares = np.histogram(np.log10(sizes[drawn, 0]), edges)[0] / len(drawn)
        return float(sum(p * math.log(p * 8) for p in shares if p > 0))

    flat, crowded = rare(places, density, 2000, rng, again=True), rng.choices(places, k=2000)
    assert divergence(flat) < 0.5 * divergence(crowded)
    once = rare(places, density, 20, rng, again=False)
    assert len(set(once)) == 20


# -- large-scale evolution ----------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 5])
def test_large_scale_evolution_keeps_its_population_and_kills_the_worse(workers: int) -> None:
    algorithm = nassim.get_algorithm("lse").configured(population_size=12)
    search = algorithm.begin(GROWN, random.Random(5))
    bench, rng, waiting, told = Pretended(), random.Random(1), [], 0
    killed = []
    alive: list[nassim.Trial] = []
    for _ in range(80):
        message = search.ask()
        (query,) = message.queries  # type: ignore[union-attr]
        names = search.search.gi_frame.f_locals  # type: ignore[attr-defined]
        now = list(names["population"])
        if told >= 12 + workers and "pair" in names:
            first, second = names["pair"]
            gone = [t for t in (first, second) if t not in now]
            assert len(gone) == 1 and gone[0].value == min(first.value, second.value)
            assert workers > 1 or len(now) == 11  # the child joins when its training has ended
            killed.append(gone[0])
        waiting.append(nassim.Trial(query, bench.query(query, rng), 0.0, 0.0, 0))
        ended = waiting[:1] if len(waiting) >= workers else []
        waiting = waiting[len(ended) :]
        told += len(ended)
        alive += ended
        search.tell(ended)
    assert len(killed) > 40 and len({id(t) for t in killed}) == len(killed)  # nobody dies twice


def test_large_scale_evolution_begins_without_convolutions_and_inherits_what_matches() -> None:
    run, bench = searched("lse", "90q", population_size=10)
    assert {t.arch for t in run.trials[:10]} == {GROWN.trivial()}
    children = run.trials[10:]
    how = {t.query.inherit for t in children}
    assert how == {"match", "morph", ""}  # RESET-WEIGHTS begins anew, IDENTITY goes on with everything
    by_name = {f"training {i}": q.arch for i, q in enumerate(bench.asked, 1)}
    assert all(t.arch == by_name[t.query.origin] for t in children if t.query.inherit == "morph")
    assert max(len(t.arch.choices) for t in children) > 10


def test_large_scale_evolution_has_eleven_mutations_all_of_which_give_networks() -> None:
    rng, arch, seen = random.Random(2), GROWN.sample(random.Random(4)), set()
    for _ in range(150):
        name, child = mutation(GROWN, arch, rng)
        assert GROWN.is_valid(child)
        assert (child == arch) == (name in (IDENTITY, RESET)) or name == "insert-one-to-one"
        seen.add(name)
        arch = child if len(child.choices) < 150 else GROWN.seed
    assert seen == {IDENTITY, RESET, *CHANGES} and len(seen) == 11


def test_large_scale_evolution_moves_the_learning_rate_by_at_most_two() -> None:
    rng = random.Random(0)
    factors = {
        GROWN.recipe(child).get("rate", 1.0)
        for name, child in (mutation(GROWN, GROWN.seed, rng) for _ in range(300))
        if name == "alter-learning-rate"
    }
    assert {round(f, 6) for f in factors} == {0.5, round(0.5**0.5, 6), round(2**0.5, 6), 2.0}


# -- netadapt -----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_netadapt_each_step_saves_delta_and_ends_at_the_target() -> None:
    run, _ = searched("netadapt", "400q", delta=0.1, target=0.5)
    begun = [i for i, t in enumerate(run.trials) if not t.query.origin]
    first = run.trials[0]
    last = begun[1] if len(begun) > 1 else len(run.trials)  # line 6: from scratch
    whole = size(first.arch)["flops"]
    best, at = first, 1
    while at < last:
        step = [t for t in run.trials[at:last] if t.query.origin == best.result.training]
        assert step and all(size(best.arch)["flops"] - size(t.arch)["flops"] >= 0.1 * whole for t in step)
        assert {t.query.inherit for t in step} == {"norm"}
        now, before = size(best.arch)["flops"], best.value
        best = max(step, key=lambda t: (t.value - before) / (now - size(t.arch)["flops"]))
        at += len(step)
    assert size(best.arch)["flops"] <= 0.5 * whole
    assert run.trials[last].arch == best.arch and not run.trials[last].query.origin


def test_netadapt_widths_that_sums_tie_stay_equal() -> None:
    rng, checked = random.Random(1), 0
    while checked < 5:
        arch = GROWN.sample(rng)
        network = GROWN.network(arch, GROWN.frame)
        groups = [g for layer in network.layers if layer.kind == "conv" and len(g := tied(network, layer.name)) > 1]
        if not groups:
            continue
        checked += 1
        found = proposals(GROWN, arch, lambda a: size(a)["flops"], 0.02 * size(arch)["flops"])
        assert found
        for child in found:
            widths = {x.name: x.settings.get("channels") for x in GROWN.network(child, GROWN.frame).layers}
            assert all(len({widths[name] for name in group}) == 1 for group in groups)
            assert not GROWN.transfer(arch, child, "norm").exact


# -- selection --------------------------------------------------------------------------------------------


def blind(arch: Architecture) -> float:
    """A value that says nothing of the architecture: selection by it is none."""
    return 0.5 + 0.1 * random.Random(str(arch)).random()


def gain(name: str, budget: str, seeds: int) -> float:
    """How much better the best that a search visits is if it sees what its networks are worth: the mean over seeds."""

    def best(accuracy: Callable[[Architecture], float], seed: int) -> float:
        run = nassim.run(name, Pretended(accuracy, noise=0.0), budget, seed=seed)
        return max(promise(t.arch) for t in run.trials)

    return float(np.mean([best(promise, seed) - best(blind, seed) for seed in range(seeds)]))


@pytest.mark.slow
def test_nash_ends_above_random_morphs_without_selection() -> None:
    assert gain("nash", "49q", 3) > 0


@pytest.mark.slow
@pytest.mark.parametrize(("name", "budget"), [("lse", "150q"), ("codeepneat", "120q")])
def test_others_end_above_themselves_without_selection(name: str, budget: str) -> None:
    assert gain(name, budget, 5) > 0
