"""The table nasbench201_3ops/fashion14 that comes with nassim: whole, made by this version, and worth its name."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from nassim.benchmarks.nasbench201_3ops import PATH
from nassim.benchmarks.spaces.nasbench201_3ops import SPACE
from nassim.full_training.images import fashion14
from nassim.full_training.tables.designs import DESIGNS, SEEDS, WANTED
from nassim.full_training.tables.shards import pilot_shards
from nassim.full_training.training.recipe import Recipe, get_recipe
from nassim.registry import get_benchmark
from nassim.tabular_data.table import Table
from nassim.tabular_data.trained import open_trained
from nassim.testing import check_benchmark

DESIGN = DESIGNS["nasbench201_3ops/fashion14"]
TABLE = open_trained(PATH, "fashion14")
VALID = TABLE.columns["fashion14/valid_accuracy"]
CLASSES = [each.rows[0] for each in DESIGN.classes]


def test_it_was_made_with_this_recipe_and_these_images() -> None:
    sources = TABLE.header.sources
    assert Recipe(**json.loads(sources["recipe"])) == get_recipe("fashion14") == DESIGN.recipe
    assert sources["recipe sha256"] == get_recipe("fashion14").sha256
    assert sources["images sha256"] == fashion14.SHA256
    assert PATH.stat().st_size <= 1e6
    assert TABLE.header.sha256[:16] == "e3a3ed5ab4a3f4ae"


def test_no_training_is_missing_and_none_is_invented() -> None:
    counts = Table.open(PATH).columns
    for split, images, epochs in (("train", 4000, 4), ("valid", 5000, 4), ("test", 10_000, 1)):
        correct = counts[f"fashion14/{split}_correct"]
        assert correct.size == 78 * len(SEEDS) * epochs
        assert correct.min() > 0 and correct.max() <= images
    seconds, latency = counts["fashion14/seconds"], counts["fashion14/latency"]
    assert seconds.shape == (78, 3, 4) and seconds.min() > 0.01 and seconds.max() < 20
    assert seconds.sum() < 2 * 3600, "two core-hours"
    assert latency.shape == (78,) and latency.min() > 1e-5 and latency.max() < 0.1
    assert VALID.shape == (SPACE.size, len(SEEDS)) and not np.isnan(VALID).any()
    column = TABLE.columns["fashion14/class"]
    assert all(row in DESIGN.classes[column[row]].rows for row in range(SPACE.size))
    assert not [note for note in TABLE.header.errata if note.startswith(("Incomplete", "Diverged"))]


@pytest.mark.parametrize(("one", "other"), list(combinations(range(3), 2)))
def test_repeats_agree(one: int, other: int) -> None:
    assert spearmanr(VALID[CLASSES, one], VALID[CLASSES, other]).statistic >= 0.9
    assert spearmanr(VALID[:, one], VALID[:, other]).statistic >= 0.9


def test_the_pilot_allowed_it() -> None:
    rows = [CLASSES[i] for i in sorted({i for shard in pilot_shards(DESIGN) for i in shard.classes})]
    assert len(rows) == 48
    assert spearmanr(VALID[rows, 0], VALID[rows, 1]).statistic >= WANTED


def test_accuracies_spread_and_splits_differ() -> None:
    mean, test = VALID.mean(axis=1), TABLE.columns["fashion14/test_accuracy"].mean(axis=1)
    assert mean.min() < 0.15 and mean.max() > 0.8
    assert np.quantile(mean[CLASSES], 0.75) - np.quantile(mean[CLASSES], 0.25) > 0.04
    assert 0.95 < spearmanr(mean[CLASSES], test[CLASSES]).statistic < 1
    dead = mean[SPACE.index(SPACE.parse("000000"))]
    assert dead == pytest.approx(0.1, abs=0.05), "a cell that passes nothing on guesses"
    bench = get_benchmark("nasbench201_3ops/fashion14", "mean")
    assert bench.optimum() == mean.max() and bench.optimum("test_accuracy") == test.max()
    assert bench.mean_accuracy(SPACE.at(int(mean.argmax()))) == mean.max()


@pytest.mark.parametrize("noise", ["draw", "mean", "repeat=3"])
def test_it_meets_the_contract(noise: str) -> None:
    bench = get_benchmark("nasbench201_3ops/fashion14", noise)
    check_benchmark(bench)
    assert bench.fidelities == (1, 2, 3, 4) and bench.has_test


def test_strategies_are_compared_on_it_without_torch(tmp_path: Path) -> None:
    code = """
import sys
from importlib.abc import MetaPathFinder


class NoTorch(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")


sys.meta_path.insert(0, NoTorch())
from nassim.cli.main import main
main(["compare", "--algos", "re,rs,ls,bo", "--benchmark", "nasbench201_3ops/fashion14", *sys.argv[1:]])
"""
    options = ("--budget", "20q", "--seeds", "2", "--jobs", "1", "--out", str(tmp_path / "study"))
    done = subprocess.run([sys.executable, "-c", code, *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "gp_bo" in done.stdout and (tmp_path / "study" / "study.db").is_file()
