"""Children by decisions: how often each changes, what is exchanged, and that they are valid."""

from __future__ import annotations

import random

import pytest

import nassim
from nassim import Architecture, SearchSpace
from nassim.algorithms.parts.variation import changed, swapped
from nassim.registry import space_names
from nassim.space import Decision


def test_every_decision_changes_with_its_probability_to_each_other_option() -> None:
    space, rng = nassim.get_space("nasbench201"), random.Random(0)
    arch = space.at(7_654)
    counts = [[0] * 5 for _ in range(6)]
    for _ in range(6_000):
        for row, choice in zip(counts, changed(space, arch, 0.25, rng).choices, strict=True):
            row[choice] += 1
    for row, own in zip(counts, arch.choices, strict=True):
        for option, count in enumerate(row):
            share = 0.75 if option == own else 0.0625
            assert abs(count - 6_000 * share) < 5 * (6_000 * share * (1 - share)) ** 0.5


def test_surely_means_one_change_at_least_uniform_over_decisions() -> None:
    space, rng = nassim.get_space("nasbench201"), random.Random(0)
    arch = space.at(0)
    never = [changed(space, arch, 0.0, rng, surely=True) for _ in range(3_000)]
    assert all(sum(c > 0 for c in child.choices) == 1 for child in never)
    for i in range(6):
        assert abs(sum(child.choices[i] > 0 for child in never) - 500) < 5 * (500 * 5 / 6) ** 0.5
    assert all(changed(space, arch, 0.05, rng, surely=True) != arch for _ in range(500))
    assert changed(space, arch, 0.0, rng) == arch
    assert 0 not in changed(space, arch, 1.0, rng).choices


def test_a_decision_with_one_option_stays() -> None:
    space, rng = SearchSpace("one free", [Decision("a", ("x",)), Decision("b", ("x", "y"))]), random.Random(0)
    arch = space.at(0)
    assert {changed(space, arch, 0.0, rng, surely=True).choices for _ in range(50)} == {(0, 1)}
    assert {changed(space, arch, 1.0, rng).choices for _ in range(50)} == {(0, 1)}


@pytest.mark.parametrize("name", [name for name in space_names() if name != "grown"])  # it has no list of decisions
def test_children_are_valid_in_every_space(name: str) -> None:
    space, rng = nassim.get_space(name), random.Random(0)
    for _ in range(30):
        a, b = space.sample(rng), space.sample(rng)
        rate = rng.random()
        for child in (changed(space, a, rate, rng), changed(space, a, rate, rng, surely=True)):
            assert space.is_valid(child)
        for child in swapped(space, a, b, rate, rng):
            assert space.is_valid(child)


def test_where_no_change_is_valid_the_parent_stays_or_the_space_mutates() -> None:
    class Fixed(SearchSpace):
        def is_valid(self, arch: Architecture) -> bool:
            return sum(arch.choices) == 0

        def mutate(self, arch: Architecture, rng: random.Random) -> Architecture:
            return self.at(0)

    space = Fixed("fixed", [Decision("a", ("x", "y")), Decision("b", ("x", "y"))])
    assert changed(space, space.at(0), 1.0, random.Random(0)) == space.at(0)
    assert changed(space, space.at(0), 1.0, random.Random(0), surely=True) == space.at(0)


def test_groups_are_stages_vertices_and_else_decisions() -> None:
    names = {
        space: [[nassim.get_space(space).decisions[i].name for i in b] for b in nassim.get_space(space).groups]
        for space in ("genetic_cnn", "nasbench101", "toy")
    }
    assert names["toy"] == [["layer0"], ["layer1"], ["layer2"], ["layer3"]]
    assert [len(block) for block in names["genetic_cnn"]] == [3, 10]
    for stage, block in enumerate(names["genetic_cnn"], 1):
        assert all(name.startswith(f"stage{stage}_") for name in block)
    assert names["nasbench101"][2] == ["0->3", "1->3", "2->3", "vertex 3"]
    assert names["nasbench101"][5] == ["0->6", "1->6", "2->6", "3->6", "4->6", "5->6"]
    assert [len(block) for block in nassim.get_space("genetic_cnn-cifar").groups] == [3, 6, 10]
