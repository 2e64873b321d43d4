"""Measure every cell of NAS-Bench-101 as a network of layers and compare with the count from the description.

A network is a stem, a head and nine modules of five different widths: the five distinct modules of each of the 423,624
cells are measured. Takes about five minutes (`--every 100`: seconds).
"""

from __future__ import annotations

import argparse
import sys
from time import process_time

import numpy as np
from numpy.typing import NDArray

from nassim.benchmarks.spaces.nasbench101.classes import Size, cells, pair_bit
from nassim.benchmarks.spaces.nasbench101.cost import parameters
from nassim.benchmarks.spaces.nasbench101.graph import OPERATIONS
from nassim.benchmarks.spaces.nasbench101.network import module
from nassim.benchmarks.spaces.nasbench101.space import SPACE
from nassim.network import Draft, measure

# (channels in, channels out) -> how many of the nine modules have them
MODULES = {(128, 128): 3, (128, 256): 1, (256, 256): 2, (256, 512): 1, (512, 512): 2}


def measured(size: Size, every: int, around: int) -> NDArray[np.int64]:
    """Parameters of every so-many-th cell of a size, module by module."""
    pairs = [(a, b) for a in range(size.vertices) for b in range(a + 1, size.vertices)]
    totals = []
    for wiring, labels in zip(size.wiring[::every].tolist(), size.labels[::every].tolist(), strict=True):
        edges = [pair for pair in pairs if size.wirings[wiring] >> pair_bit(*pair) & 1]
        names = ["input", *(OPERATIONS[label] for label in labels), "output"]
        total = around
        for (inputs, outputs), times in MODULES.items():
            draft = Draft((inputs, 4, 4))
            total += times * measure(draft.network(module(draft, "m", 0, edges, names, inputs, outputs))).parameters
        totals.append(total)
    return np.array(totals)


def stem_and_head() -> int:
    """Parameters outside of the modules: a whole network without those of its modules."""
    assert SPACE.frame is not None
    network = SPACE.network(SPACE.at(0), SPACE.frame)
    sizes = measure(network).layer_parameters
    return sum(n for layer, n in zip(network.layers, sizes, strict=True) if not layer.name.startswith("stacks."))


def main() -> int:
    """Print how many cells agree; the exit code is 1 if one does not."""
    parser = argparse.ArgumentParser(description="Measure all cells of NAS-Bench-101.")
    parser.add_argument("--every", type=int, default=1, help="only every so-many-th cell")
    every, started, wrong, count = parser.parse_args().every, process_time(), 0, 0
    around = stem_and_head()
    for size in cells()[0]:
        found, wanted = measured(size, every, around), parameters(size)[::every]
        wrong, count = wrong + int((found != wanted).sum()), count + len(found)
        sys.stdout.write(f"{size.vertices} vertices: {len(found):,} cells measured\n")
    sys.stdout.write(f"{count - wrong:,} of {count:,} agree ({process_time() - started:.0f} s of processor time)\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
