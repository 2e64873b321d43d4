"""What can be done with a recipe: made-up ones, and the rules that all registered ones keep."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nassim.errors import CorruptData, MissingData, OutputFailed, UnknownName, Unsupported
from nassim.registry import recipe_module, recipe_modules
from nassim.tabular_data.download import RemoteFile, local_path
from nassim.tabular_data.recipe import Recipe
from nassim.tabular_data.table import Header, Table, digest, read_header, write_table

HEADER = Header("toy", ("t",), ("valid_accuracy",), {}, 1, "", (9,), {}, "two files", "MIT", "none")
CONTENTS = {"one.txt": b"0.5", "two.txt": b"0.25"}
FILES = tuple(
    RemoteFile("owner/toy", "abc", path, len(text), hashlib.sha256(text).hexdigest()) for path, text in CONTENTS.items()
)


def columns(*values: float) -> dict[str, Any]:
    return {"t/valid_accuracy": np.array([values])}


def convert(paths: Mapping[str, Path], target: Path) -> None:
    write_table(target, HEADER, columns(*(float(paths[name].read_text()) for name in CONTENTS)))


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    for file in FILES:
        path = tmp_path / "mirror" / file.address
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CONTENTS[file.path])
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))
    return str(tmp_path / "mirror")


def recipe(**changes: Any) -> Recipe:
    """A recipe of two files."""
    module = {"NAME": "example", "FILES": FILES, "LICENCE": "MIT", "CITATION": "none", "convert": convert, **changes}
    return Recipe.of(SimpleNamespace(__doc__="An example.\n\nMore.", **module))  # type: ignore[arg-type]


# -- all registered recipes -------------------------------------------------------------------------


@pytest.mark.parametrize("name", recipe_modules())
def test_a_recipe_is_complete(name: str) -> None:
    found = Recipe.of(recipe_module(name))
    assert found.name == name
    assert found.licence and found.citation and found.adds
    assert len({file.key for file in found.files}) == len(found.files)  # convert() knows them by their keys
    for file in found.files:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", file.repository)
        assert re.fullmatch(r"[0-9a-f]{40}", file.commit), "a fixed commit, not a branch"
        assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
        assert file.size > 0
    assert found.files or found.import_release is not None


def test_names_are_forgiving_and_unknown_ones_answered() -> None:
    assert recipe_module("NASBench-Macro") is recipe_module("nasbench_macro")
    with pytest.raises(UnknownName, match="Did you mean nasbench201"):
        recipe_module("nasbench202")


# -- get and verify -----------------------------------------------------------------------------------


def test_get_makes_the_table_and_again_the_same(mirror: str) -> None:
    example = recipe()
    assert not example.is_here()
    path = example.get(mirror=mirror)
    assert example.is_here()
    assert path == example.path
    assert Table.open(path).columns["t/valid_accuracy"].tolist() == [[0.5, 0.25]]
    before = path.read_bytes()
    example.get(mirror="/nowhere")  # nothing is missing
    assert path.read_bytes() == before
    assert example.verify() == [
        f"example.h5: whole, columns have the sha256 {digest(columns(0.5, 0.25))}",
        "2 of 2 released files are here, each with its sha256",
        "made again from the released files: the same",
    ]


def test_a_failed_conversion_leaves_the_old_table(mirror: str) -> None:
    def broken(paths: Mapping[str, Path], target: Path) -> None:
        raise CorruptData("no")

    path = recipe().get(mirror=mirror)
    before = path.read_bytes()
    with pytest.raises(CorruptData):
        recipe(convert=broken).get(mirror=mirror)
    assert path.read_bytes() == before


def test_verify_says_what_is_wrong(mirror: str) -> None:
    example = recipe()
    with pytest.raises(MissingData, match="nassim data get example"):
        example.verify()
    example.get(mirror=mirror)
    altered = local_path(FILES[0])
    altered.write_bytes(b"0.6")
    with pytest.raises(CorruptData, match=r"one\.txt was altered"):
        example.verify()
    altered.unlink()
    assert "1 of 2 released files are here" in example.verify()[-1]
    altered.write_bytes(CONTENTS["one.txt"])
    write_table(example.path, HEADER, columns(0.5, 0.75))
    with pytest.raises(CorruptData, match="not what its released files make"):
        example.verify()
    example.path.write_bytes(example.path.read_bytes()[:-1])
    with pytest.raises(CorruptData, match="bytes instead of"):
        example.verify()


def test_another_table_under_the_name(mirror: str) -> None:
    sha256 = digest(columns(0.5, 0.25))
    example = recipe(SHA256=sha256)
    write_table(example.path, replace(HEADER, source="a wheel"), columns(0.5, 0.75))
    assert not example.is_here()
    with pytest.raises(CorruptData, match=r"made from: a wheel\. Get it: nassim data get example"):
        example.verify()
    example.get(mirror=mirror)
    assert example.is_here()
    assert read_header(example.path).sha256 == sha256


def test_a_header_that_lies_about_its_columns(mirror: str, monkeypatch: pytest.MonkeyPatch) -> None:
    example = recipe()
    monkeypatch.setattr("nassim.tabular_data.table.digest", lambda _columns: "0" * 64)
    example.get(mirror=mirror)
    with pytest.raises(CorruptData, match="not those that its header names"):
        example.verify()


def test_further_checks_of_a_recipe_are_told(mirror: str) -> None:
    example = recipe(check=lambda path: [f"the best in {path.name} is as published"])
    example.get(mirror=mirror)
    assert "the best in example.h5 is as published" in example.verify()


# -- import and remove ----------------------------------------------------------------------------------


def test_import_from_a_folder(mirror: str, tmp_path: Path) -> None:
    assert Table.open(recipe().import_from(Path(mirror))).columns["t/valid_accuracy"].tolist() == [[0.5, 0.25]]
    with pytest.raises(MissingData, match="nothing was imported"):
        recipe().import_from(tmp_path / "nowhere")
    with pytest.raises(MissingData, match="give the folder"):
        recipe().import_from(recipe().path)


def test_import_of_an_official_release(mirror: str, tmp_path: Path) -> None:
    def release(path: Path, target: Path) -> None:
        write_table(target, HEADER, columns(float(path.read_text())))

    (tmp_path / "release").write_text("0.125")
    official = recipe(FILES=(), import_release=release)
    assert Table.open(official.import_from(tmp_path / "release")).columns["t/valid_accuracy"].tolist() == [[0.125]]
    with pytest.raises(Unsupported, match="nassim data import example PATH"):
        official.get()
    assert len(official.verify()) == 1


def test_remove_leaves_what_belongs_to_others(mirror: str) -> None:
    example = recipe()
    path = example.get(mirror=mirror)
    other = local_path(FILES[0]).with_name("three.txt")
    other.write_bytes(b"of another recipe")
    local_path(FILES[0]).with_name("one.txt.part").write_bytes(b"0.")
    local_path(FILES[0]).with_name("tmporvtf8ew").touch()  # as a fetch leaves it that was killed
    size = path.stat().st_size
    assert example.remove() == size + sum(map(len, CONTENTS.values())) + 2
    assert [p for p in path.parent.rglob("*") if p.is_file()] == [other]
    other.unlink()
    example.get(mirror=mirror)
    example.remove()
    assert list(path.parent.iterdir()) == []
    assert example.remove() == 0


def test_a_table_that_cannot_be_deleted(mirror: str, monkeypatch: pytest.MonkeyPatch) -> None:
    example = recipe()
    example.get(mirror=mirror)

    def refuse(path: Path, **_: object) -> None:
        raise PermissionError(13, "not yours")

    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(OutputFailed, match="not yours"):
        example.remove()


def test_reading_only_the_header(mirror: str, tmp_path: Path) -> None:
    path = recipe().get(mirror=mirror)
    assert read_header(path) == Table.open(path).header
    for content in (b"", b"nonsense" * 200, path.read_bytes()[:600]):
        (tmp_path / "bad.h5").write_bytes(content)
        with pytest.raises(CorruptData, match=r"not a nassim table|600 bytes instead of"):
            read_header(tmp_path / "bad.h5")
