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
from nassim.full_training.training.recipe import Recipe  # noqa: E402
from nassim.full_training.training.train import train  # noqa: E402

TINY = Recipe("tiny", channels=2, cells=1, epochs=3, batch=32, rate=0.1, crop=1, flip=False)


def grey(n: int = 96) -> ImageData:
    """Random images of 8 x 8 grey pixels in two classes."""
    rng = np.random.default_rng(0)
    split = Split(rng.integers(0, 256, (n, 1, 8, 8), dtype=np.uint8), rng.integers(0, 2, n))
    return ImageData("grey", 2, dict.fromkeys(("train", "valid", "test"), split), {}, flip=False)


DATA = grey()


def test_augmentation_shifts_and_mirrors() -> None:
    recipe = replace(TINY, crop=2, flip=True)
    split = to_device(DATA, "train", pad=2)
    plan = plan_epoch(96, recipe, 3, 0)
    images, labels = take(split, plan, slice(0, 96))
    assert sorted(plan.order.tolist()) == list(range(96))
    assert set(plan.down.tolist()) == set(plan.right.tolist()) == set(range(5)) and set(plan.mirror.tolist()) == {0, 1}
    for i in range(0, 96, 7):
        k, down, right = int(plan.order[i]), int(plan.down[i]), int(plan.right[i])
        expected = split.images[k, :, down : down + 8, right : right + 8]
        expected = expected.flip(2) if plan.mirror[i] else expected
        torch.testing.assert_close(images[i], expected)
        assert labels[i] == DATA.splits["train"].labels[k]
    later, other = plan_epoch(96, recipe, 3, 1), plan_epoch(96, recipe, 4, 0)
    assert not torch.equal(later.order, plan.order) and not torch.equal(other.order, plan.order)


def test_an_epoch_may_be_a_part_of_a_pass() -> None:
    recipe = replace(TINY, epochs_a_pass=4, batch=8, epochs=5)
    parts = [plan_epoch(96, recipe, 3, epoch) for epoch in range(8)]
    whole = plan_epoch(96, replace(recipe, epochs_a_pass=1), 3, 0)
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
