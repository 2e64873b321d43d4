"""What tests of several strategies search on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import nassim
from nassim import Benchmark
from nassim.registry import recipe_module
from nassim.tabular_data.recipe import Recipe


@pytest.fixture(scope="session")
def cells(tmp_path_factory: pytest.TempPathFactory, genuine: Callable[[str], Path]) -> Benchmark:
    """NAS-Bench-101 with its mean test accuracies, the only ones that are at hand; tests skip where they are not."""
    root = genuine("NiccoloCavagnero/FreeREA/*/cached_metrics/nasbench101").parents[4]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NASSIM_DATA", str(tmp_path_factory.mktemp("cells")))
        Recipe.of(recipe_module("nasbench101")).get(mirror=str(root))
        return nassim.get_benchmark("nasbench101/cifar10:search_on=test")
