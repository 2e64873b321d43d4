"""Checkpoints: after every epoch all that a training needs to go on, written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from nassim.errors import CorruptData, InvalidSetting
from nassim.files import put_in_place


def save(path: Path, identity: dict[str, str], state: dict[str, Any]) -> None:
    """Replace the checkpoint at ``path``; `OutputFailed` if it cannot be written (the old one stays)."""
    with put_in_place(path, "The last whole checkpoint stays.") as file:
        torch.save({"identity": identity, **state}, file)


def load(path: Path, identity: dict[str, str], device: torch.device) -> dict[str, Any] | None:
    """The state at ``path``; None if there is none.

    `InvalidSetting` if it is of another training (recipe, data, architecture or seed), `CorruptData` if damaged.
    """
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        found = dict(state.pop("identity"))
    except Exception as error:  # a damaged file can raise anything
        raise CorruptData(
            f"the checkpoint {path} is damaged ({type(error).__name__}). Delete it: the training begins anew."
        ) from error
    different = [
        f"{name} {found.get(name)!r:.40} instead of {identity[name]!r:.40}"
        for name in identity
        if found.get(name) != identity[name]
    ]
    if different:
        raise InvalidSetting(
            f"the checkpoint {path} is of another training: {'; '.join(different)}. Choose another file."
        )
    return state
