"""How long a network takes, by a look-up table of its layers; where there is none, by its multiply-adds.

Sources: look-up tables by layer as in FBNet (Wu et al., CVPR 2019, arXiv:1812.03443, section 3.3.2) and ProxylessNAS
(Cai et al., ICLR 2019, arXiv:1812.00332, section 3.2): layers run one after the other, so that a network takes the sum.
`nassim data measure-latency` makes tables; one of another device may be written by hand, in the same form.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nassim.errors import CorruptData, InvalidSetting, MissingData
from nassim.layers import KINDS, Shape
from nassim.network import Layer, Network, measure

FORMAT = 1
FREE = frozenset({"input", "identity", "drop_path", "mix", "edge", "pixels"})  # layers that take no time
LARGEST_FILE, MOST_LAYERS = 16_000_000, 200_000  # bytes and rows of a table


@dataclass(frozen=True)
class Modeled:
    """Milliseconds of a layer as multiply-adds over a throughput (multiply-adds a millisecond), and an overhead."""

    throughput: float
    overhead: float

    def layer(self, macs: int) -> float:
        """Of a layer that is not free."""
        return macs / self.throughput + self.overhead


@dataclass(frozen=True)
class LatencyTable:
    """Milliseconds of layers, of one image, on a device.

    layers: by `signature`. fallback: for layers that are not in it; None: they are an error. note: how it was made.
    """

    name: str
    device: str
    layers: Mapping[str, float] = field(default_factory=dict)
    fallback: Modeled | None = None
    note: str = ""

    def of_layers(self, network: Network) -> list[float]:
        """Milliseconds of each layer; `MissingData` for one that neither the table nor a fallback knows."""
        measured = measure(network)
        found = []
        for layer, macs in zip(network.layers, measured.layer_macs, strict=True):
            if layer.kind in FREE:
                found.append(0.0)
                continue
            known = self.layers.get(signature(layer, [measured.shapes[i] for i in layer.inputs]))
            if known is None and self.fallback is None:
                what = signature(layer, [measured.shapes[i] for i in layer.inputs])
                raise MissingData(
                    f"the look-up table {self.name} has no layer {what!r} ({layer.name}): measure it (`nassim data "
                    'measure-latency`), or give the table a "fallback" of throughput and overhead.'
                )
            found.append(self.fallback.layer(macs) if known is None and self.fallback else known or 0.0)
        return found

    def of(self, network: Network) -> float:
        """Milliseconds of a network: the sum over its layers."""
        return math.fsum(self.of_layers(network))

    def missing(self, network: Network) -> int:
        """How many layers the table does not have."""
        return sum(text not in self.layers for text in signatures(network))


# Where nobody measured: a declared device that does not exist.
DECLARED = LatencyTable(
    "macs", "declared: no device", fallback=Modeled(1e5, 0.02), note="10^8 multiply-adds a second, 0.02 ms a layer"
)


def signature(layer: Layer, inputs: Sequence[Shape]) -> str:
    """What a layer's time depends on: ``conv 8x14x14 channels=24 kernel=3``, without what is as usual."""
    usual = KINDS[layer.kind].settings
    settings = [f"{k}={_text(v)}" for k, v in sorted(layer.settings.items()) if v != usual[k] and k != "bias"]
    return " ".join([layer.kind, "+".join("x".join(map(str, shape)) for shape in inputs), *settings])


def signatures(network: Network) -> list[str]:
    """Of all layers that are not free, in their order."""
    shapes = measure(network).shapes
    return [signature(each, [shapes[i] for i in each.inputs]) for each in network.layers if each.kind not in FREE]


def fitted(macs: Sequence[float], layers: Sequence[float], milliseconds: Sequence[float]) -> Modeled:
    """Throughput and overhead a layer of networks, given their multiply-adds, layers that are not free, and times.

    By least squares of the relative errors, both positive. `InvalidSetting` with fewer than two networks.
    """
    x, n, y = np.array(macs, float), np.array(layers, float), np.array(milliseconds, float)
    if len(x) < 2 or not (y > 0).all():
        raise InvalidSetting("a throughput needs the positive milliseconds of two networks at least.")
    (slope, overhead), *_ = np.linalg.lstsq(np.stack([x / y, n / y], axis=1), np.ones(len(y)), rcond=None)
    if slope <= 0:
        slope, overhead = 1e-12, (n / y).sum() / ((n / y) ** 2).sum()
    elif overhead < 0:
        slope, overhead = (x / y).sum() / ((x / y) ** 2).sum(), 0.0
    return Modeled(float(1.0 / slope), float(overhead))


def mean_relative_error(predicted: Iterable[float], measured: Iterable[float]) -> float:
    """Mean of |predicted - measured| / measured, a fraction."""
    errors = [abs(p - m) / m for p, m in zip(predicted, measured, strict=True)]
    return math.fsum(errors) / len(errors)


def write_table(table: LatencyTable) -> str:
    """A table as JSON, a layer a line."""
    fallback = None if table.fallback is None else vars(table.fallback)
    head = {"format": FORMAT, "name": table.name, "device": table.device, "unit": "ms", "note": table.note}
    return json.dumps({**head, "fallback": fallback, "layers": dict(sorted(table.layers.items()))}, indent=1) + "\n"


def read_table(path: Path) -> LatencyTable:
    """A table from a file; `MissingData` without one, `CorruptData` for another thing."""
    if not path.is_file():
        raise MissingData(f"there is no look-up table {path}: `nassim data measure-latency` makes one.")
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError(f"it is larger than {LARGEST_FILE:,} bytes")
        return _table(json.loads(path.read_text(encoding="utf-8")), path.stem)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise CorruptData(f"{path} is not a look-up table of latencies: {' '.join(str(error).split()):.200}.") from None


def _table(content: Any, name: str) -> LatencyTable:
    if content["format"] != FORMAT or content["unit"] != "ms" or len(content["layers"]) > MOST_LAYERS:
        raise ValueError(f'it needs "format": {FORMAT}, "unit": "ms" and at most {MOST_LAYERS:,} "layers"')
    layers = {str(text): _number(text, value) for text, value in content["layers"].items()}
    given = content.get("fallback")
    fallback = None
    if given is not None:
        fallback = Modeled(_number("throughput", given["throughput"]), _number("overhead", given["overhead"]))
        if fallback.throughput == 0:
            raise ValueError("throughput must be above 0")
    return LatencyTable(name, str(content["device"])[:200], layers, fallback, str(content.get("note", ""))[:500])


def _number(what: str, value: object) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value < math.inf:
        raise ValueError(f"{what:.80}: {value!r:.40} is no number of milliseconds")
    return float(value)


def _text(value: object) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)
