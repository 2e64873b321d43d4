"""Several replicas of a supernet: on one device they are the network on the whole batch, but for moments of batches."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

import nassim
from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.cli.main import main
from nassim.errors import InvalidSetting
from nassim.query import Report
from nassim.supernet import Supernets
from nassim.testing import check_strategy

torch = pytest.importorskip("torch")

from nassim.full_training.relaxations.bilevel import descent  # noqa: E402
from nassim.full_training.relaxations.mixtures import Mix, gumbel, softmax  # noqa: E402
from nassim.full_training.supernets.replicas import devices_of, replicated  # noqa: E402

DARTS = nassim.get_algorithm("darts").configured(epochs=2, batch_size=16, arch_rate=0.1)


def rng(seed: int = 0) -> Any:
    return torch.Generator().manual_seed(seed)


def normalizations(network: Any) -> Iterator[Any]:
    return (m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d))


def made(supernets: Supernets, replicas: int, *, moments: bool) -> Any:
    """In float64; without moments normalizations are the identity."""
    net: Any = supernets.make(0, "cpu")
    net.shape(replicas=replicas)
    net.network.double()
    if not moments:
        for module in normalizations(net.network):
            module.forward = lambda x: x
    net.schedule(2, 0.05, 0.01, weight_decay=1e-3)
    return net


def doubled(net: Any) -> tuple[Any, Any]:
    (a, b), (c, d) = next(net.batches(0, 12))
    net.cost()
    return (a.double(), b), (c.double(), d)


def gradients(net: Any, order: int) -> list[Any]:
    """Of the logits and of the weights."""
    train, valid = doubled(net)
    alpha = torch.randn(6, 5, generator=rng(1), dtype=torch.float64).requires_grad_()
    found = descent(net, alpha, lambda: softmax(alpha), train, valid, order)
    each = torch.autograd.grad(net.loss(softmax(alpha), train), net.weights, allow_unused=True)
    return [found, *[g for g in each if g is not None]]  # normalizations that do nothing have none


@pytest.mark.slow
@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("replicas", [2, 3, 4, 6])
def test_gradients_are_those_of_one_device_without_batch_statistics(
    tiny_supernets: Supernets, replicas: int, order: int
) -> None:
    one = gradients(made(tiny_supernets, 1, moments=False), order)
    several = gradients(made(tiny_supernets, replicas, moments=False), order)
    assert max(float(g.abs().max()) for g in one) > 1e-3
    for a, b in zip(one, several, strict=True):
        torch.testing.assert_close(b, a, rtol=1e-6, atol=1e-9)


def test_with_batch_statistics_each_part_has_its_own(tiny_supernets: Supernets) -> None:
    """The logits are those of the parts by themselves, and not those of the whole batch."""
    one, two = (made(tiny_supernets, k, moments=True) for k in (1, 2))
    train, _ = doubled(two)
    mix = softmax(torch.zeros(6, 5, dtype=torch.float64))
    found = replicated(two.network, mix, train[0], two._devices)
    parts = torch.cat([one.logits(mix, train[0][:6]), one.logits(mix, train[0][6:])])
    torch.testing.assert_close(found, parts)
    assert not torch.allclose(found, one.logits(mix, train[0]), atol=1e-3)


def test_the_mixture_is_made_once_and_its_gradient_is_whole(tiny_supernets: Supernets) -> None:
    """One tensor of weights, of which every replica has a copy that gradients go back through."""
    net = made(tiny_supernets, 3, moments=True)
    train, _ = doubled(net)
    weights = softmax(torch.randn(6, 5, generator=rng(2), dtype=torch.float64)).weights.requires_grad_()
    mix = Mix(((0, 1, 2, 3, 4),) * 6, weights)
    (whole,) = torch.autograd.grad(net.loss(mix, train), [weights])
    alone = made(tiny_supernets, 1, moments=True)
    parts = [
        torch.autograd.grad(alone.loss(mix, (train[0][i : i + 4], train[1][i : i + 4])), [weights])[0]
        for i in (0, 4, 8)
    ]
    torch.testing.assert_close(whole, sum(parts) / 3)


@pytest.mark.slow
def test_a_mix_of_every_image_is_scattered_and_paths_run_alone(tiny_supernets: Supernets) -> None:
    net, one = made(tiny_supernets, 2, moments=False), made(tiny_supernets, 1, moments=False)
    (images, labels), _ = doubled(net)
    rows = [torch.rand(12, 5, generator=rng(i), dtype=torch.float64) for i in range(6)]
    mix = Mix(((0, 1, 2, 3, 4),) * 6, rows)
    torch.testing.assert_close(net.loss(mix, (images, labels)), one.loss(mix, (images, labels)))
    drawn = gumbel(torch.zeros(6, 5, dtype=torch.float64), 1.0, rng(), None)
    torch.testing.assert_close(net.loss(drawn, (images, labels)), one.loss(drawn, (images, labels)))


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{"replicas": 2}, {"replicas": 2, "order": 2, "epochs": 1}])
def test_contract(tiny_supernets: Supernets, settings: dict[str, Any]) -> None:
    check_strategy(DARTS.configured(**settings), supernets=tiny_supernets)


@pytest.mark.slow
def test_the_answer_does_not_depend_on_replicas_without_batch_statistics(tiny_supernets: Supernets) -> None:
    def scores(replicas: int) -> Any:
        net: Any = tiny_supernets.make(0, "cpu")
        shape = net.shape

        def without(**settings: Any) -> None:
            shape(**settings)
            for module in normalizations(net.network):
                module.forward = lambda x: x

        net.shape = without
        net.shape()
        search, last = DARTS.configured(replicas=replicas).begin(SPACE, random.Random(0), supernet=net), None
        while isinstance(message := search.ask(), Report):
            last = message
            search.tell([])
        assert last is not None
        return last.arch, torch.tensor(last.scores)

    (one, few), (other, same) = scores(1), scores(4)
    assert one == other
    torch.testing.assert_close(few, same, rtol=1e-3, atol=1e-4)


def test_linear_scaling_multiplies_batch_and_rates(tiny_supernets: Supernets) -> None:
    net: Any = tiny_supernets.make(0, "cpu")
    sizes, rates = set(), []
    step = net.step

    def noted(mix: Any, batch: Any) -> Any:
        sizes.add(len(batch[1]))
        rates.append(net.next_update().rate)
        return step(mix, batch)

    net.step = noted
    algorithm = DARTS.configured(replicas=2, linear_scaling=True, batch_size=8, learning_rate=0.02, final_rate=0.01)
    search = algorithm.begin(SPACE, random.Random(0), supernet=net)
    while isinstance(search.ask(), Report):
        search.tell([])
    assert sizes == {16} and rates[0] == pytest.approx(0.04) and rates[-1] == pytest.approx(0.03)


def test_replicas_that_do_not_divide_the_batch_are_one_line(tiny_supernets: Supernets) -> None:
    search = DARTS.configured(replicas=3).begin(SPACE, random.Random(0), supernet=tiny_supernets.make(0, "cpu"))
    with pytest.raises(InvalidSetting, match="replicas=3 do not divide a batch of 16 images") as raised:
        search.ask()
    assert "\n" not in str(raised.value)
    with pytest.raises(InvalidSetting, match="at least one"):
        devices_of(torch.device("cpu"), 0)


@pytest.mark.parametrize(
    ("algorithm", "said"),
    [("darts", "replicas=3 do not divide a batch of 64"), ("gdas", "no hyperparameter 'replicas'")],
)
@pytest.mark.slow
def test_replicas_on_the_command_line(algorithm: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["run", algorithm, "nasbench201/digits", "--live", "--replicas", "3", "--budget", "1s"])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
