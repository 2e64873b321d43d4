"""Texts of the user's own, as arrays in the data folder (``texts/own/NAME.npz``)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from nassim.errors import CorruptData, MissingData
from nassim.files import put_in_place
from nassim.full_training.images.own import DAMAGED, KNOWN, names_below, place_of
from nassim.full_training.texts.data import CHARACTERS, HANDBOOK, SPLITS, WORDS, TextData, texts_folder


def path_of(name: str) -> Path:
    """Where a text of that name lies, whether it is there or not; `InvalidSetting` for an impossible name."""
    return place_of(texts_folder(), name, (HANDBOOK, *KNOWN))


def own_names() -> tuple[str, ...]:
    """The names of all texts that were made here."""
    return names_below(texts_folder(), (HANDBOOK,))


def save(data: TextData) -> Path:
    """Keep a text under its name, whole or not at all; `OutputFailed` where it cannot be written."""
    path = path_of(data.name)
    about = {
        "unit": data.unit,
        "vocabulary": list(data.vocabulary),
        "names": dict(data.names),
        "sha256": data.sha256,
    }
    with put_in_place(path, "What was there stays.") as file:
        arrays: dict[str, Any] = dict(data.splits)
        np.savez_compressed(file, about=np.array(json.dumps(about)), **arrays)
    return path


def load(name: str) -> TextData:
    """Read a text; `MissingData` if there is none, `CorruptData` if it is not as it was kept."""
    path = path_of(name)
    if not path.is_file():
        raise MissingData(f"{path} is not there: `nassim data text {name} PATH` makes it.")
    try:
        with path.open("rb") as raw, np.load(raw) as file:
            about = json.loads(str(file["about"]))
            splits = {split: file[split].astype(np.int32) for split in SPLITS}
        vocabulary = tuple(map(str, about["vocabulary"]))
        data = TextData(name, about["unit"], vocabulary, splits, {s: str(about["names"][s]) for s in SPLITS})
        if data.unit not in (WORDS, CHARACTERS) or any(row.ndim != 1 or not len(row) for row in splits.values()):
            raise ValueError("it holds no three splits of words or characters")
        if not all(row.min() >= 0 and row.max() < len(vocabulary) for row in splits.values()):
            raise ValueError("a word is not in its vocabulary")
        if data.sha256 != about["sha256"]:
            raise ValueError(f"its text has the hash {data.sha256[:12]}, not {about['sha256']!r:.14}")
    except DAMAGED as error:
        raise CorruptData(
            f"{path} is damaged ({error}). `nassim data text {name} PATH --replace` makes it again."
        ) from error
    return data
