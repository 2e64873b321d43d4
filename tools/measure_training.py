"""Architectures per second: networks trained one by one against many at once, on a device.

    python tools/measure_training.py [--device cpu] [--count 24] [--groups 1,6,24]
    python tools/measure_training.py --charged 72

Prints a table with the machine. Seconds are processor time on the CPU (one thread), elapsed time on a GPU; each
training is an epoch of the recipe ``digits``, with validation, and the test at its end. ``--charged`` prints what a
query costs: the seconds that whole trainings of so many cells, in groups of neighbors, are charged one by one (as
``nasbench201/digits:training``) and 24 at once (as the table ``nasbench201/digits``).
"""

from __future__ import annotations

import argparse
import random
import sys
from dataclasses import replace

import torch

from nassim.full_training.images.data import load_data
from nassim.full_training.tables.classes import cell_classes
from nassim.full_training.tables.designs import SEEDS
from nassim.full_training.tables.shards import SIZE
from nassim.full_training.training.device import choose_device, describe, device_seconds, seconds_are
from nassim.full_training.training.many import DeviceData, train_many
from nassim.full_training.training.recipe import get_recipe
from nassim.full_training.training.train import train


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--groups", default="1,6,24")
    parser.add_argument("--charged", type=int, metavar="CELLS")
    options = parser.parse_args()
    device = choose_device(options.device)
    torch.set_num_threads(1)
    if options.charged:
        charged(options.charged, device)
        return
    images, recipe = load_data("digits"), replace(get_recipe("digits"), epochs=1, warmup=0.0)
    data = DeviceData.of(images, recipe, device)
    start = random.Random(0).randrange(len(cell_classes()) - options.count)
    archs = [each.trained for each in cell_classes()[start : start + options.count]]
    out = sys.stdout.write
    out(f"{describe(device)}; {options.count} cells, one epoch each\n")

    def seconds() -> float:
        return device_seconds(device)

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


def charged(cells: int, device: torch.device) -> None:
    """Print the seconds that trainings are charged, in groups of neighbors spread over the space."""
    images, recipe = load_data("digits"), get_recipe("digits")
    data, out = DeviceData.of(images, recipe, device), sys.stdout.write
    groups = max(1, cells // SIZE)
    out(f"{describe(device)}; seconds: {seconds_are(device)}; {groups * SIZE} cells, the whole recipe\n")
    one_by_one = at_once = 0.0
    for k in range(groups):
        start = (2 * k + 1) * len(cell_classes()) // (2 * groups)
        archs = [each.trained for each in cell_classes()[start : start + SIZE]]
        alone = sum(sum(train(arch, images, recipe, SEEDS[0], device=device).seconds) for arch in archs)
        many = sum(sum(each.seconds) for each in train_many(archs, data, recipe, [SEEDS[0]] * SIZE))
        out(
            f"a training: {alone / SIZE:.2f} s one by one, {many / SIZE:.2f} s {SIZE} at once "
            f"({alone / many:.1f} times)\n"
        )
        one_by_one, at_once = one_by_one + alone, at_once + many
    out(f"all: {one_by_one / at_once:.1f} times\n")


if __name__ == "__main__":
    main()
