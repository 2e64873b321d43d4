"""Proposals of a smaller network: at each place the mildest change that saves enough."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from nassim.errors import InvalidArchitecture, InvalidNetwork
from nassim.morph_space import MorphSpace
from nassim.morphs import Morph, tied
from nassim.objectives import Constraint, Objective
from nassim.space import Architecture, SearchSpace
from nassim.spelling import WIDTHS
from nassim.strategy import Measure

Resource = Callable[[Architecture], float]


def resource_of(measure: Measure, constraint: Constraint | None, objectives: Sequence[Objective]) -> Resource:
    """What is to shrink: the constraint's, else the first objective's that is a cost, else multiply-adds or parameters.

    Where a benchmark measures none of them, the sum of the numbers of the options.
    """
    names = [constraint.name] if constraint is not None else [each.name for each in objectives if each.minimize][:1]

    def resource(arch: Architecture) -> float:
        known: Mapping[str, float] = measure(arch)
        found = [known[name] for name in (*names, "flops", "parameters") if name in known]
        return float(found[0]) if found else float(sum(arch.choices))

    return resource


def proposals(space: SearchSpace, arch: Architecture, resource: Resource, least: float) -> list[Architecture]:
    """For each place the architecture that saves ``least`` or more, the least of those; places without are left out.

    A place is a width with all that sums tie to it where networks grow, else a decision of the space.
    """
    now = resource(arch)
    found = []
    for place in _widths(space, arch) if isinstance(space, MorphSpace) else _decisions(space, arch):
        costs = {each: resource(each) for each in place}
        saving = [each for each, cost in costs.items() if now - cost >= least]
        if saving:
            found.append(max(saving, key=lambda each: costs[each]))
    return list(dict.fromkeys(found))


def _decisions(space: SearchSpace, arch: Architecture) -> Iterator[list[Architecture]]:
    places: dict[int, list[Architecture]] = {}
    for other in space.neighbors(arch):
        first = next(i for i, (a, b) in enumerate(zip(arch.choices, other.choices, strict=True)) if a != b)
        places.setdefault(first, []).append(other)
    yield from places.values()


def _widths(space: MorphSpace, arch: Architecture) -> Iterator[list[Architecture]]:
    network = space.network(arch, space.frame)
    seen: set[str] = set()
    for layer in network.layers:
        if layer.kind != "conv" or layer.settings.get("groups", 1) != 1 or layer.name in seen:
            continue
        seen.update(tied(network, layer.name))
        narrower = []
        for width in WIDTHS[: WIDTHS.index(int(str(layer.settings["channels"])))]:
            try:
                narrower.append(space.morphed(arch, Morph("prune", layer.name, width)))
            except (InvalidNetwork, InvalidArchitecture):
                continue
        yield narrower
