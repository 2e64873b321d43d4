"""Packed runs: what comes back is what went in, and nothing else is taken for it."""

from __future__ import annotations

import json
import zlib

import pytest

import nassim
from nassim.errors import CorruptData
from nassim.packing import pack_incumbents, pack_trials, unpack_incumbents, unpack_trials
from nassim.trace import Run


@pytest.fixture(scope="module")
def a_run() -> Run:
    return nassim.run("re", "toy/additive", "40q", seed=2, workers=3)


def test_trials_come_back_whole(a_run: Run) -> None:
    rows = unpack_trials(pack_trials(a_run, extras=True))
    assert len(rows) == 40
    for row, trial in zip(rows, a_run.trials, strict=True):
        assert (row.architecture, row.asked_epochs, row.metric) == (str(trial.arch), None, None)
        assert (row.value, row.epochs, row.cost_seconds) == trial.result[:3]
        assert (row.started_seconds, row.finished_seconds, row.worker) == trial[2:]
        assert (row.training, row.paid_epochs) == trial.result[4:]
        assert row.extras == trial.result.extras
    assert all(row.extras is None for row in unpack_trials(pack_trials(a_run)))


def test_incumbents_come_back_whole(a_run: Run) -> None:
    points = unpack_incumbents(pack_incumbents(a_run))
    assert [
        (p.seconds, p.queries, p.epochs, p.architecture, p.observed, p.valid, p.test, p.source) for p in points
    ] == [(x.seconds, x.queries, x.epochs, str(x.arch), x.observed, x.valid, x.test, "mean") for x in a_run.incumbents]


def test_nothing_is_packed_as_nothing() -> None:
    empty = nassim.run("rs", "toy/additive", "100q", seed=1)
    empty.trials.clear()
    assert unpack_trials(pack_trials(empty)) == []


def test_a_trial_takes_less_than_half_of_a_row() -> None:
    run = nassim.run("re", "nasbench201/cifar10", "150q", seed=1)
    assert len(pack_trials(run)) < 45 * len(run.trials)


def _packed(value: object) -> bytes:
    return zlib.compress(json.dumps(value).encode())


GOOD = {"architecture": ["toy:0-0-0-0"], "asked_epochs": [None], "epochs": [9], "value": [0.5], "cost_seconds": [1.0]}
GOOD |= {"started_seconds": [0.0], "finished_seconds": [1.0], "worker": [0]}


@pytest.mark.slow
@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"nonsense",
        _packed(GOOD)[:-5],
        _packed([1, 2]),
        _packed({**GOOD, "more": [1]}),
        _packed({**GOOD, "epochs": [9, 9]}),
        _packed({**GOOD, "epochs": ["9"]}),
        _packed({**GOOD, "epochs": [True]}),
        _packed({**GOOD, "worker": 3}),
        _packed({k: v for k, v in GOOD.items() if k != "value"}),
        zlib.compress(b"[" * 200_000),
        zlib.compress(b'{"architecture": [' + b"9" * 10_000 + b"]}"),
        zlib.compress(b" " * (300 << 20), 1),
    ],
    ids=range(13),
)
def test_anything_else_is_damaged(packed: bytes) -> None:
    assert unpack_trials(_packed(GOOD))[0].epochs == 9
    with pytest.raises(CorruptData):
        unpack_trials(packed)
