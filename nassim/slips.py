"""What a strategy did wrong, in one line that names it and says what to write instead.

Nothing here is on the way of a search that asks for trainings and does right: it is called when a message is no batch,
when a benchmark could not answer, or when the strategy's own code has failed.
"""

from __future__ import annotations

import inspect
import math
import reprlib
import traceback
from collections.abc import Generator
from numbers import Integral, Real
from pathlib import Path
from typing import Any

from nassim.errors import InvalidArchitecture, InvalidQuery, NassimError, ProtocolError
from nassim.patience import Overdue
from nassim.query import Batch, Query, Report, Result, Trial
from nassim.space import Architecture, SearchSpace

# The verbs, and how each is written.
VERBS = {
    "evaluate": "trial = yield from evaluate(arch)",
    "evaluate_all": "trials = yield from evaluate_all(archs)",
    "start": "news = yield from start(arch)",
    "report": "yield from report(arch, cost)",
}
# What a trial's fields are taken for -> how they are written.
_FIELDS = {
    "trial.value (the validation accuracy, a fraction)": "accuracy acc valid_accuracy val_acc score fitness reward",
    "trial.arch": "architecture model config genotype spec choices",
    "trial.result.cost (seconds)": "cost seconds time train_seconds",
    "trial.result.epochs": "epochs epoch",
    "trial.result.extras": "extras parameters params flops latency",
}
MOST_IDLE = 10_000  # reports in a row that cost nothing
NOTHING = 1e-6  # seconds, below which a report counts as such
MOST_REPORTS = 100_000  # reports between two trainings
_MARK = "_nassim_strategy_failure"
_FRAMES = {
    str(Path(__file__).with_name(name)) for name in ("run.py", "simulated.py", "wall.py", "strategy.py")
}  # between a run and its strategy


def refuse_message(strategy: str, message: object) -> None:
    """Raise `ProtocolError` unless a strategy yielded a `Batch` or a `Report`."""
    if isinstance(message, (Batch, Report)):
        return
    verb = verb_of(message)
    if verb:
        raise ProtocolError(f"{strategy} yields {verb}(...) itself, which trains nothing: write `{VERBS[verb]}`.")
    kind = "" if message is None else f" (a {type(message).__name__})"
    hint = "write `trial = yield from evaluate(arch)`, or another of the verbs evaluate_all, start and report"
    raise ProtocolError(f"{strategy} yielded {_show(message)}{kind}, which is no message: {hint}.")


class Talk:
    """The reports of a run, checked one by one: what they say, and that they do not go on without end.

    ``begun`` of `report` is the number of trainings that were begun until then: each lets the counts begin anew.
    """

    def __init__(self, strategy: str, budget: object) -> None:
        self._strategy, self._budget = strategy, budget
        self._begun = self._reports = self._idle = 0

    def report(self, message: object, space: SearchSpace, begun: int) -> Report:
        """The report that a message is; `ProtocolError` if it is none, or one too many."""
        refuse_message(self._strategy, message)
        if type(message) is not Report:
            raise ProtocolError(f"{self._strategy} yielded a {type(message).__name__}: yield a plain Batch or Report.")
        arch, cost = tuple[object, ...](message[:2])  # what a strategy says is not what the type says
        if not isinstance(cost, Real) or not 0 <= float(cost) < math.inf:
            text = f"{self._strategy} reported a cost of {_show(cost)}"
            raise ProtocolError(f"{text}: it is a number of seconds, finite and at least 0.")
        _refuse_architecture(f"{self._strategy} reported", arch, space)
        if begun != self._begun:
            self._begun, self._reports, self._idle = begun, 0, 0
        self._reports += 1
        self._idle = self._idle + 1 if message.cost < NOTHING else 0
        if self._idle == MOST_IDLE:
            text = f"{self._strategy} has reported {MOST_IDLE:,} times in a row without any time passing"
            raise ProtocolError(f"{text}: report what an epoch cost, or ask for a training.")
        if self._reports == MOST_REPORTS:
            text = f"{self._strategy} has reported {MOST_REPORTS:,} times without asking for a training"
            advice = "give a budget in fewer seconds, or report less often"
            raise ProtocolError(f"{text}, and the budget of {self._budget} is not spent: {advice}.")
        return message


def refuse_batch(strategy: str, message: object, space: SearchSpace, error: Exception) -> None:
    """Say what was wrong with a batch that ended in ``error``; returns if nothing was."""
    if not isinstance(message, Batch):
        return
    queries: object = message.queries  # here too
    if not isinstance(queries, (tuple, list)):
        raise ProtocolError(f"{strategy} yielded a Batch of {_show(queries)}, which is no tuple of queries.") from error
    for query in queries:
        if not isinstance(query, Query):
            text = f"{strategy} has {_show(query)} in a Batch, a {type(query).__name__} and no Query"
            raise ProtocolError(f"{text}: write `{VERBS['evaluate_all']}`.") from error
        _refuse_architecture(f"{strategy} asks for", query.arch, space)
        epochs: object = query.epochs
        if epochs is not None and not isinstance(epochs, Integral):
            text = f"{strategy} asks for {_show(epochs)} epochs"
            raise ProtocolError(f"{text}: it is a whole number, or None for a full training.") from error
    if isinstance(error, InvalidQuery):
        raise InvalidQuery(f"{strategy} asks for what there is not: {error}") from error


def explain(strategy: str, error: BaseException) -> None:
    """Raise `ProtocolError` if the exception that a strategy ended with is a known slip.

    Others, the author's own bugs, stay what they are and are marked for `strategy_failure`.
    """
    if isinstance(error, (KeyboardInterrupt, Overdue, NassimError)):
        return
    where = _where(error)
    if isinstance(error, SystemExit):
        text = f"{strategy} called sys.exit({'' if error.code is None else _show(error.code)}){where}"
        raise ProtocolError(f"{text}: a search ends by `return`, and its script goes on.") from error
    if isinstance(error, GeneratorExit):
        raise ProtocolError(f"{strategy} raised GeneratorExit{where}: a search ends by `return`.") from error
    hint = _hint(error) if isinstance(error, AttributeError) else ""
    if hint:
        raise ProtocolError(f"{strategy}{where}: {hint}") from error
    text = " ".join(str(error).split())
    line = f"{strategy} failed{where}: {type(error).__name__}{': ' * bool(text)}{text[:300]}"
    setattr(error, _MARK, line)  # goes with it, also through a pickle from another process


def close(search: Generator[Any, Any, Any], strategy: str) -> None:
    """End a search that the budget has ended, so that what it does then is done now and not at some later time."""
    try:
        search.close()
    except RuntimeError as error:
        if "GeneratorExit" not in str(error):
            raise
        text = f"{strategy} goes on after its run has ended"
        raise ProtocolError(f"{text}: it catches GeneratorExit, by `except:` or `except BaseException`.") from error


def strategy_failure(error: BaseException) -> str | None:
    """The one line about an exception that came out of a strategy's code; None for any other exception."""
    line = getattr(error, _MARK, None)
    return line if isinstance(line, str) else None


def verb_of(value: object) -> str:
    """The verb whose generator this is, not yet run; empty if it is none."""
    if not isinstance(value, Generator) or not inspect.isgenerator(value) or value.gi_frame is None:
        return ""
    own = value.gi_frame.f_globals.get("__name__") == "nassim.strategy"
    return value.__name__ if own and value.__name__ in VERBS else ""


def _hint(error: AttributeError) -> str:
    """What was meant by an attribute that is not there; empty if the object is none of ours."""
    owner, name = error.obj, str(error.name)
    verb = verb_of(owner)
    if verb:
        return f"{verb}(...) without `yield from` trains nothing and has no {name}: write `{VERBS[verb]}`."
    if isinstance(owner, list) and owner and all(isinstance(trial, Trial) for trial in owner):
        return f"evaluate_all and start give a list of trials, which has no {name}: take one, or loop over them."
    if not isinstance(owner, (Trial, Result)):
        return ""
    kind = type(owner).__name__
    if name.startswith("test"):
        return f"a {kind} has no {name}: no strategy sees the test split."
    meant = next((field for field, names in _FIELDS.items() if name in names.split()), "")
    if meant:
        return f"a {kind} has no {name}: write {meant}."
    known = "arch, value, query, result, started, finished, worker" if kind == "Trial" else ", ".join(Result._fields)
    return f"a {kind} has no {name}: it has {known}."


def _where(error: BaseException) -> str:
    """`` in FILE, line N`` of the strategy's own code, as deep as that goes; empty if none of it was run."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename not in _FRAMES]
    if not frames:
        return ""
    last = next(frame for frame in reversed(frames) if frame.filename == frames[0].filename)
    return f" in {Path(last.filename).name}, line {last.lineno}"


def _refuse_architecture(what: str, arch: object, space: SearchSpace) -> None:
    if not isinstance(arch, Architecture):
        hints: dict[type, str] = {
            tuple: f"Architecture({space.name!r}, choices)",
            list: f"Architecture({space.name!r}, tuple(choices))",
            str: "space.parse(text)",
            Trial: "trial.arch",
        }
        hint = hints.get(type(arch), "space.sample(rng)")
        kind = "" if arch is None else f", a {type(arch).__name__}"
        raise ProtocolError(f"{what} {_show(arch)}{kind} and no architecture: write `{hint}`.")
    if arch.space != space.name:
        raise ProtocolError(f"{what} {_show(arch)}, an architecture of another space than {space.name}.")
    try:
        space.check(arch)
        hash(arch)
    except InvalidArchitecture as error:
        raise ProtocolError(f"{what} {_show(arch)}, which is not in {space.name}: {error}") from None
    except Exception as error:  # choices that cannot even be compared
        raise ProtocolError(f"{what} {_show(arch)}, which is not in {space.name}. {space.how_to_write()}") from error


def _show(value: object) -> str:
    """A value in at most about a hundred characters, on one line."""
    try:
        text = str(value) if isinstance(value, Architecture) else _repr.repr(value)
    except Exception:  # noqa: BLE001  whatever its __repr__ does
        text = f"a {type(value).__name__}"
    text = " ".join(text.split())
    return text if len(text) <= 100 else text[:97] + "..."


_repr = reprlib.Repr()
_repr.maxother = _repr.maxstring = 80
