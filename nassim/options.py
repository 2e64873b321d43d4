"""A benchmark opened with options, which stand at the end of its id: ``nasbench201/cifar10:search_epochs=12``."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

from nassim.benchmark import Benchmark, Noise
from nassim.errors import Unsupported
from nassim.supernet import Supernets

_OPTION = re.compile(r":(search_on|search_epochs)=((?<=search_on=)\w+|(?<=search_epochs=)\d{1,6})(?=:|$)")


def options_of(name: str) -> tuple[str, dict[str, Any]]:
    """A benchmark's id without the options at its end, and those."""
    asked: dict[str, Any] = dict(_OPTION.findall(name))
    if "search_epochs" in asked:
        asked["search_epochs"] = int(asked["search_epochs"])
    return _OPTION.sub("", name.strip()), asked


def open_with(
    load: Callable[..., Benchmark],
    task: str,
    noise: str | Noise,
    plain: str,
    supernets: Supernets | None = None,
    *,
    search_epochs: int | None = None,
    search_on: str | None = None,
) -> Benchmark:
    """What a family's ``load`` gives for a task under the options of `get_benchmark`; ``plain``: its id in errors."""
    noise = Noise.parse(noise) if isinstance(noise, str) else noise
    options = {} if search_on is None else {"search_on": search_on}
    if options and "search_on" not in inspect.signature(load).parameters:
        raise Unsupported(f"{plain} has no choice of the split to search on: it is the validation split.")
    benchmark = load(task, noise, **options)
    if search_epochs is not None:
        benchmark.search_epochs = benchmark.check_epochs(search_epochs)
        benchmark.name += f":search_epochs={search_epochs}"
    benchmark.supernets = supernets
    return benchmark
