"""The recipes by which cells of DARTS' space are trained on small images: the paper's, for maps of four pixels."""

from __future__ import annotations

import random
from dataclasses import fields, replace

import pytest

from nassim.benchmarks.spaces.darts import SPACE
from nassim.full_training.images.data import load_data
from nassim.full_training.training.recipe import get_recipe

torch = pytest.importorskip("torch")

from nassim.full_training.networks.framed import network_of  # noqa: E402
from nassim.full_training.training.train import train  # noqa: E402

SMALLER = {"name", "channels", "cells", "epochs", "crop", "crop_side", "flip", "cutout", "auxiliary"}


@pytest.mark.parametrize("name", ["digits", "fashion14"])
def test_small_recipes_are_the_papers_but_for_size(name: str) -> None:
    paper, small = get_recipe("darts-600ep"), get_recipe(f"darts-{name}")
    assert {f.name for f in fields(small) if getattr(small, f.name) != getattr(paper, f.name)} <= SMALLER
    assert small.auxiliary == 0 and small.drop_path == paper.drop_path == 0.2
    data = load_data(name)
    small.check(data)
    network = network_of(SPACE.parse("DARTS_V2"), small, data, SPACE)
    assert network.auxiliary < 0 and any(layer.kind == "drop_path" for layer in network.layers)


@pytest.mark.slow
def test_a_cell_learns_by_them() -> None:
    data, recipe = load_data("digits"), replace(get_recipe("darts-digits"), epochs=2)
    arch = SPACE.sample(random.Random(0))
    found = train(arch, data, recipe, 1, network=network_of(arch, recipe, data, SPACE))
    assert not found.failed and found.valid_accuracy[-1] > 0.3  # of ten classes
