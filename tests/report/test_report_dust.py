"""Equal accuracies that differ by rounding dust are equal wherever a report or a summary compares them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nassim.report.analysis import Analysis
from nassim.report.content import content_of
from nassim.summary import summary_rows

DUST = 3e-16


def test_dust_neither_ranks_nor_misses_the_optimum(hand: Any, tmp_path: Path) -> None:
    runs = [
        hand.steady(name, seed, 0.9 - DUST * (name == "ant") * (seed % 2))
        for name in ("random_search", "ant", "bee")
        for seed in range(6)
    ]
    study = hand.study(runs)
    found = Analysis(study)
    assert set(found.comparison.ranking.mean_ranks.value) == {2.0}  # type: ignore[arg-type]
    assert found.comparison.all_equal
    assert {row["final_valid_regret_mean_pp"] for row in summary_rows(study)} == {0.0}
    times = content_of(study, tmp_path, None, None).parts["toy/additive"].running_times["seconds"]
    assert all("%" not in entry.text for line in times.rows for entry in line[1:])  # every run hits every target
    study.close()
