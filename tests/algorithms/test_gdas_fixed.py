"""GDAS with a fixed reduction cell."""

from __future__ import annotations

import random
from typing import Any

import pytest

import nassim
from nassim.benchmarks.spaces import darts, nasbench201
from nassim.errors import InvalidArchitecture, InvalidSetting
from nassim.network import Frame
from nassim.supernet import Supernets

torch = pytest.importorskip("torch")

from nassim.full_training.networks.construct import initialize  # noqa: E402
from nassim.full_training.relaxations.fixed import fixed, known_cell  # noqa: E402
from nassim.full_training.relaxations.mixtures import Mix, gumbel, shares, small_logits  # noqa: E402
from nassim.full_training.supernets.mixed import MixedNetwork  # noqa: E402

LAYOUT = darts.SPACE.layout


def test_the_reduction_cell_is_the_known_one_whatever_is_drawn() -> None:
    known, rng = known_cell(LAYOUT, "DARTS_V2"), random.Random(0)
    assert sorted(known) == list(range(14, 28))
    scores = [known.get(i, row) for i, row in enumerate(shares(small_logits(LAYOUT.widths, rng), LAYOUT.widths))]
    answer, wanted = LAYOUT.answer(scores), darts.SPACE.parse("DARTS_V2")
    assert darts.SPACE.cells(answer)[1] == darts.SPACE.cells(wanted)[1]
    assert darts.SPACE.cells(answer)[0] != darts.SPACE.cells(wanted)[0]


def test_a_drawn_mix_runs_it_and_its_logits_get_no_gradient() -> None:
    net: Any = MixedNetwork(darts.SPACE.supernet(Frame(4, 3, 3, (1, 8, 8))))
    initialize(net, torch.Generator().manual_seed(0))
    net.double()
    A = torch.zeros(28, 8, dtype=torch.float64, requires_grad=True)
    mix = fixed(gumbel(A, 1.0, torch.Generator().manual_seed(1), LAYOUT.widths), known_cell(LAYOUT, "DARTS_V2"))
    x = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    path = LAYOUT.path(darts.SPACE.parse("DARTS_V2"))
    alone = Mix((*mix.active[:14], *path[14:]))
    torch.testing.assert_close(net(x, mix), net(x, alone), rtol=1e-12, atol=1e-12)
    (gradient,) = torch.autograd.grad(net(x, mix).square().sum(), [A])
    assert (gradient[14:] == 0).all() and (gradient[:14] != 0).any()


def test_without_one_nothing_changes() -> None:
    mix = gumbel(torch.zeros(6, 5), 1.0, torch.Generator().manual_seed(1))
    assert fixed(mix, known_cell(nasbench201.SPACE.layout, "")) is mix


def test_where_there_is_no_reduction_cell_is_one_line(tiny_supernets: Supernets) -> None:
    gdas = nassim.get_algorithm("gdas").configured(reduction_cell="DARTS_V2")
    search = gdas.begin(nasbench201.SPACE, random.Random(0), supernet=tiny_supernets.make(0, "cpu"))
    with pytest.raises(InvalidSetting, match="no reduction cell that is searched") as raised:
        search.ask()
    assert "\n" not in str(raised.value)
    with pytest.raises(InvalidArchitecture):
        known_cell(LAYOUT, "nonsense")
