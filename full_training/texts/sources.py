"""The supernets of recurrent cells, by space and text, without torch: it is loaded when one is made."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from nassim.errors import UnknownName
from nassim.full_training.texts.data import TextData, load_text
from nassim.full_training.texts.recipe import text_recipe
from nassim.full_training.training.device import require_torch
from nassim.recurrent import Edges, RecurrentSpace
from nassim.supernet import Supernets
from nassim.tabular_data.recordings import folders, read_recordings, write_recording

if TYPE_CHECKING:
    from nassim.full_training.texts.supernet import SharedCells

KEYS = {"rnn-enas": "source"}  # by what matrices are shared where the strategy does not say; elsewhere "target"
REVISION = 1
_RECIPE = text_recipe()


def supernet_settings(space: RecurrentSpace, data: TextData) -> dict[str, object]:
    """What decides how a supernet trains beside the strategy's hyperparameters."""
    names = ("hidden", "bptt", "clip", "dropout_input", "dropout_hidden", "dropout_output", "slowness")
    return {
        "space": space.name,
        "images": data.name,
        "images_sha256": data.sha256,
        "searched": "training and validation text",
        "keys": KEYS.get(space.name, "target"),
        "statistics": "batch",
        "momentum": 0.0,
        **{name: getattr(_RECIPE, name) for name in names},
        "revision": REVISION,
    }


def make_supernet(space: RecurrentSpace, text: str, seed: int, device: str = "cpu") -> SharedCells:
    """The supernet of a space on a text; `MissingDependency` without torch."""
    require_torch("training a supernet")
    from nassim.full_training.texts.supernet import SharedCells

    data = load_text(text)
    return SharedCells(space, data, _RECIPE, seed, device, settings=supernet_settings(space, data))


def supernets_on(space: RecurrentSpace, text: str) -> Supernets | None:
    """Where the one-shot runs of a space on a text come from; None where there is no such text, or no supernet."""
    if not isinstance(space.layout, Edges):
        return None
    try:
        data = load_text(text)
    except UnknownName:
        return None
    name = f"{space.name}/{data.name}"
    return Supernets(
        benchmark=name,
        space=space,
        settings=supernet_settings(space, data),
        make=partial(make_supernet, space, data.name),
        recordings=partial(read_recordings, name, space),
        write=write_recording,
        folder=folders()[0],
        published_seconds=lambda algorithm, hyperparameters: None,
    )
