"""Studies of the first format: read, reported, and never written."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from nassim.cli.main import main
from nassim.errors import CorruptData, InvalidSetting
from nassim.report.follow import Follower
from nassim.study import FILE, Study, compare
from nassim.summary import export_tables, summary_rows

ASSETS = Path(__file__).parent / "assets"


@pytest.fixture(params=["nasbench201", "toy"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    shutil.copy(ASSETS / f"format1-{request.param}.db", tmp_path / FILE)
    return tmp_path


def test_it_gives_its_runs_trials_and_summary(old: Path) -> None:
    study = Study.open(old)
    assert study.complete and {run.clock for run in study.runs} == {"simulated"}
    assert study.algorithms == {name: name for name in study.strategies}
    trials = list(study.trials())
    assert len(trials) == sum(run.trials for run in study.runs)
    first = next(t for t in trials if t.number == 0)
    curve = study.of(first.benchmark, first.strategy)[0].curve
    assert (first.row.architecture, first.row.value) == (curve[0].architecture, curve[0].observed)
    assert first.row.asked_epochs is None and first.row.paid == first.row.epochs
    assert all(row["seeds"] in (3, 4) for row in summary_rows(study))
    assert len(export_tables(study)["trials"]) == len(trials)
    follower = Follower(old)
    assert follower.refresh() and follower.done == len(study.runs)
    study.close()


def test_the_same_searches_are_found_again() -> None:
    """Numbers of then: what this version runs under the old settings ends where the old study ended."""
    old = Study(_store("toy"))
    new = compare(["ls"], ["toy/additive"], "30q", seeds=4, workers=1)
    rs_old = [run for run in old.runs if run.strategy == "random_search"]
    rs_new = compare(["rs"], ["toy/additive"], "30q", seeds=4, workers=3).runs
    assert [run.curve[-1][:4] for run in rs_old] == [run.curve[-1][:4] for run in rs_new]
    assert new.complete


def _store(name: str):  # type: ignore[no-untyped-def]
    from nassim.store import Store

    return Store.open(ASSETS / f"format1-{name}.db")


@pytest.mark.slow
def test_the_report_can_be_made(old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = hashlib.sha256((old / FILE).read_bytes()).hexdigest()
    for arguments in (["report", str(old)], ["plot", str(old)], ["export", str(old)]):
        with pytest.raises(SystemExit) as left:
            main(arguments)
        assert left.value.code == 0, capsys.readouterr()
    assert (old / "report.html").stat().st_size > 100_000
    assert hashlib.sha256((old / FILE).read_bytes()).hexdigest() == before


def test_it_is_not_continued(tmp_path: Path) -> None:
    shutil.copy(ASSETS / "format1-toy.db", tmp_path / FILE)
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(InvalidSetting, match=r"earlier nassim .format 1.*read, not continued"):
        compare(["re", "ls"], ["toy/additive"], "30q", seeds=4, workers=3, out=tmp_path)
    assert (tmp_path / FILE).read_bytes() == before


def test_an_altered_one_is_refused(tmp_path: Path) -> None:
    import sqlite3

    shutil.copy(ASSETS / "format1-toy.db", tmp_path / FILE)
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("UPDATE trials SET valid_accuracy = 0.99 WHERE run = 4 AND number = 0")
    with pytest.raises(CorruptData, match=r"run 4 .* was altered"):
        Study.open(tmp_path)
