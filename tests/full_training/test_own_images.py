"""Images of the user's own: folders and archives, what is refused and that nothing is lost by it."""

from __future__ import annotations

import io
import random
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from nassim.cli.main import main
from nassim.errors import CorruptData, UnknownName
from nassim.full_training.images import own, pictures, sources
from nassim.full_training.images.data import load_data
from nassim.full_training.training.recipe import get_recipe, usual_recipe

Image = pytest.importorskip("PIL.Image")


@pytest.fixture(autouse=True)
def _data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))


def encoded(seed: int, *, size: tuple[int, int] = (8, 8), mode: str = "RGB", kind: str = "PNG") -> bytes:
    shape = (size[1], size[0], 3) if mode == "RGB" else (size[1], size[0])
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    Image.fromarray(pixels).save(buffer := io.BytesIO(), kind)
    return buffer.getvalue()


def files(classes: int = 2, images: int = 10, **how: object) -> dict[str, bytes]:
    return {
        f"class{c}/{i:03}.png": encoded(100 * c + i, **how)  # type: ignore[arg-type]
        for c in range(classes)
        for i in range(images)
    }


def folder(tmp_path: Path, content: dict[str, bytes], name: str = "pictures") -> Path:
    for path, data in content.items():
        (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name / path).write_bytes(data)
    return tmp_path / name


def zipped(tmp_path: Path, content: dict[str, bytes], name: str = "p.zip") -> Path:
    with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as file:
        for path, data in content.items():
            file.writestr(path, data)
    return tmp_path / name


def tarred(tmp_path: Path, content: dict[str, bytes], name: str = "p.tar.gz", *extra: tarfile.TarInfo) -> Path:
    form = name.rpartition(".")[2]
    with tarfile.open(tmp_path / name, f"w:{form}" if form != "tar" else "w") as file:
        for path, data in content.items():
            info = tarfile.TarInfo(path)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
        for info in extra:
            file.addfile(info)
    return tmp_path / name


def images(capsys: pytest.CaptureFixture[str], *arguments: str | Path, code: int = 0) -> tuple[str, str]:
    with pytest.raises(SystemExit) as left:
        main(["data", "images", *map(str, arguments)])
    out, err = capsys.readouterr()
    assert (left.value.code or 0) == code, err
    assert "Traceback" not in err
    if code:
        assert not out and err.count("error:") == 1 and len(err.strip().splitlines()) == 1
    return out, err


def test_folders_and_archives_give_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = files(3, 20)
    shuffled = dict(random.Random(1).sample(list(content.items()), len(content)))
    below = {f"top/{path}": data for path, data in content.items()}
    places = [folder(tmp_path, content), zipped(tmp_path, shuffled), tarred(tmp_path, below)]
    places += [tarred(tmp_path, content, f"p.{form}") for form in ("tar", "tar.bz2", "tar.xz")]
    for number, place in enumerate(places):
        out, _ = images(capsys, f"set-{number}", place)
        assert "3 classes, 8 x 8 pixels, 3 channel(s); 48 train, 6 valid, 6 test" in out
    found = [load_data(f"set-{number}") for number in range(len(places))]
    assert len({data.sha256 for data in found}) == 1
    data = found[0]
    assert data.classes == 3 and data.channels == 3 and data.flip
    pixels = {Image.open(io.BytesIO(each)).tobytes() for each in content.values()}
    seen = [image.transpose(1, 2, 0).tobytes() for split in data.splits.values() for image in split.images]
    assert set(seen) == pixels and len(seen) == 60
    for split, count in (("train", 16), ("valid", 2), ("test", 2)):
        assert np.bincount(data.splits[split].labels).tolist() == [count] * 3
    get_recipe(usual_recipe(data), crop=1, batch=16).check(data)
    with pytest.raises(UnknownName, match=r"Known: digits.*set-0.*nassim data images"):
        load_data("set-9")


def test_folders_may_name_the_splits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = files(2, 20)
    named = {f"{'test' if path.endswith('9.png') else 'train'}/{path}": data for path, data in content.items()}
    out, _ = images(capsys, "named", folder(tmp_path, named))
    assert "32 train, 4 valid, 4 test (given)" in out
    wanted = {Image.open(io.BytesIO(data)).tobytes() for path, data in named.items() if path.startswith("test")}
    data = load_data("named")
    assert {image.transpose(1, 2, 0).tobytes() for image in data.splits["test"].images} == wanted


def test_grey_and_mixed_pictures_and_sides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grey = files(2, 4, mode="L")
    images(capsys, "grey", folder(tmp_path, grey, "grey"), "--no-mirror")
    data = load_data("grey")
    assert data.channels == 1 and not data.flip
    assert get_recipe(usual_recipe(data), crop=1).flip is False
    mixed = {**grey, "class0/color.jpg": encoded(7, kind="JPEG")}
    images(capsys, "mixed", folder(tmp_path, mixed, "mixed"))
    assert load_data("mixed").channels == 3
    odd = {**grey, "class1/wide.png": encoded(8, size=(20, 12), mode="L")}
    place = folder(tmp_path, odd, "odd")
    assert "different sizes" in images(capsys, "odd", place, code=2)[1]
    images(capsys, "odd", place, "--side", "16")
    assert load_data("odd").side == 16


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "no picture in a folder of its class"),
        ({"a.png": encoded(1), "b.png": encoded(2)}, "no picture in a folder of its class"),
        (files(1, 5), "only the class 'class0'"),
        ({**files(2, 5), "lonely/0.png": encoded(1)}, "the class 'lonely' of mine has one image"),
        ({**files(2, 5), "two/0.png": encoded(1), "two/1.png": encoded(2)}, "'two' of mine has 2 images"),
        (files(2, 5, size=(8, 6)), "has 8 x 6 pixels: networks take squares"),
        (files(2, 4, size=(600, 600)), "squares of at most 512"),
        ({**files(2, 5), "class1/x.png": encoded(1)[:90]}, r"1 of 11 pictures .* cannot be read: class1/x.png"),
        ({**files(2, 5), "class1/x.jpg": b"<html>"}, "class1/x.jpg (no JPEG or PNG, or cut off)"),
        ({**files(2, 5), "class1/x.jpg": b""}, "cannot be read"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
def test_bad_pictures_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: dict[str, bytes], message: str
) -> None:
    place = folder(tmp_path, content) if content else tmp_path
    _, err = images(capsys, "mine", place, code=2)
    assert message.replace(".*", "") in err or all(part in err for part in message.split(" .* "))
    assert not own.path_of("mine").exists()


def test_broken_pictures_may_be_left_out_and_what_was_there_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images(capsys, "mine", folder(tmp_path, files(2, 5), "good"))
    before = load_data("mine").sha256
    bad = folder(tmp_path, {**files(2, 8), "class0/cut.jpg": encoded(1, kind="JPEG")[:200]}, "bad")
    assert "choose another name or --replace" in images(capsys, "mine", bad, code=2)[1]
    assert "cut.jpg" in images(capsys, "mine", bad, "--replace", code=2)[1]
    assert load_data("mine").sha256 == before
    out, _ = images(capsys, "mine", bad, "--replace", "--skip-broken")
    assert "left out: class0/cut.jpg" in out and "12 train, 2 valid, 2 test" in out
    assert load_data("mine").sha256 != before


def test_a_picture_of_too_many_pixels_is_not_decoded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    for side in (5000, 60_000):  # within and beyond what Pillow itself refuses
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0))
        bomb = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
        place = folder(tmp_path, {**files(2, 5), "class0/bomb.png": bomb}, f"bomb{side}")
        _, err = images(capsys, "bomb", place, code=2)
        assert "class0/bomb.png" in err and "pixels" in err


def test_archives_that_are_not_harmless_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tarfile.TarInfo("class0/link.png")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    good = files(2, 5)
    deep = {**good, "/".join("abcdefghij") + "/x.png": encoded(1)}
    info = zipfile.ZipInfo("class0/link.png")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as file:
        file.writestr(info, "/etc/passwd")
    for archive, message in (
        (zipped(tmp_path, {**good, "../x.png": encoded(1)}, "up.zip"), "'../x.png' leads out of it"),
        (tarred(tmp_path, {**good, "a/../../x.png": encoded(1)}, "up.tar"), "leads out of it"),
        (tarred(tmp_path, {**good, "/x/x.png": encoded(1)}, "root.tar"), "leads out of it"),
        (tarred(tmp_path, good, "link.tar", link), "is a link or a device"),
        (tmp_path / "link.zip", "is a link or a device"),
        (zipped(tmp_path, deep, "deep.zip"), "lies more than 8 folders deep"),
        (folder(tmp_path, deep, "deep"), "lies more than 8 folders deep"),
    ):
        assert message in images(capsys, "mine", archive, code=2)[1]
    monkeypatch.setattr(sources, "MOST_MEMBERS", 9)
    for archive in (zipped(tmp_path, good), tarred(tmp_path, good)):
        assert "more than 9 members" in images(capsys, "mine", archive, code=2)[1]
    monkeypatch.setattr(sources, "MOST_MEMBERS", 100)
    monkeypatch.setattr(sources, "MOST_OF_ONE", 50)
    assert "10 of 10 pictures" in images(capsys, "mine", zipped(tmp_path, good), code=2)[1]
    assert not own.own_names()


def test_damaged_archives_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = random.Random(3)
    good = files(2, 5)
    originals = [zipped(tmp_path, good), tarred(tmp_path, good, "p.tar"), tarred(tmp_path, good, "p.tar.xz")]
    for original in originals:
        content = original.read_bytes()
        for number in range(12):
            damaged = bytearray(content[: rng.randrange(len(content))] if number % 2 else content)
            for _ in range(6):
                if damaged:
                    damaged[rng.randrange(len(damaged))] = rng.randrange(256)
            (tmp_path / "damaged").write_bytes(bytes(damaged))
            try:
                taken = pictures.take(sources.pictures(tmp_path / "damaged"))
            except CorruptData as error:
                assert len(str(error)) < 500
            else:
                assert taken.count <= 10
    (tmp_path / "text.zip").write_text("hello")
    assert "no zip or tar archive" in images(capsys, "mine", tmp_path / "text.zip", code=2)[1]
    assert "is not there" in images(capsys, "mine", tmp_path / "none", code=2)[1]


def test_a_long_header_is_not_read(tmp_path: Path) -> None:
    """A member that says that a gigabyte of names follows: nothing of that size is asked for."""
    info = tarfile.TarInfo("name")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 1 << 30
    (tmp_path / "long.tar").write_bytes(info.tobuf(tarfile.GNU_FORMAT) + bytes(10_240))
    with pytest.raises(CorruptData, match="a header of"):
        list(sources.pictures(tmp_path / "long.tar"))


@pytest.mark.parametrize("name", ["", "A", "digits", "fashion14", "../x", "a/b", "x" * 41, "-x"])
def test_impossible_names_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    _, err = images(capsys, "--", name, folder(tmp_path, files(2, 5)), code=2)
    assert "no name of a data set" in err or "nassim knows" in err


def test_a_kept_data_set_that_was_altered_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images(capsys, "mine", folder(tmp_path, files(2, 5)))
    path = own.path_of("mine")
    content = bytearray(path.read_bytes())
    place = content.index(load_data("mine").splits["train"].images[0].tobytes())
    content[place] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises(CorruptData, match=r"is damaged .* --replace"):
        load_data("mine")
    path.write_bytes(bytes(content[:1000]))
    with pytest.raises(CorruptData, match="is damaged"):
        load_data("mine")
