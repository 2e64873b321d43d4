"""Benchmarks in files of a user's own, beside strategies in such files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import nassim

pytestmark = pytest.mark.usefixtures("undrawn")

Outcome = Callable[..., tuple[int, str, str]]

MINE = '''"""Climbs."""

from nassim import evaluate, strategy


@strategy(family="example", year=2026)
def climber(space, rng, *, mutations: int = 1):
    best = yield from evaluate(space.sample(rng))
    while True:
        best = max(best, (yield from evaluate(space.mutate(best.arch, rng))), key=lambda trial: trial.value)
'''
RINGS = '''"""Rings: how many of four switches are on. Synthetic."""

from nassim.benchmark import About, Benchmark
from nassim.query import Result
from nassim.space import Architecture, Decision, SearchSpace

TASKS = ("small", "large")
SPACE = SearchSpace("rings", [Decision(f"switch{i}", ("off", "on")) for i in range(4)])


class Rings(Benchmark):
    space = SPACE
    epochs = 2
    fidelities = (2,)

    def __init__(self, task, noise):
        self.name, self.noise = f"rings/{task}", noise
        splits = {"valid_accuracy": "made up"}
        self.about = About("rings", "none", "computed", "MIT", "none", splits, synthetic=True)

    def query(self, query, rng):
        return Result(self.mean_accuracy(query.arch), self.epochs_of(query), cost=60.0, extras={})

    def mean_accuracy(self, arch, metric="valid_accuracy"):
        return 0.5 + 0.1 * sum(arch.choices)

    def optimum(self, metric="valid_accuracy"):
        return 0.9


def load(task, noise):
    return Rings(task, noise)
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(MINE, encoding="utf-8")
    (tmp_path / "rings.py").write_text(RINGS, encoding="utf-8")
    return tmp_path


@pytest.mark.slow
def test_a_benchmark_in_a_file(
    outcome: Outcome, one_line: Callable[..., str], small: Callable[..., list[str]], folder: Path
) -> None:
    for jobs in ("1", "2"):
        code, out, err = outcome(*small("mine.py,re", "--out", f"study{jobs}", benchmark="rings.py/small", jobs=jobs))
        assert code == 0, err
        assert "rings/small" in out
    assert outcome("run", "mine.py", "rings.py/large", "--budget", "9q")[0] == 0
    assert "rings/small" in outcome("show", "rings.py/small")[1]
    assert "small, large" in one_line("run", "re", "rings.py", "--budget", "9q")
    assert "Did you mean small?" in one_line("run", "re", "rings.py/smal", "--budget", "9q")
    assert "mine.py is no benchmark" in one_line("run", "re", "mine.py/small", "--budget", "9q")
    command = small("mine.py,re", "--out", "study1", benchmark="rings.py/small")
    (folder / "rings.py").write_text(RINGS + "# another line\n", encoding="utf-8")
    assert "rings.py" in one_line(*command)
    (folder / "rings.py").write_text(RINGS.replace("rings/{task}", "toy/additive"), encoding="utf-8")
    assert "toy/additive" in one_line("run", "re", "rings.py/small", "--budget", "9q")


def test_python_takes_one_too(folder: Path) -> None:
    assert nassim.run("re", "rings.py/small", "9q").benchmark == "rings/small"


def test_what_changed_since_a_study_with_files_asks_where_they_are(
    outcome: Outcome, one_line: Callable[..., str], small: Callable[..., list[str]], folder: Path
) -> None:
    assert outcome(*small("mine.py", "--out", "old", benchmark="rings.py/small"))[0] == 0
    since = ["compare", "--against", "old", "--jobs", "1", "--no-report", "--out", "new"]
    assert "--benchmark" in (line := one_line(*since)) and "rings.py" in line
    assert "--algos" in (line := one_line(*since, "--benchmark", "rings.py/small")) and "mine.py" in line
    code, _, err = outcome(*since, "--benchmark", "rings.py/small", "--algos", "mine.py,rs")
    assert code in (0, 1) and not err.startswith("error"), err
