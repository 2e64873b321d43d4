"""SqueezeNAS: a sample for every image, the expected cost, and an answer that is drawn."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nassim
from nassim.query import Report
from nassim.registry import get_space
from nassim.supernet import Supernets
from nassim.testing import check_strategy

torch = pytest.importorskip("torch")

from nassim.errors import Unsupported  # noqa: E402
from nassim.full_training.images.data import ImageData, Split  # noqa: E402
from nassim.full_training.relaxations import continuous, gates, per_image  # noqa: E402
from nassim.full_training.relaxations.latency import expected_cost  # noqa: E402
from nassim.full_training.relaxations.mixtures import Mix  # noqa: E402
from nassim.full_training.supernets.pixels import SharedPixels  # noqa: E402
from nassim.full_training.training.recipe import Recipe  # noqa: E402
from nassim.network import Frame, measure  # noqa: E402
from nassim.tabular_data.recordings import read_recordings, write_recording  # noqa: E402

Reports = Callable[[nassim.Algorithm, Any], list[Report]]
SPACE = get_space("squeezenas-short")
SQUEEZE = nassim.get_algorithm("squeeze_nas").configured(epochs=3, warmup=1, batch_size=8)
FRAME = Frame(4, 1, 2, (1, 16, 16))


@pytest.fixture(scope="module")
def pixels(tmp_path_factory: pytest.TempPathFactory) -> Supernets:
    """Supernets of squeezenas-short on 32 small images, the bright half of which is the second class."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 100, (32, 1, 16, 16), dtype=np.uint8)
    masks = np.zeros((32, 16, 16), dtype=np.uint8)
    for image, mask, at in zip(images, masks, rng.integers(2, 14, 32), strict=True):
        image[0, :, at:] += 120
        mask[:, at:] = 1
    splits = {name: Split(images, masks) for name in ("train", "valid", "test")}
    data = ImageData("halves", 2, splits, {name: name for name in splits}, flip=False)
    recipe, settings = Recipe("tiny", channels=4, cells=1, batch=8, crop=0, flip=False), {"images": "halves"}
    return Supernets(
        benchmark="squeezenas-short/halves",
        space=SPACE,
        settings=settings,
        make=lambda seed, device: SharedPixels(
            SPACE, data, recipe, seed, device.replace("auto", "cpu"), settings=settings
        ),
        recordings=partial(read_recordings, "squeezenas-short/halves", SPACE),
        write=write_recording,
        folder=Path(tmp_path_factory.mktemp("recorded")),
        published_seconds=lambda algorithm, hyperparameters: None,
    )


def searched(algorithm: nassim.Algorithm, net: Any, seed: int = 0) -> list[Report]:
    search, found = algorithm.begin(SPACE, random.Random(seed), supernet=net), list[Report]()
    while isinstance(message := search.ask(), Report):
        found.append(message)
        search.tell([])
    return found


@pytest.mark.slow
def test_contract(tiny_supernets: Supernets) -> None:
    check_strategy(SQUEEZE, supernets=tiny_supernets)


def test_logits_begin_at_one() -> None:
    a = per_image.ones((3, 5))
    assert a.shape == (2, 5) and (a == 1).all() and a.requires_grad and a.is_leaf


def test_every_image_of_a_batch_has_weights_of_its_own(pixels: Supernets) -> None:
    """Check 4 of systems.md 5.13."""
    net: Any = pixels.make(0, "cpu")
    active = continuous.options(net.layout)
    a = per_image.ones(net.layout.widths)
    mix = per_image.concrete(a, 1.0, torch.Generator().manual_seed(0), active, 8)
    weights: Any = mix.weights
    assert weights.shape == (6, 8, 13) and torch.allclose(weights.sum(dim=2), torch.ones(6, 8))
    rows = weights.detach()
    assert all(not torch.equal(rows[:, i], rows[:, j]) for i in range(8) for j in range(i))
    picked = per_image.concrete(a, 0.01, torch.Generator().manual_seed(0), active, 4000)
    shares = picked.weights.detach().argmax(dim=2)[0].bincount(minlength=13) / 4000  # type: ignore[union-attr]
    assert torch.allclose(shares, torch.full((13,), 1 / 13), atol=0.03)


def test_one_image_does_not_move_anothers_mixture() -> None:
    """Of a decision: the output for an image is the weighted sum by its own row."""
    outputs, weights = torch.randn(3, 4, 2, 5, 5), torch.rand(4, 3)
    from nassim.full_training.supernets.mixed import _weight

    total = sum(_weight(weights, option) * outputs[option] for option in range(3))
    for image in range(4):
        alone = sum(weights[image, option] * outputs[option, image] for option in range(3))
        assert torch.allclose(total[image], alone)  # type: ignore[index, arg-type]


def test_the_expected_cost_of_one_option_a_block_is_the_networks(pixels: Supernets) -> None:
    """Check 2 of systems.md 5.13: multiply-adds in millions, exactly, and milliseconds of a look-up table."""
    from nassim.tabular_data.latencies import latency_table

    net: Any = pixels.make(0, "cpu")
    active, rng = continuous.options(net.layout), random.Random(1)
    macs = expected_cost(net, "macs")
    assert macs.unit == "mmacs"
    for _ in range(5):
        arch = SPACE.sample(rng)
        wanted = measure(SPACE.network(arch, FRAME)).macs / 1e6
        hot = torch.nn.functional.one_hot(torch.tensor(arch.choices), 13).float()
        mix = Mix(active, hot[:, None].expand(6, 3, 13))
        assert macs.of(arch.choices) == pytest.approx(wanted, rel=1e-12)
        assert macs(mix.weights).tolist() == pytest.approx([wanted] * 3, rel=1e-6)
    timed = expected_cost(Latencies(net), "mine")
    arch = SPACE.sample(rng)
    assert timed.unit == "ms"
    assert timed.of(arch.choices) == pytest.approx(latency_table("macs").of(SPACE.network(arch, FRAME)), abs=1e-6)


class Latencies:
    """A supernet that has a look-up table of another name."""

    def __init__(self, net: Any) -> None:
        self.device, self.latencies = net.device, lambda table: net.latencies("macs")


def test_the_cost_is_linear_in_the_weights_of_each_image(pixels: Supernets) -> None:
    net: Any = pixels.make(0, "cpu")
    macs, active = expected_cost(net, "macs"), continuous.options(net.layout)
    one, other = (
        torch.nn.functional.one_hot(torch.tensor(SPACE.sample(random.Random(i)).choices), 13).float() for i in (1, 2)
    )
    half = Mix(active, torch.stack([one, other, (one + other) / 2], dim=1))
    a, b, c = macs(half.weights).tolist()
    assert c == pytest.approx((a + b) / 2, rel=1e-6) and a != b


@pytest.mark.slow
def test_the_loss_of_the_logits_is_cross_entropy_plus_the_mean_cost(
    pixels: Supernets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No threshold and no logarithm: the gradient of the first step is linear in the multiplier."""
    seen: list[Any] = []
    step = torch.optim.Adam.step
    monkeypatch.setattr(
        torch.optim.Adam, "step", lambda self: seen.append(self.param_groups[0]["params"][0].grad.clone()) or step(self)
    )
    first = {}
    for multiplier in (0.0, 2.0, 4.0):
        seen.clear()
        net: Any = pixels.make(0, "cpu")
        searched(SQUEEZE.configured(multiplier=multiplier, epochs=2, warmup=1), net)
        first[multiplier] = seen[0]
    by_cost = first[2.0] - first[0.0]
    assert by_cost.abs().max() > 1e-4
    assert torch.allclose(first[4.0] - first[0.0], 2 * by_cost, atol=1e-5)
    for gradients, row in zip(by_cost, net.option_macs[0], strict=True):  # the logit of what costs most falls
        assert gradients[row.index(max(row))] > 0 > gradients[row.index(min(row))]


def test_weights_and_logits_learn_from_other_images_and_logits_rest_at_first(pixels: Supernets) -> None:
    net: Any = pixels.make(0, "cpu")
    calls: list[str] = []
    step, loss, inside = net.step, net.loss, list[bool]()

    def stepped(mix: Any, batch: Any) -> Any:
        calls.append("w")
        assert not mix.weights.requires_grad and mix.weights.shape[1] == len(batch[1])
        inside.append(True)
        found = step(mix, batch)
        inside.pop()
        return found

    def lost(mix: Any, batch: Any) -> Any:
        if not inside:
            calls.append("a")
            assert mix.weights.requires_grad
        return loss(mix, batch)

    net.step, net.loss = stepped, lost
    found = searched(SQUEEZE.configured(portion=0.75), net)
    assert calls == ["w"] * 3 + (["w"] * 3 + ["a"]) * 2  # 24 and 8 images of 32, batches of eight
    assert len({each.scores for each in found[:2]}) == 2 and all(dict(each.seen)["mmacs"] > 0 for each in found)


@pytest.mark.slow
def test_the_answer_is_a_sample(pixels: Supernets) -> None:
    """The option of the largest perturbed logit: without any step of the logits answers are uniform, and vary."""
    found = searched(SQUEEZE.configured(epochs=3, warmup=3), pixels.make(0, "cpu"))
    assert len({each.scores for each in found}) == 1 and len({each.arch for each in found}) == 3
    logits = torch.log(torch.tensor([[0.7, 0.2, 0.1]])).expand(1, 3)
    draws = torch.Generator().manual_seed(0)
    drawn = [gates.drawn(logits, ((0, 1, 2),), draws, 1)[0][0] for _ in range(3000)]
    assert [drawn.count(k) / 3000 for k in range(3)] == pytest.approx([0.7, 0.2, 0.1], abs=0.03)


@pytest.mark.slow
def test_a_larger_weight_of_the_cost_gives_fewer_multiply_adds(pixels: Supernets) -> None:
    """Check 3 of systems.md 5.13, where cost weighs so much that it decides; docs/segmentation.md has it measured."""
    spent = {}
    for multiplier in (0.0, 1000.0):
        algorithm = SQUEEZE.configured(multiplier=multiplier, epochs=4, warmup=1, arch_rate=0.5, factor=0.5)
        spent[multiplier] = [
            sum(dict(each.seen)["mmacs"] for each in searched(algorithm, pixels.make(seed, "cpu"), seed)[-2:])
            for seed in range(1)
        ]
    assert max(spent[1000.0]) < min(spent[0.0])


@pytest.mark.slow
def test_the_same_seed_is_the_same_search(pixels: Supernets) -> None:
    first, second = (searched(SQUEEZE.configured(epochs=2), pixels.make(3, "cpu"), 5) for _ in range(2))
    assert [(each.arch, each.scores) for each in first] == [(each.arch, each.scores) for each in second]


def test_recurrent_cells_have_no_such_costs() -> None:
    from nassim.registry import get_supernets

    net = get_supernets("rnn/handbook").make(0, "cpu")
    with pytest.raises(Unsupported, match="not told apart by multiply-adds"):
        next(iter([nassim.get_algorithm("squeeze_nas").begin(net.layout.space, random.Random(0), supernet=net).ask()]))
