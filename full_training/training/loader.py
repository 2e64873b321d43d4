"""The loader of all benchmarks that train, ``SPACE/DATA:training``: any space with networks, any set of images."""

from __future__ import annotations

from collections.abc import Sequence

from nassim.benchmark import About, Noise
from nassim.full_training.images.data import DATA_SETS, MASK_SETS, load_data
from nassim.full_training.images.own import own_mask_names, own_names
from nassim.full_training.texts.data import text_names
from nassim.full_training.training.kept import trainings_folder
from nassim.full_training.training.named import Named
from nassim.full_training.training.sizes import SECONDS, size_units
from nassim.full_training.training.trained import Trained
from nassim.full_training.training.usual import recipe_for
from nassim.recurrent import RecurrentSpace
from nassim.segmentation import SegmentationSpace
from nassim.space import SearchSpace


def image_names() -> list[str]:
    """The names of all sets of images, shipped or to be fetched, and the user's own."""
    return sorted({*DATA_SETS, *own_names()})


def mask_names() -> list[str]:
    """The names of all sets of images with masks, composed from others, and the user's own."""
    return sorted({*MASK_SETS, *own_mask_names()})


def data_names(space: SearchSpace) -> list[str]:
    """The DATA that a space's architectures are trained on: texts for recurrent cells, masks or sets of images."""
    if isinstance(space, SegmentationSpace):
        return mask_names()
    return text_names() if isinstance(space, RecurrentSpace) else image_names()


def load_training(
    space: SearchSpace, images: str, noise: Noise, *, paper: str, notes: Sequence[str] = (), device: str = "auto"
) -> Trained:
    """A space's architectures trained anew on a set of images, by the usual recipe; epochs 1 to the recipe's.

    paper: where the space is published; notes: what its family adds about these images.
    `MissingData` where the images are not here; as `Trained` where something does not fit.
    """
    if isinstance(space, RecurrentSpace):
        from nassim.full_training.texts.trained import load_text_training

        return load_text_training(space, images, noise, paper=paper, device=device)
    data = load_data(images)
    kind, what, seen, recipe = Trained, "architectures", "images", recipe_for(space, data)
    if data.masks:
        from nassim.full_training.training.segmented import TrainedPixels

        kind, what, seen = TrainedPixels, "segmentation networks", "images with masks"
        notes = (*notes, f"{data.classes} classes; mIoU of other images than {data.name} is not to be compared.")
    return kind(
        f"{space.name}/{data.name}:training",
        space,
        data,
        recipe,
        About(
            title=f"{space.name}: {what} trained now on {data.name}, recipe {recipe.name}",
            paper=paper,
            source=f"trained on this machine; kept in {trainings_folder()}",
            licence="MIT",
            citation="name the machine and nassim's version",
            splits={
                kind.metric.on(name): f"{len(data.splits[name]):,} {seen} ({data.names[name]})"
                + (f", of the network trained on {len(data.splits['train']):,} images" if name == "test" else "")
                for name in data.names
            },
            extras=size_units(),
            notes=(SECONDS, *notes),
            sha256=data.sha256,
        ),
        noise=noise,
        device=device,
        images=Named(load_data, data.name, data.sha256),
    )
