"""The second pass over a user's file: what was measured of every training, its cost and its extras."""

from __future__ import annotations

import re
from contextlib import closing
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from nassim.errors import CorruptData
from nassim.tabular_data.recipes.csv_cells import Place, numbers
from nassim.tabular_data.recipes.csv_rows import Rows, Source
from nassim.tabular_data.recipes.csv_spec import Spec
from nassim.tabular_data.recipes.csv_survey import MOST_EPOCHS, Survey, in_order

MOST_CELLS = 80_000_000  # numbers in memory
MOST_REPEATS = 1_000
MOST_SECONDS = 1e15  # of a training: 30 million years
METRICS = ("valid", "test", "cost")


class Reading(NamedTuple):
    """A column, and what it tells: a metric after some epochs, of a repeat; None: other columns say which."""

    metric: str
    column: str
    epochs: int | None
    repeat: str | None


class Trainings(NamedTuple):
    """Every training, (architectures, repeats, epochs), NaN where there is none; accuracies are fractions.

    Other metrics are as they stand in the file, whatever is better.
    """

    epochs: list[int]
    repeats: list[str]
    values: dict[str, NDArray[np.float64]]  # by metric
    extras: dict[str, NDArray[np.float64]]  # (architectures,)


def readings(spec: Spec, names: list[str]) -> list[Reading]:
    """The columns of a file that hold metrics; `InvalidSetting` for a key that names none."""
    patterns = {"valid": spec.valid, "test": spec.test, "cost": spec.cost}
    if spec.split:
        patterns |= {"valid": spec.value, "test": ""}
    found = []
    for metric, pattern in patterns.items():
        key = "cost.column" if metric == "cost" else f"{spec.judged}.{metric}"
        if not pattern:
            continue
        if "{" not in pattern:
            found.append(Reading(metric, pattern, None, None))
            continue
        holes = re.escape(pattern).replace(r"\{epoch\}", r"(?P<epoch>\d{1,6})")
        holes = holes.replace(r"\{repeat\}", r"(?P<repeat>\w+?)")
        matches = [match for name in names if (match := re.fullmatch(holes, name))]
        if not matches:
            raise spec.error(key, f"= {pattern!r}: no column is called so. The columns: {', '.join(names):.300}.")
        for match in matches:
            said = match.groupdict()
            found.append(Reading(metric, match[0], int(said["epoch"]) if "epoch" in said else None, said.get("repeat")))
    return found


def fill(source: Source, spec: Spec, columns: list[Reading], rows_of: Survey) -> Trainings:
    """Read all metrics; `CorruptData` names the row with a mistake."""
    epochs = rows_of.epochs or sorted({c.epochs for c in columns if c.epochs is not None}) or [spec.epochs]
    repeats = rows_of.repeats or in_order([*{c.repeat for c in columns if c.repeat is not None}]) or ["1"]
    if len(repeats) > MOST_REPEATS or len(epochs) > MOST_EPOCHS:
        what = f"{len(repeats):,} repeats and {len(epochs):,} epochs in the names of columns"
        raise CorruptData(f"{source.path} has {what}: at most {MOST_REPEATS:,} and {MOST_EPOCHS:,} are possible.")
    shape = len(rows_of.choices), len(repeats), len(epochs)
    metrics = sorted({c.metric for c in columns} | ({"test"} if spec.split and spec.test else set()))
    cells = int(np.prod(shape)) * len(metrics)
    if cells > MOST_CELLS:
        raise CorruptData(
            f"{source.path}: {shape[0]:,} architectures x {shape[1]:,} repeats x {shape[2]:,} epochs x {len(metrics)} "
            f"metrics are {cells:,} numbers, more than {MOST_CELLS:,}: leave out epochs, or split the table."
        )
    values = {metric: np.full(shape, np.nan) for metric in metrics}
    extras = {name: np.full(shape[0], np.nan) for name in spec.extras}
    start = 0
    wanted = [*(c.column for c in columns), *(column for column, _ in spec.extras.values())]
    with closing(source.read(wanted)) as parts:
        for rows in parts:
            end = start + len(next(iter(rows.columns.values())))
            part = rows_of.part(start, end)._replace(epochs=epochs, repeats=repeats)
            for reading in columns:
                _read(values, reading, rows, part, source, spec)
            for name, (column, _) in spec.extras.items():
                _read_extra(extras[name], rows, part.arch, Place(source.path, rows.first, column))
            start = end
    return Trainings(epochs, repeats, values, extras)


def _read(
    values: dict[str, NDArray[np.float64]], reading: Reading, rows: Rows, part: Survey, source: Source, spec: Spec
) -> None:
    """Put the cells of a column in their places."""
    wide = reading.epochs is not None or reading.repeat is not None
    if spec.split and reading.metric == "valid":  # one column for both
        targets = {metric: part.split == i for i, metric in enumerate(("valid", "test")) if metric in values}
    else:  # a cost stands in the rows of every split
        targets = {reading.metric: part.split == 0 if spec.split else part.arch >= 0}
    for metric, here in targets.items():
        chosen = np.flatnonzero(here & (part.arch >= 0))
        place = Place(source.path, rows.first, reading.column, chosen)
        found = numbers(rows.columns[reading.column][chosen], place, may_be_empty=wide)
        there = ~np.isnan(found)
        chosen, found = chosen[there], found[there]
        place = place._replace(chosen=chosen)
        found = _checked(found, metric, place, spec)
        epoch = part.epoch[chosen].astype(np.intp) if len(part.epoch) else _epoch(part, reading)
        if metric == "cost" and spec.cost_of_epoch:
            found = found * np.array(part.epochs)[epoch]
        for repeat in [part.repeat[chosen].astype(np.intp)] if len(part.repeat) else _repeats(part, reading):
            _put(values[metric], (part.arch[chosen], repeat, epoch), found, place, part, spec)


def _epoch(part: Survey, reading: Reading) -> int:
    """Without a column for the epochs: those in the column's name, else the full training."""
    return len(part.epochs) - 1 if reading.epochs is None else part.epochs.index(reading.epochs)


def _repeats(part: Survey, reading: Reading) -> list[int]:
    """Without a column for the repeat: that in the column's name, else the value holds for all."""
    return [*range(len(part.repeats))] if reading.repeat is None else [part.repeats.index(reading.repeat)]


def _checked(found: NDArray[np.float64], metric: str, place: Place, spec: Spec) -> NDArray[np.float64]:
    """Accuracies as fractions, costs in seconds, what else is measured as it is."""
    if metric == "cost":
        wrong = np.flatnonzero((found <= 0) | (found > MOST_SECONDS / spec.cost_seconds))
        if len(wrong):
            raise place.error(int(wrong[0]), f"a training cannot cost {found[wrong[0]]:g}.")
        return found * spec.cost_seconds
    if spec.metric.reading != "percent":
        return found
    most = 100.0 if spec.percent else 1.0
    wrong = np.flatnonzero((found < 0) | (found > most))
    if len(wrong):
        value = found[wrong[0]]
        said = ' Is it in percent? Then say [accuracy] unit = "percent".' if spec.judged == "accuracy" else ""
        hint = said if 1 < value <= 100 else ""
        kind = "an accuracy" if spec.judged == "accuracy" else f"a {spec.metric.name} that can be read in percent,"
        raise place.error(int(wrong[0]), f"{value:g} is not {kind} between 0 and {most:g}.{hint}")
    return found / most


def _put(
    target: NDArray[np.float64],
    where: tuple[NDArray[np.int32], NDArray[np.intp] | int, NDArray[np.intp] | int],
    found: NDArray[np.float64],
    place: Place,
    part: Survey,
    spec: Spec,
) -> None:
    """Write values; a second one for the same training is refused."""
    arch, repeat, epoch = where
    flat = (arch.astype(np.int64) * target.shape[1] + repeat) * target.shape[2] + epoch
    cells = target.reshape(-1)
    again = np.flatnonzero(~np.isnan(cells[flat]))
    if not len(again):
        _, first = np.unique(flat, return_index=True)
        again = np.setdiff1d(np.arange(len(flat)), first) if len(first) < len(flat) else again
    if len(again):
        number, i, j = np.unravel_index(int(flat[again[0]]), target.shape)
        training = f"{describe(part.choices[number].tolist(), spec)} for {part.epochs[j]} epochs"
        more = f", repeat {part.repeats[i]}" if len(part.repeats) > 1 else ""
        hint = " Are these repeats? Then name the column that tells them apart (training.repeat)."
        hint = hint if part.repeats == ["1"] else ""
        raise place.error(int(again[0]), f"a second value for the training of {training}{more}.{hint}")
    cells[flat] = found


def _read_extra(target: NDArray[np.float64], rows: Rows, arch: NDArray[np.int32], place: Place) -> None:
    """A number of an architecture: it may stand in several rows, but must be the same."""
    chosen = np.flatnonzero(arch >= 0)
    place = place._replace(chosen=chosen)
    found = numbers(rows.columns[place.column][chosen], place, may_be_empty=True)
    there = ~np.isnan(found)
    place, rows_of, found = place._replace(chosen=chosen[there]), arch[chosen[there]], found[there]
    known = target[rows_of]
    target[rows_of] = np.where(np.isnan(known), found, known)
    other = np.flatnonzero(target[rows_of] != found)
    if len(other):
        row = int(other[0])
        raise place.error(row, f"{found[row]:g} is not what another row has, {target[rows_of[row]]:g}.")


def describe(choices: list[int], spec: Spec) -> str:
    """An architecture in the user's words."""
    options = zip(spec.decisions.items(), choices, strict=True)
    return ", ".join(f"{name}={of[choice]}" for (name, of), choice in options)
