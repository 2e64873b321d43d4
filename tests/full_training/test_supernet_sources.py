"""Which spaces have supernets on which images, and how they are found by the ids of benchmarks."""

from __future__ import annotations

import pytest

import nassim
from nassim.errors import Unsupported
from nassim.full_training.supernets.sources import RECIPES
from nassim.layout import Layout
from nassim.registry import benchmarks_with_supernets, get_space, get_supernets
from nassim.space import SearchSpace


def test_every_space_that_has_a_recipe_has_a_supernet() -> None:
    for space, images in RECIPES:
        found = get_space(space)
        assert type(found).supernet is not SearchSpace.supernet, (space, images)
        assert isinstance(found.layout, Layout)


@pytest.mark.parametrize("key", [key for key in RECIPES if key[1] in ("digits", "fashion14")], ids="/".join)
def test_supernets_are_found_by_space_and_images(key: tuple[str, str]) -> None:
    space, images = key
    found = get_supernets(f"{space}/{images}")
    assert (found.space.name, found.settings["space"], found.settings["images"]) == (space, space, images)
    bench = nassim.get_benchmark(f"{space}/{images}:training")
    assert bench.supernets is not None and bench.supernets.settings == found.settings


def test_spaces_of_1shot1_are_looked_up_by_their_number() -> None:
    found = get_supernets("nasbench1shot1/2")
    assert found.space.name == "nasbench1shot1-2" and found.benchmark == "nasbench1shot1-2/cifar10"
    assert found.stand_in is not None and found.stand_in.benchmark == "nasbench1shot1-2/digits"
    with_supernets = benchmarks_with_supernets()
    assert {"nasbench1shot1/1", "nasbench1shot1/3", "nasbench_macro/cifar10", "darts/cifar10"} <= set(with_supernets)


@pytest.mark.parametrize("name", ["toy/additive", "genetic_cnn/fashion14", "nasbench101/cifar10"])
def test_a_benchmark_without_a_supernet_says_which_have_one(name: str) -> None:
    with pytest.raises(Unsupported, match=r"has no supernet. There is one for .*darts/cifar10.*nasbench1shot1/1"):
        get_supernets(name)
