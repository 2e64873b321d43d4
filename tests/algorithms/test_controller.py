"""The recurrent controller: its gradient against differences and torch, its draws, its anchor points, Adam."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest

import nassim
from nassim import SearchSpace
from nassim.algorithms.parts.controller import Controller
from nassim.algorithms.parts.tokens import Anchor, Choice, tokens_of
from nassim.algorithms.parts.weights import Adam, Floats, Weights
from nassim.space import Decision


class Places(SearchSpace):
    """Three layers, each with a width and, but the first, bits for the layers before; the third can be absent."""

    groups = ((0,), (1, 2), (3, 4, 5))
    anchors = ((), (2,), (4, 5))
    absent = {3: 2}  # noqa: RUF012

    def __init__(self) -> None:
        bit = ("no", "yes")
        decisions = [("w1", "ab"), ("w2", "ab"), ("1->2", bit), ("w3", "abc"), ("1->3", bit), ("2->3", bit)]
        super().__init__("places", [Decision(name, tuple(options)) for name, options in decisions])


SPACES = {"choices": nassim.get_space("toy"), "anchors": Places(), "input": nassim.get_space("nasbench101")}


def controller(name: str, layers: int = 2, units: int = 5, scale: float = 0.6) -> Controller:
    space = SPACES[name]
    tokens = tokens_of(space, anchored=True)
    return Controller(space, tokens, random.Random(1), units=units, layers=layers, scale=scale)


def objective(one: Controller, archs: list[nassim.Architecture], weights: Floats, entropy: float) -> float:
    said = one.say(archs)
    return float((weights * said.log_probability).mean() + entropy * said.entropy.mean())


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("name", SPACES)
def test_the_gradient_of_the_log_probability_is_its_finite_difference(name: str, layers: int) -> None:
    """Check (a) of the recurrent search: to 1e-6, through time, embeddings and anchor points, with the entropy."""
    one, rng = controller(name, layers), np.random.default_rng(0)
    archs, weights = one.children(6), rng.normal(size=6)
    gradient = one.gradient(one.say(archs), weights, 0.3)
    vector, step = one.weights.vector, 1e-5
    for place in rng.permutation(len(vector))[:150]:
        old = vector[place]
        vector[place] = old + step
        up = objective(one, archs, weights, 0.3)
        vector[place] = old - step
        down = objective(one, archs, weights, 0.3)
        vector[place] = old
        assert gradient[place] == pytest.approx((up - down) / (2 * step), abs=1e-6)
    assert np.count_nonzero(gradient) > 0.9 * len(gradient) or name == "anchors"


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("name", SPACES)
def test_torch_has_the_same_log_probabilities_entropies_and_gradients(name: str, layers: int) -> None:
    """Written again with torch's own cells and automatic gradients, in float64: equal to 1e-8."""
    torch = pytest.importorskip("torch")
    one = controller(name, layers)
    archs, weights = one.children(6), np.random.default_rng(1).normal(size=6)
    said = one.say(archs)
    w = {key: torch.tensor(array, requires_grad=True) for key, array in one.weights.arrays.items()}
    units, n, c = one.units, len(archs), torch.tensor(said.choices)

    def cell(i: int, x, h, memory):  # type: ignore[no-untyped-def]
        order = [g * units + u for g in (0, 1, 3, 2) for u in range(units)]  # torch's gates are i, f, g, o
        matrix, bias = w[f"lstm {i}"][:, order].T, w[f"gates {i}"][order]
        zeros = torch.zeros_like(bias)
        return torch.lstm_cell(x, (h, memory), matrix[:, :units], matrix[:, units:], bias, zeros)

    states = [(torch.zeros(n, units, dtype=torch.float64),) * 2 for _ in range(layers)]
    x, logs, entropy, places = w["begin"].expand(n, units), 0.0, 0.0, []
    for token in one.tokens:
        for i in range(layers):
            states[i] = cell(i, x, *states[i])
            x = states[i][0]
        top = x
        if isinstance(token, Choice):
            drawn = torch.distributions.Categorical(
                logits=torch.nn.functional.linear(top, w[f"head {token.kind}"], w[f"bias {token.kind}"])
            )
            logs, entropy = logs + drawn.log_prob(c[:, token.decision]), entropy + drawn.entropy()
            x = torch.nn.functional.embedding(c[:, token.decision], w[f"embedding {token.kind}"])
            continue
        x = w["begin"].expand(n, units)
        if token.decisions:
            before, bits = torch.stack(places, dim=1), c[:, list(token.decisions)].double()
            inner = torch.tanh(before @ w["past"] + (top @ w["present"])[:, None])
            drawn = torch.distributions.Bernoulli(logits=inner @ w["score"])
            logs, entropy = logs + drawn.log_prob(bits).sum(dim=1), entropy + drawn.entropy().sum(dim=1)
            x = (bits[:, :, None] * before).sum(dim=1) / bits.sum(dim=1).clamp(min=1)[:, None]
        places.append(top)
    assert said.log_probability == pytest.approx(logs.tolist(), abs=1e-8)
    assert said.entropy == pytest.approx(entropy.tolist(), abs=1e-8)
    ((torch.tensor(weights) * logs).mean() + 0.3 * entropy.mean()).backward()
    found = Weights(one.weights.shapes)
    found.vector[:] = one.gradient(said, weights, 0.3)
    for key, tensor in w.items():
        expected = np.zeros(tensor.shape) if tensor.grad is None else tensor.grad.numpy()
        np.testing.assert_allclose(found.arrays[key], expected, rtol=0, atol=1e-8)


def test_adam_is_the_formula_of_its_paper() -> None:
    weights, rng = Weights({"a": (2, 2), "b": (3,)}), np.random.default_rng(4)
    adam, theta, m, v = Adam(weights), np.zeros(7), np.zeros(7), np.zeros(7)
    for t in range(1, 60):
        g = rng.normal(size=7)
        adam.ascend(g, 0.05)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        theta = theta + 0.05 * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        np.testing.assert_allclose(weights.vector, theta, rtol=0, atol=1e-12)


def test_samples_follow_what_the_controller_says_of_them() -> None:
    """All 64 architectures of three layers and the third one's bits: frequencies against probabilities."""
    one = controller("anchors", scale=1.5)
    found = Counter(map(tuple, one.sample(20_000).tolist()))
    space = one.space
    every = [arch for arch in space.architectures() if arch.choices[3] != 2]
    probability = np.exp(one.say(every).log_probability)
    assert len(every) == 64 and probability.sum() == pytest.approx(1.0)
    expected = 20_000 * probability
    counts = np.array([found[arch.choices] for arch in every])
    assert ((counts - expected) ** 2 / expected).sum() < 103.4  # chi-square, 63 degrees, 0.1 %


def test_skips_are_independent_bits_and_every_pattern_is_reached() -> None:
    """Check (e): a sigmoid for each earlier layer, not a softmax over them: no, one or all of them."""
    space = nassim.get_space("nasbench101")
    tokens = tokens_of(space, anchored=True)
    one = Controller(space, tokens, random.Random(0), units=8, layers=1, scale=0.08)
    rows = one.sample(2000)
    for token in tokens:
        assert isinstance(token, Anchor) or len(set(rows[:, token.decision].tolist())) == token.options
        if isinstance(token, Anchor) and token.decisions:
            patterns = set(map(tuple, rows[:, list(token.decisions)].tolist()))
            assert len(patterns) == 2 ** len(token.decisions)
    said = one.say(one.children(1))
    bits = [kept.p for token, kept in zip(tokens, said.kept, strict=True) if isinstance(token, Anchor)]
    assert all(abs(float(p.sum()) - 0.5 * p.size) < 0.2 * p.size for p in bits if p.size), "near one half each"


def test_tokens_are_the_decisions_in_order() -> None:
    assert tokens_of(SPACES["choices"]) == tuple(
        Choice(i, n, i) for i, n in enumerate(SPACES["choices"].radices) if n > 1
    )
    first = tokens_of(SPACES["anchors"], anchored=True, parts=1)
    assert first == (Choice(0, 2, 0), Anchor(()))
    whole = tokens_of(SPACES["anchors"], anchored=True)
    assert whole == (*first, Choice(1, 2, 0), Anchor((2,)), Choice(3, 2, 0), Anchor((4, 5)))  # never absent
    cell = tokens_of(SPACES["input"], anchored=True)
    assert cell[0] == Anchor(()) and [len(t.decisions) for t in cell if isinstance(t, Anchor)] == [0, 1, 2, 3, 4, 5, 6]


def test_fewer_parts_leave_the_others_absent() -> None:
    one = controller("anchors")
    rows = one.sample(50, tokens_of(SPACES["anchors"], anchored=True, parts=2))
    assert set(rows[:, 3].tolist()) == {2} and not rows[:, 4:].any() and rows[:, :3].any()


def test_children_are_valid_and_follow_from_the_seed() -> None:
    space = nassim.get_space("nasbench101")
    tokens = tokens_of(space, anchored=True)
    controllers = [Controller(space, tokens, random.Random(seed), units=8, layers=2, scale=0.08) for seed in (3, 3, 4)]
    made = [one.children(30) for one in controllers]
    assert made[0] == made[1] != made[2]
    assert all(map(space.is_valid, made[0])) and len(made[0]) == 30


def test_the_space_draws_where_a_controller_says_nothing_valid(monkeypatch: pytest.MonkeyPatch) -> None:
    one = controller("input")
    one.weights.arrays["score"][:] = 0.0
    monkeypatch.setattr(one, "sample", lambda count, tokens=None: np.zeros((count, 26), np.intp))
    assert all(map(one.space.is_valid, one.children(4)))
