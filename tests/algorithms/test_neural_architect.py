"""Neural Architect: embedding, gradients, masks, predictors, the share that is trained, limits."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest

import nassim
from nassim.algorithms.parts.encoder import Encoder, drawn
from nassim.algorithms.parts.limits import Rewards, excess, penalty, refuse_unmet
from nassim.algorithms.parts.proposals import Proposals
from nassim.algorithms.parts.simulated import Simulation
from nassim.algorithms.parts.transformer import Transformer
from nassim.algorithms.parts.weights import Floats, Weights
from nassim.errors import InvalidSetting
from nassim.objectives import Constraint
from nassim.query import Query, Trial
from nassim.stats.correlation import spearman

ARCHITECT = nassim.get_algorithm("neural_architect")
CELLS, GRAPHS = nassim.get_space("nasbench201"), nassim.get_space("nasbench101")


def trained(benchmark: nassim.Benchmark, count: int, seed: int) -> list[Trial]:
    rng = random.Random(seed)
    archs = [benchmark.space.sample(rng) for _ in range(count)]
    return [Trial(Query(arch), benchmark.query(Query(arch), rng), 0.0, 0.0, 0) for arch in archs]


def test_the_order_of_attributes_does_not_change_a_layers_embedding() -> None:
    """And equal layers are embedded alike wherever they stand; the place is the encoder's."""
    for space in (nassim.get_space("chain"), GRAPHS):
        encoder, rng = Encoder(space, 6), random.Random(0)
        weights = Weights(encoder.shapes)
        drawn(weights, rng, 1.0)
        layer = space.groups[4]
        attributes = {decision: rng.randrange(space.radices[decision]) for decision in layer}
        found = encoder.embedding(weights, 4, attributes)
        for _ in range(5):
            shuffled = dict(rng.sample(sorted(attributes.items()), len(attributes)))
            np.testing.assert_allclose(encoder.embedding(weights, 4, shuffled), found, rtol=0, atol=1e-12)
        other = {**attributes, layer[0]: (attributes[layer[0]] + 1) % space.radices[layer[0]]}
        assert np.abs(encoder.embedding(weights, 4, other) - found).max() > 1e-3
    chain = nassim.get_space("chain")
    encoder = Encoder(chain, 6)
    weights = Weights(encoder.shapes)
    drawn(weights, random.Random(1), 1.0)
    alike = [
        encoder.embedding(weights, i, dict(zip(chain.groups[i][:5], (1, 2, 0, 1, 3), strict=True))) for i in (0, 3)
    ]
    np.testing.assert_array_equal(*alike)


def differences(vector: Floats, value: Callable[[], float], gradient: Floats) -> None:
    step = 1e-5
    for place in np.random.default_rng(0).permutation(len(vector))[:120]:
        old = vector[place]
        vector[place] = old + step
        up = value()
        vector[place] = old - step
        down = value()
        vector[place] = old
        assert gradient[place] == pytest.approx((up - down) / (2 * step), abs=1e-6)
    assert np.abs(gradient).max() > 1e-4


@pytest.mark.parametrize("space", [CELLS, GRAPHS], ids=["cells", "graphs"])
def test_gradients_of_the_predictors_are_finite_differences(space: nassim.SearchSpace) -> None:
    simulation, rng = Simulation(space, random.Random(0), units=4), random.Random(1)
    archs = [space.sample(rng) for _ in range(5)]
    wanted = np.random.default_rng(2).normal(size=(5, 2))
    gradient = simulation.gradient(archs, wanted)
    differences(simulation._weights.vector, lambda: -simulation.loss(archs, wanted), gradient)


@pytest.mark.parametrize("space", [CELLS, GRAPHS], ids=["cells", "graphs"])
def test_gradients_of_the_policy_are_finite_differences(space: nassim.SearchSpace) -> None:
    policy, rng = Transformer(space, random.Random(0), units=4), random.Random(1)
    archs = [space.sample(rng) for _ in range(5)]
    move, gains, possible = policy.transform(archs), np.random.default_rng(2).normal(size=5), policy.possible(archs)

    def value() -> float:
        p = policy.probabilities(archs, possible)[1]
        return float((gains * np.log(p[np.arange(5), move.chosen])).mean())

    differences(policy._weights.vector, value, policy.gradient(move, gains))


def test_invalid_transformations_are_masked() -> None:
    policy, rng = Transformer(GRAPHS, random.Random(0), units=4), random.Random(1)
    archs = [GRAPHS.sample(rng) for _ in range(20)]
    for _ in range(5):
        possible = policy.possible(archs)
        p = policy.probabilities(archs, possible)[1]
        assert (p[~possible] == 0).all() and p.sum(axis=1) == pytest.approx(1.0)
        results = policy.transform(archs).results
        for before, after in zip(archs, results, strict=True):
            changed = [a != b for a, b in zip(before.choices, after.choices, strict=True)]
            assert GRAPHS.is_valid(after) and sum(changed) == 1
        archs = results


def test_a_policy_learns_which_transformations_gain() -> None:
    """Rewarded is operation 3 wherever it stands: after some episodes transformations lead there."""
    policy, rng = Transformer(CELLS, random.Random(0), units=8), random.Random(1)

    def reward(archs: list[nassim.Architecture]) -> Floats:
        return np.array([sum(c == 3 for c in arch.choices) for arch in archs], float)

    gained = []
    for _ in range(80):
        archs = [CELLS.sample(rng) for _ in range(16)]
        move = policy.transform(archs)
        gained.append(reward(move.results) - reward(archs))
        policy.learn([move], (gained[-1] - np.mean(gained))[None], 0.02)
    assert np.mean(gained[:5]) < 0.3 and np.mean(gained[-5:]) > 0.7


def test_predictors_rank_held_out_cells_after_a_hundred_trainings() -> None:
    """Spearman's correlation above 0.6 for accuracies of NAS-Bench-201, and for seconds."""
    benchmark = nassim.get_benchmark("nasbench201/cifar10")
    simulation = Simulation(benchmark.space, random.Random(0), units=24)
    simulation.fit(trained(benchmark, 100, seed=3), steps=100, rate=0.01)
    held_out = trained(benchmark, 400, seed=4)
    values, seconds = simulation.predict([trial.arch for trial in held_out])
    assert spearman(values, [benchmark.mean_accuracy(trial.arch) for trial in held_out]) > 0.6
    assert spearman(seconds, [trial.result.cost for trial in held_out]) > 0.6


@pytest.mark.slow
def test_at_most_the_share_is_trained_and_the_run_says_it() -> None:
    for share in (0.3, 0.15):
        run = nassim.run(ARCHITECT.configured(real_share=share), "toy/additive", "50q", seed=1)
        match = [int(word.replace(",", "")) for word in run.note.split() if word.replace(",", "").isdigit()]
        count, proposed = match[:2]
        assert count == len(run.trials) == 50
        assert share * proposed + 5 >= 50 and count / proposed <= share + 5 / proposed
        assert f"at most {100 * share:g} %" in run.note and "predicted" in run.note


def test_no_prediction_is_a_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every value of the trace was answered by the benchmark, whatever is predicted."""
    monkeypatch.setattr(Simulation, "predict", lambda self, archs: (np.full(len(archs), 0.123), np.ones(len(archs))))
    benchmark = nassim.get_benchmark("toy/additive", "mean")
    trials = nassim.run(ARCHITECT, benchmark, "60q").trials
    assert len(trials) == 60
    assert all(trial.value == benchmark.mean_accuracy(trial.arch) != 0.123 for trial in trials)


def test_batches_wait_for_proposals_and_the_last_are_beyond_the_share() -> None:
    proposals, space = Proposals(0.25, 10, 5, 40), nassim.get_space("toy")
    rng = random.Random(0)
    due = []
    trained = 20
    for _ in range(12):
        proposals.add([space.sample(rng) for _ in range(16)])
        due.append(proposals.due(trained))
        trained += due[-1]
    # 30 of 120 proposals (the eighth addition makes 128), 35 of 140, then the last five, beyond the share.
    assert due == [0, 0, 0, 0, 0, 0, 0, 10, 5, 5, 0, 0] and trained == 40
    assert 35 <= 0.25 * 144 < 40


def test_the_last_are_those_that_are_predicted_best() -> None:
    space = nassim.get_space("toy")
    proposals = Proposals(0.3, 10, 3, 100)
    archs = [space.at(i) for i in range(30)]
    proposals.add(archs)
    trials = [Trial(Query(arch), nassim.Result(0.5, 1, 1.0, {}), 0, 0, 0) for arch in archs[25:]]
    best = proposals.best(3, trials, lambda given: np.array([space.index(arch) for arch in given], float))
    assert best == [space.at(24), space.at(23), space.at(22)]


def test_rewards_fall_beyond_a_limit() -> None:
    bound = Constraint("parameters", "<=", 100.0, "")
    assert excess(bound, {"parameters": 100.0}) == 0 and excess(bound, {"parameters": 150.0}) == pytest.approx(0.5)
    assert excess(bound, {}) == float("inf") == excess(bound, {"parameters": float("nan")})
    least = Constraint("parameters", ">=", 100.0, "")
    assert excess(least, {"parameters": 50.0}) == pytest.approx(1.0) and excess(least, {"parameters": 100.0}) == 0
    assert penalty(0.0, 0.9) == 1.0 and penalty(0.1, 0.9) == pytest.approx(0.9) and penalty(float("inf"), 0.9) == 0.0
    arch = CELLS.at(0)
    reward = Rewards(lambda _: {"parameters": 110.0}, bound, 10.0, 0.9)
    assert reward([arch], [0.5], [10.0])[0] == pytest.approx(0.45)
    assert reward([arch], [0.5], [11.0])[0] == pytest.approx(0.405)
    assert reward([arch], [-2.0], [10.0])[0] == pytest.approx(-2.0 / 0.9)


@pytest.mark.slow
def test_a_tighter_limit_gives_a_smaller_network() -> None:
    """Parameters of the answer, and of what is trained, with ever tighter limits on NAS-Bench-201."""
    answers, means = [], []
    for limit in ("1300k", "700k", "300k"):
        run = nassim.run(ARCHITECT, "nasbench201/digits", "60q", constraint=f"parameters<={_scaled(limit)}")
        sizes = [trial.result.extras["parameters"] for trial in run.trials[20:]]
        means.append(np.mean(sizes))
        answers.append(next(t.result.extras["parameters"] for t in run.trials if t.arch == run.best.arch))
        assert answers[-1] <= float(_scaled(limit))
    assert means[0] > means[1] > means[2] and answers[0] > answers[2]


def _scaled(limit: str) -> str:
    """A limit for the full networks, for those of digits, whose largest has fewer parameters."""
    benchmark = nassim.get_benchmark("nasbench201/digits")
    largest = benchmark.measure(CELLS.parse("333333"))["parameters"]
    return f"{float(limit[:-1]) / 1300 * largest:.0f}"


@pytest.mark.slow
def test_a_limit_on_seconds_is_kept_by_prediction() -> None:
    free, bound = (
        nassim.run(ARCHITECT.configured(slowest=slowest, severity=0.1), "nasbench201/cifar10", "80q")
        for slowest in (None, 1500.0)
    )
    costs = [np.mean([trial.result.cost for trial in run.trials[40:]]) for run in (free, bound)]
    assert costs[1] < 0.85 * costs[0]


def test_limits_that_no_network_meets_are_one_line() -> None:
    benchmark = nassim.get_benchmark("nasbench201/digits")
    nothing = Constraint("parameters", "<=", 10.0, "")
    with pytest.raises(
        InvalidSetting, match=r"none of 2\d\d networks of nasbench201 keeps to parameters<=10;"
    ) as caught:
        refuse_unmet("x", CELLS, random.Random(0), benchmark.measure, nothing)
    assert "\n" not in str(caught.value) and "the nearest has" in str(caught.value)
    with pytest.raises(InvalidSetting, match="none of the 15,625 architectures of nasbench201/digits keeps to"):
        nassim.run(ARCHITECT, "nasbench201/digits", "40q", constraint="parameters<=10")  # of a table that is exact
    least = benchmark.measure(CELLS.at(0))["parameters"]
    bound = Constraint("parameters", "<=", least, "")
    refuse_unmet("x", CELLS, random.Random(0), benchmark.measure, bound)  # few have it: they are found by steps


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"real_share": 0.0}, "real_share=0"),
        ({"real_share": 1.5}, "at most 1"),
        ({"severity": 0.0}, "severity=0"),
        ({"batch": 41}, "batch=41 is more than the 40 trainings"),
    ],
)
def test_settings_that_cannot_be_are_one_line(settings: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidSetting, match=message):
        nassim.run(ARCHITECT.configured(**settings), "toy/additive", "40q")


def test_the_share_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    from nassim.cli.main import main

    with pytest.raises(SystemExit):
        main(["run", "neural_architect", "toy/additive", "--budget", "40q"])
    assert "proposals are really trained (" in " ".join(capsys.readouterr().out.split())
