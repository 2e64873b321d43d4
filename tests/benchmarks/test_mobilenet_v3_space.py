"""MobileNetV3's two networks and what NetAdapt's steps make of them: published counts, hard swish, tied widths."""

from __future__ import annotations

import pytest

from nassim.benchmarks.spaces.mbconv_v3 import LARGE, SMALLER, SPACE, MobileNetV3Space
from nassim.network import Frame, measure
from nassim.space import Architecture
from nassim.testing import check_space


@pytest.mark.slow
def test_contract() -> None:
    check_space(SPACE)


def test_contract_of_the_small_space() -> None:
    check_space(SMALLER)


@pytest.mark.parametrize(
    ("space", "name", "exact", "parameters", "macs"),
    # Exact: torchvision's mobilenet_v3_large and mobilenet_v3_small; the others: Howard et al. 2019, tables 3 and 4.
    [(SPACE, "MobileNetV3-Large", 5_483_032, 5.4e6, 219e6), (SMALLER, "MobileNetV3-Small", 2_542_856, 2.5e6, 56e6)],
)
def test_published_counts(space: MobileNetV3Space, name: str, exact: int, parameters: float, macs: float) -> None:
    arch = space.parse(name)
    found = measure(space.network(arch, space.frame))
    assert found.parameters == exact == pytest.approx(parameters, rel=0.02)
    assert found.macs == pytest.approx(macs, rel=0.012)
    assert space.parse(space.format(arch)) == arch == space.parse(f"{space.name}:{name}")


def test_hard_swish_stands_in_the_deep_half_and_around_it() -> None:
    """Section 5.2: in the stem, from the layer on that has 80 channels, and in the last stage."""
    layers = SPACE.network(SPACE.parse("MobileNetV3-Large"), SPACE.frame).layers
    hard = {layer.name.rsplit(".", 1)[0] for layer in layers if layer.settings.get("function") == "hard_swish"}
    deep = {f"blocks.{i}.{part}" for i in range(6, 15) for part in ("expand", "depthwise")}
    assert hard == {"stem", *deep, "last", "units"}
    gates = [layer.name for layer in layers if layer.settings.get("function") == "hard_sigmoid"]
    assert len(gates) == sum(block.squeeze for block in LARGE) == 8


def test_a_step_narrows_an_expansion_or_all_blocks_of_a_stage() -> None:
    whole = SPACE.parse("MobileNetV3-Large")
    before = {layer.name: layer for layer in SPACE.network(whole, SPACE.frame).layers}
    for place, decision in enumerate(SPACE.decisions):
        choices = list(whole.choices)
        choices[place] -= 1
        narrower = SPACE.network(Architecture(SPACE.name, tuple(choices)), SPACE.frame)
        changed = {
            layer.name
            for layer in narrower.layers
            if layer.name.endswith("project.0") and layer.settings != before[layer.name].settings
        }
        stage = [i for i, block in enumerate(LARGE) if decision.name == f"width{SPACE.stages.index(block.width)}"]
        assert changed == {f"blocks.{i}.project.0" for i in stage}
        assert measure(narrower).macs < measure(SPACE.network(whole, SPACE.frame)).macs


def test_it_is_trained_at_half_its_width_on_small_images() -> None:
    found = measure(SPACE.network(SPACE.parse("MobileNetV3-Large"), Frame(8, 1, 10, (1, 28, 28))))
    assert found.parameters < 5_483_032 / 3
