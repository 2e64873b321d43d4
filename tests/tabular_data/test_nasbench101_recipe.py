"""The recipe of NAS-Bench-101 on the released files of FreeREA."""

from __future__ import annotations

import gzip
import os
import pickle
import random
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import nassim
from nassim import Query
from nassim.benchmarks.spaces.nasbench101.space import SPACE
from nassim.errors import CorruptData, MissingData, Unsupported
from nassim.tabular_data.recipe import Recipe
from nassim.tabular_data.recipes import nasbench101 as recipe
from nassim.tabular_data.recipes.nasbench101_cells import all_cells
from nassim.tabular_data.table import Table

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def released(genuine_files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    target = tmp_path_factory.mktemp("released") / "nasbench101.h5"
    start = time.process_time()
    known = all_cells()
    seconds = time.process_time() - start
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe, "all_cells", lambda: known)
        recipe.convert(genuine_files, target)
    return SimpleNamespace(target=target, seconds=seconds, cells=known, files=genuine_files)


@pytest.fixture(scope="module")
def genuine_files(genuine: Callable[[str], Path]) -> dict[str, Path]:
    return {file.path: genuine(file.address) for file in recipe.FILES}


def test_all_cells_join_the_released_lines(released: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """`convert` holds every cell's parameters against the release's; the optimum is the published one."""
    assert released.seconds < 60  # the enumeration with its hashes, on one core
    table = Table.open(released.target)
    assert table.header.sha256 == recipe.SHA256
    assert recipe.check(released.target) == ["cifar10: lowest mean test error 0.056824252, as published"]
    assert len(np.unique(released.cells.hashes, axis=0)) == 423_624
    monkeypatch.setenv("NASSIM_DATA", str(released.target.parent))
    benchmark = nassim.get_benchmark("nasbench101/cifar10:search_on=test")
    assert 1.0 - benchmark.optimum("test_accuracy") == pytest.approx(0.056824247, abs=1e-8)
    best = SPACE.at(int(np.argmax(table.columns["cifar10/test_accuracy"])))
    assert benchmark.query(Query(best), random.Random(0)).value == 28_250 / 29_952
    assert Recipe.of(recipe).is_here()


def test_files_that_do_not_fit_make_no_table(
    released: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe, "all_cells", lambda: released.cells)
    accuracy, counted = (file.path for file in recipe.FILES)
    target = tmp_path / "table.h5"
    swapped = {accuracy: released.files[accuracy], counted: released.files[accuracy]}
    with pytest.raises(CorruptData, match="has no column params"):
        recipe.convert(swapped, target)
    other = released.cells._replace(parameters=released.cells.parameters[::-1])
    monkeypatch.setattr(recipe, "all_cells", lambda: other)
    with pytest.raises(CorruptData, match=r"cells have other parameters .* The table was not made"):
        recipe.convert(released.files, target)
    for content in (b"", b"text", gzip.compress(b"text"), gzip.compress(pickle.dumps(os.system))):
        bad = tmp_path / "bad.pkl.gz"
        bad.write_bytes(content)
        with pytest.raises(CorruptData):
            recipe.convert({**released.files, accuracy: bad}, target)
    cut = tmp_path / "cut.pkl.gz"
    cut.write_bytes(released.files[accuracy].read_bytes()[:-100])
    with pytest.raises(CorruptData, match="cut off"):
        recipe.convert({**released.files, accuracy: cut}, target)
    with pytest.raises(MissingData, match="not there"):
        recipe.convert({**released.files, accuracy: tmp_path / "none"}, target)
    with pytest.raises(Unsupported, match="nassim data import nasbench101-official"):
        recipe.import_release(cut, target)
    assert not target.exists()
