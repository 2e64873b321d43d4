"""A specification guessed from a file: usual names of columns, percent or fraction, numbers or names, seeds, epochs."""

from __future__ import annotations

import gzip
import itertools
import json
from pathlib import Path

import pytest

from nassim.cli.main import main
from nassim.registry import get_benchmark
from nassim.tabular_data.recipes.csv_guess import guess
from nassim.tabular_data.recipes.csv_roles import role_of
from nassim.tabular_data.recipes.csv_spec import Spec, read_spec
from nassim.tabular_data.recipes.csv_table import import_table

Rows = list[dict[str, object]]


def file_of(folder: Path, rows: Rows, name: str = "mine.csv") -> Path:
    path = folder / name
    lines = [",".join(map(str, rows[0])), *(",".join(map(str, row.values())) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def guessed(folder: Path, rows: Rows) -> tuple[Spec, str]:
    """The specification, read as `import` does, and what is unsure of it."""
    found = guess(file_of(folder, rows))
    (folder / "mine.toml").write_text(found.text, encoding="utf-8")
    assert all(f"# - {sentence}\n" in found.text for sentence in found.unsure)
    return read_spec(folder / "mine.toml"), "\n".join(found.unsure)


def grid(**measured: object) -> Rows:
    """Two decisions, all combinations, with what was measured of each; functions take the row's number."""
    both = itertools.product(("conv3x3", "none", "conv5x5"), (64, 16, 8))
    rows: Rows = [{"layer": layer, "width": width} for layer, width in both]
    for i, row in enumerate(rows):
        row.update({name: value(i) if callable(value) else value for name, value in measured.items()})
    return rows


@pytest.mark.parametrize(
    ("name", "kind", "metric", "split", "unit"),
    [
        ("acc", "metric", "accuracy", "", ""),
        ("val_acc", "metric", "accuracy", "valid", ""),
        ("validAccuracy", "metric", "accuracy", "valid", ""),
        ("Validation Accuracy (%)", "metric", "accuracy", "valid", "%"),
        ("test_error %", "metric", "error", "test", "%"),
        ("train_acc", "metric", "accuracy", "train", ""),
        ("val-top1", "metric", "accuracy", "valid", ""),
        ("loss", "metric", "loss", "", ""),
        ("dev_f1", "metric", "f1", "valid", ""),
        ("seed", "repeat", "", "", ""),
        ("run", "repeat", "", "", ""),
        ("epochs", "epoch", "", "", ""),
        ("time_s", "cost", "", "", "seconds"),
        ("train_time", "cost", "", "", ""),
        ("Hours", "cost", "", "", "hours"),
        ("wall time (min)", "cost", "", "", "minutes"),
        ("latency_ms", "property", "", "", "ms"),
        ("split", "split", "", "", ""),
        ("id", "label", "", "", ""),
        ("arch", "architecture", "", "", ""),
        ("width", "", "", "", ""),
        ("learning_rate", "", "", "", ""),
        ("activation", "", "", "", ""),
    ],
)
def test_what_names_say(name: str, kind: str, metric: str, split: str, unit: str) -> None:
    role = role_of(name)
    assert (role.kind, role.name, role.split, role.unit) == (kind, metric, split, unit)


def test_usual_names(tmp_path: Path) -> None:
    rows = grid(seed=1, val_acc=lambda i: 90.5 + i / 10, test_acc=lambda i: 89.5 + i / 10, time_s=12.5, params=1000)
    spec, unsure = guessed(tmp_path, rows)
    assert spec.decisions == {"layer": ("none", "conv3x3", "conv5x5"), "width": ("8", "16", "64")}
    assert spec.percent and (spec.valid, spec.test, spec.repeat) == ("val_acc", "test_acc", "seed")
    assert (spec.cost, spec.cost_seconds, spec.cost_of_epoch) == ("time_s", 1.0, False)
    assert not spec.missing and list(spec.extras) == ["params"]
    assert "order of the options" in unsure and "no column says the epochs" in unsure
    assert len(unsure.splitlines()) == 2  # nothing else is


def test_fractions_and_epochs(tmp_path: Path) -> None:
    """A column of fractions; the cost of a training grows with its epochs."""
    rows = grid(acc=lambda i: 0.5 + i / 100)
    rows = [{**row, "epoch": e, "minutes": e * 2.5} for row in rows for e in (1, 5, 20)]
    spec, unsure = guessed(tmp_path, rows)
    assert not spec.percent and spec.judged == "accuracy" and spec.valid == "acc" and not spec.test
    assert (spec.epoch, spec.cost, spec.cost_seconds, spec.cost_of_epoch) == ("epoch", "minutes", 60.0, False)
    assert "acc does not say its split" in unsure and "continues = true" in unsure


def test_a_cost_of_one_epoch(tmp_path: Path) -> None:
    rows = [{**row, "epoch": e, "time": 30 + e / 100} for row in grid(val_acc=0.5) for e in (1, 20)]
    spec, unsure = guessed(tmp_path, rows)
    assert spec.cost_of_epoch and "hardly grows" in unsure and "does not say its unit" in unsure
    rows = grid(val_acc=0.5, hours_per_epoch=0.1)
    spec, unsure = guessed(tmp_path, rows)
    assert spec.cost_of_epoch and spec.cost_seconds == 3600 and "hardly" not in unsure


def test_errors_and_losses(tmp_path: Path) -> None:
    spec, _ = guessed(tmp_path, grid(**{"val_error %": 5.5, "test_error %": 6.0, "val_loss": 0.3}))
    assert spec.metric.name == "error" and spec.metric.unit == "%" and spec.metric.reading == "negated"
    assert (spec.valid, spec.test) == ("val_error %", "test_error %")
    spec, unsure = guessed(tmp_path, grid(loss=2.5))
    assert (spec.metric.name, spec.metric.reading, spec.valid) == ("loss", "negated", "loss")
    assert "unit of the loss" in unsure


def test_validation_goes_before_a_better_known_metric_of_another_split(tmp_path: Path) -> None:
    spec, unsure = guessed(tmp_path, grid(test_acc=90.0, val_loss=0.3))
    assert spec.metric.name == "loss" and spec.valid == "val_loss" and "left out: test_acc" in unsure
    spec, unsure = guessed(tmp_path, grid(test_acc=90.0, train_acc=99.0))
    assert spec.valid == "test_acc" and not spec.test and "a search would see it" in unsure


@pytest.mark.parametrize(("highest", "percent", "said"), [(1.0, False, ""), (1.5, True, "is it percent?")])
def test_what_may_be_percent(highest: float, percent: bool, said: str, tmp_path: Path) -> None:
    spec, unsure = guessed(tmp_path, grid(val_acc=lambda i: highest if i else 0.25))
    assert spec.percent is percent and said in unsure and ("percent" in unsure) is bool(said)


def test_called_percent_and_looks_like_a_fraction(tmp_path: Path) -> None:
    spec, unsure = guessed(tmp_path, grid(**{"val acc %": 0.93}))
    assert spec.percent and "is it a fraction?" in unsure


def test_accuracies_out_of_range_are_a_score(tmp_path: Path) -> None:
    spec, unsure = guessed(tmp_path, grid(val_acc=lambda i: 20.0 * i))
    assert spec.metric.name == "score" and "from 0 to 160" in unsure


def test_rows_of_a_split(tmp_path: Path) -> None:
    rows = [{**row, "split": split, "acc": 90.0} for row in grid() for split in ("train", "val", "test")]
    spec, unsure = guessed(tmp_path, rows)
    assert (spec.split, spec.value, spec.valid, spec.test) == ("split", "acc", "val", "test")
    assert "twice" not in unsure


def test_missing_architectures_and_rows_that_say_the_same(tmp_path: Path) -> None:
    rows = grid(val_acc=0.5)
    spec, unsure = guessed(tmp_path, [*rows[:5], rows[6], rows[6]])
    assert spec.missing == "sample" and "6 of the 9 possible architectures" in unsure and "twice" in unsure


def test_all_options_in_one_column(tmp_path: Path) -> None:
    cells = itertools.product("021", ("16", "8"))
    rows: Rows = [{"id": i, "arch": "-".join(cell), "val_acc": 0.5, "seed": 3} for i, cell in enumerate(cells)]
    spec, unsure = guessed(tmp_path, rows)
    assert (spec.architecture, spec.separator) == ("arch", "-")
    assert spec.decisions == {"choice1": ("0", "1", "2"), "choice2": ("8", "16")}
    assert "taken apart at '-'" in unsure and "left out: id" in unsure


def test_names_that_toml_and_spaces_do_not_take(tmp_path: Path) -> None:
    cells = list(itertools.product(("a", 'b"', "c\\"), ("0.1", "0.10", "1e-3")))
    rows: Rows = [{"kernel size": x, "größe": y, "val_acc": 0.5} for x, y in cells]
    spec, _ = guessed(tmp_path, rows)
    assert spec.decisions["kernel_size"] == ("a", 'b"', "c\\") and spec.decision_columns == ("kernel size", "größe")
    assert list(spec.decisions.values())[1] == ("0.001", "0.1")


def test_columns_that_are_no_decisions(tmp_path: Path) -> None:
    spec, unsure = guessed(tmp_path, grid(val_acc=0.5, optimizer="sgd", noise=lambda i: i / 7, note=lambda i: f"x{i}"))
    assert list(spec.decisions) == ["layer", "width", "noise"]  # nine values of nine rows may be a decision
    assert "optimizer is always the same" in unsure and "left out: note" in unsure
    many = [{**row, "noise": i * 7 + j} for i, row in enumerate(grid(val_acc=0.5)) for j in range(3)]
    spec, unsure = guessed(tmp_path, many)
    assert list(spec.decisions) == ["layer", "width"] and "noise has 27 different values" in unsure


def test_columns_of_many_epochs_are_told_of_the_pattern(tmp_path: Path) -> None:
    _, unsure = guessed(tmp_path, grid(val_acc_1=0.5, val_acc_12=0.6, val_acc_200=0.9))
    assert "write {epoch} or {repeat} for the number" in unsure


def test_what_was_guessed_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several seeds and epochs; the table answers what the file says."""
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))
    rows = [
        {**row, "seed": s, "epoch": e, "val_acc": 40 + e + i + s / 10, "test_acc": 39 + e + i, "time_s": 10 * e}
        for i, row in enumerate(grid())
        for s in (1, 2, 3)
        for e in (3, 9)
    ]
    spec, _ = guessed(tmp_path, rows)
    import_table("guessed", tmp_path / "mine.csv", spec.path)
    benchmark = get_benchmark("csv/guessed")
    arch = benchmark.space.parse("layer=none, width=64")  # row 3 of the grid
    assert benchmark.mean_accuracy(arch) == pytest.approx((40 + 9 + 3 + 0.2) / 100)
    assert benchmark.fidelities == (3, 9)


def test_no_more_than_the_first_rows_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nassim.tabular_data.recipes.csv_head.ROWS", 9)
    rows = grid(val_acc=0.5)
    _, unsure = guessed(tmp_path, rows)
    assert "rows were read" not in unsure
    _, unsure = guessed(tmp_path, [*rows, {**rows[0], "layer": "late"}])
    assert "only the first 9 rows were read" in unsure


def test_json_and_compressed(tmp_path: Path) -> None:
    rows = grid(val_acc=0.5, seed=1)
    path = tmp_path / "mine.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    plain = guess(file_of(tmp_path, rows))
    found = guess(path)
    assert found.unsure == plain.unsure
    assert found.text.splitlines()[3:] == plain.text.splitlines()[3:]


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It writes beside nothing of the user's, says what is unsure, and what to type next works."""

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))
    file_of(tmp_path, grid(val_acc=lambda i: 0.5 + i / 100, seed=1))
    code, out, err = run("data", "template", "mine.csv")
    assert code == 0 and "written: mine.toml" in out
    assert err.count("unsure: ") == 3
    (typed,) = [line.partition("nassim ")[2] for line in out.splitlines() if "nassim data import" in line]
    assert run(*typed.split())[0] == 0
    assert run("run", "re", "csv/mine", "--budget", "9q")[0] == 0
    code, out, err = run("data", "template", "mine.csv")
    assert code == 2 and not out and err.count("\n") == 1 and "mine.toml is there already" in err
    code, out, err = run("data", "template", "mine.csv", "--to", "-")
    assert code == 0 and out == Path("mine.toml").read_text(encoding="utf-8")
    assert run("data", "template", "mine.csv", "--to", "other.toml")[0] == 0
    assert Path("other.toml").read_text(encoding="utf-8") == out
    code, _, err = run("data", "template", "none.csv")
    assert code == 2 and err.count("\n") == 1 and "is not there" in err
