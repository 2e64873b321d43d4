"""Hyperparameters from text and from Python, held against the annotation of the parameter."""

from __future__ import annotations

import math
import types
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from nassim.errors import InvalidSetting


class Parameter(NamedTuple):
    """A hyperparameter of an algorithm: its name, annotation and default."""

    name: str
    annotation: Any
    default: object


def parse_value(parameter: Parameter, text: str, *, owner: str) -> object:
    """Read ``text`` (of ``--set owner.name=text``) by the parameter's annotation."""
    for kind in _alternatives(parameter.annotation):
        value = _read(kind, text.strip())
        if value is not _NOTHING:
            check_value(parameter, value, owner=owner)
            return value
    raise InvalidSetting(f"{owner}.{parameter.name}={text!r} is not {describe(parameter.annotation)}.")


def check_value(parameter: Parameter, value: object, *, owner: str) -> None:
    """Raise `InvalidSetting` unless ``value`` fits the annotation; counts must be positive."""
    kinds = [kind for kind in _alternatives(parameter.annotation) if _fits(kind, value)]
    if not kinds:
        raise InvalidSetting(f"{owner}.{parameter.name}={value!r} is not {describe(parameter.annotation)}.")
    if not isinstance(value, (int, float)):
        return
    if float in kinds and not abs(value) < math.inf:  # NaN too
        raise InvalidSetting(f"{owner}.{parameter.name}={value!r} must be finite.")
    if float in kinds and value < 0:
        raise InvalidSetting(f"{owner}.{parameter.name}={value!r} must not be negative.")
    if int in kinds and value < 1:
        raise InvalidSetting(f"{owner}.{parameter.name}={value!r} must be at least 1.")


_NOTHING = object()


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(get_args(annotation))
    return (annotation,)


def _read(kind: Any, text: str) -> object:
    if kind is type(None):
        return None if text.lower() in ("none", "") else _NOTHING
    if kind is bool:
        return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}.get(
            text.lower(), _NOTHING
        )
    if get_origin(kind) is Literal:
        return next((option for option in get_args(kind) if str(option) == text), _NOTHING)
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            return _NOTHING
    return text if kind is str else _NOTHING


def _fits(kind: Any, value: object) -> bool:
    if kind is type(None):
        return value is None
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def describe(annotation: Any) -> str:
    """What an annotation asks for, in words."""
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a word", type(None): "none"}
    return " or ".join(
        " or ".join(map(str, get_args(kind))) if get_origin(kind) is Literal else names.get(kind, str(kind))
        for kind in _alternatives(annotation)
    )


def plain(value: object) -> object:
    """A value as it comes back from JSON: tuples are lists there."""
    return list(value) if isinstance(value, tuple) else value
