"""The replay for a class, and the table of trials, in a headless Chromium; skipped where none can be had."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nassim.report.analysis import Analysis
from nassim.report.visits import Visits
from nassim.report.write import write_report
from nassim.study import Study, compare

Opens = Callable[..., Any]


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The report of four strategies of which three have a picture."""
    folder = tmp_path_factory.mktemp("taught")
    study = compare(["re", "rl", "bo"], ["toy/additive"], "30q", seeds=2, out=folder)
    write_report(study, folder, figures=False)
    study.close()
    yield folder


def _tried(folder: Path) -> dict[str, list[Any]]:
    study = Study.open(folder)
    found = {strategy: trials for (_, strategy), trials in Visits(Analysis(study)).trials.items()}
    study.close()
    return found


def test_a_step_goes_to_the_next_event(visiting: Opens, taught: Path) -> None:
    ends = sorted({trial.seconds for trials in _tried(taught).values() for trial in trials})
    with visiting(taught) as visit:
        page = visit.page
        page.evaluate("change({ time: timeAt(0) })")
        seen = []
        for _ in range(6):
            page.click("#forward")
            seen.append(page.evaluate("now()"))
        assert seen == pytest.approx(ends[:6], rel=1e-6)
        page.click("#back")
        page.click("#back")
        assert page.evaluate("now()") == pytest.approx(ends[3], rel=1e-6)
        for _ in range(5):
            page.click("#back")
        assert page.input_value("#time") == "0"
        page.evaluate("change({ time: Infinity })")
        page.click("#back")
        assert page.evaluate("now()") == pytest.approx(ends[-2], rel=1e-6)
        page.click("#forward")
        assert page.evaluate("state.time === Infinity")
        visit.choose(axis="queries")
        page.click("#back")
        assert page.inner_text("#clock") == "after 29 queries"


def test_speed(visiting: Opens, taught: Path) -> None:
    """A quarter of a second moves the slider by its speed; frames are given by hand, so that no clock is measured."""
    ticks = """(speed) => { replay.speed = Number(speed); const real = requestAnimationFrame; let tick;
      window.requestAnimationFrame = (f) => { tick = f; return 1; };
      change({ time: timeAt(100) }); setPlaying(true);
      tick(replay.before + 140); const moved = stepAt(state.time) - 100;
      setPlaying(false); window.requestAnimationFrame = real; return moved; }"""
    with visiting(taught) as visit:
        page = visit.page
        offered = page.locator("#speed option").all_inner_texts()
        assert {"0.5x", "1x", "2x", "4x"} <= set(offered)
        moved = {speed: page.evaluate(ticks, speed) for speed in ("0.5", "1", "2", "4")}
        assert moved == {speed: pytest.approx(10 * float(speed), rel=1e-3) for speed in moved}
        page.select_option("#speed", "4")
        assert page.evaluate("replay.speed") == 4


def test_full_screen_shows_the_replay_alone(visiting: Opens, taught: Path) -> None:
    with visiting(taught) as visit:
        page = visit.page
        page.click("#full")
        visit.wait("document.documentElement.classList.contains('staged')")
        for there in ("#curves", "#transport", "#why", "#legend", "#cards"):
            assert page.locator(there).is_visible(), there
        for gone in ("h1", "#results", "#trials", "footer"):
            assert not page.locator(gone).is_visible(), gone
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("ArrowLeft")
        before = page.evaluate("now()")
        page.keyboard.press("ArrowLeft")
        assert page.evaluate("now()") < before
        page.keyboard.press("ArrowRight")
        assert page.evaluate("now()") == before
        page.keyboard.press(" ")
        assert page.evaluate("replay.playing")
        page.keyboard.press(" ")
        visit.shoot("full-screen")
        page.click("#full")
        visit.wait("!document.documentElement.classList.contains('staged')")
        assert page.locator("#results").is_visible()


def test_the_pictures_say_why(visiting: Opens, taught: Path) -> None:
    tried = _tried(taught)
    with visiting(taught) as visit:
        page = visit.page
        visit.choose(axis="queries")
        page.evaluate("change({ time: 20 })")
        card = {name: page.locator(f'#why [data-strategy="{name}"]') for name in tried}
        for name, trials in tried.items():
            assert f"{100 * trials[19].value:.2f} % seen" in card[name].inner_text(), name
            assert "Query 20 of seed" in card[name].inner_text()
        said = card["regularized_evolution"].inner_text()
        assert "Parent: query" in said and "Changed: layer" in said and "→" in said and "Dies: query 10 " in said
        assert "of 4 decisions from the best" in card["regularized_evolution"].inner_html()
        assert card["regularized_evolution"].locator("circle").count() == 10 + 20
        assert card["reinforce"].locator("path.fill").count() == 12
        shown = card["reinforce"].locator(".why-picture text").all_text_contents()
        assert shown[0] == "layer0" and sum("%" in text for text in shown) == 4
        assert "highest expected improvement" in card["gp_bo"].inner_text()
        assert card["gp_bo"].locator("rect").count() + card["gp_bo"].locator('g title:text("already")').count() == 12
        assert "No picture: its loop has no parent" in card["random_search"].inner_text()
        page.evaluate("change({ time: 3 })")
        assert "drawn at random" in card["regularized_evolution"].inner_text()
        assert "Drawn at random: the model begins" in card["gp_bo"].inner_text()
        visit.shoot("why")


def test_a_linear_axis(visiting: Opens, taught: Path) -> None:
    with visiting(taught) as visit:
        page = visit.page
        for chart in ("curves", "tried", "distribution", "ranks"):
            assert page.evaluate(f"byId('{chart}').layout.xaxis.type") == "log"
        visit.choose(axis="queries", scale="linear")
        for chart in ("curves", "tried", "distribution", "ranks"):
            assert page.evaluate(f"byId('{chart}').layout.xaxis.type") == "linear", chart
            labels = page.locator(f"#{chart} .xtick text").all_text_contents()
            assert len(set(labels)) == len(labels) > 1 and all("." not in label for label in labels)
        assert page.evaluate("byId('curves').layout.xaxis.range[0]") == 0
        page.evaluate("change({ time: timeAt(500) })")
        assert page.evaluate("state.time") == pytest.approx(15) and page.input_value("#time") == "500"


def test_the_table_of_trials_is_sorted_and_filtered(visiting: Opens, taught: Path) -> None:
    tried = _tried(taught)
    every = [trial for trials in tried.values() for trial in trials]
    with visiting(taught) as visit:
        page = visit.page
        rows = page.locator("#trials-rows tr")
        assert rows.count() == 50 < len(every) == 120
        note = page.inner_text("#trials-shown")
        assert "50 rows of 120 that match, of 120 trials of the typical runs" in note and "has 240 trials" in note
        page.click("#trials-more")
        page.click("#trials-more")
        assert rows.count() == 120 and not page.locator("#trials-more").is_visible()

        def column(k: int) -> list[str]:
            return page.locator(f"#trials-rows tr :nth-child({k})").all_inner_texts()

        page.click('[data-key="value"]')
        assert column(6) == sorted((f"{100 * t.value:.2f}" for t in every), key=float, reverse=True)[:50]
        page.click('[data-key="value"]')
        assert column(6) == sorted((f"{100 * t.value:.2f}" for t in every), key=float)[:50]
        assert page.locator('th[aria-sort="ascending"]').inner_text().startswith("validation accuracy seen [%]")
        page.fill("#filter", "gp_bo >70")
        assert set(column(1)) == {"gp_bo"} and len(column(1)) == sum(t.value > 0.7 for t in tried["gp_bo"])
        page.fill("#filter", f"{tried['reinforce'][4].architecture} reinforce")
        assert "5" in column(3)
        page.fill("#filter", "")
        page.check("#bests")
        page.click('[data-key="query"]')
        best, expected = 0.0, []
        for trial in tried["gp_bo"]:
            expected += [trial.queries] * (trial.value > best)
            best = max(best, trial.value)
        page.fill("#filter", "gp_bo")
        assert [int(text) for text in column(3)] == expected
        page.uncheck("#bests")
        page.fill("#filter", "")
        page.click('#legend button[data-strategy="gp_bo"]')
        visit.drawn()
        assert "of 90 trials" in page.inner_text("#trials-shown")
