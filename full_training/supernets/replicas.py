"""A supernet on several devices: every one has a part of the batch, the architecture's weights are in one place.

As in the multi-device DARTS of pt.darts: the mixing weights are made once, on the first device, and given to each
replica by a copy that gradients flow back through; so are the shared weights. Images are scattered, logits gathered
on the first device, where the loss is. Gradients of replicas therefore add up in one tensor by themselves.

Several replicas on one device (virtual ones) do the same with copies that are the tensors themselves. With batch
normalization each part has moments of its own, so that K replicas are not one network on the whole batch; without it
they are, to rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from nassim.errors import InvalidSetting
from nassim.full_training.relaxations.mixtures import Mix


def devices_of(first: torch.device, replicas: int) -> tuple[torch.device, ...]:
    """Where each replica runs: on CUDA one a device, beginning with the first, again from the first if they are few."""
    if replicas < 1:
        raise InvalidSetting(f"replicas={replicas}: there must be at least one.")
    if first.type != "cuda":
        return (first,) * replicas
    count, start = torch.cuda.device_count(), first.index or 0
    return tuple([torch.device("cuda", (start + i) % count) for i in range(replicas)])


def replicated(network: nn.Module, mix: Mix, images: Tensor, devices: Sequence[torch.device]) -> Tensor:
    """Logits (batch, classes) on the images' device; `InvalidSetting` where the replicas do not divide the batch.

    A mix with weights of its own for each image is scattered with them.
    """
    if len(images) % len(devices):
        raise InvalidSetting(
            f"replicas={len(devices)} do not divide a batch of {len(images)} images: choose another batch_size."
        )
    size = len(images) // len(devices)
    weights = dict(network.named_parameters())
    logits = []
    for i, device in enumerate(devices):
        part = slice(i * size, (i + 1) * size)
        given = {name: weight.to(device) for name, weight in weights.items()}
        made = torch.func.functional_call(network, given, (images[part].to(device), _sent(mix, device, part)))
        logits.append(made.to(images.device))
    return torch.cat(logits)


def _sent(mix: Mix, device: torch.device, part: slice) -> Mix:
    weights = mix.weights
    if weights is not None and not isinstance(weights, Tensor):
        weights = [(row if row.ndim == 1 else row[part]).to(device) for row in weights]
    elif weights is not None:
        weights = weights.to(device)
    rest, edges = [None if x is None else x.to(device) for x in (mix.rest, mix.edges)]
    return replace(mix, weights=weights, rest=rest, edges=edges)
