"""Texts to train language models on: three splits of numbered words or characters, and their vocabulary.

Shipped with nassim is ``handbook``: 60,024 words of its own documentation and docstrings as they were in November 2026,
in lower case, numbers replaced by ``N`` as in the Penn Treebank. It was written for nassim and has nassim's licence
(MIT), so that every machine can have it; its perplexities are its own and to be compared with no other text's. It is a
file of fixed bytes (`HANDBOOK_SHA256`), whatever the version of Python is.
"""

from __future__ import annotations

import difflib
import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nassim.errors import CorruptData, UnknownName
from nassim.metric import Metric
from nassim.tabular_data.locations import data_folder

HANDBOOK = "handbook"
HANDBOOK_SHA256 = "db36ef77a98ab1688bb6c55668c0fc43ea8b30cb86b273ceb5c1348ebe09cc43"  # of the text
HANDBOOK_WORDS = 1000  # in its vocabulary
RELEASED = ("ptb", "wikitext-2", "tiny-shakespeare")  # texts of others, which are not shipped
SPLITS = ("train", "valid", "test")
UNKNOWN, END = "<unk>", "<eos>"
WORDS, CHARACTERS = "words", "characters"


@dataclass(frozen=True)
class TextData:
    """A text in three splits.

    unit: ``words`` (a line ends with `END`) or ``characters``.
    vocabulary: the most frequent first; a token is its place here.
    splits: ``train``, ``valid`` (a search sees it) and ``test`` (only reports see it): int32 of shape (n,).
    names: what each split is.
    """

    name: str
    unit: str
    vocabulary: tuple[str, ...]
    splits: Mapping[str, NDArray[np.int32]]
    names: Mapping[str, str]

    @property
    def metric(self) -> Metric:
        """Minus the mean loss a token, in nats; a person reads perplexity, or bits a character."""
        return Metric("loss", "nats", "perplexity" if self.unit == WORDS else "bits")

    @property
    def each(self) -> str:
        """What a number is of: ``word`` or ``character``."""
        return self.unit.removesuffix("s")

    @cached_property
    def sha256(self) -> str:
        """Of the vocabulary and all tokens: two texts with the same one are the same."""
        sha256 = hashlib.sha256(f"{self.unit}\n".encode())
        sha256.update("\0".join(self.vocabulary).encode())
        for name in SPLITS:
            tokens = np.ascontiguousarray(self.splits[name], dtype="<i4")
            sha256.update(f"\n{name} {len(tokens)}\n".encode())
            sha256.update(tokens.data)
        return sha256.hexdigest()

    def share_unknown(self, split: str) -> float:
        """The share of a split that is not in the vocabulary."""
        if UNKNOWN not in self.vocabulary:
            return 0.0
        return float((self.splits[split] == self.vocabulary.index(UNKNOWN)).mean())


def texts_folder() -> Path:
    """Where texts of the user's own are kept, and those that were fetched."""
    return data_folder() / "texts"


def text_names() -> list[str]:
    """The names of all texts that are here: the shipped one, and those that `nassim data text` made."""
    from nassim.full_training.texts.own import own_names

    return sorted({HANDBOOK, *own_names()})


def load_text(name: str) -> TextData:
    """A text by name; `UnknownName` for another name, `CorruptData` for one that is damaged."""
    from nassim.full_training.texts import own

    name = name.strip().replace("_", "-")  # as a user may type it
    if name == HANDBOOK:
        return _handbook()
    if name in (others := own.own_names()):
        return own.load(name)
    if name in RELEASED:
        raise UnknownName(f"the text {name} is not here, and not shipped: `nassim data text {name}` gets it.")
    near = " or ".join(difflib.get_close_matches(name, (HANDBOOK, *RELEASED, *others), n=3))
    meant = f"Did you mean {near}? " if near else ""
    raise UnknownName(
        f"{name!r:.60} is not a text to train on. {meant}Here: {', '.join((HANDBOOK, *others))}; "
        "`nassim data text NAME PATH` makes one of your own."
    )


@cache
def _handbook() -> TextData:
    from nassim.full_training.texts.reading import divide, numbered

    with gzip.open(Path(__file__).with_name("handbook.txt.gz")) as file:
        raw = file.read()
    if (found := hashlib.sha256(raw).hexdigest()) != HANDBOOK_SHA256:
        raise CorruptData(f"the text {HANDBOOK} has the hash {found[:12]}, not {HANDBOOK_SHA256[:12]}: install again.")
    return numbered(HANDBOOK, divide(raw.decode("ascii").splitlines()), WORDS, HANDBOOK_WORDS)
