"""The supernet of NAS-Bench-201: keyed weights, paths that run only what they need, batches, weights on disk."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from itertools import islice, pairwise
from typing import Any

import pytest

from nassim.benchmarks.spaces.nasbench201 import EDGES, OPERATIONS, SPACE
from nassim.benchmarks.spaces.nasbench201_network import mixed_cell
from nassim.full_training.supernets.sources import IMAGES_SHA256, make_supernet, supernet_settings
from nassim.supernet import Supernets

torch = pytest.importorskip("torch")

from nassim.full_training.networks.construct import initialize  # noqa: E402
from nassim.full_training.relaxations.mixtures import Mix, gumbel, path, softmax  # noqa: E402
from nassim.full_training.supernets.mixed import MixedNetwork  # noqa: E402
from nassim.full_training.supernets.shared import cosine  # noqa: E402
from nassim.full_training.supernets.trainer import SharedNetwork  # noqa: E402
from nassim.network import Draft  # noqa: E402

Make = Callable[[int], SharedNetwork]


@pytest.fixture
def make(tiny_supernets: Supernets) -> Make:
    return lambda seed: tiny_supernets.make(seed, "cpu")  # type: ignore[return-value]


@pytest.fixture
def net(make: Make) -> SharedNetwork:
    found = make(0)
    found.schedule(2, 0.1, 0.01, weight_decay=1e-2, nesterov=True)
    return found


def batch(net: SharedNetwork) -> Any:
    return next(iter(net.batches(0, 16)))[0]


def key(edge: int, option: int) -> str:
    source, target = EDGES[edge]
    return f"edges.{source}-{target}.{OPERATIONS[option]}"


# -- what runs ------------------------------------------------------------------------------------


def ways(active: tuple[tuple[int, ...], ...]) -> set[int]:
    """The edges of all ways from node 0 to node 3, listed one by one."""
    found: set[int] = set()

    def walk(node: int, taken: list[int]) -> None:
        if node == 3:
            found.update(taken)
        for edge, (source, target) in enumerate(EDGES):
            if source == node and any(active[edge]):
                walk(target, [*taken, edge])

    walk(0, [])
    return found


@pytest.mark.parametrize("seed", range(6))
def test_a_path_runs_its_operations_and_no_others(net: SharedNetwork, seed: int) -> None:
    arch = SPACE.sample(random.Random(seed))
    ran: list[str] = []
    for name, module in net.network.named_modules():
        if ".edges." in name and isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(lambda *_, name=name: ran.append(name))
    net.loss(net.path(arch), batch(net))
    keys = [key(e, arch.choices[e]) for e in sorted(ways(net.path(arch).active)) if arch.choices[e] in (2, 3)]
    assert sorted(ran) == sorted(f"stages.{stage}.0.{key}.0" for stage in range(3) for key in keys)


def test_a_one_hot_softmax_and_a_drawn_mix_are_paths(net: SharedNetwork) -> None:
    images, _ = batch(net)
    arch = SPACE.parse("313241")
    logits = torch.full((6, 5), -1e4)
    for edge, option in enumerate(arch.choices):
        logits[edge, option] = 1e4
    expected = net.logits(path(arch.choices), images)
    torch.testing.assert_close(net.logits(softmax(logits), images), expected)
    drawn = gumbel(logits, 1.0, torch.Generator().manual_seed(0))
    assert torch.equal(net.logits(drawn, images), expected)


def test_a_mixture_is_the_weighted_sum_of_its_options() -> None:
    draft = Draft((2, 8, 8))
    cell = MixedNetwork(draft.network(mixed_cell(draft, "cell", 0, OPERATIONS, 2)))
    initialize(cell, torch.Generator().manual_seed(0))
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(4, 2, 8, 8, generator=rng)
    weights = torch.rand(6, 5, generator=rng)

    def edge(i: int, value: Any) -> Any:
        pooled = torch.nn.functional.avg_pool2d(value, 3, 1, 1, count_include_pad=False)
        kernels = [dict(cell.named_parameters())[f"cell.{key(i, k)}.0.weight"] for k in (2, 3)]
        made = [torch.nn.functional.conv2d(value.relu(), k, padding=k.shape[-1] // 2) for k in kernels]
        normed = [torch.nn.functional.batch_norm(y, None, None, training=True) for y in made]
        outs = [0 * value, value, *normed, pooled]
        return sum(weights[i, k] * out for k, out in enumerate(outs))

    one = edge(0, x)
    two = edge(1, x) + edge(2, one)
    three = edge(3, x) + edge(4, one) + edge(5, two)
    torch.testing.assert_close(cell(x, Mix(((0, 1, 2, 3, 4),) * 6, weights)), three.flatten(1))


# -- shared weights -------------------------------------------------------------------------------


def test_a_step_leaves_the_weights_that_its_path_does_not_use(net: SharedNetwork) -> None:
    arch, other = SPACE.parse("313241"), SPACE.parse("222222")
    net.step(path(other.choices), batch(net))  # momentum and decay could move them now
    before = {name: w.detach().clone() for name, w in net.network.named_parameters()}
    net.step(path(arch.choices), batch(net))
    used = {key(e, arch.choices[e]) for e in ways(net.path(arch).active)}
    for name, weight in net.network.named_parameters():
        place = ".".join(name.split(".")[3:6]) if ".edges." in name else ""
        moved = not torch.equal(weight, before[name])
        assert moved == (not place or place in used), name


def test_only_batch_statistics(net: SharedNetwork) -> None:
    assert list(net.network.buffers()) == []
    images, _ = batch(net)
    mix = path(SPACE.parse("333333").choices)
    first = net.logits(mix, images)
    net.logits(mix, 5 * images)
    assert torch.equal(net.logits(mix, images), first)
    assert not torch.allclose(net.logits(mix, images[:4]), first[:4])


# -- images and time ------------------------------------------------------------------------------


def test_batches_walk_through_two_halves_without_common_images(make: Make) -> None:
    net = make(3)
    net.schedule(3, 0.1, 0.0, weight_decay=0.0)
    assert len(net._train) == len(net._valid) == 48
    both = {tuple(image.flatten().tolist()) for half in (net._train, net._valid) for image in half.images}
    assert len(both) == 96
    pairs = list(net.batches(0, 16))
    assert [len(train[1]) for train, _ in pairs] == [16, 16, 16]
    assert [train[0].shape[1:] for train, _ in pairs] == [(1, 8, 8)] * 3
    for k, half in enumerate((net._train, net._valid)):
        assert sum(int(pair[k][1].sum()) for pair in pairs) == int(half.labels.sum())
    again = [p[0][1].tolist() for p in net.batches(0, 16)]
    assert again == [train[1].tolist() for train, _ in pairs]
    assert [p[0][1].tolist() for p in net.batches(1, 16)] != again
    assert len(list(net.batches(0, 1000))) == 1  # a batch is at most a half


def test_renderings_of_one_digit_are_in_one_half() -> None:
    net = make_supernet(SPACE, "digits", 0)
    assert len(net._train) % 8 == 0 and abs(len(net._train) - len(net._valid)) < 16
    assert net.settings == supernet_settings("nasbench201", "digits")
    assert net.settings["images_sha256"] == IMAGES_SHA256["digits"]


def test_scoring_batches_are_plain_and_without_end(net: SharedNetwork) -> None:
    centers = {tuple(i[:, 1:-1, 1:-1].flatten().tolist()) for i in net._valid.images}
    taken = list(islice(net.scoring_batches(0, 16), 6))  # two rounds
    for round_ in (taken[:3], taken[3:]):
        images = [tuple(image.flatten().tolist()) for images, _ in round_ for image in images]
        assert len(images) == 48 and set(images) == centers
    assert not torch.equal(taken[0][1], taken[3][1]) or not torch.equal(taken[0][0], taken[3][0])


def test_accuracy_is_the_share_of_right_answers(net: SharedNetwork) -> None:
    mix = path(SPACE.parse("333333").choices)
    batches = list(islice(net.scoring_batches(0, 16), 3))
    right = sum(int((net.logits(mix, x).argmax(1) == y).sum()) for x, y in batches)
    assert net.score(mix, *batches) == right / 48
    assert 0 <= net.score(mix) <= 1


def test_it_learns(make: Make) -> None:
    net = make(3)  # two channels: of eight seeds six get there in twelve epochs
    net.schedule(12, 0.1, 0.001, weight_decay=1e-4, nesterov=True)
    mix = path(SPACE.parse("333333").choices)
    losses = [float(net.step(mix, train)) for epoch in range(12) for train, _ in net.batches(epoch, 16)]
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])
    assert net.score(mix) > 0.9


def test_cost_is_the_time_since_the_epoch_began(net: SharedNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([10.0, 12.5, 100.0, 101.0])
    monkeypatch.setattr(net, "_now", lambda: next(now))
    threads = torch.get_num_threads()
    assert net.cost() == 0.0
    batches = net.batches(0, 16)
    next(batches)
    assert torch.get_num_threads() == 1
    assert net.cost() == 2.5
    assert torch.get_num_threads() == threads
    next(net.batches(1, 16))
    assert net.cost() == 1.0


def test_the_seed_decides_and_no_global_generator_is_touched(make: Make) -> None:
    state = torch.get_rng_state()

    def train(seed: int) -> list[Any]:
        net = make(seed)
        net.schedule(1, 0.1, 0.01, weight_decay=0.0)
        for a, _ in net.batches(0, 16):
            net.step(path((3, 1, 3, 2, 4, 1)), a)
        net.cost()
        return [w.detach() for w in net.weights]

    first, again, other = train(0), train(0), train(1)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(first, other, strict=True))
    assert torch.equal(torch.get_rng_state(), state)


def cosine_by_hand(epochs: int, first: float, last: float, restart: int) -> Iterator[float]:
    starts = [0]
    while starts[-1] < epochs:
        starts.append(starts[-1] + restart * 2 ** (len(starts) - 1))
    for epoch in range(epochs):
        i = max(k for k, start in enumerate(starts) if start <= epoch)
        share = (epoch - starts[i]) / (starts[i + 1] - starts[i])
        yield last + (first - last) * (1 + math.cos(math.pi * share)) / 2


def test_the_cosine_and_its_restarts() -> None:
    rates = list(cosine(50, 0.05, 0.0005, restart=10))
    assert rates == pytest.approx(list(cosine_by_hand(50, 0.05, 0.0005, 10)))
    assert [i for i, rate in enumerate(rates) if rate == 0.05] == [0, 10, 30]
    plain = list(cosine(50, 0.025, 0.001))
    assert plain[0] == 0.025 and plain[25] == pytest.approx(0.013) and all(a > b for a, b in pairwise(plain))
