"""nassim compare: the main job."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from nassim.benchmark import Benchmark
from nassim.cli import completion
from nassim.cli.asked import StudyFile, published_networks, spelled_out
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
    SearchOnOption,
    TimeoutOption,
    WorkersOption,
    apply_settings,
    console,
    follow,
    print_json,
)
from nassim.cli.folder import default_folder, refuse_other_files
from nassim.cli.repeat import repeated
from nassim.cli.report import AgainstOption, changes_in_json, print_changes
from nassim.cli.tables import say
from nassim.clock import Budget
from nassim.errors import InvalidSetting
from nassim.objectives import keys_of
from nassim.own_files import typed_algorithms, typed_benchmark
from nassim.registry import benchmark_names, get_algorithm, get_protocol
from nassim.strategy import Algorithm
from nassim.study_toml import Kept, study_toml
from nassim.too_small import no_answer
from nassim.variants import split_names

DEFAULT_BENCHMARKS = ("nasbench201/cifar10", "nasbench201/digits")
DEFAULT_SEEDS = 100
LIVE_SEEDS = 10  # of strategies that train a supernet now, unless --seeds says more


def main(
    study_file: StudyFile = None,
    algos: Annotated[
        str,
        typer.Option(
            "--algos",
            help="Strategies by name or alias, or in files of your own: re,bo,mine.py,two.py:name. "
            "Default: those of --against.",
            autocompletion=completion.algorithms,
        ),
    ] = "",
    benchmark: Annotated[
        list[str] | None,
        typer.Option(
            "--benchmark",
            help=f"May be repeated; default those of --against, else {' and '.join(DEFAULT_BENCHMARKS)}.",
            autocompletion=completion.benchmarks,
        ),
    ] = None,
    budget: BudgetOption = None,
    protocol: ProtocolOption = "",
    seeds: Annotated[
        str | None,
        typer.Option(
            help=f"Runs of each strategy: so many, seeds 0, 1, ..., or ranges (0-499). Default: {DEFAULT_SEEDS}, "
            f"{LIVE_SEEDS} live."
        ),
    ] = None,
    workers: WorkersOption = 1,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, help="Processes; results do not depend on it. Default: all cores, or all that dask has."),
    ] = None,
    clock: ClockOption = "simulated",
    engine: EngineOption = "processes",
    timeout: TimeoutOption = None,
    no_trials: Annotated[
        bool, typer.Option("--no-trials", help="Keep the incumbents of each run, and no trials: the study is small.")
    ] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="ALGO.NAME=VALUE",
            help="A hyperparameter; may be repeated. With one strategy NAME=VALUE is enough.",
        ),
    ] = None,
    live: LiveOption = False,
    device: DeviceOption = "auto",
    patience: PatienceOption = None,
    noise: NoiseOption = "draw",
    search_on: SearchOnOption = "",
    regret: Annotated[
        str, typer.Option(help="The split regret is taken on: valid or test. Default: test where there is one.")
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option(help="The study's folder; the same command continues it. Default: results/compare-..."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that holds other files.")] = False,
    against: AgainstOption = None,
    objectives: ObjectivesOption = "",
    constraint: ConstraintOption = "",
    baselines: Annotated[
        bool,
        typer.Option(
            "--baselines", help="Train the published networks that the spaces hold, too (ResNet, MnasNet-A1)."
        ),
    ] = False,
    with_report: Annotated[
        bool, typer.Option("--report/--no-report", help="Write report.html, report.md and tables/*.tex too.")
    ] = True,
    watch: Annotated[bool, typer.Option("--watch", help="Show the incumbents moving in place of a bar.")] = False,
    as_json: Json = False,
) -> None:
    """Compare strategies over seeds; random search is always in. Writes tables, figures and a report to a folder.

    What was asked for lies in the folder as study.toml, and `nassim compare study.toml` repeats it.

    With --against OLD_DIR it says what changed since that study, and the exit code is 1 if a strategy became
    significantly worse; what is not given is as it was there.
    """
    old = None if against is None else repeated(against)
    of_seeds = int(seeds) if seeds is not None and seeds.isdecimal() and len(seeds) < 20 else seeds
    if old is not None:
        for name in () if benchmark else old.benchmarks:
            old.refuse_file(name, "--benchmark")
        benchmark, budget = benchmark or old.benchmarks, budget or (None if protocol else old.budget)
        of_seeds, workers = old.seeds if of_seeds is None else of_seeds, old.workers if workers == 1 else workers
        noise = old.noise if noise == "draw" else noise
    named_ones = split_names(algos)
    default = [name for name in DEFAULT_BENCHMARKS[: 1 if protocol else None] if name in benchmark_names()]
    benchmarks, limits = follow(protocol, benchmark or default, budget, search_on)
    chosen = _named(algos) if algos or old is None else old.strategies()
    fixed = [each for each in published_networks(benchmarks) if each not in named_ones] if baselines else []
    chosen = _configured([*chosen, *map(get_algorithm, fixed)], settings or [])
    asked: dict[str, Any] = {
        "algos": [*named_ones, *fixed] if algos else [],
        "set": settings,
        "budget": limits,
        "benchmark": benchmark or default,
    }
    if not algos:
        asked |= spelled_out(chosen)
    asked |= {"protocol": protocol, "seeds": of_seeds or (None if live else DEFAULT_SEEDS), "workers": workers}
    asked |= {"live": live, "device": device, "patience": patience, "noise": noise, "search_on": search_on}
    asked |= {
        "clock": "" if clock == "simulated" else clock,
        "engine": "" if engine == "processes" else engine,
        "timeout": timeout,
        "no_trials": no_trials,
    }
    asked |= {"regret": regret, "objectives": objectives, "constraint": constraint}
    opened = partial(_opened, benchmarks)
    options = [*(["live"] if live else []), *([f"regret={regret}"] if regret else [])]
    options += [text for text in (objectives, constraint) if text] + [
        *["no trials"] * no_trials,
        *["wall"] * (clock != "simulated"),
    ]
    folder = out or default_folder(chosen, benchmarks, limits, of_seeds, workers, noise, *options)
    if against is not None and against.resolve() == folder.resolve():
        raise InvalidSetting(f"--against {against} is this study's own folder: choose another --out.")
    if not force:
        refuse_other_files(folder)
    err = console(stderr=True)
    from nassim.cautions import of_study
    from nassim.cli.doing import Doing
    from nassim.cli.progress import Bar
    from nassim.cli.race import LiveRace
    from nassim.cli.results import print_cpu, print_summary, write_results
    from nassim.engines import check_engine
    from nassim.processes import available_cores
    from nassim.report.changes import changes_since
    from nassim.report.write import write_report
    from nassim.study import compare

    bar = LiveRace(folder, err) if watch and err.is_terminal and not as_json else Bar(err, quiet=as_json)
    kept = Kept(study_toml(asked, folder), folder, study_file, bar.update)
    try:
        with bar, Doing(folder, bar.at_work) as doing:
            study = compare(
                *(chosen, benchmarks, Budget.parse(limits)),
                seeds=DEFAULT_SEEDS if of_seeds is None else of_seeds,
                live_seeds=(LIVE_SEEDS if of_seeds is None else of_seeds) if live else None,
                engine=check_engine(engine),
                timeout=timeout,
                trials=not no_trials,
                clock=clock,
                told=doing,
                device=device,
                workers=workers,
                jobs=jobs if jobs or engine.startswith("dask:") else available_cores(),
                noise=noise,
                regret=regret,
                patience=patience,
                objectives=objectives,
                constraint=constraint,
                out=folder,
                progress=kept,
            )
        for name in study.benchmarks:
            here = [run for run in study.runs if run.benchmark == name]
            if study.complete and not any(run.curve or run.trials for run in here):
                raise InvalidSetting(no_answer(Budget.parse(limits), opened(name)))
        written = [*write_results(study, folder), kept.path]
        changes = None if against is None else changes_since(study, against)
        if with_report:
            written += write_report(study, folder, objectives=keys_of(objectives), changes=changes, figures=False)
    except KeyboardInterrupt:
        err.print(
            f"\nInterrupted: {bar.done} of {bar.total} runs are stored. The same command continues.", soft_wrap=True
        )
        raise typer.Exit(130) from None
    left_out: dict[str, str] = study.settings["left_out"]
    for what, reason in left_out.items():
        err.print(f"{what} is left out: {reason}", soft_wrap=True, markup=False)
    cautions = of_study(study)
    if as_json:
        from nassim.summary import summary_rows

        answer = {"out": folder, "files": written, "protocol": protocol or None, "left_out": left_out}
        answer["cautions"] = [caution._asdict() for caution in cautions]
        answer["cpu_seconds"] = {strategy: sum(each) for strategy, each in study.cpu_seconds.items()}
        found = {} if changes is None else {"changes": changes_in_json(changes)}
        print_json({**answer, "summary": summary_rows(study), **found})
    else:
        if protocol:
            say(f"protocol {get_protocol(protocol)}")
        print_summary(study)
        _print_resolved(chosen, study.settings["strategies"], opened)
        for caution in cautions:
            say(f"caution: {caution.text}")
        print_cpu(study)
        many = {kind: [path for path in written if path.parent.name == kind] for kind in ("tables", "fronts")}
        shown = [str(path) for path in written if path.parent.name not in many]
        shown += [f"{folder / kind}/ ({len(of)} file{'s' * (len(of) != 1)})" for kind, of in many.items() if of]
        typer.echo("\nwritten: " + "\n         ".join(shown))
        if with_report:
            say(f"`nassim open {folder}` shows the report; `nassim report {folder}` adds figures for papers.")
        if changes is not None:
            print_changes(changes)
    study.close()
    if changes is not None and changes.worse:
        raise typer.Exit(1)


def _named(algos: str) -> list[Algorithm]:
    """The strategies that --algos names; ``re[sample_size=3|10]`` are two."""
    names = split_names(algos)
    if not names:
        raise InvalidSetting(
            "--algos names no strategy: for example --algos re,bo. `nassim list algorithms` lists them."
        )
    return [algorithm for name in names for algorithm in typed_algorithms(name)]


def _opened(benchmarks: list[str], name: str) -> Benchmark:
    """The benchmark that has this name in the study, of those that were typed."""
    return next(found for found in map(typed_benchmark, benchmarks) if found.name == name)


def _print_resolved(
    chosen: list[Algorithm],
    settings: dict[str, dict[str, dict[str, object]]],
    opened: Callable[[str], Benchmark],
) -> None:
    """The hyperparameters that followed from the budget."""
    for algorithm in chosen:
        for name, values in settings.get(algorithm.title, {}).items() if algorithm.resolve else ():
            found = [f"{p}={values[p]}" for p in algorithm.by_the_budget(opened(name).space, name)]
            if found:
                what = f"{' and '.join(found)} follow{'s' * (len(found) == 1)} from the budget; --set sets them"
                say(f"{algorithm.title} on {name}: {what}")


def _configured(chosen: list[Algorithm], settings: list[str]) -> list[Algorithm]:
    """The strategies with their settings; where there is but one, its name may be left out."""
    names = {a.name for a in chosen}
    if len(names) == 1:
        settings = [s if "." in s.partition("=")[0] else f"{min(names)}.{s}" for s in settings]
    owners = {owner.replace("-", "_") for a in chosen for owner in (a.name, *a.aliases)}
    for setting in settings:
        owner = setting.partition("=")[0].rpartition(".")[0]
        if owner and owner.replace("-", "_") not in owners:
            raise InvalidSetting(f"--set {setting}: {owner} is not among --algos {','.join(a.name for a in chosen)}.")
    # what stands in the brackets of a strategy goes before what is set for all of its name: its label says it
    return [apply_settings(a, settings, prefix=True).configured(**(a.settings if a.label else {})) for a in chosen]
