"""Networks that grow: the space of strategies that live on network morphisms.

Paper: T. Elsken, J. Metzen, F. Hutter, "Simple and Efficient Architecture Search for Convolutional Neural Networks",
    2017, arXiv:1711.04528.

The seed is the paper's initial network: conv-pool-conv-pool-conv with normalization and rectifiers, then a linear
layer; the poolings are of 3x3, padded, so that it fits small images too. Limits: 2^25 parameters as in AutoKeras' code
of February 2019 (H. Jin, Q. Song, X. Hu, arXiv:1806.10282), and 120 layers (a convolution, its normalization and its
rectifier are three; AutoKeras: 200).
"""

from __future__ import annotations

from nassim.morph_space import MorphSpace
from nassim.network import NORMALIZED, RELU, Draft, Frame, Network

FRAME = Frame(channels=16, cells=1, classes=10)
LAYERS, PARAMETERS = 120, 1 << 25


def seed_network(width: int = 16) -> Network:
    """The initial network: three convolutions of equal width and two poolings."""
    draft, x = Draft(FRAME.image), 0
    for number in range(1, 6):
        if number % 2:
            x = draft.add(f"n{number}.conv", "conv", x, channels=width, kernel=3)
            x = draft.add(f"n{number}.norm", NORMALIZED[0], x)
            x = draft.add(f"n{number}.relu", RELU[0], x)
        else:
            x = draft.add(f"n{number}.pool", "max_pool", x, kernel=3, stride=2)
    pooled = draft.add("pool", "global_pool", x)
    return draft.network(draft.add("head", "linear", pooled, channels=FRAME.classes))


class Grown(MorphSpace):
    """Networks grown from three convolutions by morphs: an architecture spells its layers, and names them.

    >>> import random
    >>> SPACE.transfer(SPACE.seed, SPACE.sample(random.Random(1))).exact
    True
    """


SPACE = Grown("grown", seed_network(), FRAME, most_layers=LAYERS, most_parameters=PARAMETERS)
