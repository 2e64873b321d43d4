"""How a strategy is written (the paper's loop, a generator with four verbs) and how it is used (ask and tell).

trial  = yield from evaluate(arch)          # train one, wait for it
trials = yield from evaluate_all(archs)     # train several on all workers, wait for all
news   = yield from start(arch)             # give one to a free worker; get what has finished since
yield from report(arch, cost)               # worked by myself; this is what I would answer now
"""

from __future__ import annotations

import inspect
import random
import typing
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, get_type_hints

from nassim.errors import InvalidSetting, ProtocolError, Unsupported
from nassim.objectives import Constraint, Objective
from nassim.query import UNNAMED, Batch, Query, Report, Trial, make
from nassim.settings import Parameter, check_value, plain
from nassim.slips import explain, refuse_message
from nassim.space import Architecture, SearchSpace
from nassim.supernet import Supernet
from nassim.unrun import refuse_unrun_verbs
from nassim.variants import label

# Parameters of an algorithm that the run passes: no hyperparameters. What they are: `Algorithm.begin`.
PASSED = ("horizon", "supernet", "measure", "objectives", "constraint", "fidelities", "remark")
Measure = Callable[[Architecture], Mapping[str, float]]
# (hyperparameters, name of the space, trainings that the budget allows or None) -> those that were None, resolved
Resolve = Callable[[Mapping[str, Any], str, "int | None"], Mapping[str, object]]
Message = Batch | Report
Search = Generator[Message, list[Trial], None]
"""What a strategy's function returns: a generator that hands out queries or reports and is sent trials."""
Verb = Generator[Message, list[Trial], list[Trial]]


def evaluate(
    arch: Architecture, epochs: int | None = None, *, origin: Trial | None = None, inherit: str = ""
) -> Generator[Message, list[Trial], Trial]:
    """Train one architecture and wait for its trial.

    With an ``origin`` the training begins from that trial's: the same architecture goes on to more ``epochs`` and
    pays the difference, where the benchmark can; another one says how it inherits the weights (`nassim.query.Query`).
    """
    return (yield Batch((_begun(arch, epochs, origin, inherit),)))[0]


def evaluate_all(
    archs: Iterable[Architecture],
    epochs: int | None = None,
    *,
    origins: Sequence[Trial | None] | None = None,
    inherit: str = "",
) -> Verb:
    """Train several architectures on all workers and wait; trials come in the order of ``archs``.

    ``origins``: one an architecture, as in `evaluate`; None for one that begins afresh.
    """
    archs = list(archs)
    begun = zip(archs, origins or [None] * len(archs), strict=True)
    queries = tuple([_begun(arch, epochs, origin, inherit) for arch, origin in begun])
    return (yield Batch(queries)) if queries else []


def start(arch: Architecture, epochs: int | None = None, *, origin: Trial | None = None, inherit: str = "") -> Verb:
    """Give one architecture to a free worker; return the trials that have finished since the last call.

    With one worker that is always the trial of ``arch`` itself, so that a search written with `start`
    makes the same trials as one written with `evaluate`. ``origin`` and ``inherit`` as in `evaluate`.
    """
    if origin is not None:
        return (yield Batch((_begun(arch, epochs, origin, inherit),), False))
    return (yield make(Batch, ((make(Query, (arch, epochs, None, "", "")),), False)))


def _begun(arch: Architecture, epochs: int | None, origin: Trial | None, inherit: str) -> Query:
    if origin is None:
        return make(Query, (arch, epochs, None, "", ""))
    return Query(arch, epochs, origin=origin.result.training or UNNAMED, inherit=inherit)


def report(
    arch: Architecture, cost: float, scores: Iterable[Iterable[float]] = (), seen: Mapping[str, float] | None = None
) -> Generator[Message, list[Trial], None]:
    """Say that ``cost`` seconds were spent on the strategy's own training, and the answer it would give now.

    scores: of every option of every decision of a supernet, where the answer was chosen by such; recorded.
    seen: what was measured beside the search, by name (`nassim.full_training.relaxations.curvature`); recorded.
    """
    yield Report(arch, cost, tuple([tuple(row) for row in scores]), tuple((seen or {}).items()))


class Strategy:
    """A search in progress, driven from outside: ask for a message, tell the trials that answer it."""

    def __init__(self, search: Search) -> None:
        self.search = search  # the generator: a run speaks to it directly
        self._answer: list[Trial] | None = None  # what tell() brought, for the next ask(); None starts the generator
        self._asked: Message | None = None

    def ask(self) -> Message | None:
        """The next `Batch` or `Report`; None when it has ended. `ProtocolError` if a strategy yields another thing."""
        if self._asked is not None:
            raise ProtocolError("ask() was called twice: tell() the trials of the last batch first.")
        try:
            self._asked = asked = self.search.send(self._answer)  # type: ignore[arg-type]
        except StopIteration:
            return None
        refuse_message(getattr(self.search, "__name__", "the strategy"), asked)
        return asked

    def tell(self, trials: list[Trial]) -> None:
        """Answer the last `Batch`: all its trials, or those that have finished if it does not wait."""
        asked = self._asked
        if asked is None:
            raise ProtocolError("tell() was called before ask(): nothing has been asked.")
        if type(asked) is Batch and asked.wait and len(trials) != len(asked.queries):
            raise ProtocolError(f"tell() got {len(trials)} trials for a batch of {len(asked.queries)} queries.")
        self._answer = trials
        self._asked = None


@dataclass(frozen=True)
class Algorithm:
    """A registered search strategy with its settings: call `begin` to get a `Strategy`.

    ``published`` holds the hyperparameters that a space's own paper used where they differ from this
    strategy's paper, by the name of the space or, for strategies that train on images, by the id of a benchmark;
    they are applied there and recorded, and `configured` overrides them. ``resolve`` gives those that are still None
    (nobody published them, the user says nothing) by the budget; ``initial`` is the one that says how many trainings
    the strategy begins with before it uses what it has seen.
    """

    function: Callable[..., Search]
    family: str
    year: int
    aliases: tuple[str, ...] = ()
    published: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    resolve: Resolve | None = None
    initial: str = ""
    label: str = ""  # what it is called where it stands beside others; empty: its name

    @property
    def name(self) -> str:
        """The file's name, e.g. ``regularized_evolution``."""
        return self.function.__name__

    @property
    def title(self) -> str:
        """The label, or the name where there is none: unique in a study."""
        return self.label or self.name

    def variant(self, **settings: object) -> Algorithm:
        """A copy with these hyperparameters that is called after them: ``re[sample_size=10]``."""
        configured = self.configured(**settings)
        short = self.aliases[0] if self.aliases else self.name
        return replace(configured, label=label(short, configured.settings))

    @property
    def parameters(self) -> dict[str, Parameter]:
        """The hyperparameters: keyword-only arguments of the function, except what the run passes."""
        found = inspect.signature(self.function).parameters.values()
        own = [p for p in found if p.kind is inspect.Parameter.KEYWORD_ONLY and p.name not in PASSED]
        written = SimpleNamespace(__annotations__={p.name: p.annotation for p in own})  # other types may not be here
        hints = get_type_hints(written, {**vars(typing), **getattr(self.function, "__globals__", {})})
        return {p.name: Parameter(p.name, hints[p.name], p.default) for p in own}

    @property
    def plans_ahead(self) -> bool:
        """Whether the strategy asks how many queries the budget allows (the parameter ``horizon``)."""
        return "horizon" in inspect.signature(self.function).parameters

    @property
    def chooses_epochs(self) -> bool:
        """Whether the strategy asks which epochs there are results after (the parameter ``fidelities``)."""
        return "fidelities" in inspect.signature(self.function).parameters

    @property
    def shares_weights(self) -> bool:
        """Whether the strategy trains a supernet (the parameter ``supernet``)."""
        return "supernet" in inspect.signature(self.function).parameters

    def configured(self, **settings: object) -> Algorithm:
        """A copy with these hyperparameters; `InvalidSetting` for an unknown name or an unusable value."""
        parameters = self.parameters
        for name, value in settings.items():
            if name not in parameters:
                known = ", ".join(parameters) or "it has none"
                raise InvalidSetting(f"{self.name} has no hyperparameter {name!r} (known: {known}).")
            check_value(parameters[name], value, owner=self.name)
        return replace(self, settings={**self.settings, **settings})

    def hyperparameters(
        self, space: SearchSpace, benchmark: str = "", *, horizon: int | None = None
    ) -> dict[str, object]:
        """All hyperparameters in force on a space: defaults, then ``published``, then the user's, then by the budget.

        ``benchmark`` is the id of the one whose images a supernet learns; what is published for it goes before
        what is published for the space. ``horizon`` is the number of full trainings that the budget allows; None: any.
        """
        chosen = self._chosen(space.name, benchmark)
        return chosen if self.resolve is None else {**chosen, **self.resolve(chosen, space.name, horizon)}

    def by_the_budget(self, space: SearchSpace | None = None, benchmark: str = "") -> list[str]:
        """The hyperparameters that follow from the budget on a space, or on most: those that nobody says a value of."""
        chosen = self._chosen(place := "" if space is None else space.name, benchmark)
        one, many = ({} if self.resolve is None else self.resolve(chosen, place, n) for n in (1, None))
        return [name for name, value in chosen.items() if value is None and one.get(name) != many.get(name)]

    def set_by_hand(
        self, recorded: Mapping[str, object], space: SearchSpace, benchmark: str = "", horizon: int | None = None
    ) -> dict[str, object]:
        """Which hyperparameters of a recorded run its user must have set; lists there may be tuples here."""
        default = self.hyperparameters(space, benchmark, horizon=horizon)
        by_hand = {k: v for k, v in recorded.items() if k in default and plain(default[k]) != plain(v)}
        resolved = {k for k, v in self._chosen(space.name, benchmark).items() if v is None and self.resolve}
        for name in [k for k in default if k in resolved]:  # one that was set moves those that follow from it
            rest = {k: v for k, v in by_hand.items() if k != name}
            if replace(self, settings=rest).hyperparameters(space, benchmark, horizon=horizon) == recorded:
                by_hand = rest
        return by_hand

    def _chosen(self, space: str, benchmark: str) -> dict[str, object]:
        defaults = {name: parameter.default for name, parameter in self.parameters.items()}
        published = self.published.get(benchmark, self.published.get(space, {}))
        return {**defaults, **published, **self.settings}

    def begin(
        self,
        space: SearchSpace,
        rng: random.Random,
        *,
        horizon: int | None = None,
        supernet: Supernet | None = None,
        measure: Measure | None = None,
        objectives: tuple[Objective, ...] = (),
        constraint: Constraint | None = None,
        fidelities: tuple[int, ...] = (),
        remark: Callable[[str], None] | None = None,
    ) -> Strategy:
        """Start a search on ``space`` with its own random stream; what follows goes to strategies that ask for it.

        horizon: about how many full trainings the budget allows. supernet: the benchmark's. measure: what is known of
        an architecture without training it, by the names of ``about.extras``; exact, free, never an accuracy.
        objectives, constraint: what the user searches for beside the value of a trial. fidelities: the epochs that can
        be asked for, rising, up to those of a query that names none (`nassim.outlook.fidelities`). remark: takes a
        sentence about the search that no trial says; the last one is printed with the run (`Run.note`).

        `Unsupported` where it lacks a supernet; `ProtocolError` for a function that is no strategy, or that calls a
        verb without ``yield from``.
        """
        refuse_unrun_verbs(self.function)
        if self.shares_weights and supernet is None:
            raise Unsupported(f"{self.name} shares weights: it cannot begin without a supernet.")
        remark = remark or (lambda text: None)
        given = (horizon, supernet, measure or (lambda arch: {}), objectives, constraint, fidelities, remark)
        wanted = inspect.signature(self.function).parameters
        extra: dict[str, Any] = {name: value for name, value in zip(PASSED, given, strict=True) if name in wanted}
        try:
            search: object = self.function(space, rng, **self.hyperparameters(space, horizon=horizon), **extra)
        except BaseException as error:  # only where the function is no generator, or does not take what it is given
            explain(self.name, error)
            raise
        if not isinstance(search, Generator):
            text = f"{self.name} gives {search!r:.80} and no generator"
            raise ProtocolError(f"{text}: a strategy says `yield from evaluate(arch)` somewhere.")
        return Strategy(search)


def strategy(
    *,
    family: str,
    year: int,
    aliases: Sequence[str] = (),
    published: Mapping[str, Mapping[str, object]] | None = None,
    resolve: Resolve | None = None,
    initial: str = "",
) -> Callable[[Callable[..., Search]], Algorithm]:
    """Make a generator function ``(space, rng, *, hyperparameters) -> Search`` an `Algorithm`.

    The keyword-only parameters of `PASSED` are no hyperparameters: the run passes them to a strategy that has them
    (`Algorithm.begin` says what they are); one with ``supernet`` shares weights. ``resolve`` and ``initial`` are those
    of `Algorithm`.
    """

    def register(function: Callable[..., Search]) -> Algorithm:
        return Algorithm(function, family, year, tuple(aliases), published or {}, {}, resolve, initial)

    return register


def stream(seed: int, purpose: str) -> random.Random:
    """One of the independent random streams of a run: for "strategy" or "noise"."""
    return random.Random(f"nassim/{purpose}/{seed}")  # seeded through SHA-512: independent streams
