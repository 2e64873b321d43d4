"""docs/strategies.md: every strategy has its line, every line a strategy, and the page is what the tool makes."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from nassim.registry import algorithm_names, get_algorithm, space_names

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "strategies.md").read_text(encoding="utf-8")
LINES = {match[1]: match[0] for match in re.finditer(r"^\| `(\w+)` \|.*$", TEXT, flags=re.MULTILINE)}


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("strategies_tool", ROOT / "tools" / "strategies.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def anchors(path: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_each_strategy_has_an_entry_and_each_entry_a_strategy(tool: ModuleType) -> None:
    written = tomllib.loads(tool.WRITTEN.read_text(encoding="utf-8"))
    assert sorted(written) == sorted(LINES) == algorithm_names()
    assert all(set(entry) <= {"spaces", "reproduced", "not"} for entry in written.values())


def test_what_is_said_is_linked_to_a_section(tool: ModuleType) -> None:
    """Whatever is said to be reproduced, or not, names a page of the docs or a command; links lead to headings."""
    written = tomllib.loads(tool.WRITTEN.read_text(encoding="utf-8"))
    for name, entry in written.items():
        for text in (entry.get("reproduced", ""), entry.get("not", "")):
            links = re.findall(r"\]\(([\w.-]+)(?:#([\w-]+))?\)", text)
            assert not text or links or "`nassim " in text or text.endswith(": not run"), f"{name}: {text}"
            for page, anchor in links:
                path = ROOT / "docs" / page
                assert path.is_file() and (not anchor or anchor in anchors(path)), f"{name}: {page}#{anchor}"


def test_what_was_measured_is_of_every_strategy_that_asks(tool: ModuleType) -> None:
    measured = json.loads(tool.MEASURED.read_text(encoding="utf-8"))
    asking = [name for name in algorithm_names() if not get_algorithm(name).shares_weights]
    assert sorted(measured["seconds"]) == asking and all(0 < value < 60 for value in measured["seconds"].values())
    assert set(measured["refused"]) <= set(asking)
    assert all(set(spaces) <= set(space_names()) for spaces in measured["refused"].values())


def test_spaces_are_told_by_what_is_missing_or_there(tool: ModuleType) -> None:
    assert tool.spaces([]) == "all" and tool.spaces(["grown"]) == "all but `grown`"
    assert tool.spaces([name for name in space_names() if name not in ("toy", "darts")]) == "`darts`, `toy`"


@pytest.mark.slow
def test_the_page_is_what_the_tool_makes(tool: ModuleType) -> None:
    assert tool.page() == TEXT, "write it again: .venv/bin/python tools/strategies.py"


@pytest.mark.slow
def test_a_refusal_that_was_measured_is_still_one(tool: ModuleType) -> None:
    """Those that refuse before much was asked; and where nothing is refused nothing is."""
    for name, space in (("bananas", "chain"), ("bohb", "grown"), ("pnas", "mbconv"), ("reinforce", "grown")):
        assert space in json.loads(tool.MEASURED.read_text(encoding="utf-8"))["refused"][name]
        assert tool.refuses(name, space)
    assert not any(tool.refuses(name, "nasbench201_3ops") for name in ("random_search", "bananas", "asha", "pnas"))
