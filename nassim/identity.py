"""Whether two processes run the same nassim: a study that two versions worked on would be neither's."""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from nassim.errors import InvalidSetting
from nassim.version import __version__

_ROOMS = ("algorithms", "benchmarks", "full_training", "surrogates", "tabular_data")


class Identity(NamedTuple):
    """The version of nassim, a digest of its source, and Python's version (what is sent by value needs the same)."""

    version: str
    source: str
    python: str

    def __str__(self) -> str:
        return f"nassim {self.version} (source {self.source[:8]}) on Python {self.python}"


@cache
def identity() -> Identity:
    """That of this process."""
    here = Path(__file__).parent
    files = {path.relative_to(here).as_posix(): path for path in here.rglob("*.py")}
    for room in _ROOMS:
        if not (here / room).is_dir():  # in a checkout the rooms lie beside this folder, installed in it
            files |= {path.relative_to(here.parent).as_posix(): path for path in (here.parent / room).rglob("*.py")}
    digest = hashlib.blake2b(digest_size=16)
    for name, path in sorted(files.items()):
        digest.update(name.encode() + b"\0" + path.read_bytes())
    return Identity(__version__, digest.hexdigest(), ".".join(platform.python_version_tuple()[:2]))


def refuse_others(mine: Identity, theirs: Mapping[str, Identity | str], where: str) -> None:
    """`InvalidSetting` names a worker that runs another nassim, or none; a text is what it said instead."""
    for worker, its in theirs.items():
        if isinstance(its, str):
            raise InvalidSetting(
                f"the worker {worker} of {where} cannot work for nassim ({its}): install {mine} there."
            )
        if its != mine:
            raise InvalidSetting(f"the worker {worker} of {where} runs {its}, and here it is {mine}: install the same.")


def refuse_other(mine: Identity) -> None:
    """The same in a worker: ``mine`` is that of the process that sent the work."""
    if identity() != mine:
        raise InvalidSetting(
            f"a worker runs {identity()}, and where the work comes from it is {mine}: install the same."
        )
