"""nassim validate: what a study found, trained anew and held against the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nassim.cli.console import DeviceOption, Json, console, print_json, print_table
from nassim.cli.train import EpochsOption, RecipeOption
from nassim.errors import Unsupported
from nassim.files import file_name
from nassim.registry import get_benchmark, get_space, trainable_names

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
    from nassim.full_training.training.recipe import get_recipe
    from nassim.full_training.training.trained import Trained
    from nassim.full_training.training.validation import retrain
    from nassim.plots import save, validation_figure
    from nassim.report.training_curves import mean_curve
    from nassim.report.validation import FILE, Cell, Validation, write_validations
    from nassim.report.write import write_report
    from nassim.study import Study

    require_torch("validation")
    study = Study.open(folder)
    usable = [name for name in study.benchmarks if f"{_plain(name)}:training" in trainable_names()]
    if not usable:
        raise Unsupported(
            f"nothing in {folder} can be retrained: it has {', '.join(study.benchmarks)}, and there are images and "
            f"networks for {', '.join(name.removesuffix(':training') for name in trainable_names())}."
        )
    err = console(stderr=True)
    err.print(f"device: {describe(choose_device(device))}", soft_wrap=True)
    answers: dict[str, dict[str, object]] = {}
    validations: dict[str, Validation] = {}
    for name in usable:
        bench = get_benchmark(f"{_plain(name)}:training")
        assert isinstance(bench, Trained)
        bench.device = device
        changes: Mapping[str, int] = {} if epochs is None else {"epochs": epochs}
        bench.use(get_recipe(recipe or bench.recipe.name, **changes))
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


def _plain(name: str) -> str:
    """A benchmark's id without its options."""
    return name.partition(":")[0]


def _best(study: Study, benchmark: str, top: int) -> list[tuple[Architecture, float, tuple[str, ...]]]:
    """The best distinct final answers of a study's runs by their tabulated mean validation accuracy."""
    by_arch: dict[str, tuple[float, set[str]]] = {}
    for run in study.runs:
        if run.benchmark == benchmark and run.curve:
            end = run.curve[-1]
            by_arch.setdefault(end.architecture, (end.valid or 0.0, set()))[1].add(run.strategy)
    space = get_space(_plain(benchmark).partition("/")[0])
    ranked = sorted(by_arch.items(), key=lambda item: (-item[1][0], item[0]))[:top]
    return [(space.parse(arch), valid, tuple(sorted(names))) for arch, (valid, names) in ranked]


def _print(found: Validation) -> None:
    from nassim.report.validation import validation_table

    table = validation_table(found)
    typer.echo(f"\n{table.caption}")
    print_table(list(table.columns), [[entry.text for entry in line] for line in table.rows])
    for note in table.notes:
        typer.echo(note)
