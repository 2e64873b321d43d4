"""Supernets on disk, and the mistakes that one can make with them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

import nassim
from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.errors import CorruptData, InvalidSetting, MissingDependency, OutputFailed, ProtocolError
from nassim.full_training.supernets.sources import make_supernet
from nassim.query import Report
from nassim.supernet import Supernets

torch = pytest.importorskip("torch")

from nassim.full_training.relaxations.mixtures import gumbel, shares, small_logits, softmax  # noqa: E402


@pytest.fixture
def net(tiny_supernets: Supernets) -> Any:
    found = tiny_supernets.make(0, "cpu")
    found.schedule(2, 0.1, 0.01, weight_decay=1e-2, nesterov=True)
    return found


def search(supernets: Supernets, file: Path | None, until: int | None = None) -> list[Any]:
    """A search of GDAS, kept in a file; killed after some reports."""
    net: Any = supernets.make(0, "cpu")
    told: list[Any] = []
    if file is not None:
        net.keep(file, told)
    algorithm = nassim.get_algorithm("gdas").configured(epochs=4, batch_size=16)
    run = algorithm.begin(supernets.space, random.Random(0), supernet=net)
    while (message := run.ask()) is not None:
        assert isinstance(message, Report)
        told.append([list(message.arch.choices), [list(row) for row in message.scores], net.training_loss()])
        run.tell([])
        if len(told) == until:
            return told
    return told


@pytest.mark.slow
@pytest.mark.parametrize("until", [1, 2, 3])
def test_an_interrupted_search_ends_with_the_same_answers(
    tiny_supernets: Supernets, tmp_path: Path, until: int
) -> None:
    whole = search(tiny_supernets, None)
    file = tmp_path / "kept.search"
    first = search(tiny_supernets, file, until)
    assert first == whole[:until]
    assert search(tiny_supernets, file) == whole and len(whole) == 4
    assert [p.name for p in tmp_path.iterdir()] == ["kept.search"]


def test_files_of_other_searches_are_refused(tiny_supernets: Supernets, net: Any, tmp_path: Path) -> None:
    file = tmp_path / "kept.search"
    search(tiny_supernets, file, 2)
    with pytest.raises(CorruptData, match="of another search"):
        make_supernet(SPACE, "digits", 0).keep(file, [])
    net.keep(file, [])
    with pytest.raises(CorruptData, match="keeps network, optimizer, A, adam, generator"):
        next(net.epochs(rng=random.Random(0)))
    content = file.read_bytes()
    for damaged in (content[:200], b"", b"nothing"):
        file.write_bytes(damaged)
        with pytest.raises(CorruptData, match="holds no search"):
            net.keep(file, [])
    torch.save({"weights": {}}, file)
    with pytest.raises(CorruptData, match="holds no search"):
        net.keep(file, [])
    (tmp_path / "nowhere").write_text("a file where a folder should be")
    net.keep(tmp_path / "nowhere" / "kept.search", [])
    with pytest.raises(OutputFailed, match="nowhere"):
        list(net.epochs())


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
        make_supernet(SPACE, "digits", 0)


def test_logits_of_unequal_decisions_have_zeros_that_nobody_reads() -> None:
    logits = small_logits([2, 3], random.Random(0))
    assert logits.shape == (2, 3) and float(logits[0, 2].detach()) == 0.0
    mix = softmax(logits, [2, 3])
    assert isinstance(mix.weights, torch.Tensor) and mix.active == ((0, 1), (0, 1, 2))
    torch.testing.assert_close(mix.weights.sum(1), torch.ones(2))
    assert float(mix.weights[0, 2].detach()) == 0.0 and [len(row) for row in shares(logits, [2, 3])] == [2, 3]
    mix.weights[:, 0].sum().backward()
    assert logits.grad is not None and float(logits.grad[0, 2]) == 0.0 and torch.isfinite(logits.grad).all()
    drawn = gumbel(logits, 1.0, torch.Generator().manual_seed(0), [2, 3])
    assert all(option < width for (option,), width in zip(drawn.active, (2, 3), strict=True))
