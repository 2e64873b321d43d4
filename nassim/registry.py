"""From names to algorithms, benchmarks and spaces. The folders are the registry; nothing is listed twice.

Installed packages add their own by the entry points ``nassim.algorithms`` and ``nassim.benchmarks``,
which name a module that looks like the files in those folders.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import pkgutil
from collections.abc import Callable, Iterable
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType

from nassim.benchmark import Benchmark, Noise
from nassim.errors import UnknownName, Unsupported
from nassim.space import SearchSpace
from nassim.strategy import Algorithm

# Weight-sharing strategies train a supernet. Users type their names today; until a benchmark of this
# version has a supernet, one line says what is missing.
NEEDS_SUPERNET = ("darts", "gdas", "enas", "random_nas")


def algorithm_names() -> list[str]:
    """The names of all strategies."""
    return sorted(_modules("algorithms"))


def benchmark_names() -> list[str]:
    """The ids of all benchmarks, ``family/task``."""
    return [f"{family}/{task}" for family in sorted(_modules("benchmarks")) for task in _family(family).TASKS]


def space_names() -> list[str]:
    """The names of all search spaces."""
    return sorted({_family(family).SPACE.name for family in _modules("benchmarks")})


def get_algorithm(name: str) -> Algorithm:
    """The strategy of a name or alias, with near names in the error."""
    aliases = {alias: algorithm for algorithm in _algorithms().values() for alias in algorithm.aliases}
    key = name.strip().lower().replace("-", "_")
    found = _algorithms().get(key) or aliases.get(key)
    if found is None:
        if key in NEEDS_SUPERNET:
            raise Unsupported(missing_supernet(key))
        raise UnknownName(_unknown("algorithm", name, [*_algorithms(), *aliases, *NEEDS_SUPERNET]))
    return found


def missing_supernet(name: str) -> str:
    """The line that says what a weight-sharing strategy needs."""
    return (
        f"{name} shares weights: it needs a benchmark with a supernet (a network that holds all architectures), "
        "and no benchmark of this version has one."
    )


def get_benchmark(name: str, noise: str | Noise = "draw") -> Benchmark:
    """Open the benchmark of an id like ``nasbench201/cifar10``, with a noise policy."""
    family, _, task = name.strip().partition("/")
    if family not in _modules("benchmarks") or task not in _family(family).TASKS:
        raise UnknownName(_unknown("benchmark", name, benchmark_names()))
    benchmark: Benchmark = _family(family).load(task, Noise.parse(noise) if isinstance(noise, str) else noise)
    return benchmark


def get_space(name: str) -> SearchSpace:
    """The search space of a name."""
    for family in _modules("benchmarks"):
        space: SearchSpace = _family(family).SPACE
        if space.name == name.strip():
            return space
    raise UnknownName(_unknown("search space", name, space_names()))


def find(name: str) -> Algorithm | Benchmark | SearchSpace:
    """Whatever has the name: an algorithm, a benchmark or a search space."""
    lookups: tuple[Callable[[str], Algorithm | Benchmark | SearchSpace], ...] = (
        get_algorithm,
        get_benchmark,
        get_space,
    )
    for lookup in lookups:
        with contextlib.suppress(UnknownName):
            return lookup(name)
    known = [*algorithm_names(), *benchmark_names(), *space_names()]
    raise UnknownName(_unknown("algorithm, benchmark or search space", name, known))


def benchmark_titles() -> dict[str, str]:
    """The first line of each benchmark family's page, by benchmark id; opens no table."""
    return {
        name: (_family(name.partition("/")[0]).__doc__ or "").strip().partition("\n")[0] for name in benchmark_names()
    }


@cache
def _modules(folder: str) -> dict[str, str]:
    """File name -> module path, for the project's folder and for installed packages."""
    package = importlib.import_module(f"nassim.{folder}")
    own = {m.name: f"nassim.{folder}.{m.name}" for m in pkgutil.iter_modules(package.__path__) if not m.ispkg}
    return {**{point.name: point.value for point in entry_points(group=f"nassim.{folder}")}, **own}


@cache
def _algorithms() -> dict[str, Algorithm]:
    found = {}
    for name, path in _modules("algorithms").items():
        found[name] = getattr(importlib.import_module(path), name)
    return found


def _family(name: str) -> ModuleType:
    return importlib.import_module(_modules("benchmarks")[name])


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    names = sorted(set(known))
    near = difflib.get_close_matches(name.strip().lower(), names, n=3, cutoff=0.5)
    article = "an" if kind[0] in "aeiou" else "a"
    if near:
        return f"{name!r} is not {article} {kind}. Did you mean {' or '.join(near)}?"
    return f"{name!r} is not {article} {kind}. Known: {', '.join(names)}."
