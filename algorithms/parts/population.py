"""Populations of trained architectures: how fit one is, and how many there are where no paper says it."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

PAPER_POPULATION = 100  # Real et al., AAAI 2019, arXiv:1802.01548, section 4 (P = 100, S = 25)
MANY = 500  # trainings from which on the paper's population is more than a fifth of them

fitness = attrgetter("result.value")


def sizes_by_budget(chosen: Mapping[str, Any], space: str, horizon: int | None) -> dict[str, object]:
    """``population_size`` and ``sample_size`` where nobody says them; ``horizon`` None is any number of trainings.

    The paper's 100 from 500 trainings on, a fifth of them below, at least 10: a population that takes up the budget is
    random search. The sample is a quarter of it, at least 3, but NAS-Bench-101's authors' 10 of 100.
    """
    many = horizon is None or horizon >= MANY
    population = chosen["population_size"] or (PAPER_POPULATION if horizon is None or many else max(10, horizon // 5))
    sample = chosen["sample_size"] or (10 if many and space == "nasbench101" else max(3, population // 4))
    return {"population_size": population, "sample_size": sample}
