"""Own tables that are judged by something else than accuracy, from import to report; and trainings that go on."""

from __future__ import annotations

import csv
import itertools
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

import nassim
from nassim.cli.main import main
from nassim.cli.results import print_summary
from nassim.errors import CorruptData, InvalidSetting
from nassim.metric import Metric
from nassim.plots import anytime_figure, panels_figure
from nassim.query import Query
from nassim.registry import get_benchmark
from nassim.report.write import write_report
from nassim.strategy import stream
from nassim.study import Study, compare
from nassim.summary import curve_rows, export_tables, summary_rows
from nassim.tabular_data.own_table import table_path
from nassim.tabular_data.recipes.csv_table import import_table
from nassim.tabular_data.table import read_header
from nassim.testing import check_benchmark

SPEC = """
[decisions]
a = ["0", "1", "2", "3"]
b = ["0", "1", "2", "3"]
c = ["0", "1", "2"]
[metric]
{metric}
valid = "valid"
test = "test"
[training]
{training}
repeat = "seed"
[cost]
column = "seconds"
[extras]
size = {{ column = "size", unit = "parameters" }}
"""
KINDS = {
    "loss": 'name = "loss"\nunit = "nats"\nbetter = "less"',
    "perplexity": 'name = "loss"\nunit = "nats"\nbetter = "less"\nreading = "perplexity"',
    "ssim": 'name = "ssim"\nbetter = "more"',
    "neg_loss": 'name = "neg_loss"\nbetter = "more"',  # as TransNAS-Bench-101 has it for its autoencoder and others
    "miou": 'name = "miou"\nbetter = "more"\nreading = "percent"',
}
EPOCHS = (3, 9)


def measured(kind: str, a: int, b: int, c: int, epochs: int, seed: int, *, test: bool) -> float:
    """What was measured: distinct for all architectures; the best of a loss is the least."""
    miss = (3 - a) * 0.31 + abs(b - 2) * 0.17 + c * 0.023 + 1.2 / epochs + seed * 0.002 + test * 0.01
    shown = {"loss": 0.9 + miss, "perplexity": 0.9 + miss, "ssim": 0.8 - miss / 3, "neg_loss": -0.5 - miss}
    return round(shown.get(kind, 0.9 - miss / 4), 6)


def rows(kind: str, epochs: tuple[int, ...] = EPOCHS) -> list[dict[str, Any]]:
    return [
        {
            **dict(zip(("a", "b", "c", "epoch", "seed"), (a, b, c, e, seed), strict=True)),
            "valid": measured(kind, a, b, c, e, seed, test=False),
            "test": measured(kind, a, b, c, e, seed, test=True),
            "seconds": e * (1 + a + b / 10),
            "size": 100 * a + 10 * b + c,
        }
        for a, b, c, e, seed in itertools.product(range(4), range(4), range(3), epochs, (1, 2))
    ]


def imported(
    tmp_path: Path,
    kind: str,
    *,
    found: list[dict[str, Any]] | None = None,
    metric: str = "",
    training: str = 'epoch = "epoch"',
) -> str:
    """Import a table; the id of its benchmark."""
    found = rows(kind) if found is None else found
    results, spec = tmp_path / f"{kind}.csv", tmp_path / f"{kind}.toml"
    with results.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(found[0]))
        writer.writeheader()
        writer.writerows(found)
    spec.write_text(SPEC.format(metric=metric or KINDS[kind], training=training))
    import_table(kind, results, spec)
    return f"csv/{kind}"


@pytest.fixture(autouse=True)
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("noise", ["draw", "mean", "repeat=2"])
def test_a_table_of_any_metric_meets_the_contract(kind: str, noise: str, tmp_path: Path) -> None:
    check_benchmark(get_benchmark(imported(tmp_path, kind), noise))


@pytest.mark.parametrize("kind", KINDS)
def test_the_table_holds_what_was_measured_and_the_benchmark_answers_with_values(kind: str, tmp_path: Path) -> None:
    benchmark = get_benchmark(imported(tmp_path, kind), "repeat=2")
    metric, header = benchmark.metric, read_header(table_path(kind))
    assert Metric.of(header.metric) == metric
    assert header.metrics == (metric.on("valid"), metric.on("test"))
    assert benchmark.metrics == (metric.on("valid"),)
    sign = 1 if metric.more_is_better else -1
    for epochs in EPOCHS:
        arch = benchmark.space.parse("a=1, b=3, c=2")
        result = benchmark.query(Query(arch, epochs), stream(0, "noise"))
        assert result.value == sign * measured(kind, 1, 3, 2, epochs, 2, test=False)
    best = benchmark.space.parse("a=3, b=2, c=0")
    assert benchmark.mean_accuracy(best) == benchmark.optimum(metric.on("valid"))
    means = [measured(kind, 3, 2, 0, 9, seed, test=True) for seed in (1, 2)]
    assert benchmark.test_accuracy(best) == pytest.approx(sign * sum(means) / 2, abs=1e-9)


@pytest.fixture
def studies(tmp_path: Path) -> dict[str, Study]:
    return {
        kind: compare(["rs", "re", "ls"], [imported(tmp_path, kind)], "25q", seeds=3, out=tmp_path / f"study-{kind}")
        for kind in ("loss", "ssim")
    }


def test_the_incumbent_has_the_best_that_was_seen_and_regret_the_unit_of_the_metric(studies: dict[str, Study]) -> None:
    for kind, better, unit in (("loss", min, "_nats"), ("ssim", max, "")):
        study = studies[kind]
        tables = export_tables(study)
        assert len(study.strategies) == 3
        for run in study.runs:
            key = {"strategy": run.strategy, "seed": run.seed}
            trials = [t for t in tables["trials"] if key.items() <= t.items()]
            seen = [trial[f"valid_{kind}"] for trial in trials]
            assert len(seen) == 25 and all(isinstance(value, float) and value > 0 for value in seen)
            ends = [x for x in tables["incumbents"] if key.items() <= x.items()]
            assert ends[-1][f"observed_valid_{kind}"] == better(seen)
            a, b, c = (int(part) for part in str(ends[-1]["architecture"]).rpartition(":")[2].split("-"))
            mean = sum(measured(kind, a, b, c, 9, seed, test=True) for seed in (1, 2)) / 2
            assert ends[-1][f"test_{kind}_mean_of_repeats"] == pytest.approx(mean, abs=1e-9)
        optimum = sum(measured(kind, 3, 2, 0, 9, seed, test=True) for seed in (1, 2)) / 2
        for row in summary_rows(study):
            finals = [x for x in study.runs if x.strategy == row["strategy"]]
            sign = 1 if kind == "ssim" else -1
            mean = sum(sign * (run.curve[-1].test or math.nan) for run in finals) / 3
            assert row[f"final_test_{kind}_mean{unit}"] == pytest.approx(mean)
            regret = row[f"final_test_regret_mean{unit}"]
            assert isinstance(regret, float) and regret >= 0
            assert regret == pytest.approx(sign * (optimum - mean), abs=1e-9)
            assert not [name for name in row if "accuracy" in name or "percent" in name or name.endswith("_pp")]
        for row in curve_rows(study):
            assert float(str(row[f"regret_median{unit}"])) >= 0


def test_the_report_and_the_figures_name_the_metric_and_never_accuracy(
    studies: dict[str, Study], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind, title in (("loss", "loss [nats]"), ("ssim", "ssim")):
        folder, study = tmp_path / f"study-{kind}", studies[kind]
        label = anytime_figure(study, f"csv/{kind}").axes[0].get_ylabel()
        assert label.startswith(f"test {kind} regret" + (" [nats]" if kind == "loss" else ""))
        print_summary(study)
        write_report(study, folder, figures=False)
        printed = capsys.readouterr().out
        text = (folder / "report.md").read_text()
        page = (folder / "report.html").read_text()
        page = page[: page.index('<script type="application/json"')]
        page = page[: page.index("<style>")] + page[page.index("</style>") :]
        for what in (printed, text, page):
            assert kind in what
            assert "ccurac" not in what and "percentage points" not in what
        assert f"| test {title} |" in text.replace("\\[", "[").replace("\\]", "]")
        assert f"test {kind} regret" in text
        points = re.findall(r"<h3>([^<]*)</h3>", page)
        assert any(re.fullmatch(rf"[0-9.]+( nats)? test {kind}, [0-9.]+( nats)? validation {kind}", p) for p in points)
        assert json.loads(re.findall(r'id="data">(.*?)</script>', (folder / "report.html").read_text())[0])[
            "benchmarks"
        ][0]["metric"]["kind"] == ("down" if kind == "loss" else "up")


def test_a_study_on_several_metrics_has_the_columns_of_all(tmp_path: Path) -> None:
    names = [imported(tmp_path, "loss"), imported(tmp_path, "miou"), "toy/additive"]
    study = compare(["re"], names, "10q", seeds=2)
    assert len(panels_figure(study).axes) >= 3
    trials = export_tables(study)["trials"]
    for name, column in zip(names, ("valid_loss", "valid_miou", "valid_accuracy"), strict=True):
        for trial in (t for t in trials if t["benchmark"] == name):
            others = {"valid_loss", "valid_miou", "valid_accuracy"} - {column}
            assert trial[column] is not None and not [c for c in others if trial[c] is not None]
    labels = [axes.get_ylabel().partition("\n")[0] for axes in panels_figure(study).axes[:3]]
    assert labels == [
        "test loss regret [nats]",
        "test miou regret [percentage points]",
        "test regret [percentage points]",
    ]


def test_query_show_and_run_print_what_was_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*arguments: str) -> str:
        with pytest.raises(SystemExit) as ended:
            main(list(arguments))
        assert not ended.value.code, arguments
        return capsys.readouterr().out

    name, worst = imported(tmp_path, "loss"), "a=0, b=0, c=2"
    mean = sum(measured("loss", 0, 0, 2, 9, seed, test=False) for seed in (1, 2)) / 2
    assert f"{mean:.4g} nats" in said("query", name, worst)
    assert json.loads(said("query", name, worst, "--json"))["valid_loss"] == pytest.approx(mean)
    shown = said("show", name)
    assert "best loss" in shown and "nats" in shown and "ccurac" not in shown
    run = said("run", "re", name, "--budget", "9q")
    assert "mean valid loss [nats]" in run and "values of loss" in run and "ccurac" not in run
    first = json.loads(said("run", "re", name, "--budget", "9q", "--json"))
    assert min(t["valid_loss"] for t in first["trials"]) == first["incumbents"][-1]["observed_valid_loss"] > 0
    perplexity = said("query", imported(tmp_path, "perplexity"), worst)
    assert f"{math.exp(mean):.4g}" in perplexity and "validation perplexity" in perplexity


@pytest.mark.parametrize("algorithm", ["regularized_evolution", "local_search", "reinforce", "gp_bo", "pnas"])
def test_strategies_search_among_negative_values(algorithm: str, tmp_path: Path) -> None:
    result = nassim.run(algorithm, imported(tmp_path, "loss"), "20q", seed=1)
    assert result.best.observed == max(trial.value for trial in result.trials) < 0


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ('name = "loss"', r"metric\.better is missing: use 'less' or 'more'"),
        ('name = "loss"\nbetter = "fewer"', r"metric\.better = 'fewer' is not known"),
        ('name = "loss"\nbetter = "less"\nreading = "percent"', r"metric\.reading = 'percent' is not known: use 'perp"),
        ('name = "loss"\nbetter = "more"\nreading = "bits"', r"metric\.reading = 'bits' is not known: use 'percent'"),
        ('name = "Loss"\nbetter = "less"', r"metric\.name = 'Loss' .*small letters"),
        ('better = "less"', r"metric\.name = ''"),
        ('name = "accuracy"\nbetter = "more"', r"metric\.name = 'accuracy': accuracies have a section of their own"),
        ('name = "loss"\nbetter = "less"\nunits = "x"', r"metric\.units is not a key .*metric\.unit"),
        ('name = "size"\nbetter = "less"\n[accuracy]\nunit = "percent"', r"metric stands beside accuracy"),
    ],
)
def test_mistakes_in_the_section_of_the_metric(metric: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match=message) as raised:
        imported(tmp_path, "loss", metric=metric)
    assert "\n" not in str(raised.value)


def test_what_is_read_in_percent_is_a_fraction(tmp_path: Path) -> None:
    found = rows("miou")
    found[5]["valid"] = 51.3
    with pytest.raises(CorruptData, match=r"row 7, column valid: 51\.3 is not a miou .* between 0 and 1"):
        imported(tmp_path, "miou", found=found)
    found[5]["valid"] = "inf"
    with pytest.raises(CorruptData, match="not a finite number"):
        imported(tmp_path, "loss", found=found)


@pytest.mark.parametrize("noise", ["draw", "mean", "repeat=2"])
def test_trainings_that_go_on(noise: str, tmp_path: Path) -> None:
    training = 'epoch = "epoch"\ncontinues = true'
    benchmark = get_benchmark(imported(tmp_path, "loss", training=training), noise)
    assert benchmark.continues
    check_benchmark(benchmark)
    assert not get_benchmark(imported(tmp_path, "loss"), noise).continues


def test_what_cannot_go_on_is_refused(tmp_path: Path) -> None:
    short = rows("loss", epochs=(9,))
    training = 'epoch = "epoch"\ncontinues = true'
    with pytest.raises(
        InvalidSetting, match=r"training\.continues = true, and every training is of 9 epochs"
    ) as raised:
        imported(tmp_path, "loss", found=short, training=training)
    assert "\n" not in str(raised.value)
    with pytest.raises(InvalidSetting, match=r"training\.continues = true, and every training is of 9 epochs"):
        imported(tmp_path, "loss", found=short, training="epochs = 9\ncontinues = true")
    with pytest.raises(InvalidSetting, match=r"training\.continues = 1 must be true or false"):
        imported(tmp_path, "loss", training='epoch = "epoch"\ncontinues = 1')
    broken = [row for row in rows("loss") if (row["a"], row["seed"], row["epoch"]) != (2, 2, 3)]
    with pytest.raises(InvalidSetting, match=r"a=2, b=0, c=0, repeat 2 has nothing after 3 epochs"):
        imported(tmp_path, "loss", found=broken, training=training)
    assert not table_path("loss").exists()


def test_an_extra_cannot_take_the_place_of_a_column(tmp_path: Path) -> None:
    metric = KINDS["loss"].replace('"loss"', '"size"')
    imported(tmp_path, "loss", metric=metric)  # valid_size and test_size are no extras
    for name in ("valid_loss", "test_loss", "train_seconds", "choices"):
        text = SPEC.format(metric=KINDS["loss"], training="epochs = 9").replace("size = {", f"{name} = {{")
        (tmp_path / "taken.toml").write_text(text)
        with pytest.raises(InvalidSetting, match=rf"extras\.{name} cannot be called so"):
            import_table("taken", tmp_path / "loss.csv", tmp_path / "taken.toml")
