"""tools/claims.py, nassim.gallery.family: claims are those of the document, and a verdict is what its rule says."""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nassim.gallery import family
from nassim.space import Architecture
from nassim.supernet import Moment

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "claims.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tool() -> Any:
    spec = importlib.util.spec_from_file_location("claims_tool", ROOT / "tools" / "claims.py")
    assert spec is not None and spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_claim_of_the_document_has_an_effect(tool: Any) -> None:
    found = tool.claims(TEXT)
    assert len(found) == TEXT.partition("## What came out")[0].count("\n| `") == 17
    for claim in found:
        assert claim.name in family.EFFECTS or claim.name.startswith("pc-") or claim.places == ("S1",)
        if not claim.name.startswith("pc-"):
            assert set(claim.places) <= {*family.PLACES, "S1"} and claim.places
    by_name = {claim.name: claim for claim in found}
    assert (by_name["fair-bimodal"].above, by_name["fair-bimodal"].threshold) == (True, 0.9)
    assert (by_name["random"].above, by_name["random"].threshold) == (False, 1.0)
    assert by_name["skips"].places == ("201", "3ops-d", "3ops-f")


@pytest.mark.parametrize(
    ("above", "first", "second", "expected"),
    [
        (True, [0.6, 0.7, 0.8], None, "pass"),
        (True, [0.1, 0.2, 0.3], None, "fail"),
        (True, [0.1, 0.5, 0.9], None, "cannot tell"),
        (False, [0.1, 0.2, 0.3], None, "pass"),
        (False, [0.6, 0.7, 0.8], None, "fail"),
        (True, [1.6, 1.7, 1.8], [1.0, 1.1, 1.05], "pass"),
        (True, [1.6, 1.7, 1.8], [1.6, 1.7, 1.8], "fail"),
        (True, [1.6, 1.7, 1.8], [0.2, 1.2, 2.2], "cannot tell"),
    ],
)
def test_verdicts(above: bool, first: list[float], second: list[float] | None, expected: str) -> None:
    claim = family.Claim("c", ("201",), above, 0.5)
    verdict = family.judged(claim, "201", first, second)
    assert verdict.verdict == expected
    assert verdict.effect == pytest.approx(np.mean(first) - (0 if second is None else np.mean(second)))
    assert verdict.low <= verdict.effect <= verdict.high
    assert family.judged(claim, "201", first, second) == verdict


def test_the_interval_is_the_bootstraps() -> None:
    """Of two values the mean is one of three, with probability 1/4, 1/2, 1/4: the interval is their range."""
    verdict = family.judged(family.Claim("c", (), True, 0.0), "201", [0.0, 1.0])
    assert (verdict.low, verdict.high) == (0.0, 1.0)
    values = np.random.default_rng(1).normal(3.0, 1.0, 400)
    verdict = family.judged(family.Claim("c", (), True, 0.0), "201", values)
    half = 1.96 * values.std() / math.sqrt(400)
    assert verdict.low == pytest.approx(values.mean() - half, abs=0.02)
    assert verdict.high == pytest.approx(values.mean() + half, abs=0.02)


def moment(scores: Any, *, shared: float = 0.5, **seen: float) -> Moment:
    rows = tuple(tuple(map(float, row)) for row in scores)
    return Moment(Architecture("nasbench201", (0,) * 6), 1.0, 0.1, shared, rows, tuple(seen.items()))


def test_effects_of_what_was_seen() -> None:
    runs = [
        [moment([[0.5] * 5], eigenvalue=9.0), moment([[0.9, 0.1, 0.5, 0.95, 0.79]], shared=0.6, supernet=0.7)],
        [moment([[0.5] * 5], eigenvalue=-1.0, supernet=0.2), moment([[0.5, 0.1, 0.1, 0.95, 0.9]], shared=0.3)],
    ]
    assert family.curvature(runs) == pytest.approx([math.log(9.0), math.log(1e-6)])
    assert family.gap(runs) == pytest.approx([0.1, -0.1])
    assert family.bimodal(runs) == [0.5, 1.0]
    assert family.before_projection([moment([[0.4, 0.6]]), moment([[0.3, 0.7]]), moment([[0.0, 1.0]])]) == 1


def test_what_is_not_recorded_is_not_run(tool: Any, tmp_path: Path) -> None:
    found = list(tool.verdicts(TEXT, tmp_path))
    assert {verdict.verdict for verdict in found} == {"not run"} and len(found) > 17
    by_name = {claim.name: claim for claim in tool.claims(TEXT)}
    lines = [tool.line(verdict, by_name[verdict.claim]) for verdict in found]
    assert lines[0] == "| `skips` | 201 | – | – | > 0.5 | not run |"


def test_recorded_searches_of_the_project_are_found() -> None:
    """Those that come with nassim: as many searches as were recorded, and shares that can be counted by hand."""
    here = family.Recorded("201", None)
    runs = here.runs("darts")
    if not runs:
        pytest.skip("no search of darts is recorded with the present settings")
    assert len(here.points(runs)) == len(runs)
    by_hand = [sum(choice == 1 for choice in run[-1].arch.choices) / 6 for run in runs]
    assert here.skips(runs) == pytest.approx(by_hand)


@pytest.mark.slow
def test_the_document_says_what_came_out(tool: Any) -> None:
    """All verdicts on what comes with nassim; the steps of partial channels are measured, and differ by machine."""
    by_name = {claim.name: claim for claim in tool.claims(TEXT)}
    found = [tool.line(verdict, by_name[verdict.claim]) for verdict in tool.verdicts(TEXT, None)]
    missing = [line for line in found if line not in TEXT and not line.startswith("| `pc-")]
    assert len(found) > 30 and not missing
