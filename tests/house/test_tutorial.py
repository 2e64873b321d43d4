"""The numbers that docs/tutorial.md shows are those that its commands give."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nassim import compare
from nassim.study import Study

pytestmark = pytest.mark.slow
PAGE = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text(encoding="utf-8")
TABLES = [block for block in re.findall(r"```text\n(.*?)```", PAGE, flags=re.DOTALL) if block.startswith("strategy")]
PATIENT = re.findall(r"save it as `patient.py`:\n\n```python\n(.*?)```", PAGE, flags=re.DOTALL)


def rows(study: Study) -> list[str]:
    """As the page shows them."""
    text = []
    for row in study.summary().to_dict("records"):
        valid, test = (
            f"{row[f'final_{split}_accuracy_mean_percent']:.2f} ± {row[f'final_{split}_accuracy_std_percent']:.2f}"
            for split in ("valid", "test")
        )
        regret = f"{row['final_test_regret_mean_pp']:.3f} {row['final_test_regret_median_pp']:.3f}"
        text.append(f"{row['strategy']} {row['queries_mean']:.0f} {valid} {test} {regret}")
    return text


def test_the_first_study() -> None:
    study = compare(["re", "ls"], ["nasbench201/digits"], "60q", seeds=20)
    shown = [" ".join(line.split()) for line in TABLES[0].splitlines()[1:]]
    assert shown == rows(study)


def test_the_study_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from nassim.cli.new_files import STRATEGY

    monkeypatch.chdir(tmp_path)
    Path("climber.py").write_text(STRATEGY.replace("NAME", "climber"), encoding="utf-8")
    Path("patient.py").write_text(PATIENT[0], encoding="utf-8")
    study = compare(["climber.py", "patient.py[patience=5|20]", "re"], ["nasbench201/digits"], "60q", seeds=50)
    shown = [" ".join(line.split()) for line in TABLES[1].splitlines()[1:]]
    assert shown == rows(study)
