"""PC-DARTS: partial channels, the shuffle, weighed edges, the warm-up."""

from __future__ import annotations

import random
from typing import Any

import pytest

import nassim
from nassim.benchmarks.spaces import darts, nasbench201, nasbench_macro
from nassim.errors import InvalidSetting, ProtocolError, Unsupported
from nassim.network import Frame, measure
from nassim.query import Report
from nassim.supernet import Supernets
from nassim.testing import check_strategy

torch = pytest.importorskip("torch")

from nassim.full_training.networks.construct import initialize  # noqa: E402
from nassim.full_training.relaxations import mixtures  # noqa: E402
from nassim.full_training.relaxations.continuous import of_nodes  # noqa: E402
from nassim.full_training.relaxations.mixtures import Mix, small_logits, softmax  # noqa: E402
from nassim.full_training.supernets.mixed import MixedNetwork  # noqa: E402

PC = nassim.get_algorithm("pc_darts").configured(epochs=3, warmup=1, batch_size=16, partial=2, arch_rate=0.1)
SPACE, NODES = nasbench201.SPACE, nasbench201.NODES


def made(space: Any, frame: Frame, partial: int | None) -> Any:
    net = MixedNetwork(space.supernet(frame, partial))
    initialize(net, torch.Generator().manual_seed(1))
    return net.double()


def randn(*shape: int, seed: int = 0) -> Any:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.slow
def test_contract(tiny_supernets: Supernets) -> None:
    check_strategy(PC, supernets=tiny_supernets)


def test_an_edge_is_the_shuffle_of_the_mixture_of_a_part_and_the_rest() -> None:
    """Against the equation written out, on one edge of a cell: the others are `none`."""
    from nassim.benchmarks.spaces.nasbench201_network import mixed_cell
    from nassim.network import Draft

    draft = Draft((8, 6, 6))
    cell: Any = MixedNetwork(draft.network(mixed_cell(draft, "cell", 0, nasbench201.OPERATIONS, 8, 4)))
    initialize(cell, torch.Generator().manual_seed(0))
    cell.double()
    x, weights = randn(3, 8, 6, 6), torch.zeros(6, 5, dtype=torch.float64)
    weights[3] = torch.softmax(randn(5, seed=4), 0)
    edges = torch.tensor([0.0, 0.0, 0.0, 0.3, 0.0, 0.0], dtype=torch.float64)
    found = cell(x, Mix(((0, 1, 2, 3, 4),) * 6, weights, edges=edges))
    part, rest = x[:, :2], x[:, 2:]
    kernels = {k: dict(cell.named_parameters())[f"cell.edges.0-3.nor_conv_{k}x{k}.0.weight"] for k in (1, 3)}
    made = [torch.nn.functional.conv2d(part.relu(), w, padding=k // 2) for k, w in kernels.items()]
    normed = [torch.nn.functional.batch_norm(y, None, None, training=True) for y in made]
    pooled = torch.nn.functional.avg_pool2d(part, 3, 1, 1, count_include_pad=False)
    mixed = sum(w * o for w, o in zip(weights[3], [0 * part, part, *normed, pooled], strict=True))
    joined = torch.cat([mixed, rest], dim=1)
    order = [0, 2, 4, 6, 1, 3, 5, 7]  # four groups of two channels, read across
    torch.testing.assert_close(found, 0.3 * joined[:, order].flatten(1))


@pytest.mark.parametrize(("channels", "groups"), [(8, 4), (12, 3), (16, 2), (4, 1)])
def test_the_shuffle_is_a_permutation_of_the_channels(channels: int, groups: int) -> None:
    from nassim.full_training.networks.construct import _shuffled

    numbered = torch.arange(channels).reshape(1, channels, 1, 1).expand(2, -1, 3, 3)
    for image in _shuffled(numbered, groups):
        assert sorted(image[:, 0, 0].tolist()) == list(range(channels))
        assert (image == image[:, :1, :1]).all()


def test_with_k_1_and_equal_edges_it_is_darts_but_for_the_number_of_inputs() -> None:
    frame = Frame(4, 1, 3, (1, 8, 8))
    plain, whole = made(SPACE, frame, None), made(SPACE, frame, 1)
    assert [n for n, _ in plain.named_parameters()] == [n for n, _ in whole.named_parameters()]
    alpha, x = randn(6, 5, seed=2), randn(5, 1, 8, 8)
    torch.testing.assert_close(whole(x, softmax(alpha)), plain(x, softmax(alpha)))
    edges = of_nodes(torch.zeros(6, dtype=torch.float64), NODES)
    assert edges.tolist() == pytest.approx([1, 1 / 2, 1 / 2, 1 / 3, 1 / 3, 1 / 3])
    scaled = Mix(softmax(alpha).active, softmax(alpha).weights * edges[:, None])
    torch.testing.assert_close(whole(x, softmax(alpha, edges=edges)), plain(x, scaled))


def test_rows_of_beta_sum_to_one_for_every_node() -> None:
    for nodes in (NODES, darts.SPACE.layout.nodes):
        weights = of_nodes(randn(sum(map(len, nodes)), seed=3), nodes)
        assert [float(weights[list(node)].sum()) for node in nodes] == pytest.approx([1.0] * len(nodes))
        assert sorted(i for node in nodes for i in node) == list(range(len(weights)))


def test_parameters_and_multiply_adds_of_options_fall_with_k() -> None:
    frame = Frame(16, 8, 10, (3, 32, 32))
    whole, part = (measure(darts.SPACE.supernet(frame, k)) for k in (None, 4))
    assert part.parameters < 0.45 * whole.parameters and part.macs < 0.4 * whole.macs


def test_strided_edges_pool_what_goes_past() -> None:
    net = made(darts.SPACE, Frame(4, 3, 3, (1, 8, 8)), 4)
    alpha = randn(28, 8, seed=5)
    out = net(randn(4, 1, 8, 8), softmax(alpha, darts.SPACE.layout.widths))
    assert out.shape == (4, 3) and torch.isfinite(out).all()
    pooled = [n for n, m in net.named_modules() if isinstance(m, torch.nn.MaxPool2d) and n.endswith("pooled")]
    assert len(pooled) == 2 * 8  # two reduction cells; each of four nodes has two edges from the inputs


def test_logits_stay_until_the_warm_up_has_ended(tiny_supernets: Supernets, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[Any] = []
    monkeypatch.setattr(mixtures, "small_logits", lambda *a: drawn.append(small_logits(*a)) or drawn[-1])
    search = PC.configured(warmup=2).begin(SPACE, random.Random(0), supernet=tiny_supernets.make(0, "cpu"))
    states = []
    first = [x.detach().clone() for x in map(small_logits, ([5] * 6,), (random.Random(0),))]
    while isinstance(message := search.ask(), Report):
        states.append([x.detach().clone() for x in drawn])
        search.tell([])
    assert torch.equal(states[0][0], first[0])
    assert all(torch.equal(a, b) for a, b in zip(states[0], states[1], strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(states[1], states[2], strict=True))
    assert message is None


@pytest.mark.parametrize("partial", [3, 5, 8])
def test_k_that_does_not_divide_the_channels_is_one_line(tiny_supernets: Supernets, partial: int) -> None:
    search = PC.configured(partial=partial).begin(SPACE, random.Random(0), supernet=tiny_supernets.make(0, "cpu"))
    with pytest.raises(InvalidSetting, match=f"K={partial} does not divide the 2 channels") as raised:
        search.ask()
    assert "\n" not in str(raised.value)


def test_where_there_are_no_partial_channels(tiny_supernets: Supernets) -> None:
    with pytest.raises(Unsupported, match="no partial channels"):
        nasbench_macro.SPACE.supernet(Frame(2, 1, 3, (1, 16, 16)), 2)
    net: Any = tiny_supernets.make(0, "cpu")
    net.schedule(1, 0.1, 0.1, weight_decay=0.0)
    train, _ = next(net.batches(0, 16))
    with pytest.raises(ProtocolError, match="shape"):
        net.loss(softmax(torch.zeros(6, 5), edges=torch.ones(6)), train)
