"""AmoebaNet: the frequencies of its mutations, what they reach, and that children that are their parents are paid."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from scipy.stats import chisquare, mannwhitneyu

import nassim
from nassim.algorithms.amoeba import mutated
from nassim.benchmark import Benchmark
from nassim.errors import InvalidSetting
from nassim.space import Architecture
from nassim.testing import check_strategy
from nassim.testing.problems import Answers

AMOEBA = nassim.get_algorithm("amoeba")
SPACE = nassim.get_space("nasnet")


def changed(parent: Architecture, child: Architecture) -> list[int]:
    return [i for i, (x, y) in enumerate(zip(parent.choices, child.choices, strict=True)) if x != y]


def depth() -> Benchmark:
    """On nasnet: the share of operations that are sep7, without noise."""
    return Answers("operations", SPACE, lambda arch: sum(op == 3 for op in arch.choices[1::2]) / 20)


def test_amoeba_keeps_the_contract() -> None:
    check_strategy(AMOEBA)


def test_the_three_mutations_have_the_frequencies_of_the_paper() -> None:
    rng = random.Random(0)
    arch = SPACE.sample(rng)
    counts: Counter[str] = Counter()
    for _ in range(20_000):
        child = mutated(SPACE, arch, rng, 0.05, 0.475)
        places = changed(arch, child)
        assert len(places) <= 1 and SPACE.is_valid(child)
        counts["identity" if not places else "operation" if places[0] % 2 else "hidden state"] += 1
    observed = [counts[kind] for kind in ("identity", "hidden state", "operation")]
    assert chisquare(observed, [1000, 9500, 9500]).pvalue > 0.01


def test_mutants_of_one_parent_are_all_200_neighbors_uniformly_within_a_place() -> None:
    rng = random.Random(1)
    arch = SPACE.sample(rng)
    counts = Counter(mutated(SPACE, arch, rng, 0.05, 0.475) for _ in range(20_000))
    del counts[arch]
    assert set(counts) == set(SPACE.neighbors(arch)) and len(counts) == 200
    places: dict[int, list[int]] = {}
    for child, count in counts.items():
        places.setdefault(changed(arch, child)[0], []).append(count)
    assert len(places) == 40
    assert chisquare([sum(places[i]) for i in range(0, 40, 2)]).pvalue > 0.001  # cell, block and side
    assert chisquare([sum(places[i]) for i in range(1, 40, 2)]).pvalue > 0.001
    assert min(chisquare(found).pvalue for found in places.values() if len(found) > 1) > 1e-4


def test_children_that_are_their_parents_are_charged() -> None:
    run = nassim.run(
        AMOEBA.configured(population_size=5, sample_size=2, identity=1.0, hidden_state=0.0), depth(), "30q"
    )
    assert len(run.trials) == 30 and len({trial.arch for trial in run.trials[5:]}) <= 5
    assert all(trial.arch in {t.arch for t in run.trials[:5]} for trial in run.trials[5:])
    assert run.trials[-1].finished == pytest.approx(sum(trial.result.cost for trial in run.trials))


def test_a_hidden_edit_makes_another_set_of_states_the_output() -> None:
    """A chain of blocks; the last block's input moved away from the one before it, which then joins the output."""
    chain = "|".join(f"sep3~{b + 1}+sep3~{b}" for b in range(5))
    arch = SPACE.parse(f"{chain}||{chain}")
    rng = random.Random(2)
    outputs = set()
    for _ in range(300):
        graph = SPACE.graph(mutated(SPACE, arch, rng, 0.0, 1.0))
        outputs.add(tuple(graph.nodes[a] for a, b, _ in graph.edges if graph.nodes[b] == "normal c_{k}"))
    assert ("normal 4",) in outputs and ("normal 3", "normal 4") in outputs


def test_every_individual_lives_as_many_steps_as_the_population_has_members() -> None:
    """A child is one change or none away from one of the last P."""
    run = nassim.run(AMOEBA.configured(population_size=10, sample_size=10), depth(), "120q", seed=1)
    for step in range(10, 120):
        alive = run.trials[step - 10 : step]
        assert min(len(changed(trial.arch, run.trials[step].arch)) for trial in alive) <= 1


def test_sizes() -> None:
    assert (
        AMOEBA.hyperparameters(SPACE)["population_size"] == 100 and AMOEBA.hyperparameters(SPACE)["sample_size"] == 25
    )
    small = AMOEBA.hyperparameters(SPACE, horizon=40)
    assert (small["population_size"], small["sample_size"]) == (10, 3)


@pytest.mark.parametrize("settings", [{"identity": 0.6}, {"identity": -0.1}, {"hidden_state": 1.5}])
def test_probabilities_that_cannot_be_are_one_line(settings: dict[str, float]) -> None:
    with pytest.raises(InvalidSetting, match=r"amoeba\.") as raised:
        nassim.run(AMOEBA.configured(**settings), depth(), "5q")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"population_size": 101}, r"population_size=101 is too many: toy has 81 architectures"),
        ({"population_size": 20, "sample_size": 21}, r"sample_size=21 is more than the population_size=20"),
    ],
)
def test_sizes_that_cannot_be_are_one_line(sizes: dict[str, int], message: str) -> None:
    with pytest.raises(InvalidSetting, match=r"amoeba\." + message) as raised:
        nassim.run(AMOEBA.configured(**sizes), "toy/additive", "5q")
    assert "\n" not in str(raised.value)


def test_better_than_random_search_on_its_own_space() -> None:
    def found(name: str) -> list[float]:
        return [nassim.run(name, depth(), "200q", seed=seed).best.valid for seed in range(5)]

    assert min(found("amoebanet")) > max(found("rs"))


def test_it_runs_on_darts() -> None:
    space = nassim.get_space("darts")
    run = nassim.run("amoeba", Answers("skips", space, lambda arch: arch.choices.count(2) / 22), "60q")
    assert len(run.trials) == 60 and run.best.valid > run.trials[0].value


@pytest.mark.slow
def test_better_than_random_search_on_nasbench101(cells: Benchmark) -> None:
    """150 trainings, 50 seeds, one-sided; searched on the test split, as no other is at hand."""
    ours, chance = (
        [nassim.run(name, cells, "150q", seed=seed).best.test for seed in range(50)] for name in ("amoeba", "rs")
    )
    assert mannwhitneyu(ours, chance, alternative="greater").pvalue < 0.01
