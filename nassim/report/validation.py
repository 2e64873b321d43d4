"""What `nassim validate` found, in the study's folder and in its report: a table, a verdict and a figure."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from html import escape
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from nassim.errors import CorruptData
from nassim.files import put_in_place
from nassim.report.numerals import percent
from nassim.report.table import Entry, Table, row
from nassim.report.training_curves import Curve, read_curve
from nassim.stats.retraining import Verdict, judge

FILE = "validation.json"
MOST_BYTES, MOST_PAIRS = 2_000_000, 10
WIDTH, HEIGHT, LEFT, BOTTOM = 420, 320, 64, 44  # of the figure and its margins


class Cell(NamedTuple):
    """An architecture that was trained again; accuracies are fractions, of validation unless called test."""

    arch: str
    found_by: tuple[str, ...]
    tabulated: float
    measured: tuple[float, ...]
    test: tuple[float | None, ...]
    curve: Curve = Curve()


class Validation(NamedTuple):
    """The retraining of a study's best architectures on one benchmark."""

    benchmark: str
    recipe: str
    epochs: int
    device: str
    cells: tuple[Cell, ...]

    @property
    def verdict(self) -> Verdict:
        """What it tells of the ranking."""
        return judge([cell.tabulated for cell in self.cells], [cell.measured for cell in self.cells])


def write_validations(folder: Path, found: Mapping[str, Validation]) -> Path:
    """Keep validations beside the study, in place of earlier ones of the same benchmarks."""
    every = {**read_validations(folder), **found}
    records = {
        name: {**v._asdict(), "cells": None, "architectures": [cell._asdict() for cell in v.cells]}
        for name, v in every.items()
    }
    for record in records.values():
        del record["cells"], record["benchmark"]
    with put_in_place(folder / FILE) as file:
        file.write(json.dumps(records, indent=1).encode())
    return folder / FILE


def read_validations(folder: Path) -> dict[str, Validation]:
    """benchmark -> its validation; empty without a file, `CorruptData` where it is not one of ours."""
    path = folder / FILE
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError("it is too large")
        content = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): _validation(str(name), record) for name, record in _dict(content).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CorruptData(
            f"{path} is not readable as a validation ({type(error).__name__}): remove it, or repeat nassim validate."
        ) from error


def _validation(name: str, record: Any) -> Validation:
    cells = tuple(
        Cell(
            _text(cell["arch"]),
            tuple(_text(s) for s in cell["found_by"]),
            _fraction(cell["tabulated"]),
            tuple(_fraction(x) for x in cell["measured"]),
            tuple(None if x is None else _fraction(x) for x in cell["test"]),
            read_curve(cell.get("curve", ())),
        )
        for cell in _dict(record)["architectures"]
    )
    if not cells or not all(cell.measured for cell in cells):
        raise ValueError("an architecture without a training")
    return Validation(name, _text(record["recipe"]), int(record["epochs"]), _text(record.get("device", "")), cells)


def _dict(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("not an object")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _fraction(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError("not a fraction")
    return float(value)


def validation_table(found: Validation) -> Table:
    """Tabulated beside measured accuracies, with the verdict and the pairs that can be told apart."""
    verdict = found.verdict
    rows = []
    for cell in found.cells:
        mean, test = fmean(cell.measured), [value for value in cell.test if value is not None]
        error = verdict.noise / math.sqrt(len(cell.measured))
        rows.append(
            row(
                Entry(cell.arch, by=tuple(cell.found_by)),
                percent(cell.tabulated),
                percent(mean) + ("" if math.isnan(error) else f" ± {percent(error)}"),
                f"{100 * (mean - cell.tabulated):+.2f}",
                len(cell.measured),
                percent(fmean(test) if test else None),
                ", ".join(cell.found_by),
            )
        )
    pairs = [f"{found.cells[i].arch} above {found.cells[j].arch}" for i, j in verdict.told_apart]
    notes = [
        verdict.text,
        (
            f"Rank agreement (Kendall's tau) {_number(verdict.kendall, '.2f')}; mean difference "
            f"{100 * verdict.mean_difference:+.2f} points; ±: standard error, by the noise of all architectures."
        ),
    ]
    if pairs:
        more = f" and {len(pairs) - MOST_PAIRS} more" if len(pairs) > MOST_PAIRS else ""
        notes.append(f"Told apart (Tukey's test, alpha 0.05): {'; '.join(pairs[:MOST_PAIRS])}{more}.")
    device = f" on {found.device}" if found.device else ""
    caption = f"Retrained on {found.benchmark}: recipe {found.recipe}, {found.epochs} epochs, fresh seeds{device}."
    columns = ("architecture", "tabulated valid %", "measured valid %", "difference", "seeds", "test %", "found by")
    return Table(f"retrained-{found.benchmark}", caption, columns, rows, tuple(notes))


def _number(value: float, form: str) -> str:
    return "–" if math.isnan(value) else format(value, form)


def validation_svg(found: Validation) -> str:
    """The figure: measured against tabulated accuracy, each with its standard error, and the line of equality."""
    noise = found.verdict.noise
    points = []
    for cell in found.cells:
        error = 0.0 if math.isnan(noise) else noise / math.sqrt(len(cell.measured))
        points.append((cell.arch, 100 * cell.tabulated, 100 * fmean(cell.measured), 100 * error))
    low = min(min(x, y - e) for _, x, y, e in points)
    high = max(max(x, y + e) for _, x, y, e in points)
    pad = 0.06 * (high - low) or 0.5
    low, high = low - pad, high + pad

    def x(value: float) -> float:
        return LEFT + (value - low) / (high - low) * (WIDTH - LEFT - 10)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (value - low) / (high - low) * (HEIGHT - BOTTOM - 10)

    parts = [
        f'<path class="line" d="M{LEFT} 10V{HEIGHT - BOTTOM}H{WIDTH - 10}" fill="none"/>',
        f'<path class="lead" d="M{x(low):.1f} {y(low):.1f}L{x(high):.1f} {y(high):.1f}"/>',
    ]
    for k in range(4):
        value = low + (k + 0.5) / 4 * (high - low)
        parts.append(f'<text class="tick" x="{x(value):.1f}" y="{HEIGHT - BOTTOM + 16}">{value:.1f}</text>')
        place = f'x="{LEFT - 6}" y="{y(value) + 4:.1f}" style="text-anchor:end"'
        parts.append(f'<text class="tick" {place}>{value:.1f}</text>')
    for name, at, mean, error in points:
        title = f"{name}: measured {mean:.2f} %, tabulated {at:.2f} %"
        bar = f'<path class="line" d="M{x(at):.1f} {y(mean - error):.1f}V{y(mean + error):.1f}"/>'
        dot = f'<circle cx="{x(at):.1f}" cy="{y(mean):.1f}" r="4.5" fill="#0072B2"/>'
        parts.append(f"<g><title>{escape(title)}</title>{bar}{dot}</g>")
    middle = (LEFT + WIDTH - 10) / 2
    parts.append(f'<text class="tick" x="{middle:.0f}" y="{HEIGHT - 8}">tabulated validation accuracy [%]</text>')
    turned = f'transform="translate(14 {(HEIGHT - BOTTOM) / 2:.0f}) rotate(-90)"'
    parts.append(f'<text class="tick" {turned}>measured [%], mean and standard error</text>')
    said = "; ".join(f"{name} measured {mean:.2f} %, tabulated {at:.2f} %" for name, at, mean, _ in points)
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" style="max-width:{WIDTH}px"'
    return f'<svg class="scatter" {size} role="img" aria-label="{escape(said, quote=True)}">{"".join(parts)}</svg>'
