"""The data set digits: the same images everywhere, splits without common originals, and readers of released images."""

from __future__ import annotations

import hashlib
import pickle
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.errors import CorruptData, InvalidSetting, MissingData, UnknownName
from nassim.full_training.images import cifar, digits, imagenet16
from nassim.full_training.images.data import SPLITS, ImageData, Split, halves, load_data, random_bits
from nassim.full_training.networks.framed import network_of
from nassim.full_training.training.recipe import RECIPES, USUAL, Recipe, get_recipe

SHA256 = "2623a019bc5a38612368440c5836d0bd359139969478113be9fd79c52af07e6f"


def test_images_are_the_same_bit_for_bit() -> None:
    data = load_data("digits")
    assert data.sha256 == SHA256
    assert {name: split.images.shape for name, split in data.splits.items()} == {
        "train": (7976, 4, 4, 4),
        "valid": (2000, 4, 4, 4),
        "test": (2000, 4, 4, 4),
    }
    assert all(np.bincount(split.labels).min() >= 150 for split in data.splits.values()), "a digit is rare"


def test_random_words_are_those_of_splitmix64() -> None:
    """Against the published C code's arithmetic, written out with Python's integers."""

    def word(counter: int) -> int:
        mask = (1 << 64) - 1
        z = counter * 0x9E3779B97F4A7C15 & mask
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & mask
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & mask
        return z ^ (z >> 31)

    assert random_bits(0, 3).tolist() == [word(1), word(2), word(3)]
    assert random_bits(5, 2).tolist() == [word((5 << 20) + 1), word((5 << 20) + 2)]
    assert word(1) == 0xE220A8397B1DCDAF  # the first output for seed 0, as in the literature


def test_no_original_is_in_two_splits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rendered without motion and noise, every image of a split is an original; no two splits share one."""
    for name in ("STRETCH", "SHEAR", "SHIFT", "NOISE"):
        monkeypatch.setattr(digits, name, 0)
    plain = digits.load.__wrapped__()
    seen = {name: {image.tobytes() for image in split.images} for name, split in plain.splits.items()}
    assert {name: len(images) for name, images in seen.items()} == digits.ORIGINALS
    assert not seen["train"] & seen["valid"] and not seen["train"] & seen["test"] and not seen["valid"] & seen["test"]


def test_rendering_moves_by_whole_pixels_and_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STRETCH", "SHEAR", "NOISE"):
        monkeypatch.setattr(digits, name, 0)
    image = np.zeros((1, 8, 8), dtype=np.int64)
    image[0, 4, 3] = 200
    for x0, y0 in ((256, 0), (0, -256), (128, 0)):  # in 1/256 of a pixel
        shifts = iter([np.array([0])] * 4 + [np.array([x0]), np.array([y0])])
        with monkeypatch.context() as patch:
            patch.setattr(digits, "_between", lambda bits, limit, shifts=shifts: next(shifts))
            moved = digits.render(image, 1)[0]
        expected = np.zeros((8, 8))
        if x0 == 128:
            expected[4, 2] = expected[4, 3] = 100
        else:
            expected[4 - y0 // 256, 3 - x0 // 256] = 200
        np.testing.assert_array_equal(moved, expected)


def test_fold_keeps_every_pixel() -> None:
    image = np.arange(64, dtype=np.uint8).reshape(1, 8, 8)
    folded = digits.fold(image)
    for y in range(8):
        for x in range(8):
            assert folded[0, 2 * (y % 2) + x % 2, y // 2, x // 2] == image[0, y, x]


def test_noise_is_centered_and_of_the_declared_size() -> None:
    grey = np.full((500, 8, 8), 128, dtype=np.int64)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("STRETCH", "SHEAR", "SHIFT"):
            patch.setattr(digits, name, 0)
        noisy = digits.render(grey, 3).astype(float)[:, 1:-1, 1:-1]
    assert noisy.mean() == pytest.approx(128, abs=1)
    assert noisy.std() == pytest.approx(digits.NOISE, rel=0.05)


def test_moments_are_those_of_the_pixels() -> None:
    data = load_data("digits")
    pixels = data.splits["train"].images / 255.0
    np.testing.assert_allclose(data.mean, pixels.mean(axis=(0, 2, 3)), rtol=1e-9)
    np.testing.assert_allclose(data.std, pixels.std(axis=(0, 2, 3)), rtol=1e-9)


# -- released images ----------------------------------------------------------------------------------


@pytest.fixture
def small_cifar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Releases of a few records, otherwise like the real ones."""
    for name in ("cifar10", "cifar100"):
        release = cifar.RELEASES[name]
        monkeypatch.setitem(cifar.RELEASES, name, replace(release, images=6, test_images=8))


def write_cifar(folder: Path, name: str) -> dict[str, np.ndarray]:
    release = cifar.RELEASES[name]
    (folder / release.folder).mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    records = {}
    for file in (*release.train, release.test):
        count = release.test_images if file == release.test else release.images
        content = rng.integers(0, 256, (count, release.label_bytes + 3072), dtype=np.uint8)
        content[:, : release.label_bytes] = rng.integers(0, release.classes, (count, release.label_bytes))
        content.tofile(folder / release.folder / file)
        records[file] = content
    return records


@pytest.mark.usefixtures("small_cifar")
def test_cifar10_has_the_benchmarks_splits(tmp_path: Path) -> None:
    records = write_cifar(tmp_path, "cifar10")
    data = load_data("cifar10", tmp_path)
    assert [len(data.splits[name]) for name in SPLITS] == [15, 15, 8]
    assert data.names == {"train": "train", "valid": "x-valid", "test": "ori-test"}
    assert (data.classes, data.channels, data.side, data.flip) == (10, 3, 32, True)
    whole = np.concatenate([records[f"data_batch_{i}.bin"] for i in range(1, 6)])
    both = np.concatenate([data.splits[name].images.reshape(-1, 3072) for name in ("train", "valid")])
    assert sorted(image.tobytes() for image in both) == sorted(image.tobytes() for image in whole[:, 1:])
    by_image = {record[1:].tobytes(): record[0] for record in whole}
    for image, label in zip(data.splits["valid"].images, data.splits["valid"].labels, strict=True):
        assert by_image[image.tobytes()] == label
    again = load_data("cifar10", tmp_path / "cifar-10-batches-bin")
    assert again.sha256 == data.sha256


@pytest.mark.usefixtures("small_cifar")
def test_cifar100_takes_the_fine_labels_and_halves_the_test_set(tmp_path: Path) -> None:
    records = write_cifar(tmp_path, "cifar100")
    data = load_data("cifar100", tmp_path)
    assert [len(data.splits[name]) for name in SPLITS] == [6, 4, 4]
    np.testing.assert_array_equal(data.splits["train"].labels, records["train.bin"][:, 1])


@pytest.mark.usefixtures("small_cifar")
def test_an_archive_is_unpacked_after_its_checksum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_cifar(tmp_path / "source", "cifar10")
    wanted = load_data("cifar10", tmp_path / "source").sha256
    archive = tmp_path / "cifar-10-binary.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "source" / "cifar-10-batches-bin", "cifar-10-batches-bin")
    with pytest.raises(CorruptData, match=r"has the md5 .*, not c32a1d4a.*fetch it again"):
        load_data("cifar10", tmp_path)
    md5 = hashlib.md5(archive.read_bytes(), usedforsecurity=False).hexdigest()
    monkeypatch.setitem(cifar.RELEASES, "cifar10", replace(cifar.RELEASES["cifar10"], md5=md5))
    assert load_data("cifar10", archive).sha256 == wanted
    assert load_data("cifar10", tmp_path).sha256 == wanted  # unpacked beside it


@pytest.mark.usefixtures("small_cifar")
def test_bad_cifar_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingData, match=r"cifar10 is not in .*cifar-10-binary.tar.gz.*and put it there"):
        load_data("cifar10", tmp_path)
    write_cifar(tmp_path, "cifar10")
    file = tmp_path / "cifar-10-batches-bin" / "data_batch_3.bin"
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    with pytest.raises(CorruptData, match=r"data_batch_3.bin has 18,437 bytes instead of 18,438"):
        load_data("cifar10", tmp_path)
    file.write_bytes(b"\xff" + content[1:])
    with pytest.raises(CorruptData, match="label 255, of 10 classes"):
        load_data("cifar10", tmp_path)
    file.unlink()
    with pytest.raises(MissingData, match=r"data_batch_3.bin is not there"):
        load_data("cifar10", tmp_path)


def test_imagenet16_keeps_120_classes_and_refuses_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imagenet16, "IMAGES", {"train": 10 * 3, "valid": 4})
    rng = np.random.default_rng(1)
    for file in (*imagenet16.TRAIN_FILES, imagenet16.VALID_FILE):
        labels = [1, 120, 121, 1000, 60] + ([2] if file == imagenet16.VALID_FILE else [])
        batch = {"data": rng.integers(0, 256, (len(labels), 768), dtype=np.uint8), "labels": labels}
        (tmp_path / file).write_bytes(pickle.dumps(batch))
    data = load_data("imagenet16-120", tmp_path)
    assert [len(data.splits[name]) for name in SPLITS] == [30, 2, 2]
    assert sorted(set(data.splits["train"].labels.tolist())) == [0, 59, 119]
    (tmp_path / "train_data_batch_7").write_bytes(pickle.dumps(Path("code")))
    with pytest.raises(CorruptData, match="train_data_batch_7 was not read"):
        load_data("imagenet16-120", tmp_path)
    (tmp_path / "train_data_batch_7").unlink()
    with pytest.raises(MissingData, match=r"train_data_batch_7 is not there.*image-net"):
        load_data("imagenet16-120", tmp_path)


def test_halves_are_disjoint_and_whole() -> None:
    split = Split(np.arange(11, dtype=np.uint8).reshape(11, 1, 1, 1), np.arange(11))
    first, second = halves(split, seed=3)
    assert sorted([*first.labels, *second.labels]) == list(range(11))
    assert first.labels.tolist() == first.images.ravel().tolist() != list(range(5))
    with pytest.raises(UnknownName, match="is not a data set"):
        load_data("svhn")


# -- recipes ------------------------------------------------------------------------------------------


def test_recipes_of_the_paper() -> None:
    for epochs in (12, 200):
        recipe = get_recipe(f"nasbench201-{epochs}ep")
        assert (recipe.channels, recipe.cells, recipe.epochs, recipe.batch) == (16, 5, epochs, 256)
        assert (recipe.rate, recipe.momentum, recipe.nesterov, recipe.weight_decay) == (0.1, 0.9, True, 5e-4)
        assert recipe.rate_at(0, 98) == 0.1
        assert recipe.rate_at(98 * epochs // 2, 98) == pytest.approx(0.05)
        assert 0 < recipe.rate_at(98 * epochs - 1, 98) < 1e-5
    assert set(USUAL.values()) <= set(RECIPES)


def test_a_recipe_is_known_by_its_hash() -> None:
    recipe = get_recipe("digits")
    assert replace(recipe, name="another").sha256 == recipe.sha256
    assert get_recipe("digits", rate=0.25).sha256 != recipe.sha256
    assert get_recipe("digits", epochs=2).warmup == recipe.warmup / 2 and get_recipe("digits", epochs=4) == recipe
    warm = Recipe("warm", rate=1.0, epochs=4, warmup=1.0)
    assert [warm.rate_at(step, 4) for step in range(4)] == [0.25, 0.5, 0.75, 1.0]
    assert warm.rate_at(10, 4) == pytest.approx(0.5)  # half of what is left


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"flip": True}, "mirrored image of digits"),
        ({"crop": 2}, "shifts by 2 pixels"),
        ({"batch": 5000}, "batches of 5000, an epoch of digits only 1,994 images"),
        ({"epochs_a_pass": 3}, "epochs_a_pass=3, which does not divide digits's 7,976 images"),
        ({"warmup": 4.0}, "not below its 4 epochs"),
    ],
)
def test_recipes_that_do_not_fit_the_data_are_refused(changes: dict[str, float], message: str) -> None:
    with pytest.raises(InvalidSetting, match=message):
        get_recipe("digits", **{"epochs": 4, **changes}).check(load_data("digits"))


def test_impossible_recipes_are_refused() -> None:
    for changes, message in (
        ({"epochs": 0}, "at least 1"),
        ({"rate": float("nan")}, "finite"),
        ({"precision": "fp8"}, "fp8"),
    ):
        with pytest.raises(InvalidSetting, match=message):
            get_recipe("digits", **changes)
    with pytest.raises(InvalidSetting, match="have no depth"):
        get_recipe("digits", depth=3)
    with pytest.raises(UnknownName, match="is not a recipe"):
        get_recipe("imagenet")
    odd = Split(np.zeros((9, 1, 6, 6), np.uint8), np.zeros(9, np.int64))
    with pytest.raises(InvalidSetting, match="6 pixels"):
        images = ImageData("odd", 2, dict.fromkeys(SPLITS, odd), {}, flip=False)
        network_of(SPACE.at(0), get_recipe("digits", batch=4), images)
