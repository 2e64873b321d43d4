"""Studies of other seeds as one: what a single command had made, to the byte."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from nassim.cli.results import write_results
from nassim.errors import CorruptData, InvalidSetting, MissingData
from nassim.merging import merge
from nassim.study import Study, compare


def made(folder: Path, seeds: str, budget: str = "20q", **options: object) -> Path:
    compare(["re", "ls"], ["toy/additive", "nasbench201/digits"], budget, seeds=seeds, out=folder, **options).close()  # type: ignore[arg-type]
    return folder


def tables(study: Study, folder: Path) -> list[bytes]:
    write_results(study, folder)
    return [(folder / name).read_bytes() for name in ("summary.csv", "curves.csv")]


@pytest.mark.slow
def test_what_is_merged_is_what_one_command_makes(tmp_path: Path) -> None:
    parts = [made(tmp_path / seeds, seeds) for seeds in ("2-2", "0-1", "3-4")]
    merged = merge(parts, tmp_path / "all")
    whole = compare(["re", "ls"], ["toy/additive", "nasbench201/digits"], "20q", seeds=5, out=tmp_path / "whole")
    assert merged.runs == whole.runs and list(merged.trials()) == list(whole.trials())
    assert tables(merged, tmp_path / "all") == tables(whole, tmp_path / "whole")
    rest = {key: value for key, value in merged.settings.items() if key != "provenance"}
    assert rest == {key: value for key, value in whole.settings.items() if key != "provenance"}
    merged.close()
    again = compare(["re", "ls"], ["toy/additive", "nasbench201/digits"], "20q", seeds=5, out=tmp_path / "all")
    assert again.complete  # the single command takes it for its own


def test_gaps_between_seeds_stay(tmp_path: Path) -> None:
    merged = merge([made(tmp_path / "a", "0-1"), made(tmp_path / "b", "7-8")], tmp_path / "all")
    assert merged.settings["seed_ranges"] == "0-1,7-8" and merged.settings["seeds"] == 4 and merged.complete


def test_what_does_not_belong_together_is_refused(tmp_path: Path) -> None:
    a = made(tmp_path / "a", "0-2")
    with pytest.raises(InvalidSetting, match="both have seed 2"):
        merge([a, made(tmp_path / "b", "2-3")], tmp_path / "all")
    with pytest.raises(InvalidSetting, match="other settings: budget"):
        merge([a, made(tmp_path / "c", "4-5", "21q")], tmp_path / "all")
    with pytest.raises(InvalidSetting, match="other settings: trials"):
        merge([a, made(tmp_path / "d", "4-5", trials=False)], tmp_path / "all")
    with pytest.raises(InvalidSetting, match="two studies or more"):
        merge([a], tmp_path / "all")
    with pytest.raises(InvalidSetting, match="holds a study already"):
        merge([a, tmp_path / "b"], tmp_path / "c")
    with pytest.raises(MissingData):
        merge([a, tmp_path / "nowhere"], tmp_path / "all")
    assert not (tmp_path / "all").exists()


def test_an_altered_part_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    a, b = made(tmp_path / "a", "0-1"), made(tmp_path / "b", "2-3")
    with sqlite3.connect(b / "study.db") as db:
        db.execute("UPDATE runs SET seconds = seconds + 1 WHERE id = 3")
    with pytest.raises(CorruptData, match="run 3 was altered"):
        merge([a, b], tmp_path / "all")
    assert not (tmp_path / "all" / "study.db").exists()


def test_an_unfinished_part_is_refused(tmp_path: Path) -> None:
    a, b = made(tmp_path / "a", "0-1"), made(tmp_path / "b", "2-3")
    with sqlite3.connect(b / "study.db") as db:
        db.execute("DELETE FROM runs WHERE id = 3")
    with pytest.raises(InvalidSetting, match="has 11 of 12 runs"):
        merge([a, b], tmp_path / "all")
