"""What is printed, on a real terminal of 60 to 200 columns: no word and no number of it is broken."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path

import pytest
from rich.cells import cell_len

WIDTHS, ALL = (60, 80, 100, 200), 1000  # columns; so many that everything fits
SEAMS = re.compile(r"[\s|+/:\-]+")  # where a word that is longer than the terminal is wide may go on in the next line
COMMANDS = {
    "list algorithms": "list algorithms",
    "list benchmarks": "list benchmarks",
    "list spaces": "list spaces",
    "show a strategy": "show re",
    "show a strategy that shares weights": "show darts",
    "show a benchmark": "show nasbench201/digits",
    "show a space": "show nasbench101",
    "show an architecture": "show nasbench201:3-1-0-4-2-3",
    "show a long architecture": "show accel_nasbench:0-0-0-0-0-0-0-0-0-0-0-0-0-0-0-0-0-0-0-0-0-0-0-0-0-0-0-0",
    "run": "run rs nasbench201/digits --budget 30q",
    "run with settings": "run re toy/additive --budget 30q",
    "query": "query nasbench201/digits nasbench201:3-1-0-4-2-3",
    "query a repeat": "query nasbench201/digits nasbench201:3-1-0-4-2-3 --noise draw",
    "compare": "compare --algos {algos} --benchmark toy/additive --benchmark nasbench201/digits --budget 12q --seeds 3"
    " --jobs 1 --no-report --out {study}",
    "compare with an older study": "compare --against {study} --jobs 1 --no-report --out {study}-again",
    "plot": "plot {study}",
    "watch": "watch {study} --once",
    "data list": "data list",
    "data info": "data info nasbench101",
    "record": "record --report",
}
DRIVER = """
import fcntl, struct, termios
import nassim.cli.results
from nassim.cli.main import main
nassim.cli.results.plot_study = lambda study, folder: []  # figures take seconds and are not printed
commands, widths = {commands!r}, {widths!r}
for name, command in commands.items():
    for width in widths:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
        print(f"\\x1e{{name}}\\x1f{{width}}\\x1f", end="", flush=True)
        try:
            main(command.split())
        except SystemExit as ended:
            print(f"\\x1d{{ended.code or 0}}", end="", flush=True)
"""


@cache
def printed(folder: Path, color: bool) -> dict[tuple[str, int], str]:
    """What every command prints at every width, with the sequences of the terminal in it."""
    import pty

    study = folder / ("color" if color else "plain")
    names = {"study": study, "algos": "re[sample_size=3|10],ls,gp_bo,darts"}
    commands = {name: command.format(**names) for name, command in COMMANDS.items()}
    mine, theirs = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR")}
    environment |= {"TERM": "xterm-256color", **({} if color else {"NO_COLOR": "1"})}
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER.format(commands=commands, widths=(ALL, *WIDTHS))],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        env=environment,
    )
    os.close(theirs)
    errors: list[bytes] = []
    assert process.stderr is not None
    reader = threading.Thread(target=lambda pipe: errors.append(pipe.read()), args=(process.stderr,))
    reader.start()
    parts = []
    while True:
        try:
            part = os.read(mine, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        parts.append(part)
    process.wait(timeout=60)
    reader.join()
    process.stderr.close()
    os.close(mine)
    assert process.returncode == 0, errors
    found = {}
    for text in b"".join(parts).decode().split("\x1e")[1:]:
        name, width, rest = text.split("\x1f", 2)
        out, _, code = rest.partition("\x1d")
        assert code == "0", (name, width, rest, errors)
        found[name, int(width)] = out.replace("\r\n", "\n")
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("s")


def without_sequences(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def words(text: str) -> set[str]:
    """The words and numbers of what was printed, but for what is said of columns that were left out."""
    text = re.sub(r"^left out .*?(?=^\S|^\s*$|\Z)", "", text, flags=re.MULTILINE | re.DOTALL)
    return {word for word in SEAMS.split(text) if re.search(r"\w", word)}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="a terminal of one's own is made on POSIX systems only")
@pytest.mark.parametrize("color", [True, False], ids=["color", "NO_COLOR"])
@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_is_broken(folder: Path, name: str, color: bool) -> None:
    outputs = printed(folder, color)
    whole = words(without_sequences(outputs[name, ALL]))
    broken = []
    for width in WIDTHS:
        text = outputs[name, width]
        if not color:
            assert not re.search(r"\x1b\[(?:\d+;)*(?:3[0-8]|9[0-7])[;m]", text), "a color"
        plain = without_sequences(text)
        lines = plain.replace("written:", "        ").split("\n")
        # a word that has no seam and is longer than the line stands alone and whole, to be copied; so does a path
        broken += [f"{width}: {line}" for line in lines if cell_len(line) > width and len(line.split()) > 1]
        broken += [f"{width}: {word}" for word in words(plain) - whole]
    assert not broken
