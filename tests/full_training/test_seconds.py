"""What a second of a training is: the same whichever way the training was made, and said where it is read."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from nassim.benchmarks.spaces.nasbench201 import SPACE  # noqa: E402
from nassim.cli.main import main  # noqa: E402
from nassim.full_training.images.data import ImageData, Split  # noqa: E402
from nassim.full_training.supernets.trainer import SharedNetwork  # noqa: E402
from nassim.full_training.training.many import DeviceData, train_many  # noqa: E402
from nassim.full_training.training.recipe import RECIPES, Recipe  # noqa: E402
from nassim.full_training.training.train import train  # noqa: E402
from nassim.registry import get_benchmark  # noqa: E402

TINY = Recipe("tiny", channels=2, cells=1, epochs=3, batch=32, crop=0, flip=False)
ARCH = SPACE.parse("310423")


def grey() -> ImageData:
    rng = np.random.default_rng(0)
    split = Split(rng.integers(0, 256, (64, 1, 8, 8), dtype=np.uint8), rng.integers(0, 2, 64))
    names = ("train", "valid", "test")
    return ImageData("grey", 2, dict.fromkeys(names, split), {name: name for name in names}, flip=False)


DATA = grey()


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Processor time that moves by a second whenever it is read, and a wall clock that nobody may read meanwhile."""

    def nobody() -> float:
        raise AssertionError("elapsed time depends on what else the machine does")

    second = count()
    monkeypatch.setattr(time, "process_time", lambda: float(next(second)))
    with monkeypatch.context() as patch:
        patch.setattr(time, "perf_counter", nobody)
        yield


@pytest.mark.usefixtures("ticks")
def test_one_by_one_charges_processor_time() -> None:
    assert train(ARCH, DATA, TINY, 1).seconds == (1.0, 1.0, 1.0)


@pytest.mark.usefixtures("ticks")
def test_many_at_once_charge_processor_time() -> None:
    for training in train_many([ARCH, SPACE.at(7)], DeviceData.of(DATA, TINY), TINY, [1, 2]):
        assert training.seconds == (0.5, 0.5, 0.5)


@pytest.mark.usefixtures("ticks")
def test_supernets_charge_processor_time() -> None:
    net = SharedNetwork(SPACE, DATA, TINY, 1, settings={})
    net.schedule(1, 0.1, 0.01, weight_decay=0.0)
    next(net.batches(0, 16))
    assert net.cost() == 1.0


def test_train_says_which_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    monkeypatch.setitem(
        RECIPES, "digits", Recipe("digits", channels=2, cells=1, epochs=1, batch=1000, crop=0, flip=False)
    )
    with pytest.raises(SystemExit):
        main(("train", "310423", "--device", "cpu"))
    out, err = capsys.readouterr()
    assert "seconds: processor time of the process" in err and "processor s" in out


def test_table_and_training_say_how_their_seconds_compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    for name in ("nasbench201/digits", "nasbench201/digits:training"):
        notes = " ".join(get_benchmark(name).about.notes)
        assert "processor time" in notes and "times" in notes and "24 at once" in notes, name
    assert "synchronized" in notes
