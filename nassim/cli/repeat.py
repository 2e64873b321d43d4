"""What an older study was made with, so that the same command can be given again."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from nassim.clock import Budget
from nassim.errors import InvalidSetting
from nassim.outlook import horizon
from nassim.registry import get_algorithm, get_benchmark
from nassim.strategy import Algorithm


class Repeated(NamedTuple):
    """The options of `nassim compare`; ``recorded`` has the hyperparameters of each strategy on each benchmark."""

    recorded: dict[str, dict[str, dict[str, object]]]
    benchmarks: list[str]
    budget: str
    seeds: int | str
    workers: int
    noise: str
    files: dict[str, dict[str, str]]

    def strategies(self) -> list[Algorithm]:
        """The strategies of now with the settings that were not their defaults then."""
        for name in self.recorded:
            self.refuse_file(name, "--algos")
        for name in self.benchmarks:  # what was the default on a benchmark is not known without it
            self.refuse_file(name, "--benchmark, and name the strategies with --algos")
        return [self._configured(name, on) for name, on in self.recorded.items()]

    def _configured(self, name: str, on: dict[str, dict[str, object]]) -> Algorithm:
        """A strategy with what was set by hand: that held on every benchmark, so one tells it."""
        algorithm = get_algorithm(name)
        for identifier, recorded in on.items():
            benchmark = get_benchmark(identifier)
            space, plan = benchmark.space, horizon(Budget.parse(self.budget), benchmark, self.workers)
            return algorithm.configured(**algorithm.set_by_hand(recorded, space, identifier, plan))
        return algorithm

    def refuse_file(self, name: str, option: str) -> None:
        """A study says that something was in a file, not where: that its user has to say."""
        if name in self.files:
            file = self.files[name].get("file", "")
            raise InvalidSetting(
                f"{name:.80} of that study was in the file {file:.80}: say where it is, with {option}."
            )


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
        settings.get("seed_ranges") or int(settings["seeds"]),
        int(settings["workers"]),
        str(settings["noise"]),
        settings["files"],
    )
