"""The curves of the trainings that a validation made: means, thinned, in the page."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from nassim.errors import CorruptData
from nassim.report.training_curves import MOST, Curve, curves_svg, mean_curve
from nassim.report.validation import Cell, Validation, read_validations, write_validations
from nassim.report.write import write_report

CURVE = Curve((1, 2, 3), (2.0, 1.0, 0.5), (2.5, 1.5, 1.25), (0.1, 0.05, 0.01))


def validation(*curves: Curve) -> Validation:
    cells = tuple(Cell(f"toy:{i}-1<&", ("ant",), 0.5, (0.5, 0.625), (0.5, None), c) for i, c in enumerate(curves))
    return Validation("toy/additive", "tiny", 3, "one CPU", cells)


def test_means_are_over_the_trainings_that_have_losses() -> None:
    losses = [[4.0, 2.0, 1.0], [2.0], []]  # the second failed, the third was made by a version that kept none
    rates = [[0.1, 0.05, 0.0], [0.1], [0.1, 0.05, 0.0]]
    curve = mean_curve(losses, [[5.0, math.inf, 2.0], [4.0], []], rates)
    assert curve == Curve((1, 3), (3.0, 1.0), (4.5, 2.0), (0.1, 0.0))
    assert mean_curve([[], []], [[], []], [[0.1], [0.1]]) == mean_curve([], [], []) == Curve()


def test_long_curves_are_thinned_to_their_ends() -> None:
    values = [[float(e) for e in range(1, 601)]]
    curve = mean_curve(values, values, values)
    assert len(curve.epochs) == MOST and (curve.epochs[0], curve.epochs[-1]) == (1, 600)
    assert curve.train_loss == tuple(map(float, curve.epochs)) and list(curve.epochs) == sorted(set(curve.epochs))
    assert mean_curve([[1.0]], [[2.0]], [[3.0]]) == Curve((1,), (1.0,), (2.0,), (3.0,))


def test_the_figure_has_a_line_for_every_curve() -> None:
    root = ET.fromstring(curves_svg([("toy:0<&", CURVE), ("old", Curve()), ("toy:1", CURVE)]))
    lines = list(root.iter("polyline"))
    assert len(lines) == 6 and sum("stroke-dasharray" in line.attrib for line in lines) == 2
    ends = [[float(x) for x in line.attrib["points"].split()[-1].split(",")] for line in lines[:2]]
    assert ends[0][0] == ends[1][0] and ends[0][1] > ends[1][1], "the smaller loss has to end lower"
    assert "toy:0<&" in [text.text for text in root.iter("text")]
    assert curves_svg([("old", Curve())]) == curves_svg([]) == ""


def test_curves_stand_in_the_report(hand: Any, tmp_path: Path) -> None:
    study = hand.study([hand.steady(s, seed, 0.8) for s in ("random_search", "ant") for seed in range(3)])
    folder = tmp_path / "study"
    for curves, there in ((Curve(),), False), ((CURVE, Curve(), CURVE), True):
        kept = validation(*curves)
        write_validations(folder, {"toy/additive": kept})
        assert read_validations(folder) == {"toy/additive": kept}
        page = write_report(study, folder, figures=False)[0].read_text(encoding="utf-8")
        assert ("Training curves" in page) == there
    assert "toy:2-1&lt;&amp;: training loss 0.5, validation loss 1.25 after 3 epochs" in page
    study.close()


@pytest.mark.parametrize(
    "curve",
    [
        7,
        "words",
        {"a": 1},
        [[1]],
        [[1], [1.0], [1.0], [1.0, 2.0]],
        [[1], [1.0], ["x"], [0.1]],
        [[1], [1.0], [-1], [0]],
        [[1], [1.0], [1e400], [0.1]],
        [[1], [True], [1.0], [0.1]],
        [[1] * 101] * 4,
        [None] * 4,
    ],
)
def test_damaged_curves_are_one_line(tmp_path: Path, curve: object) -> None:
    write_validations(tmp_path, {"toy/additive": validation(CURVE)})
    record = json.loads((tmp_path / "validation.json").read_text())
    record["toy/additive"]["architectures"][0]["curve"] = curve
    (tmp_path / "validation.json").write_text(json.dumps(record))
    with pytest.raises(CorruptData, match=r"validation\.json .*nassim validate"):
        read_validations(tmp_path)
