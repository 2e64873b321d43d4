"""Studies to report on: one that was really run, and ones whose every run is written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from nassim.clock import Budget
from nassim.facts import Facts
from nassim.query import Query, Result, Trial
from nassim.registry import get_algorithm, get_space
from nassim.store import Store, pack
from nassim.study import FILE, Study, compare
from nassim.trace import Incumbent, Run
from nassim.version import __version__

SPACE = get_space("toy")


class HandRun(NamedTuple):
    """A run as a test writes it: incumbents are (seconds, queries, validation accuracy, test accuracy or None)."""

    strategy: str
    seed: int
    incumbents: Sequence[tuple[float, int, float, float | None]]
    benchmark: str = "toy/additive"
    trials: int = 20
    seconds: float = 1000.0
    mode: str = "black-box"
    stopped: str = "budget"


class Hand:
    """Writes studies by hand, each into a folder of its own below ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    run = HandRun

    def steady(self, strategy: str, seed: int, final: float, **more: object) -> HandRun:
        """A run that starts at 50 % and reaches its final accuracy at half time."""
        return HandRun(strategy, seed, [(50.0, 1, 0.5, None), (500.0, 10, final, None)], **more)  # type: ignore[arg-type]

    def facts(self, name: str = "toy/additive", best: float | None = 0.9, best_test: float | None = None) -> Facts:
        return Facts(name, 9, best, best_test, 90.0, True, "")

    def study(
        self,
        runs: Sequence[HandRun],
        *,
        about: Sequence[Facts] = (),
        folder: str = "study",
        budget: str = "20q",
        planned: int | None = None,
        **settings: object,
    ) -> Study:
        """A study whose runs are exactly these, of those planned."""
        benchmarks = {f.name: f._asdict() for f in about or (self.facts(),)}
        named = dict.fromkeys(run.strategy for run in runs) or {"random_search": None}
        store = Store.create(
            self.root / folder / FILE,
            {
                "nassim": __version__,
                "benchmarks": benchmarks,
                "strategies": {name: {benchmark: {} for benchmark in benchmarks} for name in named},
                "budget": budget,
                "seeds": max((run.seed for run in runs), default=0) + 1,
                "workers": 1,
                "noise": "draw",
                "one_shot": {},
                "left_out": {},
                "runs": len(runs) if planned is None else planned,
                "provenance": {"python": "3.11", "begun": "2026-01-01T00:00:00+00:00"},
                **settings,
            },
        )
        store.add([pack(i, _run(run, budget)) for i, run in enumerate(runs)])
        return Study(store)


def _run(run: HandRun, budget: str) -> Run:
    archs = [SPACE.at((7 * run.seed + i) % SPACE.size) for i in range(max(run.trials, len(run.incumbents)))]
    each = run.seconds / max(1, run.trials)
    return Run(
        benchmark=run.benchmark,
        strategy=run.strategy,
        hyperparameters={},
        seed=run.seed,
        budget=Budget.parse(budget),
        workers=1,
        noise="draw",
        sha256="",
        mode=run.mode,
        trials=[
            Trial(Query(arch), Result(0.5, 9, each, {}), i * each, (i + 1) * each, 0)
            for i, arch in enumerate(archs[: run.trials])
        ],
        incumbents=[
            Incumbent(at, queries, 9 * queries, archs[i], valid, valid, float("nan") if test is None else test)
            for i, (at, queries, valid, test) in enumerate(run.incumbents)
        ],
        seconds=run.seconds,
        worker_seconds=run.seconds,
        epochs=9 * run.trials,
        stopped=run.stopped,
    )


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study of three strategies on both toy benchmarks, with its tables and report."""
    from nassim.report.write import write_report
    from nassim.summary import summary_rows, write_csv

    folder = tmp_path_factory.mktemp("real")
    small = get_algorithm("re").configured(population_size=5, sample_size=2)
    study = compare(
        ["random_search", small, "local_search"], ["toy/additive", "toy/deceptive"], "25q", seeds=8, out=folder
    )
    write_csv(folder / "summary.csv", summary_rows(study))
    write_report(study, folder, figures=False)
    study.close()
    return folder


@pytest.fixture
def hand(tmp_path: Path) -> Hand:
    """Writes studies by hand."""
    return Hand(tmp_path)
