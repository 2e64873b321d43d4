"""What grows faster than the input: texts and files that are long but not large are answered at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

import nassim
from nassim import Budget, Noise
from nassim.errors import CorruptData, InvalidArchitecture, InvalidSetting, NassimError
from nassim.tabular_data.recipes.csv_rows import Source
from nassim.tabular_data.recipes.csv_spec import read_spec
from nassim.tabular_data.recipes.csv_table import import_table
from nassim.tabular_data.recipes.csv_template import TEMPLATE

LIMIT = 2.0  # seconds of processor time; what is meant took from 5 to 25


def at_once(call: Callable[[], object]) -> object:
    """What a call gives, or the message of its error, which is short."""
    start = time.process_time()
    try:
        answer = call()
    except NassimError as error:
        answer = str(error)
        assert len(answer) < 1000 and "\n" not in answer
    assert time.process_time() - start < LIMIT
    return answer


@pytest.mark.parametrize("text", ["1" * 20_000, "1q," * 50_000, "1." * 10_000, "e" * 50_000, "1e" + "1" * 20_000 + "s"])
def test_long_budgets(text: str) -> None:
    assert "budget" in str(at_once(lambda: Budget.parse(text)))


def test_many_columns(tmp_path: Path) -> None:
    names = [f"column{i}" for i in range(20_000)]
    (tmp_path / "a.csv").write_text(",".join(names) + "\n")
    assert at_once(Source(tmp_path / "a.csv").names) == names
    (tmp_path / "a.csv").write_text(",".join([*names, names[7]]) + "\n")
    assert "two columns 'column7'" in str(at_once(Source(tmp_path / "a.csv").names))


@pytest.mark.slow
def test_many_columns_that_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    spec = '[decisions]\na = ["x", "y"]\n[accuracy]\nunit = "percent"\nvalid = "v{repeat}"\n[training]\nepochs = 9\n'
    (tmp_path / "spec.toml").write_text(spec + "[cost]\nseconds_per_epoch = 3\n")
    lines = [",".join(["a", *(f"v{i}" for i in range(20_000))]), *(a + ",50" * 20_000 for a in "xy")]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    said = at_once(lambda: import_table("mine", tmp_path / "a.csv", tmp_path / "spec.toml"))
    assert "20,000" in str(said) and "repeats" in str(said)


DOTS = ".".join(["a"] * 20_000)
SPECS = {
    "dotted key": f"{DOTS} = 1\n",
    "dotted section": f"[{DOTS}]\n",
    "quoted dotted key": ".".join(['"a,"'] * 20_000) + " = 1\n",
    "dots after a text that looks open": "x = '\"'\n" + f"{DOTS} = 1\n",
    "nested lists": "a = " + "[" * 50_000,
    "nested objects": "a = " + "{a=" * 50_000,
    "a long key": "v" * 300_000 + " = 1\n",
    "a long number": "[training]\nepochs = " + "1" * 5_000 + "\n",
    "a large number": "[training]\nepochs = " + "1" * 400 + "\n",
    "quotes without end": 'a = "' + '\\"' * 100_000,
    "a large file": "# nothing\n" * 200_000,
    "many decisions": "[decisions]\n" + "".join(f'k{i} = ["1"]\n' for i in range(20_000)),
    "many options": "[decisions]\na = [" + ",".join(f'"{i}"' for i in range(20_000)) + "]\n",
    "many times a key": '[accuracy]\nvalid = "{epoch}{epoch}"\n',
}


@pytest.mark.slow
def test_long_specifications(tmp_path: Path) -> None:
    path = tmp_path / "spec.toml"
    for name, text in SPECS.items():
        path.write_text(text)
        with pytest.raises(InvalidSetting):
            read_spec(path)
        assert str(path) in str(at_once(lambda: read_spec(path))), name
    path.write_text(TEMPLATE + '[about]\ntitle = "many . . . . . . dots' + "." * 500 + '"\n')
    assert read_spec(path).about["title"].endswith("....")


def test_long_records(tmp_path: Path) -> None:
    for text in ("[" * 1_000_000, '{"a":' * 1_000_000, '[{"a":' + "1" * 5_000 + "}]", "1," * 1_000_000):
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(CorruptData):
            Source(tmp_path / "a.json").names()
        at_once(Source(tmp_path / "a.json").names)


def test_long_texts_of_the_command_line() -> None:
    for text in ("[[" + "[" * 1900, "[[0, 1], [0, 0]] " + "[" * 1900):
        with pytest.raises(InvalidArchitecture):
            nassim.get_space("nasbench101").parse(text)
    with pytest.raises(InvalidSetting):
        Noise.parse("repeat=" + "1" * 5000)
