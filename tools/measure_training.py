"""Architectures per second: networks trained one by one against many at once, on a device.

    python tools/measure_training.py [--device cpu] [--count 24] [--groups 1,6,24]

Prints a table with the machine. Seconds are processor time on the CPU (one thread), elapsed time on a GPU; each
training is an epoch of the recipe ``digits``, with validation, and the test at its end.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from dataclasses import replace

import torch

from nassim.full_training.images.data import load_data
from nassim.full_training.tables.classes import cell_classes
from nassim.full_training.training.device import choose_device, describe
from nassim.full_training.training.many import DeviceData, train_many
from nassim.full_training.training.recipe import get_recipe
from nassim.full_training.training.train import train


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--groups", default="1,6,24")
    options = parser.parse_args()
    device = choose_device(options.device)
    torch.set_num_threads(1)
    images, recipe = load_data("digits"), replace(get_recipe("digits"), epochs=1, warmup=0.0)
    data = DeviceData.of(images, recipe, device)
    start = random.Random(0).randrange(len(cell_classes()) - options.count)
    archs = [each.trained for each in cell_classes()[start : start + options.count]]
    out = sys.stdout.write
    out(f"{describe(device)}; {options.count} cells, one epoch each\n")

    def seconds() -> float:
        if device.type == "cpu":
            return time.process_time()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter()

    began = seconds()
    for arch in archs:
        train(arch, images, recipe, 0, device=device)
    alone = seconds() - began
    out(f"one by one        {options.count / alone:8.2f} architectures/s\n")
    for size in map(int, options.groups.split(",")):
        began = seconds()
        for i in range(0, len(archs), size):
            group = archs[i : i + size]
            train_many(group, data, recipe, [0] * len(group))
        took = seconds() - began
        out(f"{size:4d} at once      {options.count / took:8.2f} architectures/s  ({alone / took:.1f} times)\n")


if __name__ == "__main__":
    main()
