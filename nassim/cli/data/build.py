"""nassim data build: train a table of nassim's own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from nassim.cli.console import Json, console, print_json
from nassim.errors import Unsupported

if TYPE_CHECKING:
    from nassim.full_training.tables.builder import Progress
    from nassim.full_training.tables.designs import Design
    from nassim.full_training.tables.pilot import Pilot


def main(
    name: Annotated[str, typer.Argument(metavar="SPACE/DATA", help="nasbench201/digits or nasbench201_3ops/fashion14")],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the shards and of the table. Default: builds/ in the data folder."),
    ] = None,
    pilot: Annotated[bool, typer.Option("--pilot", help="Train the first classes only; say how seeds agree.")] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes, of one thread each.")] = 1,
    fit: Annotated[
        bool, typer.Option("--fit", help="Train nothing: fit a surrogate to what is trained, SPACE/DATA:surrogate.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=0, help="Train at most so many shards now.")] = None,
    as_json: Json = False,
) -> None:
    """Train every class of equivalent cells under three seeds; interrupted or copied elsewhere, it goes on.

    First comes the pilot: if two seeds do not agree on it, nothing more is trained.
    """
    from nassim.full_training.tables.assemble import assemble
    from nassim.full_training.tables.designs import WANTED, get_design
    from nassim.full_training.tables.pilot import read_pilot
    from nassim.full_training.tables.shards import made, pilot_shards, read
    from nassim.full_training.training.device import require_torch
    from nassim.tabular_data.locations import data_folder

    design = get_design(name)
    if fit:
        _fit(design, out, as_json)
        return
    require_torch("building the table")
    from nassim.full_training.tables.builder import build

    out = data_folder() / "builds" / design.name.replace("/", "-") if out is None else out.expanduser()
    err = console(stderr=True)

    def tell(progress: Progress) -> None:
        minutes = round(progress.seconds_left / 60) if progress.seconds_left >= 0 else None
        left = "?" if minutes is None else f"{minutes // 60} h {minutes % 60:02} min"
        done, of = progress.trainings, progress.of_trainings
        err.print(f"{time.strftime('%H:%M:%S')} {done:,} of {of:,} trainings; left at this pace: {left}")

    def missing() -> int:
        return sum(read(shards, design, shard, made(design)) is None for shard in first)

    shards, first, agreement = out / "shards", pilot_shards(design), None
    try:
        if todo := missing():
            build(design, shards, jobs=jobs, limit=limit, only=first, tell=tell)
            limit = None if limit is None else max(0, limit - todo)
        whole = not missing()
        if first and whole:
            agreement = _agreement(read_pilot(design, shards))
            err.print(_sentence(design.name, agreement), soft_wrap=True)
            if not pilot and not agreement["spearman"] >= WANTED:
                raise Unsupported(
                    f"{design.name} is not built: over the pilot's {agreement['classes']} classes two seeds agree by "
                    f"{agreement['spearman']:.2f} (Spearman), less than {WANTED}. Its shards stay in {shards}."
                )
        if whole and not pilot:
            build(design, shards, jobs=jobs, limit=limit, tell=tell)
    except KeyboardInterrupt:
        err.print("\nInterrupted: finished shards are kept. The same command goes on.")
        raise typer.Exit(130) from None
    if pilot or not whole:
        if not whole:
            err.print("The pilot is not finished, so there is no table yet. The same command goes on.")
        if as_json:
            print_json({"table": None, "pilot": agreement, "shards": shards})
        return
    target = out / design.file_name
    header = assemble(design, shards, target)
    if as_json:
        print_json({"table": target, "bytes": target.stat().st_size, "notes": header.errata, "pilot": agreement})
    else:
        typer.echo(f"{target} ({target.stat().st_size / 1e3:,.0f} kB)")
        typer.echo("\n".join(header.errata))


def _fit(design: Design, out: Path | None, as_json: bool) -> None:
    from nassim.full_training.tables.surrogate import fit_design
    from nassim.tabular_data.locations import data_folder
    from nassim.tabular_data.predicted import surrogate_path

    shards = (data_folder() / "builds" / design.name.replace("/", "-") if out is None else out.expanduser()) / "shards"
    target = surrogate_path(design.space_name, design.data_name)
    header, quality = fit_design(design, shards, target)
    size = target.stat().st_size
    if as_json:
        print_json({"surrogate": target, "bytes": size, "fitted": header.source, **quality._asdict()})
        return
    typer.echo(f"{target} ({size / 1e3:,.0f} kB), {header.source}")
    typer.echo(
        f"on architectures that were held out: R2 {quality.r2:.3f}, Kendall's tau {quality.tau:.3f}, in the upper half "
        f"{quality.tau_upper:.3f}"
    )
    typer.echo(f"nassim show {design.name}:surrogate")


def _agreement(pilot: Pilot) -> dict[str, float]:
    """Spearman's correlation between two seeds over classes, over their cells and in the upper half; the spreads."""
    from nassim.stats.correlation import spearman

    found, mean = pilot.accuracies, pilot.accuracies.mean(axis=1)
    upper, cells = found[mean >= np.median(mean)], np.repeat(found, pilot.cells, axis=0)
    return {
        "classes": len(found),
        "spearman": spearman(*found.T),
        "spearman_over_cells": spearman(*cells.T),
        "spearman_in_the_upper_half": spearman(*upper.T),
        "between_classes": float(mean.std(ddof=1)),
        "between_repeats": float(np.sqrt(found.var(axis=1, ddof=1).mean())),
        "seconds_a_training": pilot.seconds,
    }


def _sentence(name: str, agreement: dict[str, float]) -> str:
    return (
        f"pilot of {name}: over {agreement['classes']} classes two seeds agree by {agreement['spearman']:.3f} "
        f"(Spearman; over their cells {agreement['spearman_over_cells']:.3f}, in the upper half "
        f"{agreement['spearman_in_the_upper_half']:.3f}); standard deviation between classes "
        f"{100 * agreement['between_classes']:.1f} points, between repeats {100 * agreement['between_repeats']:.1f}; "
        f"{agreement['seconds_a_training']:.2f} processor seconds a training"
    )
