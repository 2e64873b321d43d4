"""What weights of the cost give different networks: recorded searches of squeeze_nas, docs/segmentation.md.

    python tools/segmentation_costs.py FOLDER    reads what `nassim record squeeze_nas ... --out FOLDER` wrote

Of each search: multiply-adds of its last answer, and the mean of them over what it would answer (the distribution that
the answer was drawn from); both in millions, of the network at the size of the supernet. Loads no torch.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import mean, stdev

from nassim.full_training.supernets.sizes import option_sums
from nassim.full_training.supernets.sources import RECIPES
from nassim.network import Frame, measure
from nassim.registry import get_space, get_supernets
from nassim.supernet import Recording

BENCHMARK = "squeezenas-short/canvas"


def main(folder: Path) -> None:
    """Print a line a search, and a line a multiplier."""
    space, recipe = get_space("squeezenas-short"), RECIPES["squeezenas-short", "canvas"]
    plan = space.supernet(Frame(recipe.channels, recipe.cells, 7, (1, 32, 32)))
    values = measure(plan).layer_macs
    rows = option_sums(plan, space.radices, values)
    rest = sum(values) - sum(map(sum, rows))
    found = get_supernets(BENCHMARK).recordings("squeeze_nas", folder)
    say = sys.stdout.write
    say("multiplier  seed  epochs  processor s  answer MMACs  expected MMACs  shared mIoU %  answer\n")

    def weight(recording: Recording) -> float:
        return float(str(recording.hyperparameters["multiplier"]))

    for recording in sorted(found, key=weight):
        answers, expected = [], []
        for seed, run in sorted(recording.runs.items()):
            last = run[-1]
            answers.append((rest + sum(row[c] for row, c in zip(rows, last.arch.choices, strict=True))) / 1e6)
            scores = zip(rows, last.scores, strict=True)
            expected.append((rest + sum(c * p for row, each in scores for c, p in zip(row, each, strict=True))) / 1e6)
            say(
                f"{weight(recording):10}  {seed:4}  {len(run):6}  {sum(m.seconds for m in run):11.0f}  "
                f"{answers[-1]:12.3f}  {expected[-1]:14.3f}  {100 * last.shared:13.2f}  {space.format(last.arch)}\n"
            )
        if len(answers) > 1:
            say(
                f"{weight(recording):10}  mean and standard deviation of {len(answers)}: answer {mean(answers):.3f} ± "
                f"{stdev(answers):.3f}, expected {mean(expected):.3f} ± {stdev(expected):.3f} MMACs\n"
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
