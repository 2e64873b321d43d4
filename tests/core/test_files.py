"""Files: what killed writers left goes with the next one, and names make safe file names."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nassim import files
from nassim.errors import OutputFailed
from nassim.files import put_in_place
from nassim.summary import write_csv

KILLED = """
import os, signal, sys
from pathlib import Path
from nassim.files import put_in_place
with put_in_place(Path(sys.argv[1])) as file:
    file.write(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""
posix = pytest.mark.skipif(os.name != "posix", reason="only there a process can be asked for")


def hidden(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.endswith(".tmp"))


def killed_writer(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, path], timeout=60)
    assert done.returncode == -signal.SIGKILL


@posix
def test_what_a_killed_writer_left_goes_with_the_next_file_in_that_folder(tmp_path: Path) -> None:
    killed_writer(tmp_path / "report.html")
    assert len(hidden(tmp_path)) == 1
    write_csv(tmp_path / "summary.csv", [{"a": 1}])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["summary.csv"]


def test_what_is_being_written_stays(tmp_path: Path) -> None:
    with put_in_place(tmp_path / "one") as file:
        file.write(b"1")
        before = hidden(tmp_path)
        write_csv(tmp_path / "two", [{"a": 1}])
        assert hidden(tmp_path) == before and len(before) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]


@posix
def test_what_came_from_another_computer_goes_after_an_hour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed_writer(tmp_path / "report.html")
    monkeypatch.setattr(files, "_here", lambda: "0000aaaa")  # the folder is shared; there the process may live
    write_csv(tmp_path / "summary.csv", [{"a": 1}])
    (left,) = hidden(tmp_path)
    os.utime(tmp_path / left, (time.time() - 3700,) * 2)
    write_csv(tmp_path / "summary.csv", [{"a": 1}])
    assert hidden(tmp_path) == []


def test_files_of_others_stay(tmp_path: Path) -> None:
    names = [".editor.tmp", ".a.1.tmp", "x.99999-aaaaaaaa-bbbbbbbb.tmp", ".x.99999-aaaaaaa-bbbbbbbb.tmp", ".x.1-.tmp"]
    for name in names:
        (tmp_path / name).write_text("not ours")
        os.utime(tmp_path / name, (0, 0))
    write_csv(tmp_path / "summary.csv", [{"a": 1}])
    assert {path.name for path in tmp_path.iterdir()} == {*names, "summary.csv"}


def test_a_name_as_long_as_the_disk_allows_is_written(tmp_path: Path) -> None:
    for name in ("x" * 251 + ".csv", "é" * 125 + ".csv"):
        assert write_csv(tmp_path / name, [{"a": 1}]).is_file()
    with pytest.raises(OutputFailed, match="too long"):
        write_csv(tmp_path / ("x" * 256), [{"a": 1}])


NAMES = {
    "toy/additive": "toy-additive",
    "nasbench201/cifar10:search_epochs=12": "nasbench201-cifar10-search_epochs=12",
    "csv/my.table+1": "csv-my.table+1",
}


def test_names_make_safe_file_names() -> None:
    for name, wanted in NAMES.items():  # these are the files that are there already
        assert files.file_name(name) == wanted
    odd = [
        "..",
        "../../x",
        "/etc/x",
        "a b",
        "a\nb",
        "a|b",
        "<b>",
        "x" * 500,
        "é",
        "",
        ".",
        "-rf",
        "a\\b",
        "a\0b",
        "?*",
        "c:\\x",
    ]
    odd += ["A" * 500, "\ud800", "a`b`", "$(x)", "%n", "a  b"]
    made = [files.file_name(name) for name in odd]
    assert len(set(made)) == len(odd)
    for name in made:
        assert re.fullmatch(r"[A-Za-z0-9_=+][A-Za-z0-9_.=+-]{0,150}", name), name
