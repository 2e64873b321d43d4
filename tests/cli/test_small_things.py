"""Small things of the first hour: names, hints, completion, a log."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from nassim.cli.main import main
from nassim.registry import get_algorithm

pytestmark = pytest.mark.usefixtures("undrawn")

Capture = pytest.CaptureFixture[str]


def nassim(capsys: Capture, *arguments: str | Path) -> tuple[object, str, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return (ended.value.code or 0, *capsys.readouterr())


def test_random_is_random_search() -> None:
    assert get_algorithm("random").name == "random_search"


@pytest.mark.parametrize("width", [60, 80])
def test_the_list_says_what_every_strategy_does(width: int, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    out = " ".join(nassim(capsys, "list", "algorithms")[1].split())
    assert "tournament selection" in out and "Bayesian optimization" in out and "independent" in out
    if width == 60:  # the sentences stand below, whole
        assert "REINFORCE with one independent categorical distribution a decision" in out


@pytest.mark.parametrize("benchmark", ["toy/additive", "nasbench201/digits"])
@pytest.mark.parametrize("noise", ["mean", "draw", "repeat=1"])
def test_query_prints_no_number_twice(benchmark: str, noise: str, capsys: Capture) -> None:
    arch = "toy:0-0-1-2" if benchmark == "toy/additive" else "nasbench201:3-1-0-4-2-3"
    lines = nassim(capsys, "query", benchmark, arch, "--noise", noise)[1].splitlines()
    rest = [line for line in lines if not line.startswith(("benchmark", "architecture", "string"))]
    numbers = re.findall(r"\d[\d,.]*", "\n".join(rest).replace(noise, "").replace("seed 0", ""))
    assert len(numbers) == len(set(numbers)) and len(numbers) > 4
    assert sum(arch in line for line in lines) == 1


def test_a_table_without_specification_is_told_of_the_template(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "mine.csv").write_text("a,b\n1,2\n")
    code, _, err = nassim(capsys, "data", "import", "mine", tmp_path / "mine.csv")
    assert code == 2 and err.count("\n") == 1 and "nassim data template" in err and "--spec" in err
    code, _, err = nassim(capsys, "data", "import", "nasbench1", tmp_path)  # a misspelled release is still one
    assert code == 2 and "nasbench101" in err and "template" not in err


def test_a_family_without_task_is_told_of_its_tables(capsys: Capture) -> None:
    code, _, err = nassim(capsys, "run", "re", "nasbench201")
    assert code == 2 and err.count("\n") == 1 and "nasbench201/cifar10" in err and ":training" not in err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(shell: str, capsys: Capture) -> None:
    code, out, _ = nassim(capsys, "completion", shell)
    assert code == 0 and "_NASSIM_COMPLETE" in out and "nassim" in out
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=out, text=True, check=True, timeout=20)


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("nassim run regul", ["regularized_evolution"]),
        ("nassim run rand", ["random", "random_nas", "random_search"]),
        ("nassim run re toy/", ["toy/additive", "toy/deceptive"]),
        ("nassim query nasbench201/d", ["nasbench201/digits"]),
        ("nassim show nasbench_mac", ["nasbench_macro", "nasbench_macro/cifar10"]),
        ("nassim comp", ["compare", "completion"]),
        ("nassim compare --algos re,regul", ["re,regularized_evolution"]),
        ("nassim compare --benchmark nasbench201/d", ["nasbench201/digits"]),
    ],
)
def test_names_are_completed(capsys: Capture, monkeypatch: pytest.MonkeyPatch, typed: str, wanted: list[str]) -> None:
    """What bash gets where TAB is pressed after what was typed."""
    words = typed.split()
    environment = {"_NASSIM_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(words) - 1)}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "argv", ["nassim"])
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))  # whose name is that of the file in argv
    with pytest.raises(SystemExit):
        main()
    out, err = capsys.readouterr()
    assert sorted(out.split()) == wanted, err


def test_a_log_says_what_happened_and_when(tmp_path: Path, capsys: Capture) -> None:
    log = tmp_path / "what happened.log"
    small = ("--algos", "ls", "--benchmark", "toy/additive", "--budget", "8q", "--seeds", "3", "--jobs", "1")
    out = ("--no-report", "--out", tmp_path / "study")
    assert nassim(capsys, "--log", log, "compare", *small, *out)[0] == 0
    assert nassim(capsys, "run", "rs", "toy/additive", "--budget", "5q", f"--log={log}")[0] == 0  # after it too
    assert nassim(capsys, "--log", log, "run", "nobody", "toy/additive")[0] == 2
    assert nassim(capsys, "run", "rs", "toy/additive", "--budget", "5q")[0] == 0
    lines = log.read_text(encoding="utf-8").splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} (INFO|WARNING|ERROR) ", line) for line in lines)
    text = "\n".join(line.split(" ", 1)[1] for line in lines)
    assert text.count("INFO began: nassim ") == 3 and "INFO began: nassim compare --algos ls" in text
    assert [f"INFO {k} of 6 runs have finished" in text for k in range(1, 7)] == [True] * 6
    assert "WARNING caution: " in text and "INFO random_search on toy/additive, seed 0: 5 trials" in text
    assert "ERROR 'nobody' is not an algorithm" in text and text.endswith("INFO ended with exit code 2")
    code, _, err = nassim(capsys, "--log", tmp_path, "list", "spaces")
    assert code == 2 and err.startswith(f"error: {tmp_path}") and err.count("\n") == 1
