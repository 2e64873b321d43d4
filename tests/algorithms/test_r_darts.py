"""R-DARTS: when it stops, what it goes back to, dropped paths."""

from __future__ import annotations

import random
from typing import Any

import pytest

import nassim
from nassim.benchmarks.spaces import nasbench201
from nassim.errors import InvalidSetting
from nassim.query import Report
from nassim.supernet import Supernets
from nassim.testing import check_strategy

torch = pytest.importorskip("torch")

from nassim.full_training.networks.construct import DropPath  # noqa: E402
from nassim.full_training.relaxations import stopping  # noqa: E402
from nassim.full_training.relaxations.mixtures import softmax  # noqa: E402
from nassim.full_training.relaxations.stopping import EarlyStop  # noqa: E402

RD = nassim.get_algorithm("r_darts").configured(epochs=3, batch_size=16, arch_rate=0.1, order=1)
SPACE = nasbench201.SPACE


def answers(algorithm: nassim.Algorithm, net: Any, found: list[Report] | None = None) -> list[Report]:
    search, found = algorithm.begin(SPACE, random.Random(0), supernet=net), [] if found is None else found
    while isinstance(message := search.ask(), Report):
        found.append(message)
        search.tell([])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["l2", "drop_path", "early_stopping", "adaptive"])
def test_contract(tiny_supernets: Supernets, variant: str) -> None:
    check_strategy(RD.configured(variant=variant), supernets=tiny_supernets)


# -- when to stop -------------------------------------------------------------------------------------


def test_the_local_averages_of_a_series() -> None:
    stop = EarlyStop()
    series = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0]
    for i, value in enumerate(series):
        stop.told(2 * i, value)
    expected = [7 / 3, 15 / 4, 31 / 5, 62 / 5, 124 / 5]  # of the present, two before and two after, as far as there are
    assert stop.averages() == pytest.approx(expected)


def test_it_stops_first_at_epoch_22_and_goes_back_to_10() -> None:
    """Of a series that doubles every time: the published code decides at 22 first."""
    stop = EarlyStop(1.3)
    told = {epoch: stop.told(epoch, 2.0**epoch) for epoch in range(0, 23, 2)}
    assert [back for epoch, back in told.items() if epoch < 22] == [None] * 11
    assert told[22] == 10


@pytest.mark.parametrize(("growth", "stops"), [(1.01, False), (1.06, False), (1.07, True), (1.2, True)])
def test_the_ratio_of_averages_four_evaluations_apart(growth: float, stops: bool) -> None:
    """A geometric series grows by growth^4 in four evaluations: 1.3 lies between 1.06^4 and 1.07^4."""
    stop = EarlyStop(1.3)
    assert any(stop.told(2 * i, growth**i) is not None for i in range(20)) == stops


def test_a_jump_goes_back_to_before_it() -> None:
    stop = EarlyStop(1.3)
    values = [1.0] * 15 + [5.0] * 10
    told = {2 * i: stop.told(2 * i, value) for i, value in enumerate(values)}
    first = next(epoch for epoch, back in told.items() if back is not None)
    assert first == 30 and told[30] == 18  # of 24 to 32 no evaluation is known yet but one of five has jumped


# -- what it does then --------------------------------------------------------------------------------


class Growing:
    """In place of eigenvalues: a list of values, one an evaluation."""

    def __init__(self, values: list[float]) -> None:
        self.values = iter(values)

    def __call__(self, *a: Any) -> float:
        return next(self.values)


FLAT, STEEP = [1.0] * 40, [2.0**i for i in range(40)]


@pytest.mark.slow
def test_early_stopping_answers_with_the_epoch_before(
    tiny_supernets: Supernets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "largest_eigenvalue", Growing(FLAT))
    whole = answers(RD.configured(variant="early_stopping", epochs=26), tiny_supernets.make(0, "cpu"))
    monkeypatch.setattr(stopping, "largest_eigenvalue", Growing(STEEP))
    found = answers(RD.configured(variant="early_stopping", epochs=26), tiny_supernets.make(0, "cpu"))
    assert len(whole) == 26 and len(found) == 23
    assert [(r.arch, r.scores) for r in found[:22]] == [(r.arch, r.scores) for r in whole[:22]]
    assert (found[22].arch, found[22].scores) == (whole[10].arch, whole[10].scores)


@pytest.mark.slow
def test_adaptive_goes_on_from_there_with_ten_times_the_decay(
    tiny_supernets: Supernets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "largest_eigenvalue", Growing([*STEEP[:12], *FLAT]))
    net: Any = tiny_supernets.make(0, "cpu")
    decays: list[float] = []
    step = net.step
    net.step = lambda mix, batch: decays.append(net.next_update().decay) or step(mix, batch)
    found = answers(RD.configured(variant="adaptive", epochs=24, weight_decay=1e-3), net)
    assert len(found) == 23 + 13  # epochs 0 to 22, then 11 to 23
    assert decays == pytest.approx([1e-3] * 69 + [1e-2] * 39)
    assert found[22].scores == found[10].scores


@pytest.mark.slow
def test_adaptive_stops_where_the_decay_would_be_too_large(
    tiny_supernets: Supernets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "largest_eigenvalue", Growing(STEEP))
    found = answers(RD.configured(variant="adaptive", epochs=26, weight_decay=0.01), tiny_supernets.make(0, "cpu"))
    assert len(found) == 23 and found[22].scores == found[10].scores


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["early_stopping", "adaptive", "drop_path"])
def test_a_search_that_was_interrupted_goes_on_alike(
    tiny_supernets: Supernets, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, variant: str
) -> None:
    algorithm = RD.configured(variant=variant, epochs=25, weight_decay=1e-3)
    values = [*STEEP[:12], *FLAT]
    monkeypatch.setattr(stopping, "largest_eigenvalue", Growing(values))
    whole = answers(algorithm, tiny_supernets.make(0, "cpu"))
    monkeypatch.setattr(stopping, "largest_eigenvalue", Growing(values))
    told: list[Any] = []
    net: Any = tiny_supernets.make(0, "cpu")
    net.keep(tmp_path / "search", told)
    search = algorithm.begin(SPACE, random.Random(0), supernet=net)
    for _ in range(17):  # the 17th is not kept: its epoch is written when the search goes on
        assert isinstance(search.ask(), Report)
        search.tell([])
    net = tiny_supernets.make(0, "cpu")
    net.keep(tmp_path / "search", told)
    monkeypatch.setattr(stopping, "largest_eigenvalue", Growing(values[8:]))
    rest = answers(algorithm, net)
    assert [(r.arch, r.scores) for r in rest] == [(r.arch, r.scores) for r in whole[16:]]


# -- regularization -----------------------------------------------------------------------------------


def test_l2_is_the_weight_decay_and_the_others_have_darts_own(tiny_supernets: Supernets) -> None:
    for settings, decay in (({}, 81e-4), ({"strength": 9e-4}, 9e-4), ({"variant": "drop_path"}, 3e-4)):
        net: Any = tiny_supernets.make(0, "cpu")
        answers(RD.configured(epochs=1, **settings), net)
        assert net.next_update().decay == decay


@pytest.mark.slow
def test_without_its_parts_it_is_darts(tiny_supernets: Supernets) -> None:
    plain = nassim.get_algorithm("darts").configured(epochs=3, batch_size=16, arch_rate=0.1, weight_decay=1e-3)
    same = RD.configured(variant="drop_path", strength=0.0, weight_decay=1e-3)
    for order in (1, 2):
        a = answers(plain.configured(order=order, nesterov=False), tiny_supernets.make(0, "cpu"))
        b = answers(same.configured(order=order), tiny_supernets.make(0, "cpu"))
        assert [(r.arch, r.scores) for r in a] == [(r.arch, r.scores) for r in b]


def test_operations_are_dropped_ever_more_often_and_not_where_mixes_are_scored(tiny_supernets: Supernets) -> None:
    net: Any = tiny_supernets.make(0, "cpu")
    seen: list[float] = []
    step = net.step
    drops = [m for m in net.network.modules() if isinstance(m, DropPath)]
    net.step = lambda mix, batch: seen.append(drops[0].probability) or step(mix, batch)
    answers(RD.configured(variant="drop_path", strength=0.6, nesterov=False), net)
    assert seen == pytest.approx([0.0] * 3 + [0.2] * 3 + [0.4] * 3)
    mix = softmax(torch.zeros(6, 5))
    assert net.score(mix) == net.score(mix)
    train, _ = next(net.batches(0, 16))
    assert not torch.equal(net.logits(mix, train[0]), net.logits(mix, train[0]))
    assert drops[0].probability == pytest.approx(0.4)


def test_skip_connections_are_not_dropped(tiny_supernets: Supernets) -> None:
    net: Any = tiny_supernets.make(0, "cpu")
    net.drop_paths(0.9, 0)
    images, _ = next(iter(net.scoring_batches(0, 16)))
    skips = net.path(SPACE.parse("111111"))
    assert torch.equal(net.logits(skips, images), net.logits(skips, images))
    convolutions = net.path(SPACE.parse("333333"))
    assert not torch.equal(net.logits(convolutions, images), net.logits(convolutions, images))


def test_a_strength_of_nothing_is_one_line(tiny_supernets: Supernets) -> None:
    for settings, message in (
        ({"variant": "adaptive", "strength": 0.1}, "not of adaptive"),
        ({"variant": "drop_path", "strength": 1.5}, "no probability below 1"),
    ):
        search = RD.configured(**settings).begin(SPACE, random.Random(0), supernet=tiny_supernets.make(0, "cpu"))
        with pytest.raises(InvalidSetting, match=message) as raised:
            search.ask()
        assert "\n" not in str(raised.value)
