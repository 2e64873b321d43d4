"""Trainings and searches at the published size, gone on with from piece to piece."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

from accelerator_setup import Job, Setup

from nassim.benchmarks.spaces import nasbench201
from nassim.query import Query, Report
from nassim.registry import get_algorithm, get_benchmark, get_supernets
from nassim.space import Architecture
from nassim.strategy import stream

CELLS = 200  # of NAS-Bench-201, drawn once; as many are trained as there is time for
SEARCHES = ("gdas", "darts", "pc_darts")


def trainings(setup: Setup) -> Iterator[Job]:
    """Twelve epochs of CIFAR-10 for cells drawn at random, beside the published accuracy after twelve."""
    rng = random.Random("cells for the accelerator")
    cells = [nasbench201.SPACE.at(i) for i in rng.sample(range(nasbench201.SPACE.size), CELLS)]
    for cell in cells[: 1 if setup.dry else CELLS]:
        yield Job(f"{''.join(map(str, cell.choices))}, validation % (published)", _training(setup, cell))


def _training(setup: Setup, cell: Any) -> Callable[[], str | None]:
    def work() -> str | None:
        from nassim.full_training.images.data import load_data
        from nassim.full_training.training.recipe import get_recipe
        from nassim.full_training.training.train import train

        name, recipe = ("digits", "digits") if setup.dry else ("cifar10", "nasbench201-12ep")
        data, chosen = load_data(name), get_recipe(recipe)
        kept = setup.folder / f"{name}-{''.join(map(str, cell.choices))}.training"
        done = None
        for until in range(1, chosen.epochs + 1):
            done = train(cell, data, chosen, 777, device=setup.device, resume=kept, until=until)
            if setup.late and until < chosen.epochs:
                return None
        assert done is not None
        bench = get_benchmark(f"nasbench201/{name}", "mean")
        query = Query(cell) if setup.dry else Query(cell, chosen.epochs)
        published = bench.query(query, random.Random(0)).value
        return f"{100 * done.valid_accuracy[-1]:.2f} ({100 * published:.2f}), {sum(done.seconds):.0f} s"

    return work


def searches(setup: Setup) -> Iterator[Job]:
    """One search of each strategy at the published size, on CIFAR-10; its last answer, looked up."""
    for name in SEARCHES:
        yield Job(f"{name} on nasbench201/{'digits' if setup.dry else 'cifar10'}", _search(setup, name))


def _search(setup: Setup, name: str) -> Callable[[], str | None]:
    def work() -> str | None:
        where = f"nasbench201/{'digits' if setup.dry else 'cifar10'}"
        supernets, bench = get_supernets(where), get_benchmark(where, "mean")
        algorithm = get_algorithm(name)
        algorithm = algorithm.configured(**algorithm.hyperparameters(supernets.space, supernets.benchmark))
        if setup.dry:
            algorithm = algorithm.configured(epochs=1)
        net: Any = supernets.make(stream(0, "training").getrandbits(62), setup.device)
        told: list[Any] = []
        net.keep(setup.folder / f"{name}.search", told)
        search = algorithm.begin(supernets.space, stream(0, "strategy"), supernet=net)
        while isinstance(message := search.ask(), Report):
            told.append([list(message.arch.choices), message.cost])
            if setup.late:
                return None  # the last epoch is not written yet: the search goes on with it
            search.tell([])
        arch = nasbench201.SPACE.check(Architecture("nasbench201", tuple(told[-1][0])))
        seconds = sum(cost for _, cost in told)
        return f"{arch}: {100 * bench.mean_accuracy(arch):.2f} % (validation), {len(told)} epochs in {seconds:.0f} s"

    return work
