"""Supernets of any space: a path is the network of its architecture, in float64 to rounding; what is shared."""

from __future__ import annotations

import random
from typing import Any

import pytest

from nassim.benchmarks.spaces import darts, nasbench201, nasbench201_3ops, nasbench_macro
from nassim.benchmarks.spaces.darts_cells import CELLS, EDGES, NODES, OPERATIONS
from nassim.benchmarks.spaces.darts_supernet import SUBSPACES, DartsLayout, supernet
from nassim.errors import InvalidArchitecture, Unsupported
from nassim.layout import Layout
from nassim.network import Frame, measure
from nassim.registry import get_space
from nassim.space import Architecture, SearchSpace

torch = pytest.importorskip("torch")

from nassim.full_training.networks.construct import construct, initialize  # noqa: E402
from nassim.full_training.relaxations.mixtures import Mix, gumbel, shares, softmax  # noqa: E402
from nassim.full_training.supernets.mixed import MixedNetwork  # noqa: E402

SPACES = [nasbench201.SPACE, nasbench201_3ops.SPACE, darts.SPACE, nasbench_macro.SPACE]
FRAMES = {
    "nasbench201": Frame(2, 1, 3, (1, 8, 8)),
    "nasbench201_3ops": Frame(2, 1, 3, (1, 8, 8)),
    "darts": Frame(2, 4, 3, (1, 8, 8)),
    "nasbench_macro": Frame(2, 1, 3, (1, 16, 16)),
}


def made(network: Any) -> Any:
    initialize(network, torch.Generator().manual_seed(1))
    return network.double()


def mixed(space: SearchSpace) -> MixedNetwork:
    return made(MixedNetwork(space.supernet(FRAMES[space.name])))  # type: ignore[no-any-return]


def images(space: SearchSpace, count: int = 6) -> Any:
    return torch.randn(count, *FRAMES[space.name].image, generator=torch.Generator().manual_seed(2)).double()


def shared_name(space: SearchSpace, arch: Architecture, name: str) -> str:
    """The supernet's name of a layer of an architecture's own network."""
    if space.name.startswith("nasbench201"):
        head, inside, rest = name.partition(".edges.")
        if not inside:
            return name
        edge, _, place = rest.partition(".")
        choice = dict(zip(space.layout.groups, arch.choices, strict=True))
        group = next(g for g in choice if g.name == edge.replace("-", "->"))
        return f"{head}.edges.{edge}.{group.options[choice[group]]}.{int(place) - 1}"  # the supernet shares the ReLU
    if space.name == "darts":
        head, inside, rest = name.partition(".nodes.")
        if not inside:
            return name
        node, side, place = rest.split(".", 2)
        reduces = int(head.split(".")[1]) in (FRAMES["darts"].cells // 3, 2 * FRAMES["darts"].cells // 3)
        state, operation = darts.SPACE.cells(arch)[reduces][NODES.index(int(node))][int(side)]
        return f"{head}.edges.{state}-{node}.{OPERATIONS[operation]}.{place}"
    head, inside, rest = name.partition("layers.")
    if not inside:
        return name
    layer, _, place = rest.partition(".")
    return f"layers.{layer}.{nasbench_macro.OPERATIONS[arch.choices[int(layer)]]}.{place}"


def own_network(space: SearchSpace, arch: Architecture, net: MixedNetwork) -> Any:
    """The architecture's own network with the shared weights; its other normalizations begin at scale 1, shift 0."""
    own = made(construct(space.network(arch, FRAMES[space.name])))
    shared = dict(net.named_parameters())
    taken = 0
    with torch.no_grad():
        for name, parameter in own.named_parameters():
            layer, _, kind = name.rpartition(".")
            wanted = f"{shared_name(space, arch, layer)}.{kind}"
            if wanted in shared:
                parameter.copy_(shared[wanted])
                taken += 1
            else:
                assert parameter.ndim == 1, name
    assert taken > 3
    return own.train()


@pytest.mark.slow
@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_a_path_is_the_network_of_its_architecture(space: SearchSpace) -> None:
    net, x, rng = mixed(space), images(space), random.Random(3)
    archs = [space.sample(rng) for _ in range(6)]
    if space.name == "darts":  # poolings are normalized in the supernet alone
        archs = [
            Architecture("darts", tuple(3 if d.options == OPERATIONS and c < 2 else c for d, c in both))
            for both in (list(zip(space.decisions, arch.choices, strict=True)) for arch in archs)
        ]
    for arch in archs:
        own = own_network(space, arch, net)
        torch.testing.assert_close(net(x, Mix(space.layout.path(arch))), own(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_one_hot_weights_are_the_path(space: SearchSpace) -> None:
    net, x, layout = mixed(space), images(space), space.layout
    arch = space.sample(random.Random(5))
    active = layout.path(arch)
    weights = torch.zeros(len(layout.groups), max(layout.widths), dtype=torch.float64)
    for row, options in zip(weights, active, strict=True):
        row[list(options)] = 1.0
    everything = tuple(tuple(range(width)) for width in layout.widths)
    wanted = net(x, Mix(active))
    torch.testing.assert_close(net(x, Mix(everything, weights)), wanted, rtol=1e-12, atol=1e-12)
    an_image = [row.expand(len(x), -1) for row in weights]
    torch.testing.assert_close(net(x, Mix(everything, an_image)), wanted, rtol=1e-12, atol=1e-12)
    drawn = gumbel(1e4 * weights, 1.0, torch.Generator().manual_seed(0), layout.widths)
    torch.testing.assert_close(net(x, drawn), wanted, rtol=1e-12, atol=1e-12)


def test_different_images_may_take_different_ways() -> None:
    space = nasbench201.SPACE
    net, x = mixed(space), images(space)
    rows = torch.zeros(6, len(x), 5, dtype=torch.float64)
    rows[:, :3, 1] = rows[:, 3:, 4] = 1.0  # some skip, some pool: no batch moments between them in the cells
    out = net(x, Mix(((0, 1, 2, 3, 4),) * 6, list(rows)))
    other = net(x, Mix(((0, 1, 2, 3, 4),) * 6, list(rows.flip(1))))
    assert not torch.allclose(out, other)


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_the_answer_to_a_path_is_its_architecture(space: SearchSpace) -> None:
    rng, layout = random.Random(7), space.layout
    for _ in range(50):
        arch = space.sample(rng)
        rows = [
            [1.0 if i in options else 0.1 * rng.random() for i in range(width)]
            for options, width in zip(layout.path(arch), layout.widths, strict=True)
        ]
        assert layout.answer(rows) == arch


@pytest.mark.slow
@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_softmax_gives_every_weight_a_gradient(space: SearchSpace) -> None:
    net, x, layout = mixed(space), images(space), space.layout
    alpha = torch.zeros(len(layout.groups), max(layout.widths), dtype=torch.float64, requires_grad=True)
    net(x, softmax(alpha, layout.widths)).square().sum().backward()
    assert all(w.grad is not None for w in net.parameters())
    assert alpha.grad is not None and bool((alpha.grad.abs().sum(1) > 0).all())
    assert [len(row) for row in shares(alpha, layout.widths)] == list(layout.widths)


# -- DARTS' layout -------------------------------------------------------------------------------------


def test_supernets_of_darts_have_the_parameters_of_the_authors_logs() -> None:
    published = {"S1": 405_146, "S2": 665_466, "S3": 665_466, "S4": 624_506, "S5": 1_930_618}
    hundred = {"S1": 428_276, "S2": 688_596, "S3": 688_596, "S4": 647_636}
    for name, count in published.items():
        assert measure(supernet(SUBSPACES[name], Frame(16, 8, 10))).parameters == count
    for name, count in hundred.items():
        assert measure(supernet(SUBSPACES[name], Frame(16, 8, 100))).parameters == count
    assert measure(darts.SPACE.supernet(Frame(16, 8, 10))).parameters == 1_930_618


def brute_force(rows: dict[tuple[str, int, int], dict[str, float]], cell: str, node: int) -> set[tuple[int, str]]:
    """The two edges of a node with the largest weight of an operation other than none, and that operation."""
    best = {}
    for state in range(node):
        options = {name: w for name, w in rows[cell, state, node].items() if name != "none"}
        name = max(options, key=lambda n: options[n])
        best[state] = (options[name], name)
    kept = sorted(best, key=lambda state: -best[state][0])[:2]
    return {(state, best[state][1]) for state in kept}


@pytest.mark.parametrize("seed", range(5))
def test_darts_keeps_the_two_best_edges_of_a_node_and_never_none(seed: int) -> None:
    rng, layout = random.Random(seed), darts.SPACE.layout
    weights = [[rng.random() for _ in range(8)] for _ in layout.groups]
    for row in weights[::3]:
        row[0] = 9.0  # none is the largest
    rows = {}
    for (cell, (source, node)), row in zip(((c, e) for c in CELLS for e in EDGES), weights, strict=True):
        rows[cell, source, node] = dict(zip(("none", *OPERATIONS), row, strict=True))
    answer = darts.SPACE.cells(layout.answer(weights))
    for cell, nodes in zip(CELLS, answer, strict=True):
        for node, terms in zip(NODES, nodes, strict=True):
            assert {(s, OPERATIONS[o]) for s, o in terms} == brute_force(rows, cell, node)


def test_subspaces_have_paths_and_answers_of_their_own() -> None:
    layout = DartsLayout(darts.SPACE, SUBSPACES["S2"])
    arch = layout.answer([[0.2, 0.8]] * 28)
    assert set(layout.path(arch)) == {(1,), ()}
    net = made(MixedNetwork(supernet(SUBSPACES["S2"], FRAMES["darts"])))
    assert net(images(darts.SPACE), Mix(layout.path(arch))).shape == (6, 3)
    with pytest.raises(InvalidArchitecture, match="max_pool_3x3 on 0->2 is not in this supernet"):
        layout.path(darts.SPACE.at(0))


def test_noise_ignores_its_input_and_gives_no_gradient() -> None:
    net = made(MixedNetwork(supernet(SUBSPACES["S4"], FRAMES["darts"])))
    x = images(darts.SPACE).requires_grad_()
    for module in net.modules():
        if hasattr(module, "generator"):
            module.generator = torch.Generator().manual_seed(0)
    out = net(x, Mix(((0,),) * 28))  # all noise
    assert out.requires_grad  # of the head
    assert torch.autograd.grad(out.sum(), x, allow_unused=True)[0] is None


def test_a_space_without_a_supernet_says_so() -> None:
    with pytest.raises(Unsupported, match="nasbench101 has no supernet"):
        get_space("nasbench101").supernet(Frame(2, 1, 3))
    assert Layout(nasbench201.SPACE).widths == (5,) * 6
