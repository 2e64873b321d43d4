"""What a comparison cost in processor time, by strategy: measured a run, printed, and no part of the study."""

from __future__ import annotations

import json
import random
from pathlib import Path
from time import process_time

import pytest

from nassim import Search, SearchSpace, compare, evaluate, strategy
from nassim.cli.main import main
from nassim.study import Study


@strategy(family="test", year=2026)
def thinker(space: SearchSpace, rng: random.Random) -> Search:
    """Works 20 milliseconds before each training."""
    while True:
        end = process_time() + 0.02
        while process_time() < end:
            pass
        yield from evaluate(space.sample(rng))


@pytest.mark.slow
def test_cpu_seconds_are_of_each_run_by_strategy(tmp_path: Path) -> None:
    study = compare(thinker, ["toy/additive", "toy/deceptive"], "5q", seeds=2, out=tmp_path / "study")
    assert list(study.cpu_seconds) == ["random_search", "thinker"]
    assert [len(each) for each in study.cpu_seconds.values()] == [4, 4]  # two benchmarks, two seeds
    assert all(each >= 0.1 for each in study.cpu_seconds["thinker"])
    assert max(study.cpu_seconds["random_search"]) < min(study.cpu_seconds["thinker"])
    study.close()
    opened = Study.open(tmp_path / "study")
    assert opened.cpu_seconds == {}
    opened.close()


@pytest.mark.slow
def test_compare_prints_it_and_a_study_that_was_there_costs_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    typed = ["compare", "--algos", "re", "--benchmark", "toy/additive", "--budget", "9q", "--seeds", "3", "--no-report"]
    typed += ["--jobs", "1", "--out", str(tmp_path / "study")]

    def printed(*more: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main([*typed, *more])
        assert not ended.value.code
        return capsys.readouterr().out

    words = " ".join(printed().split())
    said = words[words.index("CPU seconds a run: random_search ") :]
    assert "regularized_evolution " in said and "; 6 runs in " in said
    assert "CPU seconds" not in printed(), "nothing was run"
    assert json.loads(printed("--json"))["cpu_seconds"] == {}
