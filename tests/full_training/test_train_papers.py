"""What the papers' recipes train with, each against a form of its own; and the curves that a training keeps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402
from torch import Tensor  # noqa: E402

from nassim.benchmarks.spaces.darts import SPACE as DARTS  # noqa: E402
from nassim.benchmarks.spaces.nasbench201 import SPACE  # noqa: E402
from nassim.errors import CorruptData, InvalidSetting  # noqa: E402
from nassim.full_training.images.batches import plan_epoch, take, to_device  # noqa: E402
from nassim.full_training.images.data import ImageData, Split  # noqa: E402
from nassim.full_training.networks.framed import network_of  # noqa: E402
from nassim.full_training.training import learner as learner_module  # noqa: E402
from nassim.full_training.training import train as train_module  # noqa: E402
from nassim.full_training.training.many import DeviceData, train_many  # noqa: E402
from nassim.full_training.training.recipe import Recipe, get_recipe  # noqa: E402
from nassim.full_training.training.train import train  # noqa: E402
from nassim.full_training.training.training import Training  # noqa: E402
from nassim.network import Network  # noqa: E402
from nassim.space import Architecture  # noqa: E402

TINY = Recipe("tiny", channels=2, cells=1, epochs=3, batch=32, rate=0.1, crop=1, flip=False)
ARCH, CELL = SPACE.parse("310423"), DARTS.parse("DARTS_V2")


def noise(n: int = 96, side: int = 8) -> ImageData:
    """Random images in two classes."""
    rng = np.random.default_rng(0)
    split = Split(rng.integers(0, 256, (n, 1, side, side), dtype=np.uint8), rng.integers(0, 2, n))
    names = ("train", "valid", "test")
    return ImageData("noise", 2, dict.fromkeys(names, split), {name: name for name in names}, flip=True)


DATA, LARGER = noise(), noise(40, 16)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def darts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks of DARTS' cells, with the auxiliary head."""

    def network(arch: Architecture, recipe: Recipe, data: ImageData) -> Network:
        return network_of(arch, recipe, data, DARTS)

    monkeypatch.setattr(train_module, "network_of", network)


def learner_of(recipe: Recipe, arch: Architecture = ARCH, data: ImageData = DATA) -> Any:
    network = train_module.network_of(arch, recipe, data)
    return learner_module.Learner(network, data, recipe, 5, torch.device("cpu"), compiled=False)


def curves(training: Training) -> tuple[object, ...]:
    return training.train_accuracy, training.valid_accuracy, training.train_loss, training.valid_loss


def parameters(learner: Any) -> list[Tensor]:
    return [p.detach().clone() for p in learner.network.parameters()]


# -- cutout ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cutout", [1, 3, 4, 8])
def test_cutout_blanks_the_square_and_nothing_else(cutout: int) -> None:
    recipe = replace(TINY, flip=True)
    split = to_device(DATA, "train", pad=1)
    plain, holes = (plan_epoch(split, r, 3, 1) for r in (recipe, replace(recipe, cutout=cutout)))
    for name in ("order", "down", "right", "mirror"):
        assert torch.equal(getattr(plain, name), getattr(holes, name)), "another draw has changed"
    before, _ = take(split, plain, slice(10, 96))
    after, _ = take(split, holes, slice(10, 96))
    assert float(before.abs().min()) > 0
    areas = set()
    for i in range(86):
        row, column = holes.hole[10 + i].tolist()
        wanted = before[i].clone()
        for y in range(row - cutout // 2, row - cutout // 2 + cutout):
            for x in range(column - cutout // 2, column - cutout // 2 + cutout):
                if 0 <= y < 8 and 0 <= x < 8:
                    wanted[:, y, x] = 0.0
        assert torch.equal(after[i], wanted)
        areas.add(int((after[i] == 0).sum()))
    assert max(areas) == cutout**2 and (cutout == 1 or len(areas) > 2)
    assert set(holes.hole.unique().tolist()) == set(range(8))


def test_cutout_is_of_training_images_only(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[bool, float]] = []
    learner = learner_of(replace(TINY, cutout=8))
    call = learner.network
    learner.call = lambda images: seen.append((call.training, float((images == 0).float().mean()))) or call(images)
    learner.epoch(0)
    learner.evaluate(to_device(DATA, "valid"))
    assert all(blank > 0.3 for training, blank in seen if training)
    assert [blank for training, blank in seen if not training] == [0.0]


# -- the loss -------------------------------------------------------------------------------------------


def smoothed(logits: Tensor, labels: Tensor, smoothing: float) -> Tensor:
    """Cross-entropy to (1 - s) of the label and s spread over all classes, written out."""
    logs = logits - logits.exp().sum(dim=1, keepdim=True).log()
    wanted = torch.full_like(logits, smoothing / logits.shape[1])
    wanted[torch.arange(len(labels)), labels] += 1 - smoothing
    return -(wanted * logs).sum(dim=1).mean()


def test_smoothing_is_of_the_training_loss_alone() -> None:
    learner, plain = learner_of(replace(TINY, smoothing=0.1)), learner_of(TINY)
    images, labels = learner.images.images[:30, :, 1:-1, 1:-1], learner.images.labels[:30]
    logits = learner.network(images).detach()
    assert float(learner._gradients(images, labels)[0]) == pytest.approx(float(smoothed(logits, labels, 0.1)), rel=1e-5)
    assert float(plain._gradients(images, labels)[0]) == pytest.approx(float(smoothed(logits, labels, 0.0)), rel=1e-5)
    valid = to_device(DATA, "valid")
    for each in (learner, plain):
        accuracy, loss = each.evaluate(valid)
        logits = each.network(valid.images).detach()
        assert loss == pytest.approx(float(smoothed(logits, valid.labels, 0.0)), rel=1e-5)
        assert accuracy == float((logits.argmax(1) == valid.labels).float().mean())


def test_gradients_are_clipped_to_the_norm() -> None:
    """Without momentum and decay a step is the rate times the gradient, and so shows its norm."""
    plain = replace(TINY, batch=96, momentum=0.0, nesterov=False, weight_decay=0.0)
    steps = []
    for clip in (None, 0.01, 1e6):
        learner = learner_of(replace(plain, clip=clip))
        before = parameters(learner)
        learner.epoch(0)
        steps.append(torch.cat([(b - a).flatten() / 0.1 for a, b in zip(parameters(learner), before, strict=True)]))
    free, clipped, large = steps
    assert float(free.norm()) > 0.1 and float(clipped.norm()) == pytest.approx(0.01, rel=1e-3)
    torch.testing.assert_close(clipped / clipped.norm(), free / free.norm(), rtol=1e-3, atol=1e-4)
    assert torch.equal(large, free), "what need not be clipped was changed"


# -- drop path ------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("darts")
def test_drop_path_follows_its_schedule() -> None:
    recipe = replace(TINY, drop_path=0.6, batch=20)
    learner, plain = (learner_of(r, CELL, LARGER) for r in (recipe, replace(recipe, drop_path=0.0)))
    assert learner.drops
    for epoch, probability in enumerate((0.0, 0.2, 0.4)):
        results = learner.epoch(epoch), plain.epoch(epoch)
        assert [drop.probability for drop in learner.drops] == pytest.approx([probability] * len(learner.drops))
        assert {drop.probability for drop in plain.drops} == {0.0}
        same = all(torch.equal(a, b) for a, b in zip(parameters(learner), parameters(plain), strict=True))
        assert same == (epoch == 0) == (results[0] == results[1])


@pytest.mark.usefixtures("darts")
def test_drop_path_is_of_the_seed_and_goes_on_from_a_checkpoint(tmp_path: Path) -> None:
    recipe = replace(TINY, drop_path=0.5, auxiliary=0.4, clip=5.0, cutout=4, batch=20)
    state = torch.get_rng_state()
    whole = train(CELL, LARGER, recipe, 1)
    assert torch.equal(torch.get_rng_state(), state), "the global generator was moved"
    train(CELL, LARGER, recipe, 1, resume=tmp_path / "a.pt", until=2)
    assert curves(train(CELL, LARGER, recipe, 1, resume=tmp_path / "a.pt")) == curves(whole)


# -- the auxiliary head ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("darts")
@pytest.mark.parametrize("weight", [0.1, 0.4])
def test_the_auxiliary_heads_loss_has_its_weight(weight: float) -> None:
    learner = learner_of(replace(TINY, auxiliary=weight, smoothing=0.1), CELL, LARGER)
    images, labels = learner.images.images[:20, :, 1:-1, 1:-1], learner.images.labels[:20]
    logits, second = (part.detach() for part in learner.network(images))
    loss, right = learner._gradients(images, labels)
    wanted = smoothed(logits, labels, 0.1) + weight * smoothed(second, labels, 0.1)
    assert float(loss) == pytest.approx(float(wanted), rel=1e-5)
    assert int(right) == int((logits.argmax(1) == labels).sum())
    trained = {name for name, p in learner.network.named_parameters() if p.grad is not None}
    assert any(name.startswith("auxiliary") for name in trained) and len(trained) > 5
    without = learner_of(TINY, CELL, LARGER).network
    assert not any(name.startswith("auxiliary") for name, _ in without.named_parameters())


@pytest.mark.usefixtures("darts")
def test_an_evaluation_ignores_the_auxiliary_head() -> None:
    learner = learner_of(replace(TINY, auxiliary=0.4), CELL, LARGER)
    valid = to_device(LARGER, "valid")
    learner.epoch(0)
    before = learner.evaluate(valid)
    with torch.no_grad():
        for name, parameter in learner.network.named_parameters():
            if name.startswith("auxiliary"):
                parameter.fill_(float("nan"))
    assert learner.evaluate(valid) == before


# -- what does not fit ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("field", "words"), [("drop_path", "may be dropped"), ("auxiliary", "no auxiliary head")])
def test_networks_that_have_it_not_are_refused(field: str, words: str, tmp_path: Path) -> None:
    recipe = replace(TINY, **{field: 0.4})
    with pytest.raises(InvalidSetting, match=f"recipe tiny has {field}=0.4, networks of nasbench201 .*{words}"):
        train(ARCH, DATA, recipe, 0, resume=tmp_path / "a.pt")
    assert not list(tmp_path.iterdir())


def test_darts_recipe_is_refused_where_it_does_not_fit() -> None:
    recipe = get_recipe("darts-600ep", channels=1, cells=1, batch=16)
    with pytest.raises(InvalidSetting, match="cuts out 16 pixels, more than noise's 8"):
        train(ARCH, DATA, recipe, 0)
    with pytest.raises(InvalidSetting, match="networks of nasbench201 have no"):
        train(ARCH, LARGER, recipe, 0)


# -- many at once ---------------------------------------------------------------------------------------


def test_many_at_once_cut_out_and_smooth_like_one() -> None:
    recipe = replace(TINY, epochs=2, cutout=3, smoothing=0.2)
    archs, seeds = [ARCH, SPACE.parse("214114")], [1, 2]
    many = train_many(archs, DeviceData.of(DATA, recipe), recipe, seeds)
    plain = train_many(archs, DeviceData.of(DATA, TINY), replace(recipe, cutout=0, smoothing=0.0), seeds)
    for arch, seed, together, other in zip(archs, seeds, many, plain, strict=True):
        alone = train(arch, DATA, recipe, seed)
        assert together.train_loss == pytest.approx(alone.train_loss, rel=1e-3)
        assert together.valid_loss == pytest.approx(alone.valid_loss, rel=1e-2)
        assert together.rate == alone.rate
        assert other.train_loss != pytest.approx(alone.train_loss, rel=1e-3)


# -- curves ---------------------------------------------------------------------------------------------


def test_losses_and_rates_are_kept() -> None:
    """The mean over images, also where the last batch is smaller; the rate where an epoch begins."""
    recipe = replace(TINY, batch=40, epochs=2, warmup=1.0)
    training = train(ARCH, DATA, recipe, 5)
    learner = learner_of(recipe)
    rates = []
    for epoch in range(2):
        plan, total = plan_epoch(learner.images, recipe, 5, epoch), 0.0
        for step, (first, last) in enumerate(((0, 40), (40, 80), (80, 96))):
            images, labels = take(learner.images, plan, slice(first, last))
            learner.network.train()
            loss = F.cross_entropy(learner.network(images), labels)
            learner.optimizer.param_groups[0]["lr"] = recipe.rate_at(3 * epoch + step, 3)
            learner.optimizer.zero_grad()
            loss.backward()
            learner.optimizer.step()
            total += float(loss.detach()) * len(labels)
            rates.append(recipe.rate_at(3 * epoch + step, 3))
        assert training.train_loss[epoch] == pytest.approx(total / 96, rel=1e-4)
        learner.network.eval()
        valid = to_device(DATA, "valid")
        wanted = float(F.cross_entropy(learner.network(valid.images), valid.labels).detach())
        assert training.valid_loss[epoch] == pytest.approx(wanted, rel=1e-4)
    assert training.rate == (rates[0], rates[3]) == pytest.approx((0.1 / 3, 0.1))
    assert Training.from_json(training.to_json()) == training


def test_records_and_checkpoints_without_losses_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    training = train(ARCH, DATA, TINY, 1, resume=path, until=1)
    values = asdict(training)
    for name in ("train_loss", "valid_loss", "rate"):
        del values[name]
    old = replace(training, train_loss=(), valid_loss=(), rate=())
    assert Training.from_json(json.dumps(values)) == old
    for damaged in ({**values, "more": 1}, {**values, "train_loss": 1}, [*values], {"arch": "a"}):
        with pytest.raises(CorruptData, match="not the record"):
            Training.from_json(json.dumps(damaged))
    state = torch.load(path, weights_only=True)
    del state["train_loss"], state["valid_loss"]
    torch.save(state, path)
    resumed, whole = train(ARCH, DATA, TINY, 1, resume=path), train(ARCH, DATA, TINY, 1)
    assert resumed.valid_accuracy == whole.valid_accuracy and resumed.rate == whole.rate
    assert resumed.train_loss == resumed.valid_loss == () and len(whole.train_loss) == 3
