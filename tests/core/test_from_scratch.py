"""A query that wants to inherit where there are no weights is a training from scratch, and the run says so."""

from __future__ import annotations

import inspect
import random
from pathlib import Path

import pytest

import nassim
from nassim import Search, SearchSpace, evaluate, strategy
from nassim.cautions import of_run, of_study
from nassim.cli.main import main
from nassim.plots import anytime_figure
from nassim.study import compare
from nassim.trace import FROM_SCRATCH


@strategy(family="test", year=2020)
def heirs(space: SearchSpace, rng: random.Random) -> Search:
    """Every training begins with the weights of the one before."""
    trial = yield from evaluate(space.sample(rng))
    while True:
        trial = yield from evaluate(space.mutate(trial.arch, rng), origin=trial, inherit="morph")


@strategy(family="test", year=2020)
def orphans(space: SearchSpace, rng: random.Random) -> Search:
    """The same trainings, and none wants weights."""
    trial = yield from evaluate(space.sample(rng))
    while True:
        trial = yield from evaluate(space.mutate(trial.arch, rng))


@pytest.mark.parametrize("benchmark", ["toy/additive", "nasbench201/digits"])
def test_a_table_answers_as_from_scratch_and_the_run_says_so(benchmark: str) -> None:
    run, plain = (nassim.run(chosen, benchmark, "9q", seed=2) for chosen in (heirs, orphans))
    assert run.mode == FROM_SCRATCH and plain.mode == "black-box"
    assert [t.result for t in run.trials] == [t.result for t in plain.trials] and run.seconds == plain.seconds
    assert [t.query.inherit for t in run.trials] == ["", *["morph"] * 8]  # what was wanted stays in the record
    assert run.restarted == 0 and f"({FROM_SCRATCH})" in repr(run)
    assert {i.source for i in run.incumbents} == {"mean"}
    (caution,) = of_run(run)
    assert caution.kind == FROM_SCRATCH and "all were made, and paid, from scratch" in caution.text


def test_epochs_are_paid_in_full() -> None:
    run = nassim.run(heirs, "toy/additive", "30ep")
    assert run.epochs == 27 and [t.result.paid for t in run.trials] == [9, 9, 9]


def test_the_word_stands_in_studies_figures_and_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    study = compare([heirs, orphans], ["toy/additive"], "9q", seeds=2, out=tmp_path / "study")
    assert {run.strategy: run.mode for run in study.runs} == {
        "heirs": FROM_SCRATCH,
        "orphans": "black-box",
        "random_search": "black-box",
    }
    assert FROM_SCRATCH in {caution.kind for caution in of_study(study)}
    labels = [text.get_text() for text in anytime_figure(study, "toy/additive").axes[0].get_legend().get_texts()]
    assert any("heirs" in label and FROM_SCRATCH in label for label in labels)
    source = inspect.getsource(heirs.function)
    head = "import random\nfrom nassim import Search, SearchSpace, evaluate, strategy\n\n\n"
    (tmp_path / "heirs.py").write_text(head + source, "utf-8")
    capsys.readouterr()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["run", "heirs.py", "toy/additive", "--budget", "9q"])
    assert not ended.value.code
    printed = " ".join(capsys.readouterr().out.split())
    assert "toy/additive wanted to begin trainings with the weights of others" in printed and FROM_SCRATCH in printed


@pytest.mark.slow
def test_compare_says_from_scratch_of_the_strategies_that_inherit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--benchmark", "nasbench201/digits", "--budget", "12q", "--seeds", "2", "--jobs", "1"]
    with pytest.raises(SystemExit) as ended:
        main(["compare", "--algos", "rs,nash,lemonade,autokeras", *options, "--out", str(tmp_path / "out")])
    assert not ended.value.code
    printed = capsys.readouterr().out
    for name in ("nash", "lemonade", "autokeras"):
        assert f"{name} (from scratch)" in printed
    assert "random_search (from scratch)" not in printed
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert '"nash":"from scratch"' in page and FROM_SCRATCH in page
