"""Strategies that misbehave: one line that names the strategy and says what it did, never a hang and never silence."""

from __future__ import annotations

import math
import pickle
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nassim
from nassim import Architecture, Query, Search, SearchSpace, Trial, evaluate, evaluate_all, start, strategy
from nassim.errors import InvalidQuery, ProtocolError
from nassim.query import Batch, Report
from nassim.strategy import report

TOY = nassim.get_benchmark("toy/additive")
REGISTER = strategy(family="test", year=2020)
ELSEWHERE = Architecture("elsewhere", (0, 0, 0, 0))


def refusal(function: Callable[..., Any], budget: str = "9q", **options: Any) -> str:
    """The one line that a misbehaving strategy ends with."""
    with pytest.raises(ProtocolError) as caught:
        nassim.run(REGISTER(function), TOY, budget, **options)
    line = str(caught.value)
    assert "\n" not in line
    assert function.__name__ in line
    return line


def yielding(message: Callable[[SearchSpace], Any]) -> Callable[..., Any]:
    def odd(space: SearchSpace, rng: random.Random) -> Any:
        yield from evaluate(space.sample(rng))
        yield message(space)

    return odd


# -- what is no message -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (lambda space: None, "None"),
        (lambda space: 3, "3"),
        (lambda space: space.at(0), "yield from evaluate"),
        (lambda space: Query(space.at(0)), "yield from evaluate"),
        (lambda space: ((Query(space.at(0)),), True), "tuple"),
        (lambda space: (space.at(0), True), "tuple"),
        (lambda space: Batch(space.at(0)), "Batch"),
        (lambda space: Batch((space.at(0),)), "Architecture"),
        (lambda space: Batch(5), "Batch"),
        (lambda space: Report(space.at(0), "a while"), "cost"),
        (lambda space: Report(space.at(0), math.nan), "cost"),
        (lambda space: Report((0, 0, 0, 0), 1.0), "tuple"),
        (lambda space: Report(ELSEWHERE, 1.0), "elsewhere"),
        (lambda space: evaluate(space.at(0)), "yield from evaluate"),
        (lambda space: evaluate_all([space.at(0)]), "yield from evaluate_all"),
        (lambda space: start(space.at(0)), "yield from start"),
        (lambda space: report(space.at(0), 1.0), "yield from report"),
    ],
)
def test_a_message_that_is_none_is_named(message: Callable[[SearchSpace], Any], said: str) -> None:
    assert said in refusal(yielding(message))


@pytest.mark.parametrize(
    ("arch", "said"),
    [
        ((0, 0, 0, 0), "Architecture("),
        ([0, 0, 0, 0], "Architecture("),
        ("toy:0-0-0-0", "space.parse"),
        (None, "None"),
        (ELSEWHERE, "elsewhere"),
        (Architecture("toy", (0, 0, 0, 9)), "0-0-0-9"),
        (Architecture("toy", (0, 0)), "toy:0-0"),
        (Architecture("toy", (0, 0, 0, [])), "toy"),
        (Architecture("toy", None), "toy"),
    ],
)
def test_what_is_no_architecture_of_the_space_is_named(arch: Any, said: str) -> None:
    def odd(space: SearchSpace, rng: random.Random) -> Search:
        while True:
            yield from start(arch)

    assert said in refusal(odd)


def test_epochs_that_there_are_none_of_name_the_strategy() -> None:
    def odd(space: SearchSpace, rng: random.Random) -> Search:
        yield from evaluate(space.at(0), 5)

    def wrong(space: SearchSpace, rng: random.Random) -> Search:
        yield from evaluate(space.at(0), [5])  # type: ignore[arg-type]

    with pytest.raises(InvalidQuery, match=r"odd.*not after 5"):
        nassim.run(REGISTER(odd), TOY, "9q")
    assert "[5]" in refusal(wrong)


def test_ask_refuses_what_is_no_message_too() -> None:
    search = REGISTER(yielding(lambda space: 3)).begin(TOY.space, random.Random(0))
    [query] = search.ask().queries  # type: ignore[union-attr]
    search.tell([Trial(query, TOY.query(query, random.Random(0)), 0.0, 1.0, 0)])
    with pytest.raises(ProtocolError, match=r"odd.*3"):
        search.ask()


# -- beginners' slips -------------------------------------------------------------------------------


def forgot_in_a_loop(space: SearchSpace, rng: random.Random) -> Search:
    best = yield from evaluate(space.sample(rng))
    while True:
        evaluate(space.mutate(best.arch, rng))


def forgot_and_kept(space: SearchSpace, rng: random.Random) -> Search:
    best = yield from evaluate(space.sample(rng))
    while True:
        trial: Any = nassim.evaluate(space.mutate(best.arch, rng))
        if trial.value > best.value:
            best = trial


def forgot_everywhere(space: SearchSpace, rng: random.Random) -> Any:
    while True:
        trial = evaluate(space.sample(rng))
        if trial.value > 1:  # type: ignore[attr-defined]
            return


def iterated(space: SearchSpace, rng: random.Random) -> Search:
    yield from evaluate(space.sample(rng))
    while True:
        for trial in start(space.sample(rng)):
            assert trial


def added(space: SearchSpace, rng: random.Random) -> Search:
    trials = yield from evaluate_all([space.sample(rng)])
    while len(trials) < 5:
        trials += evaluate_all([space.sample(rng)])  # type: ignore[arg-type]


def collected(space: SearchSpace, rng: random.Random) -> Search:
    population: list[Any] = []
    yield from evaluate(space.sample(rng))
    while True:
        population.append(evaluate(space.sample(rng)))
        population = population[:3]


def shadowed(space: SearchSpace, rng: random.Random) -> Search:
    def start(arch: Architecture) -> list[Architecture]:
        return [arch]

    def step(arch: Architecture) -> Any:
        return evaluate(arch)  # a generator to be run by the caller

    begun = start(space.sample(rng))
    for arch in start(begun[0]):
        later = evaluate(arch)
        yield from later
        yield from step(arch)


@pytest.mark.parametrize("slip", [forgot_in_a_loop, forgot_and_kept, forgot_everywhere, iterated, added, collected])
def test_a_verb_without_yield_from_is_refused_at_once(slip: Callable[..., Any]) -> None:
    line = refusal(slip, patience=20.0)
    assert "yield from" in line
    assert f"{Path(__file__).name}, line " in line


def test_a_verb_that_is_run_later_or_by_another_name_is_no_slip() -> None:
    assert len(nassim.run(REGISTER(shadowed), TOY, "9q").trials) == 2


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("accuracy", "trial.value"),
        ("test_accuracy", "no strategy sees"),
        ("architecture", "trial.arch"),
        ("cost", "trial.result.cost"),
        ("epochs", "trial.result.epochs"),
        ("weights", "arch, value"),
    ],
)
def test_a_field_that_a_trial_has_not_is_answered_by_the_one_that_is_meant(name: str, said: str) -> None:
    def wrong_name(space: SearchSpace, rng: random.Random) -> Search:
        trial = yield from evaluate(space.sample(rng))
        getattr(trial, name)

    assert said in refusal(wrong_name)


def test_a_list_of_trials_is_no_trial() -> None:
    def listed(space: SearchSpace, rng: random.Random) -> Search:
        trials: Any = yield from start(space.sample(rng))
        assert trials.value

    assert "list of trials" in refusal(listed)


def test_a_function_that_never_yields_is_no_strategy() -> None:
    def plain(space: SearchSpace, rng: random.Random) -> Any:
        return [space.sample(rng)]

    assert "generator" in refusal(plain)


# -- leaving, failing, going on ---------------------------------------------------------------------


@pytest.mark.parametrize("leave", [sys.exit, lambda: sys.exit(0), lambda: sys.exit("bye")])
def test_sys_exit_does_not_end_the_script(leave: Callable[[], Any]) -> None:
    def leaving(space: SearchSpace, rng: random.Random) -> Search:
        yield from evaluate(space.sample(rng))
        leave()

    assert "return" in refusal(leaving)


def test_an_authors_own_bug_stays_what_it_is_and_says_where() -> None:
    def buggy(space: SearchSpace, rng: random.Random) -> Search:
        yield from evaluate(space.sample(rng))
        raise ZeroDivisionError("division by nothing")

    from nassim.slips import strategy_failure

    with pytest.raises(ZeroDivisionError, match="division by nothing") as caught:
        nassim.run(REGISTER(buggy), TOY, "9q")
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):  # also from another process
        line = strategy_failure(error)
        assert line is not None
        assert "buggy" in line
        assert "ZeroDivisionError: division by nothing" in line
        assert f"{Path(__file__).name}, line " in line
    assert strategy_failure(ValueError("of somebody else")) is None


def test_a_strategy_that_refuses_to_end_is_named() -> None:
    def stubborn(space: SearchSpace, rng: random.Random) -> Search:
        while True:
            try:
                yield from evaluate(space.sample(rng))
            except BaseException:  # noqa: BLE001
                break
        yield from evaluate(space.sample(rng))

    assert "GeneratorExit" in refusal(stubborn)


def test_what_a_strategy_does_at_its_end_is_done_before_the_run_is_returned() -> None:
    ended = []

    def tidy(space: SearchSpace, rng: random.Random) -> Search:
        try:
            while True:
                yield from evaluate(space.sample(rng))
        finally:
            ended.append(True)

    nassim.run(REGISTER(tidy), TOY, "9q")
    assert ended == [True]
