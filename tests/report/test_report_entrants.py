"""Strategies with fewer seeds than the others: left out of ranks and tests, and named; and other single sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nassim.report.analysis import Analysis
from nassim.report.charts import ranks_data
from nassim.report.content import content_of
from nassim.report.figures import ranks_figure
from nassim.report.pack import Block

BENCHMARKS = ("made/one", "made/two")
STRATEGIES = ("random_search", "ant", "bee", "cat")


def test_a_strategy_with_few_seeds_is_left_out_and_named(hand: Any, tmp_path: Path) -> None:
    """Ten recorded searches beside thirty runs of the others: ranks are over thirty seeds, of those that have them."""
    runs = []
    for benchmark in BENCHMARKS:
        for i, strategy in enumerate(STRATEGIES):
            for seed in range(10 if strategy == "cat" else 30):
                mode = ("recorded" if benchmark == BENCHMARKS[0] else "proxy") if strategy == "cat" else "black-box"
                runs.append(hand.steady(strategy, seed, 0.8 + 0.03 * i - 0.001 * seed, benchmark=benchmark, mode=mode))
    study = hand.study(runs, about=[hand.facts(name) for name in BENCHMARKS])
    found = content_of(study, tmp_path, None, None)
    assert found.ranks is not None and found.ranks.caption == "Mean ranks over 60 seeds of 2 benchmarks (1 is best)."
    assert [row[0].text for row in found.ranks.rows] == ["bee", "ant", "random_search"]
    tables = [found.ranks, *found.overall, *(t for p in found.parts.values() for t in (p.results, p.wins, p.pairs))]
    assert all("cat (10 of 30 seeds on made/" in " ".join(table.notes) for table in tables)
    mind = found.analysis.sentences[2]
    assert "cat (10 of 30 seeds on made/one)" in mind
    assert "the runs of cat on made/one are recordings; the runs of cat on made/two are of a proxy" in mind
    for part in found.analysis.parts:
        ranks = ranks_data(part, Block(), 10)["seconds"]
        assert set(ranks["strategies"]) == {"random_search", "ant", "bee"}
        assert ranks["note"] == f"Left out of the ranks: cat (10 of 30 seeds on {part.name})."
    assert all(ranks_figure(part, found.analysis.strategies) is not None for part in found.parts.values())
    study.close()


def test_two_strategies_of_which_one_has_few_seeds_are_compared_nevertheless(hand: Any) -> None:
    runs = [hand.steady(s, seed, 0.8 + 0.01 * seed) for s, n in (("random_search", 9), ("cat", 3)) for seed in range(n)]
    study = hand.study(runs)
    found = Analysis(study)
    assert found.comparison.ranking.number_of_blocks == 3
    assert "seeds differ: ranks are over those that all strategies have, tests over all runs" in found.sentences[2]
    study.close()
