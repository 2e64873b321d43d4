"""The plain one-shot method: which paths train the weights, how architectures are searched, that it resumes."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import binomtest, chisquare

import nassim
from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.layout import Layout
from nassim.query import Report
from nassim.space import Architecture
from nassim.supernet import Supernets
from nassim.testing import check_strategy

torch = pytest.importorskip("torch")

from nassim.full_training.relaxations.mixtures import dropped, path  # noqa: E402

ONE_SHOT = nassim.get_algorithm("one_shot").configured(
    epochs=2, batch_size=16, population_size=6, parents=2, rounds=2, finalists=2
)


class Scripted:
    """A supernet whose shared-weight accuracy is the share of options 3; on all images, the share of options 2."""

    device = "cpu"
    layout = Layout(SPACE)

    def __init__(self, batches: int) -> None:
        self.count = batches
        self.trained: list[Any] = []
        self.scored: list[tuple[tuple[int, ...], int]] = []

    def schedule(self, epochs: int, *_: Any, **__: Any) -> None:
        self.many = epochs

    def epochs(self, **kept: Any) -> Any:
        return iter(range(self.many))

    def path(self, arch: Architecture) -> Any:
        return path(arch.choices)

    def training_batches(self, epoch: int, size: int) -> Any:
        yield from ["train"] * self.count

    def scoring_batches(self, epoch: int, size: int) -> Any:
        while True:
            yield "batch"

    def step(self, mix: Any, batch: Any) -> None:
        self.trained.append(mix.active)

    def score(self, mix: Any, *batches: Any) -> float:
        choices = tuple(k for (k,) in mix.active)
        self.scored.append((choices, len(batches)))
        return choices.count(3) / 6 if batches else choices.count(2) / 6

    def cost(self) -> float:
        return 1.5


def answers(algorithm: nassim.Algorithm, supernet: Any) -> list[Report]:
    search = algorithm.begin(SPACE, random.Random(0), supernet=supernet)
    found = []
    while (message := search.ask()) is not None:
        assert isinstance(message, Report)
        found.append(message)
        search.tell([])
    return found


@pytest.mark.slow
def test_contract(tiny_supernets: Supernets) -> None:
    check_strategy(ONE_SHOT, supernets=tiny_supernets)
    check_strategy(ONE_SHOT.configured(paths="dropout", epochs=1), supernets=tiny_supernets)


def test_single_paths_are_uniform() -> None:
    net = Scripted(batches=3000)
    answers(ONE_SHOT.configured(epochs=1), net)
    for edge in range(6):
        counts = Counter(active[edge][0] for active in net.trained)
        assert chisquare([counts[k] for k in range(5)]).pvalue > 1e-4


def test_the_dropout_begins_with_the_whole_network_and_drops_decisions_at_the_rate() -> None:
    rng = random.Random(1)
    assert dropped([5] * 6, 0.1, 0.0, rng).active == ((0, 1, 2, 3, 4),) * 6
    groups = [options for _ in range(4000) for options in dropped([5, 2], 0.1, 1.0, rng).active]
    for width, drawn in ((5, groups[::2]), (2, groups[1::2])):
        empty = sum(options == () for options in drawn)
        assert binomtest(empty, len(drawn), 0.1).pvalue > 1e-4
        kept = sum(0 in options for options in drawn)
        assert binomtest(kept, len(drawn), 1 - 0.1 ** (1 / width)).pvalue > 1e-4


def test_the_share_of_what_is_dropped_rises_over_the_epochs() -> None:
    net = Scripted(batches=200)
    answers(ONE_SHOT.configured(paths="dropout", epochs=3, drop_rate=0.5), net)
    running = [sum(len(options) for mix in net.trained[i : i + 200] for options in mix) for i in (0, 200, 400)]
    assert running[0] == 200 * 30 > running[1] > running[2]


def test_nothing_is_scored_twice_on_the_same_batches_and_the_best_are_scored_on_all_images() -> None:
    net = Scripted(batches=1)
    found = answers(ONE_SHOT.configured(epochs=1, population_size=20, parents=5, rounds=4, finalists=3), net)
    first = [choices for choices, batches in net.scored if batches]
    final = [choices for choices, batches in net.scored if not batches]
    assert len(first) == len(set(first)) > 20 and len(final) == 3
    assert sorted((c.count(3) for c in final), reverse=True) == sorted((c.count(3) for c in first), reverse=True)[:3]
    assert found[0].arch.choices.count(2) == max(c.count(2) for c in final) and found[0].cost == 1.5


def test_evolution_finds_better_ones_than_random_architectures() -> None:
    def best(rounds: int, seed_of_net: int) -> int:
        net = Scripted(batches=seed_of_net)  # more draws before the search: another stream
        answers(ONE_SHOT.configured(epochs=1, population_size=20, parents=5, rounds=rounds), net)
        return max(choices.count(3) for choices, batches in net.scored if batches)

    assert sum(best(10, n) for n in range(1, 9)) > sum(best(1, n) for n in range(1, 9)) + 4


def test_an_interrupted_search_goes_on(tiny_supernets: Supernets, tmp_path: Path) -> None:
    def search(until: int | None = None, file: Path | None = None) -> list[Any]:
        net: Any = tiny_supernets.make(0, "cpu")
        told: list[Any] = []
        if file is not None:
            net.keep(file, told)
        run = ONE_SHOT.configured(epochs=3).begin(SPACE, random.Random(0), supernet=net)
        while len(told) != until and (message := run.ask()) is not None:
            assert isinstance(message, Report)
            told.append(list(message.arch.choices))
            run.tell([])
        return told

    whole, file = search(), tmp_path / "kept.search"
    assert search(2, file) == whole[:2]
    assert search(None, file) == whole and len(whole) == 3
