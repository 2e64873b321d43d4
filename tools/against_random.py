"""Each strategy of a study less random search: values of the last answers on the test split, Welch's interval.

    python tools/against_random.py FOLDER

The test of docs/recurrent.md, written down there before the study was run.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from scipy.stats import ttest_ind

from nassim.study import Study

RANDOM = "random_search"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    study = Study.open(parser.parse_args().folder)
    sys.stdout.write("\n".join(differences(study)) + "\n")


def differences(study: Study) -> list[str]:
    """A line a strategy: loss in nats less random search's (more is worse), 95 % interval of Welch's t."""
    losses: dict[str, list[float]] = {}
    for run in study.runs:
        if run.curve and run.curve[-1].test is not None:
            losses.setdefault(run.strategy, []).append(-run.curve[-1].test)
    lines = []
    for strategy, found in losses.items():
        if strategy != RANDOM:
            test = ttest_ind(found, losses[RANDOM], equal_var=False)
            low, high = test.confidence_interval(0.95)
            mean = sum(found) / len(found) - sum(losses[RANDOM]) / len(losses[RANDOM])
            verdict = "not better" if high >= 0 else "better"
            lines.append(f"{strategy}: {mean:+.4f} nats ({low:+.4f} to {high:+.4f}), {len(found)} seeds: {verdict}")
    return lines


if __name__ == "__main__":
    main()
