"""Searches whose weights become no numbers: they end as failed, are recorded as such, and are counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import nassim
from nassim import cautions
from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.errors import Diverged
from nassim.record import record, reports
from nassim.supernet import Supernets
from nassim.testing.problems import Answers

torch = pytest.importorskip("torch")

from nassim.full_training.relaxations.mixtures import shares  # noqa: E402

GDAS = nassim.get_algorithm("gdas").configured(epochs=4, batch_size=16)


def poisoned(supernets: Supernets, epoch: int) -> Supernets:
    """Supernets whose first weight becomes NaN when an epoch begins."""

    def make(seed: int, device: str) -> Any:
        net: Any = supernets.make(seed, "cpu")
        batches = net.batches

        def spoiled(now: int, size: int) -> Any:
            if now == epoch:
                with torch.no_grad():
                    net.weights[0].view(-1)[0] = float("nan")
            return batches(now, size)

        net.batches = spoiled
        return net

    return replace(supernets, make=make)


def bench(supernets: Supernets) -> Answers:
    made = Answers("nasbench201/stripes", SPACE, lambda arch: 0.5)
    made.supernets = supernets
    return made


@pytest.mark.parametrize("epoch", [0, 2])
def test_a_diverged_search_ends_as_failed_and_is_counted(tiny_supernets: Supernets, epoch: int) -> None:
    run = nassim.run(GDAS, bench(poisoned(tiny_supernets, epoch)), "10d", live=True)
    assert run.stopped == "failed" and len(run.incumbents) == epoch
    assert "the search diverged" in run.note and "_rate= to a lower one" in run.note
    (caution,) = [c for c in cautions.of_run(run) if c.kind == "failed"]
    assert caution.text.startswith("This run of gdas on nasbench201/stripes failed")
    assert not [c for c in cautions.of_run(run) if c.kind == "no answer"]


def test_it_is_recorded_and_replayed_as_failed(tiny_supernets: Supernets) -> None:
    said: list[str] = []
    broken = poisoned(tiny_supernets, 1)
    record(GDAS, broken, seeds=1, device="cpu", scored_cells=5, say=said.append)
    record(GDAS, tiny_supernets, seeds=2, device="cpu", scored_cells=0, say=said.append)
    assert "the search diverged" in said[0] and said[1] == "seed 0: is recorded"
    (known,) = tiny_supernets.recordings("gdas", tiny_supernets.folder)
    assert list(known.failed) == [0] and [len(run) for run in known.runs.values()] == [1, 4] and known.scores is None
    found = bench(
        replace(tiny_supernets, recordings=lambda name, _: tiny_supernets.recordings(name, tiny_supernets.folder))
    )
    first, second = (nassim.run(GDAS, found, "10d", seed=seed) for seed in (0, 1))
    assert (first.stopped, len(first.incumbents)) == ("failed", 1) and "the search diverged" in first.note
    assert (second.stopped, len(second.incumbents)) == ("finished", 4)
    (row,) = reports(found, ["gdas"])
    assert (row.seeds, row.failed) == (1, 1)


def test_scores_that_are_no_numbers_are_no_answer() -> None:
    with pytest.raises(Diverged, match="weights of its options are no numbers"):
        shares(torch.tensor([[0.0, float("nan")], [0.0, 0.0]]), [2, 2])
