"""Supernets on disk, and the mistakes that one can make with them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from nassim.errors import CorruptData, InvalidSetting, MissingData, MissingDependency, OutputFailed, ProtocolError
from nassim.full_training.supernets.sources import make_supernet
from nassim.supernet import Supernets

torch = pytest.importorskip("torch")

from nassim.full_training.relaxations.mixtures import path, small_logits  # noqa: E402


@pytest.fixture
def net(tiny_supernets: Supernets) -> Any:
    found = tiny_supernets.make(0, "cpu")
    found.schedule(2, 0.1, 0.01, weight_decay=1e-2, nesterov=True)
    return found


def test_weights_come_back_from_disk(tiny_supernets: Supernets, net: Any, tmp_path: Path) -> None:
    file = tmp_path / "weights.pt"
    net.step(path((3,) * 6), next(net.batches(0, 16))[0])
    net.save(file)
    other: Any = tiny_supernets.make(9, "cpu")
    assert not torch.equal(other.weights[0], net.weights[0])
    other.restore(file)
    assert all(torch.equal(a, b) for a, b in zip(other.weights, net.weights, strict=True))
    assert [p.name for p in tmp_path.iterdir()] == ["weights.pt"]


def test_files_that_do_not_fit_are_refused(net: Any, tmp_path: Path) -> None:
    file = tmp_path / "weights.pt"
    with pytest.raises(MissingData, match="no supernet weights"):
        net.restore(file)
    net.save(file)
    with pytest.raises(InvalidSetting, match="other settings"):
        make_supernet("digits", 0).restore(file)
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(CorruptData, match="does not hold"):
        net.restore(file)
    torch.save({"weights": {}}, file)
    with pytest.raises(CorruptData, match="does not hold"):
        net.restore(file)
    (tmp_path / "nowhere").write_text("a file where a folder should be")
    with pytest.raises(OutputFailed, match="nowhere"):
        net.save(tmp_path / "nowhere" / "weights.pt")


# -- mistakes -------------------------------------------------------------------------------------


def test_a_supernet_without_a_schedule_does_not_train(tiny_supernets: Supernets) -> None:
    with pytest.raises(ProtocolError, match="schedule"):
        next(tiny_supernets.make(0, "cpu").batches(0, 16))  # type: ignore[call-overload]


def test_an_unknown_device(tiny_supernets: Supernets) -> None:
    with pytest.raises(InvalidSetting, match="'abacus' is not a device"):
        tiny_supernets.make(0, "abacus")


def test_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match=r"pip install nassim\[train\]"):
        make_supernet("digits", 0)


def test_logits_of_unequal_decisions_are_refused() -> None:
    with pytest.raises(TypeError, match="2/3 options"):
        small_logits([2, 3], random.Random(0))
