"""Mobile networks: MnasNet's factorized space of blocks, the layer-wise one that has a supernet, and MobileNetV3's.

Paper: M. Tan et al., "MnasNet: Platform-Aware Neural Architecture Search for Mobile", CVPR 2019, arXiv:1807.11626;
    H. Cai, L. Zhu, S. Han, "ProxylessNAS: Direct Neural Architecture Search on Target Task and Hardware", ICLR 2019,
    arXiv:1812.00332; A. Howard et al., "Searching for MobileNetV3", ICCV 2019, arXiv:1905.02244.

Tasks: none. No table of these spaces is published; of a sample of the space of inverted residuals alone there is one,
accel_nasbench/imagenet. To train: the image's sides are halved five times, so that small images end as one pixel. How
fast networks are, `nassim data measure-latency` measures (docs/mobile.md).
"""

from __future__ import annotations

from nassim.benchmarks.spaces.mbconv import SPACE
from nassim.benchmarks.spaces.mbconv_layers import SPACE as LAYERS
from nassim.benchmarks.spaces.mbconv_v3 import SMALLER
from nassim.benchmarks.spaces.mbconv_v3 import SPACE as V3

__all__ = ["SPACES", "TASKS"]

SPACES = (SPACE, LAYERS, V3, SMALLER)
TASKS: tuple[str, ...] = ()
