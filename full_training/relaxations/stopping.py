"""What R-DARTS does where the curvature of the validation loss grows: stop, or go back and decay the weights more.

Paper: Zela et al., ICLR 2020, arXiv:1909.09656, section 4.3: stop where the average of a window four evaluations ago,
divided by the present one, is below 0.75. The authors' code compares the other way round, with 1.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor

from nassim.errors import InvalidSetting
from nassim.full_training.relaxations.curvature import largest_eigenvalue
from nassim.supernet import Supernet

EVERY, WINDOW, BACK, EARLIEST = 2, 5, 4, 10
REMEMBERED = WINDOW // 2 + BACK + 1  # evaluations whose state may be gone back to
LOOKED_AT = 64  # validation images
MULTIPLIED = 10.0  # the weight decay of ``adaptive``


def strengths(variant: str, strength: float | None, weight_decay: float) -> tuple[float, float]:
    """Weight decay and last probability of a dropped path of a variant."""
    if strength is not None and variant not in ("l2", "drop_path"):
        raise InvalidSetting(f"r_darts: strength={strength:g} is of l2 and drop_path, not of {variant}.")
    if variant == "l2":
        return 81e-4 if strength is None else strength, 0.0
    drop = 0.0 if variant != "drop_path" else 0.2 if strength is None else strength
    if not 0.0 <= drop < 1.0:
        raise InvalidSetting(f"r_darts: strength={drop:g} is no probability below 1.")
    return weight_decay, drop


class EarlyStop:
    """Told an eigenvalue every second epoch; says which epoch to go back to.

    The average of an evaluation is over the window around it, so that it lies two evaluations before the last one; it
    is compared with the one four evaluations before it. That one's epoch must not lie before the tenth.
    """

    def __init__(self, ratio: float = 1.3) -> None:
        self.ratio = ratio
        self.values: list[float] = []

    def averages(self) -> list[float]:
        """The local averages of all evaluations that have two after them; at the beginning of what there is."""
        half = WINDOW // 2
        return [_mean(self.values[max(0, i - half) : i + half + 1]) for i in range(len(self.values) - half)]

    def told(self, epoch: int, value: float) -> int | None:
        """In ``epoch`` (from 0) the eigenvalue is ``value``: the epoch to go back to, or None to go on."""
        self.values.append(value)
        averages, back = self.averages(), epoch - (WINDOW // 2 + BACK) * EVERY
        if back < EARLIEST or len(averages) <= BACK:
            return None
        return back if averages[-1] > self.ratio * averages[-1 - BACK] else None


class Curvature:
    """Line 4 of R-DARTS: looks every second epoch, and stops or goes back (`EarlyStop`); other variants do not look."""

    def __init__(self, variant: str, ratio: float, decay: float, most: float) -> None:
        self.variant, self.decay, self.most = variant, decay, most
        self.early, self.past, self.ended = EarlyStop(ratio), dict[int, Any](), False

    def looked(
        self, supernet: Supernet, epoch: int, alpha: Tensor, adam: torch.optim.Optimizer, mix: Callable[[], Any]
    ) -> None:
        """After an epoch. Going back restores the logits, and to go on from there everything else."""
        if self.variant not in ("early_stopping", "adaptive") or epoch % EVERY:
            return
        self.past[epoch] = deepcopy([alpha.detach(), adam.state_dict(), supernet.state()])
        while len(self.past) > REMEMBERED:
            del self.past[min(self.past)]
        batch = next(iter(supernet.scoring_batches(0, LOOKED_AT)))
        back = self.early.told(epoch, largest_eigenvalue(lambda: supernet.loss(mix(), batch), alpha))
        if back is None:
            return
        logits, descent, state = self.past[back]
        with torch.no_grad():
            alpha.copy_(logits)
        self.ended = self.variant == "early_stopping" or self.decay * MULTIPLIED > self.most
        if not self.ended:
            self.decay *= MULTIPLIED
            adam.load_state_dict(deepcopy(descent))
            supernet.restore(deepcopy(state), back + 1, self.decay)
            self.early.values = self.early.values[: back // EVERY + 1]
            self.past = {then: kept for then, kept in self.past.items() if then <= back}

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` takes, in a search that goes on."""
        return {"decay": self.decay, "values": list(self.early.values), "past": self.past, "ended": self.ended}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on as an interrupted search."""
        self.decay, self.past, self.ended = float(state["decay"]), dict(state["past"]), bool(state["ended"])
        self.early.values = [float(value) for value in state["values"]]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
