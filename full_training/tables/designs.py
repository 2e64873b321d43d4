"""The tables that nassim trains itself: which space, on which images, by which recipe. Named without torch."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

from nassim.errors import UnknownName
from nassim.full_training.images.data import ImageData, load_data
from nassim.full_training.tables.classes import SPACES, CellClass, cell_classes
from nassim.full_training.training.recipe import Recipe, get_recipe
from nassim.network import Frame
from nassim.space import SearchSpace

SEEDS = (777, 888, 999)
WANTED = 0.7  # Spearman's correlation between two seeds of the pilot: below it nothing is built


def frame_of(data: ImageData, recipe: Recipe) -> Frame:
    """How large networks are built for images and a recipe."""
    return Frame(recipe.channels, recipe.cells, data.classes, (data.channels, data.side, data.side))


@dataclass(frozen=True)
class Design:
    """A table to be trained: all classes of a space under every seed. Small, so that it can be sent to a process.

    pilot: classes, drawn by the number of their cells, that all seeds train first.
    splits: what is said of the images of each split; ``{train}``, ``{valid}``, ``{test}`` are numbers of images (of an
        epoch), ``{whole}`` those of the training split.
    changes: fields of the recipe that are other ones.
    repeats: how many of `SEEDS` every class is trained under.
    gain: None for NAS-Bench-201's skeleton, whose networks are trained together. Those of another space are trained
        one by one, their first weights multiplied by it (`nassim.full_training.tables.alone`).
    """

    space_name: str
    data_name: str
    recipe_name: str
    pilot: int
    splits: tuple[tuple[str, str], ...]
    licence: str
    citation: str
    changes: tuple[tuple[str, int | float], ...] = ()
    repeats: int = 3
    gain: float | None = None

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that every class is trained under."""
        return SEEDS[: self.repeats]

    @property
    def name(self) -> str:
        return f"{self.space_name}/{self.data_name}"

    @property
    def file_name(self) -> str:
        """Of the table."""
        return f"{self.space_name}-{self.data_name}.h5"

    @property
    def space(self) -> SearchSpace:
        return SPACES[self.space_name]

    @property
    def classes(self) -> tuple[CellClass, ...]:
        return cell_classes(self.space_name)

    @property
    def recipe(self) -> Recipe:
        return get_recipe(self.recipe_name, **dict(self.changes))

    @property
    def sha256(self) -> str:
        """Of the recipe, and of what else decides a training: the networks' layers and the gain, where there is one."""
        if self.gain is None:
            return self.recipe.sha256
        frame = frame_of(self.load_data(), self.recipe)
        layers = self.space.network(self.space.at(self.space.size - 1), frame).layers
        text = "\n".join(
            f"{layer.name} {layer.kind} {layer.inputs} {sorted(layer.settings.items())}" for layer in layers
        )
        return hashlib.sha256(f"{self.recipe.sha256}\n{self.gain!r}\n{text}".encode()).hexdigest()

    def load_data(self) -> ImageData:
        """The images; `MissingData` where they are not to be had."""
        return load_data(self.data_name)


_NASBENCH201 = "space and skeleton: X. Dong and Y. Yang, NAS-Bench-201, ICLR 2020"
_FASHION_SPLITS = (
    ("valid", "{valid:,} of Fashion-MNIST's training images (x-valid)"),
    ("test", "{test:,} images: Fashion-MNIST's test set (ori-test)"),
    ("train", "{train:,} images an epoch, while training, of {whole:,} others of Fashion-MNIST's training images"),
)
DESIGNS = {
    design.name: design
    for design in (
        Design(
            space_name="nasbench201",
            data_name="digits",
            recipe_name="digits",
            pilot=192,
            splits=(
                ("valid", "{valid:,} images, rendered from 400 originals (x-valid)"),
                ("test", "{test:,} images, rendered from 400 other originals (x-test)"),
                (
                    "train",
                    "{train:,} images an epoch, while training, of {whole:,} rendered from the other 997 originals",
                ),
            ),
            licence="MIT (the trainings); the digits: CC BY 4.0",
            citation=(
                "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning "
                f"Repository, 1998, https://doi.org/10.24432/C50P49; {_NASBENCH201}"
            ),
        ),
        Design(
            space_name="nasbench201_3ops",
            data_name="fashion14",
            recipe_name="fashion14",
            pilot=48,
            splits=_FASHION_SPLITS,
            licence="MIT (the trainings and the images)",
            citation=(f"H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST, 2017, arXiv:1708.07747; {_NASBENCH201}"),
        ),
        Design(  # chosen by a pilot (docs/benchmarks.md)
            space_name="genetic_cnn",
            data_name="fashion14",
            recipe_name="fashion14",
            pilot=48,
            splits=_FASHION_SPLITS,
            licence="MIT (the trainings and the images)",
            citation=(
                "H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST, 2017, arXiv:1708.07747; "
                "space: L. Xie and A. Yuille, Genetic CNN, ICCV 2017, arXiv:1703.01513"
            ),
            changes=(
                ("channels", 20),
                ("cells", 1),
                ("epochs", 1),
                ("epochs_a_pass", 2),
                ("batch", 64),
                ("rate", 0.001),
                ("warmup", 0.25),
            ),
            repeats=2,
            gain=math.sqrt(6),
        ),
    )
}


def get_design(name: str) -> Design:
    """A table to be trained by name; `UnknownName` where there is none, with those that there are."""
    key = name.strip()
    if key.replace("-", "_") not in (known := {each.replace("-", "_"): each for each in DESIGNS}):
        raise UnknownName(
            f"{name!r:.60} is not built here. Built are {', '.join(DESIGNS)}; `nassim data list` shows "
            "what can be fetched: nassim data get NAME."
        )
    return DESIGNS[known[key.replace("-", "_")]]
