"""What is known of a network without training it, and what a training's seconds are."""

from __future__ import annotations

from nassim.network import Network, measure
from nassim.tabular_data.latencies import latency_tables

SECONDS = (
    "Cost is device seconds of training and validation on this machine: processor time of the process on a CPU, "
    "elapsed time, synchronized, on an accelerator. A kept training costs what it took when it was made."
)


def sizes(network: Network) -> dict[str, float]:
    """What is known of a network without training it."""
    measured = measure(network)
    found = {"parameters": float(measured.parameters), "flops": float(measured.macs)}
    return found | {f"latency_{table.name}": table.of(network) for table in latency_tables()}


def size_units() -> dict[str, str]:
    """What `sizes` counts."""
    latencies = {f"latency_{table.name}": f"ms, by the look-up table of {table.device}" for table in latency_tables()}
    return {"parameters": "trainable", "flops": "multiply-adds for one image", **latencies}
