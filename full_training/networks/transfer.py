"""Weights of a trained network moved into another one, as `nassim.inheritance` says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn

from nassim.full_training.networks.construct import Constructed
from nassim.inheritance import Begun, Inheritance, inherited
from nassim.morphs import tied
from nassim.network import Network

Weights = Mapping[str, Tensor]  # a network's ``state_dict``


@torch.no_grad()
def transfer(
    parent: Network,
    weights: Weights,
    child: Network,
    module: Constructed,
    way: str = "morph",
    images: Tensor | None = None,
) -> Inheritance:
    """Give ``module``, the child with its first weights, what it takes over of its parent's ``weights``.

    images: (n, channels, height, width), some of those it will be trained on: new normalizations begin with the moments
        of what they are given, and undo them; without any with mean 0 and variance 1. Nothing changes in what the
        network computes.
    """
    order = by_norm(parent, weights) if way in ("norm", "distill") else None
    found = inherited(parent, child, way, order)
    undoing: list[nn.BatchNorm2d] = []
    for name, begun in found.layers.items():
        layer = module.get_submodule(name)
        if begun.start == "copy":
            _copy(cast("nn.Conv2d | nn.Linear | nn.BatchNorm2d", layer), name, weights, begun)
        elif isinstance(layer, nn.BatchNorm2d):
            if begun.start == "identity" and layer.affine:
                _undo(layer)
                undoing.append(layer)
        elif begun.start in ("depth", "point"):
            _halve(cast(nn.Conv2d, layer), weights[f"{begun.layer}.weight"], begun.start)
        elif begun.start in ("identity", "zero"):
            weight = cast(nn.Conv2d, layer).weight
            weight.zero_()
            if begun.start == "identity":
                middle = weight.shape[2] // 2
                for output, place in enumerate(begun.inputs):
                    weight[output, place, middle, middle] = 1.0
    if undoing and images is not None:
        _measure_moments(module, undoing, images)
    return found


def by_norm(network: Network, weights: Weights) -> dict[str, list[int]]:
    """The filters of each convolution and linear layer, those of the largest L2 norm first.

    Of layers whose widths are tied together their norms count together, so that a sum keeps its terms aligned.
    """
    order: dict[str, list[int]] = {}
    for layer in network.layers:
        weight = weights.get(f"{layer.name}.weight")
        if layer.name in order or weight is None or weight.dim() < 2:
            continue
        group = tied(network, layer.name) or (layer.name,)
        squares = sum(weights[f"{name}.weight"].flatten(1).double().square().sum(dim=1) for name in group)
        ranked = torch.argsort(cast(Tensor, squares), descending=True, stable=True).tolist()
        order.update(dict.fromkeys(group, ranked))
    return order


def _copy(layer: nn.Conv2d | nn.Linear | nn.BatchNorm2d, name: str, weights: Weights, begun: Begun) -> None:
    of = {key.rpartition(".")[2]: value for key, value in weights.items() if key.rpartition(".")[0] == begun.layer}
    outputs = torch.tensor(begun.outputs or range(len(next(iter(of.values())))))
    old = outputs >= 0
    for key, target in [*layer.named_parameters(), *layer.named_buffers()]:
        source = of.get(key)
        if source is None or source.dim() == 0:
            continue
        if source.dim() > 1:
            source = _fitted(source, target, begun)
        target[old] = source[outputs[old]].to(target)


def _fitted(source: Tensor, target: Tensor, begun: Begun) -> Tensor:
    """Weights (outputs, inputs, ...) with the child's inputs and kernel."""
    if begun.inputs:
        if source.dim() == 2:  # a linear layer takes all pixels of each channel
            blocks = source.view(len(source), -1, target.shape[1] // len(begun.inputs))
        else:
            blocks = source.flatten(2)
        inputs = torch.tensor(begun.inputs)
        shares = torch.tensor(begun.shares, dtype=source.dtype) * (inputs >= 0)
        blocks = blocks[:, inputs.clamp(min=0)] * shares[None, :, None]
        source = blocks.flatten(1) if source.dim() == 2 else blocks.reshape(*blocks.shape[:2], *source.shape[2:])
    if source.dim() == 2 or source.shape[2:] == target.shape[2:]:
        return source
    wide = source.new_zeros((*source.shape[:2], *target.shape[2:]))
    here, there = [], []
    for new, old in zip(target.shape[2:], source.shape[2:], strict=True):  # centers on each other
        side = min(new, old)
        here.append(slice((new - side) // 2, (new - side) // 2 + side))
        there.append(slice((old - side) // 2, (old - side) // 2 + side))
    wide[:, :, here[0], here[1]] = source[:, :, there[0], there[1]]
    return wide


def _undo(layer: nn.BatchNorm2d) -> None:
    """Scale and shift that take back what its mean and variance do."""
    layer.weight.copy_((cast(Tensor, layer.running_var) + layer.eps).sqrt())
    layer.bias.copy_(cast(Tensor, layer.running_mean))


def _measure_moments(module: Constructed, layers: list[nn.BatchNorm2d], images: Tensor) -> None:
    def measure(layer: nn.Module, given: tuple[Tensor, ...]) -> None:
        assert isinstance(layer, nn.BatchNorm2d)
        x = given[0]
        cast(Tensor, layer.running_mean).copy_(x.mean(dim=(0, 2, 3)))
        cast(Tensor, layer.running_var).copy_(x.var(dim=(0, 2, 3), unbiased=False))
        _undo(layer)

    hooks = [layer.register_forward_pre_hook(measure) for layer in layers]
    training = module.training
    try:
        module.eval()
        module(images)
    finally:
        module.train(training)
        for hook in hooks:
            hook.remove()


def _halve(layer: nn.Conv2d, whole: Tensor, half: str) -> None:
    """A depthwise or pointwise half of a convolution: for each input the best product of the two (by singular values).

    Left as it is where the inputs are others.
    """
    outputs, inputs, height, width = whole.shape
    u, s, v = torch.linalg.svd(whole.permute(1, 0, 2, 3).reshape(inputs, outputs, -1), full_matrices=False)
    if half == "depth":
        found = (v[:, 0] * s[:, :1].sqrt()).view(inputs, 1, height, width)
    else:
        found = (u[:, :, 0] * s[:, :1].sqrt()).T[:, :, None, None]
    if found.shape == layer.weight.shape:
        layer.weight.copy_(found)
