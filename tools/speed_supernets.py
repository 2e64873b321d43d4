"""Steps of supernets on this machine: milliseconds, the share of a matrix product's speed, and what resuming costs."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from speed_row import Row, best_of

from nassim.full_training.supernets.sources import RECIPES, make_supernet
from nassim.registry import get_space

if TYPE_CHECKING:
    from nassim.full_training.supernets.trainer import SharedNetwork

GROUP = "Steps of supernets, one thread, CPU time"
IMAGES = {"digits": 64, "fashion14": 64}  # of those that need no download; the batch
SIDE, ROUNDS = 1024, 5  # of the matrix product
RESUMING = 2.0  # percent of an epoch


def supernet_rows(_name: str) -> Iterator[Row]:
    """A step along a path and one of a softmax, of every supernet on images that are here."""
    if find_spec("torch") is None:
        yield Row(GROUP, "a step", None, "ms", note="torch is not installed: pip install 'nassim[train]'")
        return
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        matrix = torch.rand(SIDE, SIDE)
        (seconds,) = best_of(ROUNDS, lambda: matrix @ matrix)
        peak = 2 * SIDE**3 / seconds
        yield Row(GROUP, f"a matrix product of side {SIDE}", peak / 1e9, "GFLOP/s")
        for space_name, images in RECIPES:
            if images in IMAGES:
                yield from _steps(space_name, images, peak)
        yield _resuming()
    finally:
        torch.set_num_threads(threads)


def _steps(space_name: str, images: str, peak: float) -> Iterator[Row]:
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from nassim.errors import MissingData
    from nassim.full_training.relaxations.mixtures import softmax

    space = get_space(space_name)
    try:
        net: Any = make_supernet(space, images, 0)
    except MissingData as error:
        yield Row(GROUP, f"{space_name}/{images}", None, "ms", note=str(error))
        return
    net.schedule(1, 0.1, 0.01, weight_decay=5e-4, nesterov=True)
    batch, widths = next(net.training_batches(0, IMAGES[images])), net.layout.widths
    mixes = {
        "path": net.path(space.sample(random.Random(1))),
        "softmax": softmax(torch.zeros(len(widths), max(widths)), widths),
    }
    for name, mix in mixes.items():
        with FlopCounterMode(display=False) as counter:
            net.step(mix, batch)
        (seconds,) = best_of(ROUNDS, partial(net.step, mix, batch))
        share = 100 * counter.get_total_flops() / seconds / peak
        what = f"{space_name}/{images}, {name}"
        yield Row(GROUP, f"{what}, batch {IMAGES[images]}", 1e3 * seconds, "ms", note=f"best of {ROUNDS}")
        yield Row(GROUP, f"{what}: of a matrix product's speed", share, "%")
    net.cost()


def _resuming() -> Row:
    """An epoch of first-order DARTS on digits, and what is written after it."""
    import torch

    from nassim.full_training.relaxations.mixtures import small_logits, softmax

    with tempfile.TemporaryDirectory() as folder:
        net: SharedNetwork = make_supernet(get_space("nasbench201"), "digits", 0)
        net.keep(Path(folder) / "search.pt", [])
        net.schedule(2, 0.1, 0.01, weight_decay=5e-4, nesterov=True)
        alpha = small_logits(net.layout.widths, random.Random(0))
        adam = torch.optim.Adam([alpha], 3e-4)

        def epoch() -> None:
            for train, valid in net.batches(0, IMAGES["digits"]):
                (alpha.grad,) = torch.autograd.grad(net.loss(softmax(alpha), valid), [alpha])
                adam.step()
                net.step(softmax(alpha.detach()), train)
            net.cost()

        kept = {"network": net.network, "optimizer": net._sgd, "alpha": alpha, "adam": adam}
        save: Callable[[], None] = partial(net.checkpoint.save, 1, kept)
        working, saving = best_of(3, epoch, save)
    return Row(GROUP, "writing a search after an epoch, nasbench201/digits", 100 * saving / working, "%", RESUMING)
