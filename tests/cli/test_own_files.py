"""Strategies and benchmarks in files of a user's own: named by path, checked by hash, loaded by worker processes."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

import nassim
from nassim.errors import InvalidSetting, MissingData
from nassim.study import Study, compare

pytestmark = pytest.mark.usefixtures("undrawn")

Outcome = Callable[..., tuple[int, str, str]]

MINE = '''"""Climbs from one architecture to the next."""

import random
from dataclasses import dataclass

from nassim import Search, SearchSpace, evaluate, strategy


@dataclass
class State:
    steps: "int" = 0


@strategy(family="example", year=2026, aliases=["clb"])
def climber(space: SearchSpace, rng: random.Random, *, mutations: int = 1) -> Search:
    state, best = State(), (yield from evaluate(space.sample(rng)))
    while True:
        arch = best.arch
        for _ in range(mutations):
            arch = space.mutate(arch, rng)
        child = yield from evaluate(arch)
        state.steps += 1
        best = max(best, child, key=lambda trial: trial.value)
'''
SECOND = MINE + "\n\n@strategy(family='example', year=2026)\ndef walker(space, rng):\n    while True:\n"
SECOND += "        yield from evaluate(space.sample(rng))\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder of a user; the strategy lies in another one beside it."""
    (tmp_path / "work").mkdir()
    (tmp_path / "other [1]").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    (tmp_path / "work" / "mine.py").write_text(MINE, encoding="utf-8")
    (tmp_path / "work" / "two.py").write_text(SECOND, encoding="utf-8")
    (tmp_path / "other [1]" / "far.py").write_text(MINE, encoding="utf-8")
    return tmp_path / "work"


def test_a_file_is_a_strategy(outcome: Outcome, small: Callable[..., list[str]], folder: Path) -> None:
    code, out, err = outcome(*small("mine.py,re", "--out", "study"))
    assert code == 0, err
    assert "climber" in out and "regularized_evolution" in out
    study = Study.open("study")
    assert study.strategies == ["random_search", "climber", "regularized_evolution"]
    study.close()


@pytest.mark.parametrize("path", ["two.py", "./two.py", "../work/two.py", "{absolute}"])
def test_a_strategy_of_several_is_named_by_any_path(
    outcome: Outcome, one_line: Callable[..., str], folder: Path, path: str
) -> None:
    name = path.format(absolute=folder / "two.py") + ":climber"
    assert outcome("run", name, "toy/additive", "--budget", "9q")[0] == 0
    assert "climber" in one_line("run", name.replace(":climber", ""), "toy/additive", "--budget", "9q")
    code, out, _ = outcome("show", name)
    assert code == 0 and "climber (clb)" in out and "mutations" in out


def test_a_folder_may_have_brackets_and_blanks(outcome: Outcome, small: Callable[..., list[str]], folder: Path) -> None:
    far = str(folder.parent / "other [1]" / "far.py")
    code, out, err = outcome(*small(f"re,{far}:climber[mutations=1|2]", "--out", "study"))
    assert code == 0, err
    assert "clb[mutations=1]" in out and "clb[mutations=2]" in out


def test_settings_by_brackets_and_by_set(outcome: Outcome, small: Callable[..., list[str]], folder: Path) -> None:
    arguments = small("mine.py,mine.py[mutations=3]", "--set", "climber.mutations=2", "--out", "study")
    code, _, err = outcome(*arguments)
    assert code == 0, err
    study = Study.open("study")
    recorded = {run.strategy: run.hyperparameters for run in study.runs}
    assert recorded["climber"] == {"mutations": 2} and recorded["clb[mutations=3]"] == {"mutations": 3}
    study.close()


@pytest.mark.slow
def test_processes_load_the_file_and_find_the_same(folder: Path) -> None:
    """The strategy comes by a relative path, and the results are those of one process."""
    alone = compare(["mine.py", "re"], ["toy/additive"], "12q", seeds=3)
    shared = compare(["mine.py", "re"], ["toy/additive"], "12q", seeds=3, jobs=2)
    assert alone.runs == shared.runs and len(alone.of("toy/additive", "climber")) == 3


def test_what_workers_are_sent_is_no_function(folder: Path) -> None:
    from nassim.grid import by_name
    from nassim.own_files import typed_algorithms

    (algorithm,) = typed_algorithms("mine.py[mutations=2]")
    sent = by_name(algorithm)
    assert not isinstance(sent, (str, nassim.Algorithm))
    assert all(isinstance(part, str) for part in sent) and sent.path == str(folder / "mine.py")
    assert sent.strategy().configured(mutations=2).name == "climber"


def test_python_takes_files_too(folder: Path) -> None:
    assert len(nassim.run("mine.py:climber[mutations=2]", "toy/additive", "9q").trials) == 9


def test_a_changed_file_is_refused_for_continuing(
    outcome: Outcome, one_line: Callable[..., str], small: Callable[..., list[str]], folder: Path
) -> None:
    command = small("mine.py,re", "--out", "study")
    assert outcome(*command)[0] == 0
    assert outcome(*command)[0] == 0  # as it was it goes on
    before = (folder / "study" / "study.db").read_bytes()
    (folder / "mine.py").write_text(MINE + "# another line\n", encoding="utf-8")
    error = one_line(*command)
    assert "mine.py" in error and "climber" in error and "changed" in error and "--out" in error
    assert (folder / "study" / "study.db").read_bytes() == before
    (folder / "mine.py").write_text(MINE, encoding="utf-8")
    (folder / "moved").mkdir()
    (folder / "mine.py").rename(folder / "moved" / "mine.py")
    assert outcome(*small("moved/mine.py,re", "--out", "study"))[0] == 0  # where it lies does not matter


def test_without_out_a_changed_file_gets_another_folder(
    outcome: Outcome, small: Callable[..., list[str]], folder: Path
) -> None:
    assert outcome(*small("mine.py"))[0] == 0
    (folder / "mine.py").write_text(MINE + "# another line\n", encoding="utf-8")
    assert outcome(*small("mine.py"))[0] == 0
    assert len(list((folder / "results").iterdir())) == 2


def test_a_file_that_changes_before_a_worker_has_read_it_is_one_line(folder: Path) -> None:
    from nassim.own_files import typed_algorithms

    (algorithm,) = typed_algorithms("mine.py")
    (folder / "mine.py").write_text(MINE + "# another line\n", encoding="utf-8")
    from nassim.grid import by_name

    sent = by_name(algorithm)
    assert not isinstance(sent, (str, nassim.Algorithm))
    sent.strategy()  # this process has it
    with pytest.raises(InvalidSetting, match=r"mine\.py has changed"):
        sent._replace(sha256="0" * 64).strategy()


def test_the_name_of_a_registered_strategy_is_told_apart(folder: Path) -> None:
    (folder / "copy.py").write_text(MINE.replace("climber", "random_search").replace("clb", "re"), encoding="utf-8")
    study = compare(["copy.py", "mine.py", "re"], ["toy/additive"], "12q", seeds=2)
    named = ["random_search", "copy.py:random_search", "climber", "regularized_evolution"]
    assert study.strategies == named
    assert study.algorithms["copy.py:random_search"] == "copy.py:random_search"


def test_two_files_with_one_name_are_told_apart(folder: Path) -> None:
    (folder / "copy.py").write_text(MINE, encoding="utf-8")
    study = compare(["copy.py", "mine.py"], ["toy/additive"], "12q", seeds=2)
    assert study.strategies == ["random_search", "copy.py:climber", "mine.py:climber"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(:\n", "bad.py, line 1: SyntaxError"),
        ("\n\nimport nowhere_at_all\n", "bad.py, line 3: ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("import mine\n", "A file of your own stands alone"),
        ("x = 1\n\ny = x / 0\n", "bad.py, line 3: ZeroDivisionError"),
        ("import sys\nsys.exit(3)\n", "bad.py, line 2: SystemExit"),
        ("x = 1\n", "bad.py has no strategy"),
        ("def f(space, rng):\n    yield\n", "@strategy"),
        ("from nassim.algorithms.random_search import random_search\n", "bad.py has no strategy"),
        (MINE.replace("mutations: int = 1", "mutations=1"), "mutations"),
        (MINE.replace("mutations: int = 1", "mutations: int"), "mutations"),
        (MINE.replace("mutations: int = 1", "mutations: Nothing = 1"), "line 15: NameError: name 'Nothing'"),
        ("\0", "bad.py"),
        ("x = '\udcff'", "bad.py"),
        ("(" * 5000, "bad.py"),
        (SECOND, "climber, walker"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(
    one_line: Callable[..., str], small: Callable[..., list[str]], folder: Path, text: str, expected: str
) -> None:
    (folder / "bad.py").write_bytes(text.encode("utf-8", "surrogateescape"))
    for command in (["run", "bad.py", "toy/additive"], small("bad.py,re", "--out", "study"), ["show", "bad.py"]):
        assert expected in one_line(*command)
    assert not (folder / "study").exists()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nowhere.py", "there is no file"),
        ("mine.py:climbr", "Did you mean climber?"),
        ("mine.py:", "write mine.py:climber"),
        ("mine", "mine.py"),
        ("mine.py[mutations=x]", "not a whole number"),
        ("mine.py[steps=3]", "steps"),
        ("folder.py", "is no file"),
    ],
)
def test_what_is_wrong_with_a_name_is_one_line(
    one_line: Callable[..., str], small: Callable[..., list[str]], folder: Path, name: str, expected: str
) -> None:
    (folder / "folder.py").mkdir()
    assert expected in one_line(*small(name))


def test_a_large_file_is_refused_unread(
    one_line: Callable[..., str], small: Callable[..., list[str]], folder: Path
) -> None:
    with (folder / "large.py").open("wb") as file:
        file.truncate(1 << 30)
    assert "large.py has more than" in one_line(*small("large.py"))


def test_a_failure_of_its_own_code_names_file_and_line_from_a_worker_too(
    one_line: Callable[..., str], small: Callable[..., list[str]], folder: Path
) -> None:
    failing = MINE.replace("state.steps += 1", "assert state.steps < 5; state.steps += 1")
    (folder / "bad.py").write_text(failing, encoding="utf-8")
    for jobs in ("1", "2"):
        assert "bad.py, line 22" in one_line(*small("bad.py", jobs=jobs))


def test_files_are_loaded_once_and_change_nothing_else(folder: Path) -> None:
    from nassim.own_files import typed_algorithms

    state = random.getstate()
    first, again = typed_algorithms("mine.py")[0], typed_algorithms("./mine.py:climber")[0]
    assert first.function is again.function and random.getstate() == state
    with pytest.raises(MissingData):
        typed_algorithms("nowhere.py")
