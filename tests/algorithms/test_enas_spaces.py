"""ENAS' controllers in its own spaces: probabilities, skips and their penalty, and searches from end to end."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pytest

import nassim
from nassim.benchmarks.spaces.darts import SPACE as DARTS
from nassim.benchmarks.spaces.enas import MACRO_SPACE, MICRO_SPACE
from nassim.benchmarks.spaces.enas_network import LAYERS, MICRO
from nassim.query import Report
from nassim.space import Architecture, SearchSpace

torch = pytest.importorskip("torch")

from nassim.full_training.images.data import ImageData, Split  # noqa: E402
from nassim.full_training.relaxations.attention import (  # noqa: E402
    MACRO_TANH,
    Attentive,
    MacroController,
    MicroController,
    controller_of,
    divergence,
)
from nassim.full_training.relaxations.controller import (  # noqa: E402
    SKIP_TARGET,
    Controller,
    MovingAverage,
    Samples,
    descend,
    policy_loss,
)
from nassim.full_training.supernets.trainer import SharedNetwork  # noqa: E402
from nassim.full_training.training.recipe import Recipe  # noqa: E402


def test_each_layout_has_its_controller() -> None:
    rng = random.Random(0)
    kinds = [type(controller_of(space.layout, rng)) for space in (MACRO_SPACE, MICRO_SPACE, DARTS)]
    assert kinds == [MacroController, MicroController, Controller]


@pytest.mark.parametrize("space", [MACRO_SPACE, MICRO_SPACE], ids=lambda space: space.name)
def test_it_draws_architectures_of_the_space_with_their_probability(space: SearchSpace) -> None:
    controller = controller_of(space.layout, random.Random(0))
    with torch.no_grad():
        drawn = controller.sample(300)
    assert all(space.is_valid(Architecture(space.name, choices)) for choices in drawn.choices)
    assert all(math.isfinite(x) for x in drawn.log_probability.tolist())
    # Minus the log-probability is on average the entropy, whatever the distribution is.
    off = (-drawn.log_probability - drawn.entropy).numpy()
    assert abs(float(np.mean(off))) < 4 * float(np.std(off)) / 300**0.5 + 1e-3
    uniform = math.log(space.size)
    assert 0.9 * uniform < float(drawn.entropy.mean()) <= uniform + 1e-3  # it begins near the uniform distribution


def test_the_two_logits_of_a_skip_are_minus_q_and_q(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    draw = Attentive.draw

    def kept(self: Attentive, logits: Any, drawn: Any) -> Any:
        seen.append(logits.detach())
        return draw(self, logits, drawn)

    monkeypatch.setattr(Attentive, "draw", kept)
    controller = controller_of(MACRO_SPACE.layout, random.Random(1))
    with torch.no_grad():
        for parameter in controller.parameters():
            parameter.mul_(20)
    controller.sample(3)
    skips = [logits for logits in seen if logits.ndim == 3]
    assert [logits.shape[1] for logits in skips] == list(range(1, LAYERS))
    for logits in skips:
        torch.testing.assert_close(logits[..., 0], -logits[..., 1])
        assert 0.0 < float(logits.abs().max()) <= MACRO_TANH
    assert len(seen) - len(skips) == LAYERS and all(x.abs().max() <= MACRO_TANH / 2.5 for x in seen if x.ndim == 2)


def test_the_penalty_is_the_divergence_from_the_wanted_share() -> None:
    at = math.log(SKIP_TARGET / (1 - SKIP_TARGET))
    assert float(divergence(torch.tensor([-at, at]))) == pytest.approx(0.0, abs=1e-6)
    p = 1 / (1 + math.exp(-1.0))
    expected = (1 - p) * math.log((1 - p) / 0.6) + p * math.log(p / 0.4)
    assert float(divergence(torch.tensor([-1.0, 1.0]))) == pytest.approx(expected, rel=1e-5)
    samples = Samples([(0,)], torch.tensor([-1.0]), torch.zeros(1), torch.tensor([2.0]))
    assert float(policy_loss(samples, [0.5])) == pytest.approx(0.5 + 0.8 * 2.0)


@pytest.mark.slow
def test_the_penalty_alone_leads_to_the_wanted_share_of_skips() -> None:
    controller = controller_of(MACRO_SPACE.layout, random.Random(2))
    adam = torch.optim.Adam(controller.parameters(), 0.01)
    before = float(controller.sample(32).penalty.detach().mean())  # type: ignore[union-attr]
    for _ in range(30):
        samples = controller.sample(8)
        descend(policy_loss(samples, [0.0] * 8), adam)
    after = controller.sample(100)
    assert after.penalty is not None and float(after.penalty.detach().mean()) < 0.1 * before
    bits = [
        c
        for choices in after.choices
        for c, d in zip(choices, MACRO_SPACE.decisions, strict=True)
        if len(d.options) == 2
    ]
    # Logits are q and -q: a bit's sigmoid is 0.4, its probability in the softmax of both 0.31.
    share = 0.4**2 / (0.4**2 + 0.6**2)
    assert np.mean(bits) == pytest.approx(share, abs=0.05)


def test_the_first_cell_prefers_separable_convolutions() -> None:
    controller = controller_of(MICRO_SPACE.layout, random.Random(3))
    with torch.no_grad():
        drawn = controller.sample(400)
    shares = []
    for cell in range(2):
        operations = [c for choices in drawn.choices for c in choices[20 * cell + 1 : 20 * cell + 20 : 2]]
        shares.append(np.mean([MICRO[o].startswith("sep") for o in operations]))
    assert shares[0] > shares[1] + 0.05 > 2 / 5 + 0.05


@pytest.mark.slow
@pytest.mark.parametrize("space", [MACRO_SPACE, MICRO_SPACE], ids=lambda space: space.name)
def test_what_was_better_becomes_likelier(space: SearchSpace) -> None:
    controller, baseline = controller_of(space.layout, random.Random(4)), MovingAverage(0.9)
    adam = torch.optim.Adam(controller.parameters(), 0.01)

    def worth(choices: tuple[int, ...]) -> float:
        """Of macro the share of poolings, of micro that of nodes that take the cell's first input."""
        decided = list(zip(space.decisions, choices, strict=True))
        if space is MACRO_SPACE:
            return float(np.mean([c >= 4 for d, c in decided if len(d.options) == 6]))
        return float(np.mean([c == 0 for d, c in decided if d.name.endswith("input")]))

    with torch.no_grad():
        before = float(np.mean([worth(c) for c in controller.sample(60).choices]))
    for _ in range(50):
        samples = controller.sample(8)
        descend(policy_loss(samples, baseline.advantages([worth(c) for c in samples.choices])), adam)
    with torch.no_grad():
        after = float(np.mean([worth(c) for c in controller.sample(60).choices]))
    assert after > before + 0.15


def shared(space: SearchSpace) -> SharedNetwork:
    rng = np.random.default_rng(0)
    pixels, labels = rng.integers(0, 120, (96, 1, 4, 4), dtype=np.uint8), rng.integers(0, 2, 96)
    pixels[labels == 0, :, ::2] += 120
    splits = {name: Split(pixels, labels) for name in ("train", "valid", "test")}
    data = ImageData("stripes", 2, splits, {name: name for name in splits}, flip=False)
    recipe = Recipe("tiny", channels=3, cells=2, epochs=2, batch=16, crop=0, flip=False)
    return SharedNetwork(space, data, recipe, 0, "cpu", settings={})


SETTINGS: dict[str, dict[str, object]] = {
    "enas": {"controller_steps": 1, "controller_samples": 2, "derived": 2},
    "random_nas": {"candidates": 3, "score_batches": 1, "finalists": 1},
    "one_shot": {"population_size": 4, "parents": 2, "rounds": 1, "rounds_an_epoch": 1, "finalists": 1},
    "gdas": {},
    "darts": {},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("space", ["enas-macro", "enas-micro", "nasbench1shot1-2", "nasbench_macro"])
def test_every_strategy_searches_every_supernet(space: str, name: str) -> None:
    found = nassim.registry.get_space(space)
    algorithm = nassim.get_algorithm(name).configured(epochs=1, batch_size=24, **SETTINGS[name])
    net: Any = shared(found)
    search = algorithm.begin(found, random.Random(0), supernet=net)
    answers = []
    while (message := search.ask()) is not None:
        assert isinstance(message, Report) and found.is_valid(message.arch)
        answers.append(message.arch)
        search.tell([])
    assert len(answers) == 1 and math.isfinite(net.training_loss())
