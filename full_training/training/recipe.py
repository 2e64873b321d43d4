"""Recipes: everything that decides what a training gives, but for the architecture, the data and the seed.

The recipes ``nasbench201-12ep`` and ``nasbench201-200ep`` are those of Dong & Yang, ICLR 2020,
arXiv:2001.00326, section 2.3: SGD with Nesterov momentum, cosine schedule to zero, random crop and flip. The authors'
code pads images of 32 pixels by 4 and those of 16 by 2, and does so before it normalizes them. The recipe ``digits``
was chosen by a pilot (docs/digits.md). ``darts-600ep`` is the evaluation of Liu, Simonyan & Yang, ICLR 2019,
arXiv:1806.09055, appendix A.2, and their code; departure: the rate falls with every step, not with every epoch.
``darts-digits`` and ``darts-fashion14`` are the same for maps of four pixels: fewer cells and epochs, no auxiliary
head, no cutout. ``segmentation`` is this project's, short, for images with masks (docs/segmentation.md).
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

from nassim.errors import InvalidSetting, UnknownName
from nassim.full_training.images.data import ImageData
from nassim.full_training.training.fields import fingerprint, refuse_values

_LATER: dict[str, Any] = {  # fields that recipes did not always have -> what leaves a recipe as it was
    "crop_side": 0,
    "cutout": 0,
    "drop_path": 0.0,
    "auxiliary": 0.0,
    "smoothing": 0.0,
    "clip": None,
}


@dataclass(frozen=True)
class Recipe:
    """How a network is made and trained; stochastic gradient descent with a cosine schedule per step.

    channels, cells: C and N of the skeleton.
    epochs_a_pass: an epoch takes this part of the shuffled training images, the next epoch the next part: with 4,
        four epochs see each image once.
    rate: learning rate at the start; it falls to zero, after ``warmup`` epochs of linear rise.
    crop: pixels of black padding before a random crop to the old size (a shift by up to as many pixels).
    crop_side: the side of the images that ``crop`` is meant for, others are padded in proportion; 0: any side.
    flip: mirror half of the images.
    precision: ``bf16`` is autocast on CUDA and float32 elsewhere.
    cutout: side of a square around a random pixel of every training image in which the image is the training images'
        mean (DeVries & Taylor, 2017, arXiv:1708.04552); what lies beyond the border is cut off. 0: none.
    drop_path: probability to which dropping an operation's output rises, linearly from 0 in the first epoch.
    auxiliary: weight of the auxiliary head's loss, for networks that have one. 0: trained without.
    smoothing: of the labels in the training loss (Szegedy et al., CVPR 2016, arXiv:1512.00567, section 7).
    clip: largest norm of all gradients together; None: any.
    """

    name: str
    channels: int = 16
    cells: int = 5
    epochs: int = 200
    epochs_a_pass: int = 1
    batch: int = 256
    rate: float = 0.1
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 5e-4
    warmup: float = 0.0
    crop: int = 4
    flip: bool = True
    crop_side: int = 0
    precision: Literal["float32", "bf16"] = "float32"
    cutout: int = 0
    drop_path: float = 0.0
    auxiliary: float = 0.0
    smoothing: float = 0.0
    clip: float | None = None

    def __post_init__(self) -> None:
        refuse_values(
            self.name,
            vars(self),
            counts=("channels", "cells", "epochs", "epochs_a_pass", "batch"),
            amounts=("rate", "momentum", "weight_decay", "warmup", "crop", "crop_side", "cutout", "auxiliary"),
            shares=("drop_path", "smoothing"),
        )
        if self.cutout != int(self.cutout):
            raise InvalidSetting(f"recipe {self.name}: cutout={self.cutout} must be a whole number of pixels.")
        if self.precision not in ("float32", "bf16"):
            raise InvalidSetting(f"recipe {self.name}: precision={self.precision!r} is not float32 or bf16.")

    @property
    def in_use(self) -> dict[str, Any]:
        """All fields by name, without those that came later and are not used."""
        return {name: value for name, value in asdict(self).items() if name not in _LATER or value != _LATER[name]}

    @property
    def sha256(self) -> str:
        """A hash of all fields but the name: recipes with the same one train alike.

        What came later is in it only where a recipe uses it, so that no other one's hash changed with it: the fields in
        `_LATER`, and the black border (images were padded after normalization before).
        """
        return fingerprint({**self.in_use, **({"border": "black"} if self.crop else {})})

    def rate_at(self, step: int, steps: int) -> float:
        """Learning rate of a step (from 0) of an epoch with ``steps`` steps."""
        epoch = step / steps
        if epoch < self.warmup:
            return self.rate * (step + 1) / (self.warmup * steps)
        return self.rate * 0.5 * (1.0 + math.cos(math.pi * (epoch - self.warmup) / (self.epochs - self.warmup)))

    def drop_path_at(self, epoch: int) -> float:
        """Probability that an operation's output is dropped in an epoch (from 0)."""
        return self.drop_path * epoch / self.epochs

    def padding(self, side: int) -> int:
        """Pixels around images of so many pixels a side: the largest shift."""
        return self.crop * side // self.crop_side if self.crop_side else self.crop

    def images_an_epoch(self, images: int) -> int:
        """Images that an epoch sees of so many in the training split."""
        return images // self.epochs_a_pass

    def steps(self, images: int) -> int:
        """Steps of an epoch, the last of which may be a smaller batch, with so many images in the training split."""
        return -(-self.images_an_epoch(images) // self.batch)

    def check(self, data: ImageData) -> None:
        """Raise `InvalidSetting` if the recipe does not fit the data."""
        if self.flip and not data.flip:
            raise InvalidSetting(f"recipe {self.name} mirrors images, and a mirrored image of {data.name} is another.")
        if 2 * (shift := self.padding(data.side)) >= data.side:
            raise InvalidSetting(f"recipe {self.name} shifts by {shift} pixels, half of {data.name}'s {data.side}.")
        if self.cutout > data.side:
            raise InvalidSetting(
                f"recipe {self.name} cuts out {self.cutout} pixels, more than {data.name}'s {data.side}: use a smaller "
                "cutout."
            )
        whole = len(data.splits["train"])
        if whole % self.epochs_a_pass:
            raise InvalidSetting(
                f"recipe {self.name} has epochs_a_pass={self.epochs_a_pass}, which does not divide {data.name}'s "
                f"{whole:,} images."
            )
        if self.batch > (count := self.images_an_epoch(whole)):
            raise InvalidSetting(
                f"recipe {self.name} has batches of {self.batch}, an epoch of {data.name} only {count:,} images."
            )
        if self.warmup >= self.epochs:
            raise InvalidSetting(f"recipe {self.name}: warmup={self.warmup} is not below its {self.epochs} epochs.")


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("nasbench201-12ep", epochs=12, crop_side=32),
        Recipe("nasbench201-200ep", epochs=200, crop_side=32),
        Recipe("nasbench201-12ep-unmirrored", epochs=12, flip=False, crop_side=32),
        Recipe(
            "small",
            channels=8,
            cells=1,
            epochs=4,
            batch=50,
            rate=0.1,
            weight_decay=1e-3,
            warmup=1.0,
            crop=0,
            flip=False,
        ),
        Recipe(
            "digits",
            channels=8,
            cells=2,
            epochs=4,
            epochs_a_pass=4,
            batch=50,
            rate=0.1,
            weight_decay=1e-3,
            warmup=1.0,
            crop=0,
            flip=False,
        ),
        Recipe(
            "fashion14",
            channels=8,
            cells=2,
            epochs=4,
            epochs_a_pass=4,
            batch=50,
            rate=0.1,
            weight_decay=1e-3,
            warmup=1.0,
            crop=0,
            flip=False,
        ),
        Recipe(
            "segmentation",
            channels=8,
            cells=1,
            epochs=4,
            batch=32,
            rate=0.1,
            weight_decay=1e-4,
            warmup=1.0,
            crop=0,
            flip=False,
        ),
        Recipe(
            "darts-600ep",
            channels=36,
            cells=20,
            epochs=600,
            batch=96,
            rate=0.025,
            nesterov=False,
            weight_decay=3e-4,
            crop_side=32,
            cutout=16,
            drop_path=0.2,
            auxiliary=0.4,
            clip=5.0,
        ),
        *(
            Recipe(
                name,
                channels=8,
                cells=5,
                epochs=epochs,
                batch=96,
                rate=0.025,
                nesterov=False,
                weight_decay=3e-4,
                crop=0,
                flip=False,
                drop_path=0.2,
                clip=5.0,
            )
            for name, epochs in (("darts-digits", 40), ("darts-fashion14", 20))
        ),
    )
}

USUAL = {  # data set -> the recipe that it is trained by if none is named
    "digits": "digits",
    "fashion14": "fashion14",
    "canvas": "segmentation",
    "fashion": "nasbench201-12ep",
    "mnist": "nasbench201-12ep-unmirrored",
    "cifar10": "nasbench201-200ep",
    "cifar100": "nasbench201-200ep",
    "imagenet16-120": "nasbench201-200ep",
}


def usual_recipe(data: ImageData) -> str:
    """The recipe that a data set is trained by if none is named, those of the user's own included."""
    return USUAL.get(data.name) or ("nasbench201-12ep" if data.flip else "nasbench201-12ep-unmirrored")


def get_recipe(name: str, **changes: int | float | bool | str) -> Recipe:
    """A recipe by name, with changed fields; a changed recipe has another hash, not another name.

    With other ``epochs`` alone the warm-up takes the same part of them.
    """
    if name not in RECIPES:
        raise UnknownName(f"{name!r} is not a recipe. Known: {', '.join(RECIPES)}.")
    unknown = set(changes) - {field.name for field in fields(Recipe)}
    if unknown:
        raise InvalidSetting(f"recipes have no {', '.join(sorted(unknown))}.")
    recipe = RECIPES[name]
    if "epochs" in changes and "warmup" not in changes:
        changes["warmup"] = recipe.warmup * float(changes["epochs"]) / recipe.epochs
    return replace(recipe, **changes)  # type: ignore[arg-type]
