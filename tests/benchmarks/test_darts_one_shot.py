"""Searches that share weights in DARTS' space: recorded on Fashion-MNIST, looked up in the surrogate of CIFAR-10."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

import nassim
from nassim.benchmarks.spaces.darts import SPACE
from nassim.cli.main import main
from nassim.record import option_share
from nassim.registry import benchmarks_with_supernets, get_supernets
from nassim.supernet import Moment, Recording

NAMES = ("darts", "gdas", "enas", "random_nas", "one_shot")
Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with a search of each strategy, two seeds of the first."""
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    supernets, rng = get_supernets("darts/fashion14"), random.Random(0)
    for name in NAMES:
        algorithm = nassim.get_algorithm(name)
        settings = algorithm.hyperparameters(SPACE, "darts/fashion14")
        runs = {seed: tuple(Moment(SPACE.sample(rng), 2.0) for _ in range(3)) for seed in range(1 + (name == "darts"))}
        made = Recording(name, "darts/fashion14", settings, supernets.settings, "an abacus", runs)
        supernets.write(made, tmp_path / "recorded")
    return tmp_path


def test_the_surrogate_replays_them_as_proxy(recorded: Path) -> None:
    assert {"darts/cifar10", "nasbench201/digits"} <= set(benchmarks_with_supernets())
    bench = nassim.get_benchmark("darts/cifar10")
    for name in NAMES:
        run = nassim.run(name, bench, "10d")
        assert run.mode == "proxy" and run.trials == [] and len(run.incumbents) == 3
        assert run.incumbents[-1].valid == bench.mean_accuracy(run.incumbents[-1].arch)
        assert "the supernet learned darts/fashion14's images" in run.note
    assert nassim.run("darts", bench, "10d").incumbents[-1].seconds == pytest.approx(1.5 * 86_400 / 4)
    assert "18,144 s of the searches' papers" in nassim.run("gdas", bench, "10d").note
    assert nassim.run("enas", bench, "10d").incumbents[-1].seconds == 6.0  # nobody published it in this space


@pytest.mark.slow
def test_compare_takes_them_beside_searches_that_query(
    recorded: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    command = ["compare", "--algos", ",".join([*NAMES, "rs", "re"]), "--benchmark", "darts/cifar10", "--budget", "12q"]
    with pytest.raises(SystemExit) as ended:
        main([*command, "--seeds", "2", "--jobs", "1", "--out", str(tmp_path / "study")])
    out = capfd.readouterr().out
    assert not ended.value.code, out
    rows = {line.split(" (")[0]: line for line in out.splitlines() if "(proxy)" in line}
    assert set(NAMES) <= set(rows)
    assert rows["darts"].split()[2] == "2" and rows["gdas"].split()[2] == "1"


def test_shares_are_of_the_decisions_that_offer_the_word() -> None:
    arch = SPACE.parse("DARTS_V1")
    skips = sum(o == 2 for cell in SPACE.cells(arch) for node in cell for _, o in node)
    assert skips > 0 and option_share(SPACE, arch, "skip") == skips / 16
    assert option_share(SPACE, arch, "none") == 0.0
