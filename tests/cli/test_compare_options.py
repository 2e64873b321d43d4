"""`nassim compare`: settings with one strategy, what --help says of them, and folders with other files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nassim.study import Study

Outcome = Callable[..., tuple[int, str, str]]


def small(algos: str, out: Path, *more: str) -> list[str]:
    command = ["compare", "--algos", algos, "--benchmark", "toy/additive", "--budget", "9q", "--seeds", "2"]
    return [*command, "--jobs", "1", "--no-report", "--out", str(out), *more]


def test_help_says_how_a_setting_is_written(outcome: Outcome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    code, out, _ = outcome("compare", "--help")
    assert code == 0 and "ALGO.NAME=VALUE" in out


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("algos", ["re", "regularized-evolution", "re,re[population_size=4]"])
def test_with_one_strategy_its_name_may_be_left_out(outcome: Outcome, tmp_path: Path, algos: str) -> None:
    code, _, err = outcome(*small(algos, tmp_path / "study", "--set", "sample-size=2"))
    assert code == 0, err
    study = Study.open(tmp_path / "study")
    assert all(run.hyperparameters.get("sample_size", 2) == 2 for run in study.runs)
    assert any("sample_size" in run.hyperparameters for run in study.runs)
    study.close()
    code, _, err = outcome(*small("re,ls", tmp_path / "other", "--set", "sample_size=2"))
    assert code == 2 and "ALGORITHM.NAME=VALUE" in err


@pytest.mark.usefixtures("undrawn")
def test_a_folder_with_other_files_asks_for_force(outcome: Outcome, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work", encoding="utf-8")
    code, _, err = outcome(*small("re", tmp_path))
    assert code == 2 and "thesis.tex" in err and "--force" in err and err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]
    assert outcome(*small("re", tmp_path, "--force"))[0] == 0
    assert outcome(*small("re", tmp_path))[0] == 0  # a study that is there goes on
    assert (tmp_path / "thesis.tex").read_text(encoding="utf-8") == "years of work"


@pytest.mark.usefixtures("undrawn")
def test_an_empty_folder_and_hidden_files_do_not(outcome: Outcome, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").mkdir()
    assert outcome(*small("re", tmp_path))[0] == 2
    (tmp_path / "thesis.tex").rmdir()
    (tmp_path / ".DS_Store").touch()
    assert outcome(*small("re", tmp_path))[0] == 0


@pytest.mark.slow
def test_who_ends_before_the_budget_is_said(outcome: Outcome, tmp_path: Path) -> None:
    command = ["compare", "--algos", "ls,re", "--benchmark", "toy/additive", "--budget", "100q", "--seeds", "2"]
    code, out, _ = outcome(*command, "--jobs", "1", "--no-report", "--out", str(tmp_path / "study"))
    words = " ".join(out.split())
    assert code == 0 and "local_search ended by itself in 2 of 2 runs: it had nothing left to ask." in words
    assert words.count("ended by itself") == 1
