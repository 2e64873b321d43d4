"""nassim transfer: cells that were found, stacked anew in another size and trained on other images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from statistics import fmean
from typing import Annotated

import typer

from nassim.cli.console import DeviceOption, Json, console, find_architecture, percent, print_json
from nassim.cli.tables import print_table, say
from nassim.cli.train import EpochsOption, ImagesOption, RecipeOption
from nassim.errors import InvalidSetting
from nassim.network import measure


def main(
    arch: Annotated[str, typer.Argument(help="SPACE:ARCHITECTURE of a space of cells, e.g. nasnet13:NASNet-A")],
    to: Annotated[str, typer.Option("--to", metavar="DATA", help="The images to train on, as of nassim train.")],
    cells: Annotated[int, typer.Option("--cells", min=1, help="Cells, counted as the space says (N).")],
    channels: Annotated[int, typer.Option("--channels", min=1, help="Channels, as the space says (C or F).")],
    recipe: RecipeOption = "",
    epochs: EpochsOption = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each size: seeds 0, 1, ...")] = 1,
    device: DeviceOption = "auto",
    images: ImagesOption = None,
    as_json: Json = False,
) -> None:
    """Restack the cells with other N and C and train them on DATA, beside the size that searches train."""
    from nassim.full_training.images.data import load_data
    from nassim.full_training.networks.framed import network_of
    from nassim.full_training.training.device import choose_device, describe, require_torch
    from nassim.full_training.training.kept import Kept
    from nassim.full_training.training.usual import recipe_for

    require_torch("training")
    space, architecture = find_architecture(arch, "nasnet13")
    loaded = load_data(to, images)
    changes: Mapping[str, int] = {} if epochs is None else {"epochs": epochs}
    searched = recipe_for(space, loaded, recipe, **changes)
    chosen = choose_device(device)
    console(stderr=True).print(f"device: {describe(chosen)}; recipe {searched.name}, {searched.epochs} epochs")
    found: list[dict[str, object]] = []
    for size, used in (
        ("as searched", searched),
        ("transferred", replace(searched, channels=channels, cells=cells)),
    ):
        used.check(loaded)
        network = network_of(architecture, used, loaded, space)
        counted = measure(network)
        if found and counted.parameters == found[0]["parameters"]:
            raise InvalidSetting(
                f"networks of {space.name} with N = {cells}, C = {channels} are those that searches train, with N = "
                f"{searched.cells}, C = {searched.channels}: give another --cells or --channels."
            )
        trainings = [
            Kept().obtain(architecture, loaded, used, seed, network=lambda net=network: net, device=str(chosen))  # type: ignore[misc]
            for seed in range(seeds)
        ]
        found.append(
            {
                "size": size,
                "cells": used.cells,
                "channels": used.channels,
                "parameters": counted.parameters,
                "multiply_adds": counted.macs,
                "valid_accuracy": fmean(t.valid_accuracy[-1] if t.valid_accuracy else 0.0 for t in trainings),
                "test_accuracy": fmean(t.test_accuracy or 0.0 for t in trainings),
                "seconds": fmean(sum(t.seconds) for t in trainings),
                "failed": sum(bool(t.failed) for t in trainings),
            }
        )
    if as_json:
        print_json({"architecture": str(architecture), "data": loaded.name, "recipe": searched.name, "sizes": found})
        return
    names = loaded.names
    rows = [
        [
            *(row["size"], row["cells"], row["channels"], f"{row['parameters']:,}", f"{row['multiply_adds']:,}"),
            *(percent(float(str(row[key]))) for key in ("valid_accuracy", "test_accuracy")),
            *(f"{row['seconds']:.1f}", row["failed"] or ""),
        ]
        for row in found
    ]
    head = ["network", "N", "C", "parameters", "multiply-adds", f"{names['valid']} %", f"{names['test']} %"]
    print_table([*head, "seconds", "failed"], rows)
    say(f"Means over {seeds} seed{'s' * (seeds > 1)}; {architecture} on {loaded.name} by recipe {searched.name}.")
