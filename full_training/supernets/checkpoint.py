"""A search that resumes: what it needs is written after every epoch, and read by the search that begins again.

Everything else of a search is a function of its seed and of the epoch (the order of images, their augmentation), so
that a killed search ends with the answers of one that was not.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from nassim.errors import CorruptData, ProtocolError
from nassim.files import put_in_place

FORMAT = 1


class Checkpoint:
    """A file that holds how far a search is; without one nothing is kept.

    told: what the search has answered so far (lists of numbers and strings); filled when it is read.
    settings: of the supernet and the search; a file of others is refused.
    """

    def __init__(
        self, file: Path | None = None, told: list[Any] | None = None, settings: Mapping[str, object] | None = None
    ) -> None:
        self.file, self.told, self.settings = file, [] if told is None else told, dict(settings or {})
        self._read: dict[str, Any] | None = None
        if file is not None and file.exists():
            self._read = _load(file, self.settings)
            self.told[:] = self._read["told"]

    def resume(self, kept: Mapping[str, Any], device: torch.device) -> int:
        """Put the kept things back as they were; the epoch to go on with (0: from the beginning)."""
        if self._read is None:
            return 0
        stored, self._read = self._read, None
        if list(stored["kept"]) != list(kept):
            raise CorruptData(f"{self.file} keeps {', '.join(stored['kept'])}, this search {', '.join(kept)}: {_MOVE}")
        try:
            for name, thing in kept.items():
                _put_back(thing, stored["kept"][name])
        except (ValueError, KeyError, TypeError, RuntimeError, IndexError) as error:
            text = " ".join(str(error).split())
            raise CorruptData(f"{self.file} does not hold this search ({text:.200}): {_MOVE}") from error
        return int(stored["epoch"])

    def save(self, epoch: int, kept: Mapping[str, Any]) -> None:
        """Write everything, replacing what was there; a killed write leaves the old file."""
        if self.file is None:
            return
        content = {
            "format": FORMAT,
            "settings": self.settings,
            "epoch": epoch,
            "told": self.told,
            "kept": {name: _state(thing) for name, thing in kept.items()},
        }
        with put_in_place(self.file) as written:
            torch.save(content, written)

    def remove(self) -> None:
        """The search has ended: nothing needs the file."""
        if self.file is not None:
            self.file.unlink(missing_ok=True)


_MOVE = "move it away, and the search begins anew."


def _load(file: Path, settings: Mapping[str, object]) -> dict[str, Any]:
    try:
        stored: dict[str, Any] = torch.load(file, map_location="cpu", weights_only=True)
        form, theirs = stored["format"], stored["settings"]
        if not isinstance(stored["told"], list) or not isinstance(stored["kept"], dict) or stored["epoch"] < 0:
            raise ValueError("it is no search")
    except Exception as error:  # a damaged file raises nearly anything
        raise CorruptData(f"{file} holds no search that was interrupted ({type(error).__name__}): {_MOVE}") from error
    if form != FORMAT or theirs != settings:
        different = [name for name in {**theirs, **settings} if theirs.get(name) != settings.get(name)]
        raise CorruptData(f"{file} is of another search ({', '.join(different) or 'its format'} differ): {_MOVE}")
    return stored


def _state(thing: Any) -> Any:
    if isinstance(thing, torch.Tensor):
        return thing.detach().clone()
    if isinstance(thing, torch.Generator):
        return thing.get_state()
    if isinstance(thing, random.Random):
        version, numbers, gauss = thing.getstate()
        return [version, list(numbers), gauss]
    return thing.state_dict()


def _put_back(thing: Any, state: Any) -> None:
    if isinstance(thing, torch.Tensor):
        with torch.no_grad():
            thing.copy_(state)
    elif isinstance(thing, torch.Generator):
        thing.set_state(state)
    elif isinstance(thing, random.Random):
        version, numbers, gauss = state
        thing.setstate((version, tuple(numbers), gauss))
    elif isinstance(thing, (nn.Module, torch.optim.Optimizer)) or hasattr(thing, "load_state_dict"):
        thing.load_state_dict(state)
    else:
        raise ProtocolError(f"a search cannot keep {type(thing).__name__}.")
