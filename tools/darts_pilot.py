"""Do two seeds agree on networks of the DARTS space that a laptop can train? They do not: docs/benchmarks.md.

    python tools/darts_pilot.py --architectures 8              # the first form: some three minutes on one thread
    python tools/darts_pilot.py 2 --architectures 16 --out pilot.jsonl

As `network_pilot.py`, whose trainings, seeds and figures these are: random architectures of different classes, trained
on Fashion-MNIST, each image seen once.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from network_pilot import Form, agreement, trained

from nassim.benchmarks.spaces.darts import SPACE, DartsSpace
from nassim.full_training.training.recipe import Recipe


@dataclass(frozen=True)
class Cells(Form):
    """A form of networks of three cells: normal, reduction, reduction."""

    @property
    def space(self) -> DartsSpace:  # type: ignore[override]
        return SPACE

    @property
    def recipe(self) -> Recipe:
        return replace(super().recipe, cells=3)


FORMS = (
    Cells(block=4, channels=8, normalized=True, train=16_000, rate=0.1),
    Cells(block=2, channels=4, normalized=True, train=16_000, rate=0.1),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("number", nargs="?", type=int, default=1, choices=range(1, len(FORMS) + 1), metavar="FORM")
    parser.add_argument("--architectures", type=int, default=8)
    parser.add_argument("--out", type=Path, help="keep each training as a line, and go on from what is there")
    given, write = parser.parse_args(), sys.stdout.write
    form = FORMS[given.number - 1]
    accuracies, seconds = trained(form, given.architectures, given.out)  # type: ignore[arg-type]
    write(f"{form}\n")
    write("Spearman | Kendall | in the upper half | mean % | signal | noise | s a training\n")
    write(f"{agreement(accuracies)} | {seconds.mean():.2f}\n")


if __name__ == "__main__":
    main()
