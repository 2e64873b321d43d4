"""nassim compare: the main job."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Annotated

import typer

from nassim.cli.console import (
    BudgetOption,
    Json,
    NoiseOption,
    SetOption,
    WorkersOption,
    apply_settings,
    console,
    print_json,
)
from nassim.clock import Budget
from nassim.errors import InvalidSetting, Unsupported
from nassim.registry import NEEDS_SUPERNET, get_algorithm, missing_supernet
from nassim.strategy import Algorithm

DEFAULT_BENCHMARK = "nasbench201/cifar10"


def main(
    algos: Annotated[str, typer.Option("--algos", help="Strategies by name or alias: re,reinforce,bo,pnas.")],
    benchmark: Annotated[
        list[str] | None, typer.Option("--benchmark", help=f"May be repeated; default {DEFAULT_BENCHMARK}.")
    ] = None,
    budget: BudgetOption = "150q",
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each strategy: seeds 0, 1, ...")] = 100,
    workers: WorkersOption = 1,
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Processes; results do not depend on it. Default: all cores.")
    ] = None,
    settings: SetOption = None,
    noise: NoiseOption = "draw",
    out: Annotated[
        Path | None,
        typer.Option(help="The study's folder; the same command continues it. Default: results/compare-..."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare strategies over seeds; random search is always in. Writes tables and figures to a folder."""
    chosen, waiting = _strategies(algos, settings or [])
    benchmarks = benchmark or [DEFAULT_BENCHMARK]
    folder = out or _default_folder(chosen, benchmarks, budget, seeds, workers, noise)
    err = console(stderr=True)
    for name in waiting:
        err.print(f"{name} is left out: {missing_supernet(name)}", soft_wrap=True)
    from nassim.cli.progress import Bar
    from nassim.cli.results import print_summary, write_results
    from nassim.study import compare

    bar = Bar(err, quiet=as_json)
    try:
        with bar:
            study = compare(
                *(chosen, benchmarks, Budget.parse(budget)),
                seeds=seeds,
                workers=workers,
                jobs=jobs or available_cores(),
                noise=noise,
                out=folder,
                progress=bar.update,
            )
        written = write_results(study, folder)
    except KeyboardInterrupt:
        err.print(
            f"\nInterrupted: {bar.done} of {bar.total} runs are stored. The same command continues.", soft_wrap=True
        )
        raise typer.Exit(130) from None
    if as_json:
        from nassim.summary import summary_rows

        left_out = {name: missing_supernet(name) for name in waiting}
        print_json({"out": folder, "files": written, "left_out": left_out, "summary": summary_rows(study)})
    else:
        print_summary(study)
        typer.echo("\nwritten: " + "\n         ".join(map(str, written)))
    study.close()


def _strategies(algos: str, settings: list[str]) -> tuple[list[Algorithm], list[str]]:
    """The strategies that can run, with their settings, and the names of those that wait for a supernet."""
    names = [name.strip() for name in algos.split(",") if name.strip()]
    if not names:
        raise InvalidSetting(
            "--algos names no strategy: for example --algos re,bo. `nassim list algorithms` lists them."
        )
    waiting = [name for name in names if name.lower() in NEEDS_SUPERNET]
    found = [get_algorithm(name) for name in names if name not in waiting]
    if not found:
        raise Unsupported(f"{missing_supernet(waiting[0])} Name another strategy beside it.")
    owners = {owner for a in found for owner in (a.name, *a.aliases)} | set(waiting)
    for setting in settings:
        owner = setting.partition("=")[0].rpartition(".")[0]
        if owner and owner not in owners:
            raise InvalidSetting(f"--set {setting}: {owner} is not among --algos {algos}.")
    return [apply_settings(a, settings, prefix=True) for a in found], waiting


def _default_folder(chosen: list[Algorithm], *rest: object) -> Path:
    """The same command finds its own folder again; another command gets another."""
    text = repr(([(a.name, sorted(a.settings.items(), key=str)) for a in chosen], rest))
    return Path("results") / f"compare-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
