"""nassim train: one architecture, trained now."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Annotated

import typer

from nassim.cli import train_text
from nassim.cli.console import DeviceOption, Json, console, find_architecture, percent, print_json
from nassim.cli.trainings import print_trainings
from nassim.recurrent import RecurrentSpace
from nassim.segmentation import SegmentationSpace

if TYPE_CHECKING:
    from nassim.full_training.training.train import Curve
    from nassim.full_training.training.training import Training

RecipeOption = Annotated[
    str,
    typer.Option(
        "--recipe",
        help="small, digits, fashion14, segmentation, nasbench201-12ep, -12ep-unmirrored or -200ep, darts-600ep; of "
        "texts text-small or darts-ptb. Default: that of space and data.",
    ),
]
EpochsOption = Annotated[int | None, typer.Option("--epochs", min=1, help="Length of the recipe's schedule.")]
ImagesOption = Annotated[
    Path | None, typer.Option("--images", help="Folder with the released image files (digits need none).")
]


def main(
    arch: Annotated[
        str, typer.Argument(help="SPACE:ARCHITECTURE of any space with networks; without SPACE a cell of NAS-Bench-201")
    ],
    data: Annotated[
        str,
        typer.Option(
            help="digits (default), fashion14, fashion, mnist, cifar10, cifar100, imagenet16-120 or your own; of "
            "segmentation networks canvas (default) or your own with masks; of recurrent cells a text: handbook "
            "(default) or your own."
        ),
    ] = "",
    recipe: RecipeOption = "",
    epochs: EpochsOption = None,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings: seeds 0, 1, ...")] = 1,
    device: DeviceOption = "auto",
    images: ImagesOption = None,
    download: Annotated[bool, typer.Option("--download", help="Fetch CIFAR (about 165 MB) if it is not here.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Train although the training is kept.")] = False,
    precision: Annotated[
        str, typer.Option(help="float32 or bf16, which is autocast on CUDA. Default: the recipe's.")
    ] = "",
    compiled: Annotated[
        bool, typer.Option("--compiled", help="Run the network by torch.compile: pays from some minutes on.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train an architecture from scratch; trainings are kept and not repeated, and a killed one goes on."""
    from nassim.full_training.images import cifar
    from nassim.full_training.images.data import load_data
    from nassim.full_training.networks.framed import network_of
    from nassim.full_training.training.device import choose_device, describe, require_torch, seconds_are
    from nassim.full_training.training.kept import Kept
    from nassim.full_training.training.usual import recipe_for

    require_torch("training")
    space, architecture = find_architecture(arch, "nasbench201")
    if isinstance(space, RecurrentSpace):
        only = bool(images or download or precision or compiled)
        options = {"again": again, "images_only": only, "as_json": as_json}
        train_text.train(space, architecture, data, recipe, epochs, seeds, device, **options)
        return
    pixels = isinstance(space, SegmentationSpace)
    data, chosen = data or ("canvas" if pixels else "digits"), choose_device(device)
    if download and (data := data.replace("_", "-")) in cifar.RELEASES:
        images = cifar.download(data)
    loaded = load_data(data, images)
    changes: dict[str, int | str] = {} if epochs is None else {"epochs": epochs}
    changes |= {"precision": precision} if precision else {}
    used = recipe_for(space, loaded, recipe, **changes)
    used.check(loaded)
    network = network_of(architecture, used, loaded, space)
    err, kept = console(stderr=True), Kept()

    def tell(seed: int, curve: Curve) -> None:
        of = " of pixels" * pixels
        miou = f" (mIoU {percent(curve.valid_miou[-1])} %)" if pixels else ""
        err.print(
            f"seed {seed}, epoch {len(curve.valid)}/{used.epochs}: training {percent(curve.train[-1])} %{of}, "
            f"validation {percent(curve.valid[-1])} %{of}{miou}, {curve.seconds[-1]:.1f} s"
        )

    what = f"recipe {used.name}, {used.epochs} epochs; data {loaded.name}; seconds: {seconds_are(chosen)}"
    err.print(f"device: {describe(chosen)}; {what}")
    found = []
    for seed in range(seeds):
        training = kept.obtain(
            *(architecture, loaded, used, seed),
            network=lambda: network,
            device=str(chosen),
            again=again,
            compiled=compiled,
            tell=partial(tell, seed),
            waits=lambda holder: err.print(f"{holder} trains this already: waiting for it"),
        )
        found.append(training)
    if as_json:
        print_json([asdict(training) for training in found])
        return

    def reached(training: Training) -> list[str]:
        curves = training.train_accuracy, training.valid_accuracy
        last = [percent(curve[-1] if curve else None) for curve in curves]
        if pixels:
            miou = training.valid_miou[-1] if training.valid_miou else None
            return [*last, percent(miou), percent(training.test_miou)]
        return [*last, percent(training.test_accuracy)]

    splits = [f"{loaded.names[split]} %" for split in ("train", "valid", "test")]
    if pixels:
        train_name, valid_name, test_name = (loaded.names[split] for split in ("train", "valid", "test"))
        splits = [f"{train_name} pixels %", f"{valid_name} pixels %", f"{valid_name} mIoU %", f"{test_name} mIoU %"]
    print_trainings(found, splits, reached, processor=chosen.type == "cpu")
    judged = "valid_miou" if pixels else "valid_accuracy"
    values = [getattr(training, judged)[-1] for training in found if not training.failed]
    if len(values) > 1:
        of = " mIoU" if pixels else ""
        spread = f"standard deviation {percent(stdev(values))} points"
        typer.echo(f"validation{of}: mean {percent(fmean(values))} %, {spread}")
