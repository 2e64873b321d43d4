"""The first hour of a new user: ten tasks by commands alone, in an empty folder, on a terminal of 80 columns.

nassim is installed from its wheel; the packages that it needs are those of the environment that runs the tests.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest
from rich.cells import cell_len

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="a terminal of one's own is made on POSIX systems only"),
]
COLUMNS = 80
LONGEST = 300.0  # seconds of a command, on a machine that has other work
SMALL = "--budget 30q --seeds 4 --jobs 1"
PIECE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|([\r\n])|[^\x1b\r\n]+")


def seen(output: str) -> str:
    """What stays on the screen, however long its lines: what moves and what is erased is gone."""
    lines, row, column = [""], 0, 0
    for piece in PIECE.finditer(output):
        number, letter, end = piece[1], piece[2], piece[3]
        if end == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif end == "\r":
            column = 0
        elif letter == "A":  # up
            row = max(0, row - int(number or 1))
        elif letter == "K":  # erase the line, or from here to its end
            lines[row] = "" if number == "2" else lines[row][:column]
        elif not letter:
            text = piece[0]
            lines[row] = lines[row][:column].ljust(column) + text + lines[row][column + len(text) :]
            column += len(text)
    return "\n".join(lines)


class User(NamedTuple):
    """Somebody at a terminal: the environment that nassim is installed in, a home, and the folder to work in."""

    environment: Path
    home: Path
    folder: Path

    def types(self, command: str, code: int = 0, columns: int = COLUMNS) -> str:
        """What stays on the screen; the exit code and the lines are looked at."""
        done, text = self._run(command)
        assert done == code, f"{command}: exit code {done}\n{text}"
        assert "Traceback" not in text, f"{command}\n{text}"
        for line in text.split("\n"):
            # A mistake is one line, to be found by its beginning; a path stands alone and whole, to be copied.
            alone = line.startswith("error: ") or len(line.replace("written:", "").split()) == 1
            assert alone or cell_len(line.rstrip()) <= columns, f"{command}: {cell_len(line)} columns\n{line}"
        broken = re.search(r".*\d[.,]\n\d.*|.*\w…\w.*|.*\d…", text)
        assert broken is None, f"{command}: a broken number\n{broken[0] if broken else ''}"
        return text

    def makes_a_mistake(self, command: str) -> str:
        """The one line that is said of it."""
        text = self.types(command, code=2).strip()
        assert "\n" not in text and text.startswith("error: "), f"{command}\n{text}"
        return text

    def _run(self, command: str) -> tuple[int, str]:
        import fcntl
        import pty
        import struct
        import termios

        mine, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
        variables = {
            "PATH": f"{self.environment / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "OMP_NUM_THREADS": "1",
            "BROWSER": "true %s",  # a browser that shows nothing
        }
        process = subprocess.Popen(
            shlex.split(command), cwd=self.folder, env=variables, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        parts, end = [], time.monotonic() + LONGEST
        while time.monotonic() < end:
            try:
                part = os.read(mine, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            parts.append(part)
        else:
            process.kill()
        code = process.wait(timeout=60)
        os.close(mine)
        return code, seen(b"".join(parts).decode())


@pytest.fixture(scope="module")
def installed(wheel: Path, new_environment: Callable[[], Path]) -> Path:
    environment = new_environment()
    pip = [environment / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    offline = ["--no-deps", "--no-index", "--force-reinstall"]  # what it needs is there; so is a checkout, perhaps
    done = subprocess.run([*pip, *offline, wheel], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return environment


@pytest.fixture(scope="module")
def user(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> User:
    folder = tmp_path_factory.mktemp("u")
    return User(installed, tmp_path_factory.mktemp("home"), folder)


@pytest.fixture(scope="module")
def first(user: User) -> str:
    """What the first comparison prints; its study is in ``first``."""
    return user.types(f"nassim compare --algos re,ls --benchmark nasbench201/digits {SMALL} --out first")


def test_1_what_is_there(user: User) -> None:
    place = user.types("python -c 'import nassim; print(nassim.__file__)'").strip()
    assert Path(place).is_relative_to(user.environment), "the wheel's, not the checkout's"
    text = user.types("nassim --help")
    assert "compare" in text and "report" in text
    assert "regularized_evolution" in user.types("nassim list algorithms")
    assert "nasbench201/digits" in user.types("nassim list benchmarks")
    assert "Real" in user.types("nassim show regularized_evolution")
    assert "88.95 %" in user.types("nassim show nasbench201/digits")


def test_2_a_first_comparison(user: User, first: str) -> None:
    for strategy in ("random_search", "regularized_evolution", "local_search"):
        (line,) = [line for line in first.splitlines() if re.match(rf"{strategy} +\d+ ", line)]
        assert len(re.findall(r"\d+\.\d+", line)) >= 5, line
    assert "written: first/study.db" in first and (user.folder / "first" / "summary.csv").is_file()
    again = user.types(f"nassim compare --algos re,ls --benchmark nasbench201/digits {SMALL} --out first")
    assert re.findall(r"^\w+ +\d+ .*", again, re.M) == re.findall(r"^\w+ +\d+ .*", first, re.M)


def test_3_a_report(user: User, first: str) -> None:
    assert "opened: first/report.html" in user.types("nassim open first")
    page = (user.folder / "first" / "report.html").read_text(encoding="utf-8")
    assert "local_search" in page and page.rstrip().endswith("</html>")
    assert "report.md" in user.types("nassim report first")
    assert (user.folder / "first" / "report.md").read_text(encoding="utf-8").startswith("# first")


def test_4_a_figure(user: User, first: str) -> None:
    user.types("nassim plot first --to figures-of-mine")
    made = sorted(path.suffix for path in (user.folder / "figures-of-mine").rglob("anytime-*"))
    assert {".pdf", ".png"} <= set(made)


def test_5_a_strategy_of_ones_own(user: User) -> None:
    assert "climber.py" in user.types("nassim new strategy climber")
    assert "mutations" in user.types("nassim show climber.py")
    text = user.types(f"nassim compare --algos climber.py,re --benchmark toy/additive {SMALL} --no-report --out own")
    assert re.search(r"^climber +\d", text, re.M)
    if find_spec("pytest") is not None:
        assert "3 passed" in user.types("python -m pytest -q -p no:cacheprovider test_climber.py")


def test_6_a_table_of_ones_own(user: User) -> None:
    rows = [
        f"{a},{b},{seed},{70 + 3 * i + 2 * j + seed / 10:.1f},{60 + 9 * j}"
        for i, a in enumerate(("none", "conv3x3", "conv5x5"))
        for j, b in enumerate((16, 32, 64))
        for seed in (1, 2)
    ]
    (user.folder / "mine.csv").write_text("\n".join(["layer,width,seed,val_acc,time_s", *rows]) + "\n")
    text = user.types("nassim data template mine.csv")
    assert "written: mine.toml" in text and "unsure: " in text
    (typed,) = re.findall(r"nassim data import .*", text)
    assert "9 architectures" in user.types(typed)
    found = user.types("nassim query csv/mine 'layer=conv5x5, width=64'")
    assert "80.15 %" in found
    text = user.types(f"nassim compare --algos re,ls --benchmark csv/mine {SMALL} --no-report --out table")
    assert "local_search" in text


def test_7_a_study_in_a_file(user: User) -> None:
    settings = ['algos = ["re", "re[sample_size=3]"]', 'benchmark = ["toy/additive", "toy/deceptive"]']
    settings += ['budget = "30q"', "seeds = 3", "jobs = 1", 'out = "from-file"']
    (user.folder / "study.toml").write_text("\n".join(settings) + "\n")
    text = user.types("nassim compare study.toml --no-report")
    assert text.count("re[sample_size=3]") + text.count("regularized_evolution[sample_size=3]") >= 2
    assert "toy/deceptive" in text and (user.folder / "from-file" / "study.toml").is_file()


def test_8_from_python(user: User) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", user.types("python -m nassim --version").strip())
    script = """
        import nassim

        run = nassim.run("re", "toy/additive", "20q", seed=1)
        print(run)
        study = nassim.compare(["re"], ["toy/additive"], "20q", seeds=3)
        print(study)
        print(len(study.summary()), "rows")
    """
    (user.folder / "script.py").write_text("\n".join(line.strip() for line in script.splitlines()))
    text = user.types("python script.py", columns=200)  # Python's own print breaks no lines
    assert "Study of 2 strategies" in text and "2 rows" in text


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("run regularised_evolution toy/additive", "regularized_evolution"),
        ("run re nasbench201/cifar11", "nasbench201/cifar10"),
        ("run re toy/additive --budget lots", "150q"),
        ("run re toy/additive --set sample_sise=3", "sample_size"),
        ("run nobody.py toy/additive", "nobody.py"),
        ("run wrong.py toy/additive", "wrong.py, line 1"),
        ("query toy/additive 99-99", "99-99"),
        ("report nowhere", "nowhere"),
        ("compare nothing.toml", "nothing.toml"),
        ("data template nothing.csv", "nothing.csv"),
        ("data import results results.csv", "results"),
        (f"compare --algos ls --benchmark toy/additive {SMALL} --out taken", "taken"),
    ],
)
def test_9_a_mistake_is_one_line(user: User, command: str, said: str) -> None:
    (user.folder / "wrong.py").write_text("def broken(:\n")
    (user.folder / "results.csv").write_text("a,acc\n1,2\n")
    taken = user.folder / "taken"
    taken.mkdir(exist_ok=True)
    (taken / "letters.txt").write_text("mine")
    assert said in user.makes_a_mistake(f"nassim {command}")
    assert sorted(path.name for path in taken.iterdir()) == ["letters.txt"]


def test_10_to_cite_to_watch_and_to_train(user: User, first: str) -> None:
    assert "@" in user.types("nassim show regularized_evolution --bibtex")
    assert "12 of 12 runs" in user.types("nassim watch first --once")
    assert "trials.csv" in user.types("nassim export first")
    if find_spec("torch") is None:
        pytest.skip("torch is needed to train")
    assert re.search(r"\d\d\.\d+ %", user.types("nassim train 310423 --data digits --seeds 1 --epochs 1"))


def test_what_is_looked_for_would_be_found(user: User) -> None:
    """A wide line, a broken number, a traceback and a failure are noticed; what was erased is not."""
    assert seen("\x1b[1mab\x1b[0m\r\n50 %\r\x1b[2Kdone\r\n\x1b[1A\x1b[2Kend\rE") == "ab\nEnd\n"
    for code in (
        "print('word ' * 20)",
        "print('1 is 12.\\n5')",
        "import nassim; nassim.run('re', 'toy/additive', 3.5)",
    ):
        (user.folder / "bad.py").write_text(code)
        with pytest.raises(AssertionError):
            user.types(f"{shlex.quote(sys.executable)} bad.py")
