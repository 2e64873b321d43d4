"""Bringing a search to where it was: it is told again what it was told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nassim.errors import ProtocolError
from nassim.query import Report, Trial
from nassim.strategy import Strategy


def replay(search: Strategy, trials: Sequence[Trial], look: Callable[[int], None] | None = None) -> Strategy:
    """Bring a fresh one-worker search to the state after ``trials``; `ProtocolError` if it asks for others.

    ``look`` is called whenever it has asked for recorded trials and is not told them yet, with how many it knows.
    """
    i = 0
    while i < len(trials):
        message = search.ask()
        if message is None:
            raise ProtocolError(f"replay: the search ended after {i} of {len(trials)} recorded trials.")
        if isinstance(message, Report):
            search.tell([])
            continue
        recorded = list(trials[i : i + len(message.queries)])
        asked = message.queries[: len(recorded)]
        if tuple(trial.query for trial in recorded) != asked:
            raise ProtocolError(
                f"replay: trial {i} was {recorded[0].arch} in the record, the search asks for {asked[0].arch}: "
                "another seed, other hyperparameters or another version."
            )
        if len(recorded) < len(message.queries):
            raise ProtocolError(
                f"replay: the record ends inside a batch of {len(message.queries)} queries; "
                f"replay its first {i} trials."
            )
        if look is not None:
            look(i)
        search.tell(recorded)
        i += len(recorded)
    return search
