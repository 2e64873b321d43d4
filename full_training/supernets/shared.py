"""What all supernets have in common, whatever they learn: schedule, steps, seconds, and how a search resumes.

On the CPU a supernet works with one thread, so that results do not depend on the number of cores, and its cost is
processor time; on an accelerator it is elapsed time.
"""

from __future__ import annotations

import contextlib
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nassim.errors import Diverged, ProtocolError
from nassim.full_training.relaxations.bilevel import WeightUpdate
from nassim.full_training.relaxations.mixtures import Mix
from nassim.full_training.supernets.checkpoint import Checkpoint
from nassim.full_training.supernets.rates import cosine
from nassim.full_training.training.device import at_work, choose_device, device_seconds, processor
from nassim.metric import ACCURACY, Metric
from nassim.space import Architecture, SearchSpace


class SharedWeights(ABC):
    """A network whose architectures share weights, its optimizer and its clock; subclasses have data."""

    network: nn.Module
    metric: Metric = ACCURACY  # what `score` gives

    def __init__(self, space: SearchSpace, seed: int, device: str | torch.device, settings: dict[str, object]) -> None:
        self.device = choose_device(device)
        self.space, self.layout = space, space.layout
        self.seed, self.settings = seed, settings
        self._optimizer: torch.optim.SGD | None = None
        self._rates: list[float] = []
        self._clip = math.inf
        self._began: float | None = None
        self._working = contextlib.ExitStack()
        self._losses: list[Tensor] = []
        self._next, self._fresh = 0, -1  # the epoch to come, and the one that begins without momentum
        self.checkpoint = Checkpoint()

    @abstractmethod
    def loss(self, mix: Mix, batch: Any) -> Tensor:
        """Cross-entropy of a mix on a batch."""

    @property
    def machine(self) -> str:
        if self.device.type == "cuda":
            name = torch.cuda.get_device_name(self.device)
        else:
            name = f"{processor()}, one thread" if self.device.type == "cpu" else f"{processor()}, {self.device.type}"
        return f"{name}, torch {torch.__version__}"

    @property
    def weights(self) -> list[nn.Parameter]:
        return list(self.network.parameters())

    def path(self, arch: Architecture) -> Mix:
        return Mix(self.layout.path(arch))

    # -- training -------------------------------------------------------------------------------------

    def schedule(
        self,
        epochs: int,
        learning_rate: float,
        final_rate: float,
        *,
        weight_decay: float,
        momentum: float = 0.9,
        nesterov: bool = False,
        clip: float = 5.0,
        restart: int | None = None,
        tail: int = 0,
        tail_rate: float = 0.0,
        runs: int = 1,
    ) -> None:
        momentum, clip = self._descent(momentum, clip)
        self._rates = [*cosine(epochs, learning_rate, final_rate, restart), *[tail_rate] * tail] * runs
        self._fresh = epochs if tail else -1
        self._clip = clip
        self._optimizer = torch.optim.SGD(
            self.network.parameters(),
            learning_rate,
            momentum,
            nesterov=nesterov and momentum > 0,
            weight_decay=weight_decay,
        )

    def _descent(self, momentum: float, clip: float) -> tuple[float, float]:
        """The momentum and the largest norm of gradients of what was asked for: what the data need goes before."""
        return momentum, clip

    def epochs(self, **kept: Any) -> Iterator[int]:
        self._next = self.checkpoint.resume({"network": self.network, "optimizer": self._sgd, **kept}, self.device)
        while self._next < len(self._rates):
            self._next += 1
            yield self._next - 1
            self.checkpoint.save(self._next, {"network": self.network, "optimizer": self._sgd, **kept})

    def state(self) -> dict[str, Any]:
        return {"network": self.network.state_dict(), "optimizer": self._sgd.state_dict()}

    def restore(self, state: dict[str, Any], epoch: int, weight_decay: float) -> None:
        self.network.load_state_dict(state["network"])
        self._sgd.load_state_dict(state["optimizer"])
        self._next = epoch
        for group in self._sgd.param_groups:
            group["weight_decay"] = weight_decay

    def _turn_to(self, epoch: int) -> None:
        """The rate of an epoch, its clock, and no losses yet."""
        for group in self._sgd.param_groups:
            group["lr"] = self._rates[epoch]
        if epoch == self._fresh:
            self._sgd.state.clear()
        self._begin()
        self._losses = []

    def step(self, mix: Mix, batch: Any) -> Tensor:
        optimizer = self._sgd
        optimizer.zero_grad(set_to_none=True)  # a weight without gradient is passed over: no decay, no momentum
        loss = self.loss(mix, batch)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), self._clip)
        optimizer.step()
        self._losses.append(loss.detach())
        return self._losses[-1]

    def training_loss(self) -> float:
        return float(torch.stack(self._losses).mean()) if self._losses else math.nan

    def next_update(self) -> WeightUpdate:
        group = self._sgd.param_groups[0]
        velocity = [self._sgd.state[w].get("momentum_buffer") if w in self._sgd.state else None for w in self.weights]
        return WeightUpdate(group["lr"], group["momentum"], group["weight_decay"], velocity)

    def cost(self) -> float:
        if self._began is None:
            return 0.0
        seconds = self._now() - self._began
        self._began = None
        self._working.close()
        if self._losses and not math.isfinite(loss := self.training_loss()):
            raise Diverged(f"the search diverged (training loss {loss}): --set learning_rate= to a lower one.")
        return seconds

    def keep(self, file: Path, told: list[Any]) -> None:
        self.checkpoint = Checkpoint(file, told, self.settings)

    @property
    def _sgd(self) -> torch.optim.SGD:
        if self._optimizer is None:
            raise ProtocolError("a supernet needs a schedule() before it is trained.")
        return self._optimizer

    def _begin(self) -> None:
        if self._began is None:
            self._working.enter_context(at_work(self.device))
            self._began = self._now()

    def _now(self) -> float:
        return device_seconds(self.device)
