"""Engines, clocks and seeds as they are typed: what cannot be is one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from nassim.cli.main import main
from nassim.study import Study


def outcome(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    return ended.value.code, capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "re", "nasbench201/digits", "--clock", "wall"), "trains nothing, so that the wall clock"),
        (("run", "re", "nasbench201/digits", "--clock", "sun"), "the clock is simulated or wall"),
        (("run", "re", "nasbench201/digits", "--engine", "ray"), "is no engine"),
        (("compare", "--algos", "re", "--engine", "dask:nowhere"), "is no engine"),
        (("compare", "--algos", "re", "--seeds", "9-3"), "seeds '9-3': write a number"),
        (("compare", "--algos", "re", "--seeds", "0"), "seeds must be at least 1"),
        (("compare", "--algos", "re", "--timeout", "-1"), "timeout is a number of seconds above 0"),
        (("merge", "a", "--out", "c"), "merge takes two studies or more"),
    ],
)
def test_what_cannot_be_is_one_line(
    arguments: tuple[str, ...],
    said: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, err = outcome(capsys, *arguments)
    assert code == 2 and said in err and err.count("\n") == 1


@pytest.mark.slow
def test_parts_of_a_study_are_merged(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    small = ("--algos", "re", "--benchmark", "toy/additive", "--budget", "9q", "--jobs", "1", "--no-report")
    for name, seeds in (("a", "0-1"), ("b", "2-2")):
        assert outcome(capsys, "compare", *small, "--seeds", seeds, "--out", name)[0] == 0
    assert outcome(capsys, "merge", "a", "b", "--out", "both", "--no-report")[0] == 0
    assert outcome(capsys, "compare", *small, "--seeds", "3", "--out", "whole")[0] == 0
    assert (tmp_path / "both/summary.csv").read_bytes() == (tmp_path / "whole/summary.csv").read_bytes()
    assert outcome(capsys, "compare", "a/study.toml", "--out", "again")[0] == 0
    study = Study.open(tmp_path / "again")
    assert study.settings["seeds"] == 2 and "seed_ranges" not in study.settings  # 0-1 is the first two
    study.close()


@pytest.mark.slow
def test_no_trials_are_kept_where_none_are_wanted(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = (
        "compare",
        "--algos",
        "re",
        "--benchmark",
        "toy/additive",
        "--budget",
        "9q",
        "--seeds",
        "2",
        "--jobs",
        "1",
    )
    assert outcome(capsys, *arguments, "--no-trials", "--out", "lean")[0] == 0
    study = Study.open(tmp_path / "lean")
    assert list(study.trials()) == [] and all(run.trials == 9 for run in study.runs)
    study.close()
    assert "no_trials = true" in (tmp_path / "lean/study.toml").read_text()
