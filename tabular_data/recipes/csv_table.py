"""A table of the user's own: CSV, JSON or Parquet and a specification make a benchmark ``csv/NAME``.

The file is read twice, some rows at a time: which architectures, epochs and repeats there are (`csv_survey`), then
the numbers (`csv_fill`). What is wrong is said with its row or key, and then nothing has been written. The table holds
the architectures that are in the file, in ascending order of their choices, and the specification of their space.
"""

from __future__ import annotations

import difflib
import math
import re
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.errors import CorruptData, InvalidSetting
from nassim.metric import ACCURACY
from nassim.tabular_data.own_space import radius
from nassim.tabular_data.own_table import TASK, columns_of, table_path
from nassim.tabular_data.recipes.csv_fill import Trainings, describe, fill, readings
from nassim.tabular_data.recipes.csv_rows import Source
from nassim.tabular_data.recipes.csv_spec import Spec, read_spec
from nassim.tabular_data.recipes.csv_survey import survey
from nassim.tabular_data.table import Header, column_name, write_table

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_NOT_GIVEN = "not given in the specification"


def import_table(name: str, path: Path, spec_path: Path) -> Path:
    """Make the table of ``csv/NAME``; the path of it. One of the same name is replaced when the new one is complete.

    `InvalidSetting` names the key of a specification that is wrong or does not match the file, `CorruptData` the row
    of a mistake in the file.
    """
    if not _NAME.fullmatch(name):
        raise InvalidSetting(f"{name!r:.60} is no name for a table: small letters, digits, - and _, a letter first.")
    spec = read_spec(spec_path)
    source = Source(path)
    names = source.names()
    columns = readings(spec, names)
    _check_columns(spec, names, [reading.column for reading in columns])
    rows_of = survey(source, spec)
    choices, trainings = rows_of.choices, fill(source, spec, columns, rows_of)
    del rows_of  # large
    trained = _trained(trainings, choices, spec)
    if spec.missing == "sample" and not trained.all():
        choices, trainings = choices[trained], _only(trained, trainings)
    target = table_path(name)
    write_table(target, _header(name, path, spec, choices, trainings), _columns(spec, choices, trainings))
    return target


def _check_columns(spec: Spec, names: list[str], metrics: list[str]) -> None:
    """Every column that the specification names must be in the file, and mean one thing."""
    said = {
        **dict(zip([f"decisions.{name}" for name in spec.decisions], spec.decision_columns, strict=False)),
        "architectures.column": spec.architecture,
        f"{spec.judged}.split": spec.split,
        "training.epoch": spec.epoch,
        "training.repeat": spec.repeat,
        **{f"{spec.judged} or cost ({column})": column for column in metrics},
        **{f"extras.{name}": column for name, (column, _) in spec.extras.items()},
    }
    seen: dict[str, str] = {}
    there = set(names)
    for key, column in said.items():
        if not column:
            continue
        if column not in there:
            near = difflib.get_close_matches(column[:100], [name[:100] for name in names[:1000]], n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Its columns: {', '.join(names):.300}."
            raise spec.error(key, f"names the column {column!r:.80}, which the file does not have. {hint}")
        if column in seen and not key.startswith("extras."):
            raise spec.error(key, f"names the column {column!r:.80}, as {seen[column]:.80} does.")
        seen[column] = key


def _trained(trainings: Trainings, choices: NDArray[np.uint8], spec: Spec) -> NDArray[np.bool_]:
    """Which architectures have a full training, after all checks of the whole."""
    valid = trainings.values["valid"]
    best = float(np.fmax.reduce(valid, axis=None))
    if math.isnan(best):
        raise CorruptData(
            f"there is no {spec.metric.name} in the file ({spec.judged}.valid = {spec.valid!r}): nothing was imported."
        )
    if spec.percent and best <= 0.01:
        raise spec.error("accuracy.unit", f'= "percent", but the best accuracy is {100 * best:g}: are these fractions?')
    here: NDArray[np.bool_] = np.any(~np.isnan(valid[:, :, -1]), axis=1)
    whole, there = _size(spec), int(here.sum())
    if there < whole and not spec.missing:
        raise spec.error(
            "architectures.missing",
            f"must be said: {whole - there:,} of {whole:,} architectures have no training of {trainings.epochs[-1]} "
            f"epochs in the file, such as {_first_missing(choices[here], spec)}. "
            'Use "refuse" (to answer for them) or "sample" (only those that are there).',
        )
    _check_pairs(trainings, choices, spec)
    return here


def _size(spec: Spec) -> int:
    return prod(len(options) for options in spec.decisions.values())


def _first_missing(choices: NDArray[np.uint8], spec: Spec) -> str:
    """The first architecture that is not among ``choices``, which are ascending."""
    radices = [len(of) for of in spec.decisions.values()]
    expected = [0] * len(radices)
    for row in choices.tolist():
        if row != expected:
            break
        for i in reversed(range(len(radices))):  # one further
            expected[i] = (expected[i] + 1) % radices[i]
            if expected[i]:
                break
    return describe(expected, spec)


def _check_pairs(trainings: Trainings, choices: NDArray[np.uint8], spec: Spec) -> None:
    """What was measured needs a cost, that grows with the epochs, and a test value where the file has them."""
    test, cost = trainings.values.get("test"), trainings.values.get("cost")
    before = np.full(trainings.values["valid"].shape[:2], -np.inf)
    for j, epochs in enumerate(trainings.epochs):
        there = ~np.isnan(trainings.values["valid"][:, :, j])

        def refuse(wrong: NDArray[np.bool_], what: str, epochs: int = epochs) -> None:
            for number, i in np.argwhere(wrong)[:1].tolist():
                more = f", repeat {trainings.repeats[i]}" if len(trainings.repeats) > 1 else ""
                training = f"{describe(choices[number].tolist(), spec)} for {epochs} epochs{more}"
                raise CorruptData(f"the training of {training} {what} Nothing was imported.")

        last = j == len(trainings.epochs) - 1
        if test is not None and last:
            refuse(there & np.isnan(test[:, :, j]), f"has a validation, but no test {spec.metric.name}.")
        if cost is not None and (last or not np.isnan(cost[:, :, j]).all()):
            refuse(there & np.isnan(cost[:, :, j]), f"has {_a(spec.metric.name)}, but no cost.")
            now = np.where(there, cost[:, :, j], np.inf)
            refuse(now <= before, 'costs no more than fewer epochs: is it the cost of one epoch ([cost] of = "epoch")?')
            before = np.where(there, now, before)
    if test is not None and np.array_equal(trainings.values["valid"], test, equal_nan=True):
        raise spec.error(
            f"{spec.judged}.test", f"names the same numbers as {spec.judged}.valid: a search must not see the test."
        )
    if spec.continues:
        _check_beginnings(trainings, choices, spec)


def _check_beginnings(trainings: Trainings, choices: NDArray[np.uint8], spec: Spec) -> None:
    """Where trainings go on, each must be there after all epochs, from the short beginning to the end."""
    if len(trainings.epochs) == 1:
        why = f"= true, and every training is of {trainings.epochs[0]} epochs: there is none to go on from."
        raise spec.error("training.continues", why)
    there = ~np.isnan(trainings.values["valid"])
    for number, i, j in np.argwhere(~there & there.any(axis=2, keepdims=True))[:1].tolist():
        more = f", repeat {trainings.repeats[i]}" if len(trainings.repeats) > 1 else ""
        raise spec.error(
            "training.continues",
            f"= true, and the training of {describe(choices[number].tolist(), spec)}{more} has nothing after "
            f"{trainings.epochs[j]} epochs.",
        )


def _a(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _only(trained: NDArray[np.bool_], trainings: Trainings) -> Trainings:
    values = {metric: array[trained] for metric, array in trainings.values.items()}
    return trainings._replace(values=values, extras={name: of[trained] for name, of in trainings.extras.items()})


def _columns(spec: Spec, choices: NDArray[np.uint8], trainings: Trainings) -> dict[str, NDArray[Any]]:
    full = trainings.epochs[-1]
    columns: dict[str, NDArray[Any]] = {}
    names = columns_of(spec.metric)
    for j, epochs in enumerate(trainings.epochs):  # the repeats that are there come first
        order = np.argsort(np.isnan(trainings.values["valid"][:, :, j]), axis=1, kind="stable")
        for metric, array in trainings.values.items():
            if not np.isnan(array[:, :, j]).all():
                packed = np.take_along_axis(array[:, :, j], order, axis=1)
                columns[column_name(TASK, names[metric], epochs, full)] = packed
    if spec.seconds_per_epoch:
        columns[f"{TASK}/train_seconds"] = np.full(len(choices), spec.seconds_per_epoch * full)
    columns |= {f"{TASK}/{extra}": values for extra, values in trainings.extras.items()}
    if len(choices) < _size(spec):
        columns[f"{TASK}/choices"] = choices
    return columns


def _header(name: str, path: Path, spec: Spec, choices: NDArray[np.uint8], trainings: Trainings) -> Header:
    metric = spec.metric
    said = {metric.on(split): getattr(spec, split) for split in ("valid", "test") if split in trainings.values}
    listed = spec.missing == "sample" and len(choices) < _size(spec)
    return Header(
        space=name,
        tasks=(TASK,),
        metrics=tuple(said),
        splits={f"{TASK}/{metric}": f"{column} in the file" for metric, column in said.items()},
        repeats=len(trainings.repeats),
        seeds=", ".join(trainings.repeats) if len(trainings.repeats) > 1 else "one training each",
        epochs=tuple(trainings.epochs),
        units={
            **dict.fromkeys(said, metric.unit),
            "train_seconds": "seconds",
            **{extra: unit for extra, (_, unit) in spec.extras.items()},
        },
        source=spec.about.get("source") or f"{path.name}, as specified in {spec.path.name}",
        licence=spec.about.get("licence") or _NOT_GIVEN,
        citation=spec.about.get("citation") or _NOT_GIVEN,
        metric={} if metric == ACCURACY else metric._asdict(),
        spec={
            "continues": spec.continues,
            "decisions": {decision: list(options) for decision, options in spec.decisions.items()},
            "missing": spec.missing,
            "radius": radius(choices) if listed else 1,
            "title": spec.about.get("title") or f"{name}, a table of your own",
            "paper": spec.about.get("paper") or _NOT_GIVEN,
        },
    )
