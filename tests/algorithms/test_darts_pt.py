"""DARTS-PT: what a supernet misses most, edge by edge."""

from __future__ import annotations

import random
from typing import Any

import pytest

import nassim
from nassim.benchmarks.spaces import darts, nasbench201
from nassim.layout import Layout
from nassim.query import Report
from nassim.supernet import Supernets
from nassim.testing import check_strategy

torch = pytest.importorskip("torch")

from nassim.full_training.relaxations.projection import Projection  # noqa: E402

PT = nassim.get_algorithm("darts_pt").configured(epochs=2, tune=1, batch_size=16, arch_rate=0.1)
SPACE = nasbench201.SPACE


class Scorer:
    """A supernet that is worth a function of the weights of its mix."""

    def __init__(self, worth: Any) -> None:
        self.score = lambda mix: float(worth(mix.weights))


def answers(algorithm: nassim.Algorithm, net: Any, space: Any = SPACE) -> list[Report]:
    search, found = algorithm.begin(space, random.Random(0), supernet=net), []
    while isinstance(message := search.ask(), Report):
        found.append(message)
        search.tell([])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("blank", [False, True])
def test_contract(tiny_supernets: Supernets, blank: bool) -> None:
    check_strategy(PT.configured(blank=blank), supernets=tiny_supernets)


@pytest.mark.parametrize(("space", "tuning", "due"), [
    (nasbench201.SPACE, 25, [0, 5, 10, 15, 20, 24]),
    (darts.SPACE, 81, [*range(0, 81, 5)]),
], ids=["nasbench201", "darts"])  # fmt: skip
def test_when_edges_are_fixed_as_in_the_published_code(space: Any, tuning: int, due: list[int]) -> None:
    left = Projection(space.layout, 5)
    assert left.tuning == tuning
    assert [epoch for epoch in range(-10, tuning) if left.due(epoch)] == due and left.steps == len(due)


def test_masked_weights_are_not_divided_by_their_sum() -> None:
    seen: list[Any] = []

    def worth(weights: Any) -> float:
        seen.append(weights.clone())
        return 0.0

    alpha = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))
    Projection(SPACE.layout, 1).step(Scorer(worth), alpha, random.Random(0))  # type: ignore[arg-type]
    shares = torch.softmax(alpha, 1)
    assert len(seen) == 5
    for option, weights in enumerate(seen):
        [edge] = [i for i in range(6) if not torch.equal(weights[i], shares[i])]
        expected = shares.clone()
        expected[edge, option] = 0.0
        assert torch.equal(weights, expected)


def test_after_a_step_the_edge_is_exactly_one_hot_and_in_the_end_all_are() -> None:
    rng, left = random.Random(1), Projection(SPACE.layout, 1)
    alpha = torch.randn(6, 5, generator=torch.Generator().manual_seed(0)).requires_grad_()
    value = torch.randn(6, 5, generator=torch.Generator().manual_seed(1))
    for fixed in range(1, 7):
        left.step(Scorer(lambda w: (w * value).sum()), alpha, rng)  # type: ignore[arg-type]
        weights: Any = left.mix(alpha).weights
        one_hot = [sorted(row.tolist()) == [0, 0, 0, 0, 1] for row in weights]
        assert sum(one_hot) == fixed
        (gradient,) = torch.autograd.grad((weights * value).sum(), [alpha])
        assert [bool((row == 0).all()) for row in gradient] == one_hot
    assert left.scores(alpha) == weights.tolist()


def test_a_useless_option_is_never_chosen_though_its_weight_is_largest() -> None:
    """Option 4 is worth nothing on any edge and has nearly all weight; the others are worth their number."""
    alpha = torch.zeros(6, 5)
    alpha[:, 4] = 6.0
    value = torch.tensor([1.0, 2.0, 3.0, 4.0, 0.0])
    left, rng = Projection(SPACE.layout, 1), random.Random(0)
    assert SPACE.layout.answer(left.scores(alpha)).choices == (4,) * 6
    for _ in range(left.steps):
        left.step(Scorer(lambda w: (w * value).sum()), alpha, rng)  # type: ignore[arg-type]
    assert left.chosen == [3] * 6


def test_nodes_of_darts_keep_the_two_edges_that_are_missed_most() -> None:
    layout: Layout = darts.SPACE.layout
    left, rng = Projection(layout, 1), random.Random(0)
    alpha = torch.zeros(28, 8)
    edge_value = torch.rand(28, generator=torch.Generator().manual_seed(3))
    option_value = torch.rand(28, 8, generator=torch.Generator().manual_seed(4))

    def worth(weights: Any) -> Any:
        return (weights * edge_value[:, None] * option_value).sum()

    for _ in range(left.steps):
        left.step(Scorer(worth), alpha, rng)  # type: ignore[arg-type]
    assert left.chosen == [1 + int(row[1:].argmax()) for row in option_value]
    worths = [float(edge_value[i] * option_value[i, k]) for i, k in enumerate(left.chosen)]
    for node in layout.nodes:
        kept = sorted(node, key=worths.__getitem__)[-2:]
        assert [i for i in node if not left.gone[i]] == sorted(kept)
    answer = layout.path(layout.answer(left.scores(alpha)))
    assert [i for i, options in enumerate(answer) if options and options != (0,)] == [
        i for i in range(28) if not left.gone[i]
    ]


@pytest.mark.slow
def test_blank_leaves_the_logits_where_they_were(tiny_supernets: Supernets) -> None:
    first, *_, last = answers(PT.configured(blank=True), tiny_supernets.make(0, "cpu"))
    assert max(abs(w - 0.2) for row in first.scores for w in row) < 1e-3
    assert {tuple(sorted(row)) for row in last.scores} == {(0.0, 0.0, 0.0, 0.0, 1.0)}


@pytest.mark.slow
def test_an_edge_is_fixed_before_each_epoch_of_tuning_and_its_rate_is_a_tenth(tiny_supernets: Supernets) -> None:
    net: Any = tiny_supernets.make(0, "cpu")
    rates: list[float] = []
    step = net.step
    net.step = lambda mix, batch: rates.append(net.next_update().rate) or step(mix, batch)
    found = answers(PT.configured(tune=2, learning_rate=0.1, final_rate=0.02), net)
    assert len(found) == 2 + 10
    fixed = [sum(max(row) == 1.0 for row in report.scores) for report in found]
    assert fixed == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 6]
    assert rates[6:] == pytest.approx([0.01] * 30) and rates[0] == pytest.approx(0.1)
