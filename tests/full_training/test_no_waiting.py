"""No step waits for its device: of a training, of a supernet, of many networks at once; in every space.

There is no accelerator here, so that everything lies on ``meta``: shapes without values, which cannot be read at all.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.overrides import TorchFunctionMode  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402
from torch.utils._pytree import tree_leaves  # noqa: E402

from nassim.benchmarks.spaces.darts_supernet import SUBSPACES, DartsLayout, supernet  # noqa: E402
from nassim.full_training.images.batches import plan_epoch, to_device  # noqa: E402
from nassim.full_training.images.data import ImageData, Split  # noqa: E402
from nassim.full_training.networks.construct import Noise, construct, initialize  # noqa: E402
from nassim.full_training.networks.framed import network_of  # noqa: E402
from nassim.full_training.networks.nasbench201 import build  # noqa: E402
from nassim.full_training.networks.small_maps import as_matrices  # noqa: E402
from nassim.full_training.networks.stack import Stack  # noqa: E402
from nassim.full_training.relaxations.bilevel import unrolled_gradient  # noqa: E402
from nassim.full_training.relaxations.mixtures import dropped, small_logits, softmax  # noqa: E402
from nassim.full_training.supernets.mixed import MixedNetwork  # noqa: E402
from nassim.full_training.supernets.trainer import SharedNetwork  # noqa: E402
from nassim.full_training.tables.alone import descend  # noqa: E402
from nassim.full_training.tables.designs import frame_of  # noqa: E402
from nassim.full_training.training.learner import Learner  # noqa: E402
from nassim.full_training.training.many import together  # noqa: E402
from nassim.full_training.training.recipe import Recipe  # noqa: E402
from nassim.network import Frame  # noqa: E402
from nassim.registry import get_space, training_spaces  # noqa: E402
from nassim.space import SearchSpace  # noqa: E402

HOST = torch.device("cpu")
META = torch.device("meta")
_MADE_OF_NUMBERS = {torch.tensor, torch.as_tensor, torch.asarray}  # of the host, and then copied
_SHAPED_BY_VALUES = ("nonzero", "masked_select", "_unique", "unique_dim", "unique_consecutive", "equal.default")


class Waits(AssertionError):
    """The host waits for the device, or hands it something in the middle of its work."""


class _Made(TorchFunctionMode):
    """Tensors that are made of the host's numbers: the dispatcher does not show that they are copied."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _MADE_OF_NUMBERS and torch.device(kwargs.get("device") or HOST) != HOST:
            raise Waits(f"torch.{func.__name__}({args[0]!r:.60}) copies numbers of the host to the device")
        return func(*args, **kwargs)


class NoWaiting(TorchDispatchMode):
    """Raises `Waits` for every value of the device that the host reads, and every copy between the two.

    A number on the host is read freely (optimizers count their steps there), and may be a factor: its value is
    known when the operation is given to the device.
    """

    def __enter__(self) -> NoWaiting:
        self._made = _Made()
        self._made.__enter__()
        return super().__enter__()  # type: ignore[no-any-return]

    def __exit__(self, *raised: Any) -> None:
        super().__exit__(*raised)
        self._made.__exit__(*raised)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = str(func)
        given = [each for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)]
        devices = {each.device for each in given if each.device != HOST or each.ndim > 0}
        if "_local_scalar_dense" in name and given[0].device != HOST:
            raise Waits(f"{name}: the host reads a number of the device")
        if devices - {HOST} and any(part in name for part in _SHAPED_BY_VALUES):
            raise Waits(f"{name}: a shape or an answer that only the values say")
        if name.startswith("aten.index") and any(each.dtype is torch.bool for each in given[1:]):
            raise Waits(f"{name}: chosen by a mask, of which only the values say how many")
        if "_to_copy" in name or "copy_" in name:
            devices |= {each.device for each in given}
            devices |= {torch.device(kwargs["device"])} if kwargs.get("device") is not None else set()
        if len(devices) > 1:
            raise Waits(f"{name}: copied between {', '.join(sorted(map(str, devices)))}")
        return func(*args, **kwargs)


def without_waiting(step: Callable[[], object]) -> None:
    """Do something twice, the second time with every wait an error: what is made once may be copied once."""
    step()
    with NoWaiting():
        step()


RECIPE = Recipe("tiny", channels=8, cells=1, epochs=3, batch=8, crop=2, flip=True, cutout=2, clip=5.0, smoothing=0.1)
WITH_SUPERNETS = [n for n in training_spaces() if type(get_space(n)).supernet is not SearchSpace.supernet]


def images(side: int = 16) -> ImageData:
    rng = np.random.default_rng(0)
    splits = {
        name: Split(rng.integers(0, 256, (32, 3, side, side), dtype=np.uint8), np.arange(32) % 4)
        for name in ("train", "valid", "test")
    }
    return ImageData("tiny-images", 4, splits, {name: name for name in splits}, flip=True)


def learner(space: str, recipe: Recipe = RECIPE) -> Any:
    found, data = get_space(space), images()
    network = network_of(found.sample(random.Random(0)), recipe, data, found)
    made = Learner(network, data, recipe, 0, META, compiled=False)
    assert {weight.device for weight in made.network.parameters()} == {META}
    made.network.train()
    return made


# -- the guard ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "waits",
    [
        lambda x: x.sum().item(),
        lambda x: float(x.mean()),
        lambda x: bool((x > 0).any()),
        lambda x: x.tolist(),
        lambda x: x.cpu(),
        lambda x: x.copy_(torch.zeros(4)),
        lambda x: torch.zeros(4).to(x),
        lambda x: x[torch.tensor([0, 1])],
        lambda x: x + torch.zeros(4),
        lambda x: torch.tensor([1, 2], device=x.device),
        lambda x: x[x > 0],
        lambda x: torch.equal(x, x),
    ],
)
def test_what_waits_is_found(waits: Callable[[Any], object]) -> None:
    with pytest.raises(Waits), NoWaiting():
        waits(torch.ones(4, device=META))


def test_what_does_not_wait_is_left() -> None:
    x = torch.ones(4, device=META)
    with NoWaiting():
        x.mul_(2.0).add_(torch.zeros(4, device=META)).sum()
        x * torch.tensor(2.0)
        torch.ones(4).tolist()


def test_a_number_that_is_read_in_a_step_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    made, loss = learner("nasbench201"), Learner._loss

    def reads(self: Any, logits: Any, labels: Any) -> Any:
        found = loss(self, logits, labels)
        found.item()
        return found

    monkeypatch.setattr(Learner, "_loss", reads)
    with pytest.raises(Waits, match="reads a number of the device"), NoWaiting():
        made._gradients(made.images.images[:8, :, 2:-2, 2:-2], made.images.labels[:8])


# -- trainings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("space", training_spaces())
def test_a_step_of_a_training(space: str) -> None:
    made = learner(space)
    plan = plan_epoch(made.images, made.recipe, 0, 0)
    with NoWaiting():
        assert made.step(plan, 0, 0) is not None


@pytest.mark.slow
def test_a_step_that_drops_paths_and_has_an_auxiliary_head() -> None:
    recipe = Recipe("tiny", channels=8, cells=8, epochs=3, batch=8, crop=0, flip=False, drop_path=0.2, auxiliary=0.4)
    data, space = images(32), get_space("darts")
    network = network_of(space.sample(random.Random(0)), recipe, data, space)
    made = Learner(network, data, recipe, 0, META, compiled=False)
    made.network.train()
    made.begin(2)
    assert all(drop.probability > 0 for drop in made.drops) and made.drops
    batch = made.images.images[:8], made.images.labels[:8]
    with NoWaiting():
        made._gradients(*batch)


def test_an_evaluation_reads_its_numbers_at_the_end() -> None:
    made = learner("nasbench201")
    split = to_device(images(), "valid", META)
    with NoWaiting():
        made.counted(split)


def test_a_step_of_a_network_of_small_maps() -> None:
    space, data = get_space("genetic_cnn"), images(4)
    module = construct(space.network(space.sample(random.Random(0)), frame_of(data, RECIPE)))
    initialize(module, torch.Generator().manual_seed(0), META)
    as_matrices(module)
    optimizer = torch.optim.SGD(module.parameters(), 0.1, momentum=0.9)
    split = to_device(data, "train", META)
    without_waiting(lambda: descend(module, optimizer, split.images, split.labels))


@pytest.mark.parametrize("side", [4, 8, 16])
def test_a_step_of_many_networks_at_once(side: int) -> None:
    space, data = get_space("nasbench201"), images(side)
    archs = [space.sample(random.Random(seed)) for seed in range(3)]
    networks = []
    for arch in archs:
        network = build(arch, channels=4, cells=1, classes=data.classes)
        initialize(network, torch.Generator().manual_seed(0), META)
        networks.append(network)
    stack = Stack.of(networks, [arch.choices for arch in archs])
    split = to_device(data, "train", META, 1)
    recipe = Recipe("tiny", channels=4, cells=1, epochs=1, batch=8, crop=1, flip=True)
    plans = [plan_epoch(split, recipe, seed, 0) for seed in range(3)]
    momentum = torch.zeros_like(stack.flat)
    without_waiting(lambda: together(stack, split, plans, slice(0, 8), momentum, recipe, 0.1))


# -- supernets ----------------------------------------------------------------------------------------


def shared(space: SearchSpace) -> Any:
    net = SharedNetwork(space, images(), RECIPE, 0, META, settings={})
    net.schedule(2, 0.1, 0.01, weight_decay=1e-2, nesterov=True)
    return net


def test_batches_are_taken_on_the_device() -> None:
    net = shared(get_space("nasbench201"))
    pairs, scoring = net.batches(0, 8), net.scoring_batches(0, 4)
    without_waiting(lambda: next(pairs))
    without_waiting(lambda: next(scoring))


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_SUPERNETS)
def test_a_step_of_a_supernet(name: str) -> None:
    space = get_space(name)
    net = shared(space)
    arch, (train, valid) = space.sample(random.Random(0)), next(net.batches(0, 8))
    widths = net.layout.widths
    alpha = small_logits(widths, random.Random(0), META)
    adam = torch.optim.Adam([alpha], 1e-3)
    softmax(alpha, widths)  # which options there are is copied once
    with NoWaiting():
        net.step(net.path(arch), train)
        (alpha.grad,) = torch.autograd.grad(net.loss(softmax(alpha, widths), valid), [alpha])
        adam.step()
        net.step(softmax(alpha.detach(), widths), train)


@pytest.mark.slow
def test_a_look_ahead_of_a_supernet() -> None:
    net = shared(get_space("nasbench201_3ops"))
    train, valid = next(net.batches(0, 8))
    alpha = small_logits(net.layout.widths, random.Random(0), META)
    net.step(softmax(alpha.detach()), train)
    with NoWaiting():
        unrolled_gradient(
            *(alpha, net.weights, lambda batch: net.loss(softmax(alpha), batch), train, valid), net.next_update()
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["S1", "S4"])
def test_a_step_of_a_part_of_the_space_of_darts(name: str) -> None:
    net = MixedNetwork(supernet(SUBSPACES[name], Frame(4, 1, 4, (3, 16, 16))))
    widths = DartsLayout(get_space("darts"), SUBSPACES[name]).widths
    initialize(net, torch.Generator().manual_seed(0), META)
    for module in net.modules():
        if isinstance(module, Noise):
            module.generator = torch.Generator()
    alpha, x = small_logits(widths, random.Random(0), META), torch.ones(4, 3, 16, 16, device=META)
    without_waiting(lambda: net(x, softmax(alpha, widths)).sum().backward())
    without_waiting(lambda: net(x, dropped(widths, 0.1, 1.0, random.Random(1))).sum())


def test_groups_of_different_numbers_of_options() -> None:
    widths = (2, 3, 5)
    alpha = small_logits(widths, random.Random(0), META)
    without_waiting(lambda: softmax(alpha, widths))
