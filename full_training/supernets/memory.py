"""Whether a supernet fits into memory, before it is tried: on a CPU what does not fit ends the process without a word.

A step keeps the outputs of all layers that a mix runs, for every image of a batch, and for every weight the gradient
and the momentum. Convolutions' own work is not in the estimate.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch

from nassim.errors import InvalidSetting
from nassim.full_training.relaxations.mixtures import Mix
from nassim.full_training.supernets.mixed import MixedNetwork
from nassim.layers import KINDS
from nassim.network import VALUE

SHARE = 0.9  # of what is free


class Room:
    """Refuses a mix for which there is no memory; looks only at those that are larger than all before."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._largest = 0

    def check(self, network: MixedNetwork, mix: Mix, images: int) -> None:
        """`InvalidSetting` with the estimate, and the batch size that would fit."""
        size = images * sum(map(len, mix.active))
        if size <= self._largest:
            return
        self._largest = size
        free = free_memory(self.device)
        fixed, an_image = estimate(network, mix)
        needed = fixed + images * an_image
        if needed <= SHARE * free:
            return
        fits = max(0, int((SHARE * free - fixed) / an_image))
        advice = f"--set batch_size={fits} would fit" if fits else "a supernet of fewer channels or cells is needed"
        raise InvalidSetting(
            f"a step of this supernet on {images} images needs about {_gigabytes(needed)}, and {_gigabytes(free)} are "
            f"free on {self.device.type}: {advice}."
        )


def estimate(network: MixedNetwork, mix: Mix) -> tuple[int, int]:
    """Bytes that a step needs whatever the batch is (weights, gradients, momentum), and those for each image."""
    weights = 3 * VALUE * sum(weight.numel() for weight in network.parameters())
    values = 0
    for step in network.steps_of(mix):
        layer, shape = network.all_layers[step.position], network.all_shapes[step.position]
        outputs = math.prod(shape) * (len(step.inputs) if layer.kind == "mix" and mix.weights is not None else 1)
        values += outputs if KINDS[layer.kind].stored else 0
    return weights, VALUE * values


def free_memory(device: torch.device) -> float:
    """Bytes; infinity where nobody says how many there are."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return float(free)
    table = Path("/proc/meminfo")
    if device.type != "cpu" or not table.exists():
        return math.inf
    rows = dict(line.split(":", 1) for line in table.read_text(encoding="ascii").splitlines() if ":" in line)
    return 1024.0 * int(rows.get("MemAvailable", "0 kB").split()[0]) or math.inf


def _gigabytes(count: float) -> str:
    return f"{count / 1e9:.3g} GB"
