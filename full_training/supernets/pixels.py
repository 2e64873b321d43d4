"""A supernet of segmentation networks with its images and their masks: what it is worth is mIoU."""

from __future__ import annotations

import torch

from nassim.full_training.images.batches import wanted
from nassim.full_training.relaxations.mixtures import Mix
from nassim.full_training.supernets.sizes import whole_paths
from nassim.full_training.supernets.trainer import Batch, SharedNetwork
from nassim.full_training.training.device import one_thread
from nassim.full_training.training.pixels import confusion_matrix
from nassim.metric import Metric
from nassim.segmentation import MIOU, mean_iou


class SharedPixels(SharedNetwork):
    """The supernet of a segmentation space; ``loss`` is the mean cross-entropy over the labeled pixels of a batch."""

    metric: Metric = MIOU

    @torch.no_grad()
    def score(self, mix: Mix, *batches: Batch) -> float:
        with one_thread(self.device.type == "cpu" and self._began is None), whole_paths(self._drops()):
            parts = [
                confusion_matrix(self.logits(mix, images), wanted(masks)) for images, masks in batches or self._whole()
            ]
            return mean_iou(torch.stack(parts).sum(dim=0).cpu().numpy())
