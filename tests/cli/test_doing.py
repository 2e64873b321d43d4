"""What each worker does: told while a study runs, read from another terminal, and believed within limits."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path

import pytest
from rich.console import Console

from nassim.cli import doing as doing_module
from nassim.cli import watch
from nassim.cli.doing import NAME, Doing, workers
from nassim.cli.progress import Bar
from nassim.files import sign_writer
from nassim.study import FILE, compare


@pytest.mark.slow
def test_what_workers_do_is_told_of_a_study() -> None:
    told: list[list[str]] = []
    compare("re", "toy/additive", "20q", seeds=2, told=told.append)
    assert told[0] == ["random_search on toy/additive, seed 0"] and len(told) == 4
    told.clear()
    compare("re", "toy/additive", "20q", seeds=30, jobs=2, told=told.append)
    assert all(len(doing) <= 2 for doing in told) and any("seeds" in what for doing in told for what in doing)


def test_the_file_is_there_as_long_as_the_study_runs(tmp_path: Path) -> None:
    passed_on: list[list[str]] = []
    with Doing(tmp_path, lambda doing: passed_on.append(list(doing))) as doing:
        doing(["re on toy, seed 3", "ls on toy, seeds 0 to 9"])
        assert [what for what, _ in workers(tmp_path)] == ["re on toy, seed 3", "ls on toy, seeds 0 to 9"]
    assert passed_on and not (tmp_path / NAME).exists() and workers(tmp_path) == []


def test_what_changes_soon_after_is_written_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second worker begins a moment after the first one, and trains for minutes."""
    monkeypatch.setattr(doing_module, "PACE", 0.1)
    with Doing(tmp_path, lambda _: None) as doing:
        doing(["one"])
        doing(["one", "two"])
        deadline = time.monotonic() + 20
        while len(workers(tmp_path)) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert [what for what, _ in workers(tmp_path)] == ["one", "two"]
        doing(["three"])
    time.sleep(0.2)
    assert not (tmp_path / NAME).exists()


@pytest.mark.parametrize("content", [b"", b"[1]", b'{"a": "b"}', b"\xff", b"[" * 100_000, b'{"a": null}', b"3"])
def test_another_file_of_that_name_shows_nothing(content: bytes, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(content)
    assert workers(tmp_path) == []


def test_watch_shows_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    compare("re", "toy/additive", "20q", seeds=2, out=tmp_path).close()
    import sqlite3

    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("DELETE FROM runs WHERE id = 3")
    with Doing(tmp_path, lambda _: None) as doing:
        doing(["re on toy/additive, seed 1"])
        sign = sign_writer(tmp_path / FILE)
        watch.main(tmp_path, once=True)
        assert "worker 0: 0 s on re on toy/additive, seed 1" in capsys.readouterr().out
        watch.main(tmp_path, as_json=True)
        assert json.loads(capsys.readouterr().out)["workers"][0]["does"] == "re on toy/additive, seed 1"
        assert sign is not None
        sign.unlink()


def test_the_bar_has_a_line_a_worker() -> None:
    out = io.StringIO()
    bar = Bar(Console(file=out, force_terminal=True, width=100), quiet=False)
    with bar:
        bar.update(1, 4)
        bar.at_work([f"re on toy, seed {k}" for k in range(20)])
    shown = out.getvalue()
    assert "re on toy, seed 15" in shown and "and 4 more workers" in shown and "1/4" in shown
    quiet = io.StringIO()
    with Bar(Console(file=quiet, force_terminal=True), quiet=True) as silent:
        silent.update(1, 4)
    assert quiet.getvalue() == ""
