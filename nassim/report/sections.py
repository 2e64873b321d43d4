"""The sections of the page: what stands in it without a script."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape

from nassim.metric import Metric
from nassim.report.assets import asset
from nassim.report.cells import BestCell, found_by_in_words
from nassim.report.changes import changes_table
from nassim.report.checklist import Item
from nassim.report.content import Content, PartContent
from nassim.report.diagram import diagram_svg
from nassim.report.drawing import curve_svg
from nassim.report.family import family_html
from nassim.report.pairs import left_out_note
from nassim.report.supernets import course_svg
from nassim.report.table import Table, to_html, unbroken, whose
from nassim.report.training_curves import curves_svg
from nassim.report.validation import validation_svg
from nassim.stats.words import counted

TITLES = {
    "anytime": "Anytime performance",
    "changes": "What changed",
    "results": "Final results",
    "pairs": "Who beats whom",
    "running": "Time to a target",
    "over-time": "Ranks over time",
    "several": "Several objectives",
    "cells": "Best architectures",
    "supernets": "Shared weights",
    "family": "Where its weights came from",
    "trials": "Trials",
    "retrained": "Retrained",
    "made": "How it was made",
    "checklist": "Checklist",
}


def contents(content: Content) -> str:
    """The list of contents."""
    return "".join(f'<li><a href="#{key}">{TITLES[key]}</a></li>' for key in _sections(content))


def sections(content: Content) -> str:
    """All sections; without a finished run only those that need none."""
    return "\n".join(
        f'<section id="{key}"><h2>{TITLES[key]}</h2>{body}</section>' for key, body in _sections(content).items()
    )


def _sections(content: Content) -> dict[str, str]:
    parts = list(content.parts.values())
    found: dict[str, str] = {}
    if parts:
        found["anytime"] = _about(content, asset("anytime.html"))
    if content.changes is not None:
        found["changes"] = f"<p>{escape(content.changes.sentence)}</p>{to_html(changes_table(content.changes))}"
    if parts:
        found["results"] = _each(parts, lambda part: to_html(part.results))
        found["pairs"] = (
            "".join(map(to_html, content.overall))
            + _each(parts, lambda part: to_html(part.wins) + _folded("All pairs with their tests", part.pairs))
            + _diagram(content)
        )
        found["running"] = asset("running.html") + _each(parts, _running_times)
        found["over-time"] = asset("ranks.html")
        found["several"] = _about(content, _sought(content)) + _each(parts, _hypervolumes)
        found["cells"] = _each(parts, _cells)
    if any(part.families for part in parts):
        found["family"] = _each(parts, _families)
    if any(not isinstance(part.courses, str) for part in parts):
        found["supernets"] = _each(parts, _shared)
    if parts:
        found["trials"] = asset("trials.html")
    if any(part.validation is not None for part in parts):
        found["retrained"] = _each(parts, _retrained)
    found["made"] = to_html(content.settings) + to_html(content.hyperparameters)
    found["checklist"] = _checklist(content.checklist)
    return found


def _about(content: Content, text: str) -> str:
    """A text of the page with what this study measured where it says accuracy: "value" where that is not one thing."""
    metrics = {part.metric for part in content.analysis.parts}
    if {metric.name for metric in metrics} == {"accuracy"}:
        return text
    what = metrics.pop().name if len(metrics) == 1 else "value"
    return text.replace("Accuracies", f"{what.capitalize()} values").replace("accuracy", escape(what))


def _sought(content: Content) -> str:
    """The text on fronts, with what the strategies were told to search for."""
    settings, text = content.analysis.study.settings, asset("fronts.html")
    objectives, constraint = settings.get("objectives"), settings.get("constraint")
    if not objectives and not constraint:
        return text
    said = f"Strategies that take them were told to search for {objectives}" if objectives else ""
    said += f"{' and' if said else 'Strategies that take one were told'} to keep to {constraint}" if constraint else ""
    return text.replace("They searched for accuracy alone.", f"{escape(said)}; the others for accuracy alone.")


def _each(parts: list[PartContent], body: Callable[[PartContent], str]) -> str:
    """The same for every benchmark; the page shows the one that is chosen."""
    return "".join(
        f'<div data-benchmark="{escape(found.part.name, quote=True)}">{body(found)}</div>' for found in parts
    )


def _folded(title: str, table: Table) -> str:
    return f"<details><summary>{escape(title)}</summary>{to_html(table)}</details>"


def _diagram(content: Content) -> str:
    diagram = content.diagram.value
    if diagram is None:
        return f'<p class="why"><strong>Critical-difference diagram.</strong> {escape(content.diagram.reason)}</p>'
    ranks = "" if content.ranks is None else _folded("The ranks in numbers", content.ranks)
    return (
        f'<figure><div class="table" tabindex="0" role="region" aria-label="Critical-difference diagram">'
        f"{diagram_svg(diagram)}</div><figcaption>Mean ranks over {escape(diagram.blocks)}, the best on the left. "
        "Thick bars join neighbors of which pairwise tests with Holm's correction tell none apart, thin bars those of "
        "which Nemenyi's test does not. Two that lie further apart may not differ either: the table of pairs says it. "
        f"{escape(' '.join(left_out_note(content.analysis.comparison.entrants)))}</figcaption></figure>{ranks}"
    )


def _running_times(found: PartContent) -> str:
    return "".join(
        f'<div data-axis="{axis}"{"" if axis == "seconds" else " hidden"}>{to_html(table)}</div>'
        for axis, table in found.running_times.items()
    )


def _hypervolumes(found: PartContent) -> str:
    return "".join(
        f'<div data-objectives="{i}"{" hidden" if i else ""}>{to_html(table)}</div>'
        for i, table in enumerate(found.hypervolumes)
    )


def _cells(found: PartContent) -> str:
    metric = found.part.metric
    cards = "".join(
        f'<article class="card"{whose(tuple(cell.found_by), "found")}><h3>{escape(_reached(found, cell))}</h3>'
        f"{cell.svg}"
        f"<p>Final answer of {escape(found_by_in_words(found.part, cell))}.</p><p>{_by_epochs(cell, metric)}</p>"
        f"<code>{escape(cell.string)}</code></article>"
        for cell in found.cells
    )
    why = f'<p class="why">{escape(found.draw.why)}</p>' if found.draw.why else ""
    return f'{why}<div class="cards">{cards}</div>{_folded("The same in numbers", found.cells_table)}'


def _shared(found: PartContent) -> str:
    table = to_html(found.courses_table)
    if isinstance(found.courses, str):
        return table
    cards = "".join(
        f'<article class="card"{whose((one.strategy,))}><h3>{escape(one.strategy)}</h3>{course_svg(one)}</article>'
        for one in found.courses
    )
    return f'{table}<div class="cards">{cards}</div>'


def _families(found: PartContent) -> str:
    if not found.families:
        return f'<p class="why">No answer on {escape(found.part.name)} inherited weights.</p>'
    about = (
        "The answer of a typical run of each strategy, the last of each list, and the trainings whose weights it began "
        "with, the oldest first. Open one to see its network and what it took over."
    )
    return f"<p>{about}</p>" + "".join(family_html(one, found.draw, found.part.metric) for one in found.families)


def _retrained(found: PartContent) -> str:
    if found.validation is None:
        return f'<p class="why">Nothing was trained again on {escape(found.part.name)}.</p>'
    figure = (
        f"<figure>{validation_svg(found.validation)}<figcaption>Measured against tabulated validation accuracy; on the "
        "line they are equal.</figcaption></figure>"
    )
    if curves := curves_svg([(cell.arch, cell.curve) for cell in found.validation.cells]):
        figure += (
            f"<figure>{curves}<figcaption>Training curves, means over seeds: the loss in training (dashed) and in "
            "validation, and the learning rate.</figcaption></figure>"
        )
    return "".join(map(to_html, found.retrained)) + figure


def _reached(found: PartContent, cell: BestCell) -> str:
    metric = found.part.metric
    known = [("validation", cell.valid), ("test", cell.test)]
    ordered = reversed(known) if found.part.split == "test" else known
    return ", ".join(f"{metric.read(value)} {metric.beside(split)}" for split, value in ordered if value is not None)


def _by_epochs(cell: BestCell, metric: Metric) -> str:
    """What is reached after every known number of epochs: in words, or as a curve where there are many."""
    if len(cell.by_epochs) <= 6:
        values = sorted(cell.by_epochs.items())
        said = "; ".join(f"after {counted(e, 'epoch')} {metric.read(value)}" for e, value in values)
        return unbroken(escape(said))
    return curve_svg(cell.by_epochs, metric)


def _checklist(items: Iterable[Item]) -> str:
    rows: list[str] = []
    group = ""
    for item in items:
        if item.group != group:
            group = item.group
            rows.append(f'<tr><th colspan="3" scope="rowgroup" class="text"><strong>{escape(group)}</strong></th></tr>')
        entries = f'<td class="text">{escape(item.answer)}</td><td class="text">{escape(item.because)}</td>'
        rows.append(f'<tr><td class="text">{escape(item.question)}</td>{entries}</tr>')
    return asset("checklist.html").replace("<!-- rows -->", "".join(rows))
