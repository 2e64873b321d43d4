"""nassim query: one architecture on one benchmark."""

from __future__ import annotations

import math
import random
from pathlib import Path
from typing import Annotated

import typer

from nassim.benchmark import About
from nassim.cli.completion import benchmarks
from nassim.cli.console import Json, NoiseOption, SearchOnOption, duration, print_json
from nassim.cli.tables import print_pairs
from nassim.metric import Metric
from nassim.query import Query
from nassim.registry import get_benchmark

MEAN = "mean of repeats"


def main(
    benchmark: Annotated[str, typer.Argument(help="e.g. nasbench201/cifar10", autocompletion=benchmarks)],
    arch: Annotated[str, typer.Argument(help="its string, its digits, or space:3-1-0-4-2-3")],
    epochs: Annotated[int | None, typer.Option(help="Default: the benchmark's full training.")] = None,
    noise: NoiseOption = "mean",
    search_on: SearchOnOption = "",
    seed: Annotated[int, typer.Option(min=0, help="Draws the repeat under --noise draw.")] = 0,
    draw: Annotated[
        Path | None, typer.Option(help="Also draw the architecture into this file (.png, .pdf, .svg).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Look one architecture up: what was measured with its split, epochs and noise policy, and its cost."""
    bench = get_benchmark(benchmark, noise, search_on=search_on or None)
    architecture = bench.space.parse(arch)
    result = bench.query(Query(architecture, epochs), random.Random(seed))
    full = result.epochs == bench.epochs
    valid = bench.mean_accuracy(architecture) if full else math.nan  # also where the source has none
    metric = bench.metric
    test = bench.test_accuracy(architecture) if full and bench.has_test else None
    seen = "test" if bench.search_metric == metric.on("test") else "valid"
    beyond = _beyond(bench.about, result.value)
    answer = {
        "benchmark": bench.name,
        "architecture": str(architecture),
        "string": bench.space.format(architecture),
        "epochs": result.epochs,
        "noise": str(bench.noise),
        "surrogate": bench.about.surrogate or None,
        "beyond_what_it_was_fitted_to": beyond,
        bench.search_metric: metric.signed(result.value),
        f"{metric.on('valid')}_mean_of_repeats": metric.signed(valid),
        f"{metric.on('test')}_mean_of_repeats": None if test is None else metric.signed(test),
        f"cost_{bench.cost_unit}": result.cost,
        **result.extras,
    }
    if draw is not None:
        from nassim.plots import cell_figure, save_as

        save_as(cell_figure(bench.space, architecture), draw)
    if as_json:
        print_json(answer)
        return
    rows = [("benchmark", bench.name), ("architecture", str(architecture))]
    if answer["string"] != str(architecture):
        rows.append(("string", bench.space.format(architecture)))
    rows.append(("epochs", f"{result.epochs}{', the full training' if full else ''}"))
    drawn = f"{bench.noise}, seed {seed}" if bench.noise.kind == "draw" else str(bench.noise)
    read, means = metric.read(result.value), {"valid": _read(metric, valid), "test": _read(metric, test)}
    if bench.noise.kind == "mean":
        drawn = MEAN
    elif means[seen] == read:
        drawn += f", also the {MEAN}"  # of one training, or of repeats that are alike
    if bench.about.surrogate:
        rows.append(("surrogate", f"{bench.about.surrogate}: values are predictions, costs are declared"))
    rows.append((f"{metric.title(seen)}, {drawn}", read))
    if beyond and bench.about.learned:
        low, high = map(metric.read, bench.about.learned)
        rows.append(("caution", f"{beyond} all that the surrogate was fitted to ({low} to {high}): extrapolated"))
    if full and not bench.has_test:
        means["test"] = f"none in this source. {bench.test_source}"
    if means[seen] == read:
        del means[seen]
    rows += [(f"{metric.title(split)}, {MEAN}", mean) for split, mean in means.items() if mean]
    spent = duration(result.cost) if bench.cost_unit == "seconds" else f"{result.cost:g} {bench.cost_unit}"
    rows.append(("cost of the training" if bench.trains else "simulated cost", spent))
    for name, value in result.extras.items():
        unit = bench.about.extras.get(name, "")
        rows.append((f"{name} [{unit}]" if unit else name, f"{value:,.6g}" if value < 1000 else f"{value:,.0f}"))
    print_pairs(rows)
    if draw is not None:
        typer.echo(f"drawn: {draw}")


def _beyond(about: About, value: float) -> str | None:
    """Whether a surrogate's prediction is above or below all that it was fitted to."""
    if about.learned is None or about.learned[0] <= value <= about.learned[1]:
        return None
    return "above" if value > about.learned[1] else "below"


def _read(metric: Metric, value: float | None) -> str:
    """A value for people; empty where there is none."""
    return "" if value is None or math.isnan(value) else metric.read(value)
