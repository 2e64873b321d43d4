"""nassim: benchmark-driven simulation of neural architecture search.

>>> import nassim
>>> result = nassim.run("regularized_evolution", "toy/additive", "60q", seed=0)
>>> print(result.best.arch)
toy:1-2-1-2
"""

from nassim.benchmark import Benchmark, Noise
from nassim.clock import Budget, Clock
from nassim.errors import NassimError
from nassim.query import Query, Report, Result, Trial
from nassim.registry import get_algorithm, get_benchmark, get_space
from nassim.replay import replay
from nassim.run import run
from nassim.space import Architecture, Decision, Graph, SearchSpace
from nassim.strategy import (
    Algorithm,
    Search,
    Strategy,
    evaluate,
    evaluate_all,
    start,
    strategy,
)
from nassim.study import Study, compare
from nassim.trace import Incumbent, Run
from nassim.version import __version__

__all__ = [
    "Algorithm",
    "Architecture",
    "Benchmark",
    "Budget",
    "Clock",
    "Decision",
    "Graph",
    "Incumbent",
    "NassimError",
    "Noise",
    "Query",
    "Report",
    "Result",
    "Run",
    "Search",
    "SearchSpace",
    "Strategy",
    "Study",
    "Trial",
    "__version__",
    "compare",
    "evaluate",
    "evaluate_all",
    "get_algorithm",
    "get_benchmark",
    "get_space",
    "replay",
    "run",
    "start",
    "strategy",
]
