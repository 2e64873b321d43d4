"""AutoKeras' distance, process and tree search, each against its definition."""

from __future__ import annotations

import random
from functools import partial
from itertools import permutations

import numpy as np
import pytest

import nassim
from nassim.algorithms.parts.morphing import grown
from nassim.algorithms.parts.network_distance import (
    Described,
    Distances,
    Skip,
    Token,
    described,
    distances,
    skips_apart,
)
from nassim.algorithms.parts.tree_search import Process, search
from nassim.morph_space import MorphSpace
from nassim.space import Architecture
from nassim.testing.problems import Answers

GROWN = nassim.get_space("grown")
assert isinstance(GROWN, MorphSpace)


def networks(count: int, seed: int = 0) -> list[Architecture]:
    rng = random.Random(seed)
    found: dict[Architecture, None] = {}
    while len(found) < count:
        arch = GROWN.seed
        for _ in range(rng.randrange(8)):
            arch = GROWN.mutate(arch, rng)
        found[arch] = None
    return list(found)


def edit(a: tuple[Token, ...], b: tuple[Token, ...]) -> float:
    """The textbook's recursion."""
    table = np.zeros((len(a) + 1, len(b) + 1))
    table[:, 0], table[0, :] = range(len(a) + 1), range(len(b) + 1)
    for i, s in enumerate(a, 1):
        for j, t in enumerate(b, 1):
            same = [abs(x - y) / max(x, y, 1) for x, y in zip(s[1:], t[1:], strict=True)]
            cost = sum(same) / 3 if s[0] == t[0] else 1.0
            table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, table[i - 1, j - 1] + cost)
    return float(table[-1, -1])


def test_layer_distances_are_the_edit_distances_by_definition() -> None:
    looked = [described(GROWN.network(arch, GROWN.frame)) for arch in networks(15)]
    plain = [each._replace(skips=()) for each in looked]
    found = distances(plain, plain)
    assert found == pytest.approx(np.array([[edit(a.layers, b.layers) for b in plain] for a in plain]))
    assert distances([Described((), ())], plain)[0] == pytest.approx([len(each.layers) for each in plain])


def test_skips_are_matched_at_the_least_cost() -> None:
    rng = random.Random(1)

    def some() -> tuple[Skip, ...]:
        count = rng.randrange(1, 4)
        return tuple((rng.choice(("add", "concat")), rng.randrange(5), rng.randrange(1, 5)) for _ in range(count))

    def cost(s: Skip, t: Skip) -> float:
        apart = abs(s[1] - t[1]) + abs(s[2] - t[2])
        return apart / (max(s[1], t[1]) + max(s[2], t[2])) if s[0] == t[0] else 1.0

    for _ in range(40):
        a, b = sorted((some(), some()), key=len)
        best = min(
            sum(cost(s, b[j]) for s, j in zip(a, chosen, strict=True)) for chosen in permutations(range(len(b)), len(a))
        )
        assert skips_apart(a, b) == pytest.approx(best + len(b) - len(a))
    assert skips_apart((), ((("add", 0, 1)),) * 3) == 3.0


def test_the_metric_axioms_hold_on_a_thousand_random_pairs() -> None:
    archs = networks(50)
    found = Distances(GROWN)(archs, archs)  # 2,500 pairs
    assert (found.diagonal() == 0).all() and (found >= 0).all() and np.allclose(found, found.T)
    through = (found[:, :, None] + found[None]).min(axis=1)  # the shortest way with one stop
    assert (through >= found - 1e-9).all()


def test_elsewhere_it_is_the_number_of_choices_that_differ() -> None:
    space = nassim.get_space("nasbench201")
    a, b = space.parse("310423"), space.parse("310121")
    assert Distances(space)([a], [a, b]).tolist() == [[0.0, 2.0]]


def test_the_gram_matrix_is_positive_definite_for_trained_and_new_alike() -> None:
    archs = networks(40)
    process = Process(archs[:25], list(range(25)), Distances(GROWN), 64, 1e-6)
    points = process.embed(archs)
    assert np.linalg.eigvalsh(process.kernel(points, points)).min() > -1e-8
    apart = Distances(GROWN)(archs, archs)
    embedded = np.sqrt(((points[:, None] - points[None]) ** 2).sum(axis=2))
    assert (embedded <= apart + 1e-9).all()  # no further apart than the networks


def test_the_process_interpolates_what_was_trained() -> None:
    archs = networks(60)
    looked = [described(GROWN.network(arch, GROWN.frame)) for arch in archs]
    different = list(dict(zip(looked, archs, strict=True)).values())[:20]
    values = [0.5 + 0.01 * i for i in range(len(different))]
    process = Process(different, values, Distances(GROWN), 64, 1e-9)
    mean, deviation = process.posterior(different)
    assert mean * process.scale + process.mean == pytest.approx(values, abs=1e-3) and deviation.max() < 0.05
    assert process.values.mean() == pytest.approx(0, abs=1e-9) and process.values.std() == pytest.approx(1)
    assert process.bound(different, 0.0) == pytest.approx(mean.tolist())  # beta 0 exploits alone
    constant = Process(different, [0.5] * len(different), Distances(GROWN), 64, 1e-2)
    assert np.isfinite(constant.posterior(different)[0]).all()


@pytest.mark.slow
def test_the_tree_gives_a_new_network_and_the_trained_one_that_it_descends_from() -> None:
    archs = networks(12)
    values = [float(i) for i in range(12)]
    process = Process(archs, values, Distances(GROWN), 64, 0.01)
    parents: dict[Architecture, Architecture] = {}
    rng = random.Random(0)

    def morph(arch: Architecture) -> Architecture:
        child = grown(GROWN, arch, rng)
        parents.setdefault(child, arch)
        return child

    found = search(process, archs, process.values.tolist(), set(archs), morph, rng, beta=2.576, children=8)
    assert found is not None and found.arch not in archs
    at = found.arch
    while at not in archs:
        at = parents[at]
    assert at == archs[found.father] and GROWN.transfer(at, found.arch).exact
    best = max(process.bound([a for a in parents if a not in archs], 2.576))
    assert process.bound([found.arch], 2.576)[0] == best  # the highest of all that were made


def test_a_space_that_is_used_up_is_no_end() -> None:
    space = nassim.get_space("toy")
    archs = list(space.architectures())
    process = Process(archs, [0.1 * a.choices[0] for a in archs], Distances(space), 64, 0.01)
    morph = partial(space.mutate, rng=random.Random(1))
    assert search(process, archs, [0.0] * 81, set(archs), morph, random.Random(0), beta=1.0, children=8) is None
    assert len(nassim.run("autokeras", "toy/additive", "90q").trials) == 90


@pytest.mark.slow
def test_children_inherit_from_the_trained_network_that_they_descend_from() -> None:
    bench = Answers("grown", GROWN, lambda arch: 0.5 + 0.001 * (len(arch.choices) % 97))
    run = nassim.run("autokeras", bench, "8q", seed=3)
    assert [bool(t.query.inherit) for t in run.trials[:3]] == [False] * 3
    assert all(t.query.inherit == "morph" for t in run.trials[3:])
    assert len({t.arch for t in run.trials}) == 8  # nothing twice
