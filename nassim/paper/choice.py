"""What is drawn for a paper: how wide, which strategies, and what they are called there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from nassim.errors import InvalidSetting, NassimError
from nassim.names import spelled, unknown
from nassim.registry import get_algorithm
from nassim.study import Study
from nassim.variants import split_names

WIDTH = "3.3in"  # a column of most two-column papers
NARROWEST, WIDEST = 2.0, 12.0  # inches
MOST = 8  # strategies that lines and marks tell apart without color
LONGEST = 60  # characters of a name
PARTS_OF_INCH = {"in": 1.0, "cm": 2.54, "mm": 25.4, "pt": 72.27}  # pt is TeX's, as \the\columnwidth prints it


class Choice(NamedTuple):
    """What is drawn: the width in inches, and for each strategy, in the order of the figures, its name in print."""

    width: float
    names: Mapping[str, str]


def choose(study: Study, *, width: str = WIDTH, algos: str = "", names: Sequence[str] = ()) -> Choice:
    """A choice as it is typed: ``3.3in``, ``re,bo`` (empty: all of the study), ``re=Regularized evolution``.

    `InvalidSetting` for a width that cannot be printed, a strategy that the study has not, and names that would be
    mixed up or cannot be drawn.
    """
    inches = inches_of(width)
    wanted = list(dict.fromkeys(strategy_of(study, name) for name in split_names(algos))) or study.strategies
    if len(wanted) > MOST:
        raise InvalidSetting(
            f"this would draw {len(wanted)} strategies, and without color {MOST} can be told apart: "
            "choose with --algos, for example --algos " + ",".join(wanted[:3]) + "."
        )
    found = {strategy: strategy for strategy in wanted}
    for text in names:
        for strategy, name in _pairs(study, text):
            if strategy not in found:
                raise InvalidSetting(f"--names {strategy}={name}: {strategy} is not among --algos {algos}.")
            found[strategy] = name
    twice = [name for name in found.values() if list(found.values()).count(name) > 1]
    if twice:
        raise InvalidSetting(f"--names: two strategies would be called {twice[0]!r}.")
    return Choice(inches, found)


def inches_of(width: str) -> float:
    """A width in inches, from ``3.3in``, ``84mm``, ``8.4cm`` or ``240pt`` (TeX's points)."""
    typed = re.fullmatch(r"\s*(\d{1,6}(?:\.\d{0,6})?)\s*(in|cm|mm|pt)\s*", width, re.ASCII)
    if typed is None:
        raise InvalidSetting(f"--width {width!r:.40} is not a width: write 3.3in, 84mm, 8.4cm or 240pt.")
    inches = float(typed[1]) / PARTS_OF_INCH[typed[2]]
    if not NARROWEST <= inches <= WIDEST:
        raise InvalidSetting(f"--width {width.strip()}: figures are from {NARROWEST:g}in to {WIDEST:g}in wide.")
    return inches


def strategy_of(study: Study, typed: str) -> str:
    """The strategy of a study that was typed, by its label or an alias of its algorithm."""
    label = spelled(typed.strip(), study.strategies)
    if label is not None:
        return label
    name, bracket, settings = typed.strip().partition("[")
    try:
        algorithm = get_algorithm(name).name
    except NassimError:
        algorithm = name
    label = spelled(algorithm + bracket + settings, study.strategies)
    if label is None:
        raise InvalidSetting(unknown("strategy of this study", typed, study.strategies))
    return label


def _pairs(study: Study, text: str) -> list[tuple[str, str]]:
    """``a=A,b=B`` as (strategy, name); what follows a comma and has no ``=`` belongs to the name before it."""
    typed: list[str] = []
    for piece in split_names(text):
        if typed and "=" not in re.sub(r"\[[^\]]*\]", "", piece):
            typed[-1] += f", {piece}"
        else:
            typed.append(piece)
    if not typed:
        raise InvalidSetting("--names is empty: write 're=Regularized evolution'.")
    return [_pair(study, piece) for piece in typed]


def _pair(study: Study, text: str) -> tuple[str, str]:
    parted = re.fullmatch(r"([^=\[]*(?:\[[^\]]*\])?)=(.*)", text, re.DOTALL)
    strategy, name = (parted[1].strip(), " ".join(parted[2].split())) if parted else ("", "")
    if not strategy or not name:
        raise InvalidSetting(f"--names {text!r:.80}: write STRATEGY=NAME, for example 're=Regularized evolution'.")
    if len(name) > LONGEST:
        raise InvalidSetting(f"--names {text!r:.80}: a name has at most {LONGEST} characters, not {len(name)}.")
    return strategy_of(study, strategy), name
