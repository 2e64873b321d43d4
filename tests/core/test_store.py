"""The file of a study: begun again where it was not begun, and read where nothing can be written."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nassim.cli.main import main
from nassim.cli.repeat import repeated
from nassim.errors import CorruptData, MissingData
from nassim.report.follow import Follower
from nassim.store import Store
from nassim.study import FILE, Study, compare
from nassim.summary import export_tables

ARGUMENTS = (["re"], ["toy/additive"], "20q")


def small(folder: Path) -> Path:
    compare(*ARGUMENTS, seeds=2, out=folder).close()
    return folder / FILE


def change(path: Path, *statements: str) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        db.execute(statement)
    db.close()


# -- begun again --------------------------------------------------------------------------------------------


def unbegun(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    change(path, "PRAGMA journal_mode=WAL")  # what a creation left that was killed before its transaction
    assert path.stat().st_size == 4096


@pytest.mark.parametrize("size", [4096, 4095, 512, 100, 60, 1])
def test_a_study_whose_creation_was_killed_is_begun_again(tmp_path: Path, size: int) -> None:
    path = tmp_path / "study" / FILE
    unbegun(path)
    os.truncate(path, size)
    with pytest.raises(MissingData, match="never begun"):
        Study.open(path.parent)
    again = compare(*ARGUMENTS, seeds=2, out=path.parent)
    assert again.complete
    assert export_tables(again) == export_tables(compare(*ARGUMENTS, seeds=2))


ENDINGS = """
import os, resource, signal, sqlite3, sys
from pathlib import Path
import nassim.store
from nassim.errors import NassimError
from nassim.store import Store

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
connect = sqlite3.connect
SETTINGS = {"long": "x" * 10_000}

class Dying(sqlite3.Connection):
    left = 0
    def execute(self, *arguments):
        Dying.left -= 1
        if Dying.left < 0:
            os._exit(0)
        return super().execute(*arguments)

def full_after(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

def killed_after(statements):
    Dying.left = statements
    sqlite3.connect = lambda *a, **k: connect(*a, **k, factory=Dying)

endings = [(full_after, size) for size in (0, 100, 1000, 4096, 4200, 8192, 12_000, 16_384, 20_000, 30_000)]
endings += [(killed_after, n) for n in range(14)]
wrong = []
for number, (ending, amount) in enumerate(endings):
    path = Path(sys.argv[1]) / str(number) / "study.db"
    child = os.fork()
    if not child:
        ending(amount)
        try:
            Store.create(path, SETTINGS)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    try:
        store = Store.create(path, SETTINGS)
        if store.settings != SETTINGS or store.finished():
            wrong.append((ending.__name__, amount, store.settings))
        store.close()
        Store.open(path).close()
    except NassimError as error:
        wrong.append((ending.__name__, amount, str(error)))
print(wrong)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_creation_may_end_anywhere(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", ENDINGS, str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.stdout == "[]\n", done


def test_a_truncated_study_is_not_begun_again(tmp_path: Path) -> None:
    path = small(tmp_path)
    for size in (path.stat().st_size - 4096, 4096, 1000):
        os.truncate(path, size)
        with pytest.raises(CorruptData):
            compare(*ARGUMENTS, seeds=2, out=tmp_path)
        assert path.stat().st_size == size


# -- settings -----------------------------------------------------------------------------------------------


def test_altered_settings_are_refused(tmp_path: Path) -> None:
    path = small(tmp_path)
    change(path, """UPDATE settings SET value = replace(value, '"best_test": 0.', '"best_test": 0.9')""")
    for reader in (Study.open, Follower, repeated):
        with pytest.raises(CorruptData, match="settings were altered"):
            reader(tmp_path)


def test_a_study_without_a_digest_of_its_settings_opens(tmp_path: Path) -> None:
    path = small(tmp_path)
    change(path, "DELETE FROM settings WHERE key = 'digest'")
    assert "digest" not in Study.open(tmp_path).settings
    assert compare(*ARGUMENTS, seeds=2, out=tmp_path).complete


# -- where nothing can be written ---------------------------------------------------------------------------


def commands(folder: Path, to: Path) -> list[list[str]]:
    return [
        ["plot", str(folder), "--to", str(to)],
        ["report", str(folder), "--to", str(to)],
        ["export", str(folder), "--to", str(to)],
        ["watch", str(folder), "--once"],
    ]


@pytest.mark.slow
def test_a_study_on_a_read_only_disk_is_read(tmp_path: Path) -> None:
    folder, to = tmp_path / "disk", tmp_path / "elsewhere"
    small(folder)
    mount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && '
    if subprocess.run(["unshare", "-m", "sh", "-c", mount + "true", folder], capture_output=True).returncode:
        pytest.skip("a read-only mount needs rights that are not given here")
    nassim = f'! touch "$0/x" 2>/dev/null && "{sys.executable}" -m nassim.cli.main "$@"'
    for command in commands(folder, to):
        done = subprocess.run(
            ["unshare", "-m", "sh", "-c", mount + nassim, folder, *command], capture_output=True, text=True
        )
        assert done.returncode == 0, (command, done.stderr)
    assert {path.name for path in to.iterdir()} >= {"summary.csv", "report.html", "report.md", "figures", "trials.csv"}
    assert [path.name for path in folder.iterdir()] == [FILE]
    refused = subprocess.run(
        ["unshare", "-m", "sh", "-c", mount + nassim, folder, "report", str(folder)], capture_output=True, text=True
    )
    assert refused.returncode == 2 and refused.stderr.count("\n") == 1 and "Read-only" in refused.stderr


def deny_writing(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """What `os.access` says of a read-only disk."""
    access: Callable[..., bool] = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and access(path, mode))


def test_reading_writes_nothing_where_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small(tmp_path)
    deny_writing(monkeypatch, tmp_path)
    store = Store.open(tmp_path / FILE)
    assert len(store.runs()) == 4
    assert [path.name for path in tmp_path.iterdir()] == [FILE]  # no -wal and no -shm
    store.close()


def test_runs_that_lie_beside_the_file_are_not_overlooked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_still = compare(*ARGUMENTS, seeds=2, out=tmp_path)
    assert (tmp_path / f"{FILE}-wal").stat().st_size > 0
    deny_writing(monkeypatch, tmp_path)
    assert Store.open(tmp_path / FILE).finished() == {0, 1, 2, 3}
    open_still.close()


# -- long names ---------------------------------------------------------------------------------------------

LONG = "x" * 300


def test_names_that_are_too_long_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small(tmp_path)
    toy = ["--algos", "re", "--benchmark", "toy/additive", "--budget", "3q", "--seeds", "1"]
    for command in (
        ["compare", *toy, "--out", LONG],
        ["compare", *toy, "--out", f"{tmp_path}/{LONG}/x"],
        ["compare", *toy, "--out", str(tmp_path / "new"), "--against", LONG],
        *([name, LONG] for name in ("report", "plot", "export", "open", "watch", "validate")),
        ["export", str(tmp_path), "--to", LONG],
        ["query", "toy/additive", "0000", "--draw", f"{LONG}.png"],
    ):
        with pytest.raises(SystemExit) as ended:
            main(command)
        error = capsys.readouterr().err
        assert ended.value.code == 2, (command, error)
        assert "too long" in error or "Usage" in error, (command, error)


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ["data", "import", "natsbench-topology", LONG],
        ["data", "build", "nasbench201/digits", "--limit", "0", "--out", LONG],
        ["record", "random_nas", "--seeds", "1", "--out", f"{LONG}/x"],
    ],
)
def test_other_names_that_are_too_long_are_said(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    with pytest.raises(SystemExit) as ended:
        main(command)
    error = capsys.readouterr().err
    last = error.splitlines()[-1]
    assert ended.value.code == 2 and last.startswith("error: ") and "too long" in last
