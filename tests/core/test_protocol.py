"""Protocols: what searches see, what they may spend, and that every output says so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import nassim
from nassim.cli.main import main
from nassim.errors import InvalidSetting, UnknownName, Unsupported
from nassim.registry import get_protocol
from nassim.study import Study, compare

pytestmark = pytest.mark.usefixtures("undrawn")


def cli(*arguments: str) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return ended.value.code


def test_the_protocol_of_nasbench201() -> None:
    protocol = get_protocol("nasbench201")
    assert (protocol.family, protocol.search_epochs, protocol.budget) == ("nasbench201", 12, "12000s")
    assert "Dong & Yang" in str(protocol)
    with pytest.raises(UnknownName, match="Did you mean nasbench201"):
        get_protocol("nasbench21")


def test_a_name_that_ends_in_epochs_asks_for_them() -> None:
    bench = nassim.get_benchmark("toy/additive:search_epochs=3")
    assert bench.name == "toy/additive:search_epochs=3"
    assert bench.search_epochs == 3
    assert nassim.get_benchmark("toy/additive", search_epochs=3).name == bench.name
    for wrong in ("toy/additive:search_epochs=", "toy/additive:search_epochs=x", "toy/additive:epochs=3", "toy:3"):
        with pytest.raises(UnknownName):
            nassim.get_benchmark(wrong)


def test_all_epochs_count_in_a_study() -> None:
    """Incumbents are chosen by what was seen, and reported by the mean after a full training; the name says so."""
    study = compare(["re"], ["toy/additive:search_epochs=3"], "20q", seeds=3)
    assert study.benchmarks == ["toy/additive:search_epochs=3"]
    bench = nassim.get_benchmark("toy/additive")
    for end in study.runs:
        assert end.epochs == 3 * end.trials
        assert end.curve[-1].valid == bench.mean_accuracy(bench.space.parse(end.curve[-1].architecture))
    assert study.facts["toy/additive:search_epochs=3"].epochs == 9


def test_plans_count_in_the_epochs_of_the_search() -> None:
    short, full = (nassim.get_benchmark(f"toy/additive{end}") for end in (":search_epochs=3", ""))
    assert short.typical_cost == pytest.approx(full.typical_cost / 3)


# -- on the command line ------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.usefixtures("genuine_data")
def test_run_and_compare_follow_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not cli("run", "rs", "nasbench201/cifar10", "--protocol", "nasbench201", "--json")
    answer = json.loads(capsys.readouterr().out)
    assert answer["protocol"] == "nasbench201" and answer["budget"] == "12000s"
    assert {trial["epochs"] for trial in answer["trials"]} == {12}
    assert 11_700 < answer["simulated_seconds"] <= 12_000
    best = nassim.get_benchmark("nasbench201/cifar10").space.parse(answer["incumbents"][-1]["architecture"])
    test = nassim.get_benchmark("nasbench201/cifar10").test_accuracy(best)
    assert answer["incumbents"][-1]["test_accuracy_mean_of_repeats"] == test

    assert not cli("run", "rs", "nasbench201/cifar10", "--protocol", "nasbench201", "--budget", "5q")
    text = capsys.readouterr().out
    assert "protocol nasbench201 (Dong & Yang 2020, section 5): searches see the accuracy after 12 epochs" in text
    assert "as seen in the search, after 12 epochs, and means over the repeats after 200 epochs" in text
    assert "5 trials" in text

    out = str(tmp_path / "study")
    command = ["compare", "--algos", "rs", "--seeds", "2", "--jobs", "1", "--out", out]
    assert not cli(*command, "--protocol", "nasbench201")
    text = capsys.readouterr().out
    assert "protocol nasbench201" in text and "nasbench201/cifar10:search_epochs=12\nBudget 12000s, " in text
    study = Study.open(out)
    assert list(study.settings["benchmarks"]) == ["nasbench201/cifar10:search_epochs=12"]
    assert study.settings["budget"] == "12000s"
    study.close()
    assert cli(*command, "--benchmark", "nasbench201/cifar10") == 2  # other settings


def test_without_the_complete_table(
    nasbench201_table: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NASSIM_DATA", str(nasbench201_table.parent))
    assert cli("run", "rs", "nasbench201/cifar10", "--protocol", "nasbench201") == 2
    message = capsys.readouterr().err
    assert (
        "after 200 epochs, not after 12. The complete table has 12 epochs too: nassim data get nasbench201" in message
    )


def test_of_another_family(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli("run", "rs", "toy/additive", "--protocol", "nasbench201") == 2
    assert "one of nasbench201/..., not of toy/additive" in capsys.readouterr().err
    assert cli("compare", "--algos", "rs", "--protocol", "nosuch") == 2
    assert "not a protocol" in capsys.readouterr().err


# -- which split regret is taken on ---------------------------------------------------------------------


def test_regret_is_on_test_unless_asked_otherwise(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    splits = {asked: compare(["rs"], ["toy/additive"], "5q", seeds=1, regret=asked) for asked in ("", "valid", "test")}
    assert [study.facts["toy/additive"].regret_split for study in splits.values()] == ["test", "valid", "test"]
    with pytest.raises(InvalidSetting, match="valid or test, not on 'both'"):
        compare(["rs"], ["toy/additive"], "5q", seeds=1, regret="both")
    command = [
        "compare",
        "--algos",
        "rs",
        "--benchmark",
        "toy/additive",
        "--budget",
        "5q",
        "--seeds",
        "1",
        "--jobs",
        "1",
    ]
    for asked, split in ((["--regret", "valid"], "validation"), ([], "test")):
        assert not cli(*command, *asked, "--out", str(tmp_path / split))
        assert f"below the best mean {split} accuracy" in capsys.readouterr().out


def test_no_regret_on_a_split_that_is_not_there(nasbench201_table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASSIM_DATA", str(nasbench201_table.parent))
    with pytest.raises(Unsupported, match=r"no regret on test.*nassim data get nasbench201"):
        compare(["rs"], [nassim.get_benchmark("nasbench201/cifar10")], "5q", seeds=1, regret="test")
