"""Names as they are typed: ``-`` and ``_`` are the same, and what was meant is said of a name that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def spelled(typed: str, known: Iterable[str]) -> str | None:
    """The known name that was typed, ``-`` and ``_`` being the same; None if there is none."""
    names = list(known)
    if typed in names:
        return typed
    return {name.replace("-", "_"): name for name in names}.get(typed.replace("-", "_"))


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """The line about a name that is not among those known: the nearest of them, else all."""
    names = sorted(set(known))
    wanted = name.strip().lower()
    begun = [known for known in names if wanted and known.startswith(wanted)]
    near = begun[:3] or difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)
    article = "an" if kind[0] in "aeiou" else "a"
    if near:
        return f"{name!r} is not {article} {kind}. Did you mean {' or '.join(near)}?"
    return f"{name!r} is not {article} {kind}. Known: {', '.join(names)}."
