"""A budget below one training is a mistake, and the line names the smallest one that works."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from nassim import Query
from nassim.errors import InvalidSetting
from nassim.registry import get_benchmark
from nassim.run import run
from nassim.study import compare

CIFAR = "nasbench201/cifar10"


def exit_of(*arguments: str) -> int | str | None:
    from nassim.cli.main import main

    with pytest.raises(SystemExit) as left:
        main(arguments)
    return left.value.code


@pytest.mark.parametrize("noise", [pytest.param("draw", marks=pytest.mark.slow), "mean", "repeat=2"])
@pytest.mark.parametrize("name", ["toy/additive", CIFAR, "nasbench201/digits"])
def test_the_cheapest_training_is_that_of_the_whole_space(name: str, noise: str) -> None:
    benchmark, rng = get_benchmark(name, noise), random.Random(0)
    every = list(benchmark.space.architectures())
    queries = [Query(arch) for arch in every for _ in range(12 if noise == "draw" else 1)]
    least = min(benchmark.query(query, rng).cost for query in queries)
    found = benchmark.cheapest_cost()
    assert found is not None
    assert found == pytest.approx(least, rel=1e-6)


@pytest.mark.parametrize("name", ["toy/additive", CIFAR])
def test_a_budget_below_the_cheapest_training_is_refused_and_the_one_that_is_named_is_not(name: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        run("random_search", name, "1s")
    line = str(caught.value)
    assert "cheapest training" in line
    named = re.search(r"--budget (\S+s)", line)
    assert named is not None
    run("random_search", name, named[1])
    benchmark = get_benchmark(name)
    least = benchmark.cheapest_cost()
    assert least is not None
    assert least <= float(named[1][:-1]) < 1.01 * least
    least = benchmark.cheapest_cost(min(benchmark.fidelities))
    assert least is not None
    with pytest.raises(InvalidSetting, match="cheapest training"):
        compare(["re"], [name], f"{0.99 * least}s", seeds=1)


def test_epochs_below_one_training_are_refused() -> None:
    with pytest.raises(InvalidSetting, match=r"--budget 200ep"):
        run("random_search", CIFAR, "199ep")
    assert len(run("random_search", CIFAR, "200ep").trials) == 1
    assert run("random_search", "toy/additive", "5ep").trials == []  # 1 epoch can be asked for: who knows


@pytest.mark.slow
def test_a_run_that_ends_without_an_answer_is_a_mistake_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    least = 90.0
    seed = next(s for s in range(99) if not run("rs", "toy/additive", f"{least}s", seed=s).trials)
    for arguments in (
        ("run", "rs", "toy/additive", "--budget", "5ep"),
        ("run", "rs", "toy/additive", "--budget", "1s"),
        ("run", "rs", "toy/additive", "--budget", "90s", "--seed", str(seed)),
        ("compare", "--algos", "rs", "--benchmark", "toy/additive", "--budget", "1s", "--out", str(tmp_path / "a")),
        ("compare", "--algos", "rs", "--benchmark", "toy/additive", "--budget", "5ep", "--out", str(tmp_path / "b")),
    ):
        assert exit_of(*arguments) == 2
        captured = capsys.readouterr()
        assert "--budget 9" in captured.err.replace("--budget 90", "--budget 9")
        assert "–" not in captured.out
    assert not (tmp_path / "a").exists()
    assert exit_of("run", "rs", "toy/additive", "--budget", "9ep") in (0, None)
