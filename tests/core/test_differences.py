"""A study is continued by the same command only; else what differs is said in words, not as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nassim.errors import InvalidSetting
from nassim.registry import get_algorithm
from nassim.study import compare


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"budget": "21q"}, "other settings: budget 20q, now 21q. Choose another --out"),
        ({"seeds": 3}, "other settings: seeds 2, now 3. Choose"),
        ({"workers": 2, "noise": "mean"}, "workers 1, now 2; noise draw, now mean. "),
        ({"constraint": "parameters<=5"}, "constraint none, now parameters<=5. "),
        (
            {"strategies": ["ls"]},
            "the strategy local_search is new; the strategy regularized_evolution is not named now. ",
        ),
        (
            {"strategies": [get_algorithm("re").configured(sample_size=4)]},
            "regularized_evolution.sample_size 3, now 4. ",
        ),
        (
            {"benchmarks": ["toy/deceptive"]},
            "the benchmark toy/deceptive is new; the benchmark toy/additive is not named",
        ),
        ({"regret": "valid"}, "toy/additive: regret_on none, now valid. "),
    ],
)
def test_what_differs_is_said_in_words(tmp_path: Path, change: dict[str, Any], expected: str) -> None:
    same: dict[str, Any] = {"strategies": ["re"], "benchmarks": ["toy/additive"], "budget": "20q", "seeds": 2}
    compare(**same, out=tmp_path).close()
    with pytest.raises(InvalidSetting) as caught:
        compare(**{**same, **change}, out=tmp_path)
    line = str(caught.value)
    assert expected in line and not set('{}[]"') & set(line.removeprefix(str(tmp_path)))
    compare(**same, out=tmp_path).close()


def test_on_two_benchmarks_it_is_said_where(tmp_path: Path) -> None:
    both = ["toy/additive", "toy/deceptive"]
    compare(["re"], both, "20q", seeds=1, out=tmp_path).close()
    with pytest.raises(InvalidSetting, match="sample_size 3, now 4 on toy/deceptive"):
        compare([get_algorithm("re").configured(sample_size=4)], both, "20q", seeds=1, out=tmp_path)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=200),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)
keys = st.sampled_from(["strategies", "benchmarks", "files", "budget", "runs", "strange"])


@given(old=st.dictionaries(keys, values, max_size=4), budget=st.text(max_size=300))
def test_a_study_that_says_anything_is_answered_by_one_line(old: dict[str, Any], budget: str) -> None:
    """What is old comes from a file; what is new is what `compare` writes."""
    from nassim.differences import differences, told

    new: dict[str, Any] = {
        "strategies": {"re": {"toy/additive": {"sample_size": 2}}},
        "benchmarks": {"toy/additive": {"name": "toy/additive"}},
        "files": {"mine": {"file": "mine.py", "sha256": "0" * 64}},
        "budget": budget,
    }
    found = differences(old, new)
    assert found and "\n" not in told(found) and len(told(found)) < 2000
    assert differences(new, new) == []
