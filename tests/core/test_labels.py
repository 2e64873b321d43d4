"""Strategies of one name with other settings, side by side in a study."""

from __future__ import annotations

from pathlib import Path

import pytest

from nassim.cli.main import main
from nassim.errors import InvalidSetting
from nassim.registry import get_algorithm
from nassim.study import Study, compare
from nassim.summary import summary_rows

pytestmark = pytest.mark.usefixtures("undrawn")


def test_variants_stand_beside_each_other() -> None:
    study = compare(["re[sample_size=3|10]", "re"], ["toy/additive"], "40q", seeds=2)
    labels = ["random_search", "re[sample_size=3]", "re[sample_size=10]", "regularized_evolution"]
    assert study.strategies == labels
    assert [run.hyperparameters.get("sample_size") for run in study.runs[::2]] == [None, 3, 10, 3]
    assert study.algorithms == dict(zip(labels, ["random_search", *["regularized_evolution"] * 3], strict=True))
    assert [row["strategy"] for row in summary_rows(study)] == labels


def test_algorithms_of_a_script_are_told_apart_by_their_settings() -> None:
    re = get_algorithm("re")
    study = compare([re, re.configured(sample_size=5)], ["toy/additive"], "20q", seeds=1)
    assert study.strategies == ["random_search", "regularized_evolution", "re[sample_size=5]"]
    with pytest.raises(InvalidSetting, match=r"re\[sample_size=5\] is named twice"):
        compare(["re[sample_size=5]", re.configured(sample_size=5), re], ["toy/additive"], "20q", seeds=1)


def test_the_command_takes_them_and_the_report_names_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "study"
    arguments = ["compare", "--algos", "re,re[sample_size=10,population_size=12]", "--benchmark", "toy/additive"]
    arguments += ["--budget", "30q", "--seeds", "3", "--jobs", "1", "--set", "re.sample_size=4", "--out", str(out)]
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 0
    assert "re[sample_size=10,population_size=12]" in capsys.readouterr().out
    study = Study.open(out)
    sizes = {run.strategy: run.hyperparameters.get("sample_size") for run in study.runs}
    assert sizes == {"random_search": None, "regularized_evolution": 4, "re[sample_size=10,population_size=12]": 10}
    report = (out / "report.md").read_text(encoding="utf-8")
    assert "sample_size=10,population_size=12" in report
    study.close()
    with pytest.raises(SystemExit) as left:  # the same command continues: nothing is left to do
        main(arguments)
    assert left.value.code == 0
