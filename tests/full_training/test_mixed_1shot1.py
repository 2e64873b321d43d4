"""The supernets of NAS-Bench-1Shot1: paths are the networks of NAS-Bench-101's cells, mixtures and answers."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from nassim.benchmarks.spaces.nasbench1shot1 import PARENTS, SPACES, NASBench1Shot1Space
from nassim.benchmarks.spaces.nasbench101 import space as nasbench101
from nassim.benchmarks.spaces.nasbench101.graph import OPERATIONS, VERTICES, kept_vertices, members
from nassim.benchmarks.spaces.nasbench101.network import stacked
from nassim.errors import InvalidSetting
from nassim.network import Frame
from nassim.space import Architecture

torch = pytest.importorskip("torch")

from nassim.full_training.networks.construct import construct, initialize  # noqa: E402
from nassim.full_training.relaxations.mixtures import Mix, gumbel, softmax  # noqa: E402
from nassim.full_training.supernets.mixed import MixedNetwork  # noqa: E402

FRAME = Frame(6, 2, 3, (1, 8, 8))
ALL = list(SPACES.values())


def made(network: Any) -> Any:
    initialize(network, torch.Generator().manual_seed(1))
    return network.double()


def images(count: int = 6) -> Any:
    return torch.randn(count, *FRAME.image, generator=torch.Generator().manual_seed(2)).double()


def parents_of(space: NASBench1Shot1Space, arch: Architecture) -> dict[int, tuple[int, ...]]:
    """Of each vertex that has a choice, its parents."""
    decided = list(zip(space.decisions, arch.choices, strict=True))[space.blocks :]
    return {int(d.name.split("_")[2]): tuple(map(int, d.options[choice].split("+"))) for d, choice in decided}


def own_network(space: NASBench1Shot1Space, arch: Architecture, net: MixedNetwork) -> Any:
    """The network of NAS-Bench-101 with the shared weights; its normalizations begin at scale 1 and shift 0.

    Of the architecture's own spelling: the canonical one has the same vertices in another order.
    """
    cell = nasbench101.SPACE.to_matrix(space.to_nasbench101(arch))
    own, shared = made(construct(stacked(*cell, FRAME))), dict(net.named_parameters())
    last, k = space.blocks + 1, PARENTS[int(space.name[-1])][-1]
    kept = [v if v < VERTICES - 1 else last for v in members(kept_vertices(space.codes(arch.choices)[0]))]
    joined = parents_of(space, arch)[last]
    taken = 0
    with torch.no_grad():
        for name, parameter in own.named_parameters():
            if parameter.ndim == 1 and name != "head.bias":
                continue

            def renamed(found: re.Match[str]) -> str:
                return f"vertices.{kept[int(found[1])]}."

            wanted = re.sub(r"vertices\.(\d+)\.", renamed, name)
            if ".convolution." in wanted:
                vertex = int(wanted.split("vertices.")[1].split(".")[0])
                wanted = wanted.replace(".convolution.", f".{OPERATIONS[arch.choices[vertex - 1]]}.")
            weight = shared[wanted]
            inputs = parameter.shape[1] if parameter.ndim > 1 else weight.shape[0]
            if parameter.ndim > 1 and weight.shape[1] != inputs:  # it reads a cell: of its blocks those that are joined
                width = inputs // k
                weight = torch.cat([weight[:, (v - 1) * width : v * width] for v in joined], dim=1)
            parameter.copy_(weight)
            taken += 1
    assert taken > 6
    return own.train()


def of_blocks_only(space: NASBench1Shot1Space, count: int) -> list[Architecture]:
    """Architectures whose output takes no input of the cell, in whose networks all blocks are equally wide."""
    rng, found = random.Random(3), list[Architecture]()
    while len(found) < count:
        arch = space.sample(rng)
        if 0 not in parents_of(space, arch)[space.blocks + 1]:
            found.append(arch)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("space", ALL, ids=lambda space: space.name)
def test_a_path_is_the_network_of_its_cell(space: NASBench1Shot1Space) -> None:
    net, x = made(MixedNetwork(space.supernet(FRAME))), images()
    for arch in of_blocks_only(space, 8):
        own = own_network(space, arch, net)
        torch.testing.assert_close(net(x, Mix(space.layout.path(arch))), own(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("space", ALL, ids=lambda space: space.name)
def test_weights_of_one_are_the_path_and_answer_it(space: NASBench1Shot1Space) -> None:
    net, x, layout, rng = made(MixedNetwork(space.supernet(FRAME))), images(), space.layout, random.Random(5)
    everything = tuple(tuple(range(width)) for width in layout.widths)
    for _ in range(4):
        arch = space.sample(rng)
        active = layout.path(arch)
        assert tuple(map(len, active)) == layout.takes
        weights = torch.zeros(len(layout.groups), max(layout.widths), dtype=torch.float64)
        for row, options in zip(weights, active, strict=True):
            row[list(options)] = 1.0
        wanted = net(x, Mix(active))
        torch.testing.assert_close(net(x, Mix(everything, weights)), wanted, rtol=1e-12, atol=1e-12)
        drawn = gumbel(1e4 * weights, 1.0, torch.Generator().manual_seed(0), layout.widths, layout.takes)
        assert drawn.active == active
        torch.testing.assert_close(net(x, drawn), wanted, rtol=1e-12, atol=1e-12)
        assert layout.answer([row[:width] for row, width in zip(weights.tolist(), layout.widths, strict=True)]) == arch


def test_gumbel_draws_as_many_as_are_taken_and_all_logits_get_gradient() -> None:
    logits = torch.zeros(2, 5, dtype=torch.float64, requires_grad=True)
    generator, counts = torch.Generator().manual_seed(0), [0] * 4
    for _ in range(2000):
        drawn = gumbel(logits, 1.0, generator, (4, 5), (2, 1))
        assert len(set(drawn.active[0])) == 2 and drawn.active[0] == tuple(sorted(drawn.active[0]))
        for option in drawn.active[0]:
            counts[option] += 1
    assert max(abs(count - 1000) for count in counts) < 3 * 500**0.5  # a half each: sd sqrt(2000 / 4)
    assert isinstance(drawn.weights, torch.Tensor) and drawn.weights[0].tolist().count(1.0) == 2
    (drawn.weights * torch.arange(10).view(2, 5)).sum().backward()
    assert logits.grad is not None and bool((logits.grad[0, :4] != 0).all()) and float(logits.grad[0, 4]) == 0.0


@pytest.mark.parametrize("space", ALL, ids=lambda space: space.name)
def test_softmax_gives_every_weight_a_gradient(space: NASBench1Shot1Space) -> None:
    net, layout = made(MixedNetwork(space.supernet(FRAME))), space.layout
    alpha = torch.zeros(len(layout.groups), max(layout.widths), dtype=torch.float64, requires_grad=True)
    net(images(), softmax(alpha, layout.widths)).square().sum().backward()
    assert all(w.grad is not None for w in net.parameters())
    assert alpha.grad is not None and bool((alpha.grad.abs().sum(1) > 0).all())


def test_channels_that_do_not_suffice_are_refused() -> None:
    with pytest.raises(InvalidSetting, match="2 channels are too few for 3 parents"):
        SPACES[2].supernet(FRAME._replace(channels=2))
