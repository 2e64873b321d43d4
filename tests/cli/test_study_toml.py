"""A comparison as a file: what was typed lies in the study's folder as study.toml, and repeats it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nassim.cli.main import main
from nassim.study import Study

pytestmark = pytest.mark.usefixtures("undrawn")

Capture = pytest.CaptureFixture[str]
SMALL = ("--benchmark", "toy/additive", "--budget", "9q", "--seeds", "2", "--jobs", "1", "--no-report")
MINE = '''"""Climbs."""

from nassim import evaluate, strategy


@strategy(family="example", year=2026)
def climber(space, rng, *, mutations: int = 1):
    best = yield from evaluate(space.sample(rng))
    while True:
        arch = best.arch
        for _ in range(mutations):
            arch = space.mutate(arch, rng)
        best = max(best, (yield from evaluate(arch)), key=lambda trial: trial.value)
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def outcome(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main(["compare", *arguments])
    return int(ended.value.code or 0), *capsys.readouterr()


def settings_of(folder: str) -> dict[str, Any]:
    study = Study.open(folder)
    study.close()
    return {key: value for key, value in study.settings.items() if key != "provenance"}


@pytest.mark.parametrize(
    "typed",
    [
        ("--algos", "re,ls", *SMALL),
        ("--algos", "re,re[sample_size=3|4]", *SMALL, "--set", "re.population_size=5", "--workers", "2"),
        ("--algos", "mine.py[mutations=2],re", *SMALL, "--noise", "mean", "--regret", "valid"),
        ("--algos", "re", *SMALL, "--patience", "100.5", "--set", "sample_size=2", "--benchmark", "toy/deceptive"),
    ],
)
def test_what_was_typed_repeats_the_study(capsys: Capture, folder: Path, typed: tuple[str, ...]) -> None:
    (folder / "mine.py").write_text(MINE, encoding="utf-8")
    code, out, err = outcome(capsys, *typed, "--out", "deep/first")
    assert code == 0, err
    assert str(Path("deep/first/study.toml")) in out
    code, _, err = outcome(capsys, "deep/first/study.toml", "--out", "second", "--jobs", "1", "--no-report")
    assert code == 0, err
    assert settings_of("deep/first") == settings_of("second")
    first, second = (folder / name / "summary.csv" for name in ("deep/first", "second"))
    assert first.read_bytes() == second.read_bytes()
    once, again = (folder / name / "study.toml" for name in ("deep/first", "second"))
    assert once.read_text(encoding="utf-8").replace("../../mine", "../mine") == again.read_text(encoding="utf-8")


def test_a_study_since_another_is_written_whole(capsys: Capture, folder: Path) -> None:
    assert outcome(capsys, "--algos", "re", *SMALL, "--set", "sample_size=2", "--out", "old")[0] == 0
    jobs = ("--jobs", "1", "--no-report")
    assert outcome(capsys, "--against", "old", *jobs, "--out", "new")[0] in (0, 1)
    assert outcome(capsys, "new/study.toml", *jobs, "--out", "again")[0] == 0
    assert settings_of("old")["strategies"] == settings_of("new")["strategies"] == settings_of("again")["strategies"]


def test_a_file_of_ones_own(capsys: Capture, folder: Path) -> None:
    """Paths are relative to the file; what is typed goes before what it says; it is not written over."""
    (folder.parent / "mine.py").write_text(MINE, encoding="utf-8")
    text = """# why
algos = ["mine.py:climber", "re"]
benchmark = "toy/additive"
budget = "9q"
seeds = 3
jobs = 1
set = ["climber.mutations=2"]
report = false
out = "study"
"""
    (folder.parent / "plan.toml").write_text(text, encoding="utf-8")
    code, _, err = outcome(capsys, "../plan.toml", "--seeds", "2")
    assert code == 0, err
    found = settings_of(str(folder.parent / "study"))
    assert found["seeds"] == 2 and found["strategies"]["climber"]["toy/additive"] == {"mutations": 2}
    own = folder / "own"
    own.mkdir()
    (own / "study.toml").write_text(
        text.replace("mine.py", "../../mine.py").replace('"study"', '"."'), encoding="utf-8"
    )
    before = (own / "study.toml").read_text(encoding="utf-8")
    for _ in range(2):
        code, _, err = outcome(capsys, "own/study.toml")  # the file itself is no other file of the folder
        assert code == 0, err
    assert (own / "study.toml").read_text(encoding="utf-8") == before and (own / "study.db").is_file()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("algoz = 're'", "'algoz' is not a setting of a study. Did you mean algos?"),
        ("search-on = 'valid'\nbudgets = '9q'", "Did you mean budget?"),
        ("[set]\nre = 3", "set is not a list of texts"),
        ("seeds = '3'", "seeds is not a whole number"),
        ("seeds = 'few'", "seeds is not a whole number"),
        ("seeds = true", "seeds is not a whole number"),
        ("seeds = 0", "seeds is not a whole number from 1"),
        ("live = 1", "live is not true or false"),
        ("patience = 'long'", "patience is not a number"),
        ("algos = [1]", "algos is not a text or a list of texts"),
        ("budget = []", "budget is not a text"),
        ("algos = 're", "study.toml is no TOML"),
        ("\0", "study.toml is no TOML"),
        ("a = " + "[" * 3000, "study.toml is no TOML"),
        ("# " + "x" * 70_000, "more than"),
        ("x = '\udcff'", "study.toml is no TOML"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_line(capsys: Capture, folder: Path, text: str, expected: str) -> None:
    (folder / "study.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    code, _, err = outcome(capsys, "study.toml")
    assert code == 2 and expected in err and err.count("\n") == 1 and len(err) < 400
    assert [path.name for path in folder.iterdir()] == ["study.toml"]


@pytest.mark.parametrize(
    ("name", "expected"), [("re,ls", "--algos re,ls"), ("nowhere.toml", "there is no file"), (".", "--algos")]
)
def test_what_is_no_file_is_one_line(capsys: Capture, folder: Path, name: str, expected: str) -> None:
    code, _, err = outcome(capsys, name)
    assert code == 2 and expected in err and err.count("\n") == 1


def test_an_interrupted_study_has_its_file(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("nassim.grid._execute", interrupted)
    assert outcome(capsys, "--algos", "re", *SMALL, "--out", "study")[0] == 130
    assert (folder / "study" / "study.toml").is_file()


def test_a_clash_leaves_the_file_of_the_study(capsys: Capture, folder: Path) -> None:
    assert outcome(capsys, "--algos", "re", *SMALL, "--out", "study")[0] == 0
    before = (folder / "study" / "study.toml").read_bytes()
    assert outcome(capsys, "--algos", "ls", *SMALL, "--out", "study")[0] == 2
    assert (folder / "study" / "study.toml").read_bytes() == before


@given(st.dictionaries(st.sampled_from(["objectives", "budget", "noise"]), st.text(max_size=60), max_size=3))
def test_any_text_is_written_so_that_it_is_read(typed: dict[str, str]) -> None:
    import tempfile

    from nassim.study_toml import read_study_toml, study_toml

    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "study.toml"
        path.write_text(study_toml(typed, Path(name)), encoding="utf-8")
        assert read_study_toml(path) == {key: text for key, text in typed.items() if text}
