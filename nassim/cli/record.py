"""nassim record: train supernets and keep what the searches answered; say what the recordings are worth."""

from __future__ import annotations

from pathlib import Path
from statistics import mean
from typing import Annotated

import typer

from nassim.cli.console import DeviceOption, Json, ReplicasOption, SetOption, apply_settings, console, print_json
from nassim.cli.tables import Column, print_table, say
from nassim.errors import InvalidSetting
from nassim.registry import algorithm_names, get_algorithm, get_benchmark, get_supernets


def main(
    algorithm: Annotated[
        str | None, typer.Argument(metavar="ALGO", help="darts, gdas, ...; with --report none means all")
    ] = None,
    benchmark: Annotated[str, typer.Option(help="Whose images the supernet learns.")] = "nasbench201/digits",
    seeds: Annotated[int, typer.Option(min=1, help="Searches: seeds 0, 1, ...; recorded ones are kept.")] = 10,
    settings: SetOption = None,
    device: DeviceOption = "auto",
    replicas: ReplicasOption = None,
    score: Annotated[
        int, typer.Option(min=0, help="Cells that are scored with the shared weights after the first three searches.")
    ] = 500,
    final: Annotated[
        bool,
        typer.Option("--final", help="Train each search's last answer once: for images without a table."),
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder. Default: in nassim's data folder.")] = None,
    report: Annotated[
        bool, typer.Option("--report", help="Train nothing; hold what is recorded against the table.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train a strategy's supernet and record its answer after every epoch, for `compare` and `run` to replay."""
    if report:
        names = [algorithm] if algorithm else [n for n in algorithm_names() if get_algorithm(n).shares_weights]
        _report(benchmark, names, as_json)
        return
    if algorithm is None:
        raise InvalidSetting("name the strategy to record, for example `nassim record darts`.")
    from nassim.record import record

    chosen = apply_settings(get_algorithm(algorithm), settings or [], prefix=False, replicas=replicas)
    err = console(stderr=True)
    path = record(
        *(chosen, get_supernets(benchmark)),
        seeds=seeds,
        device=device,
        scored_cells=score,
        folder=out,
        final=get_benchmark(f"{benchmark}:training") if final else None,
        say=lambda line: err.print(line, soft_wrap=True),
    )
    if as_json:
        print_json({"written": path})
    else:
        typer.echo(f"written: {path}")


def _report(benchmark: str, names: list[str], as_json: bool) -> None:
    from nassim.record import reports

    bench = get_benchmark(benchmark, "mean")
    found = reports(bench, [get_algorithm(name).name for name in names])
    if as_json:
        print_json([row._asdict() for row in found])
        return
    if not found:
        say(f"Nothing is recorded on {benchmark}. `nassim record darts` records a strategy.")
        return
    learned = ", ".join(sorted({row.learned for row in found}))
    say(
        f"Searches recorded on {learned}. Accuracies are the final answers', means over the repeats of {benchmark}.\n"
        "rank: Spearman's correlation between shared-weight and tabulated accuracy over the scored cells.\n"
        "top 10 %: that of the best tenth by the table.\n"
        "skip and none: shares of the answers' edges, skip after 1, 1/4, 1/2, 3/4 and all of the epochs, none after "
        "all.\n"
    )
    rows = []
    for row in found:
        epochs = len(row.skip_share)
        shown = sorted({0, epochs // 4, epochs // 2, 3 * epochs // 4, epochs - 1})
        rows.append(
            [
                row.strategy
                + (" (order 2)" if row.hyperparameters.get("order") == 2 else "")
                + (f", {row.failed} failed" if row.failed else ""),
                *(row.seeds, epochs, f"{row.seconds_an_epoch:.2f}"),
                f"{100 * mean(row.valid):.2f} ({100 * min(row.valid):.2f} – {100 * max(row.valid):.2f})",
                *(_span(row.rank), _span(row.top_rank)),
                " ".join(f"{100 * row.skip_share[epoch]:.0f}" for epoch in shown),
                f"{100 * row.none_share[-1]:.0f}",
            ]
        )
    less = [Column("seeds", drop=5), Column("epochs", drop=4), Column("s an epoch", drop=3)]
    columns: list[str | Column] = ["strategy", *less, "valid % (range)", "rank", Column("top 10 %", drop=1)]
    print_table([*columns, Column("skip %", drop=2), Column("none %", drop=2)], rows)


def _span(values: list[float]) -> str:
    return f"{mean(values):.2f} ({min(values):.2f} – {max(values):.2f})" if values else "–"
