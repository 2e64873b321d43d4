"""Look-up tables of latencies: sums over layers, what is missing, files, and the fit by multiply-adds."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest

from nassim.errors import CorruptData, InvalidSetting, MissingData
from nassim.latency import (
    DECLARED,
    LatencyTable,
    Modeled,
    fitted,
    mean_relative_error,
    read_table,
    signature,
    signatures,
    write_table,
)
from nassim.network import NORMALIZED, RELU, Draft, Network, measure


def network() -> Network:
    draft = Draft((3, 8, 8))
    x = draft.chain("stem", 0, ("conv", {"channels": 4, "kernel": 3, "stride": 2}), NORMALIZED, RELU)
    x = draft.chain("more", x, ("conv", {"channels": 4, "kernel": 3}), NORMALIZED, RELU, ("identity", {}))
    return draft.network(draft.add("head", "linear", draft.add("pool", "global_pool", x), channels=10))


def test_a_signature_says_what_a_time_depends_on() -> None:
    assert signatures(network()) == [
        "conv 3x8x8 channels=4 kernel=3 stride=2",
        "batch_norm 4x4x4",
        "activation 4x4x4",
        "conv 4x4x4 channels=4 kernel=3",
        "batch_norm 4x4x4",
        "activation 4x4x4",
        "global_pool 4x4x4",
        "linear 4x1x1 channels=10",
    ]
    layer = network().layers[1]
    assert signature(layer, [(3, 8, 8)]) != signature(layer, [(3, 16, 16)])


def test_a_network_takes_the_sum_of_its_layers() -> None:
    times = {text: 0.1 * (i + 1) for i, text in enumerate(dict.fromkeys(signatures(network())))}
    table = LatencyTable("mine", "a desk", times)
    assert table.of(network()) == pytest.approx(sum(times[text] for text in signatures(network())))
    per_layer = table.of_layers(network())
    assert per_layer[0] == per_layer[7] == 0.0  # the image and the identity are free
    assert table.missing(network()) == 0


def test_a_table_without_a_layer_is_one_line_and_a_fallback_fills_in() -> None:
    times = dict.fromkeys(signatures(network())[1:], 0.1)
    with pytest.raises(
        MissingData, match=r"table mine has no layer 'conv 3x8x8 channels=4 kernel=3 stride=2'"
    ) as raised:
        LatencyTable("mine", "a desk", times).of(network())
    assert "\n" not in str(raised.value)
    table = LatencyTable("mine", "a desk", times, Modeled(1000.0, 0.5))
    macs = measure(network()).layer_macs[1]
    assert table.of(network()) == pytest.approx(7 * 0.1 + macs / 1000.0 + 0.5) and table.missing(network()) == 1


def test_the_declared_device_counts_multiply_adds_and_layers() -> None:
    assert DECLARED.of(network()) == pytest.approx(measure(network()).macs / 1e5 + 8 * 0.02)


def test_a_fit_finds_throughput_and_overhead_again() -> None:
    rng = random.Random(0)
    macs, layers = [rng.uniform(1e5, 1e7) for _ in range(30)], [rng.randrange(10, 60) for _ in range(30)]
    found = fitted(macs, layers, [m / 2e6 + 0.03 * n for m, n in zip(macs, layers, strict=True)])
    assert found.throughput == pytest.approx(2e6) and found.overhead == pytest.approx(0.03)


def test_a_fit_is_never_negative() -> None:
    no_overhead = fitted([1e6, 2e6, 4e6], [10, 20, 10], [1.0, 2.0, 4.5])
    assert no_overhead.overhead >= 0 and no_overhead.throughput > 0
    no_slope = fitted([4e6, 2e6, 1e6], [10, 10, 10], [1.0, 1.1, 1.2])
    assert no_slope.overhead > 0 and np.isfinite(no_slope.throughput)
    for arguments in (([1e6], [3], [1.0]), ([1e6, 2e6], [3, 3], [0.0, 1.0])):
        with pytest.raises(InvalidSetting, match="two networks"):
            fitted(*arguments)


def test_the_mean_relative_error() -> None:
    assert mean_relative_error([1.1, 1.8], [1.0, 2.0]) == pytest.approx(0.1)


def test_a_file_makes_the_round_trip(tmp_path: Path) -> None:
    table = LatencyTable("mine", "a desk", {"conv 3x8x8 channels=4": 0.25}, Modeled(1e6, 0.01), "by hand")
    path = tmp_path / "mine.json"
    path.write_text(write_table(table))
    assert read_table(path) == table


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[1, 2", "is not a look-up table"),
        ("[]", "is not a look-up table"),
        ('{"format": 2, "unit": "ms", "layers": {}}', '"format": 1'),
        ('{"format": 1, "unit": "s", "layers": {}, "device": ""}', '"unit": "ms"'),
        ('{"format": 1, "unit": "ms", "layers": {"conv": -1}, "device": ""}', "-1 is no number of milliseconds"),
        ('{"format": 1, "unit": "ms", "layers": {"conv": 1e999}, "device": ""}', "inf is no number"),
        ('{"format": 1, "unit": "ms", "layers": {"conv": true}, "device": ""}', "True is no number"),
        (
            '{"format": 1, "unit": "ms", "layers": {}, "device": "", "fallback": {"throughput": 0, "overhead": 0}}',
            "above 0",
        ),
        ("[" * 100_000, "is not a look-up table"),
    ],
)
def test_another_file_is_one_line(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "mine.json"
    path.write_text(content)
    with pytest.raises(CorruptData, match=message) as raised:
        read_table(path)
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 600
    with pytest.raises(MissingData, match="measure-latency"):
        read_table(tmp_path / "none.json")


def test_a_table_of_too_many_layers_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    many = {str(i): 1 for i in range(200_001)}
    path.write_text(json.dumps({"format": 1, "unit": "ms", "device": "", "layers": many}))
    with pytest.raises(CorruptData, match="at most 200,000"):
        read_table(path)
