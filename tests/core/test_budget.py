"""Budgets as text."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nassim import Budget
from nassim.errors import InvalidSetting

COUNTS = st.none() | st.integers(1, 10**15)
NEARLY = st.text(alphabet="0123456789.eEqQsmMinhdp+-, _x\u0665\u00b2", max_size=20)


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("150q", Budget(queries=150)),
        ("12000s", Budget(seconds=12000.0)),
        ("90m", Budget(seconds=5400.0)),
        ("90min", Budget(seconds=5400.0)),
        ("2h", Budget(seconds=7200.0)),
        ("1.5d", Budget(seconds=129600.0)),
        (".5h", Budget(seconds=1800.0)),
        ("2000ep", Budget(epochs=2000)),
        ("1e3q", Budget(queries=1000)),
        ("1E+3s", Budget(seconds=1000.0)),
        (" 2H , 150Q ", Budget(seconds=7200.0, queries=150)),
        ("2h+150q+9ep", Budget(seconds=7200.0, queries=150, epochs=9)),
        ("1e+3s+1e+2q", Budget(seconds=1000.0, queries=100)),
    ],
)
def test_written_budgets(text: str, budget: Budget) -> None:
    assert Budget.parse(text) == budget


MALFORMED = (
    "",
    " ",
    "150",
    "q",
    "1,000q",
    "5q,",
    ",5q",
    "5q 3s",
    "+5q",
    "1_0q",
    "0x10q",
    "5 parsecs",
    "\u0665q",
    "5q\x00",
)
IMPOSSIBLE = (
    "0q",
    "0s",
    "-1q",
    "1.5q",
    "2.5ep",
    "1q,2q",
    "1h+3s",
    "nanq",
    "infs",
    "1e999s",
    "1e999q",
    "1e308d",
    "1e308d,10q",
    "1e-400s",
)


@pytest.mark.parametrize("text", [*MALFORMED, *IMPOSSIBLE])
def test_nonsense_is_one_clear_error(text: str) -> None:
    with pytest.raises(InvalidSetting, match="budget"):
        Budget.parse(text)


@given(st.text() | NEARLY)
def test_any_text_is_a_budget_or_an_invalid_setting(text: str) -> None:
    try:
        budget = Budget.parse(text)
    except InvalidSetting:
        return
    limits = [limit for limit in (budget.seconds, budget.queries, budget.epochs) if limit not in (None, math.inf)]
    assert limits
    assert all(0 < limit < math.inf for limit in limits if limit is not None)


@given(st.just(math.inf) | st.floats(0, exclude_min=True, allow_infinity=False), COUNTS, COUNTS)
def test_text_and_back(seconds: float, queries: int | None, epochs: int | None) -> None:
    if seconds < math.inf or queries is not None or epochs is not None:
        budget = Budget(seconds, queries, epochs)
        assert Budget.parse(str(budget)) == budget


@pytest.mark.parametrize(
    ("seconds", "queries", "epochs"),
    [(math.inf, None, None), (0.0, None, None), (-1.0, 5, None), (math.nan, 5, None), (1.0, 0, None), (1.0, None, -3)],
)
def test_unusable_limits(seconds: float, queries: int | None, epochs: int | None) -> None:
    with pytest.raises(InvalidSetting, match="budget"):
        Budget(seconds, queries, epochs)


def test_printed_short_where_that_is_exact() -> None:
    assert str(Budget.parse("2h,150q,9ep")) == "7200s,150q,9ep"
    assert str(Budget(seconds=0.1)) == "0.1s"
    assert str(Budget(seconds=0.1 + 0.2)) == "0.30000000000000004s"
