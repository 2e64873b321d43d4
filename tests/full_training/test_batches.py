"""Batches: which images an epoch sees, in which order, shifted and mirrored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from nassim.benchmarks.spaces.nasbench201 import SPACE  # noqa: E402
from nassim.errors import InvalidSetting  # noqa: E402
from nassim.full_training.images.batches import plan_epoch, take, to_device  # noqa: E402
from nassim.full_training.images.data import ImageData, Split, load_data  # noqa: E402
from nassim.full_training.supernets.sources import supernet_settings  # noqa: E402
from nassim.full_training.supernets.trainer import SharedNetwork  # noqa: E402
from nassim.full_training.training import learner as learner_module  # noqa: E402
from nassim.full_training.training.recipe import Recipe, get_recipe  # noqa: E402
from nassim.full_training.training.train import train  # noqa: E402

TINY = Recipe("tiny", channels=2, cells=1, epochs=3, batch=32, rate=0.1, crop=1, flip=False)


def grey(n: int = 96, side: int = 8, *, flip: bool = False) -> ImageData:
    """Random images of grey pixels in two classes."""
    rng = np.random.default_rng(0)
    split = Split(rng.integers(0, 256, (n, 1, side, side), dtype=np.uint8), rng.integers(0, 2, n))
    return ImageData("grey", 2, dict.fromkeys(("train", "valid", "test"), split), {}, flip=flip)


DATA = grey()


def test_augmentation_shifts_and_mirrors() -> None:
    recipe = replace(TINY, crop=2, flip=True)
    split = to_device(DATA, "train", pad=2)
    plan = plan_epoch(split, recipe, 3, 0)
    images, labels = take(split, plan, slice(0, 96))
    assert sorted(plan.order.tolist()) == list(range(96))
    assert set(plan.down.tolist()) == set(plan.right.tolist()) == set(range(5)) and set(plan.mirror.tolist()) == {0, 1}
    for i in range(0, 96, 7):
        k, down, right = int(plan.order[i]), int(plan.down[i]), int(plan.right[i])
        expected = split.images[k, :, down : down + 8, right : right + 8]
        expected = expected.flip(2) if plan.mirror[i] else expected
        torch.testing.assert_close(images[i], expected)
        assert labels[i] == DATA.splits["train"].labels[k]
    later, other = plan_epoch(split, recipe, 3, 1), plan_epoch(split, recipe, 4, 0)
    assert not torch.equal(later.order, plan.order) and not torch.equal(other.order, plan.order)


def test_an_epoch_may_be_a_part_of_a_pass() -> None:
    recipe = replace(TINY, epochs_a_pass=4, batch=8, epochs=5)
    split = to_device(DATA, "train", pad=1)
    parts = [plan_epoch(split, recipe, 3, epoch) for epoch in range(8)]
    whole = plan_epoch(split, replace(recipe, epochs_a_pass=1), 3, 0)
    assert [len(part) for part in parts] == [24] * 8
    assert torch.equal(torch.cat([part.order for part in parts[:4]]), whole.order)
    assert sorted(torch.cat([part.order for part in parts[4:]]).tolist()) == list(range(96))
    assert not torch.equal(parts[4].order, parts[0].order)
    training = train(SPACE.parse("310423"), DATA, recipe, 3)
    assert len(training.valid_accuracy) == 5
    assert all((24 * accuracy).is_integer() for accuracy in training.train_accuracy)
    with pytest.raises(InvalidSetting, match=r"epochs_a_pass=5, which does not divide .*'s 96 images"):
        replace(recipe, epochs_a_pass=5).check(DATA)


def test_images_are_normalized_by_the_training_split() -> None:
    images = to_device(load_data("digits"), "train").images
    torch.testing.assert_close(images.mean(dim=(0, 2, 3)), torch.zeros(4), atol=1e-4, rtol=0)
    torch.testing.assert_close(images.std(dim=(0, 2, 3)), torch.ones(4), atol=1e-3, rtol=0)


def test_the_border_is_black() -> None:
    """Padding comes before normalization, as in the published code: beyond the edge lies black, not the mean."""
    split = to_device(DATA, "train", pad=2)
    black = torch.tensor(-DATA.mean[0] / DATA.std[0])
    inside = torch.zeros(12, 12, dtype=torch.bool)
    inside[2:-2, 2:-2] = True
    torch.testing.assert_close(split.images[:, 0, ~inside], black.expand(96, 144 - 64))
    assert torch.equal(split.images[:, 0, inside].view(96, 1, 8, 8), to_device(DATA, "train").images)


@pytest.mark.parametrize("epochs", [12, 200])
@pytest.mark.parametrize(("side", "most"), [(32, 4), (16, 2)])
def test_published_recipes_shift_as_published(
    epochs: int, side: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images of 32 pixels are shifted by up to 4 pixels, those of 16 (ImageNet16-120) by up to 2."""
    recipe = replace(get_recipe(f"nasbench201-{epochs}ep"), channels=1, cells=1, batch=200)
    seen: list[tuple[int, int]] = []

    def watched(split, plan, positions):
        seen.append((split.pad, int(max(plan.down.max(), plan.right.max()))))
        return take(split, plan, positions)

    monkeypatch.setattr(learner_module, "take", watched)
    train(SPACE.at(0), grey(200, side, flip=True), recipe, 0, until=1)
    assert seen == [(most, 2 * most)]
    net = SharedNetwork(SPACE, grey(200, side, flip=True), recipe, 0, settings={})
    net.schedule(1, 0.1, 0.01, weight_decay=0.0)
    assert net._train.pad == most
    (images, _), (still, _) = next(net.batches(0, 16))[0], next(net.scoring_batches(0, 16))
    assert images.shape == still.shape == (16, 1, side, side)


def test_what_digits_are_trained_by_has_not_changed() -> None:
    """Its table, its recordings and trainings that are kept stay valid: no crop, and so no border."""
    assert get_recipe("digits").sha256 == "6f2cf50149e210508ad42899728d522978f4112cb7daa10c3e04e2f6a20dcc49"
    assert supernet_settings("nasbench201", "digits") == {
        "space": "nasbench201",
        "images": "digits",
        "searched": "halves of the training images",
        "images_sha256": "2623a019bc5a38612368440c5836d0bd359139969478113be9fd79c52af07e6f",
        "channels": 8,
        "cells": 1,
        "epochs_a_pass": 2,
        "crop": 0,
        "flip": False,
        "statistics": "batch",
        "revision": 2,
    }


def test_what_the_border_changes_has_another_hash() -> None:
    """Trainings and recordings of a version whose border was the mean are not taken for those of this one."""
    before = {
        "nasbench201-12ep": "33d943d0",
        "nasbench201-200ep": "de5ef8b1",
    }
    assert all(get_recipe(name).sha256[:8] != sha256 for name, sha256 in before.items())
    assert supernet_settings("nasbench201", "cifar10")["border"] == "black"
