"""Objectives and constraints: what is typed, units, and what is refused."""

from __future__ import annotations

import pytest

from nassim.errors import InvalidSetting
from nassim.objectives import Constraint, Objective, parse_constraint, parse_objectives

EXTRAS = {
    "latency_pixel3": "ms",
    "latency": "seconds, measured by the authors",
    "energy_edge-gpu": "mJ",
    "parameters": "trainable",
    "flops": "multiply-adds for one image",
}


def constraint(text: str) -> Constraint | None:
    return parse_constraint(text, extras=EXTRAS, benchmark="b/c")


def objectives(text: str) -> tuple[Objective, ...]:
    return parse_objectives(text, metric="valid_accuracy", extras=EXTRAS, benchmark="b/c")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("latency[pixel3]<=5ms", Constraint("latency_pixel3", "<=", 5.0, "ms")),
        ("latency[pixel3] <= 0.005 s", Constraint("latency_pixel3", "<=", 5.0, "ms")),
        ("latency<=5ms", Constraint("latency", "<=", 0.005, "s")),
        ("energy[edge-gpu]<=1J", Constraint("energy_edge-gpu", "<=", 1000.0, "mJ")),
        ("parameters>=0.5M", Constraint("parameters", ">=", 5e5, "")),
        ("flops<=1e8", Constraint("flops", "<=", 1e8, "")),
    ],
)
def test_units_are_converted_to_the_benchmarks_own(text: str, expected: Constraint) -> None:
    found = constraint(text)
    assert found is not None
    assert (found.name, found.sign, found.unit) == (expected.name, expected.sign, expected.unit)
    assert found.limit == pytest.approx(expected.limit)
    assert constraint(" ") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("latency[pixel3]<=5mJ", "is measured in ms, not in 'mJ'"),
        ("latency[pixel9]<=5ms", "has no 'latency[pixel9]' to search by. It has latency_pixel3"),
        ("parameters<=5ms", "is a number (2000, 20k, 1.5M, 3G), not in 'ms'"),
        ("latency[pixel3]<5", "is not a bound"),
        ("latency[pixel3]", "is not a bound"),
        ("<=5ms", "is not a bound"),
        ("parameters<=" + "9" * 400, "is not a bound"),
    ],
)
def test_what_is_no_constraint_is_one_line(text: str, said: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        constraint(text)
    assert said in str(caught.value) and "\n" not in str(caught.value) and len(str(caught.value)) < 400


def test_a_constraint_judges_what_was_measured() -> None:
    bound = Constraint("latency", "<=", 5.0, "ms")
    assert bound.met({"latency": 5.0}) and not bound.met({"latency": 5.1})
    assert not bound.met({}) and not bound.met({"latency": float("nan")})
    assert Constraint("parameters", ">=", 10.0, "").met({"parameters": 11.0})
    assert str(bound) == "latency<=5ms"


def test_objectives_know_their_direction() -> None:
    assert objectives("valid_accuracy, latency[pixel3]") == (
        Objective("valid_accuracy", "", False),
        Objective("latency_pixel3", "ms", True),
    )
    assert objectives("") == ()
    for wrong in ("valid_accuracy", "flops,flops", "valid_accuracy,nothing", "a,b,c,d,e", ","):
        with pytest.raises(InvalidSetting):
            objectives(wrong)
