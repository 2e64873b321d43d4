"""NASLib's recorded searches, from the genuine logs to curves of darts and gdas."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path

import pytest

import nassim
from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.errors import CorruptData, MissingData
from nassim.registry import recipe_module
from nassim.tabular_data.download import local_path
from nassim.tabular_data.recipe import Recipe
from nassim.tabular_data.recipes import nasbench201_recorded as recipe
from nassim.tabular_data.recordings import read_recordings

Find = Callable[[str], Path]
RUNS = "automl/NASLib/*/naslib/benchmarks/nasbench201/old/run/cifar10"


@pytest.fixture(scope="module")
def got(genuine: Find, nasbench201_table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the recordings and the table of the wheel."""
    mirror = genuine(RUNS).parents[8]
    folder = tmp_path_factory.mktemp("recorded")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NASSIM_DATA", str(folder))
        Recipe.of(recipe_module("nasbench201-recorded")).get(mirror=str(mirror))
    shutil.copyfile(nasbench201_table, folder / "nasbench201.h5")
    return folder


@pytest.fixture
def recorded(got: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """The recipe, got into a data folder of the test's own."""
    shutil.copytree(got, tmp_path / "data")
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))
    return Recipe.of(recipe_module("nasbench201-recorded"))


def test_all_24_runs_are_there(recorded: Recipe, genuine: Find) -> None:
    folder = genuine(RUNS)
    assert len(recorded.files) == 48 == len(list(folder.glob("*/*")))
    runs = 0
    for theirs, (name, seeds, hyperparameters) in recipe.STRATEGIES.items():
        (recording,) = read_recordings("nasbench201/cifar10", SPACE, name, None)
        assert recording.hyperparameters == hyperparameters
        assert sorted(recording.runs) == list(seeds)
        for seed, moments in recording.runs.items():
            runs += 1
            log = (folder / theirs / f"log_{seed}.txt").read_text()
            assert f"'seed': {seed}," in log
            cells = re.findall(r"arch \{'arch': '(\S+)'", log)[:50]
            assert [SPACE.format(moment.arch) for moment in moments] == cells
            seconds = json.loads((folder / theirs / f"errors_{seed}.json").read_text())["runtime"]
            assert [moment.seconds for moment in moments] == pytest.approx(seconds, abs=5e-5)
    assert runs == 24


@pytest.mark.parametrize(("name", "seed", "seconds"), [("darts", 2, 7_196), ("gdas", 4, 9_316)])
def test_they_are_recorded_curves(recorded: Recipe, name: str, seed: int, seconds: int) -> None:
    result = nassim.run(name, "nasbench201/cifar10", "1d", seed=seed)
    (recording,) = read_recordings("nasbench201/cifar10", SPACE, name, None)
    moments = recording.runs[seed]
    assert result.mode == "recorded"
    assert result.hyperparameters == recording.hyperparameters
    assert "NASLib" in result.note
    assert [x.arch for x in result.incumbents] == [moment.arch for moment in moments]
    assert [x.seconds for x in result.incumbents] == pytest.approx(list(accumulate(m.seconds for m in moments)))
    assert round(result.seconds) == seconds
    best = nassim.get_benchmark("nasbench201/cifar10").mean_accuracy(moments[-1].arch)
    assert result.incumbents[-1].valid == best


def test_where_darts_ends(recorded: Recipe) -> None:
    """Every run of DARTS and GDAS ends with the same cell; NASLib's look-up of it stands in the logs."""
    finals = {name: nassim.run(name, "nasbench201/cifar10", "1d", seed=1).best for name in ("darts", "gdas")}
    assert {name: round(100 * best.valid, 2) for name, best in finals.items()} == {"darts": 84.41, "gdas": 88.86}


def test_what_was_not_recorded_is_not_replayed(recorded: Recipe) -> None:
    assert (
        nassim.run(nassim.get_algorithm("darts").configured(batch_size=96), "nasbench201/cifar10", "1h").mode
        == "recorded"
    )
    with pytest.raises(MissingData, match="with the seeds 1-4, not with 0"):
        nassim.run("gdas", "nasbench201/cifar10", "1h", seed=0)
    with pytest.raises(MissingData, match="record"):
        nassim.run(nassim.get_algorithm("darts").configured(epochs=37), "nasbench201/cifar10", "1h")


@pytest.mark.slow
def test_verify_and_remove(recorded: Recipe) -> None:
    assert recorded.verify() == [
        "48 of 48 released files are here, each with its sha256",
        "made again from the released files: the same",
    ]
    first = recorded.paths[0]
    first.write_text(first.read_text().replace("112111 212111", "112111 212112", 1))
    with pytest.raises(CorruptData, match="not what its released files make"):
        recorded.verify()
    recorded.remove()
    assert not recorded.is_here() and not any(path.exists() for path in recorded.paths)


def damaged(recorded: Recipe, tmp_path: Path, name: str, old: str, new: str) -> dict[str, Path]:
    """The fetched files, one of them changed in a copy."""
    paths = {file.path: local_path(file) for file in recorded.files}
    (key,) = (path for path in paths if path.endswith(name))
    text = paths[key].read_text()
    assert old in text
    (tmp_path / "changed").write_text(text.replace(old, new, 1))
    return {**paths, key: tmp_path / "changed"}


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("/DARTSOptimizer/log_0.txt", "'seed': 0", "'seed': 7", "seed is 7 in its log, not 0"),
        pytest.param(
            "/DARTSOptimizer/log_1.txt",
            "'batch_size': 96",
            "'batch_size': 64",
            "batch_size is 64 in its log, not 96",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "/GDASOptimizer/log_1.txt",
            "arch {'arch': '|nor",
            "arch {'arch': '|avg",
            "log and JSON differ in cells",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "/GDASOptimizer/errors_2.json",
            '"runtime":[1',
            '"runtime":[2',
            "differ by 100.0 seconds",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "/GDASOptimizer/log_3.txt", "epoch 49, arch", "epoch 49, nothing", "not 50 epochs", marks=pytest.mark.slow
        ),
        pytest.param(
            "/PCDARTSOptimizer/errors_0.json",
            '"params (MB)":0.',
            '"params (MB)":1.',
            "seed 0: parameters of",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "/PCDARTSOptimizer/errors_3.json",
            '"valid_accuracy":',
            '"valid_accuracy":1',
            "cifar10 accuracy of",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_files_that_contradict_each_other(
    recorded: Recipe, tmp_path: Path, name: str, old: str, new: str, message: str
) -> None:
    paths = damaged(recorded, tmp_path, name, old, new)
    target = tmp_path / "elsewhere" / recorded.path.name
    with pytest.raises(CorruptData, match=message):
        recorded.convert(paths, target)
    assert not target.parent.exists()
