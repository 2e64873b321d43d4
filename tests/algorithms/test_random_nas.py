"""Random search with weight sharing: uniform paths, scores by shared weights."""

from __future__ import annotations

import random
from collections import Counter
from itertools import islice
from typing import Any

import pytest
from scipy.stats import chisquare

import nassim
from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.query import Report
from nassim.supernet import Supernets
from nassim.testing import check_strategy

torch = pytest.importorskip("torch")

from nassim.full_training.relaxations.mixtures import path  # noqa: E402

RANDOM_NAS = nassim.get_algorithm("random_nas").configured(epochs=2, batch_size=16, candidates=12)


class Scripted:
    """A supernet whose shared-weight accuracies are known: the share of options 3, with what it was asked for."""

    device = "cpu"

    def __init__(self, batches: int) -> None:
        self.count = batches
        self.trained: list[tuple[int, ...]] = []
        self.scored: list[tuple[tuple[int, ...], int]] = []

    def schedule(self, epochs: int, *_: Any, **__: Any) -> None:
        self.many = epochs

    def epochs(self, **kept: Any) -> Any:
        return iter(range(self.many))

    def path(self, arch: Any) -> Any:
        return path(arch.choices)

    def training_batches(self, epoch: int, size: int) -> Any:
        yield from ["train"] * self.count

    def scoring_batches(self, epoch: int, size: int) -> Any:
        while True:
            yield "batch"

    def step(self, mix: Any, batch: Any) -> float:
        assert batch == "train"
        self.trained.append(tuple(k for (k,) in mix.active))
        return 0.0

    def score(self, mix: Any, *batches: Any) -> float:
        choices = tuple(k for (k,) in mix.active)
        self.scored.append((choices, len(batches)))
        return choices.count(3) / 6 if batches else choices.count(2) / 6

    def cost(self) -> float:
        return 1.5


def first_answer(algorithm: nassim.Algorithm, supernet: Any) -> Report:
    message = algorithm.begin(SPACE, random.Random(0), supernet=supernet).ask()
    assert isinstance(message, Report)
    return message


def test_contract(tiny_supernets: Supernets) -> None:
    check_strategy(RANDOM_NAS, supernets=tiny_supernets)


def test_every_option_is_trained_equally_often() -> None:
    net = Scripted(batches=6000)
    first_answer(RANDOM_NAS, net)
    assert len(net.trained) == 6000
    for edge in range(6):
        counts = Counter(choices[edge] for choices in net.trained)
        assert chisquare([counts[k] for k in range(5)]).pvalue > 1e-4


def test_it_answers_with_the_best_candidate() -> None:
    net = Scripted(batches=1)
    answer = first_answer(RANDOM_NAS.configured(candidates=50, score_batches=3, finalists=1), net)
    assert [count for _, count in net.scored] == [3] * 50
    assert answer.cost == 1.5
    assert answer.arch.choices.count(3) == max(choices.count(3) for choices, _ in net.scored)


def test_finalists_are_scored_on_all_validation_images() -> None:
    net = Scripted(batches=1)
    answer = first_answer(RANDOM_NAS.configured(candidates=40, score_batches=1, finalists=5), net)
    first, final = net.scored[:40], net.scored[40:]
    assert [count for _, count in final] == [0] * 5
    assert Counter(c.count(3) for c, _ in final) == Counter(sorted((c.count(3) for c, _ in first), reverse=True)[:5])
    assert answer.arch.choices.count(2) == max(choices.count(2) for choices, _ in final)


def test_candidates_see_batches_of_their_own(tiny_supernets: Supernets) -> None:
    net: Any = tiny_supernets.make(0, "cpu")
    seen: list[bytes] = []
    score = net.score
    net.score = lambda mix, *batches: seen.append(batches[0][0].numpy().tobytes()) or score(mix, *batches)
    first_answer(RANDOM_NAS.configured(candidates=3, score_batches=1, finalists=1), net)
    assert seen == [images.numpy().tobytes() for images, _ in islice(net.scoring_batches(0, 16), 3)]
