"""What the columns of a user's table are: the specification in TOML and its checks."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nassim.errors import InvalidSetting, MissingData
from nassim.metric import ACCURACY, Metric
from nassim.tabular_data.own_space import MOST_DECISIONS, MOST_OPTIONS
from nassim.tabular_data.recipes.toml import read_toml
from nassim.tabular_data.table_header import MOST_EPOCHS, printable

_LARGEST = 1 << 20  # bytes of a file
_LONGEST = 300  # characters of a message's part that quotes the file
MOST_SECONDS = 1e9  # of an epoch: 30 years
UNITS = {"seconds": 1.0, "minutes": 60.0, "hours": 3600.0}
_SECTIONS: dict[str, tuple[str, ...]] = {
    "architectures": ("missing", "column", "separator"),
    "accuracy": ("unit", "valid", "test", "split", "value"),
    "metric": ("name", "unit", "better", "reading", "valid", "test", "split", "value"),
    "training": ("epochs", "epoch", "repeat", "continues"),
    "cost": ("column", "unit", "of", "seconds_per_epoch"),
    "about": ("title", "paper", "source", "licence", "citation"),
}
_READINGS = {
    "less": {"": "negated", "perplexity": "perplexity", "bits": "bits"},
    "more": {"": "plain", "percent": "percent"},
}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TAKEN = ("choices", "train_seconds")  # columns of the table beside the metric's


@dataclass(frozen=True)
class Spec:
    """A checked specification. Texts of columns that are not given are empty."""

    path: Path
    decisions: Mapping[str, tuple[str, ...]]  # name -> options
    decision_columns: tuple[str, ...]  # empty where one column has all of them
    architecture: str  # that column
    separator: str
    missing: str  # refuse, sample or nothing
    metric: Metric
    judged: str  # the section that says so: accuracy or metric
    percent: bool  # accuracies are in percent
    valid: str
    test: str
    split: str
    value: str
    epochs: int  # 0: a column or the names of columns say it
    epoch: str
    repeat: str
    continues: bool  # shorter trainings are the beginnings of longer ones
    cost: str
    cost_seconds: float  # of one unit of the cost column
    cost_of_epoch: bool
    seconds_per_epoch: float  # 0: there is a column
    extras: Mapping[str, tuple[str, str]]  # name -> column, unit
    about: Mapping[str, str]

    def error(self, key: str, what: str) -> InvalidSetting:
        """An error about a key of the specification."""
        return InvalidSetting(f"{self.path}: {key:.80} {what:.600}")


def read_spec(path: Path) -> Spec:
    """Read a specification; `InvalidSetting` names the key that is unknown, missing or not what it must be."""
    try:
        if path.stat().st_size > _LARGEST:
            raise InvalidSetting(f"{path} has {path.stat().st_size:,} bytes: a specification has at most {_LARGEST:,}.")
        data = read_toml(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise MissingData(f"{path} is not there: `nassim data template` prints one to start from.") from error
    except RecursionError:
        raise InvalidSetting(f"{path} is not a specification: it is nested too deep.") from None
    except InvalidSetting:
        raise
    except ValueError as error:  # no TOML, no UTF-8, or a number of 5,000 digits
        raise InvalidSetting(f"{path} is not TOML: {' '.join(str(error).split()):.200}.") from error
    except OSError as error:
        raise MissingData(f"{path} cannot be read: {error.strerror or error}.") from error
    return _Reader(path, data).spec()


class _Reader:
    """Takes keys out of the parsed file and checks them."""

    def __init__(self, path: Path, data: dict[str, Any]) -> None:
        self._path, self._data = path, data

    def spec(self) -> Spec:
        if not printable(self._data):
            raise InvalidSetting(f"{self._path}: it has characters that cannot be printed.")
        self._known(self._data, (*_SECTIONS, "decisions", "extras"), "")
        for section, keys in _SECTIONS.items():
            self._known(self._section(section), keys, f"{section}.")
        decisions, columns = self._decisions()
        architecture = self._text("architectures", "column")
        judged = "metric" if "metric" in self._data else "accuracy"
        metric, percent = self._metric() if judged == "metric" else self._accuracy()
        spec = Spec(
            path=self._path,
            decisions=decisions,
            decision_columns=() if architecture else columns,
            architecture=architecture,
            separator=self._text("architectures", "separator") or "-",
            missing=self._word("architectures", "missing", ("refuse", "sample"), ""),
            metric=metric,
            judged=judged,
            percent=percent,
            valid=self._text(judged, "valid"),
            test=self._text(judged, "test"),
            split=self._text(judged, "split"),
            value=self._text(judged, "value"),
            epochs=int(self._number("training", "epochs", whole=True)),
            epoch=self._text("training", "epoch"),
            repeat=self._text("training", "repeat"),
            continues=self._yes("training", "continues"),
            cost=self._text("cost", "column"),
            cost_seconds=UNITS[self._word("cost", "unit", tuple(UNITS), "seconds")],
            cost_of_epoch=self._word("cost", "of", ("training", "epoch"), "training") == "epoch",
            seconds_per_epoch=self._number("cost", "seconds_per_epoch"),
            extras=self._extras(),
            about={key: self._text("about", key) for key in self._section("about")},
        )
        self._check(spec)
        return spec

    def _check(self, spec: Spec) -> None:
        """What keys demand or exclude of each other."""
        of = spec.judged
        if not spec.valid:
            raise self._error(f"{of}.valid", f"is missing: the column of the {spec.metric.name} that a search sees.")
        if bool(spec.split) != bool(spec.value):
            raise self._error(f"{of}.split", f"and {of}.value belong together: a word and a number.")
        patterns = {f"{of}.valid": spec.valid, f"{of}.test": spec.test, "cost.column": spec.cost}
        for key, pattern in patterns.items():
            holes = re.findall(r"\{(.*?)\}", pattern)
            if len(set(holes)) < len(holes) or len(pattern) > _LONGEST:
                raise self._error(key, f"= {pattern!r:.80} is too long, or has one thing that varies twice.")
            for hole in holes:
                if hole not in ("epoch", "repeat") or (spec.split and key != "cost.column"):
                    raise self._error(
                        key, f"= {pattern!r:.80}: only {{epoch}} and {{repeat}} may stand for what varies."
                    )
                if getattr(spec, hole):
                    raise self._error(f"training.{hole}", f"is a column, and {key} has {{{hole}}}: give one.")
        given = [spec.epochs > 0, bool(spec.epoch), "{epoch}" in spec.valid]
        if sum(given) != 1:
            raise self._error(
                "training", f"must say once: epochs = a number, epoch = a column, or {{epoch}} in {of}.valid."
            )
        if spec.test and "{epoch}" in spec.test and "{epoch}" not in spec.valid:
            raise self._error(f"{of}.test", f"has {{epoch}}, and {of}.valid has not.")
        if spec.continues and spec.epochs:
            raise self._error(
                "training.continues",
                f"= true, and every training is of {spec.epochs} epochs: there is none to go on from.",
            )
        columns = (*_TAKEN, *map(spec.metric.on, ("valid", "test")))
        for name in set(spec.extras).intersection(columns):
            raise self._error(f"extras.{name}", f"cannot be called so: the table has its own {name}.")
        if bool(spec.cost) == bool(spec.seconds_per_epoch):
            raise self._error("cost", "needs one of column and seconds_per_epoch: a training must cost.")

    def _accuracy(self) -> tuple[Metric, bool]:
        return ACCURACY, self._word("accuracy", "unit", ("percent", "fraction"), None) == "percent"

    def _metric(self) -> tuple[Metric, bool]:
        """The metric that is no accuracy; never in percent in the file."""
        if "accuracy" in self._data:
            raise self._error("metric", "stands beside accuracy: a table is judged by one of them.")
        name, better = self._text("metric", "name"), self._word("metric", "better", tuple(_READINGS), None)
        if name == "accuracy":
            raise self._error("metric.name", "= 'accuracy': accuracies have a section of their own, [accuracy].")
        reading = _READINGS[better][self._word("metric", "reading", tuple(filter(None, _READINGS[better])), "")]
        unit = self._text("metric", "unit") or ("fraction" if reading == "percent" else "")
        try:
            return Metric.of({"name": name, "unit": unit, "reading": reading}), False
        except InvalidSetting:
            raise self._error(
                "metric.name",
                f"= {name!r:.60} with the unit {unit!r:.60}: a name has at most 40 small letters, digits and _, "
                "a letter first; a unit at most 40 characters.",
            ) from None

    def _decisions(self) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
        given = self._data.get("decisions")
        if not isinstance(given, dict) or not given:
            raise self._error("decisions", "is missing: name each decision and its options.")
        if len(given) > MOST_DECISIONS:
            raise self._error("decisions", f"are {len(given):,}, at most {MOST_DECISIONS} are possible.")
        decisions, columns = {}, []
        for name, value in given.items():
            key = f"decisions.{name}"
            column, options = name, value
            if isinstance(value, dict):
                self._known(value, ("column", "options"), f"{key}.")
                column, options = value.get("column", name), value.get("options")
            if not isinstance(column, str) or not column:
                raise self._error(f"{key}.column", f"= {column!r:.80} is not the name of a column.")
            if not isinstance(options, list) or not options or not all(_is_option(option) for option in options):
                raise self._error(key, f"= {value!r:.80} is not a list of options (texts or numbers).")
            if len(options) > MOST_OPTIONS:
                raise self._error(key, f"has {len(options)} options, at most {MOST_OPTIONS} are possible.")
            texts = tuple(map(text_of, options))
            twice = [text for text in texts if texts.count(text) > 1]
            if twice:
                raise self._error(key, f"has the option {twice[0]!r:.80} twice.")
            decisions[name] = texts
            columns.append(column)
        return decisions, tuple(columns)

    def _extras(self) -> dict[str, tuple[str, str]]:
        extras = {}
        for name, value in self._section("extras").items():
            key = f"extras.{name}"
            given = {"column": value} if isinstance(value, str) else value
            if not isinstance(given, dict) or not all(isinstance(text, str) for text in given.values()):
                raise self._error(key, f'= {value!r:.80}: write {name} = {{ column = "...", unit = "..." }}.')
            self._known(given, ("column", "unit"), f"{key}.")
            if not _NAME.fullmatch(name) or len(name) > 60:
                raise self._error(key, "is not a name of at most 60 letters, digits and underscores.")
            extras[name] = given.get("column", name), given.get("unit", "no unit given")
        return extras

    def _section(self, name: str) -> dict[str, Any]:
        section = self._data.get(name, {})
        if not isinstance(section, dict):
            raise self._error(name, f"= {section!r:.40} must be a section: [{name}].")
        return section

    def _text(self, section: str, key: str) -> str:
        value = self._section(section).get(key, "")
        if not isinstance(value, str):
            raise self._error(f"{section}.{key}", f"= {value!r:.40} must be a text in quotes.")
        return value

    def _word(self, section: str, key: str, words: tuple[str, ...], default: str | None) -> str:
        """One of ``words``; the default where there is none, None: it must be given."""
        word = self._text(section, key)
        if not word and default is not None:
            return default
        if word not in words:
            said = f"= {word!r:.80} is not known" if word else "is missing"
            raise self._error(f"{section}.{key}", f"{said}: use {' or '.join(map(repr, words))}.")
        return word

    def _yes(self, section: str, key: str) -> bool:
        value = self._section(section).get(key, False)
        if not isinstance(value, bool):
            raise self._error(f"{section}.{key}", f"= {value!r:.40} must be true or false.")
        return value

    def _number(self, section: str, key: str, *, whole: bool = False) -> float:
        value = self._section(section).get(key)
        if value is None:
            return 0.0
        fits = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
        most = MOST_EPOCHS if whole else MOST_SECONDS
        if not fits or not 0 < value <= most:
            kind = "positive whole number" if whole else "positive number"
            raise self._error(f"{section}.{key}", f"= {value!r:.40} must be a {kind} up to {most:,}.")
        return float(value)

    def _known(self, given: Mapping[str, Any], keys: Iterable[str], prefix: str) -> None:
        keys = tuple(keys)
        for key in given:
            if key not in keys:
                near = difflib.get_close_matches(key[:100], keys, n=1)
                hint = f"Did you mean {prefix}{near[0]}?" if near else f"Known: {', '.join(keys)}."
                raise self._error(f"{prefix}{key}", f"is not a key of a specification. {hint}")

    def _error(self, key: str, what: str) -> InvalidSetting:
        return InvalidSetting(f"{self._path}: {key:.80} {what:.600}")


def _is_option(value: object) -> bool:
    return isinstance(value, (str, int, float)) and text_of(value) != ""


def text_of(value: object) -> str:
    """An option as text, the same for 16, 16.0 and "16"."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value).strip()
