"""The supernets of ENAS' spaces, and what every supernet shares: a key is a tensor, whatever else a path holds."""

from __future__ import annotations

import random
from typing import Any

import pytest

from nassim.benchmarks.spaces import darts, nasbench201, nasbench_macro
from nassim.benchmarks.spaces.enas import MACRO_SPACE, MICRO_SPACE, NODES, loose
from nassim.benchmarks.spaces.enas_network import micro
from nassim.benchmarks.spaces.nasbench1shot1 import SPACES as ONE_SHOT_1
from nassim.network import Frame, Network
from nassim.space import Architecture, SearchSpace

torch = pytest.importorskip("torch")

from nassim.full_training.networks.construct import construct, initialize  # noqa: E402
from nassim.full_training.relaxations.mixtures import Mix, gumbel, softmax  # noqa: E402
from nassim.full_training.supernets.mixed import MixedNetwork  # noqa: E402

FRAMES = {
    "enas-macro": Frame(2, 1, 3, (1, 8, 8)),
    "enas-micro": Frame(2, 3, 3, (1, 8, 8)),
    "darts": Frame(2, 3, 3, (1, 8, 8)),
    "nasbench201": Frame(2, 1, 3, (1, 8, 8)),
    "nasbench_macro": Frame(2, 1, 3, (1, 16, 16)),
    "nasbench1shot1-2": Frame(6, 1, 3, (1, 8, 8)),
}
ENAS = [MACRO_SPACE, MICRO_SPACE]
SPACES = [*ENAS, darts.SPACE, nasbench201.SPACE, nasbench_macro.SPACE, ONE_SHOT_1[2]]


def made(network: Any) -> Any:
    initialize(network, torch.Generator().manual_seed(1))
    return network.double()


def mixed(space: SearchSpace) -> Any:
    return made(MixedNetwork(space.supernet(FRAMES[space.name])))


def images(space: SearchSpace, count: int = 4) -> Any:
    return torch.randn(count, *FRAMES[space.name].image, generator=torch.Generator().manual_seed(2)).double()


def alone(space: SearchSpace, arch: Architecture) -> Network:
    """The architecture as the search trains it."""
    if space is MACRO_SPACE:
        return MACRO_SPACE.child(arch, FRAMES[space.name])
    return micro(FRAMES[space.name], MICRO_SPACE.cells(arch), NODES)


@pytest.mark.slow
@pytest.mark.parametrize("space", ENAS, ids=lambda space: space.name)
def test_a_path_is_the_child_with_weights_of_the_same_names(space: SearchSpace) -> None:
    net, x, rng = mixed(space), images(space), random.Random(3)
    shared = dict(net.named_parameters())
    for _ in range(4):
        arch = space.sample(rng)
        own = made(construct(alone(space, arch)))
        with torch.no_grad():
            for name, parameter in own.named_parameters():
                if parameter.ndim > 1 or name in shared:
                    parameter.copy_(shared[name])  # a KeyError would say what has no key
        torch.testing.assert_close(net(x, Mix(space.layout.path(arch))), own.train()(x), rtol=1e-12, atol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("space", ENAS, ids=lambda space: space.name)
def test_weights_of_one_are_the_path_and_answer_it(space: SearchSpace) -> None:
    net, x, layout, rng = mixed(space), images(space), space.layout, random.Random(5)
    everything = tuple(tuple(range(width)) for width in layout.widths)
    arch = space.sample(rng)
    active = layout.path(arch)
    weights = torch.zeros(len(layout.groups), max(layout.widths), dtype=torch.float64)
    for row, options in zip(weights, active, strict=True):
        row[list(options)] = 1.0
    torch.testing.assert_close(net(x, Mix(everything, weights)), net(x, Mix(active)), rtol=1e-12, atol=1e-12)
    assert layout.answer([row[:width] for row, width in zip(weights.tolist(), layout.widths, strict=True)]) == arch
    drawn = gumbel(1e4 * weights, 1.0, torch.Generator().manual_seed(0), layout.widths, layout.takes)
    singles = len(space.decisions)
    assert drawn.active[:singles] == active[:singles]
    assert all(len(options) == NODES + 2 for options in drawn.active[singles:])  # of the ends all


@pytest.mark.slow
@pytest.mark.parametrize("space", ENAS, ids=lambda space: space.name)
def test_softmax_gives_every_weight_a_gradient(space: SearchSpace) -> None:
    net, layout = mixed(space), space.layout
    alpha = torch.zeros(len(layout.groups), max(layout.widths), dtype=torch.float64, requires_grad=True)
    net(images(space), softmax(alpha, layout.widths)).square().sum().backward()
    assert all(w.grad is not None for w in net.parameters())
    assert alpha.grad is not None and bool((alpha.grad.abs().sum(1) > 0).all())


def used(net: Any, space: SearchSpace, arch: Architecture, x: Any) -> dict[str, Any]:
    """The weights that a path's loss has a gradient by."""
    named = dict(net.named_parameters())
    loss = net(x, Mix(space.layout.path(arch))).square().sum()
    gradients = torch.autograd.grad(loss, list(named.values()), allow_unused=True)
    return {name: named[name] for name, g in zip(named, gradients, strict=True) if g is not None}


@pytest.mark.slow
@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_paths_with_a_common_key_use_the_same_tensor_and_leave_others_alone(space: SearchSpace) -> None:
    net, x, rng = mixed(space), images(space), random.Random(7)
    a, b = space.sample(rng), space.sample(rng)
    by_a, by_b = used(net, space, a, x), used(net, space, b, x)
    common = set(by_a) & set(by_b)
    assert common and all(by_a[name] is by_b[name] for name in common)
    assert set(by_a) != set(by_b)
    before = {name: w.detach().clone() for name, w in net.named_parameters()}
    optimizer = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9, weight_decay=1e-2)
    optimizer.zero_grad(set_to_none=True)
    net(x, Mix(space.layout.path(a))).square().sum().backward()
    optimizer.step()
    changed = {name for name, w in net.named_parameters() if not torch.equal(w, before[name])}
    assert changed and changed <= set(by_a)


@pytest.mark.slow
def test_the_key_of_a_micro_operation_is_cell_node_side_operation_and_source() -> None:
    net, x, rng = mixed(MICRO_SPACE), images(MICRO_SPACE), random.Random(11)
    for _ in range(5):
        arch = MICRO_SPACE.sample(rng)
        normal, reduction = MICRO_SPACE.cells(arch)
        kept = set()
        for number in range(3):
            cell = reduction if number < 2 else normal
            for node in range(NODES):
                for side in (0, 1):
                    source, operation = cell[4 * node + 2 * side : 4 * node + 2 * side + 2]
                    if operation < 2:
                        kept.add(f"cells.{number}.nodes.{node}.{'xy'[side]}.{source}.{('sep3', 'sep5')[operation]}")
            kept |= {f"cells.{number}.ends.{i}" for i in loose(cell)}
        found = {
            name.rsplit(".", 2)[0] for name in used(net, MICRO_SPACE, arch, x) if ".nodes." in name or "ends" in name
        }
        assert found == kept


def test_skips_of_a_macro_path_reach_further_than_the_last_value() -> None:
    """With all skips on the gradient of the first layer comes over each of them; off, through the chain alone."""
    net, x = mixed(MACRO_SPACE), images(MACRO_SPACE)
    off = MACRO_SPACE.at(0)
    on = Architecture("enas-macro", tuple(int(len(d.options) == 2) for d in MACRO_SPACE.decisions))
    halved = [name for name in used(net, MACRO_SPACE, on, x) if ".halved." in name]
    chain = [name for name in used(net, MACRO_SPACE, off, x) if ".halved." in name]
    assert len(halved) == 2 * (5 + 9)  # every value behind either halving, two convolutions each
    assert len(chain) == 2 * 2  # the last value alone
