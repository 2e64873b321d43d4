"""How long layers and networks take here: what the look-up tables of `nassim.latency` are made of."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import nn

from nassim.errors import InvalidSetting
from nassim.full_training.networks.construct import construct, initialize, module_of
from nassim.full_training.training.device import describe, device_seconds, one_thread
from nassim.latency import FREE, LatencyTable, fitted, signature
from nassim.layers import Shape
from nassim.network import Layer, Network, measure

LEAST = 2e-3  # seconds of a reading at least: as many calls as that takes
WARM = 3  # calls before the first reading


class Stopwatch:
    """Milliseconds of one image, in evaluation, in float32, with one thread of a CPU.

    On a CPU they are processor time, so that what else runs there takes nothing; on an accelerator elapsed time. A
    time is the median of ``readings``.
    """

    def __init__(self, device: torch.device, readings: int = 9) -> None:
        if readings < 1:
            raise InvalidSetting(f"a latency needs one reading at least, not {readings}.")
        self.device, self._readings = device, readings
        self._generator = torch.Generator().manual_seed(0)

    def network(self, network: Network) -> float:
        """Of a whole network."""
        built = construct(network)
        initialize(built, self._generator, self.device)
        return self._module(built, [measure(network).shapes[0]])

    def layers(self, network: Network) -> dict[str, float]:
        """Of the layers of a network while it works, by signature; of equal ones the median."""
        built, size = construct(network), measure(network)
        initialize(built, self._generator, self.device)
        built.eval()
        image = torch.rand(1, *size.shapes[0], generator=self._generator).to(self.device)
        with torch.inference_mode(), one_thread(self.device.type == "cpu"):
            for _ in range(WARM):
                built(image)
            seen = [built.timed(image, lambda: device_seconds(self.device)) for _ in range(self._readings)]
        found: dict[str, list[float]] = {}
        for position in seen[0]:
            layer = network.layers[position]
            if layer.kind not in FREE:
                text = signature(layer, [size.shapes[i] for i in layer.inputs])
                found.setdefault(text, []).append(1e3 * statistics.median(each[position] for each in seen))
        return {text: statistics.median(each) for text, each in found.items()}

    def layer(self, layer: Layer, inputs: Sequence[Shape]) -> float:
        """Of a layer by itself, called again and again: less than in a network, whose other layers use the caches."""
        with torch.device("meta"):
            module = module_of(layer, inputs)
        initialize(module, self._generator, self.device)
        return self._module(module, inputs)

    def _module(self, module: nn.Module, inputs: Sequence[Shape]) -> float:
        module.eval()
        given = [torch.rand(1, *shape, generator=self._generator).to(self.device) for shape in inputs]
        with torch.inference_mode(), one_thread(self.device.type == "cpu"):
            return 1e3 * self._median(lambda: module(*given))

    def _median(self, call: Callable[[], object]) -> float:
        for _ in range(WARM):
            call()
        calls = 1
        while (seconds := self._of(call, calls)) < LEAST:
            calls = max(2 * calls, int(calls * LEAST / max(seconds, 1e-7)))
        return statistics.median(self._of(call, calls) / calls for _ in range(self._readings))

    def _of(self, call: Callable[[], object], calls: int) -> float:
        """Device seconds of so many calls."""
        began = device_seconds(self.device)
        for _ in range(calls):
            call()
        return device_seconds(self.device) - began


def measured_table(
    name: str,
    networks: Sequence[Network],
    others: Sequence[Network],
    watch: Stopwatch,
    tell: Callable[[int, int], None] = lambda done, of: None,
) -> LatencyTable:
    """Every different layer of some networks, timed where it works, and the throughput and overhead that fit them.

    others: networks that cannot run (supernets), whose further layers are timed by themselves.
    """
    seen: dict[str, list[float]] = {}
    for done, network in enumerate(networks, 1):
        for text, milliseconds in watch.layers(network).items():
            seen.setdefault(text, []).append(milliseconds)
        tell(done, len(networks))
    times = {text: statistics.median(each) for text, each in seen.items()}
    parts = [list(_parts(network)) for network in networks]
    macs = [sum(work for *_, work in each) for each in parts]
    sums = [sum(times[text] for text, *_ in each) for each in parts]
    fallback = fitted(macs, list(map(len, parts)), sums)
    for network in others:
        for text, layer, inputs, _ in _parts(network):
            if text not in times:
                times[text] = watch.layer(layer, inputs)
    note = "one image, evaluation, float32, one thread of a CPU; each layer in its networks, medians"
    return LatencyTable(name, describe(watch.device), times, fallback, note)


def _parts(network: Network) -> Iterator[tuple[str, Layer, list[Shape], int]]:
    """The layers that are not free: signature, layer, shapes of its inputs, multiply-adds."""
    size = measure(network)
    for layer, macs in zip(network.layers, size.layer_macs, strict=True):
        inputs = [size.shapes[i] for i in layer.inputs]
        if layer.kind not in FREE:
            yield signature(layer, inputs), layer, inputs, macs
