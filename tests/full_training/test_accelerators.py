"""What trainings do with an accelerator, seen without one: what they ask of torch, and in which order."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

from nassim.benchmarks.spaces.nasbench201 import SPACE  # noqa: E402
from nassim.cli.main import app  # noqa: E402
from nassim.full_training.images.batches import plan_epoch  # noqa: E402
from nassim.full_training.images.data import load_data  # noqa: E402
from nassim.full_training.networks import stacked_operations  # noqa: E402
from nassim.full_training.networks.framed import network_of  # noqa: E402
from nassim.full_training.supernets.trainer import SharedNetwork  # noqa: E402
from nassim.full_training.training import device, many  # noqa: E402
from nassim.full_training.training import learner as learner_module  # noqa: E402
from nassim.full_training.training import train as train_module  # noqa: E402
from nassim.full_training.training.recipe import Recipe  # noqa: E402

TINY = Recipe("tiny", channels=2, cells=1, epochs=1, batch=1000, rate=0.05, crop=0, flip=False)
ARCH = SPACE.parse("310423")


class Reached(Exception):
    """The training has come to where its network is made."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What a training asks of CUDA until its network is made."""
    calls: list[Any] = []

    def stop(*args: object, **settings: object) -> None:
        calls.append(("benchmark", torch.backends.cudnn.benchmark))
        raise Reached

    monkeypatch.setattr(torch.cuda, "init", lambda: calls.append("init"))
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda which: calls.append(("forget", which)))
    monkeypatch.setattr(train_module, "Learner", stop)
    monkeypatch.setattr(many, "_stacked", stop)
    yield calls


def test_cuda_is_there_before_its_peak_is_forgotten(asked: list[Any]) -> None:
    with pytest.raises(Reached):
        train_module.train(ARCH, load_data("digits"), TINY, 0, device="cuda")
    assert asked == ["init", ("forget", torch.device("cuda:0")), ("benchmark", True)]
    assert not torch.backends.cudnn.benchmark, "as it was"


def test_a_device_has_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [device.choose_device(name) for name in ("cuda", "cuda:1", "auto")] == [
        torch.device(name) for name in ("cuda:0", "cuda:1", "cuda:0")
    ]


def test_the_device_that_works_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[Any] = []
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    monkeypatch.setattr(torch.mps, "synchronize", lambda: waited.append("mps"))
    for name in ("cuda:1", "mps", "cpu"):
        assert device.device_seconds(torch.device(name)) > 0
    assert waited == [torch.device("cuda:1"), "mps"]


def test_memory_is_given_back_when_nothing_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    data = load_data("digits")
    learner = learner_module.Learner(network_of(ARCH, TINY, data), data, TINY, 0, torch.device("cpu"), compiled=False)
    gradients, handled = learner._gradients, list[bool]()

    def small(images: Any, labels: Any) -> Any:
        if learner.micro > 300:
            raise torch.OutOfMemoryError("made up")
        return gradients(images, labels)

    monkeypatch.setattr(learner, "_gradients", small)
    noted = lambda device: handled.append(sys.exc_info()[0] is not None)  # noqa: E731
    monkeypatch.setattr(learner_module, "give_back", noted, raising=False)
    learner.begin(0)
    assert learner.step(plan_epoch(learner.images, TINY, 0, 0), 0, 0) is not None and learner.micro == 250
    assert handled == [False, False]


def test_a_supernet_computes_in_what_its_recipe_says(monkeypatch: pytest.MonkeyPatch) -> None:
    entered: list[Any] = []

    def autocast(*settings: object, **more: object) -> Any:
        entered.append((*settings, more["dtype"]))
        return contextlib.nullcontext()

    monkeypatch.setattr(torch, "autocast", autocast)
    for precision in ("float32", "bf16"):
        recipe = Recipe("tiny", channels=2, cells=1, crop=0, flip=False, precision=precision)  # type: ignore[arg-type]
        net = SharedNetwork(SPACE, load_data("digits"), recipe, 0, settings={})
        images = net._valid.images[:4]
        net.logits(net.path(ARCH), images)
        assert not entered, "on the CPU all is float32"
        net.device = torch.device("cuda")
        net.logits(net.path(ARCH), images)
        assert entered == ([("cuda", torch.bfloat16)] if precision == "bf16" else [])


@pytest.mark.slow
def test_precision_and_compilation_can_be_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    compiled: list[Any] = []
    monkeypatch.setattr(torch, "compile", lambda network: compiled.append(network) or network)
    command = ["train", "310423", "--recipe", "small", "--epochs", "1", "--device", "cpu", "--json"]
    plain = CliRunner().invoke(app, command)
    fast = CliRunner().invoke(app, [*command, "--precision", "bf16", "--compiled"])
    assert plain.exit_code == fast.exit_code == 0, fast.output
    assert len(compiled) == 1 and "torch.compile" in fast.stdout and "torch.compile" not in plain.stdout
    wrong = CliRunner().invoke(app, [*command, "--precision", "int8"])
    assert wrong.exit_code and "precision='int8' is not float32 or bf16" in str(wrong.exception)


@pytest.mark.parametrize("side", [10, 16, 32])
def test_large_maps_are_halved_by_grouped_convolutions(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacked_operations, "dense", lambda *_: pytest.fail("a matrix over all pixels"))
    rng = torch.Generator().manual_seed(side)
    x = torch.randn(3, 2, side, side, 4, generator=rng, requires_grad=True)
    weight = torch.randn(3, 5, 2, 3, 3, generator=rng, requires_grad=True)
    found = stacked_operations.convolve(x, weight, 2)
    wanted = torch.stack(
        [F.conv2d(x[k].permute(3, 0, 1, 2), weight[k], stride=2, padding=1).permute(1, 2, 3, 0) for k in range(3)]
    )
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
    for a, b in zip(*(torch.autograd.grad(y.square().sum(), [x, weight]) for y in (found, wanted)), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("halve", [False, True])
def test_large_maps_are_pooled_without_a_matrix(halve: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stacked_operations, "_pooling", lambda *_: pytest.fail("a matrix over all pixels"))
    x = torch.randn(3, 2, 16, 16, 4, generator=torch.Generator().manual_seed(0))
    images = x.permute(0, 4, 1, 2, 3).flatten(0, 1)
    wanted = F.avg_pool2d(images, 2) if halve else F.avg_pool2d(images, 3, 1, 1, count_include_pad=False)
    wanted = wanted.view(3, 4, 2, *wanted.shape[2:]).permute(0, 2, 3, 4, 1)
    torch.testing.assert_close(stacked_operations.pool(x, halve=halve), wanted)
