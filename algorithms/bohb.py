"""BOHB: Hyperband whose architectures come from a model of the good and the bad ones so far.

Paper: S. Falkner, A. Klein, F. Hutter, "BOHB: Robust and Efficient Hyperparameter Optimization at Scale", ICML 2018,
    arXiv:1807.01774, Algorithms 1 and 2; the numbers are those of its code, HpBandSter.

Pseudocode:
    1  Hyperband's brackets; each new architecture is
    2      with probability rho, or where no number of epochs has 2 (d + 1) results: random
    3      otherwise, by the results after the most epochs that have so many: l, g <- densities of the best 15 % (at
    4          least d + 1) and of the others; N_s candidates drawn around good ones; that of the highest l / g

Departures:
    1. kde="categorical": densities over options, not over their numbers, so that it does not matter how options are
       numbered. `nassim.algorithms.parts.kde` says how, and why what "hpbandster" computes is no density.
    2. A rung is at the recorded epochs nearest to Hyperband's. Where two fall together the lower one decides for both.
    3. A training goes on where it ended, and only the difference is paid, on benchmarks that can (charge="continue");
       elsewhere it begins anew, and the run counts it as restarted. NATS-Bench's authors train all anew: "restart".
    4. The bandwidth factor of the code (3) widens continuous choices only: there are none.

Hyperparameters:
    eta: of so many one goes on. 3.
    min_epochs: the fewest, as Hyperband's; where there are none so few, the fewest that there are.
    max_epochs: the most; none: a full training.
    sizes: of Hyperband's brackets: "paper", or "hpbandster" as in the code.
    kde: "categorical", or "hpbandster" for reproduction.
    random_fraction: rho. Code 1/3; NAS-Bench-201's authors 0.
    samples: N_s. Code 64; NAS-Bench-201's authors 4.
    min_bandwidth: the least h of a kernel. Code 0.001; NAS-Bench-201's authors 0.3.
    charge: what goes on pays the difference ("continue") or is trained and paid from scratch ("restart").
"""

from __future__ import annotations

import random
from itertools import cycle
from typing import Literal

from nassim.algorithms.parts.brackets import Sizes, hyperband_brackets, train_brackets
from nassim.algorithms.parts.kde import Form, GoodAndBad
from nassim.algorithms.parts.rungs import falling, recorded
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Search, strategy


@strategy(
    family="fewer epochs",
    year=2018,
    published={"nasbench201": {"random_fraction": 0.0, "samples": 4, "min_bandwidth": 0.3}},
)
def bohb(
    space: SearchSpace,
    rng: random.Random,
    *,
    fidelities: tuple[int, ...],
    eta: int = 3,
    min_epochs: int = 1,
    max_epochs: int | None = None,
    sizes: Sizes = "paper",
    kde: Form = "categorical",
    random_fraction: float = 1 / 3,
    samples: int = 64,
    min_bandwidth: float = 0.001,
    charge: Literal["continue", "restart"] = "continue",
) -> Search:
    wanted = falling("bohb", recorded("bohb", fidelities, eta, min_epochs, max_epochs), eta)
    brackets = hyperband_brackets(wanted, eta, sizes)  # 1
    model = GoodAndBad(space, rng, kde, samples, min_bandwidth)

    def propose() -> Architecture:
        if not model.ready or rng.random() < random_fraction:  # 2
            return space.sample(rng)
        return model.propose()  # 3, 4

    yield from train_brackets(cycle(brackets), propose, model.observe, restart=charge == "restart")
