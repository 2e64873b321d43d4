"""nassim data measure-latency: how long the layers of a space's networks take here, as a look-up table."""

from __future__ import annotations

import random
from typing import Annotated

import typer

from nassim.cli.completion import everything
from nassim.cli.console import DeviceOption, Json, console, print_json
from nassim.errors import InvalidSetting, NassimError
from nassim.network import Network
from nassim.registry import get_space
from nassim.space import SearchSpace


def main(
    space: Annotated[
        str, typer.Argument(metavar="SPACE", help="a search space with networks", autocompletion=everything)
    ],
    images: Annotated[
        str, typer.Option("--data", help="As large as networks are trained on these images. Default: as published.")
    ] = "",
    name: Annotated[str, typer.Option(help="Of the table: latency[NAME] from then on.")] = "here",
    networks: Annotated[int, typer.Option(min=2, max=1000, help="Networks whose layers are measured.")] = 30,
    whole: Annotated[int, typer.Option(min=2, max=1000, help="Other networks, measured whole, to see the error.")] = 10,
    readings: Annotated[int, typer.Option(min=1, max=1000, help="Whose median is a layer's time.")] = 9,
    seed: Annotated[int, typer.Option(min=0, help="Draws the networks.")] = 0,
    device: DeviceOption = "cpu",
    as_json: Json = False,
) -> None:
    """Measure the layers of a space's networks on this machine, and how well their sums predict whole networks.

    The table lies in the data folder; benchmarks that train have its latencies as latency[NAME] from then on, and
    fbnet and proxyless_nas take it by --set latency=NAME.
    """
    from nassim.files import put_in_place
    from nassim.full_training.training.device import choose_device, require_torch
    from nassim.latency import mean_relative_error
    from nassim.tabular_data.latencies import keep, path_of

    require_torch("measuring latencies")
    from nassim.full_training.networks.stopwatch import Stopwatch, measured_table

    path_of(name)  # before anything is measured
    chosen, rng = get_space(space), random.Random(seed)
    drawn = _networks(chosen, images, networks + whole, rng)
    watch, err = Stopwatch(choose_device(device), readings), console(stderr=True)
    with err.status("measuring") as status:
        table = measured_table(
            *(name, drawn[:networks], _supernet(chosen, images), watch),
            lambda done, of: status.update(f"{done:,} of {of:,} networks are measured"),
        )
        took = [watch.network(network) for network in drawn[networks:]]
    assert table.fallback is not None
    rows = {
        "sum of the layers in the table": [table.of(network) for network in drawn[networks:]],
        "multiply-adds, throughput and overhead": [
            type(table)("", "", {}, table.fallback).of(network) for network in drawn[networks:]
        ],
    }
    errors = {what: mean_relative_error(predicted, took) for what, predicted in rows.items()}
    path, text = keep(table)
    with put_in_place(path) as file:
        file.write(text.encode())
    missing = sum(table.missing(network) for network in drawn[networks:])
    if as_json:
        answer = {"name": name, "path": path, "device": table.device, "layers": len(table.layers)}
        fallback = {"throughput": table.fallback.throughput, "overhead": table.fallback.overhead}
        answer |= {"fallback": fallback, "mean_relative_error": errors, "missing_layers": missing}
        print_json(answer | {"whole_milliseconds": took, "predicted_milliseconds": rows})
        return
    typer.echo(f"{name}: {path}")
    typer.echo(f"{len(table.layers):,} different layers of {chosen.name}, one image each, on {table.device}")
    typer.echo(
        f"throughput {table.fallback.throughput / 1e6:.3g} G multiply-adds a second, overhead "
        f"{1e3 * table.fallback.overhead:.3g} us a layer (for layers that the table does not have)"
    )
    typer.echo(f"{whole} other networks, measured whole: {min(took):.3g} to {max(took):.3g} ms; mean relative error of")
    typer.echo("\n".join(f"    the {what}: {100 * error:.1f} %" for what, error in errors.items()))
    if missing:
        typer.echo(f"{missing:,} layers of those networks are not in the table: more --networks measure more of them")


def _networks(space: SearchSpace, images: str, count: int, rng: random.Random) -> list[Network]:
    """Different networks, drawn at random; `InvalidSetting` where a space has too few."""
    archs = list(dict.fromkeys(space.sample(rng) for _ in range(4 * count)))[:count]
    if len(archs) < count:
        raise InvalidSetting(f"{space.name} has not {count} different networks to draw: fewer --networks and --whole.")
    if images:
        from nassim.full_training.images.data import load_data
        from nassim.full_training.networks.framed import network_of
        from nassim.full_training.training.usual import recipe_for

        data = load_data(images)
        return [network_of(arch, recipe_for(space, data), data, space) for arch in archs]
    if space.frame is None:
        raise InvalidSetting(f"{space.name} says of no network: nothing can be measured.")
    return [space.network(arch, space.frame) for arch in archs]


def _supernet(space: SearchSpace, images: str) -> list[Network]:
    """All layers that the supernet of a space has in its options, where it has one."""
    from nassim.full_training.images.data import load_data
    from nassim.full_training.supernets.sources import RECIPES
    from nassim.full_training.tables.designs import frame_of

    try:
        if not images:
            return [] if space.frame is None else [space.supernet(space.frame)]
        return [space.supernet(frame_of(load_data(images), RECIPES[space.name, images]))]
    except (NassimError, KeyError):  # it has none, or nobody said how large it is on these images
        return []
