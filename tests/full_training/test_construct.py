"""Networks as torch modules against what `measure` says of them, and against operations written out."""

from __future__ import annotations

import random

import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402

from nassim.errors import InvalidNetwork  # noqa: E402
from nassim.full_training.networks.construct import _ACTIVATIONS, _MODULES, construct, initialize  # noqa: E402
from nassim.layers import ACTIVATIONS, KINDS  # noqa: E402
from nassim.network import Draft, Layer, Network, measure  # noqa: E402
from nassim.registry import get_space, space_names  # noqa: E402
from nassim.segmentation import SegmentationSpace  # noqa: E402

BUILT = [name for name in space_names() if get_space(name).frame is not None]


def made(network: Network, seed: int = 0):
    module = construct(network)
    initialize(module, torch.Generator().manual_seed(seed))
    return module


def noise(*shape: int, seed: int = 1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_every_kind_has_its_module() -> None:
    assert set(_MODULES) == set(KINDS) - {"input", "identity", "mix", "edge"}  # a supernet runs these two itself
    assert set(_ACTIVATIONS) == set(ACTIVATIONS)


@pytest.mark.parametrize("name", BUILT)
def test_modules_are_what_measure_says(name: str) -> None:
    """Parameters, and the shape of every layer's output while images pass; on small images, forward and backward."""
    space, rng = get_space(name), random.Random(5)
    pixels = isinstance(space, SegmentationSpace)
    for image in ((1, 16, 16), (16, 16, 16) if pixels else (16, 8, 8)):
        frame = space.frame._replace(channels=8, cells=1, classes=7, image=image)
        network = space.network(space.sample(rng), frame)
        m, module = measure(network), made(network)
        counted = sum(p.numel() for n, p in module.named_parameters() if not n.startswith("auxiliary"))
        assert counted == m.parameters
        shapes = {layer.name: shape for layer, shape in zip(network.layers, m.shapes, strict=True)}
        seen = {}

        def hook(name: str, seen=seen):
            return lambda _module, _inputs, output: seen.update({name: tuple(output.shape[1:])})

        running = [layer.name for layer in network.layers if layer.kind not in ("input", "identity", "pixels")]
        for layer in running:
            module.get_submodule(layer).register_forward_hook(hook(layer))
        logits = module(noise(2, *image))
        assert logits.shape == ((2, 7, 16, 16) if pixels else (2, 7))
        assert seen == {layer: shapes[layer] for layer in running}
        wanted = torch.tensor([0, 1])
        F.cross_entropy(logits, wanted[:, None, None].expand(2, 16, 16) if pixels else wanted).backward()
        assert all(torch.isfinite(p.grad).all() for p in module.parameters() if p.grad is not None)


@pytest.mark.parametrize(
    ("kind", "settings", "inputs", "function"),
    [
        ("add", {}, 3, lambda a, b, c: a + b + c),
        ("concat", {}, 2, lambda a, b: torch.cat([a, b], 1)),
        ("multiply", {}, 2, lambda a, b: a * b),
        ("global_pool", {}, 1, lambda a: a.mean((2, 3))),
        ("max_pool", {}, 1, lambda a: F.max_pool2d(a, 3, 1, 1)),
        ("avg_pool", {"kernel": 5, "stride": 3, "padding": 0}, 1, lambda a: F.avg_pool2d(a, 5, 3)),
        ("avg_pool", {"stride": 2}, 1, lambda a: F.avg_pool2d(a, 3, 2, 1, count_include_pad=False)),
        ("resize_channels", {"channels": 2}, 1, lambda a: a[:, :2]),
        ("resize_channels", {"channels": 5}, 1, lambda a: torch.cat([a, torch.zeros(2, 2, 8, 8)], 1)),
        ("crop", {}, 1, lambda a: a[:, :, 1:, 1:]),
        ("zero", {}, 1, torch.zeros_like),
        ("upsample", {"factor": 2}, 1, lambda a: a.repeat_interleave(2, 2).repeat_interleave(2, 3)),
        ("drop_path", {}, 1, lambda a: a),
        ("identity", {}, 1, lambda a: a),
        ("activation", {"function": "swish"}, 1, lambda a: a * torch.sigmoid(a)),
        ("activation", {"function": "hard_swish"}, 1, lambda a: a * (a + 3).clamp(0, 6) / 6),
    ],
)
def test_operations_are_what_their_names_say(kind, settings, inputs, function) -> None:
    draft = Draft((3, 8, 8))
    sources = [0, *(draft.add(f"tanh{i}", "activation", 0, function="tanh") for i in range(inputs - 1))]
    network = draft.network(draft.add("it", kind, *sources, **settings))
    x = noise(2, 3, 8, 8)
    torch.testing.assert_close(made(network)(x), function(x, *[x.tanh()] * (inputs - 1)).flatten(1))


def test_weights_follow_from_seed_and_name() -> None:
    """A layer of the same name in two networks begins alike; the global generator is left alone."""

    def network(deep: bool) -> Network:
        draft = Draft((3, 4, 4))
        x = draft.add("stem", "conv", 0, channels=4, kernel=3)
        if deep:
            x = draft.add("middle", "conv", x, channels=4, bias=True)
        return draft.network(draft.add("head", "linear", x, channels=2))

    state = torch.get_rng_state()
    shallow, deep, other = made(network(False)), made(network(True)), made(network(True), seed=1)
    assert torch.equal(torch.get_rng_state(), state)
    assert set(deep.state_dict()) == {"stem.weight", "middle.weight", "middle.bias", "head.weight", "head.bias"}
    for name, weight in shallow.state_dict().items():
        assert torch.equal(weight, deep.state_dict()[name])
        assert not torch.equal(weight, other.state_dict()[name])


def test_names_that_torch_cannot_give() -> None:
    image = Layer("image", "input", (), {"channels": 3, "height": 4, "width": 4})
    for name in ("forward", "a.train", "training"):
        with pytest.raises(InvalidNetwork, match=name):
            construct(Network((image, Layer(name, "conv", (0,), {"channels": 2}))))
    with pytest.raises(InvalidNetwork, match="nothing is left"):
        construct(Network((image, Layer("a", "max_pool", (0,), {"kernel": 9, "padding": 0}))))


def test_the_second_output_is_there_in_training_only() -> None:
    draft = Draft((3, 4, 4))
    x = draft.add("stem", "conv", 0, channels=2)
    auxiliary = draft.add("auxiliary.head", "linear", x, channels=5)
    module = made(draft.network(draft.add("head", "linear", x, channels=5), auxiliary))
    images = noise(2, 3, 4, 4)
    logits, second = module(images)
    assert logits.shape == second.shape == (2, 5) and not torch.equal(logits, second)
    assert torch.equal(module.eval()(images), logits)


def test_dropped_paths_keep_the_mean_and_come_from_their_generator() -> None:
    draft = Draft((1, 1, 1))
    module = made(draft.network(draft.add("it", "drop_path", 0)))
    drop = module.get_submodule("it")
    x = torch.ones(4000, 1, 1, 1)
    assert torch.equal(module(x), x.flatten(1))
    drop.probability, drop.generator = 0.3, torch.Generator().manual_seed(0)
    state = torch.get_rng_state()
    dropped = module(x)
    assert torch.equal(torch.get_rng_state(), state)
    assert {round(float(v), 4) for v in dropped.unique()} == {0.0, round(1 / 0.7, 4)}
    assert float(dropped.mean()) == pytest.approx(1.0, abs=0.05)
    drop.generator.manual_seed(0)
    assert torch.equal(module(x), dropped)
    assert torch.equal(module.eval()(x), x.flatten(1))
