"""CoDeepNEAT: genomes, species, credit and assembly."""

from __future__ import annotations

import random

import pytest

import nassim
from nassim.algorithms.parts.assembly import Grouped, Layered, world_of
from nassim.algorithms.parts.coevolution import Coevolution
from nassim.algorithms.parts.genomes import INPUT, OUTPUT, Genome, Marks, add_edge, add_node, crossed, in_order, reaches
from nassim.algorithms.parts.species import Member, Species
from nassim.morph_space import MorphSpace
from nassim.spelling import NO_CHANGE

GROWN = nassim.get_space("grown")
assert isinstance(GROWN, MorphSpace)


def modules(count: int, seed: int = 0) -> list[Genome]:
    world, rng = Layered(GROWN), random.Random(seed)
    found = []
    for _ in range(count):
        module = world.module("module", rng)
        for _ in range(rng.randrange(6)):
            module = world.changed(module, "module", rng)
        found.append(module)
    return found


def test_distance_of_a_genome_to_itself_is_zero_and_distances_are_symmetric() -> None:
    world, some = Layered(GROWN), modules(20)
    for a in some:
        assert world.apart(a, a) == 0.0
        assert all(world.apart(a, b) == pytest.approx(world.apart(b, a)) and world.apart(a, b) <= 2.0 for b in some)
    assert any(world.apart(some[0], b) > 0 for b in some)


def test_species_sizes_sum_to_the_population_and_keep_to_the_most() -> None:
    members = [Member(genome) for genome in modules(45)]
    species = Species(Layered(GROWN).apart, 0.3, 4)
    for _ in range(3):
        species.sort(members)
        assert sum(map(len, species.members.values())) == 45 and 1 < len(species.members) <= 4
        for member in members:
            member.fitness = 0.5
        members = species.next_generation(45, lambda m: m[0].genome)
        assert len(members) == 45


def test_the_same_change_has_the_same_mark_and_no_circle_is_closed() -> None:
    marks, rng = Marks(), random.Random(0)
    plain = Genome((), ((INPUT, OUTPUT),))
    one, other = (add_node(plain, (gene,), marks, rng) for gene in (1, 2))
    assert [mark for mark, _ in one.nodes] == [mark for mark, _ in other.nodes] == [2]
    genome = plain
    for _ in range(30):
        genome = add_node(genome, (0,), marks, rng) if rng.random() < 0.5 else add_edge(genome, rng)
        assert not any(reaches(genome.edges, b, a) for a, b in genome.edges)
        assert in_order(genome)[0] == INPUT and in_order(genome)[-1] == OUTPUT
    assert len({mark for mark, _ in genome.nodes}) == len(genome.nodes)
    better, worse = Genome(((2, (1,)), (3, (1,)))), Genome(((2, (9,)), (4, (9,))))
    children = {crossed(better, worse, rng) for _ in range(30)}
    assert children == {better, Genome(((2, (9,)), (3, (1,))))}  # the better one's structure, common genes of either


def test_credit_is_the_mean_and_who_was_not_used_keeps_its_fitness() -> None:
    used, unused, never = Member(Genome(())), Member(Genome(()), 0.7), Member(Genome(()))
    used.seen = [0.2, 0.4, 0.9]
    for member in (used, unused, never):
        member.credit()
    assert (used.fitness, unused.fitness, never.fitness) == (pytest.approx(0.5), 0.7, None)
    assert used.seen == []


def test_a_generation_credits_blueprints_and_modules_by_their_networks() -> None:
    both = Coevolution(GROWN, random.Random(3), modules=9, blueprints=4)
    both.sort(4, 0.3)
    networks = both.assembled(16)
    assert len(networks) == 16
    values = {id(network): 0.1 * i for i, network in enumerate(networks)}
    for network in networks:
        for member in network.used:
            member.seen.append(values[id(network)])
    both.credit()
    for member in [*both.blueprints, *both.modules["module"]]:
        own = [values[id(n)] for n in networks if any(m is member for m in n.used)]
        assert member.fitness == (pytest.approx(sum(own) / len(own)) if own else None)
    both.reproduce()
    assert len(both.blueprints) == 4 and len(both.modules["module"]) == 9


def test_pointers_to_one_species_mean_one_module_whose_layers_share_no_weights() -> None:
    world, rng = Layered(GROWN), random.Random(0)
    blueprint = Genome(((INPUT, (NO_CHANGE, 0)), (2, (0,)), (3, (0,))), ((INPUT, 2), (2, 3), (3, OUTPUT)))
    module = Genome(((2, (8, 3, 0)),), ((INPUT, 2), (2, OUTPUT)))
    arch = world.assembled(blueprint, {2: module, 3: module})
    assert arch is not None
    names = [layer.name for layer in GROWN.network(arch, GROWN.frame).layers if layer.kind == "conv"]
    assert len(names) == len(set(names)) == 2
    both = Coevolution(GROWN, rng, modules=9, blueprints=1)
    both.sort(1, 0.3)
    both.blueprints = [Member(blueprint)]
    for network in both.assembled(5):
        assert len(network.used) == 2  # the blueprint and one module


def test_unequal_maps_are_thinned_out_and_concatenated() -> None:
    world = Layered(GROWN)
    module = Genome(((2, (8, 3, 1)),), ((INPUT, 2), (INPUT, OUTPUT), (2, OUTPUT)))  # pooled, beside its input
    blueprint = Genome(((INPUT, (NO_CHANGE + 2, 3)), (2, (0,))), ((INPUT, 2), (2, OUTPUT)))
    arch = world.assembled(blueprint, {2: module})
    assert arch is not None
    kinds = [layer.kind for layer in GROWN.network(arch, GROWN.frame).layers]
    assert kinds.count("concat") == 1 and kinds.count("max_pool") == 2
    assert GROWN.recipe(arch)["rate"] == pytest.approx(2.0) and GROWN.recipe(arch)["momentum"] == pytest.approx(
        0.84 / 0.9
    )


def test_what_is_too_large_is_assembled_anew() -> None:
    world = Layered(GROWN)
    chain = Genome.of(
        dict.fromkeys(range(2, 50), (24, 3, 0)), {(INPUT, 2), *((k, k + 1) for k in range(2, 49)), (49, OUTPUT)}
    )
    blueprint = Genome(((INPUT, (NO_CHANGE, 0)), (2, (0,))), ((INPUT, 2), (2, OUTPUT)))
    assert world.assembled(blueprint, {2: chain}) is None


@pytest.mark.parametrize("name", ["toy", "nasbench201", "nasbench101", "nasbench_macro"])
def test_on_spaces_of_fixed_length_modules_are_choices_of_groups(name: str) -> None:
    space, rng = nassim.get_space(name), random.Random(0)
    world = world_of(space)
    assert isinstance(world, Grouped)
    both = Coevolution(space, rng, modules=9, blueprints=4)
    for _ in range(3):
        both.sort(4, 0.3)
        for network in both.assembled(8):
            assert space.is_valid(network.arch)
            for member in network.used:
                member.seen.append(rng.random())
        both.credit()
        both.reproduce()
