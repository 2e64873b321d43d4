"""Kept trainings: by lineage, continued without a trace, made once however many processes ask."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from nassim.benchmarks.spaces.nasbench201 import SPACE  # noqa: E402
from nassim.errors import CorruptData, InvalidQuery, OutputFailed  # noqa: E402
from nassim.full_training.images.data import ImageData, Split  # noqa: E402
from nassim.full_training.training import device  # noqa: E402
from nassim.full_training.training import train as train_module  # noqa: E402
from nassim.full_training.training.kept import Kept  # noqa: E402
from nassim.full_training.training.lineage import Lineage, after, read_name  # noqa: E402
from nassim.full_training.training.recipe import Recipe, get_recipe  # noqa: E402
from nassim.full_training.training.train import Curve, train  # noqa: E402
from nassim.full_training.training.training import Training  # noqa: E402
from nassim.space import Architecture  # noqa: E402

TINY = Recipe("tiny", channels=2, cells=1, epochs=5, batch=32, rate=0.1, crop=1, flip=False)
ARCH = SPACE.parse("310423")


def grey() -> ImageData:
    rng = np.random.default_rng(0)
    split = Split(rng.integers(0, 256, (96, 1, 8, 8), dtype=np.uint8), rng.integers(0, 2, 96))
    names = ("train", "valid", "test")
    return ImageData("grey", 2, dict.fromkeys(names, split), {name: name for name in names}, flip=False)


DATA = grey()
LINEAGE = Lineage.of(ARCH, DATA, TINY, 1)


def same(a: Training, b: Training) -> bool:
    """The same training, whatever the clock said."""
    return replace(a, seconds=(), peak_memory=0) == replace(b, seconds=(), peak_memory=0)


# -- lineage ----------------------------------------------------------------------------------------------


def test_a_key_is_of_everything_that_a_training_follows_from() -> None:
    others = [
        replace(LINEAGE, space="another"),
        replace(LINEAGE, network="3-1-0-4-2-2"),
        Lineage.of(ARCH, DATA, replace(TINY, rate=0.2), 1),
        replace(LINEAGE, data="0" * 64),
        replace(LINEAGE, seed=2),
        replace(LINEAGE, origin=after([LINEAGE.key], 2), inherit="morph"),
        replace(LINEAGE, origin=after([LINEAGE.key], 3), inherit="morph"),
        replace(LINEAGE, origin=after([LINEAGE.key], 2), inherit="norm"),
    ]
    assert len({each.key for each in (LINEAGE, *others)}) == 9
    assert Lineage.read(str(ARCH), DATA.sha256, TINY.sha256, 1) == LINEAGE and LINEAGE.arch == str(ARCH)
    # The same in every version and on every machine.
    assert Lineage("s", "1-2", "r", "d", 3).key[:16] == "79e27b5b3a128898"


def test_long_genotypes_have_keys_and_files(tmp_path: Path) -> None:
    long = Architecture("grown", tuple(range(3000)))
    kept, lineage = Kept(tmp_path), Lineage.of(long, DATA, TINY, 1)
    training = replace(train(ARCH, DATA, TINY, 1), arch=str(long))
    kept.add(lineage, training)
    assert kept.find(lineage) == training == kept.named(lineage.key)
    path = kept.checkpoint(lineage)
    path.parent.mkdir()
    path.write_bytes(b"")
    assert kept.checkpoint(Lineage.of(replace(long, space="other"), DATA, TINY, 1)) != path
    assert kept.all_of(DATA.sha256, TINY.sha256, "grown") == [training]
    assert kept.all_of(DATA.sha256, TINY.sha256, "nasbench201") == []


def test_names_of_trainings() -> None:
    assert read_name(after(["a", "b"], 12)) == (["a", "b"], 12)
    for text in ("", "a", "/3", "a/", "a/-1", "a/x", "a/\N{SUPERSCRIPT TWO}", "a/" + "9" * 50, "a" * 20_000 + "/1"):
        with pytest.raises(InvalidQuery, match="does not name a training"):
            read_name(text)


# -- continuing -------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_continuing_is_the_uninterrupted_training_and_pays_the_difference(tmp_path: Path) -> None:
    whole = train(ARCH, DATA, TINY, 1)
    kept, trained = Kept(tmp_path), list[int]()
    for until in (1, 3, 2, None):
        found = kept.obtain(
            *(ARCH, DATA, TINY, 1), until=until, device="cpu", tell=lambda curve: trained.append(len(curve.valid))
        )
        epochs = len(found.valid_accuracy)
        assert epochs >= (until or 5)
        assert found.valid_accuracy == whole.valid_accuracy[:epochs]
        assert found.train_accuracy == whole.train_accuracy[:epochs]
    assert trained == [1, 2, 3, 4, 5], "an epoch was trained twice"
    assert same(found, whole) and same(kept.named(LINEAGE.key), whole)
    assert list((tmp_path / "checkpoints").iterdir()) == []
    with closing(sqlite3.connect(kept.path)) as db:
        assert db.execute("SELECT count(*) FROM trainings").fetchone() == (1,)
        assert db.execute("SELECT count(*) FROM leases").fetchone() == (0,)


def test_what_went_on_elsewhere_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept(tmp_path)
    kept.obtain(ARCH, DATA, TINY, 1, until=2, device="cpu")
    monkeypatch.setattr(train_module, "describe", lambda device: "another machine")
    (note,) = kept.obtain(ARCH, DATA, TINY, 1, device="cpu").notes
    assert note.startswith("epochs to 2 on cpu (") and note.endswith("from there on another machine")


# -- together ---------------------------------------------------------------------------------------------


def test_who_lost_the_lease_takes_what_the_other_made(tmp_path: Path) -> None:
    """A process is stopped for so long that another one takes over, makes the training, and keeps it."""
    kept, others = Kept(tmp_path), train(ARCH, DATA, TINY, 1)
    marked = replace(others, notes=("the other's",))
    epochs: list[int] = []

    def stopped(curve: Curve) -> None:
        epochs.append(len(curve.valid))
        if len(curve.valid) == 2:
            with closing(sqlite3.connect(kept.path)) as db, db:
                db.execute("DELETE FROM leases")
            kept.add(LINEAGE, marked)

    assert kept.obtain(ARCH, DATA, TINY, 1, device="cpu", tell=stopped) == marked
    assert epochs == [1, 2], "it went on without its lease"


def test_what_was_made_while_one_waited_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, made = Kept(tmp_path), train(ARCH, DATA, TINY, 1)
    with closing(sqlite3.connect(tmp_path / "x")):  # the folder is there
        row = (LINEAGE.key, "x", "elsewhere", 7, "", time.time())
    kept.find(LINEAGE)
    kept.add(replace(LINEAGE, seed=9), made)
    with closing(sqlite3.connect(kept.path)) as db, db:
        db.execute("INSERT INTO leases VALUES (?,?,?,?,?,?)", row)

    def done(holder: str) -> None:
        assert holder == "process 7 on elsewhere"
        kept.add(LINEAGE, made)
        with closing(sqlite3.connect(kept.path)) as db, db:
            db.execute("DELETE FROM leases")

    monkeypatch.setattr(train_module, "train", lambda *_, **__: pytest.fail("trained twice"))
    assert kept.obtain(ARCH, DATA, TINY, 1, device="cpu", waits=done) == made


SCRIPT = (
    "import sys; sys.path.insert(0, sys.argv[2]); import test_kept as t; from pathlib import Path\n"
    "recipe = t.replace(t.TINY, epochs=int(sys.argv[3]))\n"
    "print('ready', flush=True); sys.stdin.readline()\n"
    "tell = lambda curve: print('epoch', len(curve.valid), flush=True)\n"
    "found = t.Kept(Path(sys.argv[1])).obtain(t.ARCH, t.DATA, recipe, 1, device='cpu', tell=tell)\n"
    "print('found', found.to_json(), flush=True)"
)


def process(folder: Path, epochs: int) -> subprocess.Popen[str]:
    """A process that begins the training as soon as a line is written to it."""
    command = [sys.executable, "-c", SCRIPT, str(folder), str(Path(__file__).parent), str(epochs)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    started = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    assert started.stdout is not None and started.stdout.readline() == "ready\n"
    return started


@pytest.mark.slow
def test_two_processes_make_one_training(tmp_path: Path) -> None:
    both = [process(tmp_path, 30) for _ in range(2)]
    for each in both:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    lines = [each.communicate(timeout=120)[0].splitlines() for each in both]
    epochs = sorted(int(line.split()[1]) for said in lines for line in said if line.startswith("epoch"))
    assert epochs == list(range(1, 31)), "an epoch was trained by both"
    first, second = (Training.from_json(said[-1].removeprefix("found ")) for said in lines)
    assert first == second and same(first, train(ARCH, DATA, replace(TINY, epochs=30), 1))


@pytest.mark.slow
def test_a_training_whose_process_was_killed_is_taken_over_at_once(tmp_path: Path) -> None:
    recipe = replace(TINY, epochs=60)
    with process(tmp_path, 60) as killed:
        assert killed.stdin is not None and killed.stdout is not None
        killed.stdin.write("\n")
        killed.stdin.flush()
        while killed.stdout.readline() != "epoch 3\n":
            assert killed.poll() is None
        killed.send_signal(signal.SIGKILL)
        began, trained = time.monotonic(), list[int]()
        kept = Kept(tmp_path, lease_seconds=900)
        found = kept.obtain(ARCH, DATA, recipe, 1, device="cpu", tell=lambda curve: trained.append(len(curve.valid)))
    assert time.monotonic() - began < 600, "it waited for the time-out"
    assert 2 < trained[0] < 60 and trained == list(range(trained[0], 61)), "it began anew, or another made it"
    assert same(found, train(ARCH, DATA, recipe, 1))


# -- earlier versions -------------------------------------------------------------------------------------


def old_file(folder: Path, *trainings: Training) -> None:
    """A file as the first version of it was written."""
    folder.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(folder / "trainings.db")) as db, db:
        db.execute(
            "CREATE TABLE trainings (arch TEXT, data TEXT, recipe TEXT, seed INTEGER, epochs INTEGER, record TEXT, "
            "PRIMARY KEY (arch, data, recipe, seed)) WITHOUT ROWID"
        )
        for t in trainings:
            row = (t.arch, t.data_sha256, t.recipe_sha256, t.seed, len(t.valid_accuracy), t.to_json())
            db.execute("INSERT INTO trainings VALUES (?,?,?,?,?,?)", row)


@pytest.mark.slow
def test_an_earlier_versions_file_is_taken_over(tmp_path: Path) -> None:
    checkpoints = tmp_path / "checkpoints"
    old = checkpoints / f"3-1-0-4-2-3-{DATA.sha256[:12]}-{TINY.sha256[:12]}-2.pt"
    whole, begun = train(ARCH, DATA, TINY, 1), train(ARCH, DATA, TINY, 2, until=2, resume=old)
    old_file(tmp_path, whole, begun)
    with closing(sqlite3.connect(tmp_path / "trainings.db")) as db, db:
        db.execute("INSERT INTO trainings VALUES ('nasbench201:0-0-0-0-0-0', 'd', 'r', 3, 1, '[')")
    kept = Kept(tmp_path)
    found = kept.find(LINEAGE)
    assert found == replace(whole, notes=("made by an earlier version: seconds are elapsed time",))
    trained: list[int] = []
    finished = kept.obtain(ARCH, DATA, TINY, 2, device="cpu", tell=lambda curve: trained.append(len(curve.valid)))
    assert trained == [3, 4, 5] and same(finished, train(ARCH, DATA, TINY, 2))
    assert list(checkpoints.iterdir()) == []
    with pytest.raises(CorruptData, match="not the record"):
        kept.find(Lineage("nasbench201", "0-0-0-0-0-0", "r", "d", 3))
    assert len(kept.all_of(DATA.sha256, TINY.sha256, "nasbench201")) == 2


def test_taking_over_is_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old_file(tmp_path, train(ARCH, DATA, TINY, 1))
    before = (tmp_path / "trainings.db").read_bytes()

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("nassim.full_training.training.kept_file.write", full)
        with pytest.raises(OutputFailed, match="disk is full"):
            Kept(tmp_path).find(LINEAGE)
    assert (tmp_path / "trainings.db").read_bytes() == before
    assert Kept(tmp_path).find(LINEAGE) is not None


def test_records_of_earlier_recipes_are_not_taken_for_these(tmp_path: Path) -> None:
    """A recipe with a crop has had another border: its trainings stay in the file under their own hash."""
    old_file(tmp_path, replace(train(ARCH, DATA, TINY, 1), recipe_sha256="earlier"))
    assert Kept(tmp_path).find(LINEAGE) is None
    assert Kept(tmp_path).find(replace(LINEAGE, recipe="earlier")) is not None
    assert json.dumps(get_recipe("digits").sha256)[1:9] == "6f2cf501"


def test_the_device_is_the_one_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[object] = []
    made = train(ARCH, DATA, TINY, 1)
    monkeypatch.setattr(train_module, "train", lambda *_, **options: seen.append(options["device"]) or made)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    for name in ("cuda:1", "cpu"):
        Kept(tmp_path).obtain(ARCH, DATA, TINY, 1, device=name, again=True)
    assert seen == [torch.device("cuda:1"), torch.device("cpu")]
    assert device.choose_device("cuda:1") == torch.device("cuda:1")
