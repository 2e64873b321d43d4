"""report.html: one file that needs no network."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from html import escape
from string import Template
from typing import Any

from nassim.plots import COLORS, DASHES
from nassim.report.analysis import Analysis
from nassim.report.assets import asset, plotly_source
from nassim.report.charts import curves_data, distribution_data, ranks_data, runs_data
from nassim.report.content import Content, PartContent
from nassim.report.fronts import fronts_data
from nassim.report.numerals import seeds
from nassim.report.pack import Block
from nassim.report.race import race_data
from nassim.report.runs import Part
from nassim.report.sections import contents, sections
from nassim.report.table import unbroken
from nassim.report.visits import Visits
from nassim.stats.words import counted
from nassim.study import Study
from nassim.summary import SPLITS

DARK_COLORS = ("#b9bec6", "#4aa8e8", "#f2803d", "#2fc596", "#e3a3c6", "#8fd3f7", "#f0b73f", "#ffffff")
SYMBOLS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "x", "star")
SCRIPTS = ("data.js", "charts.js", "replay.js", "why.js", "trials.js", "page.js")
CURVE_BYTES, RUN_BYTES = 1_500_000, 2_000_000  # of the arrays; base64 makes four thirds of them
MOST_POINTS, FEWEST_POINTS = 200, 40


def page(content: Content) -> str:
    """The page of a study."""
    analysis, block = content.analysis, Block()
    data = _data(content, block)
    settings = analysis.study.settings
    runs = len(analysis.study.runs)
    facts = (
        f"{counted(len(analysis.strategies), 'strategy')}, {counted(len(analysis.parts), 'benchmark')}, "
        f"{counted(runs, 'run')}; budget {settings['budget']}, {seeds(int(settings['seeds']))}, "
        f"{counted(settings['workers'], 'simulated worker')}, noise {settings['noise']}; nassim {settings['nassim']}."
    )
    options = "".join(f'<option value="{i}">{escape(part.name)}</option>' for i, part in enumerate(analysis.parts))
    return Template(asset("page.html")).substitute(
        title=escape(content.title),
        runs=str(runs),
        version=escape(str(settings["nassim"])),
        css=asset("page.css"),
        js="\n".join(asset(name) for name in SCRIPTS),
        plotly=plotly_source(),
        sentences="".join(f"<p>{escape(unbroken(sentence))}</p>" for sentence in analysis.sentences),
        facts=escape(facts),
        limits=_listed("What this study cannot tell", analysis.limits)
        + _listed("Methodological warnings", [each.sentence for each in content.pitfalls]),
        contents=contents(content),
        measured=escape(analysis.parts[0].metric.name if analysis.parts else "accuracy"),
        one_benchmark=" hidden" if len(analysis.parts) < 2 else "",
        benchmarks=options,
        sections=sections(content),
        data=_json(data),
        block=block.text(),
        footer="Made by nassim from study.db; curves are right-continuous steps, medians and means are over seeds. "
        "Drawn with Plotly.js (MIT licence).",
    )


def is_current(text: str, study: Study) -> bool:
    """Whether the beginning of a page says that it shows all finished runs of a study."""
    return f'<meta name="runs" content="{len(study.runs)}">' in text


def _listed(heading: str, texts: Sequence[str]) -> str:
    """Sentences that a reader has to see first; nothing where there are none."""
    if not texts:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f'<section class="limits"><h2>{heading}</h2><ul>{items}</ul></section>'


def _data(content: Content, block: Block) -> dict[str, Any]:
    analysis = content.analysis
    groups = sum(len(part.strategies) * len(part.references) for part in analysis.parts)
    points = max(FEWEST_POINTS, min(MOST_POINTS, CURVE_BYTES // max(1, 3 * 11 * 4 * groups)))
    incumbents = sum(len(run.curve) for run in analysis.study.runs)
    share = min(1.0, RUN_BYTES / max(1, 20 * incumbents))
    most = math.ceil(share * max((len(runs) for part in analysis.parts for runs in part.runs.values()), default=0))
    return {
        "strategies": analysis.strategies,
        "colors": {"light": COLORS, "dark": DARK_COLORS},
        "dashes": DASHES,
        "symbols": SYMBOLS,
        "benchmarks": [
            _part_data(analysis, content.parts[part.name], content.visits, block, points, most)
            for part in analysis.parts
        ],
    }


def _part_data(
    analysis: Analysis, found: PartContent, visits: Visits, block: Block, points: int, most: int
) -> dict[str, Any]:
    part, factor = found.part, found.part.metric.regret_factor
    return {
        "name": part.name,
        "split": part.split,
        "references": {s: {"value": factor * r.value, "known": r.known} for s, r in part.references.items()},
        "metric": _metric_data(part),
        "floor": part.floor,
        "lacking": part.lacking,
        "clock": part.clock._asdict(),
        "modes": {strategy: part.mode(strategy) for strategy in part.strategies},
        "notes": found.notes,
        "curves": curves_data(part, block, points),
        "runs": runs_data(part, block, most),
        "distribution": distribution_data(part, block, points),
        "ranks": ranks_data(part, block, points),
        "race": race_data(analysis, part, visits, block, found.draw),
        "fronts": found.fronts if isinstance(found.fronts, str) else [fronts_data(f, block) for f in found.fronts],
    }


def _metric_data(part: Part) -> dict[str, Any]:
    """What the page prints instead of the value less the regret, how it is called, and with which unit."""
    metric = part.metric
    kind = "up" if metric.more_is_better else "exp" if metric.reading == "perplexity" else "down"
    return {
        "kind": kind,
        "name": metric.name,
        "unit": metric.shown_unit,
        "titles": {split: metric.titled(split) for split in SPLITS},
        "regret": part.difference,
        "regret_unit": metric.regret_words,
        "decimals": 2 if metric.reading == "percent" else None,
    }


def _json(data: Mapping[str, Any]) -> str:
    """JSON that may stand in a page: nothing in it ends the script element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")
