"""Trials and incumbents of a run as one short text each: column by column, JSON, compressed.

A study of 100,000 runs holds 15 million trials. As rows of a database a trial takes 90 bytes and most of the time of
writing it; packed it takes a third. What is at its default everywhere (no origin, no extras) is left out.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from nassim.errors import CorruptData
from nassim.trace import Run

MOST_BYTES = 256 << 20  # of what is packed, when unpacked
_LEVEL = 3  # of zlib: a third of a millisecond for 150 trials; higher levels save little
_SAME = "~"  # at the head of a training's name: the architecture


class TrialRow(NamedTuple):
    """A trial as a study keeps it; extras are kept where the training was a real one, as no table has them."""

    architecture: str
    asked_epochs: int | None  # None: the query named none
    epochs: int
    value: float  # of the metric that answered, more is better
    cost_seconds: float
    started_seconds: float
    finished_seconds: float
    worker: int
    metric: str | None = None
    origin: str = ""
    inherit: str = ""
    training: str = ""
    paid_epochs: int = -1
    extras: Mapping[str, float] | None = None
    feasible: bool = True  # whether it keeps to the study's constraint

    @property
    def paid(self) -> int:
        """The epochs that were charged."""
        return self.epochs if self.paid_epochs < 0 else self.paid_epochs


class Point(NamedTuple):
    """One incumbent of a stored run; accuracies are fractions, None where there is none."""

    seconds: float
    queries: int
    epochs: int
    architecture: str
    observed: float | None
    valid: float | None
    test: float | None
    source: str = "mean"  # of valid and test: the mean over repeats, the training's own, or a final training


_Types = Mapping[str, frozenset[type]]
_TEXT, _COUNT, _NUMBER = frozenset({str}), frozenset({int}), frozenset({int, float})
_NONE = frozenset({type(None)})
_MAYBE = _NUMBER | _NONE
_TRIALS: _Types = {
    "architecture": _TEXT,
    "asked_epochs": _COUNT | _NONE,
    "epochs": _COUNT,
    "value": _NUMBER,
    "cost_seconds": _NUMBER,
    "started_seconds": _NUMBER,
    "finished_seconds": _NUMBER,
    "worker": _COUNT,
    "metric": _TEXT | _NONE,
    "origin": _TEXT,
    "inherit": _TEXT,
    "training": _TEXT,
    "paid_epochs": _COUNT,
    "extras": frozenset({dict}) | _NONE,
    "feasible": frozenset({bool}),
}
_POINTS: _Types = {
    "seconds": _NUMBER,
    "queries": _COUNT,
    "epochs": _COUNT,
    "architecture": _TEXT,
    "observed": _MAYBE,
    "valid": _MAYBE,
    "test": _MAYBE,
    "source": _TEXT,
}


def pack_trials(run: Run, *, extras: bool = False) -> bytes:
    """The trials of a run; ``extras`` whether with what their results carry beside the value."""
    return _pack(
        TrialRow,
        [
            (
                *(str(t.query.arch), t.query.epochs, t.result.epochs, float(t.result.value), float(t.result.cost)),
                *(float(t.started), float(t.finished), t.worker, t.query.metric, t.query.origin, t.query.inherit),
                *(_shortened(t.result.training, str(t.query.arch)), t.result.paid_epochs),
                *(dict(t.result.extras) if extras else None, run.bound is None or run.bound.met(t.result.extras)),
            )
            for t in run.trials
        ],
    )


def pack_incumbents(run: Run) -> bytes:
    """The incumbents of a run that are answers: those that keep to its constraint."""
    return _pack(
        Point,
        [
            (
                *(float(x.seconds), x.queries, x.epochs, str(x.arch)),
                *(_null(x.observed), _null(x.valid), _null(x.test), x.source),
            )
            for x in run.incumbents
            if x.feasible
        ],
    )


def unpack_trials(packed: bytes) -> list[TrialRow]:
    """What `pack_trials` packed; `CorruptData` for anything else."""
    return [
        row._replace(training=row.architecture + row.training[1:]) if row.training.startswith(_SAME) else row
        for row in map(TrialRow._make, _unpack(packed, TrialRow, _TRIALS))
    ]


def unpack_incumbents(packed: bytes) -> list[Point]:
    """What `pack_incumbents` packed; `CorruptData` for anything else."""
    return [Point._make(row) for row in _unpack(packed, Point, _POINTS)]


def _pack(kind: Any, rows: Sequence[tuple[object, ...]]) -> bytes:
    columns = dict(zip(kind._fields, map(list, zip(*rows, strict=True)), strict=True)) if rows else {}
    defaults: dict[str, object] = kind._field_defaults
    kept = {
        name: values
        for name, values in columns.items()
        if name not in defaults or any(value != defaults[name] for value in values)
    }
    return zlib.compress(json.dumps(kept, separators=(",", ":")).encode(), _LEVEL)


def _unpack(packed: bytes, kind: Any, types: _Types) -> Iterable[tuple[object, ...]]:
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(packed, MOST_BYTES)
        columns = json.loads(text) if unpacker.eof else None
    except (zlib.error, ValueError, RecursionError, TypeError) as error:
        raise CorruptData(f"the rows of a run cannot be unpacked ({error})") from error
    defaults: dict[str, object] = kind._field_defaults
    if not isinstance(columns, dict) or not columns.keys() <= types.keys():
        raise CorruptData("the rows of a run are of another kind")
    if not columns:
        return []
    count = len(next(iter(columns.values()), ()))
    for name in types:
        values = columns.setdefault(name, [defaults[name]] * count if name in defaults else None)
        if not isinstance(values, list) or len(values) != count or not types[name].issuperset(map(type, values)):
            raise CorruptData(f"the column {name} of a run is not what it should be")
    return zip(*(columns[name] for name in types), strict=True)


def _shortened(training: str, arch: str) -> str:
    return _SAME + training[len(arch) :] if training.startswith(f"{arch}/") else training


def _null(value: float) -> float | None:
    """JSON has no NaN."""
    return None if math.isnan(value) else float(value)
