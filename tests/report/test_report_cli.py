"""`nassim report`, `open`, `watch` and `compare --against` as a user types them."""

from __future__ import annotations

import json
import shutil
import sqlite3
import webbrowser
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from nassim.cli import compare as compare_command
from nassim.cli import watch as watch_command
from nassim.cli.main import main
from nassim.cli.race import LiveRace, Race
from nassim.report.follow import Follower
from nassim.study import Study, compare

Capture = pytest.CaptureFixture[str]
SMALL = ("--algos", "ls", "--benchmark", "toy/additive", "--budget", "8q", "--seeds", "3", "--jobs", "1")


def run(capsys: Capture, *arguments: str | Path) -> tuple[int, str, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    code = ended.value.code
    return (code if isinstance(code, int) else 0), out, err


@pytest.mark.slow
def test_report_writes_all_forms(hand: Any, capsys: Capture) -> None:
    runs = [hand.steady("random_search", seed, 0.8 + 0.01 * seed) for seed in range(3)]
    for name in ("old", "new"):
        hand.study(runs, folder=name).close()
    folder = hand.root / "new"
    options = ("--objectives", "test_accuracy,parameters", "--against", hand.root / "old", "--json")
    found = json.loads(run(capsys, "report", folder, *options)[1])
    assert found["complete"] is True and [change["verdict"] for change in found["changes"]] == ["identical"]
    assert all(Path(path).is_file() for path in found["files"])
    names = {Path(path).name for path in found["files"]}
    assert {"report.html", "report.md", "changes.tex", "running-times-toy-additive.svg"} <= names
    assert "hypervolume-toy-additive-test_accuracy-parameters.tex" in names


def test_report_says_what_it_wrote(hand: Any, capsys: Capture) -> None:
    hand.study([]).close()
    code, out, _ = run(capsys, "report", hand.root / "study")
    assert code == 0 and "report.html" in out and "tables/ (1 file)" in out


@pytest.mark.parametrize("command", ["report", "open", "watch"])
def test_no_study_is_one_clear_error(command: str, tmp_path: Path, capsys: Capture) -> None:
    code, out, err = run(capsys, command, tmp_path)
    assert (code, out) == (2, "") and err.startswith("error: there is no study at") and err.count("\n") == 1
    (tmp_path / "study.db").write_bytes(b"not a database" * 100)
    code, _, err = run(capsys, command, tmp_path)
    assert code == 2 and "is not a" in err and err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["study.db"]


def test_report_refuses_unknown_objectives(real: Path, capsys: Capture) -> None:
    code, _, err = run(capsys, "report", real, "--objectives", "valid_accuracy,wight")
    assert code == 2 and "has no wight" in err and "parameters" in err


@pytest.mark.slow
def test_open_shows_the_page(real: Path, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    shutil.copy(real / "study.db", folder)
    asked: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: not asked.append(address))
    assert run(capsys, "open", folder)[0] == 0
    page = folder / "report.html"
    assert asked == [page.resolve().as_uri()]
    before = page.stat().st_mtime_ns
    monkeypatch.setattr(webbrowser, "open", lambda address: False)
    code, out, _ = run(capsys, "open", folder)
    assert code == 0 and "no browser was found here" in out and page.resolve().as_uri() in out
    assert page.stat().st_mtime_ns == before, "a page that is current is not written again"
    page.write_text(page.read_text(encoding="utf-8").replace('name="runs" content="48"', 'name="runs" content="7"'))
    assert json.loads(run(capsys, "open", folder, "--json")[1])["page"] == str(page)
    assert 'name="runs" content="48"' in page.read_text(encoding="utf-8")


def test_watch_shows_the_state(real: Path, capsys: Capture) -> None:
    code, out, _ = run(capsys, "watch", real, "--once")
    assert code == 0 and "48 of 48 runs" in out and "toy/deceptive" in out and "local_search" in out
    state = json.loads(run(capsys, "watch", real, "--json")[1])
    assert (state["runs"], state["of"], len(state["strategies"])) == (48, 48, 6)
    study = Study.open(real)
    for row in state["strategies"]:
        ends = sorted(run.curve[-1].test or 0 for run in study.of(row["benchmark"], row["strategy"]))
        best = study.facts[row["benchmark"]].best_test or 0
        assert row["regret_median_pp"] == pytest.approx(100 * (best - (ends[3] + ends[4]) / 2))
    study.close()


def test_a_follower_sees_runs_as_they_are_stored(real: Path, tmp_path: Path) -> None:
    shutil.copy(real / "study.db", tmp_path)
    whole = sqlite3.connect(tmp_path / "study.db", isolation_level=None)
    rows = whole.execute("SELECT * FROM runs ORDER BY id").fetchall()
    whole.execute("DELETE FROM runs WHERE id >= 20")
    follower = Follower(tmp_path)
    assert follower.refresh() and (follower.done, follower.total) == (20, 48)
    assert not follower.refresh()
    whole.executemany(f"INSERT INTO runs VALUES ({','.join('?' * len(rows[0]))})", rows[20:30])
    assert follower.refresh() and follower.done == 30
    whole.close()
    study = Study.open(real)
    for key in {(r.benchmark, r.strategy) for r in study.runs[:30]}:
        expected = [r for r in study.runs[:30] if (r.benchmark, r.strategy) == key]
        assert follower.of(*key) == expected and follower.last[key] == expected[-1]
    study.close()


def shown(race: Race, share: float) -> str:
    out = Console(width=120, record=True, file=None, quiet=False, force_terminal=False)
    with out.capture() as capture:
        out.print(race.frame(share))
    return capture.get()


def test_the_race_moves_along_simulated_time(real: Path) -> None:
    race = Race(real)
    assert race.look() and race.complete and not race.look()
    frames = [shown(race, share) for share in (0.0, 0.5, 1.0)]
    assert len(set(frames)) == 3
    filled = [frame.count("━") for frame in frames]
    assert filled == sorted(filled) and filled[0] < filled[2]
    assert "at the end of each run" in frames[2] and "after" in frames[0]


def test_watching_replays_a_finished_study_on_a_terminal(
    real: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_command, "PAUSE", 0.0)
    monkeypatch.setattr(watch_command, "FRAMES", 3)
    monkeypatch.setattr(watch_command, "console", lambda: Console(force_terminal=True, width=120))
    code, out, _ = run(capsys, "watch", real)
    assert code == 0 and out.count("toy/additive") >= 4


def test_watching_a_comparison_that_runs(tmp_path: Path) -> None:
    out = Console(force_terminal=True, width=120)
    with out.capture() as capture, LiveRace(tmp_path, out) as race:
        compare(["ls"], ["toy/additive"], "8q", seeds=3, out=tmp_path, progress=race.update)
    assert (race.done, race.total) == (6, 6)
    assert "6 of 6 runs" in capture.get() and "local_search" in capture.get()


@pytest.mark.slow
def test_compare_writes_the_report_unless_told_not_to(tmp_path: Path, capsys: Capture) -> None:
    code, out, _ = run(capsys, "compare", *SMALL, "--out", tmp_path / "a")
    assert code == 0 and f"`nassim open {tmp_path / 'a'}` shows the report" in out
    assert (tmp_path / "a" / "report.html").is_file() and (tmp_path / "a" / "report.md").is_file()
    assert run(capsys, "compare", *SMALL, "--no-report", "--out", tmp_path / "b")[0] == 0
    assert not (tmp_path / "b" / "report.html").exists()


@pytest.mark.usefixtures("undrawn")
def test_compare_against_an_older_study(tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    assert run(capsys, "compare", *SMALL, "--set", "ls.improvement=best", "--no-report", "--out", old)[0] == 0
    code, out, _ = run(capsys, "compare", "--against", old, "--jobs", "1", "--no-report", "--out", new)
    assert code == 0 and f"Since {old}: identical: random_search on toy/additive, local_search on toy/additive." in out
    before, after = Study.open(old), Study.open(new)
    assert {k: v for k, v in before.settings.items() if k != "provenance"} == {
        k: v for k, v in after.settings.items() if k != "provenance"
    }
    assert before.runs == after.runs
    found = json.loads(run(capsys, "compare", "--against", old, "--jobs", "1", "--out", new, "--json")[1])
    assert [change["verdict"] for change in found["changes"]] == ["identical", "identical"]
    options = ("--algos", "ls", "--set", "ls.n_init=2", "--jobs", "1", "--no-report", "--out", tmp_path / "other")
    assert run(capsys, "compare", "--against", old, *options)[0] in (0, 1)
    other = Study.open(tmp_path / "other")
    same = ("budget", "seeds", "workers", "noise")
    assert [other.settings[key] for key in same] == [before.settings[key] for key in same]
    assert other.benchmarks == before.benchmarks and other.runs[-1].hyperparameters["n_init"] == 2


@pytest.mark.usefixtures("undrawn")
def test_a_regression_has_exit_code_1(hand: Any, tmp_path: Path, capsys: Capture) -> None:
    finals = [hand.steady("random_search", s, 0.899, trials=8) for s in range(12)]
    hand.study(finals, folder="old", budget="8q", about=[hand.facts(best=0.9, best_test=None)]).close()
    options = ("--algos", "rs", "--benchmark", "toy/additive", "--budget", "8q", "--seeds", "12", "--jobs", "1")
    code, out, _ = run(
        capsys, "compare", *options, "--regret", "valid", "--against", tmp_path / "old", "--out", tmp_path / "new"
    )
    assert code == 1 and "worse: random_search on toy/additive" in out
    assert (tmp_path / "new" / "tables" / "changes.tex").is_file()


def test_mistakes_of_against(hand: Any, tmp_path: Path, capsys: Capture) -> None:
    hand.study([hand.steady("random_search", 0, 0.8)], folder="a").close()
    for arguments, word in (
        ((*SMALL, "--against", tmp_path / "none"), "there is no study"),
        (("--against", tmp_path / "none"), "there is no study"),
        ((*SMALL, "--out", tmp_path / "a", "--against", tmp_path / "a"), "own folder"),
        (("--benchmark", "toy/additive"), "--algos"),
    ):
        code, _, err = run(capsys, "compare", *arguments, *([] if "--out" in arguments else ["--out", tmp_path / "x"]))
        assert code == 2 and word in err, err
    assert compare_command.DEFAULT_SEEDS == 100
