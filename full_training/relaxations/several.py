"""Several searches one after the other, of whose answers trainings choose: the protocol of DARTS' paper.

Paper: Liu, Simonyan, Yang, ICLR 2019, arXiv:1806.09055, section 3.2: four searches with other seeds; of what they found
the best by a short training from scratch.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from nassim.choosing import choose
from nassim.full_training.relaxations.mixtures import small_logits
from nassim.space import Architecture
from nassim.strategy import Search
from nassim.supernet import Supernet


class Several:
    """Begins every search but the first anew, and keeps their answers. With one run it does nothing.

    ``epochs`` are those of a search; epochs are counted through all of them.
    """

    def __init__(self, supernet: Supernet, runs: int, epochs: int, rng: random.Random) -> None:
        self.supernet, self.runs, self.epochs = supernet, runs, epochs
        self.seeds = [rng.getrandbits(63) for _ in range(runs - 1)]
        self.answers: list[Architecture] = []

    @property
    def kept(self) -> dict[str, Any]:
        """What `Supernet.epochs` has to keep."""
        return {"answers": self} if self.runs > 1 else {}

    def begin(self, epoch: int, logits: Tensor, adam: torch.optim.Optimizer) -> None:
        """Before an epoch: in the first of a further search everything is new."""
        if epoch and epoch % self.epochs == 0:
            run = epoch // self.epochs
            self.supernet.renew(run)
            new = small_logits(self.supernet.layout.widths, random.Random(self.seeds[run - 1]), logits.device)
            with torch.no_grad():
                logits.copy_(new)
            adam.state.clear()

    def end(self, epoch: int, answer: Architecture) -> Architecture:
        """After an epoch: the last answer of a search is kept."""
        if epoch % self.epochs == self.epochs - 1:
            self.answers.append(answer)
        return answer

    def choose(self) -> Search:
        """After all of them: train what they answered, and answer with the best."""
        if self.runs > 1:
            yield from choose(self.answers)

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` takes, in a search that goes on."""
        return {"answers": [list(arch.choices) for arch in self.answers]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with the answers of an interrupted search."""
        name = self.supernet.layout.space.name
        self.answers = [Architecture(name, tuple(int(c) for c in choices)) for choices in state["answers"]]
