"""A network while it learns the classes of pixels: cross-entropy of each, judged by mIoU."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from nassim.full_training.images.batches import DeviceSplit, wanted
from nassim.full_training.training.learner import Learner
from nassim.segmentation import mean_iou

EVALUATED = 100  # images at once in an evaluation: their maps are as large as they are


class PixelLearner(Learner):
    """A segmentation network with its optimizer and training images on a device.

    The loss is the mean cross-entropy over the labeled pixels of a batch, and what is right is counted by pixels.
    """

    _labeled: Tensor | None = None  # pixels of the last epoch

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster on both devices

    @property
    def judged(self) -> int:
        """How many labeled pixels the last epoch saw."""
        return 1 if self._labeled is None else max(1, int(self._labeled))

    def begin(self, epoch: int) -> None:
        super().begin(epoch)
        self._labeled = torch.zeros((), dtype=torch.long, device=self.device)

    def _gradients(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        found = super()._gradients(images, labels)
        if self._labeled is not None:
            self._labeled += (labels >= 0).sum()
        return found

    def _formatted(self, images: Tensor) -> Tensor:
        return images.to(memory_format=torch.channels_last)

    def evaluate(self, split: DeviceSplit) -> tuple[float, ...]:
        """Share of a split's labeled pixels that are given their class, mean cross-entropy of one, and mIoU."""
        matrix, losses = self.confusion(split)
        counts, loss = matrix.cpu().numpy(), 0.0
        for part in losses.tolist():
            loss += part
        pixels = max(1, int(counts.sum()))
        return float(counts.diagonal().sum()) / pixels, loss / pixels, mean_iou(counts)

    @torch.no_grad()
    def confusion(self, split: DeviceSplit) -> tuple[Tensor, Tensor]:
        """The matrix (classes, classes) of true and predicted pixels, and sums of cross-entropies; on the device."""
        self.network.eval()
        matrix, losses = None, []
        for images, masks in zip(*(torch.split(part, EVALUATED) for part in (split.images, split.labels)), strict=True):
            with self._precision():
                logits = self.call(self._formatted(images))
            labels = wanted(masks)
            here = confusion_matrix(logits, labels)
            matrix = here if matrix is None else matrix + here
            losses.append(F.cross_entropy(logits.float(), labels, reduction="sum"))
        assert matrix is not None, "no split is empty"
        return matrix, torch.stack(losses)


def confusion_matrix(logits: Tensor, labels: Tensor) -> Tensor:
    """Counts (classes, classes), int64: rows are the labels (batch, height, width), columns what logits say.

    Pixels with a negative label are left out. Nothing is read from the device.
    """
    classes = logits.shape[1]
    pairs = labels.clamp(min=0) * classes + logits.argmax(dim=1)
    counts = torch.zeros(classes * classes, dtype=torch.long, device=logits.device)
    counts.scatter_add_(0, pairs.flatten(), (labels >= 0).long().flatten())
    return counts.view(classes, classes)
