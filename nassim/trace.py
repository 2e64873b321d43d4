"""What a run leaves behind: its header, its trials and its incumbents."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from nassim.clock import Budget
from nassim.errors import ProtocolError
from nassim.metric import ACCURACY, Metric
from nassim.objectives import Constraint
from nassim.query import Trial
from nassim.space import Architecture
from nassim.version import __version__

FROM_SCRATCH = "from scratch"  # the mode of a run whose trainings wanted weights that are not there


@dataclass(frozen=True, slots=True)
class Incumbent:
    """The answer a run would have given from a moment on.

    ``seconds`` on the simulated clock, ``queries`` and ``epochs`` finished until then; ``observed`` is
    the validation accuracy the strategy saw (NaN for a `report`); ``valid`` and ``test`` are the means
    over the repeats after a full training, looked up when the run has ended (``test`` NaN without one).
    """

    seconds: float
    queries: int
    epochs: int
    arch: Architecture
    observed: float
    valid: float = math.nan
    test: float = math.nan
    source: str = "mean"  # of valid and test: the mean over repeats, the training's "own", or a "final training"
    feasible: bool = True  # whether it keeps to the run's constraint


@dataclass(repr=False)
class Run:
    """One strategy on one benchmark with one seed: the header, the trials and the incumbents; prints as one line.

    ``seconds`` is the elapsed simulated time at the last finished trial or report, ``worker_seconds``
    the sum over workers. ``thinking_seconds`` is host time spent inside the strategy: recorded, never
    added to the clock, and the only field that differs between two equal runs.
    """

    benchmark: str
    strategy: str  # its label: ``re[sample_size=10]`` where it stands beside others of its name
    hyperparameters: dict[str, object]
    seed: int
    budget: Budget
    workers: int
    noise: str
    sha256: str
    mode: str = "black-box"  # one-shot strategies: live, recorded or proxy; those that wanted to inherit: FROM_SCRATCH
    note: str = ""  # of one-shot strategies: whose images, whose seconds; of others: their last remark
    objectives: tuple[str, ...] = ()
    constraint: str = ""  # in the benchmark's own units
    bound: Constraint | None = None  # the same, to be asked
    clock: str = "simulated"
    version: str = __version__
    metric: Metric = ACCURACY  # that trainings were judged by
    cost_unit: str = "seconds"  # of all times of the run; another one where the benchmark declares its costs
    trials: list[Trial] = field(default_factory=list)
    incumbents: list[Incumbent] = field(default_factory=list)
    seconds: float = 0.0
    worker_seconds: float = 0.0
    epochs: int = 0  # that were paid
    feasible: int = 0  # trials that keep to the constraint, where there is one
    restarted: int = 0  # trials that were to go on from an earlier one and were trained from scratch
    final_seconds: float = 0.0  # of training the last answer once, after the search; not in the other sums
    stopped: str = ""  # "budget", "finished" (the strategy ended by itself) or "failed" (it diverged)
    thinking_seconds: float = field(default=0.0, compare=False)

    def answer(
        self,
        at: tuple[float, int, int],
        arch: Architecture,
        measure: Callable[[Architecture], Mapping[str, float]],
    ) -> None:
        """Take what a strategy reports, ``at`` so many seconds, queries and epochs; the last that is feasible stays."""
        feasible = self.bound is None or self.bound.met(measure(arch))
        if feasible or not self.answered:
            self.incumbents.append(Incumbent(*at, arch, math.nan, feasible=feasible))

    @property
    def answered(self) -> bool:
        """Whether there is an answer: a trial finished within the budget, and keeps to the constraint."""
        return any(incumbent.feasible for incumbent in self.incumbents)

    @property
    def best(self) -> Incumbent:
        """The final incumbent; `ProtocolError` if no trial finished within the budget."""
        if not self.incumbents:
            raise ProtocolError(f"no trial finished within the budget of {self.budget}: there is no incumbent.")
        return self.incumbents[-1]

    def __repr__(self) -> str:
        mode = "" if self.mode == "black-box" else f" ({self.mode})"
        trials = f"{len(self.trials)} trial{'s' * (len(self.trials) != 1)}"
        spent = f"{self.clock} s" if self.cost_unit == "seconds" else self.cost_unit
        end = "no answer within the budget"
        if self.incumbents:
            best, metric = self.incumbents[-1], self.metric
            end = f"best {best.arch}, {metric.title('valid')} {metric.read(best.valid)}"
        where = f"{self.strategy}{mode} on {self.benchmark}, seed {self.seed}"
        return f"Run({where}: {trials}, {self.seconds:,.0f} {spent}; {end})"
