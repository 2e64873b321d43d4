"""Training one language model: from a cell, a recipe, a text and a seed to a curve (torch).

On the CPU it is a function of its arguments: resumed or not, the same curve. A shorter training is the beginning of a
longer one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nassim.errors import Unsupported
from nassim.full_training.images.batches import generator
from nassim.full_training.texts.data import TextData
from nassim.full_training.texts.model import LanguageModel, Masks, cell_module, initialize
from nassim.full_training.texts.recipe import TextRecipe, judged_streams
from nassim.full_training.texts.streams import Piece, pieces, streams
from nassim.full_training.training import checkpoint
from nassim.full_training.training.device import at_work, describe, device_seconds, numbered
from nassim.full_training.training.memory import forget_peak, peak_memory
from nassim.full_training.training.train import Curve
from nassim.full_training.training.training import Training
from nassim.recurrent import Cell
from nassim.space import Architecture


class TextLearner:
    """A language model with its text on a device."""

    def __init__(self, cell: Cell, data: TextData, recipe: TextRecipe, seed: int, device: torch.device) -> None:
        self.recipe, self.seed, self.device = recipe, seed, device
        self.model = LanguageModel(cell_module(cell, recipe.hidden), len(data.vocabulary), recipe.hidden)
        initialize(self.model, "weights", seed, device)
        self.optimizer = torch.optim.SGD(self.model.parameters(), recipe.rate, weight_decay=recipe.weight_decay)
        self.rows = streams(data.splits["train"], recipe.batch, device)
        self.averages: list[Tensor] = []  # of the weights, once they are averaged
        self.averaged = 0  # steps in them

    def epoch(self, epoch: int) -> tuple[float, float, str]:
        """Train an epoch: share of right predictions and mean loss on the way, and why it failed (or nothing)."""
        drawn = generator("dropout", self.seed, epoch, self.device)
        state, count = self.model.cell.begin(self.recipe.batch), 0
        right = torch.zeros((), dtype=torch.long, device=self.device)
        total = torch.zeros((), device=self.device)
        for piece in pieces(self.rows, self.recipe.bptt):
            masks = Masks.drawn(self.recipe, self.recipe.batch, drawn, self.device)
            loss, hits, state = self.step(piece, state, masks)
            total += loss * piece.wanted.numel()
            right += hits
            count += piece.wanted.numel()
        mean = float(total) / count
        return int(right) / count, mean, "" if math.isfinite(mean) else f"the loss was not finite in epoch {epoch + 1}"

    def step(self, piece: Piece, state: Any, masks: Masks) -> tuple[Tensor, Tensor, Any]:
        """One step down the loss of a piece: its mean loss, its right predictions, and the state after it."""
        logits, after, outputs = self.model(piece.tokens, state, masks)
        loss = F.cross_entropy(logits.flatten(0, 1), piece.wanted.flatten())
        minimized = loss
        if self.recipe.slowness and len(outputs) > 1:
            minimized = loss + self.recipe.slowness * (outputs[1:] - outputs[:-1]).square().mean()
        self.optimizer.zero_grad(set_to_none=True)
        minimized.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        self.optimizer.step()
        if self.averages:
            self.averaged += 1
            with torch.no_grad():
                for average, weight in zip(self.averages, self.model.parameters(), strict=True):
                    average += (weight - average) / self.averaged
        hits = (logits.detach().argmax(dim=2) == piece.wanted).sum()
        return loss.detach(), hits, tuple(part.detach() for part in after)

    def settle(self, losses: Sequence[float]) -> str:
        """Begin to average the weights where the validation losses so far have stopped falling; what is to be said."""
        wait = self.recipe.patience
        if self.averages or len(losses) <= wait or min(losses[-wait:]) < min(losses[:-wait]):
            return ""
        self.averages = [weight.detach().clone() for weight in self.model.parameters()]
        return f"weights averaged from epoch {len(losses) + 1} on"

    @torch.no_grad()
    def evaluate(self, tokens: Any) -> tuple[float, float]:
        """Share of right predictions and mean loss (nats a token) of a split, the state carried through it."""
        rows = streams(tokens, judged_streams(len(tokens)), self.device)
        own = [weight.detach().clone() for weight in self.model.parameters()] if self.averages else []
        self._put(self.averages)
        state, right, losses, count = self.model.cell.begin(rows.shape[1]), 0, 0.0, 0
        for piece in pieces(rows, 2 * self.recipe.bptt):
            logits, state, _ = self.model(piece.tokens, state)
            losses += float(F.cross_entropy(logits.flatten(0, 1), piece.wanted.flatten(), reduction="sum"))
            right += int((logits.argmax(dim=2) == piece.wanted).sum())
            count += piece.wanted.numel()
        self._put(own)
        return right / count, losses / count

    def _put(self, values: Sequence[Tensor]) -> None:
        for value, weight in zip(values, self.model.parameters(), strict=False):
            weight.data.copy_(value)

    def state(self) -> dict[str, Any]:
        """What `restore` needs."""
        return {"model": self.model.state_dict(), "averages": self.averages, "averaged": self.averaged}

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.model.load_state_dict(state["model"])
        self.averages, self.averaged = state["averages"], state["averaged"]


def train_text(
    arch: Architecture,
    data: TextData,
    recipe: TextRecipe,
    seed: int,
    *,
    network: Cell,
    device: torch.device | str = "cpu",
    resume: Path | None = None,
    until: int | None = None,
    compiled: bool = False,
    tell: Callable[[Curve], None] | None = None,
    heritage: object = None,
    keep: Path | None = None,
) -> Training:
    """Train a language model with a cell from scratch; the arguments are those of `training.train.train`.

    A loss that is not finite ends the training as failed. `Unsupported` for a compiled one, and for one that inherits.
    """
    if compiled or heritage is not None or keep is not None:
        raise Unsupported("language models are trained as they are and from scratch: not compiled, nothing inherited.")
    recipe.check(data)
    device = numbered(torch.device(device))
    identity = {"arch": str(arch), "recipe": recipe.sha256, "data": data.sha256, "seed": str(seed)}
    with at_work(device):
        forget_peak(device)
        learner = TextLearner(network, data, recipe, seed, device)
        curve, failed, notes = Curve(), "", list[str]()
        state = checkpoint.load(resume, identity, device) if resume else None
        if state is not None:
            curve = Curve(*(state[name] for name in ("train", "valid", "seconds", "train_loss", "valid_loss")))
            failed, notes = state["failed"], state["notes"]
            learner.restore(state)
        last = recipe.epochs if until is None else min(until, recipe.epochs)
        while len(curve.valid) < last and not failed:
            started = device_seconds(device)
            right, loss, failed = learner.epoch(len(curve.valid))
            valid, valid_loss = (math.nan, math.nan) if failed else learner.evaluate(data.splits["valid"])
            if not failed and not math.isfinite(valid_loss):
                failed = f"the validation loss was not finite after epoch {len(curve.valid) + 1}"
            if not failed:
                curve.add(right, loss, valid, valid_loss, device_seconds(device) - started)
                notes += [said for said in [learner.settle(curve.valid_loss)] if said]
                if tell is not None:
                    tell(curve)
            if resume is not None:
                checkpoint.save(resume, identity, {**vars(curve), "failed": failed, "notes": notes, **learner.state()})
        whole = len(curve.valid) == recipe.epochs
        test = learner.evaluate(data.splits["test"]) if whole else (None, None)
        return Training(
            arch=str(arch),
            data=data.name,
            data_sha256=data.sha256,
            recipe=recipe.name,
            recipe_sha256=recipe.sha256,
            seed=seed,
            test_accuracy=test[0],
            peak_memory=peak_memory(device),
            device=describe(device),
            failed=failed,
            notes=tuple(notes),
            rate=(recipe.rate,) * len(curve.valid),
            test_loss=test[1],
            **curve.kept(),
        )
