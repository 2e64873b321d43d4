"""Studies that several machines made with the same settings and other seeds, as one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from nassim.differences import differences, told
from nassim.errors import InvalidSetting
from nassim.seeds import parse_seeds, seeds_text
from nassim.store import Store, renumbered
from nassim.study import FILE, Study

# What may differ between the parts: which seeds, and what was measured when each began.
_OF_A_PART = ("seeds", "seed_ranges", "runs", "provenance", "one_shot")
_MEASURED = ("typical_seconds",)
AT_ONCE = 500  # runs that are written together


def merge(folders: Sequence[str | Path], out: str | Path) -> Study:
    """The study of all runs of these folders, written to another: the one that a single command had made.

    Its runs lie in the order of the grid. `InvalidSetting` if the settings of two differ, if they share a seed, if one
    is not complete, or if there is a study in ``out``. What was measured when a study began (the typical cost of real
    trainings) is that of the first.
    """
    places = [Path(folder) for folder in folders]
    target = Path(out) / FILE
    if len(places) < 2:
        raise InvalidSetting("merge takes two studies or more: nassim merge A B --out C.")
    if target.exists():
        raise InvalidSetting(f"{out} holds a study already: choose another --out.")
    with ExitStack() as stack:
        parts = [stack.enter_context(closing(Store.open(place / FILE))) for place in places]
        settings = [part.settings for part in parts]
        for place, part, of in zip(places, parts, settings, strict=True):
            _refuse_others(places[0], settings[0], place, of)
            done, asked = len(part.finished()), int(of["runs"])
            if done < asked:
                raise InvalidSetting(
                    f"{place} has {done} of {asked} runs: repeat the command that made it, then merge."
                )
        seeds = _together(places, settings)
        grid = {pair: k for k, pair in enumerate(_pairs(settings[0]))}
        ends = sorted(
            (grid.get((benchmark, strategy), len(grid)), seed, k, number)
            for k, part in enumerate(parts)
            for number, benchmark, strategy, seed in part.places()
        )
        merged = {**settings[0], "seeds": len(seeds), "runs": len(ends), "provenance": _provenance(settings)}
        merged.pop("seed_ranges", None)
        if text := seeds_text(seeds):
            merged["seed_ranges"] = text
        store = Store.create(target, merged)
        try:
            numbered = enumerate(ends)
            while rows := list(itertools.islice(numbered, AT_ONCE)):
                store.add([renumbered(parts[k].run(number), place) for place, (_, _, k, number) in rows])
        except BaseException:
            store.close()
            target.unlink(missing_ok=True)
            raise
        return Study(store)


def _refuse_others(first: Path, of_first: dict[str, Any], place: Path, settings: dict[str, Any]) -> None:
    found = differences(_compared(of_first), _compared(settings))
    if found:
        raise InvalidSetting(f"{first} and {place} were made with other settings: {told(found)}. They are not pooled.")


def _compared(settings: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in settings.items() if key not in _OF_A_PART}
    facts = settings["benchmarks"].items()
    kept["benchmarks"] = {name: {key: value for key, value in of.items() if key not in _MEASURED} for name, of in facts}
    return kept


def _together(places: Sequence[Path], settings: Sequence[dict[str, Any]]) -> list[int]:
    owner: dict[int, Path] = {}
    for place, of in zip(places, settings, strict=True):
        for seed in parse_seeds(of.get("seed_ranges") or int(of["seeds"])):
            if seed in owner:
                raise InvalidSetting(f"{owner[seed]} and {place} both have seed {seed}: merge takes disjoint seeds.")
            owner[seed] = place
    return sorted(owner)


def _pairs(settings: dict[str, Any]) -> list[tuple[str, str]]:
    """(benchmark, strategy) in the order of a grid."""
    return [
        (name, label) for name in settings["benchmarks"] for label, on in settings["strategies"].items() if name in on
    ]


def _provenance(settings: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Where the first was begun, and what of the others differs."""
    first: dict[str, str] = dict(settings[0].get("provenance", {}))
    for k, of in enumerate(settings[1:], start=2):
        for key, value in of.get("provenance", {}).items():
            if value != first.get(key):
                first[f"{key} of part {k}"] = value
    return first
