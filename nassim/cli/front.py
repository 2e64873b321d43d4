"""nassim front: the exact front of a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nassim.cli.completion import benchmarks
from nassim.cli.console import Json, ObjectivesOption, print_json
from nassim.cli.tables import Column, print_table, say
from nassim.objectives import keys_of
from nassim.registry import get_benchmark
from nassim.summary import write_csv

if TYPE_CHECKING:
    from nassim.report.true_fronts import TrueFront


def main(
    benchmark: Annotated[str, typer.Argument(help="e.g. nasbench201/cifar10", autocompletion=benchmarks)],
    objectives: ObjectivesOption = "",
    to: Annotated[Path | None, typer.Option(help="Also write the fronts into this file (.csv).")] = None,
    as_json: Json = False,
) -> None:
    """Print the exact front of a table, or how large it is against all that is measured, one line each.

    Exact: all architectures of the table are compared by their means over repeats after a full training. Networks that
    guess, and such that lack a value, are left out.
    """
    from nassim.report.true_fronts import against_everything, as_measured, true_fronts

    bench = get_benchmark(benchmark, "mean")
    wanted = keys_of(objectives)
    fronts = true_fronts(bench, against_everything(bench) if wanted is None else [wanted])
    records = {front.objectives: as_measured(front, bench) for front in fronts}
    if to is not None:
        lines = [{"objectives": ",".join(names), **row} for names, rows in records.items() for row in rows]
        write_csv(to, lines)
    if as_json:
        print_json(
            [
                {
                    "benchmark": bench.name,
                    "objectives": front.objectives,
                    "front": records[front.objectives],
                    "reference_minimized": front.scale.reference.tolist(),
                    "hypervolume": front.scale.hypervolume,
                    "left_out_guessing": front.guessing,
                    "left_out_without_value": front.missing,
                }
                for front in fronts
            ]
        )
        return
    say(f"{bench.name}: exact over {bench.space.size:,} architectures, means over repeats after {bench.epochs} epochs")
    if wanted is None:
        columns: list[str | Column] = ["against", "on the front", "least", "most", "unit"]
        columns.append(Column("without a value", drop=1))
        print_table(columns, [_ends(front, records[front.objectives]) for front in fronts], elsewhere="--json")
        say(f'One of them: nassim front {bench.name} --objectives "{",".join(fronts[0].objectives)}"')
    else:
        rows = records[fronts[0].objectives]
        heads = [*rows[0]]
        print_table(heads, [[row[heads[0]], *(_number(row[head]) for head in heads[1:])] for row in rows])
        reference = ", ".join(f"{x:.5g}" for x in fronts[0].scale.reference)
        say(f"{len(rows)} architectures. Reference point of hypervolumes, all objectives to be minimized: {reference}.")
    if fronts[0].guessing:
        say(f"Left out: {fronts[0].guessing:,} networks that guess.")
    if wanted is not None and fronts[0].missing:
        say(f"Left out: {fronts[0].missing:,} without a value.")
    if to is not None:
        say(f"written: {to}")


def _ends(front: TrueFront, rows: list[dict[str, object]]) -> list[object]:
    name, values = front.objectives[1], [float(str(row[front.objectives[1]])) for row in rows]
    missing = f"{front.missing:,}" if front.missing else "–"
    return [name, len(rows), _number(min(values)), _number(max(values)), front.units[1].partition(",")[0], missing]


def _number(value: object) -> str:
    number = float(str(value))
    return f"{number:,.0f}" if abs(number) >= 10_000 else f"{number:.4g}"
