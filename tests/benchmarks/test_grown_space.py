"""The space of networks that grow: layers spelled as choices, moves that are morphs, and its limits."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

import nassim
from nassim.benchmarks.spaces.grown import FRAME, seed_network
from nassim.encodings import encode
from nassim.errors import InvalidArchitecture, InvalidNetwork, Unsupported
from nassim.morph_space import MorphSpace
from nassim.morphs import EXACT, Morph
from nassim.network import Frame, measure
from nassim.space import Architecture
from nassim.spelling import NO_CHANGE, WIDTHS
from nassim.testing.problems import Answers

SPACE = nassim.get_space("grown")
assert isinstance(SPACE, MorphSpace)


def walk(seed: int, steps: int) -> list[Architecture]:
    rng, found = random.Random(seed), [SPACE.seed]
    for _ in range(steps):
        found.append(SPACE.random_morph(found[-1], rng) or found[-1])
    return found


def test_the_seed_is_the_papers_initial_network() -> None:
    network = SPACE.network(SPACE.seed, FRAME)
    kinds = [layer.kind for layer in network.layers]
    block = ["conv", "batch_norm", "activation"]
    assert kinds == ["input", *block, "max_pool", *block, "max_pool", *block, "global_pool", "linear"]
    weights = 3 * 16 * 9 + 2 * 16 * 16 * 9 + 3 * 2 * 16 + 16 * 10 + 10
    assert measure(network).parameters == weights
    assert SPACE.parse(str(SPACE.seed)) == SPACE.seed and SPACE.seed.choices[:2] == (NO_CHANGE, 0)


def test_choices_spell_the_network_and_its_names() -> None:
    for arch in walk(1, 15):
        network = SPACE.network(arch, FRAME)
        assert SPACE.encode(network) == arch == SPACE.parse(str(arch))
        again = SPACE.network(SPACE.parse(str(arch)), FRAME)
        assert [layer.name for layer in network.layers] == [layer.name for layer in again.layers]


def test_a_walk_of_exact_morphs_is_exact_from_the_seed() -> None:
    path = walk(2, 12)
    assert all(SPACE.transfer(a, b).exact for a, b in pairwise(path))
    assert SPACE.transfer(path[0], path[-1]).exact
    assert not SPACE.transfer(path[-1], path[0]).exact


def test_neighbors_are_the_children_of_morphs_and_need_not_be_mutual() -> None:
    near = SPACE.neighbors(SPACE.seed)
    children = {SPACE.morphed(SPACE.seed, morph) for morph in SPACE.morphs(SPACE.seed, EXACT)}
    assert children <= set(near) and SPACE.seed not in near
    assert any(SPACE.seed not in SPACE.neighbors(other) for other in near[:3])


def test_a_frame_scales_all_widths() -> None:
    arch = walk(3, 6)[-1]
    half = Frame(channels=8, cells=1, classes=10, image=(3, 32, 32))
    for wide, narrow in zip(SPACE.network(arch, FRAME).layers, SPACE.network(arch, half).layers, strict=True):
        if wide.kind == "conv":
            assert narrow.settings["channels"] == int(wide.settings["channels"]) // 2  # type: ignore[call-overload]


def test_genes_of_the_training_are_factors() -> None:
    arch = Architecture("grown", (NO_CHANGE + 2, 2, *SPACE.seed.choices[2:]))
    assert SPACE.is_valid(arch)
    assert SPACE.recipe(arch) == pytest.approx({"rate": 2.0, "momentum": 0.76 / 0.9})
    assert SPACE.recipe(SPACE.seed) == {}
    child = SPACE.morphed(arch, next(SPACE.morphs(arch)))
    assert child.choices[:2] == arch.choices[:2]  # genes are inherited


def test_equal_networks_are_equivalent_whatever_their_layers_are_called() -> None:
    arch = walk(4, 5)[-1]
    network = SPACE.network(arch, FRAME)
    renamed = [
        x._replace(name=f"n{900 - i}.{x.name.partition('.')[2]}") if 0 < i < len(network.layers) - 2 else x
        for i, x in enumerate(network.layers)
    ]
    other = SPACE.encode(network._replace(layers=tuple(renamed)))
    assert other != arch and SPACE.canonical(other) == SPACE.canonical(arch)
    assert SPACE.canonical(arch) != SPACE.canonical(SPACE.seed)


@pytest.mark.parametrize("side", [1, 4, 7, 14, 16, 28])
def test_what_fits_images_of_32_pixels_fits_smaller_ones(side: int) -> None:
    """Whatever is grown, exactly or not: no search ends because a map has vanished."""
    rng, frame = random.Random(side), FRAME._replace(image=(3, side, side))
    for _ in range(6):
        arch = SPACE.seed
        for _ in range(12):
            arch = SPACE.mutate(arch, rng)
        assert measure(SPACE.network(arch, frame)).parameters == measure(SPACE.network(arch, FRAME)).parameters


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("grown:", "Write grown:"),
        ("grown:8", "the gene of the momentum is missing"),
        ("grown:99-0", "the gene of the rate is 99, not 0 to 16"),
        ("grown:8-0-77", "part 77"),
        ("grown:8-0-0-1-99-3-1-1", "the width of n1.conv is 99"),
        ("grown:8-0-0-1-8-9-1-1", "the kernel of n1.conv is 9"),
        ("grown:8-0-0-1-8-3-1", "an input of n1.conv is missing"),
        ("grown:8-0-0-1-8-3-1-0", "no input before itself"),
        ("grown:8-0-0-1-8-3-1-5", "an input of n1.conv is 5"),
        ("grown:8-0-0-1-8-3-1-1-0-1-8-3-1-1", "another layer has the same name"),
        ("grown:8-0-9-1-2-1-2", "an input of n1.add"),
        ("grown:8-0-7-1-2-1-1", "the kernel 2 of n1.pool is even"),
        ("grown:8-0-7-1-3-0-1", "must be at least 1"),
        ("elsewhere:8-0", "is not an architecture of grown"),
        ("grown:" + "1-" * 9000 + "1", "is not an architecture of grown"),
        ("grown:8-0-" + "5-1-1-" * 400 + "5", "is not an architecture of grown"),
    ],
)
def test_what_is_no_architecture_is_one_line(text: str, said: str) -> None:
    with pytest.raises(InvalidArchitecture, match=said) as caught:
        SPACE.parse(text)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 900


def test_growth_beyond_the_limits_is_refused_and_a_search_goes_on_elsewhere() -> None:
    small = MorphSpace("small", seed_network(), FRAME, most_layers=14, most_parameters=12_000)
    rng, arch = random.Random(0), small.seed
    deeper = next(small.morphs(arch, ("deepen",)))
    arch = small.morphed(arch, deeper)
    with pytest.raises(InvalidArchitecture, match="it has 17 layers, more than 14"):
        small.morphed(arch, Morph("deepen", "n1.relu", 3))
    with pytest.raises(InvalidArchitecture, match="parameters, more than 12,000"):
        small.morphed(arch, Morph("widen", "n3.conv", 256))
    with pytest.raises(InvalidArchitecture, match="not on the grid"):
        small.morphed(arch, Morph("widen", "n3.conv", 17))
    with pytest.raises(InvalidNetwork, match="does not apply"):
        small.morphed(arch, Morph("widen", "head", 17))
    for _ in range(40):  # what does not fit is left out
        arch = small.random_morph(arch, rng) or arch
        assert small.is_valid(arch)


@pytest.mark.slow
def test_what_needs_decisions_refuses_with_one_line() -> None:
    bench = Answers("grown", SPACE, lambda arch: 0.5)
    for name in ("gp_bo", "reinforce", "nsga2", "bananas", "genetic_cnn", "pnas", "bohb", "cgp", "smbo"):
        with pytest.raises(Unsupported, match="grown") as caught:
            nassim.run(name, bench, "40q")
        assert "\n" not in str(caught.value)
    with pytest.raises(Unsupported, match="grown"):
        encode(SPACE, [SPACE.seed])


@pytest.mark.slow
def test_what_lives_on_mutations_searches_it() -> None:
    bench = Answers("grown", SPACE, lambda arch: min(0.9, 0.5 + len(arch.choices) / 1000))
    for name in ("rs", "re", "local_search"):
        assert len(nassim.run(name, bench, "12q").trials) == 12


def test_the_grid_has_four_steps_to_an_octave() -> None:
    assert len(WIDTHS) == 25 and all(WIDTHS[i + 4] == 2 * WIDTHS[i] for i in range(len(WIDTHS) - 4))
