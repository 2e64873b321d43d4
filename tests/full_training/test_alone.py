"""Networks of any space trained one by one, and a table built of them."""

from __future__ import annotations

import importlib.util
import math
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from nassim.benchmarks.spaces import genetic_cnn  # noqa: E402
from nassim.full_training.images.data import load_data  # noqa: E402
from nassim.full_training.tables import shards  # noqa: E402
from nassim.full_training.tables.alone import drawn, first, train_alone  # noqa: E402
from nassim.full_training.tables.assemble import assemble  # noqa: E402
from nassim.full_training.tables.builder import build  # noqa: E402
from nassim.full_training.tables.classes import GENETIC_CNN, cell_classes  # noqa: E402
from nassim.full_training.tables.designs import DESIGNS, Design  # noqa: E402
from nassim.full_training.training.many import DeviceData  # noqa: E402
from nassim.full_training.training.recipe import Recipe  # noqa: E402
from nassim.tabular_data.trained import open_trained  # noqa: E402

SMALL = Recipe("small", channels=8, cells=1, epochs=1, epochs_a_pass=4, batch=50, rate=0.05, crop=0, flip=False)
ARCH = GENETIC_CNN.parse("1-01|0-01-100-0010")


@pytest.fixture(scope="module")
def digits() -> DeviceData:
    return DeviceData.of(load_data("digits"), SMALL)


@pytest.mark.slow
def test_a_network_learns_and_its_training_is_a_function_of_its_seed(digits: DeviceData) -> None:
    space = genetic_cnn.GeneticCNNSpace(kernel=3)
    one, again, other = (train_alone(space, ARCH, digits, SMALL, seed) for seed in (5, 5, 6))
    assert one.valid_accuracy == again.valid_accuracy != other.valid_accuracy
    assert len(one.valid_accuracy) == len(one.train_accuracy) == len(one.seconds) == 1 and not one.failed
    assert one.valid_accuracy[-1] > 0.4 and one.test_accuracy is not None and one.test_accuracy > 0.4
    assert (one.arch, one.data, one.recipe_sha256) == (str(ARCH), "digits", SMALL.sha256)


def test_the_gain_multiplies_the_first_weights_and_not_the_biases(digits: DeviceData) -> None:
    plain, more = (first(GENETIC_CNN, ARCH, digits.data, SMALL, 0, gain).state_dict() for gain in (1.0, 3.0))
    assert {values.ndim for values in plain.values()} == {1, 2, 4}
    for name, values in plain.items():
        torch.testing.assert_close(more[name], values * (3.0 if values.ndim > 1 else 1.0))


def test_a_training_that_diverges_is_said_to_have_failed(digits: DeviceData) -> None:
    training = train_alone(GENETIC_CNN, ARCH, digits, replace(SMALL, rate=1e9), 0, gain=math.sqrt(6))
    assert training.failed == "the loss was not finite in epoch 1"
    assert training.test_accuracy is None and not training.valid_accuracy


def test_architectures_are_drawn_once_each_and_more_begin_with_the_same() -> None:
    archs = drawn(GENETIC_CNN, 48)
    assert len({GENETIC_CNN.canonical(arch) for arch in archs}) == 48
    assert drawn(GENETIC_CNN, 16) == archs[:16]


def test_the_classes_of_genetic_cnn() -> None:
    classes = cell_classes("genetic_cnn")
    assert len(classes) == 1812
    assert sorted(row for each in classes for row in each.rows) == list(range(8192))
    for each in classes[::53]:
        assert GENETIC_CNN.index(each.trained) in each.rows
        assert {GENETIC_CNN.canonical(GENETIC_CNN.at(row)) for row in each.rows} == {each.trained}


@pytest.fixture
def design(monkeypatch: pytest.MonkeyPatch) -> Design:
    """Genetic CNN on digits, an epoch, three classes in a shard."""
    monkeypatch.setattr(shards, "SIZE", 3)
    changes = (("channels", 2), ("cells", 1), ("epochs", 1), ("batch", 200))
    return replace(
        DESIGNS["nasbench201/digits"],
        space_name="genetic_cnn",
        recipe_name="digits",
        pilot=3,
        changes=changes,
        gain=2.0,
    )


def test_what_networks_are_made_of_is_part_of_what_a_shard_was_made_with(design: Design) -> None:
    hashes = {design.sha256, replace(design, gain=1.0).sha256, replace(design, changes=design.changes[1:]).sha256}
    assert len(hashes) == 3 and design.recipe.sha256 not in hashes
    assert all(each.sha256 == each.recipe.sha256 for each in DESIGNS.values() if each.gain is None)


@pytest.mark.slow
def test_a_table_is_built_of_networks_trained_one_by_one(design: Design, tmp_path: Path) -> None:
    only = shards.plan(design)[:3]  # the pilot under the three seeds
    build(design, tmp_path, only=only, tell=lambda progress: None)
    header = assemble(design, tmp_path, tmp_path / "table.h5")
    assert "1,812 classes" in header.errata[0] and "First weights were multiplied by 2." in header.errata[1]
    table = open_trained(tmp_path / "table.h5", "digits")
    valid = table.columns["digits/valid_accuracy"]
    assert valid.shape == (8192, 3)
    there = sorted(row for i in only[0].classes for row in design.classes[i].rows)
    assert np.flatnonzero(~np.isnan(valid).any(axis=1)).tolist() == there
    trained = design.classes[only[1].classes[0]].trained
    data = DeviceData.of(design.load_data(), design.recipe)
    alone = train_alone(design.space, trained, data, design.recipe, only[1].seed, gain=2.0)
    assert valid[design.space.index(trained), 1] == pytest.approx(alone.valid_accuracy[-1])
    assert np.nanmin(table.columns["digits/latency"]) > 0


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    path = Path(__file__).parents[2] / "tools" / "network_pilot.py"
    spec = importlib.util.spec_from_file_location("network_pilot", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "network_pilot", module)
    spec.loader.exec_module(module)
    return module


def test_the_pilot_tells_signal_from_noise_and_from_what_a_seed_adds_to_all(tool: ModuleType) -> None:
    rng = np.random.default_rng(0)
    common = 0.7 + 0.03 * rng.standard_normal(20_000)
    seeds = np.stack([common + 0.01 * rng.standard_normal(20_000), 0.1 + common + 0.01 * rng.standard_normal(20_000)])
    spearman, kendall, upper, mean, signal, noise = (float(part) for part in tool.agreement(seeds.T).split("|"))
    assert (signal, noise, mean) == (3.0, 1.0, pytest.approx(75.0, abs=0.1))
    assert spearman == pytest.approx(0.9, abs=0.02) and kendall < spearman and upper < spearman
