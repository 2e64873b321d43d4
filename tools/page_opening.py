"""How long a report's page takes to open in Chromium, until it is drawn; five times.

    python tools/page_opening.py results/compare/report.html

Needs Chromium and playwright, as the tests of the report do.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from pathlib import Path
from statistics import median

TIMES = 5
DRAWN = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    found = seconds(parser.parse_args().page.resolve())
    readings = ", ".join(f"{each:.2f}" for each in found)
    sys.stdout.write(f"median {median(found):.2f} s until it is drawn, wall clock ({readings})\n")


def seconds(page: Path) -> list[float]:
    """Of each opening, in a tab of its own; the browser itself has started before."""
    from playwright.sync_api import sync_playwright

    browser = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
    )
    if not browser:
        raise SystemExit("no Chromium is here: make browser installs it where that can be done.")
    found = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        for _ in range(TIMES):
            tab = chromium.new_page(viewport={"width": 1100, "height": 900})
            before = time.perf_counter()
            tab.goto(page.as_uri(), wait_until="load")
            tab.evaluate(DRAWN)
            found.append(time.perf_counter() - before)
            tab.close()
        chromium.close()
    return found


if __name__ == "__main__":
    main()
