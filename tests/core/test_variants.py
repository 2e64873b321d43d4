"""Lists of strategies with settings, as they are typed."""

from __future__ import annotations

import pytest

from nassim.errors import InvalidSetting
from nassim.variants import label, parse_variants, split_names


def test_commas_in_brackets_part_settings() -> None:
    assert split_names("re, bo[kernel=path,noise=0.1] ,,ls") == ["re", "bo[kernel=path,noise=0.1]", "ls"]
    assert split_names("") == []


def test_bars_mean_all_combinations() -> None:
    assert parse_variants("re") == [("re", {})]
    assert parse_variants("re[a=1|2,b=x|y]") == [
        ("re", {"a": "1", "b": "x"}),
        ("re", {"a": "1", "b": "y"}),
        ("re", {"a": "2", "b": "x"}),
        ("re", {"a": "2", "b": "y"}),
    ]


@pytest.mark.parametrize("text", ["re[a=1", "re]a=1[", "re[[a=1]]", "re[a=1]]"])
def test_brackets_have_to_match(text: str) -> None:
    with pytest.raises(InvalidSetting, match="bracket"):
        split_names(text)


@pytest.mark.parametrize(
    "text", ["re[a]", "re[=1]", "re[a=]", "re[a=1|]", "re[]", "[a=1]", "re[a=1]x", "re[a=1,a=2]", "re[" + "a=1|" * 300]
)
def test_what_is_no_setting_is_one_line(text: str) -> None:
    with pytest.raises(InvalidSetting) as caught:
        parse_variants(text)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_too_many_combinations_are_refused() -> None:
    with pytest.raises(InvalidSetting, match="more than 200"):
        parse_variants("re[" + ",".join(f"s{i}=1|2|3|4" for i in range(40)) + "]")


def test_a_label_is_what_was_typed() -> None:
    assert label("re", {"sample_size": 10, "kernel": "path"}) == "re[sample_size=10,kernel=path]"
    assert label("re", {}) == "re"
