"""ASHA on any number of workers, held against a queue of events written out."""

from __future__ import annotations

import heapq
import itertools
import math
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

import nassim
from nassim.query import Batch, Query, Trial
from nassim.space import Architecture, SearchSpace
from nassim.strategy import stream
from nassim.tabular_data.recipe import Recipe
from nassim.tabular_data.recipes import natsbench_topology
from nassim.testing.problems import Answers

ASHA = nassim.get_algorithm("asha")
WORKERS = (1, 2, 4, 9, 25)
MODES = ("promotion", "stopping")
KNOWN = ("111020", "334034", "421211")  # cells of NATS-Bench that are at hand


def runs(mode: str, workers: int, budget: str = "200q", seed: int = 0) -> nassim.Run:
    return nassim.run(ASHA.configured(mode=mode), "toy/additive", budget, seed=seed, workers=workers)


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("mode", MODES)
def test_no_worker_idles_before_the_end(mode: str, workers: int) -> None:
    trials = runs(mode, workers).trials
    assert len(trials) == 200
    last = max(trial.started for trial in trials)
    for worker in range(workers):
        own = sorted((t.started, t.finished) for t in trials if t.worker == worker)
        assert own[0][0] == 0.0 and own[-1][1] >= last
        assert all(end == begin for (_, end), (begin, _) in itertools.pairwise(own))


@pytest.mark.parametrize("workers", WORKERS)
def test_never_more_than_their_share_is_promoted(workers: int) -> None:
    """And each that is promoted is among the best floor(n / 3) of what has ended when it is."""
    for seed in range(3):  # no two trainings of digits end at the same moment
        trials = nassim.run(ASHA, "nasbench201/digits", "300q", seed=seed, workers=workers).trials
        for low, high in ((1, 3), (3, 4)):
            promotions = sorted((t for t in trials if t.result.epochs == high), key=lambda t: t.started)
            assert promotions
            for count, trial in enumerate(promotions, start=1):
                ended = [t.value for t in trials if t.result.epochs == low and t.finished <= trial.started]
                share = len(ended) // 3
                (value,) = {t.value for t in trials if t.result.training == trial.query.origin}
                assert count <= share
                assert value in sorted(ended, reverse=True)[:share]


def test_a_late_better_one_waits_until_the_rung_has_grown() -> None:
    """What the first departure says: the paper would promote the fourth at once."""
    values = iter([0.5, 0.4, 0.3, 0.9, 0.2, 0.1, 0.0, 0.0])

    class Rising(SearchSpace):
        def sample(self, rng: random.Random) -> Architecture:
            return self.at(next(numbers))

    numbers, toy = itertools.count(), nassim.get_space("toy")
    space = Rising("toy", toy.decisions)
    known = {space.at(number): value for number, value in enumerate(values)}
    trials = nassim.run("asha", Answers("order", space, known.__getitem__), "9q").trials
    assert [(space.index(t.arch), t.result.epochs) for t in trials] == [
        *((number, 1) for number in range(3)),
        (0, 3),
        *((number, 1) for number in range(3, 6)),
        (3, 3),
        (6, 1),
    ]


@pytest.mark.parametrize("workers", WORKERS)
def test_in_stopping_what_goes_on_goes_on_at_once_and_from_the_best_third(workers: int) -> None:
    trials = runs("stopping", workers, "300q").trials
    for low, high in ((1, 3), (3, 9)):
        reached = [t for t in trials if t.result.epochs == low]
        went = {t.query.origin: t for t in trials if t.result.epochs == high}
        assert went
        for place, trial in enumerate(reached):
            here = [t.value for t in reached[: place + 1]]
            keeps = sum(value > trial.value for value in here) / len(here) <= 1 / 3
            later = [t for t in trials if t.query.origin == trial.result.training and t.started == trial.finished]
            if keeps and trial.finished < trials[-1].started:
                assert later
            elif not keeps:
                assert not [t for t in later if t.worker == trial.worker and t.arch == trial.arch]


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("mode", MODES)
def test_a_queue_of_events_gives_the_same_rungs(mode: str, workers: int) -> None:
    """A scheduler of a few lines, to which the run's trials are answers: the search asks for the same."""
    benchmark = nassim.get_benchmark("toy/additive")
    run = runs(mode, workers)
    search = ASHA.configured(mode=mode).begin(benchmark.space, stream(0, "strategy"), fidelities=(1, 3, 9))
    noise, now, order = stream(0, "noise"), 0.0, 0
    events: list[tuple[float, int, Trial]] = []
    ended: list[Trial] = []
    news: list[Trial] = []
    while order < 200:
        message = search.ask()
        assert isinstance(message, Batch)
        (query,) = message.queries
        result = benchmark.query(query, noise)
        heapq.heappush(events, (now + result.cost, order, Trial(query, result, now, now + result.cost, 0)))
        order += 1
        if len(events) == workers:
            now, _, trial = heapq.heappop(events)
            news.append(trial)
        search.tell(news)
        ended, news = ended + news, []
    ended += [heapq.heappop(events)[2] for _ in range(len(events))]
    assert [(t.query, t.result, t.started, t.finished) for t in ended] == [
        (t.query, t.result, t.started, t.finished) for t in run.trials
    ]


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("mode", MODES)
def test_what_is_charged_is_what_workers_were_busy_for(mode: str, workers: int) -> None:
    run = runs(mode, workers)
    assert sum(trial.result.cost for trial in run.trials) == pytest.approx(run.worker_seconds)
    assert run.restarted == 0 and run.epochs == sum(trial.result.paid for trial in run.trials)
    for last in (trial for trial in run.trials if trial.result.epochs == 9):
        parts = {
            trial.result.training: trial.result.cost
            for trial in run.trials
            if trial.result.training.rpartition("/")[0] == last.result.training.rpartition("/")[0]
        }
        assert len(parts) == 3
        assert sum(parts.values()) == pytest.approx(9 * (10 + sum(last.arch.choices)))


def test_of_a_rung_one_in_eta_goes_on() -> None:
    counts = Counter(trial.result.epochs for trial in runs("promotion", 4, "1000q").trials)
    assert counts[3] == pytest.approx(counts[1] / 3, abs=5)
    assert counts[9] == pytest.approx(counts[3] / 3, abs=5)


def test_where_rungs_fall_together_one_in_eta_squared_goes_on() -> None:
    """NAS-Bench-201's 12 and 200 epochs."""
    benchmark = Answers("two", nassim.get_space("nasbench201"), lambda arch: math.sin(sum(arch.choices)))
    benchmark.fidelities, benchmark.epochs = (12, 200), 200
    run = nassim.run("asha", benchmark, "100q")
    assert [trial.result.epochs for trial in run.trials] == 10 * ([12] * 9 + [200])
    assert run.restarted == 10


def test_a_decision_uses_nothing_that_has_not_ended() -> None:
    """The same search with other answers to what ends later asks for the same until then."""
    space = nassim.get_space("toy")
    first = nassim.run("asha", Answers("one", space, lambda arch: sum(arch.choices) / 8), "60q", workers=7)
    moment = first.trials[30].finished
    late = {t.query for t in first.trials if t.finished > moment} - {t.query for t in first.trials[:31]}

    class Other(Answers):
        def query(self, query: Query, rng: random.Random) -> nassim.Result:
            result = super().query(query, rng)
            return result._replace(value=0.0) if query in late else result

    other = nassim.run("asha", Other("other", space, lambda arch: sum(arch.choices) / 8), "60q", workers=7)
    assert late
    begun = [[(t.query, t.started) for t in run.trials if t.started <= moment] for run in (first, other)]
    assert begun[0] == begun[1]


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_on_a_curve_of_natsbench_a_training_pays_as_one_that_is_not_interrupted(
    mode: str, genuine: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the three cells of a release that are at hand."""
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    name = "NATS-tss-v1_0-3ffb9-simple"
    Recipe.of(natsbench_topology).import_from(genuine(f"D-X-Y/NATS-Bench/*/fake_torch_dir/{name}"))
    benchmark = nassim.get_benchmark("natsbench-topology/cifar10:curve", "repeat=1")
    known = [benchmark.space.parse(text) for text in KNOWN]
    monkeypatch.setattr(benchmark.space, "sample", lambda rng: rng.choice(known))
    run = nassim.run(ASHA.configured(mode=mode), benchmark, "800q", workers=3)
    assert {trial.result.epochs for trial in run.trials} == {1, 3, 9, 27, 81, 200} and run.restarted == 0
    paid = {1: 1, 3: 2, 9: 6, 27: 18, 81: 54, 200: 119}
    cost = {}
    for trial in run.trials:
        assert trial.result.paid == paid[trial.result.epochs]
        cost[trial.arch, trial.result.epochs] = trial.result.cost
    for arch in {arch for arch, epochs in cost if epochs == 200}:
        whole = benchmark.query(Query(arch, 200), random.Random(0)).cost
        assert sum(cost[arch, epochs] for epochs in paid) == pytest.approx(whole)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_better_than_random_search_in_equal_seconds_on_eight_workers(mode: str, genuine_data: Path) -> None:
    """On the table that has results after 12 epochs."""
    benchmark = nassim.get_benchmark("nasbench201/cifar10")
    ours, chance = (
        np.array([nassim.run(algorithm, benchmark, "30000s", seed=seed, workers=8).best.valid for seed in range(30)])
        for algorithm in (ASHA.configured(mode=mode), nassim.get_algorithm("rs"))
    )
    assert mannwhitneyu(ours, chance, alternative="greater").pvalue < 0.01
