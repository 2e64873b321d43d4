"""Hold the claims of docs/claims.md against what was recorded, and print pass, fail or cannot tell with the numbers.

    python tools/claims.py [--recordings DIR] [--measure]

Thresholds are read from the document; effects are computed by `nassim.gallery.family`. ``--measure`` also takes the
five steps of the two claims about partial channels (a minute). What was not recorded is "not run".
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from nassim.gallery.family import Claim, Verdict
from nassim.gallery.family import verdicts as family_verdicts

DOCUMENT = Path(__file__).parents[1] / "docs" / "claims.md"


def claims(text: str) -> list[Claim]:
    """The rows of the document's table."""
    found = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `") and len(cells) == 5:
            sign, number = cells[4].rstrip(" |").split()
            found.append(Claim(cells[0].strip("|` "), tuple(cells[2].split(", ")), sign == ">", float(number)))
    return found


def verdicts(text: str, folder: Path | None, *, measure: bool = False) -> Iterator[Verdict]:
    """All claims of the document, one by one and place by place."""
    steps = None
    if measure:
        from speed_darts import partial_steps

        steps = partial_steps(5)
    return family_verdicts(claims(text), folder, steps)


def line(verdict: Verdict, claim: Claim) -> str:
    """A row of the table."""
    sign = ">" if claim.above else "<"
    numbers = "–" if verdict.verdict == "not run" else f"{verdict.effect:.3g} ({verdict.low:.3g} to {verdict.high:.3g})"
    cells = (f"`{verdict.claim}`", verdict.place, verdict.searches or "–", numbers, f"{sign} {claim.threshold:g}")
    return f"| {' | '.join(cells)} | {verdict.verdict} |"


def main() -> None:
    parser = argparse.ArgumentParser(description="Hold the claims of docs/claims.md against what was recorded.")
    parser.add_argument("--recordings", type=Path, help="a folder; default: nassim's data folder and its own")
    parser.add_argument("--measure", action="store_true", help="also measure the steps of partial channels")
    options = parser.parse_args()
    text = DOCUMENT.read_text(encoding="utf-8")
    by_name = {claim.name: claim for claim in claims(text)}
    out = sys.stdout
    out.write("| claim | where | searches | effect (interval) | threshold | verdict |\n|---|---|---|---|---|---|\n")
    for verdict in verdicts(text, options.recordings, measure=options.measure):
        out.write(line(verdict, by_name[verdict.claim]) + "\n")


if __name__ == "__main__":
    main()
