"""What a training gives: a plain record that can be stored as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields

from nassim.errors import CorruptData


@dataclass(frozen=True)
class Training:
    """One training of one architecture under one seed.

    Accuracies are fractions. ``seconds`` are device seconds (`nassim.full_training.training.device`) of each epoch's
    training and validation pass on this machine. ``failed`` is the reason why it ended early (the curves then hold the
    whole epochs before it).
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

    def to_json(self) -> str:
        """The record as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Training:
        """Read what `to_json` wrote; `CorruptData` for anything else."""
        try:
            values = json.loads(text)
            if set(values) != {field.name for field in fields(cls)}:
                raise ValueError("fields")
            for name in ("train_accuracy", "valid_accuracy", "seconds", "notes"):
                values[name] = tuple(values[name])
            return cls(**values)
        except (ValueError, TypeError) as error:
            raise CorruptData(f"this is not the record of a training: {text[:60]!r}") from error
