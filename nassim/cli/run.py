"""nassim run: one strategy, one benchmark, one seed."""

from __future__ import annotations

from typing import Annotated

import typer

from nassim.cli.console import (
    BudgetOption,
    Json,
    NoiseOption,
    SetOption,
    WorkersOption,
    apply_settings,
    duration,
    percent,
    print_json,
    print_table,
)
from nassim.registry import get_algorithm, get_benchmark
from nassim.run import run


def main(
    algorithm: Annotated[str, typer.Argument(metavar="ALGO", help="e.g. regularized_evolution or re")],
    benchmark: Annotated[str, typer.Argument(help="e.g. nasbench201/cifar10")],
    budget: BudgetOption = "150q",
    seed: Annotated[int, typer.Option(min=0, help="Everything follows from it.")] = 0,
    workers: WorkersOption = 1,
    noise: NoiseOption = "draw",
    settings: SetOption = None,
    as_json: Json = False,
) -> None:
    """Run one strategy on one benchmark and print what it would have answered, and when."""
    chosen = apply_settings(get_algorithm(algorithm), settings or [], prefix=False)
    bench = get_benchmark(benchmark, noise)
    result = run(chosen, bench, budget, seed=seed, workers=workers)
    if as_json:
        print_json(
            {
                "benchmark": result.benchmark,
                "strategy": result.strategy,
                "hyperparameters": result.hyperparameters,
                "mode": result.mode,
                "seed": seed,
                "budget": str(result.budget),
                "workers": workers,
                "noise": result.noise,
                "version": result.version,
                "data_sha256": result.sha256,
                "stopped": result.stopped,
                "simulated_seconds": result.seconds,
                "worker_seconds": result.worker_seconds,
                "epochs": result.epochs,
                "incumbents": [
                    {
                        "simulated_seconds": x.seconds,
                        "queries": x.queries,
                        "epochs": x.epochs,
                        "architecture": str(x.arch),
                        "observed_valid_accuracy": x.observed,
                        "valid_accuracy_mean_of_repeats": x.valid,
                        "test_accuracy_mean_of_repeats": x.test,
                    }
                    for x in result.incumbents
                ],
                "trials": [
                    {
                        "architecture": str(t.arch),
                        "epochs": t.result.epochs,
                        "valid_accuracy": t.value,
                        "cost_seconds": t.result.cost,
                        "started_seconds": t.started,
                        "finished_seconds": t.finished,
                        "worker": t.worker,
                    }
                    for t in result.trials
                ],
            }
        )
        return
    hyperparameters = ", ".join(f"{k}={v}" for k, v in result.hyperparameters.items()) or "no hyperparameters"
    typer.echo(f"{result.strategy} ({hyperparameters}) on {result.benchmark}, seed {seed}, noise {result.noise}")
    typer.echo(
        f"{len(result.trials)} trials in {duration(result.seconds)} of simulated time on {workers} worker(s); "
        f"ended by: {result.stopped}\n"
    )
    typer.echo(
        f"Incumbents, accuracies after {bench.epochs} epochs: as seen in the search, and means over the repeats."
    )
    test = ["mean test %"] if bench.has_test else []
    print_table(
        ["simulated s", "query", "incumbent", "seen valid %", "mean valid %", *test],
        [
            [f"{x.seconds:.0f}", x.queries, x.arch, percent(x.observed), percent(x.valid)]
            + ([percent(x.test)] if test else [])
            for x in result.incumbents
        ],
    )
    if not bench.has_test:
        typer.echo(f"\nNo test split in this source. {bench.test_source}")
