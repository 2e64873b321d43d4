"""Training one architecture: from a recipe, images and a seed to a curve.

On the CPU a training is a function of its arguments (and of the version of torch): the same seed gives the same
curve, and so does a training that was killed and resumed. On CUDA sums are taken in any order: curves agree within the
noise of repeats only. CUDA and MPS could not be tried when this was written; what differs there is
in this file and in `learner`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from nassim.full_training.images.batches import to_device
from nassim.full_training.images.data import ImageData
from nassim.full_training.networks.framed import network_of
from nassim.full_training.training import checkpoint
from nassim.full_training.training.device import at_work, describe, device_seconds, numbered
from nassim.full_training.training.heritage import Heritage, save_weights
from nassim.full_training.training.learner import Learner
from nassim.full_training.training.memory import forget_peak, peak_memory
from nassim.full_training.training.pixels import PixelLearner
from nassim.full_training.training.recipe import Recipe
from nassim.full_training.training.training import Training
from nassim.network import Network
from nassim.space import Architecture

SMALL = 1 << 20  # values in the first activation of a batch: below it one thread is faster than several


@dataclass
class Curve:
    """What a training has so far, an entry an epoch."""

    train: list[float] = field(default_factory=list)
    valid: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    train_loss: list[float] = field(default_factory=list)
    valid_loss: list[float] = field(default_factory=list)
    valid_miou: list[float] = field(default_factory=list)

    def add(
        self, right: float, loss: float, valid: float, valid_loss: float, seconds: float, miou: float | None = None
    ) -> None:
        """An epoch: shares of right predictions and mean losses in training and validation, and what it took.

        miou: on validation, where pixels are judged.
        """
        self.valid_miou += [] if miou is None else [miou]
        of = (self.train, right), (self.train_loss, loss), (self.valid, valid), (self.valid_loss, valid_loss)
        for values, value in (*of, (self.seconds, seconds)):
            values.append(value)

    def kept(self) -> dict[str, Any]:
        """Fields of a `Training`; no losses where a checkpoint of a version that kept none leaves a part of them."""
        whole = len(self.train_loss) == len(self.valid)
        return {
            "train_accuracy": tuple(self.train),
            "valid_accuracy": tuple(self.valid),
            "seconds": tuple(self.seconds),
            "train_loss": tuple(self.train_loss) if whole else (),
            "valid_loss": tuple(self.valid_loss) if whole else (),
            "valid_miou": tuple(self.valid_miou),
        }


def train(
    arch: Architecture,
    data: ImageData,
    recipe: Recipe,
    seed: int,
    *,
    network: Network | None = None,
    device: torch.device | str = "cpu",
    resume: Path | None = None,
    until: int | None = None,
    compiled: bool = False,
    tell: Callable[[Curve], None] | None = None,
    heritage: Heritage | None = None,
    keep: Path | None = None,
) -> Training:
    """Train one architecture from scratch, or with what it inherits.

    network: what `network_of` makes of the architecture, the recipe and the data (None: a cell of NAS-Bench-201).
    resume: where a checkpoint is kept after every epoch; a training that was killed, or stopped, goes on from it.
    until: stop after so many epochs of the recipe's schedule (None: all); the result then has no test accuracy. Gone on
        with, it gives the curve of one that was never stopped (on the CPU bit for bit).
    compiled: run the network through torch.compile (pays from some minutes of training on).
    tell: called after every epoch.
    heritage: the weights that it begins with, and whom it learns from; None: from scratch.
    keep: where the weights are put in the end, for others to inherit.

    A loss that is not finite ends the training as failed, and so does memory that is too small for a single image;
    both are said in the result. `InvalidSetting` if recipe and data do not fit or the checkpoint is another
    training's, `CorruptData` for a damaged checkpoint, `OutputFailed` if one cannot be written.
    """
    recipe.check(data)
    network = network_of(arch, recipe, data) if network is None else network
    device = numbered(torch.device(device))
    with at_work(device, recipe.batch * recipe.channels * data.side**2 < SMALL):
        return _train(arch, data, recipe, seed, network, device, resume, until, compiled, tell, heritage, keep)


def _train(
    arch: Architecture,
    data: ImageData,
    recipe: Recipe,
    seed: int,
    network: Network,
    device: torch.device,
    resume: Path | None,
    until: int | None,
    compiled: bool,
    tell: Callable[[Curve], None] | None,
    heritage: Heritage | None,
    keep: Path | None,
) -> Training:
    identity = {"arch": str(arch), "recipe": recipe.sha256, "data": data.sha256, "seed": str(seed)}
    if heritage is not None:
        identity |= {"origin": heritage.origin, "inherit": heritage.way}
    forget_peak(device)
    learner = (PixelLearner if data.masks else Learner)(
        network, data, recipe, seed, device, heritage, compiled=compiled
    )
    curve, failed, notes, here = Curve(), "", ["run by torch.compile"] * compiled, describe(device)
    state = checkpoint.load(resume, identity, device) if resume else None
    if state is not None:
        losses = (state.get(name, []) for name in ("train_loss", "valid_loss", "valid_miou"))
        curve = Curve(state["train"], state["valid"], state["seconds"], *losses)
        failed, notes = state["failed"], state["notes"]
        learner.restore(state)
        if (before := state.get("device", here)) != here:
            notes.append(f"epochs to {len(curve.valid)} on {before}, from there on {here}")
    splits = {name: to_device(data, name, device) for name in ("valid", "test")}
    last = recipe.epochs if until is None else min(until, recipe.epochs)
    while len(curve.valid) < last and not failed:
        started = device_seconds(device)
        right, loss, failed = learner.epoch(len(curve.valid))
        notes += learner.news()
        if not failed:
            valid, valid_loss, *miou = learner.evaluate(splits["valid"])
            curve.add(right / learner.judged, loss, valid, valid_loss, device_seconds(device) - started, *miou)
            if tell is not None:
                tell(curve)
        if resume is not None:
            curves = vars(curve)
            words = {"failed": failed, "notes": notes, "device": here}
            checkpoint.save(resume, identity, {**curves, **words, **learner.state()})
    if keep is not None and not failed:
        save_weights(keep, learner.network)
    steps = recipe.steps(len(learner.images))
    test = learner.evaluate(splits["test"]) if len(curve.valid) == recipe.epochs else ()
    return Training(
        arch=str(arch),
        data=data.name,
        data_sha256=data.sha256,
        recipe=recipe.name,
        recipe_sha256=recipe.sha256,
        seed=seed,
        test_accuracy=test[0] if test else None,
        peak_memory=peak_memory(device),
        device=here,
        failed=failed,
        notes=tuple(notes),
        rate=tuple(recipe.rate_at(epoch * steps, steps) for epoch in range(len(curve.valid))),
        test_miou=test[2] if len(test) > 2 else None,
        **curve.kept(),
    )
