"""What a training begins with if it inherits: another network's weights, and for a distillation its answers too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from nassim.errors import CorruptData
from nassim.files import put_in_place
from nassim.full_training.networks.construct import Constructed, construct
from nassim.full_training.networks.transfer import Weights, transfer
from nassim.network import Network

MOMENTS = 512  # images that the moments of new normalizations are taken of


@dataclass(frozen=True)
class Heritage:
    """The parent's network and its weights (on the CPU), by what name they are kept, and how they are passed on."""

    origin: str
    way: str
    parent: Network
    weights: Callable[[], Weights]

    def pass_on(self, network: Network, module: Constructed, images: Tensor) -> Constructed | None:
        """Give the child its weights; the parent as the teacher of a distillation, None in other ways.

        ``images``: some that the child will be trained on.
        """
        weights = self.weights()
        transfer(self.parent, weights, network, module, self.way, images)
        if self.way != "distill":
            return None
        teacher = construct(self.parent)
        teacher.to_empty(device=images.device)
        teacher.load_state_dict(dict(weights))
        return teacher.eval().requires_grad_(False)


def distillation(logits: Tensor, taught: Tensor) -> Tensor:
    """What is lost against a teacher: Kullback-Leibler divergence, the mean over a batch.

    Source: Hinton, Vinyals, Dean, "Distilling the Knowledge in a Neural Network", 2015, arXiv:1503.02531, with
    temperature 1.
    """
    loss: Tensor = F.kl_div(
        F.log_softmax(logits.float(), 1), F.log_softmax(taught.float(), 1), log_target=True, reduction="batchmean"
    )
    return loss


def save_weights(path: Path, module: torch.nn.Module) -> None:
    """Keep a trained network's weights; `OutputFailed` if they cannot be written."""
    with put_in_place(path, "No weights are kept of it.") as file:
        torch.save({name: value.detach().cpu() for name, value in module.state_dict().items()}, file)


def load_weights(path: Path) -> Weights:
    """Read what `save_weights` wrote; `CorruptData` for anything else."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        if not all(isinstance(name, str) and isinstance(value, Tensor) for name, value in state.items()):
            raise ValueError("tensors")
    except Exception as error:  # a damaged file can raise anything
        text = f"the weights {path} are damaged ({type(error).__name__})"
        raise CorruptData(f"{text}. Delete the file: they are trained anew.") from error
    return dict(state)
