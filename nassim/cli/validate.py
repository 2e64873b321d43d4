"""nassim validate: what a study found, trained anew and held against the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nassim.cli.console import DeviceOption, Json, console, percent, print_json, print_table
from nassim.cli.train import EpochsOption, RecipeOption
from nassim.errors import Unsupported
from nassim.files import file_name
from nassim.registry import get_benchmark, get_space, image_names, training_spaces

if TYPE_CHECKING:
    from nassim.full_training.training.validation import Validated, Verdict
    from nassim.space import Architecture
    from nassim.study import Study


def main(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that compare or run wrote.")],
    top: Annotated[int, typer.Option(min=1, help="Architectures: the best that the study ended with.")] = 5,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each, with seeds that no table has.")] = 3,
    recipe: RecipeOption = "",
    epochs: EpochsOption = None,
    device: DeviceOption = "auto",
    as_json: Json = False,
) -> None:
    """Retrain the best architectures of a study and say whether its ranking holds."""
    from nassim.full_training.training.device import choose_device, describe, require_torch
    from nassim.full_training.training.trained import Trained
    from nassim.full_training.training.usual import recipe_for
    from nassim.full_training.training.validation import judge, retrain
    from nassim.plots import save, validation_figure
    from nassim.study import Study

    require_torch("validation")
    study = Study.open(folder)
    usable = {name: training for name in study.benchmarks if (training := _training(study, name))}
    if not usable:
        raise Unsupported(
            f"nothing in {folder} can be retrained: it has {', '.join(study.benchmarks)}; there are networks for "
            f"{', '.join(training_spaces())}, and images for {', '.join(image_names())}."
        )
    err = console(stderr=True)
    err.print(f"device: {describe(choose_device(device))}", soft_wrap=True)
    answers = {}
    for name, training in usable.items():
        bench = get_benchmark(training)
        assert isinstance(bench, Trained)
        bench.device = device
        changes: Mapping[str, int] = {} if epochs is None else {"epochs": epochs}
        bench.use(recipe_for(bench.space, bench.data, recipe, **changes))
        chosen = _best(study, name, top)
        found = retrain(chosen, bench, seeds, tell=lambda line: err.print(line, soft_wrap=True))
        verdict = judge(found)
        points = [(each.tabulated, each.mean, each.error) for each in found]
        figure = validation_figure(points, title=f"{name}: retrained by {bench.recipe.name}, {seeds} seeds")
        target = folder / "figures" / f"validation-{file_name(name)}"
        answers[name] = {
            "recipe": bench.recipe.name,
            "epochs": bench.epochs,
            "architectures": [{**asdict(each), "mean": each.mean, "difference": each.difference} for each in found],
            **asdict(verdict),
            "figures": save(figure, target),
        }
        if not as_json:
            _print(name, found, verdict)
            typer.echo(f"figure: {target}.png")
    if as_json:
        print_json(answers)


def _training(study: Study, name: str) -> str:
    """The id of what trains the architectures that a study found on a benchmark; empty if there is nothing."""
    images = name.partition(":")[0].partition("/")[2]
    spaces = {arch.partition(":")[0] for arch, _, _ in _ended(study, name)}
    there = images in image_names() and len(spaces) == 1 and spaces <= set(training_spaces())
    return f"{spaces.pop()}/{images}:training" if there else ""


def _ended(study: Study, benchmark: str) -> Iterator[tuple[str, float, str]]:
    """The final answers on a benchmark: architecture, tabulated mean validation accuracy, strategy."""
    for run in study.runs:
        if run.benchmark == benchmark and run.curve:
            end = run.curve[-1]
            yield end.architecture, end.valid or 0.0, run.strategy


def _best(study: Study, benchmark: str, top: int) -> list[tuple[Architecture, float, tuple[str, ...]]]:
    """The best distinct final answers of a study's runs by their tabulated mean validation accuracy."""
    by_arch: dict[str, tuple[float, set[str]]] = {}
    for arch, valid, strategy in _ended(study, benchmark):
        by_arch.setdefault(arch, (valid, set()))[1].add(strategy)
    ranked = sorted(by_arch.items(), key=lambda item: (-item[1][0], item[0]))[:top]
    space = get_space(next(iter(by_arch)).partition(":")[0])
    return [(space.parse(arch), valid, tuple(sorted(names))) for arch, (valid, names) in ranked]


def _print(name: str, found: list[Validated], verdict: Verdict) -> None:
    typer.echo(f"\n{name}")
    columns = ["architecture", "tabulated %", "measured %", "± standard error", "difference", "test %", "found by"]
    rows = []
    for each in found:
        test = [value for value in each.test if value is not None]
        rows.append(
            [
                each.arch,
                percent(each.tabulated),
                percent(each.mean),
                percent(each.error),
                f"{100 * each.difference:+.2f}",
                percent(sum(test) / len(test) if test else None),
                ", ".join(each.found_by),
            ]
        )
    print_table(columns, rows)
    tau = "–" if verdict.kendall != verdict.kendall else f"{verdict.kendall:.2f}"
    typer.echo(
        f"rank agreement (Kendall's tau): {tau}; noise between repeats: {percent(verdict.noise)} points; "
        f"mean difference: {100 * verdict.mean_difference:+.2f} points"
    )
    typer.echo(verdict.text)
