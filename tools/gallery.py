"""Write nassim/gallery/results.json, the rows of `nassim reproduce --list`, from the tables and sentences of the docs.

    python tools/gallery.py

Numbers and verdicts are those of the pages; a verdict that a page leaves to its rule is found by that rule here.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from math import sqrt
from pathlib import Path
from typing import Any

from claims import claims

from nassim.gallery.row import WIDTH
from nassim.reproduction import LIMIT, METHODS, PUBLISHED_RUNS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DOCS = Path(__file__).parents[1] / "docs"
WRITTEN = Path(__file__).with_name("gallery.toml")
RESULTS = Path(__file__).parents[1] / "nassim" / "gallery" / "results.json"
NUMBER = r"[-+]?\d+(?:\.\d+)?(?:e[-+]\d+)?"
BRACKETS = rf"({NUMBER}) [\[(]({NUMBER})(?:,| to) ({NUMBER})[\])]"
ALPHA = 0.05
Row = dict[str, Any]


def content() -> dict[str, Any]:
    """What the file has to hold."""
    with WRITTEN.open("rb") as file:
        written = tomllib.load(file)
    rows = [*table_5(), *orders(), *test_errors(), *ageing(), *fewer_epochs(), *family(), *recurrent()]
    rows += [_row(**row) for row in written["rows"]]
    held = [
        {**claim._asdict(), "places": list(claim.places)} for claim in claims((DOCS / "claims.md").read_text("utf-8"))
    ]
    return {"groups": written["groups"], "rows": rows, "claims": held}


def table_5() -> Iterator[Row]:
    """Of each search the figure that is farthest from the published one, in standard errors."""
    text = (DOCS / "data.md").read_text(encoding="utf-8")
    for method in METHODS:
        line = _line(text, f"| {method.label.removeprefix('regularized ')}, ")
        cells = re.findall(rf"({NUMBER}) ± ({NUMBER}) \(({NUMBER}), ({NUMBER})\)", line)
        found = [(abs(float(z)), i, float(mean), float(std), float(z)) for i, (mean, std, _, z) in enumerate(cells)]
        _, i, mean, std, z = max(found)
        published, spread = method.published[i]
        inside = sum(each[0] <= LIMIT for each in found)
        yield _row(
            "nasbench201",
            f"{method.label.removeprefix('regularized ')}",
            f"{published:.2f} ± {spread:.2f}",
            mean,
            sqrt((std**2 + spread**2) / PUBLISHED_RUNS),
            z,
            "pass" if inside == len(found) else "fail",
            f"{inside} of {len(found)} figures within {LIMIT:g} standard errors",
        )
    cell = _line(text, "| DARTS' cell (all skips) |")
    same = re.findall(rf"({NUMBER}) \(0\)", cell)
    verdict = "pass" if len(same) == 6 else "fail"
    yield _row("nasbench201", "DARTS' cell, test on cifar10", same[1], float(same[1]), verdict=verdict)
    missed = re.search(rf"the optimum ({NUMBER}) on ImageNet16-120 is ({NUMBER}) in the\nreleased files", text)
    assert missed is not None
    note = "one figure of six: validation on ImageNet16-120"
    yield _row("nasbench201", "the best cell", missed[1], float(missed[2]), verdict="fail", note=note)


def orders() -> Iterator[Row]:
    """The table of orders in controllers.md."""
    for line in (DOCS / "controllers.md").read_text(encoding="utf-8").splitlines():
        cells = _cells(line)
        if re.match(r"\| \d\. ", line):
            for where, numbers, verdict in (("201", *cells[1:3]), ("101", *cells[3:5])):
                mean, low, high = map(float, _match(BRACKETS, numbers).groups())
                claimed = "0 ± 0.1" if " late" in cells[0] else "< 0"
                error = (high - low) / WIDTH
                name = f"{_plain(cells[0][3:])} ({where})"
                z = None if " late" in cells[0] else mean / error
                yield _row("controllers", name, claimed, mean, error, z, verdict.strip("*"))


def test_errors() -> Iterator[Row]:
    """The table of BANANAS' paper: two sets of figures that were not measured on the same signal."""
    for line in (DOCS / "bananas.md").read_text(encoding="utf-8").splitlines():
        found = re.fullmatch(rf"\| `(\w+)` \| ({NUMBER}) \| ({NUMBER}) \| ({NUMBER}) \| (\d+) \|", line)
        if found:
            name, published, here, error, _ = found.groups()
            yield _row("bananas", name, published, float(here), float(error), verdict="cannot tell")


def ageing() -> Iterator[Row]:
    """The rows of why-ageing.md with five times the noise."""
    place = ""
    for line in (DOCS / "why-ageing.md").read_text(encoding="utf-8").splitlines():
        place = line if re.fullmatch(r"\w+/\w+", line) else place
        cells = _cells(line)
        if line.startswith("| x 5 |"):
            mean, low, high = map(float, _match(BRACKETS, cells[4]).groups())
            error = (high - low) / WIDTH
            verdict = "pass" if low > 0 else "fail" if high < 0 else "cannot tell"
            yield _row("why-ageing", f"{place}, {cells[1]}", "> 0", mean, error, mean / error, verdict)


def fewer_epochs() -> Iterator[Row]:
    """Both tables of fewer-epochs.md, each strategy less random search."""
    places: list[str] = []
    against: list[tuple[float, float]] = []
    text = (DOCS / "fewer-epochs.md").read_text(encoding="utf-8").partition("## Measured")[2]
    for line in text.splitlines():
        cells = _cells(line)
        if "one worker" in line and line.startswith("|"):
            places = ["cifar10 (1)", "cifar10 (8)"]
        elif line.startswith("| 4 epochs |"):
            places = ["digits", "3ops-f"]
        elif line.startswith("| `"):
            values = [_measured(cells[1]), _measured(cells[3])]
            if cells[0] == "`random_search`":
                against = values
                continue
            for place, (mean, error), (other, others), p in zip(places, values, against, cells[2::2], strict=True):
                if not p or "200 epochs only" in cells[0] or cells[0] == "`regularized_evolution`":
                    continue
                both = sqrt(error**2 + others**2)
                verdict = "pass" if float(p) < ALPHA else "cannot tell"
                less = mean - other
                name = f"{_plain(cells[0])}: {place}"
                yield _row("fewer-epochs", name, "< 0", less, both, less / both, verdict, f"p {p}")


def family() -> Iterator[Row]:
    """The table of claims.md."""
    text = (DOCS / "claims.md").read_text(encoding="utf-8").partition("## What came out")[2]
    for line in text.splitlines():
        if not line.startswith("| `"):
            continue
        claim, where, searches, numbers, threshold, verdict = _cells(line)
        name = f"{claim.strip('`')}: {where}"
        if verdict == "not run":
            yield _row("darts-family", name, threshold, verdict=verdict)
            continue
        mean, low, high = map(float, _match(BRACKETS, numbers).groups())
        error = (high - low) / WIDTH
        z = (mean - float(threshold.split()[1])) / error if error else None
        yield _row(
            "darts-family",
            name,
            threshold,
            mean,
            error,
            z,
            verdict,
            f"{searches} {'measurements' if where == 'a step' else 'searches'}",
        )


def recurrent() -> Iterator[Row]:
    """The table of recurrent.md: a search that is no better than random cells is what was published."""
    text = (DOCS / "recurrent.md").read_text(encoding="utf-8").partition("**What came out")[2]
    for line in text.splitlines():
        cells = _cells(line)
        if line.startswith("| `") and (found := re.search(BRACKETS, cells[-1])):
            mean, _, high = map(float, found.groups())
            name = f"{_plain(cells[0].partition(',')[0])} less rs"
            verdict = "fail" if high < 0 else "pass"
            yield _row("recurrent", name, "not < 0", mean, verdict=verdict, note=f"Welch's 95 % interval {cells[-1]}")


def _row(
    group: str,
    name: str,
    published: str,
    here: float | None = None,
    error: float | None = None,
    z: float | None = None,
    verdict: str = "",
    note: str = "",
    quote: str = "",
    line: str = "",
) -> Row:
    for said in (quote, line):
        page = {g["name"]: g["page"] for g in tomllib.loads(WRITTEN.read_text(encoding="utf-8"))["groups"]}[group]
        text = " ".join((DOCS / page).read_text(encoding="utf-8").split())
        assert " ".join(said.split()) in text, f"docs/{page} does not say: {said}"
    numbers = {
        "here": None if here is None else round(here, 4),
        "error": None if error is None else float(f"{error:.3g}"),
        "z": None if z is None else round(z, 1) + 0.0,
    }
    return {"group": group, "name": name, "published": published, **numbers, "verdict": verdict, "note": note}


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|")]


def _line(text: str, begins: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(begins))


def _match(pattern: str, text: str) -> re.Match[str]:
    found = re.search(pattern, text)
    assert found is not None, text
    return found


def _measured(text: str) -> tuple[float, float]:
    mean, error = _match(rf"({NUMBER}) ± ({NUMBER})", text).groups()
    return float(mean), float(error)


def _plain(text: str) -> str:
    return (
        text.replace("`", "").replace("evolution less", "re less").replace("random search", "rs").replace(" with", "")
    )


def main() -> None:
    RESULTS.write_text(json.dumps(content(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
