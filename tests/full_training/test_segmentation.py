"""Segmentation networks are trained on masks: moved with their images, judged by mIoU, resumed, kept, refused."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from nassim import registry  # noqa: E402
from nassim.cli.main import main  # noqa: E402
from nassim.errors import InvalidSetting, UnknownName, Unsupported  # noqa: E402
from nassim.full_training.images import own  # noqa: E402
from nassim.full_training.images.batches import NO_CLASS, plan_epoch, take, to_device  # noqa: E402
from nassim.full_training.images.data import ImageData, Split  # noqa: E402
from nassim.full_training.networks.framed import network_of  # noqa: E402
from nassim.full_training.supernets.pixels import SharedPixels  # noqa: E402
from nassim.full_training.training.pixels import PixelLearner, confusion_matrix  # noqa: E402
from nassim.full_training.training.recipe import Recipe, get_recipe  # noqa: E402
from nassim.full_training.training.train import Curve, train  # noqa: E402
from nassim.full_training.training.training import Training  # noqa: E402
from nassim.query import Query  # noqa: E402
from nassim.registry import get_benchmark, get_space  # noqa: E402
from nassim.segmentation import UNLABELED, mean_iou  # noqa: E402

SPACE: Any = get_space("squeezenas-short")
RECIPE = Recipe("tiny", channels=4, cells=1, epochs=2, batch=8, crop=0, flip=False, rate=0.1)
ARCH = SPACE.parse("k3_e3,skip,k3_e3,skip,k3_e1_d2,skip")


def squares(name: str = "squares", count: int = 24, side: int = 16, unlabeled: bool = False) -> ImageData:
    """A bright or a dark square on grey; pixels of one column may have no class."""
    splits = {}
    for number, split in enumerate(("train", "valid", "test")):
        rng = np.random.default_rng(number)
        n = count - 4 * number
        images, masks = np.full((n, 1, side, side), 120, np.uint8), np.zeros((n, side, side), np.uint8)
        for i in range(n):
            y, x, which = rng.integers(0, side - 6), rng.integers(0, side - 6), rng.integers(1, 3)
            images[i, 0, y : y + 6, x : x + 6] = 250 if which == 1 else 10
            masks[i, y : y + 6, x : x + 6] = which
        images += rng.integers(0, 5, images.shape, dtype=np.uint8)
        if unlabeled:
            masks[:, :, 3] = UNLABELED
        splits[split] = Split(images, masks)
    return ImageData(name, 3, splits, {split: split for split in splits}, flip=True)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    own.save(squares(), ("grey", "bright", "dark"))
    return tmp_path


def opened(**changes: Any) -> Any:
    bench: Any = get_benchmark("squeezenas-short/squares:training")
    bench.use(replace(bench.recipe, **{"epochs": 2, "warmup": 0.0, "batch": 8, "channels": 4, **changes}))
    bench.move("cpu")
    return bench


# -- images and masks -------------------------------------------------------------------------------------


def test_masks_move_and_turn_with_their_images() -> None:
    data = squares()
    alike = {name: Split(split.labels[:, None] * 100, split.labels) for name, split in data.splits.items()}
    data = ImageData("alike", 3, alike, data.names, flip=True)
    recipe = replace(RECIPE, crop=3, flip=True)
    split = to_device(data, "train", "cpu", recipe.crop)
    images, masks = take(split, plan_epoch(split, recipe, 0, 0), slice(0, 24))
    levels = (images[:, 0] * data.std[0] + data.mean[0]) * 255 / 100
    inside = masks != NO_CLASS
    assert masks.dtype is torch.int64 and (levels.round().long()[inside] == masks[inside]).all()
    assert 0.02 < (~inside).float().mean() < 0.5  # what was moved in from beyond the border has no class
    moved = [not np.array_equal(a, b) for a, b in zip(masks.numpy(), alike["train"].labels, strict=True)]
    assert sum(moved) > 12


def test_the_confusion_matrix_of_logits() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(5, 4, 6, 6), torch.randint(0, 4, (5, 6, 6))
    labels[:, 0] = NO_CLASS
    matrix, said = confusion_matrix(logits, labels), logits.argmax(dim=1)
    for true in range(4):
        for predicted in range(4):
            assert matrix[true, predicted] == ((labels == true) & (said == predicted)).sum()
    assert matrix.sum() == 5 * 5 * 6


# -- trainings --------------------------------------------------------------------------------------------


def learner(data: ImageData, recipe: Recipe = RECIPE) -> PixelLearner:
    return PixelLearner(network_of(ARCH, recipe, data, SPACE), data, recipe, 0, torch.device("cpu"), compiled=False)


def test_what_an_evaluation_says_is_counted_pixel_by_pixel() -> None:
    data = squares(unlabeled=True)
    made = learner(data)
    split = to_device(data, "valid")
    share, loss, miou = made.evaluate(split)
    with torch.no_grad():
        logits = made.network.eval()(split.images)
    labels = torch.from_numpy(data.splits["valid"].labels).long()
    known = labels != UNLABELED
    said = logits.argmax(dim=1)
    assert share == pytest.approx(float((said == labels)[known].float().mean()))
    logs = torch.log_softmax(logits, dim=1).permute(0, 2, 3, 1)[known]
    assert loss == pytest.approx(float(-logs.gather(1, labels[known][:, None]).mean()), rel=1e-5)
    shares = []
    for c in range(3):
        either = ((labels == c) | (said == c)) & known
        if either.any():
            shares.append(int(((labels == c) & (said == c) & known).sum()) / int(either.sum()))
    assert miou == pytest.approx(sum(shares) / len(shares))


def test_only_labeled_pixels_are_learned_and_counted() -> None:
    data = squares(unlabeled=True)
    made = learner(data)
    images, labels = take(made.images, plan_epoch(made.images, RECIPE, 0, 0), slice(0, 8))
    before = [weight.detach().clone() for weight in made.network.parameters()]
    made.begin(0)
    loss, right = made._gradients(images, labels)
    assert made.judged == 8 * 16 * 15 and 0 <= int(right) <= made.judged
    gradients = [weight.grad.clone() for weight in made.network.parameters() if weight.grad is not None]
    changed = labels.clone()
    changed[changed == NO_CLASS] = 1
    other, _ = made._gradients(images, changed)
    assert float(loss) != float(other) and len(before) == len(gradients)


@pytest.mark.slow
def test_a_training_learns_is_resumed_and_can_be_kept(tmp_path: Path) -> None:
    data, recipe = squares(count=64), replace(RECIPE, epochs=5, rate=0.2)
    network = network_of(ARCH, recipe, data, SPACE)
    whole = train(ARCH, data, recipe, 0, network=network)
    assert whole.valid_miou[-1] > whole.valid_miou[0] and whole.valid_miou[-1] > 0.6 and whole.test_miou is not None
    assert all(a != b for a, b in zip(whole.valid_miou, whole.valid_accuracy, strict=True))
    assert len(whole.train_accuracy) == 5 and 0 < whole.train_accuracy[-1] <= 1 and not whole.failed
    file, seen = tmp_path / "checkpoint.pt", list[float]()
    train(ARCH, data, recipe, 0, network=network, resume=file, until=2)

    def tell(curve: Curve) -> None:
        seen.append(curve.valid_miou[-1])

    resumed = train(ARCH, data, recipe, 0, network=network, resume=file, tell=tell)
    for name in ("valid_miou", "test_miou", "train_accuracy", "valid_loss"):
        assert getattr(resumed, name) == getattr(whole, name)
    assert len(seen) == 3 and Training.from_json(whole.to_json()) == whole


def test_the_benchmark_answers_miou() -> None:
    bench = opened()
    rng = random.Random(0)
    result = bench.query(Query(ARCH), rng)
    (kept,) = bench.kept.all_of(bench.data.sha256, bench.recipe.sha256, SPACE.name)
    assert result.value == kept.valid_miou[-1] and bench.test_accuracy(ARCH) == kept.test_miou
    assert bench.mean_accuracy(ARCH) == bench.mean_accuracy(ARCH, "valid_miou") == result.value
    assert bench.metric.read(result.value).endswith(" %") and bench.metric.head("valid") == "valid miou %"
    assert result.extras == bench.measure(ARCH) and set(bench.about.splits) == {"train_miou", "valid_miou", "test_miou"}
    first = bench.query(Query(ARCH, 1), random.Random(0))
    assert first.value == kept.valid_miou[0] and not bench.inherits
    with pytest.raises(Unsupported, match="has valid_miou and test_miou, not 'loss'"):
        bench.mean_accuracy(ARCH, "loss")


# -- what goes together -----------------------------------------------------------------------------------


def test_the_spaces_and_masks_there_are() -> None:
    assert registry.segmentation_spaces() == ["squeezenas", "squeezenas-short"]
    assert registry.mask_names() == ["canvas", "squares"]
    assert not set(registry.segmentation_spaces()) & set(registry.training_spaces())
    assert "squares" not in registry.image_names()
    assert opened().recipe.name == "segmentation"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("squeezenas-short/digits:training", "'digits' is not a set of images with masks"),
        ("nasbench201/squares:training", "'squares' is not a set of images"),
        ("squeezenas-short/suares:training", "not a set of images with masks. Did you mean squares"),
    ],
)
def test_what_is_not_there_is_one_line(name: str, message: str) -> None:
    with pytest.raises(UnknownName, match=message) as raised:
        get_benchmark(name)
    assert "\n" not in str(raised.value)


def test_what_does_not_fit_is_one_line() -> None:
    with pytest.raises(InvalidSetting, match="nasbench201 give a whole image a class, squares has classes of pixels"):
        network_of(get_space("nasbench201").at(7), RECIPE, squares())
    images = ImageData(
        "plain", 2, {n: Split(s.images, s.labels[:, 0, 0] % 2) for n, s in squares().splits.items()}, {}, flip=True
    )
    with pytest.raises(InvalidSetting, match="short give every pixel a class, plain has classes of whole images"):
        network_of(ARCH, RECIPE, images, SPACE)
    with pytest.raises(InvalidSetting, match=r"cannot be built for squares, images of 20 pixels.*decoder"):
        network_of(ARCH, RECIPE, squares(side=20), SPACE)


def test_a_step_waits_for_nothing() -> None:
    from tests.full_training.test_no_waiting import META, NoWaiting

    data = squares()
    made = PixelLearner(network_of(ARCH, RECIPE, data, SPACE), data, RECIPE, 0, META, compiled=False)
    made.network.train()
    plan = plan_epoch(made.images, RECIPE, 0, 0)
    made.begin(0)
    with NoWaiting():
        assert made.step(plan, 0, 0) is not None
        made.confusion(made.images)


def test_the_command_prints_miou(capsys: pytest.CaptureFixture[str]) -> None:
    arch = f"squeezenas-short:{SPACE.format(ARCH)}"
    with pytest.raises(SystemExit) as left:
        main(["train", arch, "--data", "squares", "--epochs", "1", "--device", "cpu", "--seeds", "2"])
    out, err = capsys.readouterr()
    assert left.value.code == 0, err
    assert "valid mIoU %" in out and "test mIoU %" in out and "validation mIoU: mean" in out and "mIoU" in err
    assert get_recipe("segmentation").channels == 8


# -- supernet ---------------------------------------------------------------------------------------------


def shared() -> SharedPixels:
    net = SharedPixels(SPACE, squares(), replace(RECIPE, channels=4), 0, settings={})
    net.schedule(2, 0.1, 0.0, weight_decay=0.0)
    return net


def test_a_path_of_the_supernet_is_scored_by_miou() -> None:
    net = shared()
    score = net.score(net.path(ARCH))
    matrix = np.zeros((3, 3), dtype=np.int64)
    for images, masks in net._whole():
        with torch.no_grad():
            said = net.logits(net.path(ARCH), images).argmax(dim=1)
        np.add.at(matrix, (masks.numpy().ravel(), said.numpy().ravel()), 1)
    assert score == pytest.approx(mean_iou(matrix)) and net.metric.name == "miou"
    (train_batch, _), *_ = net.batches(0, 8)
    loss = float(net.step(net.path(ARCH), train_batch))
    assert 0 < loss < 5
