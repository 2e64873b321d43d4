"""The search space of a user's file, guessed: which columns are decisions, their options, what is missing."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nassim.tabular_data.own_space import MOST_DECISIONS, MOST_OPTIONS
from nassim.tabular_data.recipes.csv_head import Head, numbers_of, quoted
from nassim.tabular_data.recipes.csv_spec import text_of

_FIRST = ("none", "no", "off", "false", "zero", "zeroize", "skip", "skip_connect", "identity")  # of options
_SEPARATORS = ("-", "|", ",", ";", "/", ":", "_", " ")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Space(NamedTuple):
    """What was guessed of it.

    columns: those that it takes.
    archs: the architecture of each row, as its cells.
    text: the sections of the specification.
    """

    columns: set[str]
    archs: list[tuple[str, ...]]
    text: list[str]


def guess_space(head: Head, taken: set[str]) -> Space:
    """The space that the columns which are not taken make; `InvalidSetting`, in one line, where none is left."""
    decisions, column, separator = _decisions(head, taken)
    columns = [column] if column else list(decisions)
    archs = list(zip(*(head.table[name] for name in columns), strict=True))
    lines = [f"column = {quoted(column)}", f"separator = {quoted(separator)}"] if column else []
    possible, there = math.prod(map(len, decisions.values())), len(set(archs))
    if there < possible:
        lines.append('missing = "sample"  # or "refuse" to answer for the others')
        shown = f"the {possible:,}" if possible < 10**9 else "many more"
        head.note(f"{there:,} of {shown} possible architectures are in the file: the space is taken to be those.")
    section = ["\n".join(["[architectures]", *lines])] if lines else []
    return Space(set(columns), archs, [_decision_section(decisions, bool(column)), *section])


def _decisions(head: Head, taken: set[str]) -> tuple[dict[str, list[str]], str, str]:
    """The options of each decision by its column; if one column has all of them, that and its separator."""
    decisions: dict[str, list[str]] = {}
    for name, role in head.roles.items():
        count = len(head.different[name])
        if name in taken or role.kind:
            continue
        if count > MOST_OPTIONS or (count > 10 and 2 * count > len(head.table[name])):
            head.note(f"{name:.60} has {count:,} different values: no decision, left out.")
        elif count < 2:
            head.note(f"{name:.60} is always the same: no decision, left out.")
        elif len(decisions) < MOST_DECISIONS:
            decisions[name] = _ordered(head.different[name])
    decisions = {name: options for name, options in decisions.items() if len(options) > 1}
    words = [name for name in decisions if head.numbers[name] is None]
    if words:
        head.note(f"the order of the options, smallest first, is a guess: {', '.join(words):.200}.")
    if decisions:
        return decisions, "", ""
    for name, role in head.roles.items():
        if role.kind == "architecture":
            separator, options = _joined(head.different[name])
            if separator:
                head.note(f"{name:.60} is taken apart at {separator!r} into {len(options)} decisions.")
                return {f"choice{i + 1}": each for i, each in enumerate(options)}, name, separator
    raise head.error(f"no column looks like a decision of an architecture (2 to {MOST_OPTIONS} options each).")


def _decision_section(decisions: Mapping[str, list[str]], in_one_column: bool) -> str:
    lines, names = ["[decisions]  # the smallest option first"], set[str]()
    for column, options in decisions.items():
        name = re.sub(r"\W+", "_", column, flags=re.ASCII).strip("_")
        name = name if _NAME.fullmatch(name) and name not in names else f"decision{len(names) + 1}"
        names.add(name)
        listed = f"[{', '.join(map(_option, options))}]"
        as_it_is = name == column or in_one_column
        lines.append(f"{name} = {listed if as_it_is else f'{{ column = {quoted(column)}, options = {listed} }}'}")
    return "\n".join(lines)


def _ordered(options: Sequence[str]) -> list[str]:
    """Numbers by size; words by what usually is nothing, then by the numbers in them, then by the alphabet."""
    if numbers_of(options) is not None:
        return list(dict.fromkeys(text_of(number) for number in sorted(map(float, options))))
    found = [
        (word.lower() not in _FIRST, [int(n[:9]) for n in re.findall(r"\d+", word, re.ASCII)], word) for word in options
    ]
    return [word for _, _, word in sorted(found)]


def _joined(cells: Sequence[str]) -> tuple[str, list[list[str]]]:
    """The separator that takes all cells apart into the same number of parts, and the options of each part."""
    for separator in _SEPARATORS:
        parts = [cell.split(separator) for cell in cells]
        if len({len(each) for each in parts}) != 1 or not 2 <= len(parts[0]) <= MOST_DECISIONS:
            continue
        options = [list(dict.fromkeys(part.strip() for part in column)) for column in zip(*parts, strict=True)]
        if all(len(each) <= MOST_OPTIONS and all(each) for each in options):
            return separator, [_ordered(each) for each in options]
    return "", []


def _option(option: str) -> str:
    """A number as it is, if reading it gives the same text; everything else in quotes."""
    plain = re.fullmatch(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?", option)
    return option if plain and text_of(float(option)) == option else quoted(option)
