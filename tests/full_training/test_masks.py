"""Images with masks: the data set canvas, the user's own, and mIoU, by which what is learned from them is judged."""

from __future__ import annotations

import io
import json
import random
import zipfile
from pathlib import Path

import numpy as np
import pytest

from nassim.cli.main import main
from nassim.errors import CorruptData, MissingData
from nassim.full_training.images import canvas, digits, own
from nassim.full_training.images.data import ImageData, Split, load_data
from nassim.segmentation import UNLABELED, mean_iou

Image = pytest.importorskip("PIL.Image")


@pytest.fixture
def _data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))


# -- mIoU -------------------------------------------------------------------------------------------------


def test_miou_against_a_confusion_matrix_by_hand() -> None:
    """Check 1 of systems.md 5.13: every class counted pixel by pixel, without a matrix."""
    rng = random.Random(0)
    for classes in (2, 3, 7):
        true = [rng.randrange(classes) for _ in range(200)]
        said = [t if rng.random() < 0.6 else rng.randrange(classes) for t in true]
        shares = []
        for c in range(classes):
            both = sum(t == c and s == c for t, s in zip(true, said, strict=True))
            either = sum(t == c or s == c for t, s in zip(true, said, strict=True))
            shares.append(both / either)
        matrix = np.zeros((classes, classes), dtype=np.int64)
        np.add.at(matrix, (np.array(true), np.array(said)), 1)
        assert mean_iou(matrix) == pytest.approx(sum(shares) / classes, abs=1e-12)


def test_miou_of_matrices_that_are_written_out() -> None:
    assert mean_iou(np.array([[3, 1], [2, 4]])) == (3 / 6 + 4 / 7) / 2
    assert mean_iou(np.eye(4)) == 1.0
    assert mean_iou(np.array([[5, 0, 0], [5, 0, 0], [0, 0, 0]])) == (0.5 + 0.0) / 2  # the third class is nowhere
    assert mean_iou(np.array([[0, 4], [0, 0]])) == 0.0
    assert mean_iou(np.zeros((2, 2))) == 0.0


# -- canvas -----------------------------------------------------------------------------------------------


def garments(count: int, level: int) -> Split:
    return Split(np.full((count, 1, 28, 28), level, dtype=np.uint8), np.arange(count, dtype=np.int64) % 10)


def figures(count: int) -> Split:
    pixels = np.zeros((count, 8, 8), dtype=np.uint8)
    pixels[:, 2:6, 3:5] = 250
    return Split(digits.fold(pixels), np.zeros(count, dtype=np.int64))


def test_what_is_painted_last_is_what_a_pixel_is() -> None:
    split = canvas.composed(garments(10, 255), figures(5), 50, stream=1)
    assert split.images.shape == (50, 1, 32, 32) and split.labels.shape == (50, 32, 32)
    again, other = (canvas.composed(garments(10, 255), figures(5), 50, stream) for stream in (1, 2))
    assert (split.images == again.images).all() and (split.labels == again.labels).all()
    assert (split.images != other.images).mean() > 0.5
    for mask in split.labels:
        assert 8 <= (mask == canvas.DIGIT).sum() <= 16  # two digits of eight pixels, which may lie on each other
        assert 196 - 16 <= (mask >= 2).sum() <= 2 * 196
    bright = split.images[:, 0][split.labels > 0].mean()
    assert bright > 60 + split.images[:, 0][split.labels == 0].mean()


def test_dark_pixels_belong_to_what_lies_behind() -> None:
    split = canvas.composed(garments(10, canvas.VISIBLE[0] - 1), figures(5), 20, stream=1)
    assert set(np.unique(split.labels)) == {0, canvas.DIGIT}


def test_unfolded_digits_are_the_rendered_ones() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 8, 8), dtype=np.uint8)
    assert (canvas.unfold(digits.fold(pixels)) == pixels).all()


@pytest.mark.slow
def test_canvas_is_the_same_everywhere() -> None:
    try:
        data = load_data("canvas")
    except MissingData as error:
        pytest.skip(f"Fashion-MNIST, of which canvas is composed, is not here: {error}")
    assert data.sha256 == canvas.SHA256 and data.masks and data.classes == len(canvas.CLASSES) == 7
    assert {name: len(split) for name, split in data.splits.items()} == canvas.COUNTS
    for split in data.splits.values():
        shares = np.bincount(split.labels.ravel(), minlength=7) / split.labels.size
        assert shares[0] == pytest.approx(0.78, abs=0.01) and (shares[1:] > 0.01).all()


# -- the user's own ---------------------------------------------------------------------------------------


def encoded(pixels: np.ndarray, kind: str = "PNG", palette: bool = False) -> bytes:
    image = Image.fromarray(pixels)
    if palette:
        image = Image.fromarray(pixels, mode="P")
        image.putpalette([90, 20, 10, 0, 200, 0, 7, 7, 255])
    image.save(buffer := io.BytesIO(), kind)
    return buffer.getvalue()


def pairs(count: int = 10, side: int = 8, palette: bool = False) -> dict[str, bytes]:
    found = {}
    for i in range(count):
        rng = np.random.default_rng(i)
        mask = rng.integers(0, 3, (side, side), dtype=np.uint8)
        found[f"images/{i:02}.jpg"] = encoded(rng.integers(0, 256, (side, side, 3), dtype=np.uint8), "JPEG")
        found[f"masks/{i:02}.png"] = encoded(mask, palette=palette)
    return found


def folder(place: Path, content: dict[str, bytes]) -> Path:
    for path, data in content.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(data)
    return place


def kept(capsys: pytest.CaptureFixture[str], *arguments: str | Path, code: int = 0) -> tuple[str, str]:
    with pytest.raises(SystemExit) as left:
        main(["data", "images", *map(str, arguments), "--masks"])
    out, err = capsys.readouterr()
    assert (left.value.code or 0) == code, err
    assert "Traceback" not in err
    if code:
        assert not out and len(err.strip().splitlines()) == 1 and err.count("error:") == 1
    return out, err


@pytest.mark.usefixtures("_data_folder")
def test_masks_are_kept_with_their_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = pairs()
    out, _ = kept(capsys, "mine", folder(tmp_path / "a", content))
    assert "3 classes of pixels, 8 x 8 pixels, 3 channel(s); 8 train, 1 valid, 1 test" in out
    data = load_data("mine")
    assert data.masks and data.classes == 3 and own.own_mask_names() == ("mine",) and not own.own_names()
    masks = {mask.tobytes() for split in data.splits.values() for mask in split.labels}
    assert masks == {np.random.default_rng(i).integers(0, 3, (8, 8), dtype=np.uint8).tobytes() for i in range(10)}
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as file:
        for path, each in reversed(pairs(palette=True).items()):
            file.writestr(f"top/{path}", each)
    kept(capsys, "palette", tmp_path / "b.zip")
    assert load_data("palette").sha256 == data.sha256
    said = json.loads(kept(capsys, "again", tmp_path / "b.zip", "--classes", "5", "--json")[0])
    assert said["classes"] == ["0", "1", "2", "3", "4"] and load_data("again").classes == 5


@pytest.mark.usefixtures("_data_folder")
def test_folders_name_splits_and_sides_keep_labels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = pairs(side=8)
    named = {}
    for path, each in content.items():
        kind, _, name = path.partition("/")
        named[f"{kind}/{'test' if name < '03' else 'train'}/{name}"] = each
    out, _ = kept(capsys, "named", folder(tmp_path / "a", named), "--side", "16")
    assert "16 x 16 pixels" in out and "6 train, 1 valid, 3 test (given)" in out
    masks = load_data("named").splits["test"].labels
    wanted = np.random.default_rng(0).integers(0, 3, (8, 8), dtype=np.uint8)
    assert (masks[0] == wanted.repeat(2, 0).repeat(2, 1)).all()


GREY = np.zeros((8, 8), dtype=np.uint8)


@pytest.mark.usefixtures("_data_folder")
@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"masks/03.png": encoded(GREY[:4])}, (), "images/03.jpg has 8 x 8 pixels|masks/03.png has 8 x 4 pixels"),
        ({"masks/03.png": encoded(GREY + 7)}, ("--classes", "3"), "masks/03.png has the label 7: of 3 classes"),
        ({"masks/03.png": encoded(GREY + 255)}, (), "masks/03.png labels no pixel: 255"),
        ({"masks/03.png": encoded(np.zeros((8, 8, 3), dtype=np.uint8))}, (), "pixels of the kind RGB"),
        ({"masks/03.png": None}, (), "images/03.jpg has no file of its name below a folder `masks`"),
        ({"images/03.jpg": None}, (), "masks/03.png has no file of its name below a folder `images`"),
        ({"masks/03.jpg": encoded(GREY, "JPEG"), "masks/03.png": None}, (), "a JPEG, which changes the labels"),
        ({"masks/03.png": b"\x89PNG"}, (), "1 of 20 pictures in .* cannot be read: masks/03.png"),
        ({"masks/03.png": encoded(GREY.astype(np.uint16))}, (), "pixels of the kind I"),
        ({"images/03.png": encoded(GREY)}, (), "have the same name"),
    ],
)
def test_bad_masks_are_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, bytes | None],
    options: tuple[str, ...],
    message: str,
) -> None:
    content = {path: each for path, each in {**pairs(), **change}.items() if each is not None}
    _, err = kept(capsys, "mine", folder(tmp_path / "a", content), *options, code=2)
    assert any(all(part in err for part in each.split(".*")) for each in message.split("|")), err
    assert not own.own_mask_names()


@pytest.mark.usefixtures("_data_folder")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "mine has no picture below a folder `images`"),
        ({"a/x.png": encoded(GREY)}, "mine has no picture below a folder `images`"),
        ({f"{kind}/{i}.png": encoded(GREY) for kind in ("images", "masks") for i in range(9)}, "only the class 0"),
        (pairs(2), "has 2 picture(s) to train on and to divide"),
    ],
)
def test_too_little_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: dict[str, bytes], message: str
) -> None:
    (tmp_path / "a").mkdir()
    assert message in kept(capsys, "mine", folder(tmp_path / "a", content), code=2)[1]


@pytest.mark.usefixtures("_data_folder")
def test_broken_pairs_are_left_out_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = {**pairs(), "masks/03.png": b"", "images/04.jpg": b"<html>"}
    out, _ = kept(capsys, "mine", folder(tmp_path / "a", content), "--skip-broken")
    assert "6 train, 1 valid, 1 test" in out and "left out: " in out


@pytest.mark.usefixtures("_data_folder")
def test_names_are_of_one_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = folder(tmp_path / "a", pairs())
    kept(capsys, "mine", place)
    with pytest.raises(SystemExit):
        main(["data", "images", "mine", str(place), "--replace"])
    assert "of another kind" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["data", "images", "other", str(place), "--classes", "3"])
    assert "--classes goes with --masks" in capsys.readouterr().err
    assert "nassim knows" in kept(capsys, "canvas", place, code=2)[1]


@pytest.mark.usefixtures("_data_folder")
def test_labels_are_in_the_hash_and_an_altered_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept(capsys, "mine", folder(tmp_path / "a", pairs()))
    data = load_data("mine")
    changed = {name: Split(split.images, split.labels.copy()) for name, split in data.splits.items()}
    changed["test"].labels[0, 0, 0] = UNLABELED
    assert ImageData("mine", 3, changed, data.names, flip=True).sha256 != data.sha256
    path = own.path_of("mine", masks=True)
    content = bytearray(path.read_bytes())
    content[content.index(data.splits["train"].labels[0].tobytes())] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(CorruptData, match=r"is damaged .* --masks --replace"):
        load_data("mine")
