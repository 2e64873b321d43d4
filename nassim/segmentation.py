"""Semantic segmentation: spaces whose networks give every pixel a class, and mIoU, by which those are judged."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from nassim.metric import Metric
from nassim.space import SearchSpace

UNLABELED = 255  # in masks: a pixel that is neither learned nor judged, as in Cityscapes and Pascal VOC
MIOU = Metric("miou", "fraction", "percent")


class SegmentationSpace(SearchSpace):
    """A space whose networks give logits (classes, height, width) of an image, and are trained on masks."""


def mean_iou(confusion: NDArray[Any]) -> float:
    """Mean intersection over union of a confusion matrix (classes, classes): rows are true, columns predicted pixels.

    Of a class the pixels that are rightly given it, over those that have it or are given it; the mean over the classes
    that occur in either; 0 where none does. Source: Everingham et al., "The Pascal Visual Object Classes Challenge: A
    Retrospective", IJCV 2015, section 4.1.4; the counts are added over all images before they are divided, as there.

    >>> import numpy as np
    >>> mean_iou(np.array([[2, 1, 0], [1, 4, 0], [0, 0, 0]]))  # 2 of 4 and 4 of 6
    0.5833333333333333
    """
    right = confusion.diagonal().astype(float)
    either = confusion.sum(axis=0) + confusion.sum(axis=1) - right
    there = either > 0
    return float((right[there] / either[there]).mean()) if there.any() else 0.0
