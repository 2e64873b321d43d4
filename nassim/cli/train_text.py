"""nassim train, of a recurrent cell: a language model on a text."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

import typer

from nassim.cli.console import console, print_json
from nassim.cli.trainings import print_trainings
from nassim.errors import InvalidSetting
from nassim.recurrent import RecurrentSpace
from nassim.space import Architecture

if TYPE_CHECKING:
    from nassim.full_training.training.train import Curve
    from nassim.full_training.training.training import Training

HANDBOOK = "handbook"  # what is trained on if no text is named


def train(
    space: RecurrentSpace,
    arch: Architecture,
    name: str,
    recipe: str,
    epochs: int | None,
    seeds: int,
    device: str,
    *,
    again: bool,
    images_only: bool,
    as_json: bool,
) -> None:
    """Train a language model with a cell under seeds 0, 1, ..., and print perplexities or bits a character.

    images_only: whether an option was given that only networks of images have.
    """
    from nassim.full_training.texts.data import load_text
    from nassim.full_training.texts.recipe import text_recipe
    from nassim.full_training.texts.train import train_text
    from nassim.full_training.training.device import choose_device, describe, seconds_are
    from nassim.full_training.training.kept import Kept

    if images_only:
        raise InvalidSetting("--images, --download, --precision and --compiled are for networks of images.")
    data, chosen = load_text(name or HANDBOOK), choose_device(device)
    used = text_recipe(recipe, **({} if epochs is None else {"epochs": epochs}))
    used.check(data)
    metric, err, kept = data.metric, console(stderr=True), Kept()
    given: Any = (arch, data, used)  # `Kept` is typed for networks of images
    network: Any = partial(space.cell, arch)

    def shown(loss: float | None) -> str:
        return metric.text(None if loss is None else metric.shown(-loss))

    unit = "perplexity" if metric.reading == "perplexity" else f"bits a {data.each}"

    def tell(seed: int, curve: Curve) -> None:
        losses = f"training {shown(curve.train_loss[-1])}, validation {shown(curve.valid_loss[-1])}"
        err.print(f"seed {seed}, epoch {len(curve.valid)}/{used.epochs}: {losses} ({unit}), {curve.seconds[-1]:.1f} s")

    what = f"recipe {used.name}, {used.epochs} epochs; text {data.name}; seconds: {seconds_are(chosen)}"
    err.print(f"device: {describe(chosen)}; {what}")
    found = [
        kept.obtain(
            *(*given, seed),
            network=network,
            device=str(chosen),
            again=again,
            tell=partial(tell, seed),
            waits=lambda holder: err.print(f"{holder} trains this already: waiting for it"),
            trainer=train_text,
        )
        for seed in range(seeds)
    ]
    if as_json:
        print_json([asdict(training) for training in found])
        return

    def reached(training: Training) -> list[str]:
        curves = training.train_loss, training.valid_loss
        return [*(shown(curve[-1] if curve else None) for curve in curves), shown(training.test_loss)]

    splits = [f"{split} {metric.shown_unit or 'perplexity'}" for split in ("training", "validation", "test")]
    print_trainings(found, splits, reached, processor=chosen.type == "cpu")
    values = [metric.shown(-training.valid_loss[-1]) for training in found if not training.failed]
    if len(values) > 1:
        typer.echo(f"validation {unit}: mean {fmean(values):.4g}, standard deviation {stdev(values):.2g}")
