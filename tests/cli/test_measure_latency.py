"""`nassim data measure-latency`, and what measured tables are good for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import nassim
from nassim.cli.main import main
from nassim.errors import InvalidSetting, MissingData
from nassim.full_training.networks.framed import network_of
from nassim.latency import LatencyTable, Modeled, write_table
from nassim.tabular_data.latencies import folder, latency_table, latency_tables

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    return tmp_path


def said(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


@pytest.mark.slow
def test_layers_are_measured_and_whole_networks_predicted(capsys: Capture) -> None:
    command = ("data", "measure-latency", "nasbench_macro", "--data", "digits", "--name", "desk", "--networks", "6")
    code, out, _ = said(capsys, *command, "--whole", "3", "--readings", "3")
    text = " ".join(out.split())
    assert code == 0 and "on cpu" in text and "3 other networks, measured whole" in text
    assert text.count("%") == 2 and "sum of the layers in the table" in text
    table = latency_table("desk")
    assert len(table.layers) > 30 and min(table.layers.values()) > 0 and table.fallback is not None
    assert [each.name for each in latency_tables()] == ["desk"]
    bench = nassim.get_benchmark("nasbench_macro/digits:training")
    assert bench.about.extras["latency_desk"].startswith("ms, by the look-up table of cpu")
    small, large = (bench.measure(bench.space.parse(text))["latency_desk"] for text in ("00000000", "22222222"))
    assert 0 < small < large


def test_latencies_of_a_table_by_hand_can_be_searched_by(capsys: Capture) -> None:
    folder().mkdir()
    (folder() / "board.json").write_text(write_table(LatencyTable("board", "a board", {}, Modeled(1e5, 0.1))))
    bench: Any = nassim.get_benchmark("nasbench_macro/digits:training")
    arch = bench.space.parse("12012012")
    network = network_of(arch, bench.recipe, bench.data, bench.space)
    assert bench.measure(arch)["latency_board"] == pytest.approx(latency_table("board").of(network))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("toy",), "toy says of no network"),
        (("nasbench_macr",), "Did you mean nasbench_macro"),
        (("nasbench_macro", "--name", "../x"), "no name of a look-up table"),
        (("nasbench_macro", "--name", "macs"), "no name of a look-up table"),
        (("genetic_cnn", "--data", "digit"), "Did you mean digits"),
    ],
)
def test_bad_input_is_one_line(capsys: Capture, arguments: tuple[str, ...], message: str) -> None:
    code, _, err = said(capsys, "data", "measure-latency", *arguments)
    assert code == 2 and message in err and len(err.strip().splitlines()) == 1


def test_an_unknown_table_is_one_line() -> None:
    with pytest.raises(MissingData, match="measure-latency"):
        latency_table("desk")
    with pytest.raises(InvalidSetting, match="no name"):
        latency_table("Desk!")


def test_json(capsys: Capture) -> None:
    command = ("data", "measure-latency", "nasbench_macro", "--data", "digits", "--networks", "2", "--whole", "2")
    code, out, _ = said(capsys, *command, "--readings", "1", "--json")
    found = json.loads(out)
    assert code == 0 and set(found["mean_relative_error"]) == set(found["predicted_milliseconds"])
    assert len(found["whole_milliseconds"]) == 2 and found["name"] == "here"
