"""The claims of docs/claims.md on differentiable search, held against recorded searches: effects and verdicts.

Thresholds were written down before anything was recorded. An effect is a mean over searches, or a difference of two;
its interval is the bootstrap's over searches (percentiles 2.5 and 97.5), and a verdict says on which side of the
threshold it lies. What was not recorded is "not run".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nassim.gallery.row import CANNOT_TELL, FAIL, NOT_RUN, PASS, WIDTH, Row
from nassim.record import option_share
from nassim.registry import get_algorithm, get_benchmark
from nassim.supernet import Moment, Recording, configuration

STEP = "a step"  # the place of claims on what a step of partial channels costs
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


def judged(claim: Claim, place: str, first: Sequence[float], second: Sequence[float] | None = None) -> Verdict:
    """The mean of ``first``, or that less the mean of ``second``, with the bootstrap's interval, and the threshold."""
    rng = np.random.default_rng(0)

    def resampled(values: Sequence[float]) -> np.ndarray:
        picked = rng.integers(0, len(values), (RESAMPLED, len(values)))
        means: np.ndarray = np.asarray(values)[picked].mean(axis=1)
        return means

    means, effect, searches = resampled(first), float(np.mean(first)), str(len(first))
    if second is not None:
        means, effect = means - resampled(second), effect - float(np.mean(second))
        searches += f" and {len(second)}"
    low, high = np.percentile(means, [2.5, 97.5]).round(12)  # no dust where shares cancel
    side = 1.0 if claim.above else -1.0
    worst, best = sorted((side * (low - claim.threshold), side * (high - claim.threshold)))
    verdict = PASS if worst > 0 else FAIL if best <= 0 else CANNOT_TELL
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


def verdicts(
    claims: Sequence[Claim], folder: Path | None = None, steps: Mapping[str, Sequence[float]] | None = None
) -> Iterator[Verdict]:
    """All claims one by one and place by place; ``folder``: recordings, None: nassim's data folder and its own.

    ``steps``: what was measured of partial channels, ``time`` and ``memory`` over DARTS'; None: it is "not run".
    """
    for claim in claims:
        if claim.name.startswith("pc-"):
            measured = (steps or {}).get(claim.name.removeprefix("pc-"))
            yield not_run(claim, STEP) if measured is None else judged(claim, STEP, measured)
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
    return Verdict(claim.name, place, math.nan, math.nan, math.nan, "", NOT_RUN)


def rows(claims: Sequence[Claim]) -> list[Row]:
    """The claims as rows of the gallery, from the searches that come with nassim; steps are not measured here."""
    found = []
    by_name = {claim.name: claim for claim in claims}
    for each in verdicts(claims):
        claim = by_name[each.claim]
        threshold = f"{'>' if claim.above else '<'} {claim.threshold:g}"
        name = f"{each.claim}: {each.place}"
        if each.verdict == NOT_RUN:
            note = "python tools/claims.py --measure" if each.place == STEP else ""
            found.append(Row("darts-family", name, threshold, None, None, None, each.verdict, note))
            continue
        error = (each.high - each.low) / WIDTH
        z = (each.effect - claim.threshold) / error if error else None
        text = f"{each.searches} searches"
        found.append(Row("darts-family", name, threshold, each.effect, error, z, each.verdict, text))
    return found
