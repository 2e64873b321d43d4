"""SqueezeNAS: segmentation networks of twenty (or, on small images, six) blocks, each one of thirteen.

Paper: A. Shaw, D. Hunter, F. Iandola, S. Sidhu, "SqueezeNAS: Fast Neural Architecture Search for Faster Semantic
    Segmentation", ICCV Workshops 2019, arXiv:1908.01748.

Tasks: none. No table of these spaces is published. ``squeezenas-short/canvas:training`` trains networks on composed
images, and on images with masks of the user's own; docs/segmentation.md.
"""

from __future__ import annotations

from nassim.benchmarks.spaces.squeezenas import SHORT_SPACE, SPACE

__all__ = ["SPACES", "TASKS"]

SPACES = (SPACE, SHORT_SPACE)
TASKS: tuple[str, ...] = ()
