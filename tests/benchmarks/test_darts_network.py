"""Networks of DARTS' space: published parameters, images that fit, and cells that compute the same."""

from __future__ import annotations

import random

import pytest

from nassim.benchmarks.spaces.darts import SPACE
from nassim.benchmarks.spaces.darts_cells import NODES, OPERATIONS, PAIRS, Cell, relabelled
from nassim.benchmarks.spaces.darts_network import _cell
from nassim.errors import InvalidNetwork, InvalidSetting
from nassim.network import Draft, Frame, measure


@pytest.mark.parametrize(
    ("name", "large", "small", "long"),
    [
        ("DARTS_V2", 3_349_342, 246_106, 710_682),
        ("PC_DARTS_cifar", 3_634_678, 335_738, 788_218),
        ("DrNAS_cifar10", 4_099_294, 360_410, 899_354),
    ],
)
def test_published_networks_have_their_parameters(name: str, large: int, small: int, long: int) -> None:
    """A user's log has 3.349342 MB for DARTS_V2; PC-DARTS says 3.6M, DrNAS 4.1M."""
    arch = SPACE.parse(name)
    for frame, parameters in ((Frame(36, 20, 10), large), (Frame(16, 8, 10), small), (Frame(16, 20, 10), long)):
        found = measure(SPACE.network(arch, frame))
        assert found.parameters == parameters
        assert found.shapes[-3] == (16 * frame.channels, 8, 8)  # before the pooling: four nodes of 4 C channels
    found = measure(SPACE.network(arch, Frame(36, 20, 10, auxiliary=True)))
    assert found.parameters == large and sum(found.layer_parameters) == large + 476_426


@pytest.mark.parametrize(
    ("name", "parameters"), [("DARTS_V2", 3_349_342), ("PC_DARTS_cifar", 3_634_678), ("DrNAS_cifar10", 4_099_294)]
)
def test_published_networks_are_built_with_them(name: str, parameters: int) -> None:
    pytest.importorskip("torch")
    from nassim.full_training.networks.construct import construct

    network = construct(SPACE.network(SPACE.parse(name), Frame(36, 20, 10, auxiliary=True)))
    sizes = {key: p.numel() for key, p in network.named_parameters()}
    assert sum(n for key, n in sizes.items() if not key.startswith("auxiliary")) == parameters
    assert sum(n for key, n in sizes.items() if key.startswith("auxiliary")) == 476_426


def test_extreme_networks() -> None:
    """Own counts of the specification: all skips, all separable convolutions of 5x5, inputs 0 and 1."""
    for operation, parameters in (("skip_connect", 1_580_950), ("sep_conv_5x5", 5_144_086)):
        o = OPERATIONS.index(operation)
        cell: Cell = tuple(((0, o), (1, o)) for _ in NODES)
        assert measure(SPACE.network(SPACE.of_cells(cell, cell), Frame(36, 20, 10))).parameters == parameters


def test_images_that_do_not_fit() -> None:
    arch = SPACE.parse("DARTS_V2")
    with pytest.raises(InvalidSetting, match=r"auxiliary head of darts needs maps of 8x8.*4x4 with images of 16x16"):
        SPACE.network(arch, Frame(4, 8, 10, (1, 16, 16), auxiliary=True))
    with pytest.raises(InvalidNetwork, match=r"cells\.\d.*concat"):
        measure(SPACE.network(arch, Frame(4, 8, 10, (1, 14, 14))))  # 14 -> 7, which is odd


def test_relabelled_cells_compute_the_same() -> None:
    """Up to the order of channels: means of the output, for cells without weights."""
    torch = pytest.importorskip("torch")
    from nassim.full_training.networks.construct import construct

    rng, checked = random.Random(3), 0
    x = torch.randn(1, 2, 6, 6, generator=torch.Generator().manual_seed(0))
    for _ in range(60):
        wiring = [rng.choice(PAIRS[node]) for node in NODES]
        cell: Cell = tuple(((a, rng.randrange(3)), (b, rng.randrange(3))) for a, b in wiring)
        twin = relabelled(cell)
        outputs = []
        for one in (cell, twin):
            draft = Draft((2, 6, 6))
            shifted = draft.add("second", "activation", 0, function="tanh")
            module = construct(draft.network(_cell(draft, "cell", (0, shifted), one, 2, 1))).eval()
            outputs.append(sorted(round(float(v), 5) for v in module(x).view(4, -1).sum(dim=1)))
        assert outputs[0] == pytest.approx(outputs[1], abs=1e-4)
        checked += cell != twin
    assert checked > 20
