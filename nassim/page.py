"""The page of an algorithm: its module's docstring, taken apart under the fixed headings."""

from __future__ import annotations

import inspect
import re
import sys
from typing import NamedTuple

from nassim.strategy import Algorithm

HEADINGS = ("Paper", "Pseudocode", "Departures", "Hyperparameters")


class Page(NamedTuple):
    """Title and sections of an algorithm's docstring; ``notes`` are the hyperparameters' lines."""

    title: str
    sections: dict[str, str]
    notes: dict[str, str]


def page(algorithm: Algorithm) -> Page:
    """The page of an algorithm."""
    text = inspect.cleandoc(sys.modules[algorithm.function.__module__].__doc__ or "")
    title, _, rest = text.partition("\n")
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in rest.splitlines():
        heading = re.fullmatch(r"(\w+):\s*(.*)", line)
        if heading and heading[1] in HEADINGS:
            current = sections.setdefault(heading[1], [])
            current += [heading[2]] if heading[2] else []
        else:
            current.append(line)
    plain = {name: inspect.cleandoc("\n" + "\n".join(lines)).strip() for name, lines in sections.items()}
    notes: dict[str, str] = {}
    name = ""
    for line in plain.get("Hyperparameters", "").splitlines():
        entry = re.fullmatch(r"(\w+): (.*)", line)
        if entry:
            name = entry[1]
            notes[name] = entry[2]
        elif name:
            notes[name] += " " + line.strip()
    return Page(title.rstrip("."), plain, notes)
