"""Conformance: what every search space, benchmark and strategy must hold, for nassim's own and for yours.

>>> import nassim
>>> from nassim.testing import check_benchmark, check_space, check_strategy
>>> toy = nassim.get_benchmark("toy/additive")
>>> check_space(toy.space)
>>> check_benchmark(toy)
>>> check_strategy(nassim.get_algorithm("random_search"))

Each returns None, or raises AssertionError saying what does not hold.
"""

from nassim.testing.benchmarks import check_benchmark
from nassim.testing.spaces import check_space
from nassim.testing.strategies import check_strategy

__all__ = ["check_benchmark", "check_space", "check_strategy"]
