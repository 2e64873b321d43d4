"""Exact fronts of tables, the figure of a front, and what is measured of it."""

from __future__ import annotations

import csv
import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import nassim
from nassim.cli.main import main
from nassim.errors import InvalidSetting, Unsupported
from nassim.objectives import is_rate, keys_of, limit_of, parse_constraint, parse_objectives
from nassim.paper.choice import choose
from nassim.paper.front import ANSWERS, front_paper, fronts_of
from nassim.paper.looks import TEXT, paper_style, renderer_of
from nassim.report.true_fronts import against_everything, as_measured, true_fronts
from nassim.study import Study, compare

SOUGHT = ("valid_accuracy", "flops")


@pytest.fixture(scope="module")
def study() -> Study:
    sought = {"objectives": "valid_accuracy,flops", "constraint": "flops<=2M"}
    return compare(["re", "nsga2", "bo"], ["nasbench201_3ops/fashion14"], "30q", seeds=4, **sought)


def test_a_true_front_is_what_nothing_in_the_table_dominates() -> None:
    """By definition, over all pairs; the networks that guess are those without a way from input to output."""
    benchmark = nassim.get_benchmark("nasbench201_3ops/fashion14", "mean")
    (front,) = true_fronts(benchmark, [SOUGHT])
    rows = as_measured(front, benchmark)
    assert front.guessing > 0 and front.missing == 0
    accuracy, flops = ([float(str(row[name])) for row in rows] for name in ("valid_accuracy_percent", "flops"))
    assert accuracy == sorted(accuracy, reverse=True) and flops == sorted(flops, reverse=True)
    every = [
        (100 * benchmark.mean_accuracy(arch), benchmark.measure(arch)["flops"])
        for arch in benchmark.space.architectures()
    ]
    for row, a, f in zip(rows, accuracy, flops, strict=True):
        arch = benchmark.space.parse(str(row["architecture"]))
        assert (100 * benchmark.mean_accuracy(arch), benchmark.measure(arch)["flops"]) == (pytest.approx(a), f)
        assert not [1 for b, g in every if b > a + 1e-9 and g <= f]
    lowest = min(accuracy)
    for b, g in every:  # and all others are dominated or equal, but those below the front that guess
        assert b < lowest or any(a >= b - 1e-9 and f <= g for a, f in zip(accuracy, flops, strict=True))


@pytest.mark.slow
def test_true_fronts_of_every_device(genuine_data: Path) -> None:
    """Of 33 settings of devices on NAS-Bench-201; on the edge TPU what has no value is left out."""
    benchmark = nassim.get_benchmark("nasbench201/cifar10", "mean")
    fronts = {front.objectives[1]: front for front in true_fronts(benchmark, against_everything(benchmark))}
    devices = [name for name in fronts if name.startswith(("latency", "energy"))]
    assert len(devices) == 33 and sum(name.startswith("energy_") for name in devices) == 3
    assert {name: front.missing for name, front in fronts.items() if front.missing} == {"latency_edgetpu": 4358}
    best = max(benchmark.mean_accuracy(arch) for arch in benchmark.space.architectures())
    for front in fronts.values():
        assert front.points[0, 0] == pytest.approx(100 * (1 - best)) or front.missing
        steps = np.diff(np.unique(front.points, axis=0), axis=0)  # equal points are all kept
        assert (steps[:, 0] > 0).all() and (steps[:, 1] < 0).all()


@pytest.mark.slow
def test_of_a_rate_the_largest_ends_the_front(genuine_data: Path) -> None:
    benchmark = nassim.get_benchmark("accel_nasbench/imagenet", "mean")
    (front,) = true_fronts(benchmark, [("valid_accuracy", "throughput_a100")])
    rows = as_measured(front, benchmark)
    speeds = [float(str(row["throughput_a100"])) for row in rows]
    measured = [benchmark.measure(arch).get("throughput_a100", 0.0) for arch in benchmark.space.architectures()]
    assert speeds == sorted(speeds) and speeds[-1] == max(measured) > 0


def test_what_has_no_true_front_is_one_line() -> None:
    benchmark = nassim.get_benchmark("toy/additive")
    with pytest.raises(
        InvalidSetting, match=r"toy/additive has no flops. It has valid_accuracy, test_accuracy, parameters"
    ):
        true_fronts(benchmark, [SOUGHT])
    with pytest.raises(Unsupported, match="has no true front"):
        true_fronts(nassim.get_benchmark("darts/cifar10"), [("valid_accuracy", "parameters")])


def test_the_command_prints_and_writes_them(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    def output(*arguments: str) -> str:
        with pytest.raises(SystemExit) as left:
            main(["front", *arguments])
        assert not left.value.code
        return capsys.readouterr().out

    assert "parameters" in output("toy/additive")
    target = tmp_path / "front.csv"
    text = output("toy/additive", "--objectives", "valid_accuracy,parameters", "--to", str(target))
    assert "Reference point" in text
    with target.open(newline="") as file:
        written = list(csv.DictReader(file))
    (told,) = json.loads(output("toy/additive", "--objectives", "valid_accuracy,parameters", "--json"))
    assert [row["architecture"] for row in written] == [row["architecture"] for row in told["front"]]
    assert told["hypervolume"] > 0


def test_a_rate_is_read_off_its_unit() -> None:
    units = {"throughput_a100": "images/s", "latency_a": "ms", "latency": "seconds, measured"}
    assert [name for name, unit in units.items() if is_rate(unit)] == ["throughput_a100"]
    found = parse_objectives("valid_accuracy,throughput[a100]", metric="valid_accuracy", extras=units, benchmark="b")
    assert found[1].rate and not found[0].rate
    with pytest.raises(InvalidSetting, match=r"has no 'latency\[b\]' to search by. It has latency_a\."):
        parse_constraint("latency[b]<=1ms", extras=units, benchmark="b")


def test_constraints_are_printed_as_they_are_read() -> None:
    extras = {"flops": "multiply-adds", "latency_pixel3": "ms"}
    for text, printed, limit in (
        ("flops<=60M", "flops<=60M", 6e7),
        ("flops<=2.5G", "flops<=2.5G", 2.5e9),
        ("flops<=3k", "flops<=3000", 3000.0),
        ("latency[pixel3]<=0.005s", "latency_pixel3<=5ms", 5.0),
    ):
        bound = parse_constraint(text, extras=extras, benchmark="b")
        assert str(bound) == printed and limit_of(printed)[1] == limit == pytest.approx(bound.limit if bound else 0)
    assert keys_of("valid_accuracy, latency[pixel3]") == ["valid_accuracy", "latency_pixel3"] and keys_of("") is None


@pytest.mark.slow
def test_the_figure_tells_front_visited_and_answers_apart(study: Study) -> None:
    """At 3.3 inches: text of 7 points that meets no other text, answers within the limit, marks of few."""
    choice = choose(study, width="3.3in")
    (front,) = fronts_of(study)
    assert all((found.answers[:, 1] <= 2e6).all() and len(found.answers) == 4 for found in front.strategies.values())
    with paper_style():
        figure = front_paper([front], choice)
        figure.canvas.draw()
        renderer = renderer_of(figure)
        axes, legend = figure.axes[0], figure.legends[0]
        texts = [t for t in [*axes.get_xticklabels(), *axes.get_yticklabels(), *legend.get_texts()] if t.get_text()]
        texts += [axes.xaxis.label, axes.yaxis.label]
        assert {t.get_fontsize() for t in texts} == {TEXT}
        boxes = [t.get_window_extent(renderer) for t in texts]
    assert figure.get_figwidth() == pytest.approx(3.3)
    assert not [1 for a, b in combinations(boxes, 2) if a.overlaps(b)]
    width, height = figure.get_size_inches() * figure.dpi
    assert all(b.x0 >= -1 and b.y0 >= -1 and b.x1 <= width + 1 and b.y1 <= height + 1 for b in boxes)
    assert [t.get_text() for t in legend.get_texts()][-3:] == ["true front", "trained by any", "limit"]
    kinds = {(line.get_color(), line.get_linestyle(), line.get_marker()) for line in axes.lines}
    assert len(kinds) == 2 * len(choice.names) + 3  # a line and marks each, and the three of the legend's end
    marks = [line for line in axes.lines if line.get_marker() in "os^Dv" and line.get_linestyle() == "None"]
    assert len(marks) == len(choice.names) and all(len(line.get_xdata()) <= ANSWERS for line in marks)
    attained = {tuple(np.round(np.asarray(line.get_ydata(), float), 9)) for line in axes.lines}
    assert all(tuple(np.round(found.attained[:, 0], 9)) in attained for found in front.strategies.values())


@pytest.mark.slow
def test_attainment_over_seeds_by_definition(study: Study) -> None:
    """Each corner of the median surface is attained by two of the four runs at least, and none better is."""
    (front,) = fronts_of(study)
    benchmark = nassim.get_benchmark("nasbench201_3ops/fashion14")
    runs: dict[int, list[tuple[float, float]]] = {}
    for trial in study.trials():
        if trial.strategy == "nsga2":
            arch = benchmark.space.parse(trial.row.architecture)
            point = (100 * (1 - benchmark.mean_accuracy(arch)), benchmark.measure(arch)["flops"])
            runs.setdefault(trial.seed, []).append(point)
    for error, flops in front.strategies["nsga2"].attained.tolist():
        by = sum(any(e <= error + 1e-9 and f <= flops for e, f in points) for points in runs.values())
        better = sum(any(e < error - 1e-9 and f <= flops for e, f in points) for points in runs.values())
        assert by >= 2 > better
