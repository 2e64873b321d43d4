"""Who takes part in ranks and tests: the strategies that have all seeds, on the benchmarks where several have them.

A strategy with fewer runs than the others (ten recorded searches beside a hundred seeds) would bring all ranks down to
the seeds that it has. So it is left out, and named; only where fewer than two strategies have all seeds do all take
part with what they have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

_Runs = Mapping[str, Mapping[str, Mapping[int, object]]]  # benchmark -> strategy -> seed -> anything


class Entrants(NamedTuple):
    """Who is ranked and tested, and on which benchmarks; both in the order of the study.

    ``left_out``: strategy -> what it lacks ("10 of 100 seeds on nasbench201/digits"). ``seeds`` is how many the
    fullest strategy has on the benchmark where it has most. ``uneven``: fewer than two strategies have all seeds, so
    that nobody is left out and ranks are over the seeds that all of them have.
    """

    strategies: tuple[str, ...]
    benchmarks: tuple[str, ...]
    left_out: dict[str, str]
    seeds: int
    uneven: bool


def entrants(runs: _Runs) -> Entrants:
    """The entrants of a study, or of one of its benchmarks; a strategy without a run on it counts as absent."""
    there = {name: {s: of[s] for s in of if of[s]} for name, of in runs.items()}
    everyone = tuple(dict.fromkeys(s for of in runs.values() for s in of))
    full = {name: list(_with_all_seeds(of)) for name, of in there.items()}
    several = tuple(name for name in there if len(full[name]) > 1)
    ranked = tuple(s for s in everyone if all(s in full[name] for name in several))
    if len(several) and len(ranked) > 1:
        left_out = {s: _lack(s, there, several, full) for s in everyone if s not in ranked}
        return Entrants(ranked, several, left_out, max(len(_seeds(there[name])) for name in several), False)
    shared = tuple(name for name, of in there.items() if of and len(of) == len(everyone))
    most = max((len(_seeds(of)) for of in there.values()), default=0)
    return Entrants(everyone, shared, {}, most, len(everyone) > 1 and not _even(there))


def _seeds(of: Mapping[str, Mapping[int, object]]) -> set[int]:
    return {seed for runs in of.values() for seed in runs}


def _with_all_seeds(of: Mapping[str, Mapping[int, object]]) -> Iterator[str]:
    every = _seeds(of)
    return (s for s, runs in of.items() if runs.keys() == every)


def _even(there: _Runs) -> bool:
    return all(runs.keys() == _seeds(of) for of in there.values() for runs in of.values())


def _lack(strategy: str, there: _Runs, several: tuple[str, ...], full: Mapping[str, list[str]]) -> str:
    """What a strategy lacks, on the first benchmark where it lacks something."""
    name = next(name for name in several if strategy not in full[name])
    count = len(there[name].get(strategy, {}))
    return f"{count or 'none'} of {len(_seeds(there[name]))} seeds on {name}"
