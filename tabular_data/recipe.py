"""A recipe: which released files make which table. The files in ``recipes/`` are the recipes.

Each is a module with

    NAME       what `nassim data get` takes; the table is ``NAME.h5`` in the data folder
    FILES      the released files (`RemoteFile`), none where a release has to be imported
    LICENCE, CITATION
    convert(paths, target)   makes the table from the files, given by their path in the repository (`RemoteFile.key`)

and, where there is more to say or do,

    ADDS       one line: what the table brings (else the first line of the docstring)
    ERRATA     what is known to be wrong or odd in the release
    TABLES     other names for what it makes, in the data folder; ``target`` is the first
    SHA256     of the columns, where they are always the same
    check(path)                    further checks of what was made; the lines that `nassim data verify` prints
    import_release(path, target)   makes the table from an official release that the user has
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from nassim.errors import CorruptData, MissingData, OutputFailed, Unsupported
from nassim.tabular_data.download import Progress, RemoteFile, fetch, local_path
from nassim.tabular_data.locations import data_folder, downloads_folder
from nassim.tabular_data.table import Table, digest, read_header


@dataclass(frozen=True)
class Recipe:
    """One recipe, and what can be done with it."""

    name: str
    adds: str
    files: tuple[RemoteFile, ...]
    licence: str
    citation: str
    errata: tuple[str, ...]
    tables: tuple[str, ...]
    sha256: str
    convert: Callable[[Mapping[str, Path], Path], None]
    check: Callable[[Path], list[str]]
    import_release: Callable[[Path, Path], None] | None

    @classmethod
    def of(cls, module: ModuleType) -> Recipe:
        """The recipe that a module is."""
        return cls(
            name=module.NAME,
            adds=getattr(module, "ADDS", (module.__doc__ or "").partition("\n")[0]),
            files=tuple(module.FILES),
            licence=module.LICENCE,
            citation=module.CITATION,
            errata=tuple(getattr(module, "ERRATA", ())),
            tables=getattr(module, "TABLES", (f"{module.NAME}.h5",)),
            sha256=getattr(module, "SHA256", ""),
            convert=module.convert,
            check=getattr(module, "check", lambda _path: []),
            import_release=getattr(module, "import_release", None),
        )

    @property
    def paths(self) -> list[Path]:
        """Where its files are or would be, for most recipes one table."""
        return [data_folder() / table for table in self.tables]

    @property
    def path(self) -> Path:
        """Where the table is or would be."""
        return self.paths[0]

    @property
    def makes_a_table(self) -> bool:
        """Whether what it makes is a table; else they are recordings (JSON)."""
        return self.path.suffix == ".h5"

    @property
    def bytes_here(self) -> int:
        """Bytes of what it made."""
        return sum(path.stat().st_size for path in self.paths if path.is_file())

    @property
    def size(self) -> int:
        """Bytes to fetch."""
        return sum(file.size for file in self.files)

    @property
    def how_to_get(self) -> str:
        """The command that makes the table."""
        if self.files:
            return f"nassim data get {self.name}"
        return f"import the official release by nassim data import {self.name} PATH"

    def is_here(self) -> bool:
        """Whether the table of this recipe, and not another under its name, is there; reads only its header."""
        if not self.path.is_file() or not self.makes_a_table:
            return all(path.exists() for path in self.paths)
        with suppress(CorruptData, MissingData):
            return not self.sha256 or read_header(self.path).sha256 == self.sha256
        return True  # damaged, and to be told so

    def get(self, *, mirror: str = "", progress: Progress | None = None) -> Path:
        """Fetch what is missing and make the table; it replaces what was there when it is complete."""
        if not self.files:
            raise Unsupported(f"{self.name} cannot be fetched: {self.how_to_get}")
        paths = fetch(self.name, self.files, mirror=mirror, progress=progress)
        self.convert(paths, self.path)
        return self.path

    def import_from(self, path: Path) -> Path:
        """Make the table from files or a release that the user has."""
        if not path.exists():
            raise MissingData(f"{path} is not there: nothing was imported.")
        if self.import_release is not None:
            self.import_release(path, self.path)
            return self.path
        if not path.is_dir():
            raise MissingData(
                f"{path} is a file: give the folder that holds what `nassim data info {self.name}` lists."
            )
        return self.get(mirror=str(path))

    def verify(self) -> list[str]:
        """Check the table and the fetched files; what was checked, a line each. `CorruptData` if something is wrong."""
        if not all(path.exists() for path in self.paths):
            raise MissingData(f"{self.name} is not here: {self.how_to_get}")
        table = [self._verify_table()] if self.makes_a_table else []
        return [*table, *self.check(self.path), *self._verify_files()]

    def _verify_table(self) -> str:
        table = Table.open(self.path)
        sha256 = table.header.sha256
        if digest(table.columns) != sha256:
            raise CorruptData(f"{self.path}: its columns are not those that its header names. Get it again.")
        if self.sha256 and sha256 != self.sha256:
            raise CorruptData(
                f"{self.path} is not the table that {self.name} makes: its sha256 is {sha256}. "
                f"It was made from: {table.header.source}. Get it: {self.how_to_get}"
            )
        return f"{self.path.name}: whole, columns have the sha256 {sha256}"

    def _verify_files(self) -> list[str]:
        if not self.files:
            return []
        here = {file.key: local_path(file) for file in self.files if local_path(file).is_file()}
        for file in self.files:
            if file.key in here and hashlib.sha256(here[file.key].read_bytes()).hexdigest() != file.sha256:
                raise CorruptData(f"{here[file.key]} was altered: delete it, and get {self.name} again.")
        lines = [f"{len(here)} of {len(self.files)} released files are here, each with its sha256"]
        if len(here) == len(self.files):
            with tempfile.TemporaryDirectory() as folder:
                again = Path(folder) / self.path.name
                self.convert(here, again)
                if any(_content(again.with_name(path.name)) != _content(path) for path in self.paths):
                    raise CorruptData(f"{self.path} is not what its released files make. Get it again.")
            lines.append("made again from the released files: the same")
        return lines

    def remove(self) -> int:
        """Delete the table and its fetched files; the bytes that this freed."""
        freed = 0
        fetched = [local_path(file) for file in self.files]
        parts = [path.with_name(f"{path.name}.part") for path in fetched]
        folders = {path.parent for path in fetched}
        left = {path for folder in folders for path in folder.glob("tmp????????")}  # pooch's, where it was killed
        for path in (*self.paths, *fetched, *parts, *left):
            if not path.is_file():
                continue
            freed += path.stat().st_size
            try:
                path.unlink()
            except OSError as error:
                raise OutputFailed(f"{path} cannot be deleted: {error.strerror or error}.") from error
            for folder in path.parents:
                if downloads_folder() not in (folder, *folder.parents):
                    break
                with suppress(OSError):  # not empty
                    folder.rmdir()
        return freed


def _content(path: Path) -> object:
    """What must be equal when a file is made again: all but the version of nassim that wrote it."""
    if path.suffix == ".h5":
        return Table.open(path).header.sha256
    content = json.loads(path.read_text(encoding="utf-8"))
    return {key: value for key, value in content.items() if key not in ("nassim", "digest")}
