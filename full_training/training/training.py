"""What a training gives: a plain record that can be stored as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields

from nassim.errors import CorruptData

_CURVES = ("train_loss", "valid_loss", "rate")  # fields that records did not always have
_LATER = (*_CURVES, "test_loss", "valid_miou", "test_miou")


@dataclass(frozen=True)
class Training:
    """One training of one architecture under one seed.

    Accuracies are fractions. ``seconds`` are device seconds (`nassim.full_training.training.device`) of each epoch's
    training and validation pass on this machine. ``failed`` is the reason why it ended early (the curves then hold the
    whole epochs before it).

    train_loss: mean over the images that an epoch trained on, of what was minimized (label smoothing and the auxiliary
        head's share are in it); valid_loss: mean cross-entropy over the validation images after each epoch; rate: the
        learning rate at each epoch's first step. Empty in the records of versions that did not keep them.
    test_loss: mean cross-entropy over the test split, for language models; accuracies are shares of tokens there.
    valid_miou, test_miou: mean intersection over union, for networks that give pixels a class; accuracies are shares of
        pixels there.
    """

    arch: str
    data: str
    data_sha256: str
    recipe: str
    recipe_sha256: str
    seed: int
    train_accuracy: tuple[float, ...]
    valid_accuracy: tuple[float, ...]
    test_accuracy: float | None
    seconds: tuple[float, ...]
    peak_memory: int  # bytes: of the device's allocator on CUDA, of the whole process elsewhere
    device: str
    failed: str = ""
    notes: tuple[str, ...] = ()
    train_loss: tuple[float, ...] = ()
    valid_loss: tuple[float, ...] = ()
    rate: tuple[float, ...] = ()
    test_loss: float | None = None
    valid_miou: tuple[float, ...] = ()
    test_miou: float | None = None

    def to_json(self) -> str:
        """The record as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Training:
        """Read what `to_json` wrote; `CorruptData` for anything else."""
        try:
            values = json.loads(text)
            if set(values) | set(_LATER) != {field.name for field in fields(cls)}:
                raise ValueError("fields")
            for name in ("train_accuracy", "valid_accuracy", "seconds", "notes", "valid_miou", *_CURVES):
                values[name] = tuple(values.get(name, ()))
            return cls(**values)
        except (ValueError, TypeError, AttributeError) as error:
            raise CorruptData(f"this is not the record of a training: {text[:60]!r}") from error
