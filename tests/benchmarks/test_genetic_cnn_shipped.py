"""The table genetic_cnn/fashion14 that comes with nassim: whole, made by this version, and worth its name."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest
from scipy.stats import spearmanr

from nassim.benchmarks.genetic_cnn import PATH, SPACE
from nassim.full_training.images import fashion14
from nassim.full_training.tables.classes import GENETIC_CNN
from nassim.full_training.tables.designs import DESIGNS, WANTED, frame_of
from nassim.full_training.tables.shards import pilot_shards
from nassim.full_training.training.recipe import Recipe
from nassim.network import measure
from nassim.registry import get_benchmark
from nassim.tabular_data.table import Table
from nassim.tabular_data.trained import open_trained
from nassim.testing import check_benchmark

DESIGN = DESIGNS["genetic_cnn/fashion14"]
TABLE = open_trained(PATH, "fashion14")
VALID = TABLE.columns["fashion14/valid_accuracy"]
CLASSES = [each.rows[0] for each in DESIGN.classes]


def test_it_was_made_with_this_recipe_and_these_images() -> None:
    sources = TABLE.header.sources
    assert Recipe(**json.loads(sources["recipe"])) == DESIGN.recipe
    assert sources["recipe sha256"] == DESIGN.recipe.sha256
    assert sources["images sha256"] == fashion14.SHA256
    assert any(DESIGN.sha256 in note for note in TABLE.header.errata), "networks and first weights"
    assert PATH.stat().st_size <= 1e6


def test_no_training_is_missing_and_none_is_invented() -> None:
    counts = Table.open(PATH).columns
    for split, images in (("train", 8000), ("valid", 5000), ("test", 10_000)):
        correct = counts[f"fashion14/{split}_correct"]
        assert correct.size == 1812 * 2
        assert correct.min() > 0 and correct.max() <= images
    seconds = counts["fashion14/seconds"]
    assert seconds.shape == (1812, 2, 1) and seconds.min() > 0.1
    assert seconds.sum() < 3 * 3600, "three core-hours"
    assert VALID.shape == (SPACE.size, 2) and not np.isnan(VALID).any()
    column = TABLE.columns["fashion14/class"]
    assert all(row in DESIGN.classes[column[row]].rows for row in range(SPACE.size))
    assert not [note for note in TABLE.header.errata if note.startswith(("Incomplete", "Diverged"))]


def test_repeats_agree() -> None:
    assert spearmanr(VALID[CLASSES, 0], VALID[CLASSES, 1]).statistic >= WANTED
    assert spearmanr(VALID[:, 0], VALID[:, 1]).statistic >= WANTED


def test_the_pilot_allowed_it() -> None:
    rows = [CLASSES[i] for i in sorted({i for shard in pilot_shards(DESIGN) for i in shard.classes})]
    assert len(rows) == 48
    assert spearmanr(VALID[rows, 0], VALID[rows, 1]).statistic >= WANTED


def test_equal_networks_have_equal_values_and_sizes_are_measured() -> None:
    rng, frame = random.Random(0), frame_of(DESIGN.load_data(), DESIGN.recipe)
    bench = get_benchmark("genetic_cnn/fashion14", "mean")
    for arch in [SPACE.sample(rng) for _ in range(20)]:
        assert bench.mean_accuracy(arch) == bench.mean_accuracy(SPACE.canonical(arch))
        network = measure(GENETIC_CNN.network(arch, frame))
        found = bench.measure(arch)
        assert (found["parameters"], found["flops"]) == (network.parameters, network.macs)


@pytest.mark.parametrize("noise", ["draw", "mean", "repeat=2"])
def test_it_meets_the_contract(noise: str) -> None:
    bench = get_benchmark("genetic_cnn/fashion14", noise)
    check_benchmark(bench)
    assert bench.fidelities == (1,) and bench.has_test
