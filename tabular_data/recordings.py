"""Recorded searches of weight-sharing strategies: compact JSON files, one for each strategy and configuration.

The project's own lie in ``recorded/`` beside this file; `nassim record` writes to the user's data folder, whose files
go before them. A file holds the configuration (hyperparameters, settings of the supernet with the hash of the images)
with its hash, the machine, and for every seed the cell and the seconds of each epoch, and what was seen of the supernet
(training loss, shared accuracy of the answer, scores of the options); no accuracies of trained networks: those are
looked up in a table when a search is replayed. A digest over the content tells whether a file was altered.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from nassim.errors import CorruptData
from nassim.files import put_in_place
from nassim.space import Architecture, SearchSpace
from nassim.supernet import Final, Moment, Recording, Scores
from nassim.tabular_data.locations import data_folder
from nassim.tabular_data.table_header import printable
from nassim.version import __version__

FORMAT = 2
_READ = (1, 2)  # format 1 has nothing of the supernet
_LARGEST = 1 << 26  # bytes of a file; those of the project have 40,000
_MOST_SECONDS = 1e12  # of an epoch
_MOST_SEEN = 20  # kinds of measurements beside a search
SHARES = 10_000  # accuracies are stored as whole numbers of this fraction
OWN = Path(__file__).parent / "recorded"


def folders() -> tuple[Path, Path]:
    """Where recordings are looked for: the user's, then the project's own."""
    return data_folder() / "recorded", OWN


def file_name(recording: Recording) -> str:
    """The name of a recording's file: benchmark, strategy and the beginning of its configuration's hash."""
    return f"{recording.benchmark.replace('/', '-')}-{recording.algorithm}-{recording.configuration[:8]}.json"


def read_recordings(benchmark: str, space: SearchSpace, algorithm: str, folder: Path | None) -> list[Recording]:
    """The recordings of a strategy on a benchmark's images, of one folder or all; of two alike the user's.

    `CorruptData` names a damaged file.
    """
    pattern = f"{benchmark.replace('/', '-')}-{algorithm}-*.json"
    found: dict[str, Recording] = {}
    for place in folders() if folder is None else [folder]:
        for path in sorted(place.glob(pattern)):
            recording = _read(path, path.stat().st_mtime_ns, space)
            # The pattern of `nas` also fits `nas-2`, and a file may say another thing than its name.
            if (recording.algorithm, recording.benchmark) == (algorithm, benchmark):
                found.setdefault(recording.configuration, recording)
    return list(found.values())


@lru_cache(maxsize=256)
def _read(path: Path, changed: int, space: SearchSpace) -> Recording:
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError(f"it has more than {_LARGEST:,} bytes")
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] not in _READ:
            raise CorruptData(f"{path} has recording format {content['format']!r:.20}, this nassim reads {FORMAT}.")
        digest = content.pop("digest")
        if digest != _digest(content):
            raise CorruptData(f"{path} was altered: its digest does not fit. {_ADVICE}")
        runs = {int(seed): _moments(run, space) for seed, run in content["runs"].items()}
        recording = Recording(
            algorithm=_kind(content["algorithm"], str),
            benchmark=_kind(content["benchmark"], str),
            hyperparameters=_kind(content["hyperparameters"], dict),
            supernet=_kind(content["supernet"], dict),
            machine=_kind(content["machine"], str),
            runs=runs,
            scores=_scores(content.get("scores")),
            failed={int(seed): _kind(why, str) for seed, why in content.get("failed", {}).items()},
            finals={int(seed): Final(*map(float, values)) for seed, values in content.get("finals", {}).items()},
        )
        if recording.configuration != content["configuration"]:
            raise CorruptData(f"{path} was altered: the hash of its configuration does not fit. {_ADVICE}")
        return recording
    except CorruptData:
        raise
    except (OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError) as error:
        what = " ".join(f"{type(error).__name__}: {error}".split())
        raise CorruptData(f"{path} is not a readable recording ({what:.300}). {_ADVICE}") from error


_ADVICE = "Move it away, or record it again with `nassim record`."


def _kind(value: Any, kind: type) -> Any:
    if not isinstance(value, kind) or not printable(value):
        raise TypeError(f"a field is no {kind.__name__}, or cannot be printed")
    return value


def _moments(run: Mapping[str, Any], space: SearchSpace) -> tuple[Moment, ...]:
    cells = run["cells"].split()
    n = len(cells)
    losses, shared = run.get("losses") or [None] * n, run.get("shared") or [None] * n
    scores = run.get("scores") or [[]] * n
    seen = _seen(run.get("seen") or {}, n)
    columns = zip(cells, run["seconds"], losses, shared, scores, seen, strict=True)
    return tuple(
        Moment(_cell(cell, space), _seconds(seconds), _measured(loss), _measured(share), _rows(row, space), pairs)
        for cell, seconds, loss, share, row, pairs in columns
    )


def _seen(columns: Mapping[str, Any], n: int) -> list[tuple[tuple[str, float], ...]]:
    """Of every epoch what was measured beside the search."""
    if len(columns) > _MOST_SEEN or any(len(column) != n or not printable(name) for name, column in columns.items()):
        raise ValueError(f"what was seen is not one value for each of {n} epochs")
    return [
        tuple([(name, _measured(column[i])) for name, column in columns.items() if column[i] is not None])
        for i in range(n)
    ]


def _cell(text: str, space: SearchSpace) -> Architecture:
    digits = text.split("-") if "-" in text else text
    return space.check(Architecture(space.name, tuple(map(int, digits))))


def _measured(value: Any) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < math.inf:
        raise ValueError("a measurement that is no number")
    return float(value)


def _rows(flat: Any, space: SearchSpace) -> tuple[tuple[float, ...], ...]:
    """Scores are stored one behind the other, as whole numbers of `SHARES`."""
    if not flat:
        return ()
    widths = space.layout.widths
    numbers = [_measured(value) / SHARES for value in flat]
    if len(numbers) != sum(widths):
        raise ValueError(f"{len(numbers)} scores for {sum(widths)} options")
    rest = iter(numbers)
    return tuple([tuple(islice(rest, width)) for width in widths])


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= _MOST_SECONDS:
        raise ValueError("seconds that no clock counts")
    return float(value)


def _scores(content: Any) -> Scores | None:
    if content is None:
        return None
    cells = tuple([int(cell) for cell in content["cells"]])
    accuracies = {int(seed): tuple([x / SHARES for x in row]) for seed, row in content["accuracies"].items()}
    if not all(len(row) == len(cells) and all(abs(x) <= 1 for x in row) for row in accuracies.values()):
        raise ValueError("scores that are not one number up to 1 for each cell")
    return Scores(cells, accuracies)


def write_recording(recording: Recording, folder: Path) -> Path:
    """Write a file, replacing one of the same configuration; a killed write leaves the old one."""
    content: dict[str, Any] = {
        "format": FORMAT,
        "nassim": __version__,
        "algorithm": recording.algorithm,
        "benchmark": recording.benchmark,
        "hyperparameters": dict(recording.hyperparameters),
        "supernet": dict(recording.supernet),
        "configuration": recording.configuration,
        "machine": recording.machine,
        "runs": {str(seed): _written(run) for seed, run in sorted(recording.runs.items())},
    }
    if recording.scores is not None:
        rows = sorted(recording.scores.accuracies.items())
        content["scores"] = {
            "cells": list(recording.scores.cells),
            "accuracies": {str(seed): [round(SHARES * x) for x in row] for seed, row in rows},
        }
    if recording.finals:
        content["finals"] = {str(seed): list(final) for seed, final in sorted(recording.finals.items())}
    if recording.failed:
        content["failed"] = {str(seed): why for seed, why in sorted(recording.failed.items())}
    content["digest"] = _digest(content)
    text = json.dumps(content, indent=1)
    # One line for each list: a file that people can read and git can compare.
    text = re.sub(r"\[\s+([^\[\]]*?)\s+\]", lambda match: "[" + re.sub(r",\s+", ", ", match[1]) + "]", text)
    path = folder / file_name(recording)
    with put_in_place(path) as file:
        file.write(f"{text}\n".encode())
    return path


def _written(run: Sequence[Moment]) -> dict[str, Any]:
    separator = "-" if any(choice > 9 for moment in run for choice in moment.arch.choices) else ""
    content: dict[str, Any] = {
        "cells": " ".join(separator.join(map(str, moment.arch.choices)) for moment in run),
        "seconds": [round(moment.seconds, 4) for moment in run],
    }
    for name, digits, values in (
        ("losses", 4, [moment.loss for moment in run]),
        ("shared", 4, [moment.shared for moment in run]),
    ):
        if not all(map(math.isnan, values)):
            content[name] = [None if math.isnan(value) else round(value, digits) for value in values]
    if any(moment.scores for moment in run):
        content["scores"] = [[round(SHARES * x) for row in moment.scores for x in row] for moment in run]
    names = dict.fromkeys(name for moment in run for name, _ in moment.seen)
    if names:
        each = [dict(moment.seen) for moment in run]
        content["seen"] = {name: [_short(values.get(name)) for values in each] for name in names}
    return content


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
