"""compare: the same results however it is run, and nothing lost however it ends."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nassim.clock import Budget
from nassim.errors import CorruptData, InvalidSetting, MissingData, OutputFailed, UnknownName
from nassim.registry import get_algorithm, get_benchmark
from nassim.run import run
from nassim.store import RunEnd
from nassim.study import FILE, Study, compare
from nassim.summary import accuracy, curve_rows, export_tables, summary_rows, write_csv

TOYS = ["toy/additive", "toy/deceptive"]


def rows(study: Study) -> tuple[object, ...]:
    return export_tables(study), summary_rows(study), curve_rows(study)


@pytest.mark.slow
def test_results_do_not_depend_on_the_number_of_processes(tmp_path: Path) -> None:
    found = [
        rows(compare(["re", "ls"], TOYS, "25q", seeds=4, workers=3, jobs=jobs, out=tmp_path / str(jobs)))
        for jobs in (1, 2, 3)
    ]
    assert found[0] == found[1] == found[2]


def test_a_run_of_a_study_is_the_run_of_its_seed() -> None:
    study = compare(["re"], ["toy/additive"], "300s", seeds=3, workers=2, noise="repeat=2")
    alone = run("re", get_benchmark("toy/additive", "repeat=2"), Budget(seconds=300), seed=2, workers=2)
    stored = study.of("toy/additive", "regularized_evolution")[2]
    assert stored.seed == 2
    assert [(p.seconds, p.architecture, p.valid) for p in stored.curve] == [
        (x.seconds, str(x.arch), x.valid) for x in alone.incumbents
    ]
    assert stored.seconds == alone.seconds
    assert stored.trials == len(alone.trials)


def test_random_search_is_always_in_and_only_once() -> None:
    assert compare(["re"], ["toy/additive"], "5q", seeds=1).strategies == ["random_search", "regularized_evolution"]
    assert compare(["re", "rs"], ["toy/additive"], "5q", seeds=1).strategies == [
        "regularized_evolution",
        "random_search",
    ]


def test_summary_by_hand() -> None:
    study = compare(["rs"], ["toy/additive"], "20q", seeds=5)
    benchmark = get_benchmark("toy/additive")
    [row] = summary_rows(study)
    finals = [benchmark.mean_accuracy(benchmark.space.parse(r.curve[-1].architecture)) for r in study.runs]
    best = max(benchmark.mean_accuracy(arch) for arch in benchmark.space.architectures())
    assert row["final_valid_accuracy_mean_percent"] == pytest.approx(100 * sum(finals) / 5)
    assert row["final_valid_regret_mean_pp"] == pytest.approx(100 * (best - sum(finals) / 5))
    assert row["final_test_accuracy_mean_percent"] == pytest.approx(100 * sum(finals) / 5 - 1)  # the toy's test split
    assert row["seeds"] == 5
    assert row["queries_mean"] == 20
    assert accuracy(study.runs[0].curve[-1], "test") == pytest.approx(finals[0] - 0.01)


def test_an_interrupted_study_continues(tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop_at_seven(done: int, total: int) -> None:
        assert total == 20
        if done == 7:
            raise Stop

    arguments = (["re"], ["toy/additive"], "20q")
    with pytest.raises(Stop):
        compare(*arguments, seeds=10, out=tmp_path / "a", progress=stop_at_seven)
    with sqlite3.connect(tmp_path / "a" / FILE) as db:
        assert db.execute("SELECT count(*) FROM runs").fetchone()[0] == 7
    assert not Study.open(tmp_path / "a").complete
    steps: list[int] = []
    study = compare(*arguments, seeds=10, out=tmp_path / "a", progress=lambda done, _: steps.append(done))
    assert steps == list(range(7, 21))  # seven were not run again
    assert study.complete
    assert rows(study) == rows(compare(*arguments, seeds=10, out=tmp_path / "b"))


COMMAND = [sys.executable, "-m", "nassim.cli.main", "compare", "--algos", "re,ls", "--benchmark", "toy/additive"]
COMMAND += ["--budget", "400q", "--seeds", "40", "--jobs", "2"]


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_command_continues(tmp_path: Path, how: signal.Signals) -> None:
    command = [*COMMAND, "--out", str(tmp_path / "study")]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background job ignores it
    )
    stored = 0
    database = tmp_path / "study" / FILE
    deadline = time.monotonic() + 60
    while stored < 5 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
        if database.exists():
            with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
                try:
                    stored = db.execute("SELECT count(*) FROM runs").fetchone()[0]
                except sqlite3.OperationalError:
                    continue
    assert process.poll() is None, process.communicate()
    os.killpg(process.pid, how)  # the whole group, as a terminal's Ctrl-C
    _, errors = process.communicate(timeout=300)
    if how is signal.SIGINT:
        assert process.returncode == 130
        assert "The same command continues" in errors
        assert "Traceback" not in errors
    with sqlite3.connect(database) as db:
        kept = db.execute("SELECT count(*) FROM runs").fetchone()[0]
    assert stored <= kept < 120
    again = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert again.returncode == 0, again.stderr
    whole = compare(["re", "ls"], ["toy/additive"], "400q", seeds=40)
    assert rows(Study.open(tmp_path / "study")) == rows(whole)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"budget": "21q"}, "budget"),
        ({"seeds": 3}, "seeds"),
        ({"workers": 2}, "workers"),
        ({"noise": "mean"}, "noise"),
        ({"strategies": ["ls"]}, "local_search is new"),
        ({"strategies": [get_algorithm("re").configured(sample_size=4)]}, "sample_size"),
        ({"benchmarks": ["toy/deceptive"]}, "toy/deceptive is new"),
    ],
)
def test_other_settings_are_refused(tmp_path: Path, change: dict[str, object], what: str) -> None:
    same = {"strategies": ["re"], "benchmarks": ["toy/additive"], "budget": "20q", "seeds": 2, "workers": 1}
    compare(**same, out=tmp_path).close()  # type: ignore[arg-type]
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(InvalidSetting, match=rf"other settings: .*{what}"):
        compare(**{**same, **change}, out=tmp_path)  # type: ignore[arg-type]
    assert (tmp_path / FILE).read_bytes() == before


def small(folder: Path) -> Path:
    compare(["re"], ["toy/additive"], "20q", seeds=3, out=folder).close()
    return folder / FILE


def test_a_truncated_study_is_refused(tmp_path: Path) -> None:
    path = small(tmp_path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    before = path.read_bytes()
    with pytest.raises(CorruptData, match=r"study\.db"):
        Study.open(tmp_path)
    with pytest.raises(CorruptData):
        compare(["re"], ["toy/additive"], "20q", seeds=3, out=tmp_path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("column", ["trials", "incumbents"])
def test_an_altered_study_is_refused(tmp_path: Path, column: str) -> None:
    path = small(tmp_path)
    with sqlite3.connect(path) as db:
        db.execute(f"UPDATE runs SET {column} = (SELECT {column} FROM runs WHERE id = 5) WHERE id = 4")
    with pytest.raises(CorruptData, match=r"run 4 .*seed 1.* was altered"):
        Study.open(tmp_path)


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("not a database, but longer than nothing")
    with pytest.raises(CorruptData):
        Study.open(tmp_path)
    (tmp_path / FILE).unlink()
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("CREATE TABLE other (x)")
    with pytest.raises(CorruptData, match="not a study"):
        compare(["re"], ["toy/additive"], "20q", seeds=3, out=tmp_path)


def test_no_study_and_no_run(tmp_path: Path) -> None:
    with pytest.raises(MissingData, match="there is no study"):
        Study.open(tmp_path)


def test_an_unwritable_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputFailed):
        compare(["re"], ["toy/additive"], "5q", seeds=1, out=tmp_path / "file" / "study")
    with pytest.raises(OutputFailed):
        write_csv(tmp_path / "file" / "summary.csv", [{"a": 1}])


FULL_DISK = """
import resource, signal, sys
from nassim.cli.main import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))  # writes beyond it fail as on a full disk
main(sys.argv[1:])
"""


@pytest.mark.slow
def test_a_full_disk_is_said_and_what_was_stored_stays(tmp_path: Path) -> None:
    arguments = ["compare", "--algos", "re", "--benchmark", "toy/additive", "--budget", "100q", "--seeds", "60"]
    arguments += ["--jobs", "1", "--out", str(tmp_path / "study")]
    failed = subprocess.run([sys.executable, "-c", FULL_DISK, *arguments], capture_output=True, text=True, timeout=300)
    assert failed.returncode == 2, failed
    assert failed.stderr.count("\n") == 1, failed.stderr
    assert "disk not full" in failed.stderr
    kept = Study.open(tmp_path / "study")
    assert 0 < len(kept.runs) < 120
    kept.close()
    again = subprocess.run([sys.executable, "-m", "nassim.cli.main", *arguments], capture_output=True, timeout=300)
    assert again.returncode == 0
    assert rows(Study.open(tmp_path / "study")) == rows(compare(["re"], ["toy/additive"], "100q", seeds=60))


def test_mistakes_are_said_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="regularized_evolution"):
        compare(["regularised_evolution"], ["toy/additive"], "5q", out=tmp_path)
    with pytest.raises(InvalidSetting, match="named twice"):
        compare(["re", "regularized_evolution"], ["toy/additive"], "5q", out=tmp_path)
    with pytest.raises(InvalidSetting, match="at least one benchmark"):
        compare(["re"], [], "5q", out=tmp_path)
    with pytest.raises(InvalidSetting, match="seeds"):
        compare(["re"], ["toy/additive"], "5q", seeds=0, out=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_budget_too_small_for_any_trial_is_no_error() -> None:
    study = compare(["re"], ["toy/additive"], "5ep", seeds=2)
    assert [r.curve for r in study.runs] == [[], [], [], []]
    row = summary_rows(study)[0]
    assert row["seeds_without_answer"] == 2
    assert row["final_valid_accuracy_mean_percent"] is None
    assert isinstance(study.runs[0], RunEnd)
