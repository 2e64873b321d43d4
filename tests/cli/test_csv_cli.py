"""nassim data with tables of the user's own."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from nassim.cli.main import main
from nassim.tabular_data.own_table import table_path

SPEC = """
[decisions]
a = ["x", "y"]
b = [1, 2]
[accuracy]
unit = "percent"
valid = "valid"
[training]
epoch = "epoch"
[cost]
seconds_per_epoch = 10
"""


PAGE = (Path(__file__).parents[2] / "docs" / "own-table.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def test_the_documented_guess(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The specification that docs/own-table.md shows is what its script's results give."""
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks("python")[0], "results.py", "exec"), {})
    with pytest.raises(SystemExit) as ended:
        main(["data", "template", "mine.csv"])
    assert not ended.value.code
    assert Path("mine.toml").read_text(encoding="utf-8") == blocks("toml")[0]


def test_the_documented_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files and commands of docs/own-table.md, typed as they stand there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))
    Path("loss.toml").write_text(blocks("toml")[1])
    Path("loss.csv").write_text(blocks("csv")[0])
    commands = [shlex.split(line) for line in blocks("text")[0].splitlines()]
    assert [arguments[0] for arguments in commands] == ["nassim"] * 3
    for arguments in commands:
        small = ["--seeds", "2", "--jobs", "1", "--no-report"] if "compare" in arguments else []
        with pytest.raises(SystemExit) as ended:
            main([*arguments[1:], *small])
        assert not ended.value.code, arguments


def test_the_life_of_a_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))
    spec, results = str(tmp_path / "spec.toml"), str(tmp_path / "results.csv")
    Path(spec).write_text(SPEC)
    rows = [f"{a},{b},{e},{40 + e + b}" for a in "xy" for b in (1, 2) for e in (3, 9)]
    Path(results).write_text("\n".join(["a,b,epoch,valid", *rows]))
    assert run("data", "import", "mine", results, "--spec", spec)[0] == 0
    code, out, _ = run("data", "import", "other", results, "--spec", spec)
    assert code == 0 and "csv/other" in out and "4 architectures, epochs 3, 9" in out
    listed = json.loads(run("data", "list", "--json")[1])
    assert [row["name"] for row in listed if row["here"]] == ["mine", "other"]
    assert "4 of 4 architectures" in run("data", "verify", "csv/other")[1]
    assert "valid in the file" in run("data", "info", "other")[1]
    assert run("data", "remove", "other")[0] == 0 and not table_path("other").exists()
    assert table_path("mine").exists()
    for arguments, message in (
        (("other", results, "--spec", str(tmp_path / "none.toml")), "nassim data template"),
        (("nasbench201", results, "--spec", spec), "is a released table"),
        (("other", results), "nassim data template"),
        (("mine", results), "--spec"),
        (("other", str(tmp_path / "none.csv"), "--spec", spec), "is not there"),
    ):
        code, _, err = run("data", "import", *arguments)
        assert code == 2 and message in err and err.count("\n") == 1, err
    table_path("mine").write_bytes(table_path("mine").read_bytes()[:-100])
    assert run("data", "list")[0] == 0
    code, _, err = run("data", "verify", "mine")
    assert code == 2 and "mine.h5" in err
    assert run("list", "spaces")[0] == 0
