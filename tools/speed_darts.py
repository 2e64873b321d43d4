"""Steps of supernets: partial channels against all, second order against first, the eigenvalue of the Hessian."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from typing import Any

from speed_row import Row, best_of

from nassim.network import Frame

GROUP = "Supernets, CPU time"
CHANNELS, CELLS, BATCH, K = 16, 8, 16, 4
SMALL = "nasbench201/digits"


def darts_family_rows(_name: str) -> Iterator[Row]:
    """On the DARTS space with images of 32 pixels, and on the supernet of digits."""
    if find_spec("torch") is None:
        yield Row(GROUP, "a step", None, "ms", note="torch is not installed: pip install 'nassim[train]'")
        return
    steps = {name: darts_step(k) for name, k in (("darts", None), ("pc_darts", K))}
    whole, part = best_of(3, *[step for step, _ in steps.values()])
    size = f"darts, C={CHANNELS}, {CELLS} cells, batch {BATCH}"
    yield Row(GROUP, f"a step of the weights, {size}", 1e3 * whole, "ms")
    yield Row(GROUP, f"the same with partial channels, K={K}", part / whole, "times", 0.5)
    bytes_kept = [kept() for _, kept in steps.values()]
    yield Row(GROUP, "bytes kept for its backward pass", bytes_kept[1] / bytes_kept[0], "times", 0.5)
    works = small_works()
    first, second, looked = best_of(3, *works)
    yield Row(GROUP, f"first order, both steps, {SMALL}", 1e3 * first, "ms")
    yield Row(GROUP, "second order", second / first, "times", 5.0, "published: 2.5 to 5")
    yield Row(GROUP, "eigenvalue of the validation Hessian", looked / first, "times")


def partial_steps(rounds: int) -> dict[str, list[float]]:
    """Seconds and bytes of a step with partial channels over those of one without, of so many measurements."""
    (plain, plain_kept), (part, part_kept) = darts_step(None), darts_step(K)
    found: dict[str, list[float]] = {"time": [], "memory": []}
    for _ in range(rounds):
        whole, less = best_of(1, plain, part)
        found["time"].append(less / whole)
        found["memory"].append(part_kept() / plain_kept())
    return found


def darts_step(k: int | None) -> tuple[Callable[[], object], Callable[[], int]]:
    """A forward and backward pass of the DARTS space's supernet, and the bytes that the forward pass keeps."""
    import torch

    from nassim.benchmarks.spaces.darts import SPACE
    from nassim.full_training.networks.construct import initialize
    from nassim.full_training.relaxations.continuous import of_nodes
    from nassim.full_training.relaxations.mixtures import small_logits, softmax
    from nassim.full_training.supernets.mixed import MixedNetwork

    net: Any = MixedNetwork(SPACE.supernet(Frame(CHANNELS, CELLS, 10, (3, 32, 32)), k))
    initialize(net, torch.Generator().manual_seed(0))
    layout, rng = SPACE.layout, random.Random(0)
    edges = None if k is None else of_nodes(torch.zeros(len(layout.groups)), layout.nodes)
    mix = softmax(small_logits(layout.widths, rng).detach(), layout.widths, edges)
    images = torch.randn(BATCH, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    labels = torch.arange(BATCH) % 10

    def step() -> None:
        net.zero_grad()
        torch.nn.functional.cross_entropy(net(images, mix), labels).backward()  # type: ignore[no-untyped-call]

    def kept() -> int:
        seen: dict[int, int] = {}

        def pack(tensor: Any) -> Any:
            storage = tensor.untyped_storage()
            seen[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            loss = torch.nn.functional.cross_entropy(net(images, mix), labels)
        del loss
        return sum(seen.values())

    torch.set_num_threads(1)
    step()  # what is only done once
    return step, kept


def small_works() -> list[Callable[[], object]]:
    """A pair of steps of first order, one of second order, an eigenvalue: on the supernet of digits."""
    from nassim.full_training.relaxations.bilevel import descent
    from nassim.full_training.relaxations.curvature import largest_eigenvalue
    from nassim.full_training.relaxations.mixtures import small_logits, softmax
    from nassim.registry import get_supernets

    net: Any = get_supernets(SMALL).make(0, "cpu")
    net.schedule(1, 0.1, 0.1, weight_decay=5e-4)
    alpha = small_logits(net.layout.widths, random.Random(0))
    train, valid = next(net.batches(0, 64))

    def both(order: int) -> None:
        descent(net, alpha, lambda: softmax(alpha), train, valid, order)
        net.step(softmax(alpha.detach()), train)

    both(1)
    return [
        partial(both, 1),
        partial(both, 2),
        lambda: largest_eigenvalue(lambda: net.loss(softmax(alpha), valid), alpha),
    ]
