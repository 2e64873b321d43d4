"""Reading TOML in a time that grows with its length: the standard library's grows with the square of a key's parts."""

from __future__ import annotations

import re
import sys
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_MOST_PARTS = 100  # of a dotted key
# Texts and comments, one after the other; what is left of a quote begins a text that does not end.
_TEXT = re.compile(r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|["\']', re.DOTALL)
_BETWEEN = re.compile(r"[^,=\[\]{}\n]+")  # keys, and numbers that are no lists


def read_toml(text: str) -> dict[str, Any]:
    """The values in a text; `ValueError` if it is no TOML, or has keys of more than a hundred parts."""
    bare: list[str] = []
    end = 0
    for match in _TEXT.finditer(text):
        bare.append(text[end : match.start()])
        end = match.end()
        if match[0] in ("'", '"'):  # no TOML: the parser comes no further
            break
    else:
        bare.append(text[end:])
    if any(part.count(".") >= _MOST_PARTS for part in _BETWEEN.findall("".join(bare))):
        raise ValueError(f"a key has more than {_MOST_PARTS} parts")
    values: dict[str, Any] = tomllib.loads(text)
    return values
