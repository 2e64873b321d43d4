"""What no specification can be guessed from: one line, whatever the file holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nassim.cli.main import main
from nassim.errors import NassimError
from nassim.tabular_data.recipes import csv_rows
from nassim.tabular_data.recipes.csv_guess import Guess, guess
from nassim.tabular_data.recipes.csv_spec import read_spec

HOSTILE = {
    "empty": b"",
    "a header alone": b"a,b,acc\n",
    "blank rows": b"a,b,acc\n,,\n,,\n",
    "no metric": b"a,b\n1,2\n3,4\n",
    "no decision": b"seed,acc\n1,2\n2,3\n",
    "a name of two lines": b'"a\nb",c\n1,2\n3,4\n',
    "cells": b"a,acc\n1,2,3\n",
    "a quote without end": b'a,acc\n"' + b"x" * 200_000,
    "characters": b"a,acc\n\x1b[2J,2\nx,3\n",
    "no text": bytes(range(256)),
    "columns": b",".join(b"c%d" % i for i in range(6000)) + b"\n",
    "a name twice": b"acc,acc\n1,2\n",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_table_is_one_line(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.csv").write_bytes(content)
    with pytest.raises(SystemExit) as ended:
        main(["data", "template", "mine.csv"])
    out, err = capsys.readouterr()
    errors = [line for line in err.splitlines() if not line.startswith("unsure: ")]
    assert ended.value.code == 2 and not out and len(errors) == 1 and errors[0].startswith("error: mine.csv"), err
    assert len(errors[0]) < 600 and not Path("mine.toml").exists()


def test_a_line_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "_LONGEST_LINE", 1000)
    (tmp_path / "mine.csv").write_text("a,acc\n" + "1," * 2000)
    with pytest.raises(NassimError, match="a line of more than 1,000 characters"):
        guess(tmp_path / "mine.csv")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(
        st.one_of(st.sampled_from(["val_acc", "seed", "epoch", "time"]), st.text()), max_size=5, unique=True
    ),
    cells=st.lists(st.one_of(st.integers(), st.floats(), st.text(max_size=4), st.booleans(), st.none()), min_size=1),
)
def test_nonsense_gives_a_specification_or_one_line(names: list[str], cells: list[object], tmp_path: Path) -> None:
    rows = [{name: cells[(i + j * j) % len(cells)] for j, name in enumerate(names)} for i in range(4)]
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(rows))
    try:
        found: Guess = guess(path)
    except NassimError as error:
        assert "\n" not in str(error)
        return
    (tmp_path / "spec.toml").write_text(found.text, encoding="utf-8", newline="")
    read_spec(tmp_path / "spec.toml")
