"""Hyperparameters from text and from Python."""

from __future__ import annotations

import math
import random
from typing import Literal, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nassim
from nassim import Search, SearchSpace, start, strategy
from nassim.errors import InvalidSetting
from nassim.settings import Parameter, check_value, parse_value

KINDS = {
    "count": int,
    "rate": float,
    "flag": bool,
    "word": str,
    "choice": Literal["first", "best"],
    "level": Literal[0, 1],
    "maybe": int | None,
    "either": Optional[float],  # noqa: UP045 - both spellings of a union must work
}


def parameter(name: str) -> Parameter:
    return Parameter(name, KINDS[name], None)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("count", "50", 50),
        ("count", " 7 ", 7),
        ("rate", "0.1", 0.1),
        ("rate", "1e-3", 0.001),
        ("rate", "0", 0.0),
        ("rate", "2", 2.0),
        ("flag", "True", True),
        ("flag", "no", False),
        ("flag", "0", False),
        ("word", "hamming", "hamming"),
        ("choice", "best", "best"),
        ("level", "0", 0),
        ("maybe", "none", None),
        ("maybe", "3", 3),
        ("either", "None", None),
        ("either", "0.5", 0.5),
    ],
)
def test_read_by_annotation(name: str, text: str, value: object) -> None:
    found = parse_value(parameter(name), text, owner="algo")
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [("count", t) for t in ("0", "-1", "1.5", "ten", "", "1e3", "True", "9" * 5000)]
    + [("rate", t) for t in ("-0.1", "nan", "inf", "-inf", "1e999", "", "0,1", "None")]
    + [("flag", "maybe"), ("flag", "2"), ("choice", "worst"), ("choice", "First"), ("level", "2")]
    + [("maybe", "0"), ("maybe", "x"), ("either", "-1")],
)
def test_unusable_text_names_the_parameter(name: str, text: str) -> None:
    with pytest.raises(InvalidSetting, match=rf"^algo\.{name}="):
        parse_value(parameter(name), text, owner="algo")


@given(
    st.sampled_from(sorted(KINDS)), st.text() | st.from_regex(r"[+-]?[0-9_.]{0,9}(e[+-]?[0-9]{1,4})?", fullmatch=True)
)
def test_any_text_fits_or_is_an_invalid_setting(name: str, text: str) -> None:
    try:
        value = parse_value(parameter(name), text, owner="algo")
    except InvalidSetting:
        return
    check_value(parameter(name), value, owner="algo")
    assert not isinstance(value, float) or 0 <= value < math.inf


FITTING = {"rate": (0, 1, 0.0), "level": (0,), "count": (1,), "maybe": (None, 1), "flag": (False,), "either": (0, None)}
UNFIT: dict[str, tuple[object, ...]] = {
    "count": (1.0, True, 0, None, "1"),
    "rate": ("0.1", True, -1, -0.1, math.nan, math.inf, None),
    "flag": (1, "yes"),
    "choice": ("worst", None),
    "word": (3,),
    "maybe": (0, 0.5),
    "level": (7,),
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in FITTING for value in FITTING[name]])
def test_values_that_fit(name: str, value: object) -> None:
    check_value(parameter(name), value, owner="algo")


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in UNFIT for value in UNFIT[name]])
def test_values_that_do_not_fit(name: str, value: object) -> None:
    with pytest.raises(InvalidSetting, match=rf"^algo\.{name}="):
        check_value(parameter(name), value, owner="algo")


@strategy(family="test", year=2020, published={"toy": {"size": 4}})
def sized(space: SearchSpace, rng: random.Random, *, size: int = 9, rate: float = 0.5) -> Search:
    for _ in range(size):
        yield from start(space.sample(rng))


def test_defaults_then_published_then_the_users() -> None:
    toy = nassim.get_benchmark("toy/additive")
    other = SearchSpace("other", toy.space.decisions)
    assert sized.hyperparameters(other) == {"size": 9, "rate": 0.5}
    assert sized.hyperparameters(toy.space) == {"size": 4, "rate": 0.5}
    assert sized.configured(size=2).configured(rate=0.1).hyperparameters(toy.space) == {"size": 2, "rate": 0.1}
    result = nassim.run(sized.configured(size=2), toy, "9q")
    assert len(result.trials) == 2
    assert result.hyperparameters == {"size": 2, "rate": 0.5}


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(InvalidSetting, match="known: size, rate"):
        sized.configured(population=3)
