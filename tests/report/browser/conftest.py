"""A headless Chromium for the tests of the page, and the page in it.

Where no browser can be had or started, the tests are skipped with the reason. One that hangs is ended, so that no test
run waits for it; a test that fails in a browser that works is a failure.
"""

from __future__ import annotations

import faulthandler
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

PATIENCE, LIMIT = 120, 300  # seconds for one step in the browser, and for all on a page; a machine may have other work
SCREENSHOTS = Path(__file__).parents[3] / "build" / "screenshots"
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)


class Chrome:
    """A headless Chromium for all tests of a process, opened when it is first asked for.

    A test that cannot have one is skipped with the reason. One that hangs in it is ended from a timer's thread: the
    call that waits then fails, and so do the tests after it, at once. Should even that not help, the process ends
    itself, which pytest-xdist reports.
    """

    def __init__(self) -> None:
        self.hung = False
        self._why_not = ""
        self._playwright: Any = None
        self._browser: Any = None
        self._process = 0

    def browser(self) -> Any:
        """The browser, connected; opened again if it was ended."""
        if not self._why_not and (self._browser is None or not self._browser.is_connected()):
            self._open()
        if self._why_not:
            pytest.skip(self._why_not)
        return self._browser

    def _open(self) -> None:
        api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed (extra dev)")
        names = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
        found = next((path for path in names if path), None)
        if found is None:
            self._why_not = "no Chromium on this machine: `make browser` installs one where it can"
            return
        options = {"executable_path": found, "args": list(FLAGS), "timeout": 1000 * PATIENCE}
        try:
            self._playwright = self._playwright or api.sync_playwright().start()
            self._browser = self._playwright.chromium.launch(**options)
            processes = self._browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
        except api.Error as error:
            self._why_not = f"{found} does not start here: {error.message.strip().splitlines()[0]}"
            return
        self._process = next(process["id"] for process in processes if process["type"] == "browser")

    @contextmanager
    def limited(self, seconds: float = LIMIT) -> Iterator[None]:
        """End the browser if what is done in it takes longer (`TimeoutError`)."""
        timer = threading.Timer(seconds, self._kill)
        timer.daemon = True
        timer.start()
        faulthandler.dump_traceback_later(seconds + PATIENCE, exit=True, file=sys.__stderr__)
        try:
            yield
        except Exception as error:
            if self.hung:
                raise TimeoutError(f"the browser was ended: it took more than {seconds} s") from error
            raise
        finally:
            timer.cancel()
            faulthandler.cancel_dump_traceback_later()

    def _kill(self) -> None:
        self.hung = True
        if self._process:
            with suppress(ProcessLookupError):
                os.kill(self._process, signal.SIGKILL)

    def close(self) -> None:
        """End the browser and Playwright's own process."""
        if self._browser is not None and self._browser.is_connected():
            self._browser.close()
        if self._playwright is not None:
            self._playwright.stop()


@pytest.fixture(scope="session")
def chrome() -> Iterator[Chrome]:
    """The browser of this process, for `visiting`."""
    opened = Chrome()
    yield opened
    with opened.limited():
        opened.close()


class Visit:
    """A page in the browser, and what it said or asked for while it was open."""

    def __init__(self, browser: Any, folder: Path, *, measured: bool = False, **options: Any) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **options})
        self.context.set_default_timeout(1000 * PATIENCE)
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.address = (folder / "report.html").resolve().as_uri()
        self._meter = self.context.new_cdp_session(self.page) if measured else None
        if self._meter is not None:
            self._meter.send("Performance.enable", {"timeDomain": "threadTicks"})
        self.page.goto(self.address)
        self.drawn()

    def wait(self, condition: str) -> None:
        """Wait for a condition; asked from outside, as the page's own policy forbids to evaluate text in it."""
        until = monotonic() + PATIENCE
        while not self.page.evaluate(condition):
            if monotonic() > until:
                pytest.fail(f"not within {PATIENCE} s: {condition}")
            self.page.wait_for_timeout(20)

    def seconds(self) -> float:
        """What the page's thread has worked since it was opened."""
        measured = self._meter.send("Performance.getMetrics")["metrics"]
        return next(float(metric["value"]) for metric in measured if metric["name"] == "TaskDuration")

    def drawn(self) -> None:
        self.wait("!study.benchmarks.length || (!!document.documentElement.dataset.complete && !later.length)")

    def choose(self, **what: str) -> None:
        for name, value in what.items():
            self.page.select_option(f"#{name}", value)
        self.drawn()

    def curve(self, name: str, chart: str = "curves") -> dict[str, list[float]]:
        """The data of a strategy's line as Plotly has drawn it; empty if it is not there."""
        found: dict[str, list[float]] = self.page.evaluate(
            "([chart, name]) => { const t = byId(chart).data.find((t) => t.meta === name);"
            " return t ? { x: Array.from(t.x), y: Array.from(t.y) } : {} }",
            [chart, name],
        )
        return found

    def shoot(self, name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    def print(self, name: str) -> Path:
        """The page on paper."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        path = SCREENSHOTS / f"{name}.pdf"
        self.page.pdf(path=path, format="A4", print_background=True)
        return path

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.context.close()
        if kind is not None:
            return
        assert self.complaints == []
        assert self.requests == [self.address], "a page needs nothing but itself"


@pytest.fixture
def visiting(chrome: Chrome) -> Callable[..., AbstractContextManager[Visit]]:
    """Opens the report in a folder: visiting(folder, **options of the browser's context)."""

    @contextmanager
    def visit(folder: Path, **options: Any) -> Iterator[Visit]:
        if chrome.hung:
            pytest.fail("not tried: the browser hung in an earlier test")
        with chrome.limited(), Visit(chrome.browser(), folder, **options) as opened:
            yield opened

    return visit
