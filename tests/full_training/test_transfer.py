"""Weights that go from a network to another one: exact morphs leave what is computed as it was."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from nassim.full_training.networks.construct import Constructed, construct, initialize  # noqa: E402
from nassim.full_training.networks.transfer import by_norm, transfer  # noqa: E402
from nassim.inheritance import inherited  # noqa: E402
from nassim.morphs import APPROXIMATE, EXACT, Morph, morphed, places, tied  # noqa: E402
from nassim.network import NORMALIZED, RELU, Draft, Network, measure  # noqa: E402

CLASSES = 5


def random_network(rng: random.Random, side: int = 9) -> Network:
    """Normalization, sums, concatenations before flattening, strides, pooling, depthwise convolutions."""
    draft, counter = Draft((2, side, side)), iter(range(1, 1000))

    def block(source: int, channels: int, stride: int = 1, plain: bool = False) -> int:
        steps = [("conv", {"channels": channels, "kernel": rng.choice((1, 3)), "stride": stride})]
        if not plain:
            steps.append(NORMALIZED)
        return draft.chain(f"n{next(counter)}", source, *steps, RELU)  # type: ignore[arg-type]

    width = rng.choice((2, 3))
    x = block(0, width)
    for _ in range(rng.randint(2, 4)):
        kind = rng.choice(("block", "residual", "concat", "pool", "stride", "depthwise", "twice"))
        name = f"n{next(counter)}"
        if kind == "block":
            x = block(x, width, plain=rng.random() < 0.3)
        elif kind == "residual":
            inner = draft.chain(f"n{next(counter)}", block(x, width + 1), ("conv", {"channels": width}), NORMALIZED)
            x = draft.chain(name, draft.add(f"{name}.add", "add", x, inner), RELU)
        elif kind == "twice":
            other = block(x, width)
            x = draft.add(f"{name}.add", "add", block(other, width), other, block(x, width))
        elif kind == "concat":
            x = draft.add(f"{name}.concat", "concat", x, block(x, 2))
            width += 2
        elif kind == "pool":
            x = draft.add(f"{name}.pool", rng.choice(("max_pool", "avg_pool")), x, kernel=3, stride=2)
        elif kind == "stride":
            x = block(x, width, stride=2)
        else:
            x = draft.chain(name, x, ("conv", {"channels": width, "kernel": 3, "groups": width}), NORMALIZED, RELU)
    if rng.random() < 0.3:
        x = draft.add("before", "concat", x, x)
    if rng.random() < 0.4:
        x = draft.add("global", "global_pool", x)
    if rng.random() < 0.4:
        x = draft.add("hidden.act", "activation", draft.add("hidden", "linear", x, channels=6))
    return draft.network(draft.add("head", "linear", x, channels=CLASSES))


def trained(network: Network, seed: int, dtype: torch.dtype = torch.float64) -> Constructed:
    """A module whose weights and moments are none that an initialization gives."""
    module = construct(network)
    generator = torch.Generator().manual_seed(seed)
    initialize(module, generator)
    module.to(dtype)
    with torch.no_grad():
        for norm in module.modules():
            if isinstance(norm, torch.nn.BatchNorm2d):
                for value, low, high in ((norm.running_mean, -1, 1), (norm.running_var, 0.2, 3.0)):
                    value.uniform_(low, high, generator=generator)
                norm.weight.uniform_(0.5, 2.0, generator=generator)
                norm.bias.uniform_(-1.0, 1.0, generator=generator)
    return module.eval()


def child_of(
    parent: Network, module: Constructed, child: Network, way: str = "morph", moments: bool = True, seed: int = 7
) -> Constructed:
    made = construct(child)
    dtype = next(module.parameters()).dtype
    initialize(made, torch.Generator().manual_seed(seed))
    made.to(dtype).eval()
    transfer(parent, module.state_dict(), child, made, way, images(seed + 1, parent, dtype) if moments else None)
    return made.eval()


def images(seed: int, network: Network, dtype: torch.dtype = torch.float64, count: int = 3) -> torch.Tensor:
    shape = (count, *measure(network).shapes[0])
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def off(a: Constructed, b: Constructed, x: torch.Tensor) -> float:
    with torch.no_grad():
        return float((a(x) - b(x)).abs().max() / (1 + a(x).abs().max()))


def any_morph(network: Network, rng: random.Random, kinds: tuple[str, ...]) -> Morph | None:
    found = places(network, rng.choice(kinds))
    if not found:
        return None
    morph = rng.choice(found)
    if morph.kind == "widen":
        morph = morph._replace(amount=morph.amount // 2 + rng.randint(1, morph.amount))
    return morph


# -- exact morphs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", EXACT)
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_every_exact_morph_leaves_outputs_equal_in_float64(kind: str, seed: int) -> None:
    rng = random.Random(seed)
    network = random_network(rng)
    module = trained(network, seed)
    found = places(network, kind)
    for morph in rng.sample(found, min(3, len(found))):
        child = morphed(network, morph)
        assert child != network
        assert inherited(network, child).exact, morph
        assert off(module, child_of(network, module, child, moments=rng.random() < 0.5), images(3, network)) < 1e-10


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_chains_of_five_exact_morphs_leave_outputs_equal(seed: int) -> None:
    """Both when each child is the next one's parent, and when the last takes over from the first at once."""
    five_morphs(seed)


@pytest.mark.slow
@pytest.mark.parametrize("seeds", range(5))
def test_two_hundred_chains_of_five(seeds: int) -> None:
    for seed in range(40):
        five_morphs(1000 * seeds + seed)


def five_morphs(seed: int) -> None:
    rng = random.Random(seed)
    first = network = random_network(rng)
    module = original = trained(network, seed)
    x = images(5, network)
    for step in range(5):
        morph = any_morph(network, rng, EXACT)
        if morph is None:
            continue
        child = morphed(network, morph)
        module, network = child_of(network, module, child, seed=step), child
        assert off(original, module, x) < 1e-10
    assert inherited(first, network).exact
    assert off(original, child_of(first, original, network), x) < 1e-10


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_float32_agrees_to_five_digits(seed: int) -> None:
    rng = random.Random(seed)
    first = network = random_network(rng)
    original = trained(network, seed, torch.float32)
    for _ in range(5):
        morph = any_morph(network, rng, EXACT)
        network = network if morph is None else morphed(network, morph)
    assert off(original, child_of(first, original, network), images(5, first, torch.float32)) < 1e-5


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_whatever_is_called_exact_is_equal(seed: int) -> None:
    """Any morphs, approximate ones among them: where `inherited` says exact, outputs are equal."""
    rng = random.Random(seed)
    first = network = random_network(rng)
    original = trained(network, seed)
    for _ in range(rng.randint(1, 4)):
        morph = any_morph(network, rng, (*EXACT, *APPROXIMATE))
        network = network if morph is None else morphed(network, morph)
    made = child_of(first, original, network)
    if inherited(first, network).exact:
        assert off(original, made, images(5, first)) < 1e-10


def test_widened_channels_part_ways_in_training() -> None:
    """Copies share the weights behind them unequally, so that their gradients differ."""
    network = random_network(random.Random(1))
    module = trained(network, 1)
    place = places(network, "widen")[0]
    made = child_of(network, module, morphed(network, place)).train()
    made(images(3, network)).square().sum().backward()
    gradient = made.get_parameter(f"{place.place}.weight").grad
    half = place.amount // 2
    assert gradient is not None and not torch.allclose(gradient[0], gradient[half])


def test_new_normalizations_begin_with_the_moments_of_what_they_are_given() -> None:
    """So that a child computes nearly the same in training mode too."""
    network = random_network(random.Random(4))
    module = trained(network, 4)
    deeper = morphed(network, places(network, "deepen")[-1])
    x = images(8, network, count=64)
    made = construct(deeper)
    initialize(made, torch.Generator().manual_seed(0))
    made.double()
    transfer(network, module.state_dict(), deeper, made, images=x)
    new = made.get_submodule(next(layer.name for layer in deeper.layers if layer.name.endswith(".norm")))
    given = []
    new.register_forward_pre_hook(lambda _, inputs: given.append(inputs[0]))
    made.eval()(x)
    assert torch.allclose(new.running_mean, given[0].mean(dim=(0, 2, 3)))
    new.train()
    assert torch.allclose(new(given[0]), given[0], atol=1e-6)


# -- approximate ones, and the other ways -----------------------------------------------------------------


@pytest.mark.parametrize("kind", APPROXIMATE)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_approximate_morphs_say_so_and_can_be_built(kind: str, seed: int) -> None:
    rng = random.Random(seed)
    network = random_network(rng)
    module = trained(network, seed)
    for morph in rng.sample(found := places(network, kind), min(2, len(found))):
        child = morphed(network, morph)
        for way in ("morph", "norm", "match", "distill"):
            assert torch.isfinite(child_of(network, module, child, way)(images(2, network))).all()
        if kind in ("prune", "separate"):
            assert not inherited(network, child).exact


def test_pruning_keeps_the_filters_of_the_largest_norm_exactly() -> None:
    draft = Draft((2, 6, 6))
    x = draft.chain("a", 0, ("conv", {"channels": 4, "kernel": 3}), NORMALIZED, RELU)
    y = draft.chain("b", x, ("conv", {"channels": 4, "kernel": 3}), NORMALIZED)
    x = draft.add("sum", "add", x, y)
    network = draft.network(draft.add("head", "linear", x, channels=CLASSES))
    module = trained(network, 3)
    with torch.no_grad():
        module.get_parameter("a.0.weight")[1] *= 50
        module.get_parameter("b.0.weight")[3] *= 40
    assert tied(network, "b.0") == ("a.0", "b.0")
    child = morphed(network, Morph("prune", "b.0", 2))
    made = child_of(network, module, child, "norm")
    assert set(by_norm(network, module.state_dict())["a.0"][:2]) == {1, 3}
    for name in ("a.0", "b.0"):  # tied by the sum: both keep the same two
        kept = module.get_parameter(f"{name}.weight")[[1, 3]]
        assert torch.equal(made.get_parameter(f"{name}.weight"), kept if name == "a.0" else kept[:, [1, 3]])
    head = module.get_parameter("head.weight").view(CLASSES, 4, 36)[:, [1, 3]].flatten(1)
    assert torch.equal(made.get_parameter("head.weight"), head)
    first = child_of(network, module, child, "morph")
    assert torch.equal(first.get_parameter("a.0.weight"), module.get_parameter("a.0.weight")[:2])


def test_match_copies_equal_names_and_shapes_only() -> None:
    network = random_network(random.Random(11))
    module = trained(network, 2)
    morph = places(network, "widen")[0]
    child = morphed(network, morph)
    made = child_of(network, module, child, "match")
    before, after = module.state_dict(), made.state_dict()
    begun = inherited(network, child, "match").layers
    assert {name for name, how in begun.items() if how.start == "copy"} and begun[morph.place].start == "random"
    for name, how in begun.items():
        key = f"{name}.weight"
        assert (how.start == "copy") == (before[key].shape == after[key].shape and torch.equal(before[key], after[key]))
    assert torch.equal(child_of(network, module, network, "match")(images(1, network)), module(images(1, network)))


@pytest.mark.slow
def test_an_approximate_child_is_nearer_to_its_parent_than_a_random_network() -> None:
    """Over random networks, for each kind that keeps most weights: nearer in most cases, and in the mean."""
    for kind in ("prune", "separate"):
        nearer, total = 0, 0
        for seed in range(24):
            rng = random.Random(seed)
            network = random_network(rng)
            found = places(network, kind)
            if not found:
                continue
            module, child = trained(network, seed), morphed(network, rng.choice(found))
            fresh = construct(child)
            initialize(fresh, torch.Generator().manual_seed(seed))
            x = images(seed, network, count=16)
            nearer += off(module, child_of(network, module, child, "norm"), x) < off(module, fresh.double().eval(), x)
            total += 1
        assert total > 8 and nearer > 0.7 * total, (kind, nearer, total)
