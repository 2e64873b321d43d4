"""Seeds: so many, or ranges, as they are typed and as a study keeps them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nassim.errors import InvalidSetting
from nassim.seeds import parse_seeds, seeds_text
from nassim.study import Study, compare


@given(st.sets(st.integers(0, 50), min_size=1))
def test_what_is_kept_of_seeds_says_them(seeds: set[int]) -> None:
    rising = sorted(seeds)
    assert list(parse_seeds(seeds_text(rising) or len(rising))) == rising


@pytest.mark.parametrize("text", ["0", "-1", "3-1", "1-", "a", "1-2,2-3", "0-99999999", "1-2;", "", "9" * 30])
def test_other_texts_are_refused_in_a_line(text: str) -> None:
    with pytest.raises(InvalidSetting, match="seeds"):
        parse_seeds(text)


def test_a_range_of_seeds_has_the_runs_of_those_seeds(tmp_path: Path) -> None:
    whole = compare("re", "toy/additive", "20q", seeds=5)
    part = compare("re", "toy/additive", "20q", seeds="2-3", out=tmp_path / "part")
    assert [r.seed for r in part.of("toy/additive", "random_search")] == [2, 3]
    assert [r.curve for r in part.of("toy/additive", "regularized_evolution")] == [
        r.curve for r in whole.of("toy/additive", "regularized_evolution") if r.seed in (2, 3)
    ]
    part.close()
    again = Study.open(tmp_path / "part")
    assert again.settings["seed_ranges"] == "2-3" and again.settings["seeds"] == 2 and again.complete


def test_without_trials_the_rest_is_the_same() -> None:
    kept, lean = (compare("re", "toy/additive", "20q", seeds=2, trials=trials) for trials in (True, False))
    assert lean.runs == kept.runs and list(lean.trials()) == [] and len(list(kept.trials())) == 80
