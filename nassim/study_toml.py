"""A comparison as a file, ``study.toml``: the options of `nassim compare` under their names, paths relative to it."""

from __future__ import annotations

import json
import math
import os
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nassim.errors import InvalidSetting, MissingData
from nassim.files import put_in_place
from nassim.names import spelled, unknown
from nassim.variants import split_names
from nassim.version import __version__

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NAME = "study.toml"
LARGEST = 1 << 15  # bytes: the parser's time grows with the square of what a key has of dots
_HEAD = f"""# What `nassim compare` was asked for (nassim {__version__}). This does it again, into another folder:
#     nassim compare {NAME} --out FOLDER
"""
_FILE = re.compile(r"(?P<path>.*\.py)(?P<rest>(?:[:/\[].*)?)", re.DOTALL)  # of a strategy or benchmark


def _text(value: object) -> bool:
    return isinstance(value, str)


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_text, value))


def _switch(value: object) -> bool:
    return isinstance(value, bool)


def _count(value: object) -> bool:
    return type(value) is int and value >= 1


def _number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and not math.isnan(value)


_TEXT, _PATH = ("a text", _text), ("the path of a folder", _text)
_SWITCH, _COUNT = ("true or false", _switch), ("a whole number from 1", _count)
_NAMES = ("a text or a list of texts", lambda value: _text(value) or _texts(value))
Kind = tuple[str, Callable[[object], bool]]
# Key -> what it must be. The names are those of the options.
KEYS: dict[str, Kind] = {
    "algos": _NAMES,
    "benchmark": _NAMES,
    "budget": _TEXT,
    "protocol": _TEXT,
    "seeds": (
        'a whole number from 1, or ranges such as "0-499"',
        lambda value: _count(value) or (_text(value) and "-" in str(value)),
    ),
    "workers": _COUNT,
    "jobs": _COUNT,
    "clock": _TEXT,
    "engine": _TEXT,
    "timeout": ("a number", _number),
    "no_trials": _SWITCH,
    "set": ('a list of texts such as "re.sample_size=10"', _texts),
    "live": _SWITCH,
    "device": _TEXT,
    "patience": ("a number", _number),
    "noise": _TEXT,
    "search_on": _TEXT,
    "regret": _TEXT,
    "objectives": _TEXT,
    "constraint": _TEXT,
    "out": _PATH,
    "against": _PATH,
    "force": _SWITCH,
    "report": _SWITCH,
    "watch": _SWITCH,
}


def read_study_toml(path: Path) -> dict[str, Any]:
    """The options that a file says, checked; those with paths are as they are found from the current folder.

    ``algos`` is a text with commas, ``benchmark`` a list. `MissingData` or `InvalidSetting` in one line.
    """
    if not path.is_file():
        raise MissingData(_no_file(path))
    with path.open("rb") as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise InvalidSetting(f"{path} has more than {LARGEST:,} bytes: no study says so much.")
    try:
        found = tomllib.loads(content.decode().replace("\r\n", "\n"))
    except (ValueError, RecursionError) as error:  # what the two parsers raise is a ValueError
        raise InvalidSetting(f"{path} is no TOML: {' '.join(str(error).split()):.200}.") from error
    options: dict[str, Any] = {}
    for typed, value in found.items():
        key = spelled(typed, KEYS)
        if key is None:
            raise InvalidSetting(f"{path}: {unknown('setting of a study', typed, KEYS)}")
        if key in options:
            raise InvalidSetting(f"{path} says {key} twice.")
        what, right = KEYS[key]
        if not right(value):
            raise InvalidSetting(f"{path}: {key} is not {what}.")
        options[key] = _placed(key, value, path.parent)
    return options


def _no_file(path: Path) -> str:
    if path.is_dir():
        return f"{path} is a folder and no file of a study: strategies go after --algos, its folder after --out."
    hint = "" if path.suffix == ".toml" else f" Strategies are named so: --algos {path}."
    return f"there is no file {str(path)!r:.200} of a study.{hint}"


def _placed(key: str, value: Any, folder: Path) -> Any:
    if key == "algos":
        names = split_names(value) if isinstance(value, str) else value
        return ",".join(_moved(name, folder, None) for name in names)
    if key == "benchmark":
        return [_moved(name, folder, None) for name in ([value] if isinstance(value, str) else value)]
    return str(folder / value) if KEYS[key] is _PATH else value


def _moved(name: str, start: Path, to: Path | None) -> str:
    """A strategy or benchmark; a file's path is one from ``start`` and becomes one from ``to`` (None: as found)."""
    match = _FILE.fullmatch(name.strip())
    if match is None:
        return name
    typed = Path(match["path"]).expanduser()
    if typed.is_absolute():
        return name
    if to is None:
        return f"{start / typed}{match['rest']}"
    try:
        relative = os.path.relpath((start / typed).resolve(), to.resolve())
    except ValueError:  # another drive
        relative = str((start / typed).resolve())
    return f"{Path(relative).as_posix()}{match['rest']}"


def study_toml(options: Mapping[str, Any], folder: Path) -> str:
    """The options of a command as a file that lies in ``folder``; what is empty or None is left out.

    ``algos`` and ``benchmark`` are lists; paths in them are relative to the current folder.
    """
    lines = [_HEAD]
    for key in KEYS:
        value = options.get(key)
        if value in (None, "", [], False):
            continue
        if key in ("algos", "benchmark") and not isinstance(value, str):
            value = [_moved(name, Path.cwd(), folder) for name in value]
        lines.append(f"{key} = {_written(value)}\n")
    return "".join(lines)


def _written(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, float):
        return "inf" if value == math.inf else repr(value)
    text = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return text.encode("utf-8", "replace").decode()


class Kept:
    """Writes the file when the study has been begun, before its first run, and passes on what is told of progress.

    A file that is there stays where the study is continued, or is the one that it was read from.
    """

    def __init__(self, text: str, folder: Path, read_from: Path | None, then: Callable[[int, int], None]) -> None:
        self.path = folder / NAME
        same = read_from is not None and self.path.exists() and self.path.samefile(read_from)
        stays = self.path.exists() and (same or (folder / "study.db").exists())
        self._text, self._then = "" if stays else text, then

    def __call__(self, done: int, total: int) -> None:
        if self._text:
            with put_in_place(self.path) as file:
                file.write(self._text.encode())
            self._text = ""
        self._then(done, total)
