"""What the documents say is tried out: Python blocks are run, commands are run small, links lead somewhere."""

from __future__ import annotations

import doctest
import importlib.util
import re
import runpy
import shlex
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
import typer

from nassim.cli.main import app, main

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
each_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
QUICK = ("own-strategy.md",)  # whose commands are among the fast tests; those of the others are slow

# Added to the commands of a document, so that they take a moment: the last value of an option counts.
SMALL = {
    "run": ["--budget", "8q"],
    "compare": ["--budget", "8q", "--seeds", "2", "--jobs", "1"],
    "record": ["--seeds", "1", "--score", "0", "--set", "epochs=1"],
    "reproduce": ["--runs", "2"],
    "train": ["--epochs", "1"],
    "transfer": ["--epochs", "1"],
    "validate": ["--top", "2", "--seeds", "1", "--epochs", "2"],
}


class Block(NamedTuple):
    """A fenced block: its language, its text, and the line of the document that its text begins at."""

    language: str
    text: str
    line: int


def _blocks(path: Path) -> list[Block]:
    text = path.read_text(encoding="utf-8")
    fence = re.compile(
        r"^(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<body>.*?)^(?P=indent)```", re.MULTILINE | re.DOTALL
    )
    found = []
    for match in fence.finditer(text):
        lines = [line.removeprefix(match["indent"]) for line in match["body"].splitlines()]
        found.append(Block(match["language"], "\n".join(lines) + "\n", text.count("\n", 0, match.start("body")) + 1))
    return found


def _shell(path: Path) -> str:
    """What a document gives to type: its fenced shell blocks and its indented lines."""
    fenced = [block.text for block in _blocks(path) if block.language in ("", "bash", "console", "sh", "shell")]
    indented = re.findall(r"^ {4}(\S.*)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return "\n".join([*fenced, *indented])


def _saved(path: Path) -> dict[str, str]:
    """The files that a document tells to save: the blocks after a line that ends with "save it as `NAME`:"."""
    text = path.read_text(encoding="utf-8")
    found = re.findall(r"save it as `([\w.-]+)`:\n\n```\w+\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    return dict(found)


def _steps(path: Path, files: dict[str, str]) -> Iterator[list[str] | str]:
    """What a document gives to type, in order: the arguments of `nassim`, or the name of a saved script to run."""
    for line in _shell(path).replace("\\\n", " ").splitlines():
        script = re.match(r"\s*(?:\$ )?python (\S+\.py)\s*$", line)
        if script and script[1] in files:
            yield script[1]
        yield from _commands(line)


def _commands(text: str) -> Iterator[list[str]]:
    """The arguments of each line that starts ``nassim`` or ``python -m nassim``, after ``$`` or ``.venv/bin/``."""
    for line in text.replace("\\\n", " ").splitlines():
        match = re.match(r"\s*(?:\$ )?(?:\.venv/bin/)?(?:python -m )?nassim (.*)", line)
        if match:
            yield shlex.split(match[1], comments=True)


def _main_job() -> list[str]:
    """The arguments of `make compare`."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    (out,) = re.findall(r"^OUT := (\S+)$", text, flags=re.MULTILINE)
    (arguments,) = _commands(text.replace("@$(BIN)/nassim compare", "nassim compare").replace("$(OUT)", out))
    return arguments


def _outcome(arguments: list[str]) -> int | str | None:
    small = [*SMALL.get(arguments[0], []), *(["--set", "darts.epochs=1"] if "--live" in arguments else [])]
    with pytest.raises(SystemExit) as ended:
        main([*arguments, *small])
    return ended.value.code


@each_document
def test_python_blocks_run(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block is a file of its own, which knows the names of the blocks before it."""
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in _blocks(path):
        if block.language != "python":
            continue
        if block.text.lstrip().startswith(">>>"):
            test = doctest.DocTestParser().get_doctest(block.text, names, path.name, str(path), block.line - 1)
            assert doctest.DocTestRunner().run(test, clear_globs=False).failed == 0
            names.update(test.globs)
            continue
        name = f"{path.stem}_line_{block.line}".replace("-", "_")
        file = tmp_path / f"{name}.py"
        file.write_text("\n" * (block.line - 1) + block.text, encoding="utf-8")
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        vars(module).update(names)
        spec.loader.exec_module(module)
        names.update({key: value for key, value in vars(module).items() if not key.startswith("__")})


@pytest.mark.parametrize(
    "path",
    [pytest.param(p, marks=() if p.name in QUICK else pytest.mark.slow) for p in DOCUMENTS],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_commands_run(
    path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    genuine: Callable[[str], Path],
) -> None:
    """In order, in an empty folder; `make compare` has been run where its study is named or it is.

    What is fetched comes from a mirror.
    """
    monkeypatch.chdir(tmp_path)
    (main_job_out,) = (after for before, after in pairwise(_main_job()) if before == "--out")
    files = _saved(path)
    for name, text in files.items():
        Path(name).write_text(text, encoding="utf-8")
    steps = list(_steps(path, files))
    about_data = [step[1:2] for step in steps if step[0] == "data"]
    if about_data:
        monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))  # the tables of the other tests stay as they are
    if any(verb not in (["import"], ["template"]) for verb in about_data):
        monkeypatch.setenv("NASSIM_MIRROR", str(genuine("automl").parent))
    if path.name == "README.md" or any(main_job_out in step for step in steps):
        assert not _outcome(_main_job()), capsys.readouterr().err
    for step in steps:
        if isinstance(step, str):
            runpy.run_path(step, run_name="__main__")
        else:
            assert not _outcome(step), f"nassim {shlex.join(step)}: {capsys.readouterr().err}"


@each_document
def test_commands_in_the_text_exist(path: Path) -> None:
    root = typer.main.get_command(app)
    subcommands = root.commands  # type: ignore[attr-defined]  # a group
    for quoted in re.findall(r"(?<!`)`nassim ([^`\n]+)`(?!`)", path.read_text(encoding="utf-8")):
        first, *rest = quoted.split()
        command = root if first.startswith("-") else subcommands.get(first)
        if rest and hasattr(command, "commands"):  # a group in the group
            command = command.commands.get(rest[0])
        assert command is not None, f"`nassim {quoted}`: there is no such sub-command"
        known = {"--help", "-h"} | {name for parameter in command.params for name in parameter.opts}
        unknown = {word.partition("=")[0] for word in [first, *rest] if re.match(r"--?[a-z]", word)} - known
        assert not unknown, f"`nassim {quoted}`: there is no {unknown}"


@each_document
def test_links_files_and_make_targets_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:|#", target):
            assert (path.parent / target.partition("#")[0]).exists(), f"{path.name} links to {target}"
    for script in re.findall(r"python (tools/\S+\.py)", text):
        assert (ROOT / script).is_file(), script
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    typed = re.findall(r"^\s*(?:\$ )?make ([a-z]+)", _shell(path), flags=re.MULTILINE)
    assert {*typed, *re.findall(r"`make ([a-z]+)", text)} <= targets


def test_there_is_something_to_try() -> None:
    readme = ROOT / "README.md"
    assert any(block.language == "python" for block in _blocks(readme))
    assert list(_commands(_shell(readme)))
    assert "make compare" in _shell(readme) and "make test" in _shell(readme)


def test_the_readme_begins_with_installing() -> None:
    """With pip from a checkout and from a wheel, then what answers, then make; and where there is no make."""
    lines = _shell(ROOT / "README.md").splitlines()
    steps = ["pip install -c constraints.txt .", "pip install dist/nassim-", "python -m nassim", "make compare"]
    places = [next(i for i, line in enumerate(lines) if line.startswith(step)) for step in [*steps, "make test"]]
    assert places == sorted(places) and places[0] == 0
    without_make = [line for line in lines if "-m venv" in line]
    assert [line.partition(" ")[0] for line in without_make] == ["py", "python3"]
    assert all("pip install -c constraints.txt -e ." in line for line in without_make)


def test_a_wrong_command_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert _outcome(["run", "random_serch", "toy/additive"]) == 2
    assert _outcome(["run", "random_search", "toy/additive", "--sede", "3"]) == 2
    assert not _outcome(["run", "random_search", "toy/additive", "--budget", "150q"])
    assert next(_commands("$ nassim show re  # a page\n")) == ["show", "re"]
    assert next(_commands("python -m nassim show re\n")) == ["show", "re"]
