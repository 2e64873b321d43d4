"""The spaces of Genetic CNN: counts, strings, classes, moves and networks."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from nassim.benchmarks.spaces.genetic_cnn import CIFAR, SPACE, GeneticCNNSpace, canonical_stage, pairs
from nassim.errors import InvalidArchitecture, InvalidNetwork, InvalidSetting
from nassim.network import Frame, measure
from nassim.plots import cell_figure
from nassim.space import Architecture


def all_bits(nodes: int) -> list[tuple[int, ...]]:
    count = len(pairs(nodes))
    return [tuple(number >> i & 1 for i in range(count)) for number in range(1 << count)]


@pytest.mark.parametrize(("nodes", "strings", "classes"), [(3, 8, 6), (4, 64, 31), (5, 1024, 302)])
def test_classes_of_a_stage(nodes: int, strings: int, classes: int) -> None:
    bits = all_bits(nodes)
    assert len(bits) == strings
    keys = {each: canonical_stage(each, nodes) for each in bits}
    assert len(set(keys.values())) == classes
    assert all(canonical_stage(key, nodes) == key for key in keys.values())
    # Equal keys have equal degrees: an invariant that no relabelling changes.
    degrees = {}
    for each, key in keys.items():
        edges = [pair for pair, bit in zip(pairs(nodes), each, strict=True) if bit]
        sources, targets = Counter(a for a, _ in edges), Counter(b for _, b in edges)
        found = Counter((sources[n], targets[n]) for n in range(1, nodes + 1))
        assert degrees.setdefault(key, found) == found


def test_counts() -> None:
    assert (SPACE.size, CIFAR.size) == (8_192, 524_288)
    assert len({SPACE.canonical(arch) for arch in SPACE.architectures()}) == 6 * 302 == 1_812
    assert 6 * 31 * 302 == 56_172  # of the larger space, whose stages are independent


def test_strings() -> None:
    arch = SPACE.parse("1-01|0-01-100-0010")
    assert arch == SPACE.parse("genetic_cnn:1-01|0-01-100-0010") == SPACE.parse("1010011000010")
    assert arch.choices == (1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0)
    assert SPACE.format(arch) == "1-01|0-01-100-0010"
    for text in ("1-01", "1-01|0-01-100-001", "1-02|0-01-100-0010", "1-01|0-01-100-0010|1", "|" * 5000):
        with pytest.raises(InvalidArchitecture) as caught:
            SPACE.parse(text)
        assert len(str(caught.value)) < 700


def test_the_networks_of_a_stage_are_those_of_the_paper() -> None:
    """Convolutions are counted: in, out and the connected nodes; sums where several feed."""

    def convolutions(text: str) -> tuple[int, int]:
        network = SPACE.network(SPACE.parse(text), Frame(4, 1, 10, (1, 16, 16)))
        names = [layer for layer in network.layers if layer.name.startswith("stages.1")]
        return sum(x.kind == "conv" for x in names), sum(x.kind == "add" for x in names)

    assert convolutions("0-00|0-00-000-0000") == (1, 0)  # no connections: one convolution
    assert convolutions("0-00|1-00-000-0000") == (4, 0)  # in, two nodes, out; three lone nodes are left out
    assert convolutions("0-00|1-01-001-0001") == (7, 0)  # a chain
    assert convolutions("0-00|1-10-100-1000") == (7, 1)  # one node feeds four, which meet at the end
    assert convolutions("0-00|0-11-000-0000") == (5, 1)  # two nodes feed one
    everything = SPACE.parse("1-11|1-11-111-1111")
    m = measure(SPACE.network(everything, SPACE.frame))
    first = 25 * 20 * (1 + 4 * 20) + 2 * 20 * 5  # in, three nodes and out, from one channel
    second = 25 * 50 * (20 + 6 * 50) + 2 * 50 * 7
    assert m.parameters == first + second + 500 * (49 * 50 + 1) + 10 * 501


@pytest.mark.parametrize("image", [(1, 16, 16), (16, 8, 8)])
def test_small_images(image: tuple[int, int, int]) -> None:
    for space in (SPACE, GeneticCNNSpace(kernel=3), GeneticCNNSpace(normalized=False)):
        m = measure(space.network(space.at(8191), Frame(4, 1, 10, image)))
        assert m.shapes[-1] == (10, 1, 1)
    with pytest.raises(InvalidNetwork, match=r"stages\.1\.pool.*nothing is left of maps of 1x1"):
        measure(SPACE.network(SPACE.at(0), Frame(4, 1, 10, (1, 2, 2))))


def test_without_normalization_convolutions_have_a_bias() -> None:
    plain, frame = GeneticCNNSpace(normalized=False), Frame(4, 1, 10, (1, 16, 16))
    network = plain.network(plain.at(0), frame)
    assert not any(layer.kind == "batch_norm" for layer in network.layers)
    normalized = measure(SPACE.network(SPACE.at(0), frame)).parameters
    assert measure(network).parameters == normalized - (4 + 10)  # a shift without a scale


def test_equal_classes_have_equal_networks_in_size() -> None:
    rng = random.Random(0)
    for space in (SPACE, CIFAR):
        for arch in [space.sample(rng) for _ in range(100)]:
            a, b = (measure(space.network(x, space.frame)) for x in (arch, space.canonical(arch)))
            assert (a.parameters, a.macs, a.memory) == (b.parameters, b.macs, b.memory)


@pytest.mark.slow
def test_equal_classes_compute_the_same() -> None:
    """With every weight the same number, only the wiring is left."""
    torch = pytest.importorskip("torch")
    from nassim.full_training.networks.construct import construct, initialize

    space, rng = GeneticCNNSpace(normalized=False, kernel=1), random.Random(1)
    images = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)

    def answer(arch: Architecture) -> object:
        module = construct(space.network(arch, Frame(1, 1, 2, (1, 8, 8))))
        initialize(module, torch.Generator().manual_seed(0))
        module = module.double()
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.fill_(0.3)
            return module(images)

    different = 0
    for arch in [space.sample(rng) for _ in range(12)]:
        twin = space.canonical(arch)
        different += arch != twin
        torch.testing.assert_close(answer(arch), answer(twin))
    assert different > 3


def test_published_mutation_and_crossover() -> None:
    rng = random.Random(2)
    flips = [
        sum(a != b for a, b in zip(SPACE.mutate(arch, rng).choices, arch.choices, strict=True))
        for arch in (SPACE.sample(rng) for _ in range(5000))
    ]
    assert sum(flips) / (5000 * 13) == pytest.approx(0.1, abs=0.005)
    zeros, ones = SPACE.at(0), SPACE.at(8191)
    children = Counter(SPACE.crossover(zeros, ones, rng).choices for _ in range(5000))
    assert set(children) == {(a,) * 3 + (b,) * 10 for a in (0, 1) for b in (0, 1)}
    assert children[(1,) * 3 + (0,) * 10] / 5000 == pytest.approx(0.3 * 0.7, abs=0.02)
    assert len(SPACE.neighbors(zeros)) == 13 and len(CIFAR.neighbors(CIFAR.at(0))) == 19


def test_settings_that_cannot_be() -> None:
    for wrong in ({"nodes": (1, 5)}, {"nodes": (3,)}, {"flip": 1.5}, {"swap": -0.1}):
        with pytest.raises(InvalidSetting, match="genetic_cnn"):
            GeneticCNNSpace(**wrong)  # type: ignore[arg-type]
    with pytest.raises(InvalidSetting, match="algebraic"):
        SPACE.canonical(SPACE.at(0), "algebraic")


def test_graph_and_drawing() -> None:
    graph = SPACE.graph(SPACE.parse("1-01|0-01-100-0000"))
    first, second = ["1 in", "1.1", "1.2", "1.3", "1 out"], ["2 in", "2.1", "2.2", "2.3", "2.4", "2 out"]
    assert list(graph.nodes) == ["image", *first, *second, "output"]
    named = {(graph.nodes[a], graph.nodes[b]) for a, b, _ in graph.edges}
    assert {("1 in", "1.1"), ("1.1", "1.2"), ("1.2", "1.3"), ("1.3", "1 out")} <= named
    assert {("2 in", "2.1"), ("2 in", "2.2"), ("2.2", "2.3"), ("2.1", "2.4"), ("2.4", "2 out")} <= named
    assert len(graph.edges) == 13
    assert SPACE.graph(SPACE.at(0)).nodes == ("image", "1 in", "2 in", "output")
    assert cell_figure(SPACE, SPACE.at(77)) is not None
