"""From files to numbered texts: lines, three splits, and a vocabulary by frequency."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from nassim.errors import CorruptData, InvalidSetting, MissingData
from nassim.full_training.texts.data import CHARACTERS, END, SPLITS, UNKNOWN, WORDS, TextData

MOST_BYTES = 512 << 20  # of a text
LARGEST = 100_000  # words of a vocabulary: the softmax is over all of them
SUFFIXES = (".txt", ".tokens", ".raw")
FEWEST = 1000  # tokens to train on, and a tenth of that to validate and to test: less is no text to learn from
SHOWN = 8  # unknown characters that are named
PARTS = {"train": "the first 80 % of the lines", "valid": "the next 10 %", "test": "the last 10 %"}

Lines = Sequence[str]


def read(path: Path) -> tuple[dict[str, list[str]], dict[str, str]]:
    """The lines of each split, and what each is: of a folder with files train, valid and test, or of one file.

    `MissingData` where there is none, `CorruptData` for what is no text in UTF-8, or too large.
    """
    if path.is_dir():
        found = {split: _file_of(path, split) for split in SPLITS}
        return {split: _lines(file) for split, file in found.items()}, {s: f.name for s, f in found.items()}
    if not path.is_file():
        raise MissingData(f"{path} is not there: name a text file, or a folder with train.txt, valid.txt and test.txt.")
    return divide(_lines(path)), dict(PARTS)


def _file_of(folder: Path, split: str) -> Path:
    files = sorted(f for f in folder.iterdir() if f.is_file() and f.suffix.lower() in SUFFIXES)
    found = [f for f in files if split in f.stem.lower().replace("-", ".").replace("_", ".").split(".")]
    if len(found) != 1:
        names = ", ".join(f.name for f in found) or "no file"
        raise MissingData(f"{folder} has {names} for the split {split}: one {split}.txt is wanted (or .tokens).")
    return found[0]


def _lines(path: Path) -> list[str]:
    if path.stat().st_size > MOST_BYTES:
        raise CorruptData(f"{path} has more than {MOST_BYTES >> 20} MiB: give a part of it.")
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise CorruptData(f"{path} is no text in UTF-8 (byte {error.start:,}): convert it first.") from None


def divide(lines: Lines) -> dict[str, list[str]]:
    """The first eight tenths of the lines, the next and the last; `InvalidSetting` for a text of a few lines."""
    if len(lines) < 10:
        raise InvalidSetting(
            f"a text of {len(lines)} line{'' if len(lines) == 1 else 's'} cannot be divided into training, validation "
            "and test lines: it needs ten, or a folder with train.txt, valid.txt and test.txt."
        )
    first, second = len(lines) * 8 // 10, len(lines) * 9 // 10
    return {"train": list(lines[:first]), "valid": list(lines[first:second]), "test": list(lines[second:])}


def numbered(
    name: str,
    lines: Mapping[str, Lines],
    unit: str,
    most: int | None = None,
    *,
    names: Mapping[str, str] | None = None,
    lower: bool = False,
    unknown: bool = False,
) -> TextData:
    """A text whose vocabulary is that of its training lines, the most frequent first, of equal ones by code point.

    most: words at most, `UNKNOWN` and `END` among them; rarer ones are `UNKNOWN`. unknown: characters that the training
    lines have not are `UNKNOWN` too; else `InvalidSetting` names them. `InvalidSetting` also for an empty vocabulary.
    """
    if unit not in (WORDS, CHARACTERS):
        raise InvalidSetting(f"a text has words or characters, not {unit!r:.40}.")
    texts = {split: [line.lower() if lower else line for line in lines[split]] for split in SPLITS}
    tokens = {split: _tokens(rows, unit) for split, rows in texts.items()}
    counts = Counter(tokens["train"])
    if set(counts) <= {END, "\n", UNKNOWN}:
        raise InvalidSetting(f"{name} has an empty vocabulary: its training lines have no {unit}.")
    if most is not None and unit == WORDS and not 3 <= most <= LARGEST:
        raise InvalidSetting(f"a vocabulary of {most:,} words cannot be: use 3 to {LARGEST:,}.")
    vocabulary = [token for token, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
    if unit == WORDS:
        vocabulary = _most_frequent(vocabulary, most or LARGEST, tokens)
    else:
        strange = sorted({c for split in ("valid", "test") for c in tokens[split]} - set(vocabulary))
        if strange and not unknown:
            raise InvalidSetting(
                f"{name}: {len(strange)} characters of the validation and test lines are not in the training lines "
                f"({', '.join(map(ascii, strange[:SHOWN]))}{', ...' if len(strange) > SHOWN else ''}): give a "
                "longer text, or --unknown takes them for one."
            )
        vocabulary += [UNKNOWN] if strange else []
    place = {token: i for i, token in enumerate(vocabulary)}
    other = place.get(UNKNOWN, -1)
    splits = {s: np.fromiter((place.get(t, other) for t in row), np.int32, len(row)) for s, row in tokens.items()}
    for split, row in splits.items():
        fewest = FEWEST if split == "train" else FEWEST // 10
        if len(row) < fewest:
            raise InvalidSetting(f"{name} has {len(row):,} {unit} in its {split} lines: it needs {fewest:,}.")
    return TextData(name, unit, tuple(vocabulary), splits, dict(names or PARTS))


def _tokens(lines: Iterable[str], unit: str) -> list[str]:
    if unit == CHARACTERS:
        return [c for line in lines for c in (*line, "\n")]
    return [word for line in lines for word in (*line.split(), END)]


def _most_frequent(vocabulary: list[str], most: int, tokens: Mapping[str, Sequence[str]]) -> list[str]:
    """The vocabulary of so many words, with `UNKNOWN` where a word of any split is not in it."""
    known = set(vocabulary)
    cut = len(vocabulary) > most or any(t not in known for split in ("valid", "test") for t in set(tokens[split]))
    if not cut or UNKNOWN in vocabulary[:most]:
        return vocabulary[:most]
    kept = [word for word in vocabulary if word != UNKNOWN][: most - 1]
    return [*kept, UNKNOWN]
