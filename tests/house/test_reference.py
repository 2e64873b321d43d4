"""docs/reference.md: every public name has a docstring, and the page is what the tool makes of them."""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

import nassim
import nassim.testing

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reference", ROOT / "tools" / "reference.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_the_docstrings_say(tool: ModuleType) -> None:
    written = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert written == tool.page(), "write it again: .venv/bin/python tools/reference.py"
    assert not re.search(r" at 0x[0-9a-f]+", written), "an address, which differs from run to run"


def test_every_public_name_stands_in_the_page(tool: ModuleType) -> None:
    heads = re.findall(r"^### `(\w+)`$", (ROOT / "docs" / "reference.md").read_text(encoding="utf-8"), re.MULTILINE)
    for path in tool.MODULES:
        assert set(tool.public_names(importlib.import_module(path))) <= set(heads), path
    assert {*nassim.__all__, *nassim.testing.__all__} <= set(heads)


def test_every_public_name_has_a_docstring(tool: ModuleType) -> None:
    assert tool.undocumented() == []


def test_a_missing_docstring_is_noticed(tool: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nassim.run, "__doc__", None)
    monkeypatch.setattr(nassim.Study.plot, "__doc__", None)
    assert tool.undocumented() == ["nassim.run", "nassim.Study.plot"]


def test_the_documents_name_no_module_that_the_page_lacks(tool: ModuleType) -> None:
    """What README and CONTRIBUTING import can be looked up here; algorithms and benchmarks are pages of their own."""
    own = {"nassim.algorithms", "nassim.benchmarks", "nassim.tabular_data"}
    for name in ("README.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for module in re.findall(r"^from (nassim[\w.]*) import", text, re.MULTILINE):
            known = module in tool.MODULES or any(f"{module}.".startswith(f"{part}.") for part in own)
            assert known or _names_of(module, text) <= set(nassim.__all__), module


def _names_of(module: str, text: str) -> set[str]:
    found = re.findall(rf"^from {re.escape(module)} import (.+)$", text, re.MULTILINE)
    return {name.strip() for line in found for name in line.split(",")}
