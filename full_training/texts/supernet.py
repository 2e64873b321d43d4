"""A supernet of recurrent cells with its text: `nassim.supernet.Supernet` (torch).

As DARTS and ENAS search on the Penn Treebank: the training text trains the weights, the validation text the
architecture, in parallel streams through which the state is carried, each piece beginning where the last one ended,
whichever cell ran there. A cell is scored on pieces of the validation text from the state of zeros, without dropout;
on all of it with the state carried. Gradient descent is without momentum and clipped as language models need it
(the recipe's ``clip``), whatever a strategy says for images; both stand in the settings.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor

from nassim.errors import InvalidSetting, Unsupported
from nassim.full_training.images.batches import generator
from nassim.full_training.relaxations.mixtures import Mix
from nassim.full_training.supernets.shared import SharedWeights
from nassim.full_training.texts.data import TextData
from nassim.full_training.texts.mixed import Keys, MixedCell, sizes
from nassim.full_training.texts.model import LanguageModel, Masks, State, initialize
from nassim.full_training.texts.recipe import TextRecipe, judged_streams
from nassim.full_training.texts.streams import Piece, pieces, streams
from nassim.full_training.training.device import one_thread
from nassim.recurrent import Edges, RecurrentSpace


class Carried:
    """The state at the end of a stream's last piece."""

    def __init__(self, state: State) -> None:
        self.state = state


class TextBatch(NamedTuple):
    """A piece, the state before it, what dropout keeps there, and where the state after it is put."""

    piece: Piece
    state: State
    masks: Masks
    carried: Carried | None


class SharedCells(SharedWeights):
    """All cells of a space with shared weights in a language model.

    recipe: gives sizes, dropout and clipping; its schedule is for whole trainings and not used. ``keys`` of the
    settings: by what matrices are shared (`MixedCell`).
    """

    network: LanguageModel

    def __init__(
        self,
        space: RecurrentSpace,
        data: TextData,
        recipe: TextRecipe,
        seed: int,
        device: str | torch.device = "cpu",
        *,
        settings: dict[str, object],
    ) -> None:
        super().__init__(space, seed, device, {**settings, "images_sha256": data.sha256})
        if not isinstance(self.layout, Edges):
            raise Unsupported(f"the space {space.name} has no supernet that holds all its architectures.")
        self.data, self.recipe, self.metric = data, recipe, data.metric
        self.shape()

    def shape(self, *, partial: int | None = None, replicas: int = 1, keys: str | None = None) -> None:
        if partial is not None or replicas != 1:
            raise InvalidSetting("a supernet of recurrent cells has no partial channels and no replicas.")
        chosen = cast(Keys, keys or self.settings["keys"])
        cell = MixedCell(cast(Edges, self.layout), self.recipe.hidden, chosen)
        self.network = LanguageModel(cell, len(self.data.vocabulary), self.recipe.hidden)
        initialize(self.network, "supernet weights", self.seed, self.device)

    def renew(self, run: int) -> None:
        initialize(self.network, f"supernet weights {run}", self.seed, self.device)

    @property
    def option_sizes(self) -> Any:
        return sizes(cast(Edges, self.layout), self.recipe.hidden)

    def divide(self, portion: float) -> None:
        raise Unsupported(f"the splits of {self.data.name} are fixed: no part of its training text can be set aside.")

    @property
    def option_macs(self) -> tuple[list[list[int]], int]:
        raise Unsupported("options of recurrent cells are not told apart by multiply-adds: all have the same.")

    def latencies(self, table: str) -> tuple[list[list[float]], float]:
        raise Unsupported(f"recurrent cells have no latency by layer, from {table} or elsewhere.")

    def drop_paths(self, probability: float, epoch: int) -> None:
        if probability:
            raise InvalidSetting("no paths are dropped in recurrent cells: --set drop_path=0.")

    def _descent(self, momentum: float, clip: float) -> tuple[float, float]:
        return 0.0, self.recipe.clip  # a language model's, as its settings say

    # -- batches --------------------------------------------------------------------------------------

    def batches(self, epoch: int, size: int) -> Iterator[tuple[TextBatch, TextBatch]]:
        valid = self._pieces("valid", epoch, size)
        for train in self.training_batches(epoch, size):
            yield train, next(valid)

    def training_batches(self, epoch: int, size: int) -> Iterator[TextBatch]:
        self._turn_to(epoch)
        return self._pieces("train", epoch, size)

    def validation_batches(self, epoch: int, size: int) -> Iterator[TextBatch]:
        once = sum(1 for _ in pieces(self._rows("valid", size), self.recipe.bptt))
        return islice(self._pieces("valid", epoch, size), once)

    def _pieces(self, split: str, epoch: int, size: int) -> Iterator[TextBatch]:
        """Pieces of a split with the state carried; of the validation text again and again."""
        rows, drawn = self._rows(split, size), generator(f"dropout {split}", self.seed, epoch, self.device)
        carried = Carried(self.network.cell.begin(rows.shape[1]))
        while True:
            for piece in pieces(rows, self.recipe.bptt):
                masks = Masks.drawn(self.recipe, rows.shape[1], drawn, self.device)
                yield TextBatch(piece, carried.state, masks, carried)
            if split == "train":
                return
            carried.state = self.network.cell.begin(rows.shape[1])

    def scoring_batches(self, epoch: int, size: int) -> Iterator[TextBatch]:
        rows = self._rows("valid", size)
        parts = list(pieces(rows, self.recipe.bptt))
        parts = parts[:-1] if len(parts) > 1 else parts  # whole pieces, so that all are scored on as many tokens
        begin, rounds = self.network.cell.begin(rows.shape[1]), 0
        while True:
            for i in torch.randperm(len(parts), generator=generator(f"scoring {epoch}", self.seed, rounds)).tolist():
                yield TextBatch(parts[i], begin, Masks(), None)
            rounds += 1

    def _rows(self, split: str, size: int) -> Tensor:
        tokens = self.data.splits[split]
        return streams(tokens, max(2, min(size, len(tokens) // (2 * self.recipe.bptt))), self.device)

    # -- losses ---------------------------------------------------------------------------------------

    def loss(self, mix: Mix, batch: TextBatch) -> Tensor:
        logits, state, outputs = self.network(batch.piece.tokens, batch.state, batch.masks, mix)
        if batch.carried is not None:
            batch.carried.state = tuple(part.detach() for part in state)
        loss = F.cross_entropy(logits.flatten(0, 1), batch.piece.wanted.flatten())
        if self.recipe.slowness and batch.carried is not None and len(outputs) > 1:
            loss = loss + self.recipe.slowness * (outputs[1:] - outputs[:-1]).square().mean()
        return loss

    @torch.no_grad()
    def score(self, mix: Mix, *batches: TextBatch) -> float:
        with one_thread(self.device.type == "cpu" and self._began is None):
            if batches:
                losses = [self.loss(mix, batch) for batch in batches]
                return -float(torch.stack(losses).mean())
            tokens = self.data.splits["valid"]
            rows = streams(tokens, max(2, judged_streams(len(tokens))), self.device)
            state, total, count = self.network.cell.begin(rows.shape[1]), torch.zeros((), device=self.device), 0
            for piece in pieces(rows, 2 * self.recipe.bptt):
                logits, state, _ = self.network(piece.tokens, state, Masks(), mix)
                total += F.cross_entropy(logits.flatten(0, 1), piece.wanted.flatten(), reduction="sum")
                count += piece.wanted.numel()
            return -float(total) / count
