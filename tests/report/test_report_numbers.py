"""The numbers of a report: what the page holds and the tables say, against summary.csv and counts by hand."""

from __future__ import annotations

import csv
import html
import json
import math
import re
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nassim.registry import get_benchmark
from nassim.report.analysis import Analysis
from nassim.report.fronts import all_fronts
from nassim.report.hypervolumes import hypervolume_table
from nassim.report.pack import Block, unpack
from nassim.report.pairs import pairs_table, ranks_table, wins_table
from nassim.report.results import results_table
from nassim.report.running_time import running_time_table
from nassim.report.runs import AXES, Part, spent
from nassim.report.visits import Visits, typical_runs
from nassim.stats import Circumstances, three_sentences
from nassim.study import Study


class Page:
    """What a script reads in a report.html."""

    def __init__(self, folder: Path) -> None:
        self.text = (folder / "report.html").read_text(encoding="utf-8")
        (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', self.text, flags=re.DOTALL)
        (self.block,) = re.findall(r'<script type="text/plain" id="block">(.*?)</script>', self.text, flags=re.DOTALL)
        self.data: dict[str, Any] = json.loads(data)

    def numbers(self, place: Any) -> Any:
        return unpack(self.block, tuple(place))


@pytest.fixture(scope="module")
def page(real: Path) -> Page:
    return Page(real)


@pytest.fixture(scope="module")
def analysis(real: Path) -> Analysis:
    return Analysis(Study.open(real))


@pytest.fixture(scope="module")
def summary(real: Path) -> dict[tuple[str, str], dict[str, str]]:
    with (real / "summary.csv").open(encoding="utf-8") as file:
        return {(row["benchmark"], row["strategy"]): row for row in csv.DictReader(file)}


def test_curves_end_at_the_numbers_of_the_summary(page: Page, summary: dict[tuple[str, str], dict[str, str]]) -> None:
    checked = 0
    for benchmark in page.data["benchmarks"]:
        for axis in AXES:
            for split, data in benchmark["curves"][axis].items():
                best = benchmark["references"][split]["value"]
                for strategy, curve in data["strategies"].items():
                    row = summary[benchmark["name"], strategy]
                    for kind, (center, low, high) in {k: curve[k] for k in ("median", "mean", "iqm")}.items():
                        shown = float(page.numbers(center)[-1])
                        assert shown == pytest.approx(float(row[f"final_{split}_regret_{kind}_pp"]), abs=2e-5)
                        accuracy = float(row[f"final_{split}_accuracy_{kind}_percent"])
                        if kind != "iqm":  # the middle half is another half when the order is reversed and n % 4
                            assert best - shown == pytest.approx(accuracy, abs=2e-5)
                        assert page.numbers(low)[-1] <= shown + 1e-5 and shown <= page.numbers(high)[-1] + 1e-5
                    quartiles = [float(row[f"final_{split}_regret_{q}_pp"]) for q in ("q25", "q75")]
                    assert [page.numbers(p)[-1] for p in curve["median"][1:]] == pytest.approx(quartiles, abs=2e-5)
                    assert page.numbers(curve["reached"])[-1] == 1
                    checked += 1
    assert checked == 2 * 3 * 2 * 3


def test_axes_end_where_the_runs_do(page: Page, summary: dict[tuple[str, str], dict[str, str]]) -> None:
    for benchmark in page.data["benchmarks"]:
        ends = {axis: float(page.numbers(benchmark["curves"][axis]["valid"]["at"])[-1]) for axis in AXES}
        assert ends["queries"] == 25 and ends["epochs"] == 9 * 25
        means = [float(row["simulated_seconds_mean"]) for key, row in summary.items() if key[0] == benchmark["name"]]
        assert max(means) <= ends["seconds"] < 1.5 * max(means)


def test_single_runs_are_the_incumbents_of_the_study(page: Page, real: Path) -> None:
    study = Study.open(real)
    for benchmark in page.data["benchmarks"]:
        best = benchmark["references"]["test"]["value"]
        for strategy, data in benchmark["runs"].items():
            runs = study.of(benchmark["name"], strategy)
            points = [point for run in runs for point in run.curve]
            assert page.numbers(data["lengths"]).tolist() == [len(run.curve) for run in runs]
            assert page.numbers(data["seeds"]).tolist() == list(range(8))
            assert page.numbers(data["queries"]).tolist() == [point.queries for point in points]
            assert page.numbers(data["seconds"]) == pytest.approx([point.seconds for point in points], rel=1e-6)
            regret = [best - 100 * (point.test or 0) for point in points]
            assert page.numbers(data["test"]) == pytest.approx(regret, abs=1e-5)
    study.close()


def test_the_page_opens_with_the_three_sentences(page: Page, analysis: Analysis) -> None:
    circumstances = Circumstances(
        splits={"toy/additive": "test", "toy/deceptive": "test"},
        budgets=dict.fromkeys(analysis.strategies, "25 queries"),
        synthetic=["toy/additive", "toy/deceptive"],
    )
    expected = three_sentences(analysis.comparison, circumstances)
    (lead,) = re.findall(r'<div class="lead">(.*?)</div>', page.text)
    shown = re.findall(r"<p>(.*?)</p>", lead)
    assert [html.unescape(text).replace("\N{NO-BREAK SPACE}%", " %") for text in shown] == list(expected)


def test_the_results_table_says_what_the_summary_says(
    analysis: Analysis, summary: dict[tuple[str, str], dict[str, str]]
) -> None:
    for part in analysis.parts:
        table = results_table(analysis, part)
        columns = {name.partition(" [")[0]: i for i, name in enumerate(table.columns)}
        lowest = min(float(summary[part.name, s]["final_test_regret_iqm_pp"]) for s in part.strategies)
        for line in table.rows:
            row = summary[part.name, line[0].text]
            regret = line[columns["IQM regret"]]
            assert float(regret.text.partition(" ")[0]) == pytest.approx(
                float(row["final_test_regret_iqm_pp"]), abs=6e-4
            )
            if float(row["final_test_regret_iqm_pp"]) == lowest:
                assert regret.strong
            mean, _, std = line[columns["test %"]].text.partition(" ± ")
            assert float(mean) == pytest.approx(float(row["final_test_accuracy_mean_percent"]), abs=6e-3)
            assert float(std) == pytest.approx(float(row["final_test_accuracy_std_percent"]), abs=6e-3)


def test_win_rates_are_counts_of_pairs(analysis: Analysis) -> None:
    part = analysis.parts[0]
    finals = part.final_regrets()
    table = wins_table(analysis, part)
    for i, j in combinations(range(len(table.rows)), 2):
        one, other = table.rows[i][0].text, table.rows[j][0].text
        counted = [(a < b) + 0.5 * (a == b) for a in finals[one].values() for b in finals[other].values()]
        assert table.rows[i][j + 1].share == pytest.approx(np.mean(counted))
        assert table.rows[j][i + 1].share == pytest.approx(1 - np.mean(counted))
    assert len(pairs_table(analysis, part).rows) == 3
    ranks = [float(line[1].text) for line in ranks_table(analysis).rows]
    assert ranks == sorted(ranks) and sum(ranks) == pytest.approx(6, abs=0.02)


def test_expected_running_times_by_hand(hand: Any) -> None:
    """Target 5: reached by two of four runs, after 500 s each; the others spend 1,000 s: (2 * 500 + 2 * 1000) / 2."""
    finals = [0.86, 0.86, 0.80, 0.80]
    part = Part(
        hand.study([hand.steady("random_search", seed, final) for seed, final in enumerate(finals)]), "toy/additive"
    )
    rows = {axis: running_time_table(part, axis) for axis in AXES}
    shown = {axis: table.rows[0][table.columns.index("≤ 5")].text.partition(" ")[0] for axis, table in rows.items()}
    assert shown == {"seconds": "1.5k", "queries": "30", "epochs": "270"}
    assert rows["seconds"].rows[0][-1].text.endswith("· 50")


def test_what_a_run_spent(hand: Any) -> None:
    runs = [
        hand.steady("random_search", 0, 0.8),
        hand.steady("random_search", 1, 0.8, stopped="finished", trials=12, seconds=600.0),
    ]
    part = Part(hand.study(runs, budget="2000s"), "toy/additive")
    ended, early = part.runs["random_search"]
    assert [spent(ended, axis, part.budget) for axis in AXES] == [2000, 20, 180]
    assert [spent(early, axis, part.budget) for axis in AXES] == [600, 12, 108]
    both = Part(hand.study(runs, budget="2000s,20q", folder="both"), "toy/additive")
    assert [spent(both.runs["random_search"][0], axis, both.budget) for axis in AXES] == [1000, 20, 180]


def test_fronts_against_their_definition(analysis: Analysis) -> None:
    visits = Visits(analysis)
    found = all_fronts(analysis, visits, ["valid_accuracy", "parameters"])
    for part in analysis.parts:
        (fronts,) = found[part.name]
        benchmark = get_benchmark(part.name, "mean")
        points = [
            (100 * (1 - benchmark.mean_accuracy(arch)), 1000.0 * sum(arch.choices))
            for arch in benchmark.space.architectures()
        ]
        brute = {p for p in points if not any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in points)}
        assert {tuple(p) for p in fronts.true_front.tolist()} == brute
        for strategy, of in fronts.strategies.items():
            tried = {i for run in visits.of[part.name, strategy].values() for i in run}
            archs = [benchmark.space.parse(visits.architectures[part.name][i]) for i in tried]
            mine = {points[benchmark.space.index(arch)] for arch in archs}
            front = {p for p in mine if not any(q != p and q[0] <= p[0] and q[1] <= p[1] for q in mine)}
            assert {tuple(p) for p in of.front.tolist()} == front
            assert of.hypervolume.value is not None and 0 < of.hypervolume.value.value <= 1
        table = hypervolume_table(fronts)
        assert [line[0].text for line in table.rows] == part.strategies


def test_the_typical_run_is_the_median(analysis: Analysis) -> None:
    for part in analysis.parts:
        for strategy, regrets in part.final_regrets().items():
            run = typical_runs(part)[strategy]
            ordered = sorted(regrets.values())
            assert regrets[run.seed] == ordered[(len(ordered) - 1) // 2]


def test_blocks_keep_every_kind_of_number() -> None:
    block = Block()
    places = [
        block.add([1, 2, 3], "u2"),
        block.add([0.0, math.inf, -1.5]),
        block.add([], "u4"),
        block.add([70000], "u4"),
    ]
    text = block.text()
    assert [unpack(text, place).tolist() for place in places] == [[1, 2, 3], [0.0, math.inf, -1.5], [], [70000]]
    assert all(place[1] % 4 == 0 for place in places)
