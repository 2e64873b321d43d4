"""The controller of ENAS: a recurrent policy over the decisions of a search space.

Paper: Pham, Guan, Zoph, Le, Dean, "Efficient Neural Architecture Search via Parameter Sharing", ICML 2018,
arXiv:1802.03268, section 2; its logits are divided by a temperature and squashed as in Bello et al. 2017.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from nassim.full_training.relaxations.mixtures import seeded
from nassim.metric import ACCURACY, Metric
from nassim.supernet import Supernet

UNITS = 64  # of the LSTM (one layer) and of the embedding of the last choice
TEMPERATURE, TANH_CONSTANT = 5.0, 2.5
SCALE = 80.0  # c of the reward of a loss
SKIP_TARGET, SKIP_WEIGHT = 0.4, 0.8  # the share of skips that is wanted, and the weight of the divergence from it


class Samples(NamedTuple):
    """Drawn architectures: choices (n, decisions), and per architecture log-probability and entropy (n,).

    penalty: (n,) what the loss has beside the reward, where a controller has such a thing.
    """

    choices: list[tuple[int, ...]]
    log_probability: Tensor
    entropy: Tensor
    penalty: Tensor | None = None


class Controller(nn.Module):
    """An LSTM that chooses decision after decision, each time told its last choice."""

    def __init__(self, radices: Sequence[int], rng: random.Random) -> None:
        super().__init__()
        self.radices = tuple(radices)
        self.generator = seeded(rng)
        with torch.device("meta"):
            self.begin = nn.Embedding(1, UNITS)
            self.embeddings = nn.ModuleList([nn.Embedding(n, UNITS) for n in radices[:-1]])
            self.cell = nn.LSTMCell(UNITS, UNITS)
            self.heads = nn.ModuleList([nn.Linear(UNITS, n, bias=False) for n in radices])
        self.to_empty(device="cpu")
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.uniform_(-0.1, 0.1, generator=self.generator)

    def sample(self, n: int = 1) -> Samples:
        """``n`` architectures, drawn independently."""
        x = self.begin.weight.expand(n, -1)
        state = (torch.zeros(n, UNITS), torch.zeros(n, UNITS))
        chosen: list[Tensor] = []
        log_probability, entropy = torch.zeros(n), torch.zeros(n)
        for i, head in enumerate(self.heads):
            state = self.cell(x, state)
            logs = F.log_softmax(TANH_CONSTANT * torch.tanh(head(state[0]) / TEMPERATURE), dim=1)
            choice = torch.multinomial(logs.detach().exp(), 1, generator=self.generator)
            log_probability = log_probability + logs.gather(1, choice).squeeze(1)
            entropy = entropy - (logs.exp() * logs).sum(dim=1)
            chosen.append(choice)
            if i < len(self.embeddings):
                x = self.embeddings[i](choice.squeeze(1))
        rows = torch.cat(chosen, dim=1).tolist()
        return Samples([tuple(row) for row in rows], log_probability, entropy)


def reward(value: float, supernet: Supernet) -> float:
    """What the controller is given for a score: an accuracy itself, for minus a loss `SCALE` / perplexity.

    Source: Pham et al., ICML 2018, arXiv:1802.03268, section 2.2.
    """
    metric: Metric = getattr(supernet, "metric", ACCURACY)
    return value if metric.more_is_better else SCALE * math.exp(value)


class MovingAverage:
    """A baseline: the moving average of the rewards, which begins with the first one."""

    def __init__(self, decay: float) -> None:
        self.decay = decay
        self.value: float | None = None

    def advantages(self, rewards: Sequence[float]) -> list[float]:
        """Each reward less the average of the rewards up to and with it."""
        gains = []
        for reward in rewards:
            self.value = reward if self.value is None else self.decay * self.value + (1.0 - self.decay) * reward
            gains.append(reward - self.value)
        return gains

    def state_dict(self) -> dict[str, float | None]:
        """What `load_state_dict` takes, in a search that goes on."""
        return {"value": self.value}

    def load_state_dict(self, state: Mapping[str, float | None]) -> None:
        """Go on from the average of an interrupted search."""
        self.value = state["value"]


def descend(loss: Tensor, optimizer: torch.optim.Optimizer) -> None:
    """One step of an optimizer down a loss."""
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()


def policy_loss(samples: Samples, gains: Sequence[float]) -> Tensor:
    """What the controller descends: minus log-probability times advantage, mean over the samples (equation 1).

    With a penalty also that, times `SKIP_WEIGHT` (section 2.3).
    """
    loss = -(samples.log_probability * torch.tensor(gains)).mean()
    return loss if samples.penalty is None else loss + SKIP_WEIGHT * samples.penalty.mean()
