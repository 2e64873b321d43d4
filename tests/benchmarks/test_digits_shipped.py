"""The table nasbench201/digits that comes with nassim: whole, made by this version, and worth its name."""

from __future__ import annotations

import json
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import spearmanr

from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.full_training.images.data import load_data
from nassim.full_training.tables.classes import cell_classes
from nassim.full_training.tables.designs import SEEDS
from nassim.full_training.training.recipe import Recipe, get_recipe
from nassim.registry import get_benchmark
from nassim.tabular_data import digits
from nassim.tabular_data.table import Table

TABLE = digits.open_table()
VALID = TABLE.columns["digits/valid_accuracy"]


def test_it_was_made_with_this_recipe_and_these_images() -> None:
    sources = TABLE.header.sources
    assert Recipe(**json.loads(sources["recipe"])) == get_recipe("digits")
    assert sources["recipe sha256"] == get_recipe("digits").sha256
    assert sources["images sha256"] == load_data("digits").sha256
    assert digits.PATH.stat().st_size <= 8e6
    assert TABLE.header.sha256[:16] == "a8f73511ea287124"


def test_no_training_is_missing_and_none_is_invented() -> None:
    counts = Table.open(digits.PATH).columns
    for split, images, epochs in (("train", 1994, 4), ("valid", 2000, 4), ("test", 2000, 1)):
        correct = counts[f"digits/{split}_correct"]
        assert correct.size == len(cell_classes()) * len(SEEDS) * epochs
        assert correct.min() > 0 and correct.max() <= images
    seconds, latency = counts["digits/seconds"], counts["digits/latency"]
    assert seconds.shape == (4930, 3, 4) and seconds.min() > 0.01 and seconds.max() < 10
    assert latency.shape == (4930,) and latency.min() > 1e-5 and latency.max() < 0.1
    assert VALID.shape == (SPACE.size, len(SEEDS)) and not np.isnan(VALID).any()
    column = TABLE.columns["digits/class"]
    assert all(row in cell_classes()[column[row]].rows for row in range(0, SPACE.size, 97))


@pytest.mark.parametrize(("one", "other"), list(combinations(range(3), 2)))
def test_repeats_agree(one: int, other: int) -> None:
    """Spearman's correlation of at least 0.9 over all cells, and over all classes."""
    classes = [each.rows[0] for each in cell_classes()]
    assert spearmanr(VALID[:, one], VALID[:, other]).statistic >= 0.9
    assert spearmanr(VALID[classes, one], VALID[classes, other]).statistic >= 0.9


def test_accuracies_spread_and_splits_differ() -> None:
    mean, test = VALID.mean(axis=1), TABLE.columns["digits/test_accuracy"].mean(axis=1)
    assert mean.min() < 0.15 and mean.max() > 0.88
    assert np.quantile(mean, 0.75) - np.quantile(mean, 0.25) > 0.05
    assert 0.97 < spearmanr(mean, test).statistic < 1
    dead = mean[SPACE.index(SPACE.parse("000000"))]
    assert dead == pytest.approx(0.1, abs=0.05), "a cell that passes nothing on guesses"
    bench = get_benchmark("nasbench201/digits", "mean")
    assert [bench.optimum(), bench.optimum("test_accuracy")] == pytest.approx([mean.max(), test.max()], abs=1e-12)
    assert bench.mean_accuracy(SPACE.at(int(mean.argmax()))) == bench.optimum()
