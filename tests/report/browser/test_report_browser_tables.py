"""The tables of the page as a person reads them, in a headless Chromium; skipped where none can be had."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from nassim.report.write import write_report

Visits = Callable[..., Any]


def test_headings_are_reached_below_the_bar(visiting: Visits, hand: Any) -> None:
    names = ["random_search", *(f"a_strategy_with_a_long_name_{i}" for i in range(14))]
    runs = [hand.steady(n, s, 0.7 + 0.01 * i + 0.01 * s) for i, n in enumerate(names) for s in range(2)]
    write_report(hand.study(runs), hand.root, figures=False)
    for width in (1280, 800):
        with visiting(hand.root, viewport={"width": width, "height": 900}, reduced_motion="reduce") as visit:
            for section in ("anytime", "results", "running", "cells"):
                visit.page.click(f'nav a[href="#{section}"]')
                visit.page.wait_for_timeout(50)
                bar, heading = (
                    visit.page.evaluate(f"document.querySelector('{what}').getBoundingClientRect().{side}")
                    for what, side in ((".controls", "bottom"), (f"#{section} h2", "top"))
                )
                assert bar <= heading < bar + 120, (width, section)


def test_hidden_strategies_leave_the_tables(visiting: Visits, real: Path) -> None:
    with visiting(real) as visit:
        visit.page.evaluate("document.querySelectorAll('details').forEach((element) => { element.open = true; })")

        def said(where: str) -> list[str]:
            cells = visit.page.locator(f"{where} :is(th, td):visible").all_inner_texts()
            return [text for text in cells if "local_search" in text]

        places = ("#results", "#pairs", "#running", "#several", "#made")
        assert all(said(place) for place in places)
        before = visit.page.locator("#pairs td:visible").count()
        visit.page.click('#legend button[data-strategy="local_search"]')
        visit.drawn()
        assert not any(said(place) for place in places)
        assert visit.page.locator("#pairs td:visible").count() < before
        assert "all strategies" in visit.page.inner_text("#left-out"), "the tests were made with it"
        visit.page.click('#legend button[data-strategy="local_search"]')
        visit.drawn()
        assert all(said(place) for place in places) and not visit.page.locator("#left-out").is_visible()


def test_rows_are_unbroken_on_a_phone(visiting: Visits, real: Path) -> None:
    phone = {"viewport": {"width": 400, "height": 740}, "is_mobile": True, "has_touch": True}
    lines = """() => Array.from(document.querySelectorAll("section:not(#checklist) :is(td, tbody th)"))
      .filter((cell) => cell.offsetParent && !cell.querySelector(".fit"))
      .map((cell) => { const range = document.createRange(); range.selectNodeContents(cell);
        const tops = Array.from(range.getClientRects(), (box) => Math.round(box.bottom / 9));
        return [new Set(tops).size > 1, cell.textContent]; })"""
    with visiting(real, **phone) as visit:
        visit.page.evaluate("document.querySelectorAll('details').forEach((element) => { element.open = true; })")
        found = visit.page.evaluate(lines)
        assert len(found) > 100
        assert [text for broken, text in found if broken] == []


def test_the_table_at_the_clock_says_what_its_columns_are(visiting: Visits, real: Path) -> None:
    with visiting(real) as visit:
        table = visit.page.locator(".table", has=visit.page.locator("#readout"))
        for center, words in (
            ("median", ("median", "lower to upper quartile")),
            ("iqm", ("interquartile mean", "95 % interval")),
            ("mean", ("mean", "± one standard deviation")),
        ):
            visit.choose(center=center)
            head = table.locator("thead").inner_text()
            assert all(word in head for word in words) and "[" not in head.replace("[% of runs]", "")
            assert table.locator("caption").inner_text().endswith("test regret [percentage points]")
        note = visit.page.inner_text("#columns")
        assert "Center" in note and "band" in note and "Answered" in note and "first answer" in note
        assert all("%" not in text for text in visit.page.locator("#readout td").all_inner_texts())
        visit.choose(axis="queries")
        assert visit.page.inner_text("#clock") == "after 25 queries"
        visit.page.evaluate("change({ time: timeAt(500) })")
        assert "." not in visit.page.inner_text("#clock")
