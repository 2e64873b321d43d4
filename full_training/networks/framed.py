"""The network that a training trains: an architecture, as large as the recipe says, for the images there are."""

from __future__ import annotations

from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.benchmarks.spaces.nasbench201_3ops import whole
from nassim.errors import InvalidNetwork, InvalidSetting
from nassim.full_training.images.data import ImageData
from nassim.full_training.training.recipe import Recipe
from nassim.network import Frame, Measured, Network, measure
from nassim.segmentation import SegmentationSpace
from nassim.space import Architecture, SearchSpace


def frame_of(recipe: Recipe, data: ImageData) -> Frame:
    """How large networks are built: channels and cells are the recipe's, classes and the shape of images the data's."""
    image = data.channels, data.side, data.side
    return Frame(recipe.channels, recipe.cells, data.classes, image, auxiliary=recipe.auxiliary > 0)


def network_of(arch: Architecture, recipe: Recipe, data: ImageData, space: SearchSpace | None = None) -> Network:
    """The network of an architecture; ``space`` None: NAS-Bench-201, or its part.

    `Unsupported` for a space without networks, `InvalidSetting` where the network does not fit the images or an epoch
    ends with a batch that cannot be normalized.
    """
    if space is None:
        arch, space = whole(arch), SPACE
    if data.masks is not isinstance(space, SegmentationSpace):
        wanted, given = ("a whole image", "pixels") if data.masks else ("every pixel", "whole images")
        raise InvalidSetting(
            f"networks of {space.name} give {wanted} a class, {data.name} has classes of {given}: use other images."
        )
    network = space.network(space.check(arch), frame_of(recipe, data))
    has = {"drop_path": any(layer.kind == "drop_path" for layer in network.layers), "auxiliary": network.auxiliary >= 0}
    for name, what in (("drop_path", "outputs that may be dropped"), ("auxiliary", "auxiliary head")):
        if getattr(recipe, name) and not has[name]:
            raise InvalidSetting(
                f"recipe {recipe.name} has {name}={getattr(recipe, name)}, networks of {space.name} have no {what}: "
                "use another recipe."
            )
    try:
        measured = measure(network)
    except InvalidNetwork as error:
        raise InvalidSetting(
            f"{space.name} cannot be built for {data.name}, images of {data.side} pixels (recipe {recipe.name}, "
            f"{recipe.channels} channels, {recipe.cells} cells): {error}"
        ) from None
    rest = recipe.images_an_epoch(len(data.splits["train"])) % recipe.batch
    if (rest or recipe.batch) == 1 and _normalizes_single_pixels(network, measured):
        raise InvalidSetting(
            f"recipe {recipe.name} on {data.name}: the last batch of an epoch has a single image, which a network of "
            f"{space.name} with maps of one pixel cannot normalize. Use another batch size or another number of images."
        )
    return network


def _normalizes_single_pixels(network: Network, measured: Measured) -> bool:
    """Whether a batch normalization sees one value of each image and channel."""
    pairs = zip(network.layers, measured.shapes, strict=True)
    return any(layer.kind == "batch_norm" and shape[1:] == (1, 1) for layer, shape in pairs)
