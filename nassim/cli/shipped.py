"""Studies that come with nassim: `shipped:NAME` in place of a folder."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from nassim.errors import InvalidSetting
from nassim.tabular_data.locations import data_folder

WORD = "shipped:"


def placed(folder: Path) -> Path:
    """The folder; of a study that comes with nassim a copy in the data folder, where reports can be written."""
    if not str(folder).startswith(WORD):
        return folder
    source = resources.files("nassim.tabular_data") / "studies"
    names = sorted(entry.name for entry in source.iterdir() if entry.is_dir())
    name = str(folder).removeprefix(WORD)
    if name not in names:
        raise InvalidSetting(f"no study {name!r:.80} comes with nassim: {', '.join(WORD + each for each in names)} do.")
    copy = data_folder() / "studies" / name
    copy.mkdir(parents=True, exist_ok=True)
    for entry in (source / name).iterdir():
        content, file = entry.read_bytes(), copy / entry.name
        if not file.is_file() or file.read_bytes() != content:
            file.write_bytes(content)
    return copy


StudyArgument = Annotated[
    Path,
    typer.Argument(metavar="DIR", help="A folder made by nassim compare, or shipped:NAME.", callback=placed),
]
