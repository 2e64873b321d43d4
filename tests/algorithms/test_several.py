"""DARTS' protocol: several searches, of whose answers trainings choose."""

from __future__ import annotations

import random
from typing import Any

import pytest

import nassim
from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.choosing import choose
from nassim.one_shot import OneShot
from nassim.query import Batch, Query, Report, Result, Trial
from nassim.strategy import Strategy
from nassim.supernet import Supernets

pytest.importorskip("torch")

DARTS = nassim.get_algorithm("darts").configured(epochs=2, batch_size=16, arch_rate=0.1)


def worth(arch: Any) -> float:
    return 0.01 * SPACE.index(arch) / SPACE.size


def driven(search: Strategy) -> tuple[list[Report], list[Batch]]:
    reports, batches = list[Report](), list[Batch]()
    while (message := search.ask()) is not None:
        if isinstance(message, Report):
            reports.append(message)
            search.tell([])
        else:
            batches.append(message)
            search.tell([Trial(q, Result(worth(q.arch), 4, 1.0, {}), 0.0, 1.0, 0) for q in message.queries])
    return reports, batches


def begun(algorithm: nassim.Algorithm, net: Any) -> Strategy:
    return algorithm.begin(SPACE, random.Random(0), supernet=net)


@pytest.mark.slow
def test_three_runs_train_their_answers_and_report_the_best(tiny_supernets: Supernets) -> None:
    reports, [batch] = driven(begun(DARTS.configured(runs=3), tiny_supernets.make(0, "cpu")))
    assert len(reports) == 3 * 2 + 1
    ends = [report.arch for report in reports[1:6:2]]
    assert [query.arch for query in batch.queries] == list(dict.fromkeys(ends)) and len(set(ends)) > 1
    assert reports[-1].arch == max(ends, key=worth) and reports[-1].cost == 0.0


@pytest.mark.slow
def test_the_first_run_is_the_search_alone_and_the_others_begin_anew(tiny_supernets: Supernets) -> None:
    (alone, none), net = driven(begun(DARTS, tiny_supernets.make(0, "cpu"))), tiny_supernets.make(0, "cpu")
    first_weights = [w.detach().clone() for w in net.weights]
    search, seen = begun(DARTS.configured(runs=2), net), []
    renew = net.renew

    def noted(run: int) -> None:
        renew(run)
        seen.append([w.detach().clone() for w in net.weights])

    net.renew = noted  # type: ignore[method-assign]
    reports, _ = driven(search)
    assert none == [] and [(r.arch, r.scores) for r in reports[:2]] == [(r.arch, r.scores) for r in alone]
    [again] = seen
    assert all(a.shape == b.shape for a, b in zip(first_weights, again, strict=True))
    assert not any((a == b).all() for a, b in zip(first_weights, again, strict=True) if a.ndim == 4)
    assert max(abs(w - 0.2) for row in reports[2].scores for w in row) < 0.1  # three steps from the beginning
    assert reports[2].scores != reports[0].scores


@pytest.mark.slow
def test_an_interrupted_protocol_goes_on_alike(tiny_supernets: Supernets, tmp_path: Any) -> None:
    algorithm = DARTS.configured(runs=3)
    whole, batches = driven(begun(algorithm, tiny_supernets.make(0, "cpu")))
    net, told = tiny_supernets.make(0, "cpu"), list[Any]()
    net.keep(tmp_path / "search", told)
    search = begun(algorithm, net)
    for _ in range(4):  # the fourth is not written: its epoch is made again
        search.ask()
        search.tell([])
    net = tiny_supernets.make(0, "cpu")
    net.keep(tmp_path / "search", told)
    rest, again = driven(begun(algorithm, net))
    assert [(r.arch, r.scores) for r in rest] == [(r.arch, r.scores) for r in whole[3:]]
    assert [[q.arch for q in b.queries] for b in again] == [[q.arch for q in b.queries] for b in batches]


def test_a_recorded_protocol_is_replayed_with_its_trainings(tiny_supernets: Supernets) -> None:
    from nassim.record import record

    algorithm = DARTS.configured(runs=2)
    path = record(algorithm, tiny_supernets, seeds=1, device="cpu", scored_cells=0)
    [recording] = tiny_supernets.recordings("darts", path.parent)
    assert len(recording.runs[0]) == 4
    chosen = algorithm.configured(**algorithm.hyperparameters(SPACE, tiny_supernets.benchmark))
    reports, [batch] = driven(OneShot("recorded", chosen, tiny_supernets, recording, None).begin(0))
    ends = [recording.runs[0][1].arch, recording.runs[0][3].arch]
    assert [query.arch for query in batch.queries] == list(dict.fromkeys(ends))
    assert reports[-1].arch == max(ends, key=worth) and len(reports) == 5


def test_of_equal_answers_the_first() -> None:
    first, second = SPACE.at(3), SPACE.at(4)
    search = Strategy(choose([first, second, first]))
    batch = search.ask()
    assert isinstance(batch, Batch) and [query.arch for query in batch.queries] == [first, second]
    search.tell([Trial(Query(a), Result(0.5, 4, 1.0, {}), 0.0, 1.0, 0) for a in (first, second)])
    last = search.ask()
    assert isinstance(last, Report) and last.arch == first
