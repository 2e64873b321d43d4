"""Why a typical run tried what it tried: the state of its strategy, read while it is told its trials again.

A strategy is a generator that follows from its seed, so a replay brings back the local variables of its loop at every
query. They are read (`nassim.report.reasons`), nothing is computed anew; a replay that asks for anything else than the
record shows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from nassim.benchmark import Benchmark
from nassim.errors import NassimError
from nassim.outlook import searched_for
from nassim.packing import TrialRow
from nassim.patience import Overdue, watched
from nassim.query import Query, Result, Trial
from nassim.registry import get_algorithm
from nassim.replay import replay
from nassim.report.analysis import Analysis
from nassim.report.reasons import Promise, Why, reader
from nassim.report.runs import Part
from nassim.space import SearchSpace
from nassim.stats import Finding
from nassim.store import RunEnd
from nassim.strategy import Algorithm, Strategy, stream
from nassim.trace import FROM_SCRATCH

MOST_STEPS, LARGEST, SECONDS = 1000, 10_000, 20.0  # queries, values of a hyperparameter, of the host


def why(
    analysis: Analysis, part: Part, run: RunEnd, rows: Sequence[TrialRow], space: SearchSpace | None, most: int
) -> Finding[Why]:
    """What can be shown of a run's reasons, or why nothing can; ``most`` numbers are kept of what is long."""
    named = analysis.study.algorithms.get(run.strategy, run.strategy)
    obstacle = _obstacle(part, run, rows, space)
    if obstacle or space is None:
        return Finding(None, obstacle or "its space is not known here.")
    try:
        algorithm = get_algorithm(named)
        read = reader(algorithm, run, space, len(rows), most)
        if read is None:
            return Finding(None, "its loop has no parent, policy or acquisition that could be shown.")
        sought = [analysis.study.settings.get(key) for key in ("objectives", "constraint")]
        if any(sought) and isinstance(read.found, Promise):  # more counts than improvement of the value
            read.found = read.found._replace(called="acquisition, a logarithm")
        search = _begin(analysis, part, algorithm, run, space)
        trials = [_trial(row, space) for row in rows]
        with watched(SECONDS, lambda: 0):
            replay(search, trials, lambda i: read.look(trials, i, _locals(search)))
    except Overdue:
        return Finding(None, f"its search was not brought back within {SECONDS:g} s.")
    except (NassimError, ImportError) as error:
        return Finding(None, f"its search cannot be brought back: {error}")
    except Exception as error:  # noqa: BLE001  # of a strategy's own code
        return Finding(None, f"its search cannot be brought back: {type(error).__name__}: {error!s:.200}")
    with suppress(Exception):
        search.search.close()
    return Finding(read.found)


def _obstacle(part: Part, run: RunEnd, rows: Sequence[TrialRow], space: SearchSpace | None) -> str:
    if run.mode not in ("black-box", FROM_SCRATCH):
        return "it shares weights: what moved them is not in the record."
    if not rows:
        return "its typical run made no query."
    if part.workers > 1:
        return "searches are brought back on one worker only."
    if len(rows) > MOST_STEPS:
        return f"its run has {len(rows):,} queries, and searches are brought back up to {MOST_STEPS:,}."
    if any(isinstance(value, int) and value > LARGEST for value in run.hyperparameters.values()):
        return f"searches with hyperparameters above {LARGEST:,} are not brought back."
    if any(r.origin or r.inherit for r in rows):
        return "its trainings go on from others."
    return ""


def _begin(analysis: Analysis, part: Part, algorithm: Algorithm, run: RunEnd, space: SearchSpace) -> Strategy:
    settings = analysis.study.settings
    configured = algorithm.configured(**run.hyperparameters)
    objectives, constraint = str(settings.get("objectives", "")), str(settings.get("constraint", ""))
    options: dict[str, Any] = {"horizon": settings.get("plans", {}).get(part.name)}
    benchmark = analysis.benchmark(part.name)
    if isinstance(benchmark, Benchmark):
        options["measure"] = lambda arch: benchmark.measure(arch)
        options["objectives"], options["constraint"] = searched_for(benchmark, objectives, constraint)
    return configured.begin(space, stream(run.seed, "strategy"), **options)


def _trial(row: TrialRow, space: SearchSpace) -> Trial:
    arch = space.parse(row.architecture)
    query = Query(arch, row.asked_epochs, row.metric)
    result = Result(row.value, row.epochs, row.cost_seconds, row.extras or {}, row.training, row.paid_epochs)
    return Trial(query, result, row.started_seconds, row.finished_seconds, row.worker)


def _locals(search: Strategy) -> Mapping[str, Any]:
    frame = getattr(search.search, "gi_frame", None)
    return {} if frame is None else dict(frame.f_locals)
