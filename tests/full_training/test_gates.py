"""Binary gates, expected latencies and ProxylessNAS' steps of the logits."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from nassim.benchmarks.spaces import mbconv_layers, nasbench_macro  # noqa: E402
from nassim.errors import InvalidSetting  # noqa: E402
from nassim.full_training.images.data import ImageData, Split  # noqa: E402
from nassim.full_training.relaxations import gates, proxyless  # noqa: E402
from nassim.full_training.relaxations.continuous import concrete, options  # noqa: E402
from nassim.full_training.relaxations.latency import ExpectedLatency, refuse_short  # noqa: E402
from nassim.full_training.supernets.trainer import SharedNetwork  # noqa: E402
from nassim.full_training.training.recipe import Recipe  # noqa: E402
from nassim.latency import DECLARED  # noqa: E402
from nassim.network import Frame  # noqa: E402

SPACE = nasbench_macro.SPACE
LAYOUT, ALL = SPACE.layout, options(SPACE.layout)


def rng(seed: int = 0) -> Any:
    return torch.Generator().manual_seed(seed)


def logits(seed: int = 1, dtype: Any = torch.float64) -> Any:
    return torch.randn(8, 3, generator=rng(seed), dtype=dtype).requires_grad_()


def net(seed: int = 0) -> SharedNetwork:
    """NAS-Bench-Macro's supernet with four channels on 96 small images."""
    pixels = torch.randint(0, 255, (96, 1, 8, 8), generator=rng(2), dtype=torch.uint8).numpy()
    splits = {name: Split(pixels, torch.arange(96).remainder(2).numpy()) for name in ("train", "valid", "test")}
    data = ImageData("squares", 2, splits, {name: name for name in splits}, flip=False)
    recipe = Recipe("tiny", channels=4, cells=1, epochs=2, batch=16, crop=1, flip=False)
    return SharedNetwork(SPACE, data, recipe, seed, settings={})


@pytest.mark.parametrize("count", [2, None])
def test_the_gradient_by_logits_is_that_of_the_expected_loss_with_relaxed_gates(count: int | None) -> None:
    """A loss that is linear in the gates: dL/da is the gradient of sum_j p_j dL/dg_j, by finite differences."""
    a, slope = logits(), torch.randn(8, 3, generator=rng(3), dtype=torch.float64)
    mix, _, p = gates.gated(a, LAYOUT, rng(4), count)
    among = torch.zeros(8, 3, dtype=torch.bool)
    for row, active in zip(among, mix.active, strict=True):
        row[list(active)] = True

    def expected(at: Any) -> Any:
        return (torch.softmax(at.masked_fill(~among, -math.inf), 1) * slope).sum()

    found, step = gates.by_logits(slope, p), 1e-6
    for i in range(8):
        for k in range(3):
            moved = torch.zeros(8, 3, dtype=torch.float64)
            moved[i, k] = step
            with torch.no_grad():
                difference = (expected(a + moved) - expected(a - moved)) / (2 * step)
            assert float(found[i, k]) == pytest.approx(float(difference), abs=1e-8)


def test_exactly_one_option_runs_in_a_path_and_two_under_two_gates() -> None:
    """Counted by hooks on the depthwise convolutions of the options and on the strided skips."""
    supernet = net()
    ran: list[str] = []
    for name, module in supernet.network.named_modules():
        if name.endswith(("depthwise.0", "identity.0")):
            module.register_forward_hook(lambda *_, name=name: ran.append(name))
    images = torch.zeros(16, 1, 8, 8)
    for count in (1, 2):
        a = logits(dtype=torch.float32)
        mix = gates.one_path(a, LAYOUT, rng(5)) if count == 1 else gates.gated(a, LAYOUT, rng(5), 2).mix
        ran.clear()
        supernet.network(images, mix)
        assert {len(active) for active in mix.active} == {count}
        # An identity that keeps the shape has no layer that could be counted.
        free = sum(0 in active for i, active in enumerate(mix.active) if i not in (0, 2, 5))
        assert len(ran) == len(set(ran)) == 8 * count - free


def test_one_gate_is_open_and_the_output_is_its_path() -> None:
    supernet, images = net(), torch.rand(16, 1, 8, 8, generator=rng(1))
    mix, opened, _ = gates.gated(logits(dtype=torch.float32), LAYOUT, rng(6), None)
    choices = opened.argmax(1).tolist()
    assert torch.equal(opened.sum(1), torch.ones(8))
    path = supernet.path(SPACE.check(type(SPACE.at(0))("nasbench_macro", tuple(choices))))
    torch.testing.assert_close(supernet.logits(mix, images), supernet.logits(path, images))


def test_options_that_are_not_drawn_keep_their_shares() -> None:
    a = logits()
    before, mix = a.detach().clone(), gates.gated(a, LAYOUT, rng(7), 2).mix
    with torch.no_grad():
        for i, active in enumerate(mix.active):
            a[i, list(active)] += torch.tensor([0.7, -0.2], dtype=torch.float64)
    gates.keep_mass(a, before, mix.active)
    old, new = torch.softmax(before, 1), torch.softmax(a.detach(), 1)
    for i, active in enumerate(mix.active):
        (other,) = set(range(3)) - set(active)
        assert float(new[i, other]) == pytest.approx(float(old[i, other]), abs=1e-12)
        assert not torch.allclose(new[i, list(active)], old[i, list(active)])


@pytest.mark.slow
def test_two_are_drawn_as_without_replacement() -> None:
    """The pair {0, 1} has the probability p0 p1 / (1 - p0) + p1 p0 / (1 - p1)."""
    a = torch.tensor([[1.0, 0.0, -1.0]] * 4000)
    pairs = gates.drawn(a, ((0, 1, 2),) * 4000, rng(8), 2)
    p = torch.softmax(a[0].double(), 0).tolist()
    expected = p[0] * p[1] / (1 - p[0]) + p[0] * p[1] / (1 - p[1])
    share = sum(pair == (0, 1) for pair in pairs) / 4000
    assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / 4000)


def test_the_latency_of_one_hot_weights_is_the_sum_of_the_table() -> None:
    """FBNet: LAT(m) of a path equals what the table says of the network of the supernet's own width."""
    supernet = net()
    latency = ExpectedLatency(supernet, "macs")
    frame = Frame(4, 1, 2, (1, 8, 8))
    for seed in range(5):
        arch = SPACE.sample(random.Random(seed))
        hot = torch.nn.functional.one_hot(torch.tensor(arch.choices), 3).float()
        assert float(latency(hot)) == pytest.approx(DECLARED.of(SPACE.network(arch, frame)), rel=1e-5)
        assert latency.of(arch.choices) == pytest.approx(float(latency(hot)), rel=1e-5)


def test_an_identity_that_keeps_the_shape_takes_no_time() -> None:
    """In all layers but the first of a stage, whose skip is a convolution; so in the layer-wise space."""
    rows, rest = net().latencies("macs")
    assert rest > 0 and [row[0] == 0.0 for row in rows] == [i not in (0, 2, 5) for i in range(8)]
    assert all(0 < row[1] < row[2] for row in rows)


@pytest.mark.parametrize("space", [SPACE, mbconv_layers.SPACE], ids=lambda space: space.name)
def test_no_weights_are_shared_between_layers_or_options(space: Any) -> None:
    names = [layer.name for layer in space.supernet(Frame(8, 1, 10, (1, 16, 16))).layers]
    assert len(names) == len(set(names))


def step_of(form: Any, target: float | None, weight: float = 0.1) -> tuple[Any, Any, Any]:
    supernet, a = net(), logits(dtype=torch.float32)
    return supernet, a, proxyless.Penalized(supernet, "macs", form, target, 0.2, 0.3, weight, "us")


@pytest.mark.parametrize("form", ["product", "sum"])
def test_the_latency_in_the_loss_has_its_gradient(form: Any) -> None:
    """Against automatic differentiation of the whole, the cross-entropy a linear function of the shares."""
    _, a, penalized = step_of(form, 3000.0)
    slope = torch.randn(8, 3, generator=rng(3))
    loss = (torch.softmax(a, 1) * slope).sum() + 9.0
    (by_loss,) = torch.autograd.grad(loss, [a], retain_graph=True)
    found = penalized.gradient(loss, by_loss, a, LAYOUT)
    E = penalized.expected(a, LAYOUT)
    whole = (
        loss * 0.2 * (E.log() / math.log(3000.0)) ** 0.3 if form == "product" else loss + 0.1 * (E - 3000.0) / 3000.0
    )
    (expected,) = torch.autograd.grad(whole, [a])
    torch.testing.assert_close(found, expected)


def test_a_larger_weight_leads_to_a_lower_expected_latency() -> None:
    """Steps down lambda (E - T) / T alone: no loss that could weigh against it."""
    ended = []
    for weight in (0.0, 0.1, 1.0):
        _, a, penalized = step_of("sum", 3000.0, weight)
        for _ in range(20):
            gradient = penalized.gradient(torch.zeros(()), torch.zeros(8, 3), a, LAYOUT)
            with torch.no_grad():
                a -= gradient
        ended.append(float(penalized.expected(a, LAYOUT).detach()))
    assert ended[0] > ended[1] > ended[2]


@pytest.mark.parametrize(("form", "target"), [("product", 1.0), ("sum", 0.0), ("sum", -1.0), ("product", math.inf)])
def test_a_target_without_meaning_is_one_line(form: Any, target: float) -> None:
    with pytest.raises(InvalidSetting, match=r"proxyless_nas.target=.* must be above"):
        step_of(form, target)


def test_a_logarithm_that_could_be_negative_is_one_line() -> None:
    class Fast:
        device = "cpu"

        def latencies(self, table: str) -> tuple[Sequence[Sequence[float]], float]:
            return [[0.1, 0.2]] * 2, 0.5

    with pytest.raises(InvalidSetting, match=r"fastest network takes 0\.7 ms"):
        refuse_short("fbnet", ExpectedLatency(Fast(), "macs"))  # type: ignore[arg-type]


def test_a_larger_alpha_or_beta_of_fbnet_weighs_latency_more() -> None:
    """The relative gradient of log(LAT)^beta is beta / log(LAT) * dLAT / LAT: alpha alone scales the whole loss."""
    latency, a = ExpectedLatency(net(), "macs", "us"), logits(dtype=torch.float32)

    def gradient(alpha: float, beta: float) -> Any:
        m = concrete(a, 1.0, rng(9), ALL)
        (found,) = torch.autograd.grad(alpha * torch.log(latency(m.weights)) ** beta, [a])
        return found / (alpha * torch.log(latency(m.weights)).detach() ** beta)

    torch.testing.assert_close(gradient(0.2, 0.6), gradient(5.0, 0.6))
    torch.testing.assert_close(gradient(0.2, 1.2), 2 * gradient(0.2, 0.6))


def test_weights_have_four_fifths_of_the_images() -> None:
    supernet = net()
    supernet.schedule(1, 0.1, 0.0, weight_decay=0.0)
    supernet.divide(0.8)
    count = [
        sum(len(y) for _, y in batches(0, 8)) for batches in (supernet.training_batches, supernet.validation_batches)
    ]
    assert count == [72, 24]
    with pytest.raises(InvalidSetting, match=r"0\.001 of them"):
        supernet.divide(0.001)
