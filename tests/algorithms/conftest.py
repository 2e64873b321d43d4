"""What tests of several strategies search on."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import nassim
from nassim import Algorithm, Benchmark
from nassim.benchmarks.spaces import nasbench201
from nassim.query import Report
from nassim.registry import recipe_module
from nassim.tabular_data.recipe import Recipe


@pytest.fixture
def reports() -> Callable[[Algorithm, Any], list[Report]]:
    """All that a strategy reports with a supernet of NAS-Bench-201's space."""

    def reported(algorithm: Algorithm, net: Any) -> list[Report]:
        search, found = algorithm.begin(nasbench201.SPACE, random.Random(0), supernet=net), list[Report]()
        while isinstance(message := search.ask(), Report):
            found.append(message)
            search.tell([])
        return found

    return reported


@pytest.fixture(scope="session")
def cells(tmp_path_factory: pytest.TempPathFactory, genuine: Callable[[str], Path]) -> Benchmark:
    """NAS-Bench-101 with its mean test accuracies, the only ones that are at hand; tests skip where they are not."""
    root = genuine("NiccoloCavagnero/FreeREA/*/cached_metrics/nasbench101").parents[4]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NASSIM_DATA", str(tmp_path_factory.mktemp("cells")))
        Recipe.of(recipe_module("nasbench101")).get(mirror=str(root))
        return nassim.get_benchmark("nasbench101/cifar10:search_on=test")
