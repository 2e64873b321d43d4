"""Brackets: groups of architectures of which ever fewer are trained for ever more epochs."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

from nassim.query import Trial
from nassim.space import Architecture
from nassim.strategy import Search, start

Sizes = Literal["paper", "hpbandster"]


class Stage(NamedTuple):
    """So many architectures are trained for so many epochs."""

    epochs: int
    size: int


def halving(wanted: Sequence[int], size: int, eta: int) -> list[Stage]:
    """One bracket: ``size`` architectures, then floor(size / eta), ..., at least one.

    wanted: epochs of each rung, equal ones where rungs fell together (`nassim.algorithms.parts.rungs`): of those the
    first is kept.
    """
    found: list[Stage] = []
    for k, epochs in enumerate(wanted):
        if not found or epochs != found[-1].epochs:
            found.append(Stage(epochs, max(1, size // eta**k)))
    return found


def hyperband_brackets(wanted: Sequence[int], eta: int, sizes: Sizes) -> list[list[Stage]]:
    """Hyperband's brackets, from that of the most architectures to that of full trainings only.

    Sizes of bracket s, with S = s_max + 1: ceil(S / (s + 1) * eta^s) (Li et al. 2018, Algorithm 1), or
    floor(S / (s + 1)) * eta^s as HpBandSter has it.
    """
    count = len(wanted)
    found = []
    for s in range(count - 1, -1, -1):
        paper = sizes == "paper"
        size = -(-count * eta**s // (s + 1)) if paper else count // (s + 1) * eta**s
        found.append(halving(wanted[count - 1 - s :], size, eta))
    return found


class Bracket:
    """A bracket that is being trained: a rung begins when all trainings of the rung below have ended."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        self._stages = deque(stages)
        self._origins: deque[Trial] = deque()  # that go on, best first
        self._done: list[Trial] = []  # of this rung
        self.left = stages[0].size  # trainings of this rung that have not begun

    @property
    def over(self) -> bool:
        """Whether all its trainings have ended."""
        return not self._stages

    def ask(self) -> tuple[int, Trial | None]:
        """The epochs of the next training and what it goes on from; None for a new architecture."""
        self.left -= 1
        return self._stages[0].epochs, self._origins.popleft() if self._origins else None

    def tell(self, trial: Trial) -> None:
        """A training of this bracket has ended."""
        self._done.append(trial)
        if len(self._done) < self._stages[0].size:
            return
        self._stages.popleft()
        if self._stages:
            self.left = self._stages[0].size
            best = sorted(self._done, key=lambda trial: -trial.value)
            self._origins.extend(best[: self.left])
            self._done = []


def train_brackets(
    plan: Iterator[Sequence[Stage]],
    propose: Callable[[], Architecture],
    observe: Callable[[Trial], None] = lambda trial: None,
    *,
    restart: bool = False,
) -> Search:
    """Train one bracket after another, on any number of workers, none of which ever waits.

    A worker takes the first training that any begun bracket has; where all wait for trainings that run, the next one
    of ``plan`` begins. On one worker each is over before the next. ``propose`` gives new architectures, ``observe`` is
    told every trial; ``restart``: what goes on is trained from scratch.
    """
    begun: list[Bracket] = []
    running: defaultdict[tuple[Architecture, int | None], deque[Bracket]] = defaultdict(deque)
    while True:
        bracket = next((bracket for bracket in begun if bracket.left), None)
        if bracket is None:
            bracket = Bracket(next(plan))
            begun.append(bracket)
        epochs, origin = bracket.ask()
        arch = propose() if origin is None else origin.arch
        running[arch, epochs].append(bracket)
        for trial in (yield from start(arch, epochs, origin=None if restart else origin)):
            observe(trial)
            running[trial.arch, trial.query.epochs].popleft().tell(trial)
        begun = [bracket for bracket in begun if not bracket.over]
