"""What the searches of recurrent cells descend by: as published on the Penn Treebank, and on the shipped text.

Sources: the codes of DARTS (Liu et al., ICLR 2019, arXiv:1806.09055), ENAS (Pham et al., ICML 2018, arXiv:1802.03268)
and random search with shared weights (Li & Talwalkar, UAI 2019, arXiv:1902.07638). Rates are for the mean loss a token:
ENAS sums the losses of 35 steps at 0.25, which is 8.75. Departures: rates are constant (ENAS' falls from epoch 12 on);
momentum and clipping are the supernet's (none, and a norm of 0.25). Li & Talwalkar's 300 epochs are from memory.

On the shipped text an epoch has 45 steps, so that few epochs are made and the product of steps and rate is kept for
what learns the architecture: DARTS' logits have 5,200 steps at 0.003, ENAS' controller 10,000 at 0.001.
"""

from __future__ import annotations

from collections.abc import Mapping

Published = Mapping[str, Mapping[str, object]]
_DESCENT = {"learning_rate": 20.0, "final_rate": 20.0, "weight_decay": 5e-7}
_SMALL = {**_DESCENT, "batch_size": 64}


def _everywhere(published: Mapping[str, object], small: Mapping[str, object]) -> Published:
    spaces = ("rnn", "rnn-enas")
    return dict.fromkeys(spaces, published) | {f"{name}/handbook": small for name in spaces}


DARTS = _everywhere(
    {**_DESCENT, "epochs": 50, "batch_size": 256, "arch_rate": 3e-3},
    {**_SMALL, "epochs": 5, "arch_rate": 0.07},
)
ENAS = _everywhere(
    {
        "learning_rate": 8.75,
        "final_rate": 8.75,
        "weight_decay": 1e-7,
        "epochs": 100,
        "batch_size": 20,
        "controller_rate": 1e-3,
        "controller_steps": 100,
        "entropy_weight": 1e-3,
    },
    {
        **_SMALL,
        "epochs": 10,
        "derived": 20,
        "entropy_weight": 1e-3,
        "controller_rate": 0.02,
        "controller_steps": 20,
        "controller_samples": 3,
    },
)
RANDOM_NAS = _everywhere(
    {**_DESCENT, "batch_size": 64, "epochs": 300},
    {**_SMALL, "epochs": 10, "candidates": 50, "score_batches": 2, "finalists": 1},
)
