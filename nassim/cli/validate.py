"""nassim validate: what a study found, trained anew and held against the table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nassim.cli.console import DeviceOption, Json, console, print_json
from nassim.cli.tables import print_table, say
from nassim.cli.train import EpochsOption, RecipeOption
from nassim.errors import Unsupported
from nassim.files import file_name
from nassim.registry import get_benchmark, get_space, image_names, training_spaces

if TYPE_CHECKING:
    from nassim.report.validation import Validation
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
    """Retrain the best architectures of a study, say what can be told apart and whether its ranking holds there."""
    from nassim.full_training.training.device import choose_device, describe, require_torch
    from nassim.full_training.training.trained import Trained
    from nassim.full_training.training.usual import recipe_for
    from nassim.full_training.training.validation import retrain
    from nassim.plots import save, validation_figure
    from nassim.report.training_curves import mean_curve
    from nassim.report.validation import FILE, Cell, Validation, write_validations
    from nassim.report.write import write_report
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
    answers: dict[str, dict[str, object]] = {}
    validations: dict[str, Validation] = {}
    for name, training in usable.items():
        bench = get_benchmark(training)
        assert isinstance(bench, Trained)
        bench.device = device
        changes: Mapping[str, int] = {} if epochs is None else {"epochs": epochs}
        bench.use(recipe_for(bench.space, bench.data, recipe, **changes))
        chosen = _best(study, name, top)
        found = retrain(chosen, bench, seeds, tell=lambda line: err.print(line, soft_wrap=True))
        cells = tuple(
            Cell(
                *(each.arch, each.found_by, each.tabulated, each.measured, each.test),
                curve=mean_curve(each.train_loss, each.valid_loss, each.rate),
            )
            for each in found
        )
        place = describe(choose_device(device))
        validations[name] = validation = Validation(name, bench.recipe.name, bench.epochs, place, cells)
        verdict = validation.verdict
        points = [(each.tabulated, each.mean, verdict.noise / len(each.measured) ** 0.5) for each in found]
        figure = validation_figure(points, title=f"{name}: retrained by {bench.recipe.name}, {seeds} seeds")
        target = folder / "figures" / f"validation-{file_name(name)}"
        answers[name] = {
            "recipe": bench.recipe.name,
            "epochs": bench.epochs,
            "architectures": [{**asdict(each), "mean": each.mean, "difference": each.difference} for each in found],
            **verdict._asdict(),
            "told_apart": [[cells[i].arch, cells[j].arch] for i, j in verdict.told_apart],
            "contradicted": [[cells[i].arch, cells[j].arch] for i, j in verdict.contradicted],
            "figures": save(figure, target),
        }
        if not as_json:
            _print(validation)
            typer.echo(f"figure: {target}.png")
    write_validations(folder, validations)
    written = write_report(study, folder, figures=False)
    if as_json:
        print_json(answers)
    else:
        typer.echo(f"written: {folder / FILE}; {written[0]} shows it")


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
    """The best distinct final answers of a study's runs by their tabulated mean value on validation."""
    by_arch: dict[str, tuple[float, set[str]]] = {}
    for arch, valid, strategy in _ended(study, benchmark):
        by_arch.setdefault(arch, (valid, set()))[1].add(strategy)
    ranked = sorted(by_arch.items(), key=lambda item: (-item[1][0], item[0]))[:top]
    space = get_space(next(iter(by_arch)).partition(":")[0])
    return [(space.parse(arch), valid, tuple(sorted(names))) for arch, (valid, names) in ranked]


def _print(found: Validation) -> None:
    from nassim.report.validation import validation_table

    table = validation_table(found)
    say(f"\n{table.caption}")
    print_table(list(table.columns), [[entry.text for entry in line] for line in table.rows])
    for note in table.notes:
        say(note)
