"""nassim show and list, of spaces and architectures: a space may share its name with a strategy, or have no table."""

from __future__ import annotations

import json
import random

import pytest

from nassim.cli.main import main
from nassim.errors import UnknownName
from nassim.morph_space import MorphSpace
from nassim.registry import find, get_benchmark, get_space, space_names
from nassim.space import SearchSpace
from nassim.strategy import Algorithm

Capture = pytest.CaptureFixture[str]


def said(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_a_name_of_both_shows_both(capsys: Capture) -> None:
    assert [type(found) is Algorithm for found in find("darts")] == [True, False]
    code, out, _ = said(capsys, "show", "darts")
    assert code == 0
    assert "Pseudocode" in out and "1,076,746,950,455,072,400" in out and ">>>" not in out
    data = json.loads(said(capsys, "show", "darts", "--json")[1])
    assert data["family"] and data["hyperparameters"]
    assert data["space"]["architectures"] == 1_076_746_950_455_072_400


def test_a_name_of_one_shows_one(capsys: Capture) -> None:
    assert "space" not in json.loads(said(capsys, "show", "gdas", "--json")[1])
    assert json.loads(said(capsys, "show", "genetic-cnn", "--json")[1])["name"] == "genetic_cnn"
    (found,) = find("genetic_cnn-cifar")
    assert isinstance(found, SearchSpace)
    assert get_space("genetic-cnn-cifar") is get_space("genetic_cnn-cifar") is found


def test_architectures(capsys: Capture) -> None:
    code, out, _ = said(capsys, "show", "darts:DARTS_V2")
    assert code == 0
    assert "3,349,342" in out and "Genotype(normal=" in out and "cells.19" in out
    data = json.loads(said(capsys, "show", "nasbench201:310423", "--json")[1])
    assert data["parameters"] == sum(part["parameters"] for part in data["parts"])
    code, out, _ = said(capsys, "show", "toy:0-0-0-0")
    assert code == 0 and "parameters" not in out
    for name in space_names():
        space = get_space(name)
        if isinstance(space, MorphSpace) or not space.is_valid(space.at(1)):
            arch = space.sample(random.Random(1))
        else:
            arch = space.at(1)
        code, out, err = said(capsys, "show", f"{name}:{'-'.join(map(str, arch.choices))}")
        assert code == 0 and name in out, err


def test_lists_have_every_space_on_short_lines(capsys: Capture) -> None:
    rows = json.loads(said(capsys, "list", "spaces", "--json")[1])
    assert [row["name"] for row in rows] == space_names()
    assert all(len(row["first"]) <= 100 for row in rows)
    assert "cgp/" not in said(capsys, "list", "benchmarks")[1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("query", "nasnet/cifar10", "0-0"), "is a search space, of which there is no table"),
        (("run", "re", "hierarchical/digits"), "is a search space, of which there is no table"),
        (("show", "dart:1"), "Did you mean darts"),
        (("show", "darts:1"), "is not an architecture of darts"),
        (("show", "darts:Genotype(normal=[])"), "it is not Genotype"),
        (("show", ":"), "is not a search space"),
    ],
)
def test_mistakes_are_one_line(capsys: Capture, arguments: tuple[str, ...], message: str) -> None:
    code, out, err = said(capsys, *arguments)
    assert code != 0 and not out
    assert message in " ".join(err.split()) and "Traceback" not in err


def test_a_space_alone_is_no_benchmark() -> None:
    with pytest.raises(UnknownName, match="cgp is a search space"):
        get_benchmark("cgp/cifar10")
    with pytest.raises(UnknownName, match="Did you mean"):
        get_benchmark("nasbench201/cifar11")


def test_a_huge_space_is_listed_and_shown_in_few_words(capsys: Capture) -> None:
    assert get_space("cgp").size > 10**500
    for arguments in (("list", "spaces"), ("show", "cgp")):
        code, out, _ = said(capsys, *arguments)
        assert code == 0 and "2.15e+612" in out and len(out) < 40_000
    assert "2.15e+612 architectures" in repr(get_space("cgp"))
    assert "1,076,746,950,455,072,400" in repr(get_space("darts"))
