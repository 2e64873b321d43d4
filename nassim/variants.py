"""Strategies with settings, as a user types them: ``re,re[sample_size=10]``, ``re[sample_size=3|10|25]``."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping

from nassim.errors import InvalidSetting

MOST = 200  # strategies of one list
_NAMED = re.compile(r"(?P<name>.*\.py(?::[^\[\]:]*)?|[^\[]*)(?P<inside>\[.*)?", re.DOTALL)  # a path may have brackets


def split_names(text: str) -> list[str]:
    """The names of a list with commas; commas in brackets part settings, not names.

    >>> split_names("rs, re[sample_size=10,population_size=50],bo")
    ['rs', 're[sample_size=10,population_size=50]', 'bo']
    """
    names, depth, begun = [], 0, 0
    for i, sign in enumerate(text):
        depth += (sign == "[") - (sign == "]")
        if depth not in (0, 1):
            raise InvalidSetting(f"strategies {text!r:.100}: the brackets do not match. Write name[setting=value].")
        if sign == "," and not depth:
            names.append(text[begun:i].strip())
            begun = i + 1
    if depth:
        raise InvalidSetting(f"strategies {text!r:.100}: a bracket is not closed. Write name[setting=value].")
    return [name for name in (*names, text[begun:].strip()) if name]


def parse_variants(text: str) -> list[tuple[str, dict[str, str]]]:
    """A name (or the path of a file) with its settings, all combinations where values stand with bars between them.

    >>> parse_variants("re[sample_size=3|10]")
    [('re', {'sample_size': '3'}), ('re', {'sample_size': '10'})]
    """
    parted = _NAMED.fullmatch(text.strip())
    name, rest = (parted["name"], (parted["inside"] or "")[1:]) if parted else ("", "")
    if parted and parted["inside"] is None:
        return [(name, {})]
    if not rest.endswith("]") or not name.strip():
        raise InvalidSetting(f"{text!r:.100} is not a strategy with settings: write name[setting=value].")
    choices: dict[str, list[str]] = {}
    for part in rest[:-1].split(","):
        key, equals, values = part.partition("=")
        key = key.strip().replace("-", "_")
        options = [value.strip() for value in values.split("|")]
        if not equals or not key or not all(options):
            raise InvalidSetting(f"{text!r:.100}: {part!r:.50} is not a setting: write setting=value or setting=a|b.")
        if key in choices:
            raise InvalidSetting(f"{text!r:.100} sets {key} twice.")
        choices[key] = options
    count = 1
    for options in choices.values():
        count *= len(options)
        if count > MOST:
            raise InvalidSetting(f"{text!r:.100} means more than {MOST} strategies.")
    return [(name.strip(), dict(zip(choices, values, strict=True))) for values in itertools.product(*choices.values())]


def label(name: str, settings: Mapping[str, object]) -> str:
    """How a strategy with settings is called in tables, legends and files: ``re[sample_size=10]``."""
    inside = ",".join(f"{key}={value}" for key, value in settings.items())
    return f"{name}[{inside}]" if inside else name
