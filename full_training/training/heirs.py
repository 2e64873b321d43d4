"""Trainings by their lineage, those that inherit among them: what they begin with is found, or made anew.

A space whose architectures inherit (`SearchSpace.inherits`) keeps the weights of every training. Where weights are not
there, because the space keeps none or a file was lost, the training that they came of is made again, and those that it
inherited from before it: on the CPU it is the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from nassim.errors import InvalidQuery, MissingData
from nassim.full_training.images.data import ImageData
from nassim.full_training.networks.framed import network_of
from nassim.full_training.training.kept import Kept
from nassim.full_training.training.lineage import Lineage, read_name
from nassim.full_training.training.recipe import Recipe
from nassim.full_training.training.training import Training
from nassim.network import Network
from nassim.space import Architecture, SearchSpace

if TYPE_CHECKING:
    from nassim.full_training.networks.transfer import Weights
    from nassim.full_training.training.heritage import Heritage


def recipe_of(recipe: Recipe, lineage: Lineage, epochs: int) -> Recipe:
    """The recipe of a training that was asked for so many epochs: an heir's schedule begins and ends in them."""
    if not lineage.inherit or not epochs:
        return recipe
    return replace(recipe, epochs=epochs, warmup=recipe.warmup * epochs / recipe.epochs)


def refuse_strangers(name: str, kept: Kept, keys: Sequence[str], data: ImageData, recipe: Recipe) -> None:
    """`InvalidQuery` unless all keys are of trainings that are kept, on these images and by this recipe."""
    for key in keys:
        lineage, training = kept.lineage(key), kept.named(key)
        if lineage is None or training is None:
            raise InvalidQuery(f"{name}: {key!r:.30} names no training that is kept here, so it has no heirs.")
        if lineage.data != data.sha256:
            raise InvalidQuery(f"{name}: {lineage.arch:.60} was trained on other images: nothing is inherited from it.")
        if recipe_of(recipe, lineage, len(training.valid_accuracy)).sha256 != lineage.recipe:
            text = f"{name}: {lineage.arch:.60} was trained by another recipe than {recipe.name} is here"
            raise InvalidQuery(f"{text}: nothing is inherited from it.")
        if training.failed:
            raise InvalidQuery(
                f"{name}: the training of {lineage.arch:.60} failed ({training.failed}): it has no heirs."
            )


@dataclass(frozen=True)
class Heirs:
    """The trainings of a space on images by a recipe, in a folder."""

    kept: Kept
    space: SearchSpace
    data: ImageData
    recipe: Recipe
    device: str

    def obtain(
        self, lineage: Lineage, epochs: int, *, network: Callable[[], Network] | None = None, weights: bool = False
    ) -> Training:
        """The training of a lineage, kept or made; ``weights``: with its weights after so many epochs."""
        arch = self.space.parse(lineage.arch) if self.space.name == lineage.space else _plain(lineage)
        recipe = recipe_of(self.recipe, lineage, epochs)
        own = {name: factor * getattr(recipe, name) for name, factor in self.space.recipe(arch).items()}
        return self.kept.obtain(
            arch,
            self.data,
            replace(recipe, **own),
            lineage.seed,
            network=network or partial(self.network, arch),
            until=epochs,
            device=self.device,
            lineage=lineage,
            heritage=partial(self._heritage, lineage) if lineage.inherit else None,
            weights=weights or self.space.inherits,
        )

    def network(self, arch: Architecture) -> Network:
        """The network of an architecture."""
        return network_of(arch, self.recipe, self.data, self.space)

    def _heritage(self, lineage: Lineage) -> Heritage:
        from nassim.full_training.training.heritage import Heritage

        (key,), epochs = read_name(lineage.origin)
        parent = self.kept.lineage(key)
        if parent is None:
            raise MissingData(
                f"the training {key[:12]}, which {lineage.arch:.60} inherits from, is no longer kept here."
            )
        network = self.network(self.space.parse(parent.arch))
        return Heritage(lineage.origin, lineage.inherit, network, partial(self._weights, parent, epochs))

    def _weights(self, lineage: Lineage, epochs: int) -> Weights:
        """The weights of a kept training, from their file or trained again."""
        from nassim.full_training.training.heritage import load_weights

        path = self.kept.weights(lineage.key, epochs)
        if not path.exists():
            self.obtain(lineage, epochs, weights=True)
        return load_weights(path)


def _plain(lineage: Lineage) -> Architecture:
    return Architecture(lineage.space, tuple(map(int, lineage.network.split("-"))))
