"""Text that somebody else chose (names, units, paths), as it may stand in Markdown and in figures."""

from __future__ import annotations

import re

_OWN = re.compile(r"(`nassim [^`]*`)")  # commands that the report itself names
_SPECIAL = re.compile(
    r"[\\`~]"
    r"|\*(?!(?<=\d\*)(?:\s|$))"  # 18* is a mark of significance
    r"|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])"
    r"|<(?=[A-Za-z/!?])"
    r"|&(?=#?\w+;)"
    r"|\](?=[(\[:])"
)


def markdown_text(text: str, *, begins: bool = False) -> str:
    """Text in one line of Markdown that is shown as it is; ``begins``: at the beginning of the line."""
    parts = _OWN.split(" ".join(text.split()))
    parts[::2] = [_SPECIAL.sub(r"\\\g<0>", part) for part in parts[::2]]
    line = "".join(parts)
    if begins and (marker := re.match(r"[#>+=-]|\d+(?=[.)])", line)):
        place = 0 if marker[0] in "#>+=-" else marker.end()
        line = f"{line[:place]}\\{line[place:]}"
    return line


def no_formula(text: str) -> str:
    """Text for matplotlib, which sets what stands between two dollars as a formula."""
    return text.replace("$", r"\$")
