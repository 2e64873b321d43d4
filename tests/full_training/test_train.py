"""Training: deterministic, resumed without a trace, failures said; and the trainings that are kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402

from nassim.benchmarks.spaces.nasbench201 import SPACE  # noqa: E402
from nassim.errors import CorruptData, InvalidSetting, MissingDependency, OutputFailed  # noqa: E402
from nassim.full_training.images.batches import generator, plan_epoch, take, to_device  # noqa: E402
from nassim.full_training.images.data import ImageData, Split  # noqa: E402
from nassim.full_training.networks.framed import network_of  # noqa: E402
from nassim.full_training.networks.nasbench201 import build, initialize  # noqa: E402
from nassim.full_training.training import checkpoint, device  # noqa: E402
from nassim.full_training.training import learner as learner_module  # noqa: E402
from nassim.full_training.training import train as train_module  # noqa: E402
from nassim.full_training.training.kept import Kept  # noqa: E402
from nassim.full_training.training.learner import Learner  # noqa: E402
from nassim.full_training.training.lineage import Lineage  # noqa: E402
from nassim.full_training.training.recipe import Recipe  # noqa: E402
from nassim.full_training.training.train import Curve, train  # noqa: E402
from nassim.full_training.training.training import Training  # noqa: E402

TINY = Recipe("tiny", channels=2, cells=1, epochs=3, batch=32, rate=0.1, crop=1, flip=False)
ARCH = SPACE.parse("310423")


def stripes(n: int = 96, side: int = 8) -> ImageData:
    """Rows or columns: two classes that a small network tells apart in a few steps."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 120, (n, 1, side, side), dtype=np.uint8)
    labels = rng.integers(0, 2, n)
    images[labels == 0, :, ::2] += 120
    images[labels == 1, :, :, ::2] += 120
    splits = {name: Split(images, labels) for name in ("train", "valid", "test")}
    return ImageData("stripes", 2, splits, {name: name for name in splits}, flip=False)


DATA = stripes()
LINEAGE = Lineage.of(ARCH, DATA, TINY, 1)


def same(a: Training, b: Training) -> bool:
    """The same training, whatever the clock said."""
    return all(
        getattr(a, name) == getattr(b, name)
        for name in ("train_accuracy", "valid_accuracy", "test_accuracy", "failed", "notes", "seed", "arch")
    )


def test_the_same_seed_gives_the_same_curve() -> None:
    state = torch.get_rng_state()
    first, again, other = train(ARCH, DATA, TINY, 1), train(ARCH, DATA, TINY, 1), train(ARCH, DATA, TINY, 2)
    assert torch.equal(torch.get_rng_state(), state), "the global generator was moved"
    assert same(first, again)
    assert first.train_accuracy != other.train_accuracy
    assert len(first.valid_accuracy) == len(first.train_accuracy) == len(first.seconds) == TINY.epochs
    assert first.peak_memory > 0 and all(seconds > 0 for seconds in first.seconds)
    assert first.recipe_sha256 == TINY.sha256 and first.data_sha256 == DATA.sha256


@pytest.mark.slow
def test_training_learns() -> None:
    recipe = replace(TINY, epochs=12)
    assert train(ARCH, DATA, recipe, 0).valid_accuracy[-1] > 0.9
    assert train(SPACE.at(0), DATA, recipe, 0).valid_accuracy[-1] == pytest.approx(0.5, abs=0.1)  # a constant answer


def test_one_step_is_the_update_of_the_paper() -> None:
    """SGD with Nesterov momentum and weight decay, two steps written out."""
    recipe = replace(TINY, epochs=1, batch=48, crop=0)
    learner = Learner(network_of(ARCH, recipe, DATA), DATA, recipe, 5, torch.device("cpu"), compiled=False)
    network = build(ARCH, channels=2, cells=1, classes=2, image_channels=1)
    initialize(network, generator("weights", 5))
    weights = list(network.parameters())
    velocity = [torch.zeros_like(w) for w in weights]
    split = to_device(DATA, "train")
    plan = plan_epoch(split, recipe, 5, 0)
    for step, rate in enumerate((0.1, 0.05)):
        images, labels = take(split, plan, slice(48 * step, 48 * step + 48))
        grads = torch.autograd.grad(F.cross_entropy(network(images), labels), weights)
        with torch.no_grad():
            for w, g, v in zip(weights, grads, velocity, strict=True):
                d = g + 5e-4 * w
                v.mul_(0.9).add_(d)
                w.sub_(rate * (d + 0.9 * v))
    learner.epoch(0)
    for mine, theirs in zip(weights, learner.network.parameters(), strict=True):
        torch.testing.assert_close(theirs, mine, rtol=1e-4, atol=1e-6)


# -- interruptions --------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("epochs", [1, 2])
def test_a_broken_off_training_goes_on_as_if_nothing_had_been(tmp_path: Path, epochs: int) -> None:
    whole = train(ARCH, DATA, TINY, 7)
    path = tmp_path / "checkpoints" / "a.pt"

    class Killed(Exception):
        pass

    def kill(curve: Curve) -> None:
        if len(curve.valid) == epochs + 1:
            raise Killed  # in the middle of the next epoch's end: its checkpoint is not written

    with pytest.raises(Killed):
        train(ARCH, DATA, TINY, 7, resume=path, tell=kill)
    told: list[int] = []
    resumed = train(ARCH, DATA, TINY, 7, resume=path, tell=lambda curve: told.append(len(curve.valid)))
    assert same(resumed, whole)
    assert told == list(range(epochs + 1, TINY.epochs + 1))
    assert same(train(ARCH, DATA, TINY, 7, resume=path), whole)  # whole already


@pytest.mark.slow
def test_a_process_killed_at_any_moment_loses_nothing(tmp_path: Path) -> None:
    script = (
        "import sys; sys.path.insert(0, sys.argv[2]); import test_train as t; from pathlib import Path\n"
        "recipe = t.replace(t.TINY, epochs=40)\n"
        "print('begin', flush=True); t.train(t.ARCH, t.DATA, recipe, 3, resume=Path(sys.argv[1]))"
    )
    path = tmp_path / "a.pt"
    command = [sys.executable, "-c", script, str(path), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"}) as process:
        assert process.stdout is not None
        process.stdout.readline()
        deadline = time.monotonic() + 60
        while not path.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    recipe = replace(TINY, epochs=40)
    assert path.exists()
    assert same(train(ARCH, DATA, recipe, 3, resume=path), train(ARCH, DATA, recipe, 3))


def test_checkpoints_of_others_and_damaged_ones_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    train(ARCH, DATA, TINY, 1, resume=path, until=1)
    content = path.read_bytes()
    for arch, recipe, seed, what in (
        (SPACE.at(3), TINY, 1, "arch"),
        (ARCH, replace(TINY, rate=0.2), 1, "recipe"),
        (ARCH, TINY, 2, "seed"),
    ):
        with pytest.raises(InvalidSetting, match=f"is of another training: {what}"):
            train(arch, DATA, recipe, seed, resume=path)
    with pytest.raises(InvalidSetting, match="data"):
        train(ARCH, stripes(64), TINY, 1, resume=path)
    assert path.read_bytes() == content
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(CorruptData, match=r"a\.pt is damaged .* Delete it"):
        train(ARCH, DATA, TINY, 1, resume=path)


def test_a_checkpoint_cannot_run_code(tmp_path: Path) -> None:
    torch.save({"identity": {}, "evil": Path("x")}, tmp_path / "a.pt")
    with pytest.raises(CorruptData, match="is damaged"):
        checkpoint.load(tmp_path / "a.pt", {}, torch.device("cpu"))


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputFailed, match="cannot be written"):
        train(ARCH, DATA, TINY, 1, resume=tmp_path / "file" / "a.pt")


# -- failures -------------------------------------------------------------------------------------------


def test_a_diverging_training_is_recorded_as_failed(tmp_path: Path) -> None:
    wild = replace(TINY, rate=1e30, weight_decay=1.0, epochs=3)
    training = train(ARCH, DATA, wild, 0, resume=tmp_path / "a.pt")
    assert training.failed == "the loss was not finite in epoch 1"
    assert training.valid_accuracy == () and training.test_accuracy is None
    assert train(ARCH, DATA, wild, 0, resume=tmp_path / "a.pt").failed == training.failed  # not tried again


def test_out_of_memory_halves_the_micro_batch_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    most = 10
    forward = F.cross_entropy

    def small(logits: torch.Tensor, labels: torch.Tensor, **rest: object) -> torch.Tensor:
        if len(labels) > most and "reduction" not in rest:  # in training
            raise torch.OutOfMemoryError("made up")
        return forward(logits, labels, **rest)

    monkeypatch.setattr(learner_module.F, "cross_entropy", small)
    training = train(ARCH, DATA, TINY, 0)
    assert not training.failed and len(training.valid_accuracy) == TINY.epochs
    assert [note.partition(":")[2][:24] for note in training.notes] == [
        " micro-batches of 16 ima",
        " micro-batches of 8 imag",
    ]
    most = 0
    assert train(ARCH, DATA, TINY, 0).failed == "out of memory with a single image in epoch 1"


def test_micro_batches_have_the_gradient_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is normalized over the batch: sums over micro-batches are the batch's."""
    learner = Learner(network_of(ARCH, TINY, DATA), DATA, TINY, 0, torch.device("cpu"), compiled=False)
    learner.network.eval()
    images, labels = learner.images.images[:30, :, 1:-1, 1:-1], learner.images.labels[:30]
    grads = []
    for micro in (30, 7):
        learner.micro = micro
        learner._gradients(images, labels)
        grads.append([p.grad.clone() for p in learner.network.parameters()])
    for whole, parts in zip(*grads, strict=True):
        torch.testing.assert_close(parts, whole, rtol=1e-4, atol=1e-6)


# -- devices --------------------------------------------------------------------------------------------


def test_devices_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert device.choose_device("cpu") == torch.device("cpu")
    assert "torch" in device.describe(torch.device("cpu"))
    for name in ("gpu", "cuda:x", "cpu:1", ""):
        with pytest.raises(InvalidSetting, match="is not a device"):
            device.choose_device(name)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InvalidSetting, match="cuda is not here"):
        device.choose_device("cuda")
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert device.choose_device().type == "cpu"


def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match=r"pip install nassim\[train\]"):
        device.choose_device("cpu")


# -- kept -----------------------------------------------------------------------------------------------


def test_trainings_are_kept_and_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Kept(tmp_path)
    first = kept.obtain(ARCH, DATA, TINY, 1, device="cpu")
    assert same(first, train(ARCH, DATA, TINY, 1))
    assert not list((tmp_path / "checkpoints").iterdir())
    made: list[object] = []
    monkeypatch.setattr(
        train_module, "train", lambda *args, **options: made.append(args) or replace(first, notes=("anew",))
    )
    assert kept.obtain(ARCH, DATA, TINY, 1, device="cpu") == first and not made
    kept.obtain(ARCH, DATA, TINY, 2, device="cpu")
    kept.obtain(ARCH, DATA, replace(TINY, epochs=2), 1, device="cpu")
    assert len(made) == 2
    assert kept.obtain(ARCH, DATA, TINY, 1, device="cpu", again=True).notes == ("anew",)
    assert kept.find(LINEAGE).notes == ("anew",)


def test_a_short_training_is_continued(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    short = kept.obtain(ARCH, DATA, TINY, 1, until=1, device="cpu")
    assert len(short.valid_accuracy) == 1 and short.test_accuracy is None
    assert same(kept.obtain(ARCH, DATA, TINY, 1, device="cpu"), train(ARCH, DATA, TINY, 1))
    assert kept.all_of(DATA.sha256, TINY.sha256, SPACE.name) == [kept.find(LINEAGE)]


def test_a_damaged_store_is_said(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    kept.path.write_bytes(b"no database" * 100)
    with pytest.raises(CorruptData, match="is damaged"):
        kept.find(LINEAGE)
    with pytest.raises(CorruptData, match="not the record"):
        Training.from_json(json.dumps({"arch": 1}))
