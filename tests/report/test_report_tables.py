"""What stands in the cells of the tables: units once, whole queries, seeds that are true, names as they are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from nassim.report.analysis import Analysis
from nassim.report.charts import curves_data
from nassim.report.checklist import checklist
from nassim.report.content import content_of
from nassim.report.figures import distribution_figure, ranks_figure, wins_figure
from nassim.report.pack import Block, unpack
from nassim.report.running_time import running_time_table
from nassim.study import Study


def test_units_stand_in_the_heads_of_columns(real: Path) -> None:
    content = content_of(Study.open(real), real, None, None)
    tables = [*content.overall, *(table for part in content.parts.values() for table in part.tables)]
    assert len(tables) > 12
    for table in tables:
        assert not [e.text for line in table.rows for e in line if re.search(r"\d\s?(%|s\b)", e.text)], table.name
    heads = " ".join(column for table in tables for column in table.columns)
    assert "[%]" in heads or "%" in heads


def test_queries_are_whole_numbers(real: Path) -> None:
    part = Analysis(Study.open(real)).parts[0]
    block = Block()
    found = curves_data(part, block, 50)
    for axis in ("queries", "epochs"):
        at = unpack(block.text(), found[axis]["test"]["at"])
        assert np.array_equal(at, np.unique(np.round(at))), axis
        assert at[0] == {"queries": 1, "epochs": 9}[axis] and at[-1] == {"queries": 25, "epochs": 225}[axis]
        cells = " ".join(e.text for line in running_time_table(part, axis).rows for e in line[1:])
        assert re.search(r"\d", cells) and not re.search(r"\d\.\d+(?![\dkMG.])", cells), axis


def test_the_checklist_counts_the_seeds_of_each_strategy(hand: Any) -> None:
    runs = [hand.steady("random_search", seed, 0.8) for seed in range(12)]
    runs += [hand.run("darts", s, [(9.0, 0, 0.7, None)], trials=0, mode="recorded") for s in range(3)]
    item = next(i for i in checklist(Analysis(hand.study(runs))) if "several runs" in i.question)
    assert item.because == "12 seeds of random_search, 3 seeds of darts."


def test_names_with_dollars_are_no_formulas(hand: Any) -> None:
    from matplotlib.cbook import is_math_text

    names = ("random_search", "us$a_1$", "re[x=$1$]")
    study = hand.study([hand.steady(n, s, 0.75 + 0.04 * i + 0.01 * s) for i, n in enumerate(names) for s in range(5)])
    content = content_of(study, hand.root, None, None)
    (part,) = content.parts.values()
    figures = [distribution_figure(part, names), ranks_figure(part, names), wins_figure(content, part)]
    shown = []
    for figure in figures:
        assert figure is not None
        (axes,) = figure.axes
        legend = axes.get_legend()
        shown += [*(legend.get_texts() if legend else []), *axes.get_xticklabels(), *axes.get_yticklabels()]
    texts = [text.get_text() for text in shown]
    assert sum("us" in text for text in texts) == 4
    assert not [text for text in texts if is_math_text(text) and "mathdefault" not in text]
