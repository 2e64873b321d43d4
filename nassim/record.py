"""Recording the searches of strategies that share weights, and what their supernets are worth."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any, NamedTuple

from nassim import query
from nassim.benchmark import Benchmark
from nassim.errors import Diverged, InvalidSetting, ProtocolError, Unsupported
from nassim.registry import get_algorithm
from nassim.run import final_training
from nassim.space import Architecture, SearchSpace
from nassim.stats.correlation import spearman
from nassim.strategy import Algorithm, stream
from nassim.supernet import Final, Moment, Recording, Scores, Supernet, Supernets

SCORED_SEEDS = 3  # after whose searches cells are scored with the shared weights
Said = Callable[[str], None]


def record(
    strategy: str | Algorithm,
    supernets: Supernets,
    *,
    seeds: int = 10,
    device: str = "auto",
    scored_cells: int = 500,
    folder: Path | None = None,
    final: Benchmark | None = None,
    say: Said = lambda line: None,
) -> Path:
    """Train a strategy's supernet with seeds 0 ... ``seeds``-1 and write what it answered after every epoch.

    After each seed the file is written; seeds that it holds already are not trained again. After the first seeds
    ``scored_cells`` architectures, the same each time, are scored with the shared weights (0: none). ``folder`` None
    is the user's data folder. ``final``, a benchmark that trains, trains each search's last answer once, for replays
    where there is no table to look it up. Returns the file's path.
    """
    algorithm = get_algorithm(strategy) if isinstance(strategy, str) else strategy
    if not algorithm.shares_weights:
        raise Unsupported(f"{algorithm.name} trains no supernet: `nassim run` needs nothing recorded.")
    if seeds < 1 or scored_cells < 0:
        raise InvalidSetting(f"seeds must be at least 1 and scored cells at least 0, not {seeds} and {scored_cells}.")
    algorithm = algorithm.configured(**algorithm.hyperparameters(supernets.space, supernets.benchmark))
    folder = folder or supernets.folder
    recording = Recording(algorithm.name, supernets.benchmark, algorithm.settings, supernets.settings, "", {})
    for known in supernets.recordings(algorithm.name, folder):
        if known.configuration == recording.configuration:
            recording = known
            if not known.serves(algorithm.settings):
                raise InvalidSetting(
                    f"the searches in {folder} were recorded without being looked at: choose another folder with --out."
                )
    path = supernets.write(recording, folder) if recording.runs else folder
    for seed in range(seeds):
        if seed in recording.runs:
            say(f"seed {seed}: is recorded")
            continue
        supernet = supernets.make(stream(seed, "training").getrandbits(62), device)
        if recording.machine not in ("", supernet.machine):
            raise InvalidSetting(
                f"the seeds recorded in {folder} are from another machine ({recording.machine}): seconds of two "
                "machines do not go together. Choose another folder with --out."
            )
        unfinished = folder / f"{recording.configuration[:8]}-{seed}.search"
        moments, failed = _search(algorithm, supernets.space, supernet, seed, unfinished, say)
        recording = replace(
            recording,
            machine=supernet.machine,
            runs={**recording.runs, seed: moments},
            failed={**recording.failed, seed: failed} if failed else recording.failed,
            finals={**recording.finals, seed: _final(final, moments[-1].arch)}
            if final and moments
            else recording.finals,
            scores=recording.scores
            if failed
            else _score(recording.scores, scored_cells, supernets.space, supernet, seed),
        )
        path = supernets.write(recording, folder)
        seconds = sum(moment.seconds for moment in moments)
        answer = moments[-1].arch if moments else "nothing"
        say(f"seed {seed}: {len(moments)} epochs in {seconds:.1f} s, answers {answer}{failed and f'; {failed}'}")
    return path


def _final(benchmark: Benchmark, arch: Architecture) -> Final:
    result, test = final_training(benchmark, arch)
    return Final(result.value, test, result.cost)


def _search(
    algorithm: Algorithm, space: SearchSpace, supernet: Supernet, seed: int, unfinished: Path, say: Said
) -> tuple[tuple[Moment, ...], str]:
    """The reports of a search, and why it failed if it did.

    One that was interrupted goes on from the file that it left after its last epoch.
    """
    told: list[list[object]] = []
    failed = ""
    supernet.keep(unfinished, told)
    if told:
        say(f"seed {seed}: goes on after epoch {len(told)}")
    search = algorithm.begin(space, stream(seed, "strategy"), supernet=supernet)
    while True:
        try:
            message = search.ask()
        except Diverged as error:
            failed = str(error)
            break
        if message is None:
            break
        if isinstance(message, query.Batch) and told and algorithm.settings.get("runs", 1) != 1:
            break  # several searches have ended; the trainings that choose of their answers are made in a replay
        if not isinstance(message, query.Report):
            raise ProtocolError(f"{algorithm.name} asks for trainings: only searches by reports are recorded.")
        shared = supernet.score(supernet.path(space.check(message.arch)))  # after its cost was taken: not charged
        scores = [list(row) for row in message.scores]
        seen = [list(pair) for pair in message.seen]
        told.append([list(message.arch.choices), message.cost, supernet.training_loss(), shared, scores, seen])
        search.tell([])
    unfinished.unlink(missing_ok=True)
    return tuple([_moment(space, *entry) for entry in told]), failed


def _moment(
    space: SearchSpace, choices: Any, seconds: Any, loss: Any, shared: Any, scores: Any, seen: Any = ()
) -> Moment:
    arch = space.check(Architecture(space.name, tuple(choices)))
    rows, pairs = tuple([tuple(row) for row in scores]), tuple([(name, value) for name, value in seen])
    return Moment(arch, seconds, loss, shared, rows, pairs)


def _score(known: Scores | None, count: int, space: SearchSpace, supernet: Supernet, seed: int) -> Scores | None:
    """Score the same cells after every search, as many as the recording began with."""
    if not count or seed >= SCORED_SEEDS:
        return known
    rows = (
        known.cells
        if known
        else sorted(random.Random("scored cells").sample(range(space.size), min(count, space.size)))
    )
    accuracies = tuple(supernet.score(supernet.path(space.at(row))) for row in rows)
    return Scores(tuple(rows), {**(known.accuracies if known else {}), seed: accuracies})


class Report(NamedTuple):
    """What a recording says of a strategy on a benchmark in its space; shares, accuracies: fractions.

    learned: the benchmark whose images the supernet learned; another one where a recording is a proxy.
    skip_share, none_share: per epoch, of the answers' decisions that are skip connections, or `none`, mean over the
    seeds.
    valid: mean accuracies of the final answers. rank, top_rank: Spearman's correlation between shared-weight
    and tabulated accuracy over the scored cells, and over their best tenth by the table; one a scored seed.
    """

    strategy: str
    learned: str
    failed: int  # searches that diverged, which the other fields leave out
    hyperparameters: dict[str, object]
    seeds: int
    seconds_an_epoch: float
    skip_share: list[float]
    none_share: list[float]
    answers: list[str]
    valid: list[float]
    rank: list[float]
    top_rank: list[float]


def reports(benchmark: Benchmark, strategies: Sequence[str]) -> list[Report]:
    """What the recordings on a benchmark's own images say of strategies; where there are none, those that stand in."""
    supernets = benchmark.supernets
    if supernets is None:
        raise Unsupported(f"{benchmark.name} has no supernet.")
    found: list[Recording] = []
    for name in strategies:
        own = supernets.recordings(name, None)
        found += own or ([] if supernets.stand_in is None else supernets.stand_in.recordings(name, None))
    return [_report(benchmark, recording) for recording in found if len(recording.failed) < len(recording.runs)]


def _report(benchmark: Benchmark, recording: Recording) -> Report:
    space, runs = benchmark.space, [run for seed, run in recording.runs.items() if seed not in recording.failed]
    answers = [run[-1].arch for run in runs]
    rank, top_rank = [], []
    if recording.scores is not None:
        tabulated = [benchmark.mean_accuracy(space.at(row)) for row in recording.scores.cells]
        best = sorted(range(len(tabulated)), key=tabulated.__getitem__)[-max(2, len(tabulated) // 10) :]
        for shared in recording.scores.accuracies.values():
            rank.append(spearman(shared, tabulated))
            top_rank.append(spearman([shared[i] for i in best], [tabulated[i] for i in best]))
    return Report(
        strategy=recording.algorithm,
        learned=recording.benchmark,
        failed=len(recording.failed),
        hyperparameters=dict(recording.hyperparameters),
        seeds=len(runs),
        seconds_an_epoch=mean(moment.seconds for run in runs for moment in run),
        skip_share=_by_epoch(space, runs, "skip"),
        none_share=_by_epoch(space, runs, "none"),
        answers=[str(arch) for arch in answers],
        valid=[benchmark.mean_accuracy(arch) for arch in answers],
        rank=rank,
        top_rank=top_rank,
    )


def _by_epoch(space: SearchSpace, runs: Sequence[Sequence[Moment]], word: str) -> list[float]:
    """Searches that stopped early keep their last answer."""
    longest = max(map(len, runs))
    return [
        mean(option_share(space, run[min(epoch, len(run) - 1)].arch, word) for run in runs) for epoch in range(longest)
    ]


def option_share(space: SearchSpace, arch: Architecture, word: str) -> float:
    """Of an architecture's decisions that offer it, the share whose option has a word in its name, such as ``skip``."""
    decided = zip(space.decisions, arch.choices, strict=True)
    chosen = [word in d.options[choice] for d, choice in decided if any(word in option for option in d.options)]
    return sum(chosen) / len(chosen) if chosen else 0.0
