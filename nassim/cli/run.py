"""nassim run: one strategy, one benchmark, one seed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from nassim import rungs
from nassim.cautions import of_run
from nassim.cli.completion import algorithms, benchmarks
from nassim.cli.console import (
    BudgetOption,
    ClockOption,
    ConstraintOption,
    DeviceOption,
    EngineOption,
    Json,
    LiveOption,
    NoiseOption,
    ObjectivesOption,
    PatienceOption,
    ProtocolOption,
    ReplicasOption,
    SearchOnOption,
    SetOption,
    TimeoutOption,
    WorkersOption,
    apply_settings,
    console,
    duration,
    follow,
    print_json,
)
from nassim.cli.log import LOG
from nassim.cli.progress import Bar
from nassim.cli.tables import Column, print_table, say
from nassim.clock import Budget
from nassim.errors import InvalidSetting
from nassim.metric import Metric
from nassim.own_files import typed_algorithm, typed_benchmark
from nassim.registry import get_protocol
from nassim.run import run
from nassim.too_small import no_answer
from nassim.trace import Run


def main(
    algorithm: Annotated[
        str,
        typer.Argument(metavar="ALGO", help="e.g. regularized_evolution, re, or mine.py", autocompletion=algorithms),
    ],
    benchmark: Annotated[str, typer.Argument(help="e.g. nasbench201/cifar10", autocompletion=benchmarks)],
    budget: BudgetOption = None,
    protocol: ProtocolOption = "",
    seed: Annotated[int, typer.Option(min=0, help="Everything follows from it.")] = 0,
    workers: WorkersOption = 1,
    noise: NoiseOption = "draw",
    search_on: SearchOnOption = "",
    settings: SetOption = None,
    live: LiveOption = False,
    device: DeviceOption = "auto",
    replicas: ReplicasOption = None,
    patience: PatienceOption = None,
    objectives: ObjectivesOption = "",
    constraint: ConstraintOption = "",
    clock: ClockOption = "simulated",
    jobs: Annotated[
        int, typer.Option(min=1, help="Processes that train the batches of a run on the simulated clock.")
    ] = 1,
    engine: EngineOption = "processes",
    trace: Annotated[
        Path | None,
        typer.Option(help="A file of what happens on the wall clock: the same command goes on from it, or replays it."),
    ] = None,
    timeout: TimeoutOption = None,
    as_json: Json = False,
) -> None:
    """Run one strategy on one benchmark and print what it would have answered, and when."""
    from nassim.engines import check_engine

    chosen = apply_settings(typed_algorithm(algorithm), settings or [], prefix=False, replicas=replicas)
    (name,), limits = follow(protocol, [benchmark], budget, search_on)
    bench = typed_benchmark(name, noise)
    bar = Bar(console(stderr=True), quiet=as_json or clock != "wall", what="trials")
    total = Budget.parse(limits).queries or 0

    def tell(so_far: Run, doing: list[str]) -> None:
        bar.update(len(so_far.trials), total)
        bar.at_work(doing)

    with bar:
        result = run(
            *(chosen, bench, limits),
            seed=seed,
            workers=workers,
            live=live,
            device=device,
            patience=patience,
            objectives=objectives,
            constraint=constraint,
            clock=clock,
            jobs=jobs,
            engine=check_engine(engine),
            trace=trace,
            timeout=timeout,
            tell=tell,
        )
    if not result.incumbents and result.stopped == "budget":
        raise InvalidSetting(no_answer(result.budget, bench))
    cautions, by_epochs = of_run(result, bench.about.learned), rungs.of_run(result)
    LOG.info("%s on %s, seed %d: %d trials", result.strategy, result.benchmark, seed, len(result.trials))
    for caution in cautions:
        LOG.warning("caution: %s", caution.text)
    metric = bench.metric
    by_budget = [] if chosen.shares_weights else chosen.by_the_budget(bench.space)
    if as_json:
        print_json(
            {
                "benchmark": result.benchmark,
                "strategy": result.strategy,
                "hyperparameters": result.hyperparameters,
                "by_the_budget": by_budget,
                "mode": result.mode,
                "mode_note": result.note,
                "surrogate": bench.about.surrogate or None,
                "seed": seed,
                "protocol": protocol or None,
                "budget": str(result.budget),
                "workers": workers,
                "objectives": list(result.objectives),
                "constraint": result.constraint or None,
                "feasible_trials": result.feasible if result.constraint else None,
                "clock": result.clock,
                "restarted": result.restarted,
                "final_training_seconds": result.final_seconds,
                "noise": result.noise,
                "version": result.version,
                "data_sha256": result.sha256,
                "stopped": result.stopped,
                "cautions": [caution._asdict() for caution in cautions],
                "simulated_seconds": result.seconds,
                "worker_seconds": result.worker_seconds,
                "epochs": result.epochs,
                "rungs": [rung._asdict() for rung in by_epochs],
                "incumbents": [
                    {
                        "simulated_seconds": x.seconds,
                        "queries": x.queries,
                        "epochs": x.epochs,
                        "architecture": str(x.arch),
                        "feasible": x.feasible,
                        f"observed_{bench.search_metric}": metric.signed(x.observed),
                        f"{metric.on('valid')}_mean_of_repeats": metric.signed(x.valid),
                        f"{metric.on('test')}_mean_of_repeats": metric.signed(x.test),
                    }
                    for x in result.incumbents
                ],
                "trials": [
                    {
                        "architecture": str(t.arch),
                        "epochs": t.result.epochs,
                        "paid_epochs": t.result.paid,
                        bench.search_metric: metric.signed(t.value),
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
    say(f"{result.strategy} ({hyperparameters}) on {result.benchmark}, seed {seed}, noise {result.noise}")
    if by_budget:
        say(f"{' and '.join(by_budget)} follow{'s' * (len(by_budget) == 1)} from the budget; --set sets them")
    if bench.about.surrogate:
        say(f"surrogate ({bench.about.surrogate}): accuracies are predictions, costs are declared")
    if protocol:
        say(f"protocol {get_protocol(protocol)}")
    if result.note:
        say(result.note)
    in_seconds = bench.cost_unit == "seconds"
    on_clock = "on the wall clock" if result.clock == "wall" else "of simulated time"
    spent = f"{duration(result.seconds)} {on_clock}" if in_seconds else f"{result.seconds:g} {bench.cost_unit}"
    by = f"{workers} worker{'s' if workers != 1 else ''}"
    say(f"{len(result.trials)} trials in {spent} on {by}; ended by: {result.stopped}\n")
    if result.clock == "wall":
        say(
            f"Completion ordered what happened. All trainings took {duration(result.worker_seconds)} of their devices. "
            "Another machine gives other times: do not compare them with simulated ones.\n"
        )
    seen_after = "the epochs of its training" if len(by_epochs) > 1 else f"{bench.search_epochs or bench.epochs} epochs"
    say(
        f"Incumbents: {_measured(metric)} as seen in the search, after {seen_after}, "
        f"and means over the repeats after {bench.epochs} epochs."
    )
    if result.constraint:
        of = f"{result.feasible:,} of {len(result.trials):,} trials keep to {result.constraint}"
        say(f"{of}; an incumbent that does goes before one that does not.")
    if by_epochs and (chosen.chooses_epochs or len(by_epochs) > 1):
        say(f"Trainings by their epochs: {rungs.words(by_epochs)}.")
    if result.restarted:
        say(
            f"restarted: {result.restarted} trainings that were to go on were made again from scratch: on {bench.name} "
            "none can go on."
        )
    if result.final_seconds:
        say(f"final training: the last answer was trained once, in a further {duration(result.final_seconds)}.")
    digits = 0 if result.seconds >= 1000 else 2
    times = f"{result.clock} s" if in_seconds else f"cost [{bench.cost_unit}]"
    seen = metric.head("test" if bench.search_metric == metric.on("test") else "valid")
    test = [f"mean {metric.head('test')}"] if bench.has_test else []
    heads: list[str | Column] = [times, Column("query", drop=2), "incumbent"]
    heads += ["feasible"] if result.constraint else []
    print_table(
        [*heads, Column(f"seen {seen}", drop=1), f"mean {metric.head('valid')}", *test],
        [
            [f"{x.seconds:.{digits}f}", x.queries, x.arch]
            + ([("no", "yes")[x.feasible]] if result.constraint else [])
            + [_shown(metric, x.observed), _shown(metric, x.valid)]
            + ([_shown(metric, x.test)] if test else [])
            for x in result.incumbents
        ],
    )
    if not bench.has_test:
        say(f"\nNo test split in this source. {bench.test_source}")
    for caution in cautions:
        say(f"\ncaution: {caution.text}")


def _measured(metric: Metric) -> str:
    return "accuracies" if metric.name == "accuracy" else f"values of {metric.name}"


def _shown(metric: Metric, value: float) -> str:
    return metric.text(metric.shown(value))
