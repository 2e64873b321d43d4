"""A fixed network: what its authors published is trained, and nothing is searched.

Paper: K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, arXiv:1512.03385;
    M. Sandler, A. Howard, M. Zhu, A. Zhmoginov, L. Chen, "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR
    2018, arXiv:1801.04381; M. Tan, B. Chen, R. Pang, V. Vasudevan, M. Sandler, A. Howard, Q. Le, "MnasNet:
    Platform-Aware Neural Architecture Search for Mobile", CVPR 2019, arXiv:1807.11626.

Pseudocode:
    1  train a published network, or all that the space knows, one after the other

Departures:
    1. The network is what the space holds under its name, trained as the benchmark trains: the accuracy is not the
       published one.
    2. Where a space knows none and none is named, it is a random one, and the run says so.

Hyperparameters:
    network: its name, as `nassim show SPACE` lists them; empty: all that the space knows.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from nassim.errors import InvalidArchitecture, Unsupported
from nassim.space import SearchSpace
from nassim.strategy import Search, evaluate_all, strategy


@strategy(family="baseline", year=2016)
def fixed(space: SearchSpace, rng: random.Random, *, remark: Callable[[str], None], network: str = "") -> Search:
    known = space.known
    if network and network not in known:
        raise Unsupported(f"{space.name} holds no network {network:.60}. It knows {', '.join(known) or 'none'}.")
    archs = []
    for name in [network] if network else known:
        try:
            archs.append(space.parse(known[name]))
        except InvalidArchitecture as error:  # the table lists a part of the space
            if network:
                raise Unsupported(f"{name}: {error}") from None
    if archs:
        remark(f"not a search: {network or ', '.join(known)} trained as the benchmark trains")
    else:
        remark(f"not a search: {space.name} holds no published network, and a random one is trained")
        archs = [space.sample(rng)]
    yield from evaluate_all(archs)  # 1
