"""The kernel densities of BOHB, in the form that is a density and in the form of the code."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest

import nassim
from nassim.algorithms.parts.kde import Density, GoodAndBad
from nassim.query import Query, Result, Trial

NB201 = nassim.get_space("nasbench201")
RADICES = np.array(NB201.radices, dtype=np.intp)
CELLS = NB201.choice_matrix.astype(np.intp)


def rows_of(count: int, seed: int = 0, levels: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).integers(levels, size=(count, 6)).astype(np.intp)


def seen(form: str, count: int, *, samples: int = 64, epochs: int = 12, seed: int = 0) -> GoodAndBad:
    """A model of ``count`` random cells, whose value is the share of 3 x 3 convolutions."""
    rng = random.Random(seed)
    model = GoodAndBad(NB201, rng, form, samples, 0.001)  # type: ignore[arg-type]
    for _ in range(count):
        arch = NB201.sample(rng)
        value = arch.choices.count(3) / 6
        model.observe(Trial(Query(arch, epochs), Result(value, epochs, 1.0, {}), 0.0, 1.0, 0))
    return model


@pytest.mark.parametrize("count", [7, 20, 200])
def test_a_categorical_density_sums_to_one_over_all_cells(count: int) -> None:
    density = Density(rows_of(count), RADICES, "categorical", 0.001)
    found = density(CELLS)
    assert found.min() > 0
    assert found.sum() == pytest.approx(1.0, abs=1e-9)


def test_it_is_the_mean_of_products_of_kernels() -> None:
    rows = rows_of(9, seed=3)
    density = Density(rows, RADICES, "categorical", 0.001)
    for point in CELLS[::1117]:
        expected = np.mean(
            [
                math.prod(1 - h if a == b else h / 4 for a, b, h in zip(point, row, density.bandwidths, strict=True))
                for row in rows
            ]
        )
        assert density(point[None])[0] == pytest.approx(expected)


def test_the_bandwidth_is_the_normal_reference_of_a_spread_without_numbers() -> None:
    rows = np.array([[0, 0, 4, 4, 1, 0]] * 4 + [[0, 1, 0, 4, 2, 0]] * 3, dtype=np.intp)
    density = Density(rows, RADICES, "categorical", 0.001)
    scale = 1.06 * 7 ** (-1 / 10)
    mixed = scale * math.sqrt(1 - (4 / 7) ** 2 - (3 / 7) ** 2)
    assert density.bandwidths == pytest.approx([0.001, mixed, mixed, 0.001, mixed, 0.001])
    wide = Density(rows_of(7), RADICES, "categorical", 5.0)
    assert wide.bandwidths == pytest.approx([0.8] * 6)  # (c - 1) / c


def test_at_the_widest_bandwidth_the_density_is_flat() -> None:
    density = Density(rows_of(7), RADICES, "categorical", 0.8)
    assert density(CELLS) == pytest.approx(np.full(5**6, 5.0**-6))


def test_proposals_of_bandwidth_one_are_uniform() -> None:
    density = Density(rows_of(3), RADICES, "hpbandster", 1.0)
    density.bandwidths[:] = 1.0
    drawn = density.draw(20_000, RADICES, np.random.default_rng(0))
    for column in drawn.T:
        counts = np.bincount(column, minlength=5)
        assert ((counts - 4000) ** 2 / 4000).sum() < 18.5  # chi-square, 4 degrees of freedom, p = 0.001


def test_proposals_keep_a_choice_with_probability_one_minus_h() -> None:
    density = Density(np.zeros((1, 6), dtype=np.intp), RADICES, "categorical", 0.4)
    drawn = density.draw(20_000, RADICES, np.random.default_rng(0))
    assert (drawn == 0).mean(axis=0) == pytest.approx([0.6 + 0.4 / 5] * 6, abs=0.015)
    never = Density(np.zeros((1, 6), dtype=np.intp), RADICES, "categorical", 0.0)
    assert not never.draw(100, RADICES, np.random.default_rng(0)).any()


def test_renaming_options_changes_nothing_in_the_categorical_form() -> None:
    """The law of proposals follows from rows, bandwidths and the two densities; the numbers count in hpbandster's."""
    rng = np.random.default_rng(5)
    rows = rows_of(14, seed=2)
    new = np.stack([rng.permutation(5) for _ in range(6)])  # of each decision: the new number of an option

    def renamed(points: np.ndarray) -> np.ndarray:
        return np.stack([new[j][points[:, j]] for j in range(6)], axis=1)

    before, after = (Density(r, RADICES, "categorical", 0.001) for r in (rows, renamed(rows)))
    assert after.bandwidths == pytest.approx(before.bandwidths)
    assert after(renamed(CELLS)) == pytest.approx(before(CELLS))
    before, after = (Density(r, RADICES, "hpbandster", 0.001) for r in (rows, renamed(rows)))
    assert np.abs(after.bandwidths - before.bandwidths).max() > 0.05
    assert np.abs(after(renamed(CELLS)) - before(CELLS)).max() > 1e-6


def test_hpbandsters_bandwidth_passes_one() -> None:
    """Five equally frequent options, n = 7: 1.06 * sqrt(2) * 7^(-1/10)."""
    rows = np.tile(np.arange(5, dtype=np.intp), 7)[:35].reshape(5, 7).T  # each option once in five rows
    rows = np.column_stack([rows[:, j % 5] for j in range(6)])
    density = Density(np.concatenate([rows, rows])[:10], RADICES, "hpbandster", 0.001)
    exact = 1.06 * np.concatenate([rows, rows])[:10].std(axis=0) * 10 ** (-1 / 10)
    assert density.bandwidths == pytest.approx(exact)
    assert 1.06 * math.sqrt(2) * 7 ** (-1 / 10) == pytest.approx(1.23, abs=0.005)
    assert density.bandwidths.max() > 1
    assert density(CELLS).min() < 0  # which no density is


def test_an_option_that_no_bad_cell_has_is_taken_at_once_by_hpbandster() -> None:
    """Two levels less than all, and a constant decision: h / (c - 1) is h / 0."""
    constant = Density(np.zeros((7, 6), dtype=np.intp), RADICES, "hpbandster", 0.3)
    there, elsewhere = constant(np.array([[0] * 6, [1, 0, 0, 0, 0, 0]], dtype=np.intp))
    assert there == pytest.approx(0.7**6) and elsewhere == math.inf


@pytest.mark.parametrize("form", ["categorical", "hpbandster"])
def test_the_first_model_is_at_twice_one_more_than_the_decisions(form: str) -> None:
    assert not seen(form, 13).ready
    assert seen(form, 14).ready
    good, bad = seen(form, 14).densities()
    assert len(good.rows) == len(bad.rows) == 7
    good, bad = seen(form, 100).densities()
    assert (len(good.rows), len(bad.rows)) == (15, 85)
    share = [(rows == 3).mean() for rows in (good.rows, bad.rows)]
    assert share[0] > share[1] + 0.2


def test_the_model_is_that_of_the_most_epochs_with_enough_results() -> None:
    model = seen("categorical", 50, epochs=12)
    best = NB201.parse("333333")
    for _ in range(13):
        model.observe(Trial(Query(best, 200), Result(0.9, 200, 1.0, {}), 0.0, 1.0, 0))
    assert len(model.densities()[0].rows) == 7 and model.densities()[1].rows.shape[0] == 42
    model.observe(Trial(Query(best, 200), Result(0.9, 200, 1.0, {}), 0.0, 1.0, 0))
    assert (model.densities()[0].rows == 3).all()


def test_proposals_lean_towards_the_good() -> None:
    model = seen("categorical", 60)
    proposed = [model.propose() for _ in range(60)]
    assert all(NB201.is_valid(arch) for arch in proposed)
    assert np.mean([arch.choices.count(3) for arch in proposed]) > 2.5  # 1.2 by chance


def test_hpbandsters_kernels_can_turn_away_from_the_good() -> None:
    """Where h is above 1, being equal to a good cell counts against a candidate: why it is not the default."""
    model = seen("hpbandster", 60)
    assert (model.densities()[0].bandwidths > 1).any()
    proposed = [model.propose() for _ in range(60)]
    assert np.mean([arch.choices.count(3) for arch in proposed]) < 1.2


def test_a_proposal_is_the_candidate_of_the_highest_ratio() -> None:
    model, again = seen("categorical", 60, samples=9), seen("categorical", 60, samples=9)
    good, bad = again.densities()
    generator = np.random.default_rng(again._rng.getrandbits(128))
    for _ in range(20):
        points = good.draw(9, RADICES, generator)
        ratio = good(points) / bad(points)
        assert model.propose().choices == tuple(points[ratio.argmax()])


def test_candidates_that_are_no_architectures_are_passed_over() -> None:
    space = nassim.get_space("nasbench101")
    rng = random.Random(0)
    model = GoodAndBad(space, rng, "categorical", 64, 0.001)
    for number in range(2 * (len(space.radices) + 1)):
        arch = space.sample(rng)
        model.observe(Trial(Query(arch, 4), Result(number / 100, 4, 1.0, {}), 0.0, 1.0, 0))
    assert model.ready
    assert all(space.is_valid(model.propose()) for _ in range(30))


def test_a_decision_with_one_option_stays() -> None:
    radices = np.array([1, 3], dtype=np.intp)
    density = Density(np.array([[0, 0], [0, 1], [0, 2]], dtype=np.intp), radices, "categorical", 0.1)
    cells = np.array(list(itertools.product(range(1), range(3))), dtype=np.intp)
    assert density(cells).sum() == pytest.approx(1.0)
    assert not density.draw(50, radices, np.random.default_rng(0))[:, 0].any()
