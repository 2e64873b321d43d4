"""Populations of trained architectures: how fit one is, how many there are where no paper says it, and at most."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from nassim.errors import InvalidSetting
from nassim.space import SearchSpace

PAPER_POPULATION = 100  # Real et al., AAAI 2019, arXiv:1802.01548, section 4 (P = 100, S = 25)
MOST = 100_000  # members of a population: a generation of more is a mistake of typing
MANY = 500  # trainings from which on the paper's population is more than a fifth of them

# By the name of the space, where its authors' code says another thing than the paper (AutoDL-Projects, NATS-Bench).
PUBLISHED_SIZES = {"nasbench201": {"population_size": 10, "sample_size": 3}}

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


def refuse_sizes(
    owner: str, space: SearchSpace, population: int, sample: int = 0, *, allowed: int = PAPER_POPULATION
) -> None:
    """`InvalidSetting` for a population above the size of the space, or a tournament of more than the population.

    What strategies take by themselves (at most ``allowed``) is not refused on a space that is smaller still.
    """
    most = min(max(space.size, allowed), MOST)
    if population > most:
        raise InvalidSetting(
            f"{owner}.population_size={population} is too many: {space.name} has {space.size:,} architectures. "
            f"Give at most {most}."
        )
    if sample > population:
        raise InvalidSetting(
            f"{owner}.sample_size={sample} is more than the population_size={population} that it is drawn from: "
            "give a smaller one, or a larger population."
        )
