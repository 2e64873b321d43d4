"""How a strategy that shares weights runs on a benchmark: trained now, replayed, or replayed from other images.

Where the answers come from is a run's mode, printed beside every one-shot curve:

    live      the supernet was trained now
    recorded  an earlier run on the same images is replayed
    proxy     as recorded, but the supernet of the same space learned other images than the benchmark's

A recording serves only if its configuration (hyperparameters, settings of the supernet, hash of the images) is the
one asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from nassim.benchmark import Benchmark
from nassim.choosing import choose
from nassim.errors import Diverged, MissingData, Unsupported
from nassim.registry import benchmarks_with_supernets
from nassim.strategy import Algorithm, Search, Strategy, report, stream
from nassim.supernet import Final, Moment, Recording, Supernets, configuration, counted


class OneShot(NamedTuple):
    """A weight-sharing strategy on a benchmark: how it runs, and what to say beside its curve.

    algorithm: with all hyperparameters in force.
    recording: what is replayed; None where a supernet is trained now.
    published_seconds: of a whole search, charged instead of the recorded seconds; None: those are charged.
    """

    mode: str
    algorithm: Algorithm
    supernets: Supernets
    recording: Recording | None
    published_seconds: float | None

    @property
    def hyperparameters(self) -> dict[str, object]:
        """All hyperparameters in force."""
        return dict(self.algorithm.settings)

    @property
    def configuration(self) -> str:
        """The hash that recordings are told apart by."""
        if self.recording is not None:
            return self.recording.configuration
        return configuration(self.algorithm.name, self.hyperparameters, self.supernets.settings)

    @property
    def seeds(self) -> tuple[int, ...] | None:
        """The seeds that are recorded; None where any seed can be trained."""
        return None if self.recording is None else tuple(sorted(self.recording.runs))

    @property
    def note(self) -> str:
        """One line: whose images, whose seconds."""
        if self.recording is None:
            return f"{self.mode}: the supernet is trained now; seconds are this machine's"
        origin = f"the supernet learned {self.recording.benchmark}'s images, recorded on {self.recording.machine}"
        if self.published_seconds is None:
            return f"{self.mode}: {origin}; seconds are that machine's"
        seconds = f"{self.published_seconds:,.0f} s of {self.supernets.published_source}, evenly over the epochs"
        return f"{self.mode}: {origin}; seconds are the published ones ({seconds})"

    def final(self, seed: int) -> Final | None:
        """The final training of a recorded search; None where none was made."""
        return None if self.recording is None else self.recording.finals.get(seed)

    def begin(self, seed: int, device: str = "auto") -> Strategy:
        """The search of a seed; `MissingData` if it is not recorded."""
        if self.recording is None:
            supernet = self.supernets.make(stream(seed, "training").getrandbits(62), device)
            return self.algorithm.begin(self.supernets.space, stream(seed, "strategy"), supernet=supernet)
        moments = self.recording.runs.get(seed)
        if moments is None:
            raise MissingData(
                f"{self.algorithm.name} is recorded with the seeds {_spans(self.recording.runs)}, not with {seed}. "
                f"{_advice(self.algorithm.name, self.recording.benchmark)}"
            )
        runs, failed = int(str(self.hyperparameters.get("runs", 1))), self.recording.failed.get(seed, "")
        return Strategy(_replayed(moments, self.published_seconds, runs, failed))


def one_shot(algorithm: Algorithm, benchmark: Benchmark, *, live: bool = False) -> OneShot:
    """How a weight-sharing strategy runs on a benchmark.

    `Unsupported` where the benchmark has no supernet; `MissingData` where nothing fitting is recorded.
    """
    own = benchmark.supernets
    if own is None:
        having = ", ".join(benchmarks_with_supernets()) or "no benchmark"
        raise Unsupported(
            f"{algorithm.name} shares weights: it needs a benchmark with a supernet (a network that holds all "
            f"architectures). {benchmark.name} has none: its module would have to give supernets(task). "
            f"There is one for {having}."
        )
    if live:
        return OneShot("live", _configured(algorithm, own), own, None, None)
    for supernets in (own, own.stand_in):
        if supernets is None:
            continue
        chosen = _configured(algorithm, supernets)
        wanted = configuration(chosen.name, chosen.settings, supernets.settings)
        recordings = supernets.recordings(chosen.name, None)
        for recording in recordings:
            if recording.configuration == wanted and recording.serves(chosen.settings):
                if supernets is own:
                    return OneShot("recorded", chosen, own, recording, None)
                return OneShot("proxy", chosen, own, recording, own.published_seconds(chosen.name, chosen.settings))
        # Searches of another program on these very images (`nassim data get nasbench201-recorded`) go before ours on
        # others, where they had the hyperparameters that were asked for; all of theirs are in force and printed.
        for recording in recordings if supernets is own else ():
            if "program" in recording.supernet and algorithm.settings.items() <= recording.hyperparameters.items():
                return OneShot("recorded", algorithm.configured(**recording.hyperparameters), own, recording, None)
    raise MissingData(_nothing_fits(algorithm, own.stand_in or own))


def _configured(algorithm: Algorithm, supernets: Supernets) -> Algorithm:
    return algorithm.configured(**algorithm.hyperparameters(supernets.space, supernets.benchmark))


def _replayed(moments: tuple[Moment, ...], published_seconds: float | None, runs: int, failed: str) -> Search:
    """The reports; where they are of several searches of the same length, then trainings choose of their answers."""
    for moment in moments:
        seconds = moment.seconds if published_seconds is None else published_seconds / len(moments)
        yield from report(moment.arch, seconds, moment.scores, dict(moment.seen))
    if failed:
        raise Diverged(failed)
    if runs > 1:
        length = len(moments) // runs
        yield from choose([moment.arch for moment in moments[length - 1 :: length]])


def _nothing_fits(algorithm: Algorithm, supernets: Supernets) -> str:
    """Why no recording serves: the one that is nearest, and what differs in it."""
    recordings = supernets.recordings(algorithm.name, None)
    advice = _advice(algorithm.name, supernets.benchmark, algorithm.settings)
    if not recordings:
        return f"nothing is recorded of {algorithm.name} on {supernets.benchmark}. {advice}"
    asked = algorithm.hyperparameters(supernets.space, supernets.benchmark)
    wanted = {**counted(asked), **supernets.settings}
    nearest = min((_differences(wanted, {**counted(r.hyperparameters), **r.supernet}) for r in recordings), key=len)
    nearest = nearest or [f"nothing was looked at (hessian_every is not {asked.get('hessian_every')})"]
    return (
        f"no recording of {algorithm.name} on {supernets.benchmark} has this configuration; in the nearest "
        f"{', '.join(nearest)}. {advice}"
    )


def _differences(wanted: Mapping[str, object], had: Mapping[str, object]) -> list[str]:
    return [
        f"{name} is {_short(had.get(name))}, not {_short(wanted.get(name))}"
        for name in {**wanted, **had}
        if wanted.get(name) != had.get(name)
    ]


def _short(value: object) -> str:
    return str(value)[:12]


def _advice(algorithm: str, benchmark: str, settings: Mapping[str, object] | None = None) -> str:
    chosen = "".join(f" --set {name}={value}" for name, value in (settings or {}).items())
    return f"`nassim record {algorithm} --benchmark {benchmark}{chosen}` records it, --live trains it now."


def _spans(seeds: Mapping[int, object]) -> str:
    """``0-9`` for seeds without a gap, else all of them."""
    known = sorted(seeds)
    if len(known) > 1 and known == list(range(known[0], known[-1] + 1)):
        return f"{known[0]}-{known[-1]}"
    return ", ".join(map(str, known))
