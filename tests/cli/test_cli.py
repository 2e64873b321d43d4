"""The command line as a user types it: what is printed, and one clear error for each mistake."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nassim.cli.main import main
from nassim.registry import algorithm_names, benchmark_names, get_algorithm
from nassim.version import __version__

Capture = pytest.CaptureFixture[str]


class Outcome:
    """Exit code and output of one command."""

    def __init__(self, capsys: Capture, *arguments: str) -> None:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        self.code = ended.value.code or 0
        self.out, self.err = capsys.readouterr()

    @property
    def json(self) -> dict[str, object]:
        assert self.code == 0, self.err
        found: dict[str, object] = json.loads(self.out)
        return found


def test_help_names_every_command(capsys: Capture) -> None:
    found = Outcome(capsys, "--help")
    assert found.code == 0
    for command in ("list", "show", "query", "run", "compare", "plot", "export"):
        assert f" {command} " in found.out
        assert Outcome(capsys, command, "--help").code == 0


def test_version(capsys: Capture) -> None:
    assert Outcome(capsys, "--version").out.strip() == __version__


def test_lists(capsys: Capture) -> None:
    algorithms = Outcome(capsys, "list", "algorithms").out
    for name in algorithm_names():
        assert name in algorithms
        for alias in get_algorithm(name).aliases:
            assert alias in algorithms
    assert "darts" in algorithms
    assert "supernet" in algorithms
    rows: object = Outcome(capsys, "list", "benchmarks", "--json").json
    assert isinstance(rows, list)
    assert [row["name"] for row in rows] == benchmark_names()
    assert "nasbench201" in Outcome(capsys, "list", "spaces").out
    assert "15625" in Outcome(capsys, "list", "spaces", "--json").out


@pytest.mark.parametrize("name", algorithm_names())
def test_show_an_algorithm(capsys: Capture, name: str) -> None:
    page = Outcome(capsys, "show", name).out
    for heading in ("Paper", "Pseudocode", "Departures", "Hyperparameters"):
        assert f"\n{heading}" in page
    data = Outcome(capsys, "show", name, "--json").json
    assert data["pseudocode"]
    assert data["paper"]
    shown = data["hyperparameters"]
    assert isinstance(shown, list)
    assert [row["name"] for row in shown] == list(get_algorithm(name).parameters)
    assert all(row["meaning"] for row in shown)


def test_show_a_benchmark_and_a_space(capsys: Capture) -> None:
    data = Outcome(capsys, "show", "nasbench201/cifar10", "--json").json
    for key in ("splits", "source", "licence", "citation", "data sha256"):
        assert data[key], key
    text = Outcome(capsys, "show", "nasbench201/cifar10").out
    assert "91.607" in text or "91.61" in text
    assert "synthetic" in Outcome(capsys, "show", "toy/additive").out
    assert (
        "15,625" in Outcome(capsys, "show", "nasbench201").out or "15625" in Outcome(capsys, "show", "nasbench201").out
    )


def test_query_in_all_three_spellings(capsys: Capture) -> None:
    official = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|"
    spellings = [official, "333132", "nasbench201:3-3-3-1-3-2", "3-3-3-1-3-2"]
    found = [Outcome(capsys, "query", "nasbench201/cifar10", text, "--json").json for text in spellings]
    assert all(answer == found[0] for answer in found)
    assert found[0]["string"] == official
    assert found[0]["valid_accuracy"] == pytest.approx(0.916067, abs=1e-6)  # the published optimum, mean of repeats
    text = Outcome(capsys, "query", "nasbench201/cifar10", "333132").out
    assert "validation accuracy, mean of repeats" in text
    assert "91.61 %" in text
    assert "test accuracy" in text


def test_query_draws_the_cell(capsys: Capture, tmp_path: Path) -> None:
    found = Outcome(capsys, "query", "nasbench201/cifar10", "333132", "--draw", str(tmp_path / "cell.png"))
    assert found.code == 0
    assert (tmp_path / "cell.png").read_bytes().startswith(b"\x89PNG")


def test_run(capsys: Capture) -> None:
    arguments = ("run", "re", "toy/additive", "--budget", "40q", "--seed", "3", "--set", "sample_size=5")
    arguments += ("--set", "population_size=10")
    data = Outcome(capsys, *arguments, "--json").json
    assert data["hyperparameters"] == {"population_size": 10, "sample_size": 5, "limit": "reject"}
    trials = data["trials"]
    assert isinstance(trials, list)
    assert len(trials) == 40
    text = Outcome(capsys, *arguments).out
    assert "sample_size=5" in text
    assert "mean test %" in text
    assert str(data["incumbents"][-1]["architecture"]) in text  # type: ignore[index]


COMPARE = ("compare", "--algos", "re,ls", "--benchmark", "toy/additive", "--benchmark", "toy/deceptive")
COMPARE += ("--budget", "20q", "--seeds", "3", "--jobs", "1")


@pytest.mark.slow
def test_compare_plot_export(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "study"
    text = Outcome(capsys, *COMPARE, "--out", str(out)).out
    assert "random_search" in text
    assert "regret" in text
    for name in ("study.db", "summary.csv", "curves.csv"):
        assert (out / name).stat().st_size > 0
        assert str(out / name) in text
    for name in ("anytime-toy-additive.png", "anytime-toy-additive.pdf", "anytime-toy-deceptive.png"):
        assert (out / "figures" / name).stat().st_size > 1000
    with (out / "summary.csv").open() as file:
        summary = list(csv.DictReader(file))
    assert len(summary) == 6
    before = {path: path.read_bytes() for path in out.rglob("*.*") if path.suffix in (".csv", ".png", ".pdf")}
    assert Outcome(capsys, "plot", str(out)).code == 0
    assert before == {path: path.read_bytes() for path in before}  # the same study, the same bytes
    files = Outcome(capsys, "export", str(out), "--json").json["files"]
    assert isinstance(files, list)
    with (out / "export" / "trials.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 2 * 3 * 3 * 20
    data = Outcome(capsys, *COMPARE, "--out", str(out), "--json").json  # continues: everything is there
    assert [row["strategy"] for row in data["summary"]] == [row["strategy"] for row in summary]  # type: ignore[attr-defined]


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_the_same_command_finds_its_default_folder(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = Outcome(capsys, *COMPARE, "--json").json["out"]
    assert Outcome(capsys, *COMPARE, "--json").json["out"] == first
    assert Outcome(capsys, *COMPARE, "--set", "re.sample_size=2", "--json").json["out"] != first


@pytest.mark.usefixtures("undrawn")
def test_where_there_is_no_supernet_darts_is_left_out_and_the_others_run(capsys: Capture, tmp_path: Path) -> None:
    arguments = [*COMPARE[:2], "re,darts", *COMPARE[3:], "--out", str(tmp_path / "study")]
    found = Outcome(capsys, *arguments)
    assert found.code == 0
    assert "darts on toy/additive is left out: darts shares weights: it needs a benchmark with a supernet" in found.err
    assert "regularized_evolution" in found.out
    left_out = Outcome(capsys, *arguments, "--json").json["left_out"]
    assert isinstance(left_out, dict) and list(left_out) == ["darts on toy/additive", "darts on toy/deceptive"]


MISTAKES = [
    (("compare", "--algos", "regularised_evolution"), "Did you mean regularized_evolution"),
    (("compare", "--algos", "re", "--benchmark", "nasbench201/cifar"), "nasbench201/cifar10"),
    (("compare", "--algos", ","), "names no strategy"),
    (("compare", "--algos", "darts", "--benchmark", "toy/additive"), "supernet"),
    (("compare", "--algos", "re", "--budget", "-5q"), "budget '-5q'"),
    (("compare", "--algos", "re", "--budget", "0s"), "must be positive"),
    (("compare", "--algos", "re", "--budget", "many"), "150q"),
    (("compare", "--algos", "re,ls", "--set", "sample_size=3"), "ALGORITHM.NAME=VALUE"),
    (("compare", "--algos", "re", "--set", "re.samples=3"), "no hyperparameter 'samples'"),
    (("compare", "--algos", "re", "--set", "re.sample_size=many"), "not a whole number"),
    (("compare", "--algos", "re", "--set", "re.sample_size=0"), "at least 1"),
    (("compare", "--algos", "re", "--set", "bo.n_init=3"), "bo is not among --algos"),
    (("compare", "--algos", "re", "--noise", "loud"), "draw, mean or repeat=k"),
    (("compare", "--algos", "re", "--benchmark", "toy/additive", "--noise", "repeat=9"), "repeat=9"),
    (("compare", "--algos", "re", "--out", "/proc/nassim"), "/proc/nassim"),
    (("compare", "--algos", "re", "--bogus"), "No such option"),
    (("compare", "--algos", "re", "--seeds", "0"), "seeds"),
    (("compare",), "--algos"),
    (("run", "re", "toy/additive", "--set", "x"), "NAME=VALUE"),
    (("run", "darts", "toy/additive"), "supernet"),
    (("record", "re"), "trains no supernet"),
    (("record",), "name the strategy"),
    (("record", "darts", "--benchmark", "toy/additive"), "has no supernet"),
    (("run", "re", "toy/additive", "--workers", "0"), "workers"),
    (("query", "nasbench201/cifar10", "333139"), "not an architecture"),
    (("query", "nasbench201/cifar10", "|none~0|+|none~0|none~1|+|none~0|none~1|none~9|"), "not an architecture"),
    (("query", "nasbench201/cifar10", "333132", "--epochs", "13"), "not after 13"),
    (("query", "nasbench201/cifar10", "333132", "--draw", "cell.xyz"), ".png, .pdf or .svg"),
    (("query", "nasbench/cifar10", "333132"), "is not a benchmark"),
    (("show", "reinforc"), "Did you mean reinforce"),
    (("show", "gda"), "Did you mean gdas"),
    (("list", "everything"), "everything"),
    (("plot", "/nowhere"), "there is no study at /nowhere"),
    (("export", "/nowhere"), "there is no study at /nowhere"),
    (("frobnicate",), "No such command"),
]


@pytest.mark.parametrize(("arguments", "says"), MISTAKES, ids=[" ".join(a)[:60] for a, _ in MISTAKES])
def test_a_mistake_gets_one_clear_error(
    capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    found = Outcome(capsys, *arguments)
    assert found.code == 2
    assert says in " ".join(found.err.replace("│", " ").split())
    assert "Traceback" not in found.err
    assert found.out == ""
    assert list(tmp_path.iterdir()) == []  # nothing was made


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(min_size=1).filter(lambda t: not t.startswith("-")))
def test_nonsense_never_gets_a_traceback(capsys: Capture, text: str) -> None:
    for arguments in (
        ("query", "toy/additive", text),
        ("query", text, "0000"),
        ("show", text),
        ("run", "rs", "toy/additive", "--budget", text),
        ("run", "rs", "toy/additive", "--budget", "3q", "--noise", text),
        ("run", "re", "toy/additive", "--budget", "3q", "--set", text),
        ("run", "re", "toy/additive", "--budget", "3q", "--set", f"sample_size={text}"),
    ):
        found = Outcome(capsys, *arguments)
        assert found.code in (0, 2)
        assert "Traceback" not in found.err


@pytest.mark.slow
def test_as_a_process() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nassim.cli.main", "query", "toy/additive", "7777"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: '7777' is not an architecture of toy.")
    assert done.stderr.count("\n") == 1
