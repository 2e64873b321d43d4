"""What cannot be searched says so in one line: no memory, no supernet, recordings and files of others, `none` alone."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import nassim
from nassim.benchmarks.spaces import darts, nasbench201
from nassim.errors import CorruptData, InvalidSetting, MissingData, Unsupported
from nassim.network import Frame
from nassim.registry import get_supernets
from nassim.supernet import Moment, Recording, Supernets
from nassim.tabular_data.recordings import read_recordings, write_recording

torch = pytest.importorskip("torch")

from nassim.full_training.networks.construct import initialize  # noqa: E402
from nassim.full_training.relaxations.mixtures import Mix, softmax  # noqa: E402
from nassim.full_training.supernets import memory  # noqa: E402
from nassim.full_training.supernets.mixed import MixedNetwork  # noqa: E402


def made(network: Any) -> Any:
    initialize(network, torch.Generator().manual_seed(1))
    return network


# -- memory -------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("space", [nasbench201.SPACE, darts.SPACE], ids=lambda space: space.name)
def test_the_estimate_is_about_what_a_step_keeps(space: Any) -> None:
    """Held against the tensors that automatic differentiation keeps, each storage once."""
    net, layout, images = made(MixedNetwork(space.supernet(Frame(8, 3, 3, (1, 16, 16))))), space.layout, 16
    mix = softmax(torch.zeros(len(layout.groups), max(layout.widths), requires_grad=True), layout.widths)
    weights = {w.untyped_storage().data_ptr() for w in net.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        net(torch.zeros(images, 1, 16, 16), mix)
    fixed, an_image = memory.estimate(net, mix)
    assert fixed == 12 * sum(w.numel() for w in net.parameters())
    assert 0.5 < images * an_image / sum(kept.values()) < 2.0


def test_a_supernet_larger_than_memory_names_the_setting(
    tiny_supernets: Supernets, monkeypatch: pytest.MonkeyPatch
) -> None:
    net: Any = tiny_supernets.make(0, "cpu")
    fixed, an_image = memory.estimate(net.network, net.path(nasbench201.SPACE.parse("333333")))
    monkeypatch.setattr(memory, "free_memory", lambda device: (fixed + 10.5 * an_image) / memory.SHARE)
    net.schedule(1, 0.1, 0.01, weight_decay=0.0)
    train = next(net.training_batches(0, 16))
    with pytest.raises(
        InvalidSetting, match=r"on 16 images needs about .* GB, .* free on cpu: --set batch_size=10 would"
    ):
        net.step(net.path(nasbench201.SPACE.parse("333333")), train)
    monkeypatch.setattr(memory, "free_memory", lambda device: 1.0)
    fresh: Any = tiny_supernets.make(0, "cpu")
    with pytest.raises(InvalidSetting, match="fewer channels or cells"):
        fresh.loss(fresh.path(nasbench201.SPACE.parse("333333")), train)


def test_free_memory_is_what_the_system_says() -> None:
    assert memory.free_memory(torch.device("cpu")) > 1e6
    assert memory.free_memory(torch.device("meta")) == float("inf")


# -- none everywhere ----------------------------------------------------------------------------------


def test_none_on_every_edge_is_a_network_of_its_head_alone() -> None:
    for space, none in ((nasbench201.SPACE, nasbench201.SPACE.parse("000000")), (darts.SPACE, None)):
        net = made(MixedNetwork(space.supernet(Frame(4, 3, 3, (1, 8, 8)))))
        active = space.layout.path(none) if none is not None else ((0,),) * len(space.layout.groups)
        x = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        out = net(x, Mix(active))
        assert out.shape == (4, 3) and bool(torch.isfinite(out).all())
        assert torch.equal(out[0], out[1])  # whatever the image is
        out.sum().backward()
    weights = torch.zeros(28, 8)
    weights[:, 0] = 1.0  # a mixture that is none everywhere
    answer = darts.SPACE.layout.answer(weights.tolist())
    assert darts.SPACE.is_valid(answer)


# -- recordings and benchmarks ------------------------------------------------------------------------


def a_recording(**supernet: object) -> Recording:
    settings = nassim.get_algorithm("darts").hyperparameters(nasbench201.SPACE, "nasbench201/digits")
    known = {**get_supernets("nasbench201/digits").settings, **supernet}
    rng = random.Random(0)
    runs = {0: tuple(Moment(nasbench201.SPACE.sample(rng), 1.0, scores=((0.2,) * 5,) * 6) for _ in range(2))}
    return Recording("darts", "nasbench201/digits", settings, known, "an abacus", runs)


def test_a_recording_of_another_revision_is_refused(tmp_path: Path) -> None:
    old = a_recording(revision=1)
    bench = nassim.get_benchmark("nasbench201/digits")
    bench.supernets = replace(get_supernets("nasbench201/digits"), recordings=lambda name, folder: [old])
    with pytest.raises(MissingData, match="revision is 1, not") as error:
        nassim.run("darts", bench, "1h")
    assert "\n" not in str(error.value)


def test_a_recording_of_another_layout_is_refused(tmp_path: Path) -> None:
    made = a_recording()
    (moment, *_) = made.runs[0]
    wrong = replace(made, runs={0: (moment._replace(scores=((0.5, 0.5),) * 3),)})
    write_recording(wrong, tmp_path)
    with pytest.raises(CorruptData, match="6 scores for 30 options") as error:
        read_recordings("nasbench201/digits", nasbench201.SPACE, "darts", tmp_path)
    assert "\n" not in str(error.value)


def test_a_search_on_a_benchmark_without_a_supernet_says_which_have_one() -> None:
    with pytest.raises(Unsupported, match=r"There is one for .*darts/cifar10.*nasbench201/digits") as error:
        nassim.run("darts", "genetic_cnn/fashion14", "1h")
    assert "\n" not in str(error.value)
