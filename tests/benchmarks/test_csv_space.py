"""The spaces of users' tables: lists, growth, and more architectures than can be counted."""

from __future__ import annotations

import csv
import random
from pathlib import Path

import numpy as np
import pytest

import nassim
from nassim.errors import InvalidArchitecture, InvalidQuery, Unsupported
from nassim.query import Query
from nassim.space import Architecture, Decision
from nassim.tabular_data import own_space
from nassim.tabular_data.own_space import OwnListedSpace, OwnSpace, radius, row_of
from nassim.tabular_data.recipes.csv_table import import_table
from nassim.testing import check_benchmark, check_space

WHOLE = OwnSpace("w", [Decision(str(i), tuple("abc")) for i in range(6)])


def some(size: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Rows of choices, ascending, each once."""
    return np.unique(np.random.default_rng(size).integers(0, 3, (size, 6), dtype=np.uint8), axis=0)


@pytest.mark.parametrize("size", [1, 2, 40, 300])
def test_a_list_keeps_the_contract_and_grows_through_all_levels(size: int) -> None:
    choices = some(size)
    space = OwnListedSpace(WHOLE, choices, radius=radius(choices))
    check_space(space)
    for row, of in enumerate(choices.tolist()):
        assert row_of(choices, tuple(of)) == row == space.index(space.at(row))
    for arch in space.architectures():  # what it grows to is nearer to it than to the others of its level
        level = [a.choices for a in space.architectures() if space.complexity(a) == space.complexity(arch)]
        for larger in space.grow(arch):
            near = [sum(x != y for x, y in zip(c, larger.choices, strict=True)) for c in level]
            assert level[near.index(min(near))] == arch.choices
    listed = {a.choices for a in space.architectures()}
    for arch in WHOLE.architectures():
        assert space.is_valid(arch) == (arch.choices in listed) == (row_of(choices, arch.choices) is not None)


@pytest.mark.parametrize("size", [2, 5, 40, 300])
def test_the_radius_is_the_least_that_leaves_no_row_alone(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    choices = some(size)
    distances = (choices[:, None] != choices[None]).sum(axis=2) + 9 * np.eye(len(choices), dtype=int)
    expected = distances.min(axis=1).max()
    assert radius(choices) == expected
    monkeypatch.setattr(own_space, "_PAIRS", 0)  # by leaving decisions out
    assert radius(choices) == expected
    monkeypatch.setattr(own_space, "_MASKS", 0)
    assert radius(choices) == 1


def test_a_long_list_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_space, "GROWN", 10)
    choices = some(40)
    with pytest.raises(Unsupported, match="at most 10"):
        OwnListedSpace(WHOLE, choices).smallest()


def test_large_spaces_are_not_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """40 decisions of 100 options: the packed choices are bytes, not numbers."""
    rng = random.Random(0)
    archs = {tuple(rng.randrange(100) for _ in range(40)) for _ in range(200)}
    names = [f"d{i}" for i in range(40)]
    spec = "[decisions]\n" + "".join(f"{n} = {list(range(100))}\n" for n in names)
    spec += '[architectures]\nmissing = "{}"\n[accuracy]\nunit = "fraction"\nvalid = "v"\n[training]\nepochs = 1\n'
    spec += "[cost]\nseconds_per_epoch = 2.5\n"
    made = [{**dict(zip(names, arch, strict=True)), "v": i / 200} for i, arch in enumerate(archs)]
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))
    with (tmp_path / "large.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, made[0].keys())
        writer.writeheader()
        writer.writerows(made)
    for policy, size in (("refuse", 100**40), ("sample", 200)):
        (tmp_path / "spec.toml").write_text(spec.replace("{}", policy))
        import_table("large", tmp_path / "large.csv", tmp_path / "spec.toml")
        bench = nassim.get_benchmark("csv/large")
        assert bench.space.size == size
        for i, arch in enumerate(archs):
            result = bench.query(Query(Architecture("large", arch)), rng)
            assert (result.value, result.cost) == (i / 200, 2.5)
        other = Architecture("large", (0,) * 40)
        with pytest.raises((InvalidQuery, InvalidArchitecture), match="200"):
            bench.query(Query(other), rng)
    check_benchmark(bench)
    assert len(nassim.run("regularized_evolution", bench, "50q").trials) == 50
