"""The conformance of search spaces."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import pairwise

from nassim.errors import InvalidArchitecture, Unsupported
from nassim.morph_space import MorphSpace
from nassim.space import Architecture, SearchSpace
from nassim.testing.requirements import LISTED, global_generators_untouched, refused, require

A_FEW = 20  # of the neighbors, and of the smallest architectures of spaces that are not listed, are looked at closely
MOST = 1000  # neighbors of neighbors of an architecture
NONSENSE = ("", " ", "?", "-", "--", "0-x", "9" * 60, "\N{ARABIC-INDIC DIGIT ONE}-0", "|~0|", "a b")


def check_space(space: SearchSpace) -> None:
    """Hold a search space against its contract; raises AssertionError."""
    require(space.name and ":" not in space.name, f"a space's name is a word without colon, not {space.name!r}")
    if isinstance(space, MorphSpace):
        _check_growing(space)
        return
    parts = sorted(i for group in space.groups for i in group)
    each = list(range(len(space.decisions)))
    require(parts == each, f"{space.name}.groups hold the decisions {parts}, not each once")
    rng = random.Random(0)
    with global_generators_untouched(space.name):
        archs = [space.sample(rng) for _ in range(50)]
        again = random.Random(0)
        require(archs == [space.sample(again) for _ in archs], f"{space.name}: same rng, other samples")
        for a, b in pairwise(archs):
            made = {"sample": a, "mutate": space.mutate(a, rng), "crossover": space.crossover(a, b, rng)}
            for verb, arch in made.items():
                require(space.is_valid(arch), f"{space.name}.{verb} made {arch}, which is not valid")
    for arch in archs:
        _check_text(space, arch)
        _check_refusals(space, arch)
        _check_neighbors(space, arch)
        _check_canonical(space, arch)
        _check_graph(space, arch)
    for text in (*NONSENSE, f"{space.name}:", f"{archs[0]}-0", str(Architecture("elsewhere", archs[0].choices))):
        refused(InvalidArchitecture, partial(space.parse, text), f"{space.name}.parse({text!r})")
    for i in {0, space.size // 2, space.size - 1, *map(space.index, archs)}:
        require(space.index(space.at(i)) == i, f"{space.name}: index(at({i})) is {space.index(space.at(i))}")
    if space.size <= LISTED:
        _check_listing(space)
    _check_growth(space, archs)


def _check_growing(space: MorphSpace) -> None:
    """A space of networks that grow has no list, no crossover, and neighbors that need not be mutual."""
    rng = random.Random(0)
    with global_generators_untouched(space.name):
        archs = [space.sample(rng) for _ in range(20)]
        again = random.Random(0)
        require(archs == [space.sample(again) for _ in archs], f"{space.name}: same rng, other samples")
        archs += [space.mutate(arch, rng) for arch in archs]
    for arch in archs:
        require(space.is_valid(arch), f"{space.name} made {arch}, which is not valid")
        _check_text(space, arch)
        _check_refusals(space, arch)
        _check_canonical(space, arch)
        _check_graph(space, arch)
    near = space.neighbors(space.seed)
    require(len(set(near)) == len(near) > 0 and space.seed not in near, f"{space.name}: neighbors of the seed")
    for morph in space.morphs(space.seed):
        with suppress(InvalidArchitecture):  # beyond the limits, or beside the grid
            child = space.morphed(space.seed, morph)
            require(space.transfer(space.seed, child).exact, f"{space.name}: {morph} is not exact")
            require(child in near, f"{space.name}: the child of {morph} is no neighbor")
    for text in (*NONSENSE, f"{space.name}:", f"{space.seed}-0", str(Architecture("elsewhere", space.seed.choices))):
        refused(InvalidArchitecture, partial(space.parse, text), f"{space.name}.parse({text!r})")
    impossible: list[Callable[[], object]] = [
        partial(space.at, 0),
        partial(space.index, space.seed),
        partial(space.crossover, space.seed, space.seed, rng),
        lambda: space.radices,
    ]
    for each in impossible:
        refused(Unsupported, each, f"{space.name} is no list of decisions")


def _check_text(space: SearchSpace, arch: Architecture) -> None:
    for text in (str(arch), space.format(arch)):
        require(space.parse(text) == arch, f"{space.name}: parse({text!r}) is {space.parse(text)}, not {arch}")


def _check_refusals(space: SearchSpace, arch: Architecture) -> None:
    c = arch.choices
    wrong = [Architecture(space.name, x) for x in ((), c[1:], (*c, 0), (-1, *c[1:]), (*c[:-1], 10**6))]
    for bad in (*wrong, Architecture(f"not-{space.name}", c)):
        require(not space.is_valid(bad), f"{space.name}: {bad} passes for valid")
        refused(InvalidArchitecture, partial(space.check, bad), f"{space.name}.check({bad})")


def _check_neighbors(space: SearchSpace, arch: Architecture) -> None:
    near = space.neighbors(arch)
    require(arch not in near, f"{space.name}: {arch} is its own neighbor")
    require(len(set(near)) == len(near), f"{space.name}: {arch} has a neighbor twice")
    require(near == space.neighbors(arch), f"{space.name}: the neighbors of {arch} have no fixed order")
    wrong = [other for other in near if not space.is_valid(other)]
    require(not wrong, f"{space.name}: of {arch} the neighbors {', '.join(map(str, wrong[:3]))} are not valid")
    looked_at = max(2, min(A_FEW, MOST // max(1, len(near))))  # of neighborhoods of thousands few: each has as many
    for other in near[:: len(near) // looked_at + 1]:
        require(arch in space.neighbors(other), f"{space.name}: {other} is a neighbor of {arch}, not the reverse")


def _check_canonical(space: SearchSpace, arch: Architecture) -> None:
    key = space.canonical(arch)
    twin = Architecture(arch.space, tuple(arch.choices))
    require(hash(key) == hash(space.canonical(twin)), f"{space.name}: canonical({arch}) is not a stable key")
    require(key == space.canonical(twin), f"{space.name}: canonical({arch}) differs between equal architectures")
    if isinstance(key, Architecture):
        require(space.is_valid(key), f"{space.name}: canonical({arch}) is {key}, which is not valid")
        require(space.canonical(key) == key, f"{space.name}: canonical is not idempotent on {arch}")


def _check_graph(space: SearchSpace, arch: Architecture) -> None:
    with suppress(Unsupported):
        graph = space.graph(arch)
        forward = all(0 <= source < target < len(graph.nodes) for source, target, _ in graph.edges)
        require(forward, f"{space.name}: the graph of {arch} has an edge that does not lead forward between its nodes")


def _check_listing(space: SearchSpace) -> None:
    archs = list(space.architectures())
    require(len(set(archs)) == len(archs) == space.size, f"{space.name}: size {space.size}, {len(set(archs))} listed")
    for i, arch in enumerate(archs):
        require(space.is_valid(arch), f"{space.name}: at({i}) is {arch}, which is not valid")
        require(space.index(arch) == i, f"{space.name}: index({arch}) is {space.index(arch)}, not {i}")
    rows = [list(arch.choices) for arch in archs]
    require(space.choice_matrix.tolist() == rows, f"{space.name}: choice_matrix is not in the order of at()")


def _check_growth(space: SearchSpace, archs: list[Architecture]) -> None:
    try:
        reached = set(space.smallest())
    except Unsupported:
        refused(Unsupported, partial(space.grow, archs[0]), f"{space.name} has no smallest(): grow()")
        refused(Unsupported, partial(space.complexity, archs[0]), f"{space.name} has no smallest(): complexity()")
        return
    require(reached, f"{space.name}: smallest() is empty")
    everything = space.size <= LISTED
    some = random.Random(0).sample(sorted(reached), min(A_FEW, len(reached)))
    frontier = list(reached) if everything else [*some, *archs]
    for arch in frontier:  # becomes longer while it is walked, where the space is small
        require(space.is_valid(arch), f"{space.name}: growing made {arch}, which is not valid")
        for larger in space.grow(arch):
            step = space.complexity(larger) - space.complexity(arch)
            require(step > 0, f"{space.name}: {arch} grows to {larger}, in complexity by {step}")
            if everything and larger not in reached:
                reached.add(larger)
                frontier.append(larger)
    if everything:
        greatest = max(map(space.complexity, space.architectures()))
        missed = [arch for arch in space.architectures() if space.complexity(arch) == greatest and arch not in reached]
        require(not missed, f"{space.name}: grow does not reach {len(missed)} largest architectures, {missed[:1]}")
