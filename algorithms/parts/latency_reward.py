"""MnasNet's reward: an accuracy, less where a network is slow.

Paper: Tan et al., CVPR 2019, arXiv:1807.11626, equations 2 and 3: R = ACC (LAT / T)^w, with w = alpha where LAT <= T
and beta beyond. With alpha = beta (soft) T is the factor T^-w of all rewards: which network has the largest does not
depend on it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from nassim.errors import InvalidSetting
from nassim.objectives import Constraint, Objective
from nassim.space import Architecture, SearchSpace
from nassim.strategy import Measure

LOOKED_AT = 101  # random networks whose median is T where nobody says it
USUAL = ("flops", "parameters")  # where no objective and no constraint says what is to be small


class LatencyReward:
    """What a network is worth; ``weights`` are alpha and beta. `InvalidSetting` for a target that is not positive.

    name: of what stands for LAT: the constraint's, the first objective's that is a cost, else multiply-adds or
    parameters; empty where a benchmark measures none of them, and then the reward is the accuracy. target: T, in the
    benchmark's unit: the constraint's limit, else the median of random networks.
    """

    def __init__(
        self,
        owner: str,
        space: SearchSpace,
        measure: Measure,
        objectives: Sequence[Objective],
        constraint: Constraint | None,
        weights: tuple[float, float],
    ) -> None:
        self._measure, (self._alpha, self._beta) = measure, weights
        rng = random.Random(0)
        looked = [measure(space.sample(rng)) for _ in range(LOOKED_AT)]
        names = [constraint.name] if constraint is not None else [each.name for each in objectives if each.minimize]
        self.name = next((name for name in names or USUAL if any(name in each for each in looked)), "")
        if constraint is not None and not (constraint.limit > 0 and constraint.sign == "<="):
            raise InvalidSetting(
                f"{owner}: its target T is the limit of the constraint, an upper one above 0, and not {constraint}."
            )
        seen = sorted(each[self.name] for each in looked if each.get(self.name, math.nan) > 0)
        self.target = constraint.limit if constraint is not None else seen[len(seen) // 2] if seen else 1.0

    def __call__(self, arch: Architecture, value: float) -> float:
        """Of an accuracy as a fraction; 0 where a network's latency is not known. A negative value is divided."""
        if not self.name:
            return value
        latency = self._measure(arch).get(self.name, math.nan)
        if not latency > 0:  # missing, or -1 as some tables write it
            return 0.0 if value >= 0 else 2.0 * value
        ratio = latency / self.target
        factor = ratio ** (self._alpha if ratio <= 1 else self._beta)
        return float(value * factor if value >= 0 else value / factor)

    def tell(self, remark: Callable[[str], None]) -> None:
        """Say what the reward weighs."""
        below, beyond = (f"(LAT / {self.target:g})^{exponent:g}" for exponent in (self._alpha, self._beta))
        said = f"reward: accuracy times {below}" if self._alpha else "reward: the accuracy"
        said += f", times {beyond} beyond {self.target:g}" if self._alpha != self._beta else ""
        said += f", LAT the {self.name}"
        remark(said if self.name else "reward: the accuracy alone, as nothing else is measured here")
