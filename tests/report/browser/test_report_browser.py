"""The page as a person meets it, in a headless Chromium; skipped where none can be had (`make browser` installs one).

Screenshots are kept in build/screenshots/ to be looked at.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nassim.study import Study

pytestmark = pytest.mark.slow

Visits = Callable[..., Any]
NAMES = ("random_search", "regularized_evolution", "local_search")
FLOOR = 0.01


def test_it_loads_in_silence_and_draws_every_chart(visiting: Visits, real: Path) -> None:
    with visiting(real) as visit:
        for chart in ("curves", "tried", "distribution", "ranks", "fronts"):
            assert {
                t["meta"] for t in visit.page.evaluate(f"byId('{chart}').data.map(({{meta}}) => ({{meta}}))")
            } >= set(NAMES)
            assert visit.page.locator(f"#{chart} svg.main-svg").count() > 0
            for axis in ("x", "y"):
                ticks = visit.page.locator(f"#{chart} .{axis}tick text").all_text_contents()
                assert len(set(ticks)) == len(ticks) > 1, "whole numbers: 20 and 200 are not both written 2"
        assert visit.page.locator("#cards svg.cell").count() == 3
        visit.shoot("light")


def test_the_axis_switch_shows_the_numbers_of_the_summary(visiting: Visits, real: Path) -> None:
    with (real / "summary.csv").open(encoding="utf-8") as file:
        rows = {(row["benchmark"], row["strategy"]): row for row in csv.DictReader(file)}
    study = Study.open(real)
    longest = {name: max(run.seconds for run in study.of("toy/additive", name)) for name in NAMES}
    study.close()
    with visiting(real) as visit:

        def check(benchmark: str, split: str, center: str, end: float | None) -> None:
            for name in NAMES:
                line = visit.curve(name)
                expected = float(rows[benchmark, name][f"final_{split}_regret_{center}_pp"])
                assert line["y"][-1] == pytest.approx(max(expected, FLOOR), abs=2e-5)
                assert line["x"][-1] == (end or pytest.approx(longest[name], rel=1e-6)), "a curve ends at its own end"

        for axis, end in (("seconds", None), ("queries", 25), ("epochs", 225)):
            visit.choose(axis=axis)
            for split in ("valid", "test"):
                visit.choose(split=split)
                for center in ("median", "mean", "iqm"):
                    visit.choose(center=center)
                    check("toy/additive", split, center, end)
            shown = visit.page.locator(".table:visible caption", has_text="Expected running time").all_inner_texts()
            unit = {"seconds": "simulated seconds", "queries": "queries", "epochs": "epochs"}[axis]
            assert len(shown) == 1 and f"on toy/additive in {unit} to" in shown[0]
        visit.choose(benchmark="1")
        check("toy/deceptive", "test", "iqm", 225)
        visit.choose(value="measured")
        visit.choose(center="median")
        for name in NAMES:
            expected = float(rows["toy/deceptive", name]["final_test_accuracy_median_percent"])
            assert visit.curve(name)["y"][-1] == pytest.approx(expected, abs=2e-5)


def test_curves_are_steps_that_never_interpolate(visiting: Visits, real: Path) -> None:
    with visiting(real) as visit:
        shapes = visit.page.evaluate("byId('curves').data.map((t) => t.line.shape)")
        assert set(shapes) == {"hv"}


def test_a_click_in_the_legend_hides_the_curves(visiting: Visits, real: Path) -> None:
    with visiting(real) as visit:
        button = visit.page.locator('#legend button[data-strategy="local_search"]')
        for shown in (False, True):
            button.click()
            visit.drawn()
            assert button.get_attribute("aria-pressed") == str(shown).lower()
            for chart in ("curves", "tried", "distribution", "ranks", "fronts"):
                assert bool(visit.curve("local_search", chart)) is shown
                assert visit.curve("random_search", chart)
            assert visit.page.locator("#readout th").count() == 2 + shown
            assert visit.page.locator("#cards article").count() == 2 + shown


def test_play_moves_the_time_and_cells_appear(visiting: Visits, real: Path) -> None:
    with visiting(real) as visit:
        page, whole = visit.page, visit.curve("local_search")
        page.click("#play")
        visit.wait("Number(byId('time').value) > 5 && Number(byId('time').value) < 900")
        page.click("#play")
        step, clock = page.input_value("#time"), page.inner_text("#clock")
        part = visit.curve("local_search")
        assert len(part["x"]) < len(whole["x"]) and part["x"][-1] < whole["x"][-1]
        assert part["y"][:-1] == whole["y"][: len(part["y"]) - 1]
        page.wait_for_timeout(150)
        assert page.input_value("#time") == step and page.inner_text("#clock") == clock, "paused"
        page.evaluate("change({ time: timeAt(0) })")
        assert page.locator("#cards svg.cell").count() == 0
        assert "no answer yet" in page.inner_text("#cards")
        page.evaluate("change({ time: timeAt(1000) })")
        assert page.locator("#cards svg.cell").count() == 3
        assert visit.curve("local_search") == whole
        visit.shoot("played")


def test_single_runs_are_drawn_on_demand(visiting: Visits, real: Path) -> None:
    study = Study.open(real)
    with visiting(real) as visit:
        assert not visit.curve("local_search runs")
        visit.page.check("#single")
        visit.drawn()
        drawn = visit.curve("local_search runs")
        runs = study.of("toy/additive", "local_search")
        assert drawn["x"].count(None) == 8  # type: ignore[arg-type]  # a gap after each run
        best = study.facts["toy/additive"].best_test or 0
        first = [max(FLOOR, 100 * (best - (point.test or 0))) for point in runs[0].curve]
        assert drawn["y"][: len(first)] == pytest.approx(first, abs=2e-5)
        visit.shoot("single-runs")
    study.close()


def test_a_phone_has_no_horizontal_scroll(visiting: Visits, real: Path) -> None:
    phone = {"viewport": {"width": 360, "height": 740}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
    with visiting(real, **phone) as visit:
        visit.page.evaluate("document.querySelectorAll('details').forEach((element) => { element.open = true; })")
        visit.choose(axis="queries", value="measured")
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360
        assert visit.page.evaluate("document.body.scrollWidth") <= 360
        visit.shoot("phone")


def test_dark_and_light(visiting: Visits, real: Path) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    with visiting(real, color_scheme="dark") as visit:
        dark = visit.page.evaluate(paper)
        assert visit.page.evaluate("byId('curves').layout.paper_bgcolor") == visit.page.evaluate("css('--paper')")
        visit.shoot("dark")
        visit.page.click("#theme")
        visit.drawn()
        assert visit.page.evaluate(paper) == "rgb(255, 255, 255)" != dark
        assert visit.page.evaluate("byId('curves').layout.paper_bgcolor") == "#ffffff"


def test_everything_is_reached_by_keyboard(visiting: Visits, real: Path) -> None:
    with visiting(real) as visit:
        page, reached = visit.page, []
        for _ in range(90):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.id || document.activeElement.dataset.strategy || ''"))
        wanted = {
            "axis",
            "value",
            "split",
            "center",
            "single",
            "theme",
            "play",
            "time",
            "objectives",
            "surface",
            *NAMES,
        }
        assert wanted <= set(reached)
        page.locator('#legend button[data-strategy="random_search"]').focus()
        page.keyboard.press("Enter")
        visit.drawn()
        assert not visit.curve("random_search")
        assert page.evaluate("document.activeElement.dataset.strategy") == "random_search", "the focus stays"
        page.focus("#time")
        page.keyboard.press("Home")
        assert page.input_value("#time") == "0" and page.get_attribute("#time", "aria-valuetext").startswith("after")


def test_print_is_light_and_without_controls(visiting: Visits, real: Path) -> None:
    with visiting(real, color_scheme="dark") as visit:
        assert visit.print("print").read_bytes()[:5] == b"%PDF-"
        visit.page.emulate_media(media="print")
        visit.wait("document.documentElement.dataset.theme === 'light'")
        assert not visit.page.locator("#axis").is_visible() and not visit.page.locator("#play").is_visible()
        assert visit.page.locator("#legend button").count() == 3 and visit.page.locator("#legend").is_visible()
        shown = visit.page.inner_text("#shown")
        assert shown == "Charts: toy/additive, test regret against simulated seconds, median, quartiles."
        assert visit.page.evaluate("byId('curves').layout.paper_bgcolor") == "#ffffff"
        assert visit.page.evaluate("Array.from(document.querySelectorAll('details')).every((element) => element.open)")
