"""What would mislead without a word: a best-so-far that rises, networks that guess, time on several workers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nassim.pareto import scale_of
from nassim.report.analysis import Analysis
from nassim.report.charts import curves_data
from nassim.report.fronts import all_fronts
from nassim.report.hypervolumes import hypervolume_table
from nassim.report.pack import Block
from nassim.report.results import results_table
from nassim.report.visits import Visits
from nassim.study import compare


def test_a_rising_curve_is_explained_where_it_is_seen(hand: Any) -> None:
    """The incumbent is the best by what the search saw; its mean test accuracy may be lower than that of the last."""
    falls = [(50.0, 1, 0.70, 0.80), (500.0, 10, 0.75, 0.70)]
    rises = [(50.0, 1, 0.70, 0.70), (500.0, 10, 0.75, 0.80)]
    runs = [hand.run("random_search", seed, falls) for seed in range(3)] + [hand.run("ant", s, rises) for s in range(3)]
    study = hand.study(runs, about=[hand.facts(best=0.9, best_test=0.9)])
    found = Analysis(study)
    data = curves_data(found.parts[0], Block(), 50)["seconds"]
    worse = {name: of["worse"] for name, of in data["test"]["strategies"].items()}
    assert worse == {"random_search": ["median", "mean", "iqm"], "ant": []}
    assert not any(of["worse"] for of in data["valid"]["strategies"].values())
    (note,) = [n for n in results_table(found, found.parts[0]).notes if "rises in places" in n]
    assert "median test regret of random_search rises" in note and "ant" not in note
    assert "what the search saw" in note
    study.close()


@pytest.mark.slow
def test_networks_that_guess_fix_no_reference(tmp_path: Path) -> None:
    study = compare(["random_search"], ["nasbench201/digits"], "30q", seeds=2)
    found = Analysis(study)
    (fronts,) = all_fronts(found, Visits(found), ["test_accuracy", "latency"])["nasbench201/digits"]
    assert not isinstance(fronts, str) and fronts.guessing >= 341  # the cells without a path from input to output
    assert fronts.true_front[:, 0].max() < 85 and fronts.scale.reference[0] <= 100
    notes = " ".join(hypervolume_table(fronts).notes)
    assert "guess" in notes and f"{fronts.guessing} architectures" in notes
    study.close()


def test_no_reference_beyond_what_an_objective_can_be() -> None:
    table = np.array([[20.0, 9.0], [99.0, 1.0]])
    assert scale_of(table).reference[0] == pytest.approx(106.9)
    assert scale_of(table, most=[100.0, np.inf]).reference.tolist() == pytest.approx([100.0, 9.8])


def test_who_took_how_much_time_on_several_workers(hand: Any) -> None:
    runs = [
        hand.steady(s, seed, 0.8, seconds=t) for s, t in (("random_search", 700.0), ("ant", 9000.0)) for seed in (0, 1)
    ]
    said = "on 4 workers that took 700 (random_search) to 9,000 simulated seconds (ant)"
    for budget, workers, expected in (("20q", 4, True), ("20q", 1, False), ("9000s", 4, False)):
        study = hand.study(runs, budget=budget, workers=workers, folder=f"{budget}-{workers}")
        assert (said in Analysis(study).sentences[0]) == expected
        study.close()
