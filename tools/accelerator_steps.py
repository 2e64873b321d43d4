"""Steps of supernets on an accelerator: the CPU's numbers, how many a second, many networks at once."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from accelerator_setup import Job, Setup
from torch import Tensor

from nassim.benchmarks.spaces import darts, nasbench201
from nassim.full_training.networks.construct import initialize
from nassim.full_training.relaxations import continuous, mixtures
from nassim.full_training.relaxations.curvature import largest_eigenvalue
from nassim.full_training.relaxations.mixtures import Mix
from nassim.full_training.relaxations.perturbation import adversarial_perturbation
from nassim.full_training.supernets.mixed import MixedNetwork
from nassim.full_training.training.device import device_seconds
from nassim.network import Frame

SPACES = {"nasbench201": nasbench201.SPACE, "darts": darts.SPACE}
FRAMES = {"nasbench201": Frame(16, 5, 10, (3, 32, 32)), "darts": Frame(16, 8, 10, (3, 32, 32))}
TINY = {"nasbench201": Frame(4, 1, 10, (3, 8, 8)), "darts": Frame(4, 3, 10, (3, 8, 8))}
BATCH, GROUPS, GOAL = 64, (24, 96, 288), 20
MIXES = ("softmax", "path", "gumbel", "sigmoid", "concrete", "dirichlet", "adversarial", "partial")


class Step:
    """A supernet of CIFAR-size images on a device, with a batch; weights and images are the same on all devices."""

    def __init__(self, space: str, setup: Setup, device: str, *, partial: int | None = None, double: bool = False):
        self.space, self.device = SPACES[space], torch.device(device)
        frame = (TINY if setup.dry else FRAMES)[space]
        self.network: Any = MixedNetwork(self.space.supernet(frame, partial))
        initialize(self.network, torch.Generator().manual_seed(0))
        draws = torch.Generator().manual_seed(1)
        batch = 8 if setup.dry else BATCH
        images = torch.randn(batch, *frame.image, generator=draws)
        self.kind = torch.float64 if double else torch.float32
        self.network.to(self.device, self.kind, memory_format=torch.channels_last)
        self.images = images.to(self.device, self.kind)
        self.labels = (torch.arange(batch) % 10).to(self.device)
        self.logits = mixtures.small_logits(self.space.layout.widths, random.Random(0)).detach()
        self.logits = (1e3 * self.logits).to(self.device, self.kind).requires_grad_()

    def mix(self, kind: str) -> Mix:
        """A mixture of the logits; what is drawn is the same on all devices."""
        layout, draws = self.space.layout, torch.Generator().manual_seed(2)
        active = continuous.options(layout, none=False) if kind == "sigmoid" else continuous.options(layout)
        made: Mapping[str, Callable[[], Mix]] = {
            "softmax": lambda: mixtures.softmax(self.logits, layout.widths),
            "path": lambda: Mix(layout.path(self.space.sample(random.Random(3)))),
            "gumbel": lambda: mixtures.gumbel(self.logits, 1.0, draws, layout.widths),
            "sigmoid": lambda: continuous.sigmoid(self.logits, active),
            "concrete": lambda: continuous.concrete(self.logits, 0.5, draws, active),
            "dirichlet": lambda: continuous.dirichlet(self.logits, draws, active),
            "adversarial": lambda: adversarial_perturbation(self.mix("softmax"), 0.1, draws, self.loss),
            "partial": lambda: mixtures.softmax(
                self.logits, layout.widths, continuous.of_nodes(self.logits[:, 0], layout.nodes)
            ),
        }
        return made[kind]()

    def loss(self, mix: Mix) -> Tensor:
        """Cross-entropy on the batch."""
        return F.cross_entropy(self.network(self.images, mix), self.labels)

    def gradients(self, kind: str) -> list[Tensor]:
        """The loss and its gradients by weights and logits, on the CPU in float64."""
        loss = self.loss(self.mix(kind))
        each = torch.autograd.grad(loss, [*self.network.parameters(), self.logits], allow_unused=True)
        return [x.detach().double().cpu() for x in (loss, *each) if x is not None]


def agreements(setup: Setup) -> Iterator[Job]:
    """Every kind of step and the eigenvalue, on the device and on the CPU, in float64: the largest difference."""
    for space in SPACES:
        for kind in MIXES:
            yield Job(f"{space}, {kind}: largest relative difference to the CPU", _agreement(setup, space, kind))
        yield Job(f"{space}, largest eigenvalue", _eigenvalue(setup, space))


def _agreement(setup: Setup, space: str, kind: str) -> Callable[[], str]:
    def work() -> str:
        partial = 4 if kind == "partial" else None
        there, here = (
            Step(space, setup, device, partial=partial, double=True).gradients(kind) for device in (setup.device, "cpu")
        )
        return f"{max(float((a - b).norm() / b.norm().clamp(min=1e-12)) for a, b in zip(there, here, strict=True)):.1e}"

    return work


def _eigenvalue(setup: Setup, space: str) -> Callable[[], str]:
    def work() -> str:
        steps = [Step(space, setup, device, double=True) for device in (setup.device, "cpu")]
        there, here = (largest_eigenvalue(lambda s=step: s.loss(s.mix("softmax")), step.logits) for step in steps)
        return f"{there:.6g}, on the CPU {here:.6g}"

    return work


def speeds(setup: Setup) -> Iterator[Job]:
    """Steps of the weights a second: as it is, with autocast, compiled, as a CUDA graph."""
    for space in SPACES:
        for kind in ("softmax", "gumbel", "partial"):
            for how in ("plain", "autocast", "compiled", "graph"):
                if how == "plain" or kind == "softmax":
                    yield Job(f"{space}, {kind}, {how}: steps a second", _speed(setup, space, kind, how))


def _speed(setup: Setup, space: str, kind: str, how: str) -> Callable[[], str]:
    def work() -> str:
        step = Step(space, setup, setup.device, partial=4 if kind == "partial" else None)
        cuda = step.device.type == "cuda"
        if how in ("compiled", "graph") and not cuda:
            return "on CUDA only"
        mix = step.mix(kind)
        still = Mix(
            mix.active, mix.weights.detach() if isinstance(mix.weights, Tensor) else None, None, _off(mix.edges)
        )
        run: Any = torch.compile(step.network) if how == "compiled" else step.network

        def once() -> None:
            with torch.autocast(step.device.type, torch.bfloat16, enabled=how == "autocast"):
                logits = run(step.images, still)
            loss = F.cross_entropy(logits.float(), step.labels)
            for weight in step.network.parameters():
                weight.grad = None
            loss.backward()  # type: ignore[no-untyped-call]

        again = _graph(once) if how == "graph" else once
        for _ in range(1 if setup.dry else 5):
            again()
        began, count, limit = device_seconds(step.device), 0, 0.0 if setup.dry else 5.0
        while count == 0 or device_seconds(step.device) - began < limit:
            again()
            count += 1
        return f"{count / max(device_seconds(step.device) - began, 1e-9):.1f}"

    return work


def _off(x: Tensor | None) -> Tensor | None:
    return None if x is None else x.detach()


def _graph(once: Callable[[], None]) -> Callable[[], None]:
    """The same work, recorded once and replayed."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            once()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        once()
    return graph.replay


def many_at_once(setup: Setup) -> Iterator[Job]:
    """Cells of NAS-Bench-201 on digits, an epoch each: one by one, then many at once."""
    for size in (2,) if setup.dry else GROUPS:
        yield Job(f"{size} networks at once against one by one (goal {GOAL} times)", _many(setup, size))


def _many(setup: Setup, size: int) -> Callable[[], str]:
    def work() -> str:
        from nassim.full_training.images.data import load_data
        from nassim.full_training.training.many import DeviceData, train_many
        from nassim.full_training.training.recipe import get_recipe
        from nassim.full_training.training.train import train

        images, recipe = load_data("digits"), replace(get_recipe("digits"), epochs=1, warmup=0.0)
        device, rng = torch.device(setup.device), random.Random(0)
        data = DeviceData.of(images, recipe, device)
        archs = [nasbench201.SPACE.sample(rng) for _ in range(size)]
        few = archs[: min(size, 12)]
        train(archs[0], images, recipe, 0, device=device)
        began = time.perf_counter()
        for arch in few:
            train(arch, images, recipe, 0, device=device)
        alone = (time.perf_counter() - began) / len(few)
        began = time.perf_counter()
        train_many(archs, data, recipe, [0] * size)
        together = (time.perf_counter() - began) / size
        return f"{1 / alone:.1f} against {1 / together:.1f} networks a second: {alone / together:.1f} times"

    return work
