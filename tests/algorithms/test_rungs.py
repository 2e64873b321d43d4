"""Rungs and brackets: which epochs, how many trainings, who goes on."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

import nassim
from nassim.algorithms.parts.brackets import Bracket, halving, hyperband_brackets
from nassim.algorithms.parts.rungs import Rung, falling, ladder, recorded, rising
from nassim.errors import InvalidSetting, Unsupported
from nassim.query import Query, Result, Trial
from nassim.testing.problems import Answers

FEWER = ("successive_halving", "hyperband", "asha", "bohb")
NB201 = (12, 200)
CURVE = tuple(range(1, 201))


def trial(value: float, number: int = 0, epochs: int = 1) -> Trial:
    arch = nassim.get_space("toy").at(number)
    return Trial(Query(arch, epochs), Result(value, epochs, 1.0, {}), 0.0, 1.0, 0)


@pytest.mark.parametrize(
    ("there", "eta", "wanted"),
    [
        ((1, 3, 9), 3, [1, 3, 9]),
        ((1, 2, 3, 4), 3, [1, 3, 4]),
        ((1, 2, 3, 4), 2, [1, 2, 4]),
        (NB201, 3, [12, 12, 200, 200]),  # 12, 36, 108, 200
        ((4, 12, 36, 108), 3, [4, 12, 36, 108]),
        (CURVE, 3, [1, 3, 9, 27, 81, 200]),
    ],
)
def test_rungs_are_the_recorded_epochs_nearest_to_r_times_eta_to_the_k(
    there: tuple[int, ...], eta: int, wanted: list[int]
) -> None:
    assert rising(there, eta) == wanted


@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        ((1, 3, 9), [1, 3, 9]),
        ((1, 2, 3, 4), [1, 4]),  # 4 / 3 is nearest to 1
        (NB201, [12, 12, 200]),  # 22.2, 66.7
        (tuple(range(1, 13)), [1, 4, 12]),  # NATS-Bench's 1.33, 4, 12
        (CURVE, [2, 7, 22, 67, 200]),
    ],
)
def test_hyperbands_rungs_count_down_from_a_full_training(there: tuple[int, ...], wanted: list[int]) -> None:
    assert falling("test", there, 3) == wanted


@pytest.mark.parametrize("eta", [2, 3, 4, 5])
def test_every_rung_is_the_nearest_recorded_one(eta: int) -> None:
    rng = random.Random(eta)
    for _ in range(200):
        there = sorted(rng.sample(range(1, 300), rng.randint(2, 12)))
        if there[0] * eta > there[-1]:
            continue
        found = falling("test", there, eta)
        for place, epochs in enumerate(reversed(found)):
            target = Fraction(there[-1], eta**place)
            assert abs(epochs - target) == min(abs(e - target) for e in there)
        assert Fraction(there[-1], eta ** (len(found) - 1)) >= there[0] > Fraction(there[-1], eta ** len(found))
        assert len(set(found)) > 1


def test_the_number_of_rungs_is_counted_in_whole_numbers() -> None:
    """floor(log(243) / log(3)) is 4 in floating point."""
    assert len(falling("test", range(1, 244), 3)) == 6


def test_rungs_that_fall_together_are_one_that_decides_for_both() -> None:
    assert [(rung.epochs, rung.factor) for rung in ladder([12, 12, 200, 200], 3)] == [(12, 9), (200, 9)]
    assert [(rung.epochs, rung.factor) for rung in ladder([1, 3, 9], 3)] == [(1, 3), (3, 3), (9, 3)]
    assert halving([12, 12, 200], 9, 3) == [(12, 9), (200, 1)]
    assert halving([12, 12, 200], 27, 3) == [(12, 27), (200, 3)]


@pytest.mark.parametrize(
    ("rungs", "sizes", "expected"),
    [
        (3, "paper", [9, 5, 3]),
        (3, "hpbandster", [9, 3, 3]),
        (5, "paper", [81, 34, 15, 8, 5]),
        (5, "hpbandster", [81, 27, 9, 6, 5]),
    ],
)
def test_bracket_tables(rungs: int, sizes: str, expected: list[int]) -> None:
    wanted = [3**k for k in range(rungs)]
    brackets = hyperband_brackets(wanted, 3, sizes)  # type: ignore[arg-type]
    assert [stages[0].size for stages in brackets] == expected
    for s, stages in zip(range(rungs - 1, -1, -1), brackets, strict=True):
        assert [stage.epochs for stage in stages] == wanted[rungs - 1 - s :]
        assert [stage.size for stage in stages] == [max(1, stages[0].size // 3**i) for i in range(s + 1)]


def test_epochs_of_a_round_of_hpbandsters_brackets() -> None:
    """eta 3, 1 to 12 epochs: 33 + 24 + 36 where all begins anew, 26 + 20 + 36 where trainings go on."""
    brackets = hyperband_brackets(falling("test", range(1, 13), 3), 3, "hpbandster")
    anew = [sum(stage.epochs * stage.size for stage in stages) for stages in brackets]
    assert anew == [33, 24, 36]
    steps = []
    for stages in brackets:
        before = [0, *(stage.epochs for stage in stages)]
        steps.append(sum(size * (epochs - b) for (epochs, size), b in zip(stages, before, strict=False)))
    assert steps == [26, 20, 36]


def test_a_bracket_waits_for_its_rung_and_lets_the_best_go_on() -> None:
    bracket = Bracket(halving([1, 3, 9], 9, 3))
    asked = [bracket.ask() for _ in range(9)]
    assert asked == [(1, None)] * 9 and not bracket.left
    values = [0.3, 0.9, 0.1, 0.8, 0.2, 0.7, 0.0, 0.4, 0.8]
    for number, value in enumerate(values):
        assert not bracket.left
        bracket.tell(trial(value, number))
    went = [bracket.ask() for _ in range(3)]
    assert [(epochs, origin and origin.value) for epochs, origin in went] == [(3, 0.9), (3, 0.8), (3, 0.8)]
    assert went[1][1] and went[1][1].arch == nassim.get_space("toy").at(3)  # of equals the first
    for number in range(3):
        bracket.tell(trial(0.5 + number / 10, number, 3))
    assert not bracket.over and bracket.left == 1
    epochs, origin = bracket.ask()
    assert epochs == 9 and origin and origin.value == 0.7
    bracket.tell(trial(0.5, 2, 9))
    assert bracket.over


def test_a_rung_promotes_its_best_and_never_more_than_its_share() -> None:
    rng = random.Random(1)
    rung = Rung(1, 3)
    seen: list[float] = []
    went: list[float] = []
    for number in range(60):
        rung.insert(trial(value := rng.random(), number))
        seen.append(value)
        while (origin := rung.promote()) is not None:
            went.append(origin.value)
            share = len(seen) // 3
            assert origin.value in sorted(seen, reverse=True)[:share]
            assert len(went) == len(set(went)) <= share
        assert len(went) == len(seen) // 3


def test_a_rung_keeps_who_has_few_above() -> None:
    rung = Rung(1, 3)
    kept = []
    for value in (0.5, 0.6, 0.55, 0.4, 0.6, 0.7):
        rung.insert(trial(value))
        kept.append(rung.keeps(trial(value)))
    # the first always; second: 0 of 2; third: 1 of 3 is better; fourth: 3 of 4; fifth: ties are no better; sixth
    assert kept == [True, True, True, False, True, True]


@pytest.mark.parametrize("name", FEWER)
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"eta": 1}, r"\.eta=1 would let every training go on: one in eta does, so give 2 or more"),
        ({"min_epochs": 5, "max_epochs": 3}, r"\.min_epochs=5 is above max_epochs=3"),
        ({"min_epochs": 10}, r"\.min_epochs=10 is above 9 epochs, the most there are here"),
        ({"min_epochs": 4}, r"min_epochs=4 and max_epochs=None leave only 9 of 1, 3, 9 epochs"),
        ({"min_epochs": 4, "max_epochs": 8}, "leave none of 1, 3, 9 epochs"),
    ],
)
def test_settings_that_leave_nothing_to_halve_are_one_line(name: str, settings: dict[str, int], message: str) -> None:
    with pytest.raises(InvalidSetting, match=message) as caught:
        nassim.run(nassim.get_algorithm(name).configured(**settings), "toy/additive", "5q")
    assert "\n" not in str(caught.value) and str(caught.value).startswith(name)


@pytest.mark.parametrize("name", FEWER)
def test_an_eta_of_zero_is_no_setting(name: str) -> None:
    with pytest.raises(InvalidSetting, match="must be at least 1"):
        nassim.get_algorithm(name).configured(eta=0)


@pytest.mark.parametrize("name", FEWER)
def test_a_benchmark_with_one_fidelity_is_one_line(name: str) -> None:
    benchmark = Answers("single", nassim.get_space("toy"), lambda arch: 0.5)
    benchmark.fidelities = (9,)
    with pytest.raises(Unsupported, match=rf"^{name} compares.* results after 9 epochs only\.$"):
        nassim.run(name, benchmark, "5q")
    with pytest.raises(Unsupported, match="has not been told which epochs there are"):
        nassim.get_algorithm(name).begin(benchmark.space, random.Random(0)).ask()


@pytest.mark.parametrize("name", ["hyperband", "bohb"])
def test_an_eta_above_all_epochs_is_one_line(name: str) -> None:
    with pytest.raises(Unsupported, match=rf"^{name}\.eta=10 is above 9 / 1, the most epochs by the fewest"):
        nassim.run(nassim.get_algorithm(name).configured(eta=10), "toy/additive", "5q")


def test_limits_between_recorded_epochs_take_what_lies_within() -> None:
    assert recorded("test", CURVE, 3, 5, 50) == list(range(5, 51))
    assert recorded("test", (1, 3, 9, 27), 3, 2, 26) == [3, 9]
