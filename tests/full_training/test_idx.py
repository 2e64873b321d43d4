"""Fashion-MNIST and MNIST: the IDX files, where they are found, and what is made of them."""

from __future__ import annotations

import gc
import gzip
import hashlib
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from nassim.errors import CorruptData, MissingData
from nassim.full_training.images import fashion14, idx
from nassim.full_training.images.data import load_data
from nassim.full_training.training.recipe import get_recipe, usual_recipe

PACKAGE = Path(idx.RELEASES["fashion"].folders[0])
with_package = pytest.mark.skipif(not PACKAGE.is_dir(), reason="Debian's package dataset-fashion-mnist is not here")
COUNTS = {"train": 300, "t10k": 40}


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A release of few images, as gzip files in a folder."""
    rng = np.random.default_rng(0)
    folder, files = tmp_path / "released", []
    folder.mkdir()
    for part, count in COUNTS.items():
        images = rng.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        for kind, magic, array in (("images-idx3", 2051, images), ("labels-idx1", 2049, labels)):
            sizes = array.shape if kind.startswith("images") else array.shape[:1]
            content = np.array([magic, *sizes], dtype=">u4").tobytes() + array.tobytes()
            name = f"{part}-{kind}-ubyte"
            (folder / f"{name}.gz").write_bytes(packed := gzip.compress(content, mtime=0))
            sha256 = [hashlib.sha256(each).hexdigest() for each in (content, packed)]
            files.append(idx.IdxFile(name, sha256[0], len(packed), sha256[1]))
    release = replace(idx.RELEASES["fashion"], files=tuple(files), folders=())
    monkeypatch.setitem(idx.RELEASES, "fashion", release)
    monkeypatch.setattr(idx, "COUNTS", COUNTS)
    monkeypatch.setattr(idx, "HELD_OUT", 100)
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))
    return folder


def test_splits_are_of_the_files_and_disjoint(small: Path) -> None:
    data = load_data("fashion", small)
    assert {name: split.images.shape for name, split in data.splits.items()} == {
        "train": (200, 1, 28, 28),
        "valid": (100, 1, 28, 28),
        "test": (40, 1, 28, 28),
    }
    seen = [image.tobytes() for name in ("train", "valid") for image in data.splits[name].images]
    content = gzip.decompress((small / "train-images-idx3-ubyte.gz").read_bytes())[16:]
    assert sorted(seen) == sorted(content[i : i + 784] for i in range(0, len(content), 784))
    first = content.index(data.splits["valid"].images[0].tobytes()) // 784
    assert data.splits["valid"].labels[0] == first % 10
    assert load_data("fashion", small).sha256 == data.sha256


def test_files_may_be_unpacked_or_compressed_anew(small: Path) -> None:
    wanted = load_data("fashion", small).sha256
    path = small / "t10k-labels-idx1-ubyte.gz"
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content, mtime=1))
    assert load_data("fashion", small).sha256 == wanted
    path.unlink()
    (small / "t10k-labels-idx1-ubyte").write_bytes(content)
    assert load_data("fashion", small).sha256 == wanted


def test_they_are_fetched_where_they_are_not(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = tmp_path / "mirror" / idx.RELEASES["fashion"].source
    mirror.parent.mkdir(parents=True)
    small.rename(mirror)
    monkeypatch.setenv("NASSIM_MIRROR", str(tmp_path / "mirror"))
    data = load_data("fashion")
    assert len(data.splits["train"]) == 200
    mirror.rename(tmp_path / "gone")
    assert load_data("fashion").sha256 == data.sha256, "what was fetched is kept"
    with pytest.raises(MissingData, match=r"is not in .*nowhere: it needs train-images-idx3-ubyte\.gz"):
        load_data("fashion", tmp_path / "nowhere")
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "other"))
    with pytest.raises(MissingData, match=r"there is no such file\. fashion needs 4 more file"):
        load_data("fashion")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # pooch leaves a refused answer open
def test_they_are_fetched_from_an_address(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(small))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        release = replace(idx.RELEASES["fashion"], source=f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setitem(idx.RELEASES, "mnist", release)
        path = small / "t10k-labels-idx1-ubyte.gz"
        content = path.read_bytes()
        path.write_bytes(content + b"more")
        with pytest.raises(CorruptData, match="has another sha256 than"):
            load_data("mnist")
        path.unlink()
        with pytest.raises(MissingData, match="cannot be fetched") as caught:
            load_data("mnist")
        assert len(str(caught.value).splitlines()) == 1
        path.write_bytes(content)
        data = load_data("mnist")
        server.shutdown()
    gc.collect()
    assert load_data("mnist").sha256 == data.sha256 == load_data("fashion", small).sha256, "what was fetched is kept"


@pytest.mark.parametrize("damage", ["cut", "altered", "longer", "text"])
def test_other_files_are_refused(small: Path, damage: str) -> None:
    path = small / "train-labels-idx1-ubyte.gz"
    content = path.read_bytes()
    labels = gzip.decompress(content)
    changed = {
        "cut": content[:-20],
        "altered": gzip.compress(labels[:-1] + b"\7"),
        "longer": gzip.compress(labels + bytes(1 << 20)),
        "text": b"<html>",
    }
    path.write_bytes(changed[damage])
    with pytest.raises(CorruptData, match=r"cannot be read|does not hold the released train-labels") as caught:
        load_data("fashion", small)
    assert len(str(caught.value)) < 400


def test_fold_keeps_every_pixel() -> None:
    images = np.arange(2 * 784, dtype=np.uint32).reshape(2, 28, 28).astype(np.uint8)
    for block in (4, 8):
        folded = fashion14.fold(images, block)
        assert folded.shape == (2, block * block, 32 // block, 32 // block)
        for y, x in ((0, 0), (5, 17), (27, 27)):
            row, column = y + 2, x + 2
            channel = block * (row % block) + column % block
            assert folded[1, channel, row // block, column // block] == images[1, y, x]
        assert folded.sum(dtype=np.int64) == images.sum(dtype=np.int64)


@pytest.mark.slow
@with_package
def test_fashion14_is_the_same_bit_for_bit() -> None:
    whole, data = load_data("fashion"), load_data("fashion14")
    assert whole.sha256 == "95e02bd19dcd0b56970849aed536d45984819142c4c9f3f614d9c6f7ff84c34c"
    assert data.sha256 == fashion14.SHA256
    assert {name: len(split) for name, split in data.splits.items()} == fashion14.COUNTS
    assert data.side % 4 == 0 and not data.flip
    assert (data.splits["test"].labels == whole.splits["test"].labels).all()
    assert (np.bincount(whole.splits["train"].labels) + np.bincount(whole.splits["valid"].labels) == 6000).all()
    get_recipe(usual_recipe(data)).check(data)
    get_recipe(usual_recipe(whole)).check(whole)
