"""Hold the claims of docs/claims.md against what was recorded, and print pass, fail or cannot tell with the numbers.

    python tools/claims.py [--recordings DIR] [--measure]

Thresholds are read from the document; effects are computed here. ``--measure`` also takes the five steps of the two
claims about partial channels (a minute). What was not recorded is "not run".
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nassim.record import option_share
from nassim.registry import get_algorithm, get_benchmark
from nassim.supernet import Moment, Recording, configuration

DOCUMENT = Path(__file__).parents[1] / "docs" / "claims.md"
PLACES = {
    "201": "nasbench201/digits",
    "3ops-d": "nasbench201_3ops/digits",
    "3ops-f": "nasbench201_3ops/fashion14",
}
# `darts` has nothing published on three operations: it is set as on the whole space.
DARTS = {"epochs": 30, "learning_rate": 0.1, "arch_rate": 0.0063, "weight_decay": 5e-4, "nesterov": True}
RESAMPLED, LEAST_EIGENVALUE = 10_000, 1e-6
Runs = Sequence[Sequence[Moment]]


class Claim(NamedTuple):
    """A row of the document: where, and whether the effect has to be above or below the threshold."""

    name: str
    places: tuple[str, ...]
    above: bool
    threshold: float


class Verdict(NamedTuple):
    """What came out; ``effect`` is NaN where it was not run."""

    claim: str
    place: str
    effect: float
    low: float
    high: float
    searches: str
    verdict: str


def claims(text: str) -> list[Claim]:
    """The rows of the document's table."""
    found = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `") and len(cells) == 5:
            sign, number = cells[4].rstrip(" |").split()
            found.append(Claim(cells[0].strip("|` "), tuple(cells[2].split(", ")), sign == ">", float(number)))
    return found


def judged(claim: Claim, place: str, first: Sequence[float], second: Sequence[float] | None = None) -> Verdict:
    """The mean of ``first``, or that less the mean of ``second``, with the bootstrap's interval, and the threshold."""
    rng = np.random.default_rng(0)

    def resampled(values: Sequence[float]) -> np.ndarray:
        picked = rng.integers(0, len(values), (RESAMPLED, len(values)))
        return np.asarray(values)[picked].mean(axis=1)

    means, effect, searches = resampled(first), float(np.mean(first)), str(len(first))
    if second is not None:
        means, effect = means - resampled(second), effect - float(np.mean(second))
        searches += f" and {len(second)}"
    low, high = np.percentile(means, [2.5, 97.5])
    side = 1.0 if claim.above else -1.0
    worst, best = sorted((side * (low - claim.threshold), side * (high - claim.threshold)))
    verdict = "pass" if worst > 0 else "fail" if best <= 0 else "cannot tell"
    return Verdict(claim.name, place, effect, float(low), float(high), searches, verdict)


class Recorded:
    """The recordings on a benchmark's images."""

    def __init__(self, place: str, folder: Path | None) -> None:
        self.place, self.bench = place, get_benchmark(PLACES[place], "mean")
        self.folder = folder
        self.space = self.bench.space

    def runs(self, name: str, **settings: object) -> Runs:
        """The searches of a strategy with its settings in force and these, in the order of seeds; none: empty."""
        supernets = self.bench.supernets
        assert supernets is not None
        if name == "darts" and self.place != "201":
            settings = {**DARTS, **settings}
        algorithm = get_algorithm(name).configured(**settings)
        chosen = algorithm.hyperparameters(self.space, supernets.benchmark)
        wanted = configuration(name, chosen, supernets.settings)
        found = [r for r in supernets.recordings(name, self.folder) if r.configuration == wanted]
        return [run for _, run in sorted(max(found, key=_looked).runs.items())] if found else []

    def skips(self, runs: Runs, epoch: int = -1) -> list[float]:
        """The share of skip connections in every search's answer after an epoch."""
        return [option_share(self.space, run[epoch].arch, "skip") for run in runs]

    def points(self, runs: Runs, epoch: int = -1) -> list[float]:
        """The accuracy of every search's answer after an epoch, %."""
        return [100 * self.bench.mean_accuracy(run[epoch].arch) for run in runs]


def _looked(recording: Recording) -> tuple[bool, int]:
    return recording.serves({"hessian_every": 1}), len(recording.runs)


def last_seen(runs: Runs, name: str) -> list[float]:
    """What was seen last in every search; searches without are left out."""
    found = []
    for run in runs:
        values = [dict(moment.seen)[name] for moment in run if name in dict(moment.seen)]
        found += values[-1:]
    return found


def curvature(runs: Runs) -> list[float]:
    """The logarithm of every search's last eigenvalue."""
    return [math.log(max(value, LEAST_EIGENVALUE)) for value in last_seen(runs, "eigenvalue")]


def gap(runs: Runs) -> list[float]:
    """What the whole supernet is worth less what its answer is worth with the shared weights."""
    return [whole - run[-1].shared for run, whole in zip(runs, last_seen(runs, "supernet"), strict=False)]


def bimodal(runs: Runs) -> list[float]:
    """The share of the last sigmoids outside 0.2 to 0.8, of options that are not ``none`` (the first of each row)."""
    last = [np.array([value for row in run[-1].scores for value in row[1:]]) for run in runs]
    return [float(((values < 0.2) | (values > 0.8)).mean()) for values in last]


def before_projection(run: Sequence[Moment]) -> int:
    """The last epoch before any edge was fixed: none of its rows is one-hot."""
    return max(i for i, moment in enumerate(run) if all(max(row) < 1.0 for row in moment.scores))


def better_by_projection(here: Recorded, runs: Runs) -> list[float]:
    """Accuracy of the last answer less that of the largest weights when projecting began, %, of every search."""
    return [here.points([run])[0] - here.points([run], before_projection(run))[0] for run in runs]


def sampled(here: Recorded, runs: Runs) -> list[float]:
    """The best accuracy of all answers of a search less that of the last, %."""
    return [max(here.points([[moment] for moment in run])) - here.points([run])[0] for run in runs]


def risen(here: Recorded, runs: Runs) -> list[float]:
    """The share of skips in the last answer less that in the first, of every search."""
    return [here.skips([run])[0] - here.skips([run], 0)[0] for run in runs]


Effect = Callable[[Recorded], "tuple[Sequence[float], Sequence[float] | None]"]
DOWN = {"variant": "early_stopping"}
EFFECTS: dict[str, Effect] = {
    "skips": lambda r: (r.skips(r.runs("darts")), None),
    "skips-rise": lambda r: (risen(r, r.runs("darts")), None),
    "l2-skips": lambda r: (r.skips(r.runs("darts")), r.skips(r.runs("r_darts"))),
    "stop-skips": lambda r: (r.skips(r.runs("darts")), r.skips(r.runs("r_darts", **DOWN))),
    "l2-better": lambda r: (r.points(r.runs("r_darts")), r.points(r.runs("darts"))),
    "l2-curvature": lambda r: (curvature(r.runs("darts")), curvature(r.runs("r_darts"))),
    "smooth-curvature": lambda r: (curvature(r.runs("darts")), curvature(r.runs("smooth_darts"))),
    "fair-bimodal": lambda r: (bimodal(r.runs("fair_darts")), None),
    "fair-skips": lambda r: (r.skips(r.runs("darts")), r.skips(r.runs("fair_darts"))),
    "pt-better": lambda r: (better_by_projection(r, r.runs("darts_pt")), None),
    "snas-gap": lambda r: (gap(r.runs("darts")), gap(r.runs("snas"))),
    "enas-sampling": lambda r: (sampled(r, r.runs("enas")), None),
    "random": lambda r: (r.points(r.runs("darts")), r.points(r.runs("random_nas"))),
    "drnas-better": lambda r: (r.points(r.runs("drnas")), r.points(r.runs("darts"))),
}


def verdicts(text: str, folder: Path | None, *, measure: bool = False) -> Iterator[Verdict]:
    """All claims of the document, one by one and place by place."""
    steps = None
    for claim in claims(text):
        if claim.name.startswith("pc-"):
            if measure and steps is None:
                from speed_darts import partial_steps

                steps = partial_steps(5)
            if steps is not None:
                yield judged(claim, "a step", steps[claim.name.removeprefix("pc-")])
            else:
                yield not_run(claim, "a step")
            continue
        for place in claim.places:
            if place not in PLACES:
                yield not_run(claim, place)
                continue
            first, second = EFFECTS[claim.name](Recorded(place, folder))
            if len(first) and (second is None or len(second)):
                yield judged(claim, place, first, second)
            else:
                yield not_run(claim, place)


def not_run(claim: Claim, place: str) -> Verdict:
    """Nothing is recorded."""
    return Verdict(claim.name, place, math.nan, math.nan, math.nan, "", "not run")


def line(verdict: Verdict, claim: Claim) -> str:
    """A row of the table."""
    sign = ">" if claim.above else "<"
    numbers = "–" if verdict.verdict == "not run" else f"{verdict.effect:.3g} ({verdict.low:.3g} to {verdict.high:.3g})"
    cells = (f"`{verdict.claim}`", verdict.place, verdict.searches or "–", numbers, f"{sign} {claim.threshold:g}")
    return f"| {' | '.join(cells)} | {verdict.verdict} |"


def main() -> None:
    parser = argparse.ArgumentParser(description="Hold the claims of docs/claims.md against what was recorded.")
    parser.add_argument("--recordings", type=Path, help="a folder; default: nassim's data folder and its own")
    parser.add_argument("--measure", action="store_true", help="also measure the steps of partial channels")
    options = parser.parse_args()
    text = DOCUMENT.read_text(encoding="utf-8")
    by_name = {claim.name: claim for claim in claims(text)}
    out = sys.stdout
    out.write("| claim | where | searches | effect (interval) | threshold | verdict |\n|---|---|---|---|---|---|\n")
    for verdict in verdicts(text, options.recordings, measure=options.measure):
        out.write(line(verdict, by_name[verdict.claim]) + "\n")


if __name__ == "__main__":
    main()
