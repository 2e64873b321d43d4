"""The parts of a report: tables in three forms, the diagram, the drawings, settings, the checklist, changes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nassim.registry import get_space
from nassim.report.analysis import Analysis
from nassim.report.cells import Drawer, best_cells, cells_table, drawer_of
from nassim.report.changes import changes_since, changes_table
from nassim.report.checklist import AUTHOR, NO, PARTLY, YES, checklist
from nassim.report.diagram import diagram_of, diagram_svg
from nassim.report.drawing import curve_svg, graph_svg, operations
from nassim.report.numerals import number, p_value, time
from nassim.report.settings import hyperparameters_table
from nassim.report.table import Entry, Table, no_table, row, to_html, to_latex, to_markdown
from nassim.report.write import write_report
from nassim.space import Graph
from nassim.stats import compare_strategies
from nassim.study import Study, compare

TABLE = Table(
    "a/b",
    "100 % of_it",
    ("name", "x|y", "share"),
    [row("p_q", Entry("1.5", strong=True), Entry("80", share=0.8))],
    ("n & m",),
)


def test_a_table_in_three_forms() -> None:
    page = to_html(TABLE)
    assert '<th scope="row" class="text">p_q</th><td><strong>1.5</strong></td>' in page
    assert '<td class="win" style="--strength:0.60">80</td>' in page
    assert "<caption><span>100 % of_it</span></caption>" in page
    text = to_markdown(TABLE)
    assert text.splitlines()[2:5] == [r"| name | x\|y | share |", "| --- | ---: | ---: |", "| p_q | **1.5** | 80 |"]
    latex = to_latex(TABLE)
    assert r"\caption{100 \% of\_it n \& m}" in latex and r"p\_q & \textbf{1.5} & 80 \\" in latex
    assert r"\label{tab:a-b}" in latex and r"\begin{tabular}{lrr}" in latex
    for form in (to_html, to_markdown, to_latex):
        assert "because" in form(no_table("n", "Nothing.", "because"))


def test_latex_is_balanced(real: Path) -> None:
    tables = sorted((real / "tables").glob("*.tex"))
    assert len(tables) > 12
    for path in tables:
        text = re.sub(r"\\[\\{}%&#$_]", "", path.read_text(encoding="utf-8"))
        assert text.count("{") == text.count("}") and text.count("$") % 2 == 0, path.name
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.endswith(r" \\")]
        columns = {len(re.findall(r"(?<!\\)&", line)) for line in lines}
        assert len(columns) <= 1, path.name
        assert all(ord(c) < 256 for c in path.read_text(encoding="utf-8")), path.name


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (14455.3, "14.5k"),
        (999.9, "1k"),
        (999.4, "999"),
        (3752325.0, "3.75M"),
        (9e6, "9M"),
        (47.25, "47.2"),
        (np.inf, "∞"),
    ],
)
def test_times_have_three_digits(value: float, text: str) -> None:
    assert time(value) == text


def test_numbers_that_are_none() -> None:
    assert [number(float("nan")), number(float("inf")), number(0.5)] == ["–", "∞", "0.500"]
    assert [p_value(float("nan")), p_value(0.0), p_value(0.0421)] == ["–", "<0.0001", "0.0421"]


def test_the_diagram_shows_ranks_and_bars() -> None:
    rng = np.random.default_rng(0)
    levels = {"a": 1.0, "b": 1.02, "c": 5.0, "d": 9.0}
    scores = {"x": {s: dict(enumerate((m + 0.1 * rng.standard_normal(20)).tolist())) for s, m in levels.items()}}
    diagram = diagram_of(compare_strategies(scores)).value
    assert diagram is not None
    ranks = {label.name: label.rank for label in diagram.labels}
    assert (ranks["c"], ranks["d"]) == (3, 4) and ranks["a"] + ranks["b"] == 3
    assert [label.name for label in diagram.labels if not label.left] == ["c", "d"]
    assert len(diagram.holm) == 1 and {diagram.holm[0].start, diagram.holm[0].end} == {ranks["a"], ranks["b"]}
    assert diagram.critical == pytest.approx(1.0488, abs=1e-4)  # q(0.05, 4) = 2.569, times sqrt(4 * 5 / (6 * 20))
    drawing = diagram_svg(diagram)
    assert drawing.count('class="thick"') == 1 and all(
        f">{name} {rank:.2f}<" in drawing for name, rank in ranks.items()
    )


def test_a_drawing_has_every_edge_and_node() -> None:
    space = get_space("nasbench201")
    graph = space.graph(space.parse("310423"))
    drawing = graph_svg(graph, operations(space), "a <cell>")
    assert drawing.count("<path") == 6 and drawing.count('class="node"') == 4
    assert drawing.count('class="edge nothing"') == 1 and drawing.count("marker-end") == 5
    assert 'aria-label="a &lt;cell&gt;"' in drawing
    assert ">nor conv 3x3<" in drawing and "edge o3" in drawing
    nodes = graph_svg(Graph(("input", "conv", "output"), ((0, 1, ""), (1, 2, ""), (0, 2, ""))), ["conv"], "")
    assert "node o0" in nodes and nodes.count("<path") == 3
    assert curve_svg({1: 0.5, 2: 0.6, 9: 0.7}).count(",") >= 3


def test_what_cannot_be_drawn_says_why() -> None:
    draw = Drawer("no such space")
    assert draw("no such space:1-2") == "" and "no drawing" in draw.why
    assert draw.string("no such space:1-2") == "no such space:1-2"


def test_the_best_cells_are_the_best(real: Path) -> None:
    analysis = Analysis(Study.open(real))
    for part in analysis.parts:
        cells = best_cells(analysis, part, drawer_of(part))
        ends = [run.curve[-1] for runs in part.runs.values() for run in runs]
        assert cells[0].test == max(point.test or 0 for point in ends)
        assert [cell.test for cell in cells] == sorted((cell.test for cell in cells), reverse=True)
        for cell in cells:
            assert sum(cell.found_by.values()) == sum(point.architecture == cell.architecture for point in ends)
            assert sorted(cell.by_epochs) == [1, 3, 9] and cell.by_epochs[9] == pytest.approx(cell.valid)
            assert cell.svg.startswith("<svg")
        assert {s for cell in cells for s in cell.found_by} == set(part.strategies)
        assert cells_table(analysis, part, cells).columns[1:4] == tuple(f"valid %, {e} epochs" for e in (1, 3, 9))


def test_hyperparameters_say_where_they_come_from(real: Path) -> None:
    rows = {
        (line[0].text, line[1].text): [entry.text for entry in line[2:5]]
        for line in hyperparameters_table(Analysis(Study.open(real))).rows
    }
    assert rows["regularized_evolution", "population_size"] == ["5", "by the budget", "changed"]
    assert all(origin == "default" for (name, _), (*_, origin) in rows.items() if name == "local_search")


def test_published_hyperparameters_are_known(tmp_path: Path, nasbench201_table: Path) -> None:
    study = compare(["re"], ["nasbench201/cifar10"], "3q", seeds=1)
    rows = {line[1].text: line[4].text for line in hyperparameters_table(Analysis(study)).rows}
    assert rows["population_size"] == "published for nasbench201"


def test_the_checklist_is_answered_from_the_study(real: Path, hand: Any) -> None:
    items = checklist(Analysis(Study.open(real)))
    assert [sum(item.group == group for item in items) for group in dict.fromkeys(i.group for i in items)] == [5, 9, 3]
    answers = {item.question.partition(" ")[0] + item.question[-20:]: item for item in items}
    text = " ".join(item.because for item in answers.values())
    assert "regularized_evolution.population_size=5" in text and "Seeds 0 to 7" in text and "25q" in text
    assert {item.answer for item in items} == {YES, NO, PARTLY, AUTHOR}
    assert sum(item.answer == AUTHOR for item in items) == 2
    alone = {
        i.question: i for i in checklist(Analysis(hand.study([hand.steady("random_search", 0, 0.8, mode="live")])))
    }
    several = next(item for question, item in alone.items() if "several runs" in question)
    assert several.answer == NO and several.because.startswith("1 seed of each")
    assert alone["Is the training pipeline of the final architectures released?"].answer == PARTLY


class TestChanges:
    """Two studies against each other."""

    def test_a_repeated_study_is_identical(self, hand: Any) -> None:
        runs = [hand.steady("random_search", seed, 0.8 + 0.01 * seed) for seed in range(8)]
        hand.study(runs, folder="old").close()
        changes = changes_since(hand.study(runs, folder="new"), hand.root / "old")
        assert [change.verdict for change in changes.found] == ["identical"]
        assert not changes.worse and not changes.notes and "identical: random_search" in changes.sentence

    def test_a_regression_is_found(self, hand: Any) -> None:
        hand.study([hand.steady("random_search", s, 0.85 + 0.001 * s) for s in range(12)], folder="old").close()
        new = hand.study([hand.steady("random_search", s, 0.80 + 0.001 * s) for s in range(12)], folder="new")
        changes = changes_since(new, hand.root / "old")
        (change,) = changes.worse
        assert change.difference.value is not None and change.difference.value.value == pytest.approx(5)
        table = changes_table(changes)
        assert table.rows[0][6] == Entry("worse", strong=True)
        back = changes_since(Study.open(hand.root / "old"), hand.root / "new")
        assert [change.verdict for change in back.found] == ["better"]

    def test_different_budgets_are_compared_after_the_same_time(self, hand: Any) -> None:
        """The old runs had 400 s, when the new ones still stand at their first answer, 50 %: regret 40."""
        old = [hand.run("random_search", s, [(50.0, 1, 0.5, None)], seconds=400.0) for s in range(6)]
        hand.study(old, folder="old", budget="400s").close()
        new = hand.study([hand.steady("random_search", s, 0.85) for s in range(6)], folder="new")
        changes = changes_since(new, hand.root / "old")
        assert "The budget was 400s and is 20q." in changes.notes
        assert any("after 400 simulated seconds" in note for note in changes.notes)
        assert [(change.old.iqm, change.new.iqm) for change in changes.found] == [
            (pytest.approx(40), pytest.approx(40))
        ]

    def test_splits_strategies_and_data_that_differ(self, hand: Any) -> None:
        old = [hand.run("random_search", s, [(50.0, 1, 0.5, None)]) for s in range(4)]
        hand.study([*old, hand.steady("local_search", 0, 0.8)], folder="old").close()
        about = [hand.facts(best_test=0.9)._replace(sha256="1")]
        runs = [hand.run("random_search", s, [(50.0, 1, 0.6, 0.55)]) for s in range(4)]
        changes = changes_since(hand.study(runs, about=about, folder="new"), hand.root / "old")
        assert "toy/additive is compared on validation regret, which both studies have." in changes.notes
        assert any("the data are not the same" in note for note in changes.notes)
        assert {c.strategy: c.verdict for c in changes.found}["local_search"] == "only in the old study"
        assert next(c.new.iqm for c in changes.found if c.strategy == "random_search") == pytest.approx(30)

    def test_nothing_in_common(self, hand: Any) -> None:
        hand.study([hand.steady("random_search", 0, 0.8)], folder="old").close()
        about = [hand.facts("toy/deceptive")]
        new = hand.study([hand.steady("random_search", 0, 0.8, benchmark="toy/deceptive")], about=about, folder="new")
        found = changes_since(new, hand.root / "old").found
        assert [change.verdict for change in found] == ["only in the new study", "only in the old study"]

    def test_the_report_shows_them(self, hand: Any, tmp_path: Path) -> None:
        runs = [hand.steady("random_search", seed, 0.8 + 0.01 * seed) for seed in range(4)]
        hand.study(runs, folder="old").close()
        new = hand.study(runs, folder="new")
        write_report(new, tmp_path / "out", changes=changes_since(new, hand.root / "old"), figures=False)
        assert "What changed" in (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
        assert (tmp_path / "out" / "tables" / "changes.tex").is_file()


@pytest.mark.slow
def test_figures_for_papers(hand: Any, tmp_path: Path) -> None:
    names = ("random_search", "regularized_evolution", "local_search")
    study = hand.study([hand.steady(n, s, 0.75 + 0.04 * i + 0.01 * s) for i, n in enumerate(names) for s in range(5)])
    written = {path.name for path in write_report(study, tmp_path / "out") if path.parent.name == "figures"}
    kinds = ("anytime", "running-times", "ranks", "win-rates", "front-valid_accuracy-parameters")
    expected = {f"{kind}-toy-additive" for kind in kinds} | {"critical-difference"}
    assert written == {f"{name}.{suffix}" for name in expected for suffix in ("pdf", "svg")}
    links = re.findall(r"\]\(([^)]+)\)", (tmp_path / "out" / "report.md").read_text(encoding="utf-8"))
    assert len(links) == 5 and all((tmp_path / "out" / link).is_file() for link in links)


def test_the_page_needs_nothing_else(real: Path) -> None:
    page = (real / "report.html").read_text(encoding="utf-8")
    assert len(page.encode()) < 3_000_000
    head, library = page[: page.index("* plotly.js")], page[page.index("// The data of the page") :]
    for text in (head, library):
        assert not re.search(r"""(src|href)=["'](?!#|data:)""", text)
        assert not re.search(r"https?://(?!www\.w3\.org/)", text)
    assert "default-src 'none'" in page
