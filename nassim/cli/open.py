"""nassim open: show a study's report in the browser."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import typer

from nassim.cli.console import Json, print_json
from nassim.cli.shipped import StudyArgument


def main(
    folder: StudyArgument,
    as_json: Json = False,
) -> None:
    """Open report.html in the browser; writes it first if it is missing or runs have finished since."""
    from nassim.report.page import is_current
    from nassim.report.write import PAGE, write_report
    from nassim.store import Store
    from nassim.study import FILE, Study

    page = folder / PAGE
    study = Study(Store.open(folder / FILE))
    if not is_current(_beginning(page), study):
        write_report(study, folder, figures=False)
    study.close()
    address = page.resolve().as_uri()
    opened = not as_json and webbrowser.open(address)
    if as_json:
        print_json({"page": page, "address": address})
    else:
        typer.echo(f"opened: {page}" if opened else f"no browser was found here: open {address}")


def _beginning(page: Path) -> str:
    """The first lines of a page; empty if there is none."""
    if not page.is_file():
        return ""
    with page.open(encoding="utf-8", errors="replace") as file:
        return file.read(4096)
