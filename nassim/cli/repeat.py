"""What an older study was made with, so that the same command can be given again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from nassim.registry import get_algorithm, get_benchmark
from nassim.strategy import Algorithm


class Repeated(NamedTuple):
    """The options of `nassim compare`; ``recorded`` has the hyperparameters of each strategy on each benchmark."""

    recorded: dict[str, dict[str, dict[str, object]]]
    benchmarks: list[str]
    budget: str
    seeds: int
    workers: int
    noise: str

    def strategies(self) -> list[Algorithm]:
        """The strategies of now with the settings that were not their defaults then."""
        return [_configured(name, on) for name, on in self.recorded.items()]


def repeated(folder: Path) -> Repeated:
    """Read them from the study in a folder (`MissingData` if there is none)."""
    from nassim.study import Study

    study = Study.open(folder)
    settings = study.settings
    study.close()
    return Repeated(
        settings["strategies"],
        list(settings["benchmarks"]),
        str(settings["budget"]),
        int(settings["seeds"]),
        int(settings["workers"]),
        str(settings["noise"]),
    )


def _configured(name: str, on: dict[str, dict[str, object]]) -> Algorithm:
    """A strategy with what was set by hand: that held on every benchmark, so one tells it."""
    algorithm = get_algorithm(name)
    for benchmark, recorded in on.items():
        default = algorithm.hyperparameters(get_benchmark(benchmark).space, benchmark)
        known = json.loads(json.dumps(default))
        return algorithm.configured(**{k: v for k, v in recorded.items() if k in known and known[k] != v})
    return algorithm
