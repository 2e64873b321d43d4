"""The benchmarks of NAS-Bench-201 with three operations: the part of digits, and the training back-end."""

from __future__ import annotations

import random

import numpy as np
import pytest

import nassim
from nassim.benchmarks.spaces.nasbench201_3ops import SPACE
from nassim.query import Query
from nassim.registry import get_benchmark, get_space, training_spaces
from nassim.testing import check_benchmark


@pytest.mark.parametrize("noise", ["draw", "mean", "repeat=3"])
def test_the_part_of_digits_meets_the_contract(noise: str) -> None:
    check_benchmark(get_benchmark("nasbench201_3ops/digits", noise))


def test_the_part_of_digits_says_what_the_whole_says() -> None:
    whole, part = get_benchmark("nasbench201/digits", "mean"), get_benchmark("nasbench201-3ops/digits", "mean")
    assert part.about.sha256 == whole.about.sha256 and part.fidelities == whole.fidelities
    rng = random.Random(0)
    for arch in [SPACE.sample(rng) for _ in range(40)]:
        cell = SPACE.cell(arch)
        for epochs in part.fidelities:
            ours, theirs = (bench.query(Query(each, epochs), rng) for bench, each in ((part, arch), (whole, cell)))
            assert ours[:3] == theirs[:3] and dict(ours.extras) == dict(theirs.extras)
        assert part.test_accuracy(arch) == whole.test_accuracy(cell)
        assert part.query(Query(arch), rng).extras["parameters"] > 0


def test_it_has_its_own_optimum() -> None:
    whole, part = get_benchmark("nasbench201/digits"), get_benchmark("nasbench201_3ops/digits")
    for metric in ("valid_accuracy", "test_accuracy"):
        best = max(part.mean_accuracy(arch, metric) for arch in SPACE.architectures())
        assert part.optimum(metric) == best and 0.8 < best < (whole.optimum(metric) or 0)
    assert "These 729 of the 15,625 cells" in part.about.notes[0]


def test_strategies_search_it() -> None:
    for name in ("random_search", "local_search", "regularized_evolution", "gp_bo", "pnas"):
        run = nassim.run(name, "nasbench201_3ops/digits", "30q", seed=1)
        assert run.best.valid > 0.6 and str(run.best.arch).startswith("nasbench201_3ops:")


@pytest.mark.slow
def test_it_can_be_trained_as_the_cell_that_it_is() -> None:
    pytest.importorskip("torch")
    from nassim.full_training.images.data import load_data
    from nassim.full_training.networks.nasbench201 import build
    from nassim.full_training.training.many import DeviceData, train_many
    from nassim.full_training.training.recipe import Recipe
    from nassim.full_training.training.train import train

    assert "nasbench201_3ops" in training_spaces() and get_space("nasbench201_3ops") is SPACE
    arch = SPACE.parse("212021")
    sizes = {"channels": 8, "cells": 2, "classes": 10, "image_channels": 4}
    network = build(arch, **sizes)  # type: ignore[arg-type]
    row = SPACE.index(arch)
    extras = get_benchmark("nasbench201_3ops/digits").query(Query(arch), random.Random(0)).extras
    assert extras["parameters"] == sum(p.numel() for p in network.parameters()) and row == 2 * 243 + 81 + 54 + 2 * 3 + 1
    recipe = Recipe("r", channels=2, cells=1, epochs=1, batch=1000, crop=0, flip=False)
    data = load_data("digits")
    ours, theirs = (train(each, data, recipe, 3) for each in (arch, SPACE.cell(arch)))
    assert ours.valid_accuracy == theirs.valid_accuracy and ours.arch == str(arch)
    many = train_many([arch, SPACE.cell(arch)], DeviceData.of(data, recipe), recipe, [3, 3])
    np.testing.assert_allclose(many[0].valid_accuracy, many[1].valid_accuracy, atol=0.002)
    np.testing.assert_allclose(many[0].valid_accuracy, ours.valid_accuracy, atol=0.02)
