"""Strategies without end, and what the command line says of strategies that misbehave."""

from __future__ import annotations

import itertools
import math
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nassim
from nassim import Query, Search, SearchSpace, evaluate, strategy
from nassim.errors import InvalidSetting, ProtocolError
from nassim.strategy import report

TOY = nassim.get_benchmark("toy/additive")
REGISTER = strategy(family="test", year=2020)


def refusal(function: Callable[..., Any], budget: str = "9q", **options: Any) -> str:
    """The one line that a strategy without end ends with."""
    with pytest.raises(ProtocolError) as caught:
        nassim.run(REGISTER(function), TOY, budget, **options)
    line = str(caught.value)
    assert "\n" not in line
    assert function.__name__ in line
    return line


# -- without end ------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("cost", [0.0, 1e-300])
def test_reports_that_cost_nothing_end(cost: float) -> None:
    def talker(space: SearchSpace, rng: random.Random) -> Search:
        while True:
            yield from report(space.at(0), cost)

    for budget in ("9q", "10d", "1s"):
        assert "10,000" in refusal(talker, budget)


@pytest.mark.slow
def test_reports_under_a_budget_that_they_do_not_spend_end() -> None:
    def talker(space: SearchSpace, rng: random.Random) -> Search:
        while True:
            yield from report(space.at(0), 1.0)

    assert "100,000" in refusal(talker)


@pytest.mark.slow
def test_many_reports_between_trainings_are_allowed() -> None:
    def honest(space: SearchSpace, rng: random.Random) -> Search:
        for number in range(9_000):
            yield from report(space.at(0), 0.0)
            if number % 4_000 == 0:
                yield from evaluate(space.at(1))

    assert len(nassim.run(REGISTER(honest), TOY, "9q").trials) == 3


def silent(space: SearchSpace, rng: random.Random) -> Search:
    yield from evaluate(space.at(0))
    for number in itertools.count():
        assert number >= 0


def swallowing(space: SearchSpace, rng: random.Random) -> Search:
    yield from evaluate(space.at(0))
    while True:
        try:
            space.sample(rng)
        except Exception:  # noqa: BLE001
            continue


def sleeping(space: SearchSpace, rng: random.Random) -> Search:
    yield from evaluate(space.at(0))
    for _ in range(400):
        time.sleep(0.1)


def never(space: SearchSpace, rng: random.Random) -> Any:
    while True:
        space.sample(rng)


@pytest.mark.parametrize("endless", [silent, swallowing, sleeping, never])
@pytest.mark.parametrize("main_thread", [True, False])
def test_a_strategy_that_says_nothing_is_ended_by_patience(endless: Callable[..., Any], main_thread: bool) -> None:
    before = time.monotonic()
    if main_thread:
        lines = [refusal(endless, patience=0.2)]
    else:
        lines = []
        thread = threading.Thread(target=lambda: lines.append(refusal(endless, patience=0.2)))
        thread.start()
        thread.join(20)
    assert "0.2 s" in lines[0]
    assert "--patience" in lines[0]
    assert time.monotonic() - before < 20


@pytest.mark.slow
def test_patience_counts_thinking_alone_and_each_message_begins_anew() -> None:
    class Slow(type(TOY)):  # type: ignore[misc]
        def query(self, query: Query, rng: random.Random) -> Any:
            time.sleep(0.4)
            return super().query(query, rng)

    slow = object.__new__(Slow)
    slow.__dict__.update(TOY.__dict__)

    def thinking(space: SearchSpace, rng: random.Random) -> Search:
        for _ in range(5):
            time.sleep(0.1)
            yield from evaluate(space.at(0))

    assert len(nassim.run(REGISTER(thinking), slow, "3q", patience=0.3).trials) == 3
    assert len(nassim.run(REGISTER(thinking), TOY, "5q", patience=0.3).trials) == 5


def test_patience_leaves_signals_as_they_were() -> None:
    def handler(*_: object) -> None:
        raise AssertionError("the alarm of somebody else rang")

    old = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 60)
        assert "0.2 s" in refusal(silent, patience=0.2)  # by other means, as the alarm is taken
        assert signal.getsignal(signal.SIGALRM) is handler
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 60
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    before = signal.getsignal(signal.SIGALRM)
    nassim.run("random_search", TOY, "9q", patience=5)
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@pytest.mark.parametrize("patience", [0.0, -1.0, math.nan])
def test_impossible_patience_is_refused(patience: float) -> None:
    with pytest.raises(InvalidSetting, match="patience"):
        nassim.run("random_search", TOY, "9q", patience=patience)


def test_patience_does_not_change_a_run() -> None:
    runs = [nassim.run("re", TOY, "40q", patience=patience) for patience in (None, 0.5, math.inf)]
    assert runs[0] == runs[1] == runs[2]


# -- on the command line ----------------------------------------------------------------------------


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with strategies that misbehave, beside the installed ones."""
    (tmp_path / "odd_ones.py").write_text(
        "import sys\nfrom nassim.strategy import evaluate, strategy\n\n\n"
        "@strategy(family='test', year=2020)\ndef broken(space, rng):\n"
        "    for number in range(9):\n        yield from evaluate(space.at(0))\n    1 / 0\n\n\n"
        "@strategy(family='test', year=2020)\ndef asleep(space, rng):\n"
        "    yield from evaluate(space.at(0))\n    while True:\n        pass\n\n\n"
        "@strategy(family='test', year=2020)\ndef leaver(space, rng):\n"
        "    yield from evaluate(space.at(0))\n    sys.exit()\n",
        encoding="utf-8",
    )
    info = tmp_path / "odd_ones-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd-ones\nVersion: 1\n", encoding="utf-8")
    points = "".join(f"{name} = odd_ones\n" for name in ("broken", "asleep", "leaver"))
    (info / "entry_points.txt").write_text(f"[nassim.algorithms]\n{points}", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


def nassim_command(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nassim.cli.main", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=cwd)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "broken", "toy/additive"), "broken failed in odd_ones.py, line 9: ZeroDivisionError"),
        (("run", "asleep", "toy/additive", "--patience", "0.3"), "asleep has said nothing for 0.3 s"),
        (("run", "leaver", "toy/additive"), "leaver called sys.exit"),
        *(
            (
                (
                    *("compare", "--algos", f"{name},ls", "--benchmark", "toy/additive", "--budget", "30q"),
                    *("--seeds", "4", "--jobs", jobs, "--patience", "0.3", "--out", f"study-{jobs}"),
                ),
                said,
            )
            for jobs in ("1", "2")
            for name, said in (
                ("broken", "broken failed in odd_ones.py, line 9: ZeroDivisionError"),
                ("asleep", "asleep has said nothing for 0.3 s"),
                ("leaver", "leaver called sys.exit"),
            )
        ),
    ],
)
def test_one_line_on_the_command_line(installed: Path, arguments: tuple[str, ...], said: str) -> None:
    done = nassim_command(*arguments, cwd=installed)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
