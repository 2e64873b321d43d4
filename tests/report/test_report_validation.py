"""What `nassim validate` found stands in the report of the study: its table, its verdict and its figure."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nassim.errors import CorruptData
from nassim.report.write import write_report

FOUND = {
    "toy/additive": {
        "recipe": "tiny",
        "epochs": 9,
        "device": "one CPU",
        "architectures": [
            {"arch": "toy:0-1", "found_by": ["ant"], "tabulated": 0.9, "measured": [0.88, 0.90], "test": [0.87, 0.89]},
            {"arch": "toy:1-1", "found_by": ["bee", "ant"], "tabulated": 0.8, "measured": [0.5, 0.52], "test": [None]},
        ],
    }
}  # fmt: skip


def written(hand: Any, tmp_path: Path, content: str) -> tuple[str, str]:
    study = hand.study([hand.steady(s, seed, 0.8) for s in ("random_search", "ant") for seed in range(3)])
    (tmp_path / "study" / "validation.json").write_text(content, encoding="utf-8")
    page, text = write_report(study, tmp_path / "study", figures=False)[:2]
    study.close()
    return page.read_text(encoding="utf-8"), text.read_text(encoding="utf-8")


def test_a_validation_stands_in_the_report(hand: Any, tmp_path: Path) -> None:
    page, text = written(hand, tmp_path, json.dumps(FOUND))
    for form in (page, text):
        assert "Retrained on toy/additive" in form
        assert "Of 1 pair the retraining tells 1 apart" in form and "the ranking holds." in form
        assert "toy:1-1" in form and "51.00" in form and "-29.00" in form
    assert '<section id="retrained">' in page and 'class="scatter"' in page
    assert "measured 89.00 %, tabulated 90.00 %" in page
    assert (tmp_path / "study" / "tables" / "retrained-toy-additive.tex").is_file()


def test_without_a_validation_there_is_no_section(hand: Any, tmp_path: Path) -> None:
    study = hand.study([hand.steady("random_search", 0, 0.8)])
    page = write_report(study, tmp_path, figures=False)[0].read_text(encoding="utf-8")
    assert "Retrained" not in page
    study.close()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "nonsense",
        "[" * 100_000,
        '{"toy/additive": {}}',
        json.dumps(FOUND).replace("0.52", '"much"'),
        json.dumps(FOUND).replace("0.52", "1e400"),
        json.dumps(FOUND).replace("[0.88, 0.9]", "[]"),
        json.dumps(FOUND).replace('"toy:0-1"', "7"),
        json.dumps(FOUND) + " " * 2_000_000,
    ],
)
def test_a_damaged_validation_is_one_line(hand: Any, tmp_path: Path, content: str) -> None:
    with pytest.raises(CorruptData, match=r"validation\.json .*nassim validate"):
        written(hand, tmp_path, content)
