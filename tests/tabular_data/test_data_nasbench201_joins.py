"""The joins behind the complete NAS-Bench-201 table: released files that contradict each other make no table."""

from __future__ import annotations

import os
import pickle
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nassim.errors import CorruptData
from nassim.tabular_data.recipes import nasbench201_complete as recipe


def converted(folder: Path, tmp_path: Path, change: Callable[[dict[str, Path]], None]) -> None:
    """Convert copies of the released files after a change; the target holds something old."""
    paths: dict[str, Path] = {}
    for i, file in enumerate(recipe.FILES):
        paths[file.path] = tmp_path / f"{i}{Path(file.path).suffix}"
        shutil.copyfile(folder / "downloads" / file.address, paths[file.path])
    change(paths)
    target = tmp_path / "table.h5"
    target.write_bytes(b"old")
    try:
        recipe.convert(paths, target)
    finally:
        assert target.read_bytes() == b"old"


def edit(path: Path, *replacements: tuple[str, str]) -> None:
    text = path.read_text()
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)


def swap_parameters(paths: dict[str, Path]) -> None:
    edit(paths["cached_metrics/nats/cifar100/params.csv"], ("0,0.135156", "0,0.808276"), ("1,0.808276", "1,0.135156"))


def one_image_less(paths: dict[str, Path]) -> None:
    edit(paths["cached_metrics/nats/cifar10/accuracies.csv"], ("1,93.66000000000001", "1,93.6625"))


def another_optimum(paths: dict[str, Path]) -> None:
    edit(paths["cached_metrics/nats/cifar10/accuracies.csv"], ("1,93.66000000000001", "1,99"))


def rows_missing(paths: dict[str, Path]) -> None:
    edit(paths["cached_metrics/nats/cifar10/accuracies.csv"], ("\n7,", "\n8,"))


def devices_in_another_order(paths: dict[str, Path]) -> None:
    folder = "data/nasbench201/latency"
    shutil.copyfile(paths[f"{folder}/gold_6226.pt"], paths[f"{folder}/raspi4.pt"])


def cells_twice(paths: dict[str, Path]) -> None:
    edit(paths["data/hw_cifar10.csv"], ("(4, 3, 3, 0, 0, 0)", "(2, 2, 0, 4, 2, 0)"))


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("touch pwned",)


def code_in_the_frame(paths: dict[str, Path]) -> None:
    paths["mini-bench-arch-cell-accs.pd"].write_bytes(pickle.dumps(Evil()))


def code_in_an_archive(paths: dict[str, Path]) -> None:
    with zipfile.ZipFile(paths["data/nasbench201/latency/fpga.pt"], "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps([1.0, Evil()]))


def no_archive(paths: dict[str, Path]) -> None:
    paths["data/nasbench201/latency/fpga.pt"].write_bytes(b"PK\3\4 half")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(swap_parameters, "FreeREA's parameters of cifar100", marks=pytest.mark.slow),
        pytest.param(one_image_less, "no count of images", marks=pytest.mark.slow),
        pytest.param(another_optimum, r"best mean accuracies of cifar10 are \(91.607, 99.0\)", marks=pytest.mark.slow),
        (rows_missing, "first column is not 0 to 15624"),
        pytest.param(devices_in_another_order, "differ on the latency of raspi4", marks=pytest.mark.slow),
        pytest.param(cells_twice, "does not hold each of the 15,625 cells once", marks=pytest.mark.slow),
        pytest.param(no_archive, "not a file of torch.save", marks=pytest.mark.slow),
        (code_in_the_frame, r"was not read: it asks for \w+\.system"),
        (code_in_an_archive, r"was not read: it asks for \w+\.system"),
    ],
)
def test_contradictions_are_noticed(
    genuine_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[dict[str, Path]], None],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CorruptData, match=message):
        converted(genuine_data, tmp_path, change)
    assert not (tmp_path / "pwned").exists()
