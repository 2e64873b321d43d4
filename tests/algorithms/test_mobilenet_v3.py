"""MobileNetV3: where its two sizes begin, and NetAdapt's steps; fixed networks."""

from __future__ import annotations

import random
from typing import Any

import pytest

import nassim
from nassim.errors import InvalidSetting, Unsupported
from nassim.objectives import Constraint
from nassim.query import Batch, Query, Trial
from nassim.space import Architecture
from nassim.testing import check_strategy
from nassim.testing.problems import Answers

MBCONV = nassim.get_space("mbconv")
A1 = MBCONV.parse("MnasNet-A1")


class Sized(Answers):
    """Each choice is worth something, and costs something else."""

    def measure(self, arch: Architecture) -> dict[str, float]:
        return {"flops": 100.0 + sum((1 + i % 5) * c for i, c in enumerate(arch.choices))}


def problem(space: Any = MBCONV) -> Sized:
    return Sized("sized", space, lambda arch: 0.4 + sum((1 + i % 3) * c for i, c in enumerate(arch.choices)) / 1000)


@pytest.mark.slow
def test_contract() -> None:
    check_strategy(nassim.get_algorithm("mobilenet_v3"))


@pytest.mark.slow
def test_contract_of_fixed_networks() -> None:
    check_strategy(nassim.get_algorithm("fixed"))


def asked(bench: Sized, settings: dict[str, object], **given: Any) -> list[Batch]:
    """The batches of a search, answered by the problem."""
    algorithm = nassim.get_algorithm("mobilenet_v3").configured(**settings)
    search, found = algorithm.begin(bench.space, random.Random(0), measure=bench.measure, **given), []
    while isinstance(message := search.ask(), Batch):
        found.append(message)
        results = [bench.query(Query(query.arch), random.Random(0)) for query in message.queries]
        search.tell([Trial(q, r, 0.0, 1.0, 0) for q, r in zip(message.queries, results, strict=True)])
    return found


@pytest.mark.slow
def test_large_begins_with_mnasnet_a1_and_small_with_a_search() -> None:
    assert [query.arch for query in asked(problem(), {"size": "large"})[0].queries] == [A1]
    small = asked(problem(), {"size": "small", "searched": 60})
    archs = [query.arch for batch in small for query in batch.queries][:60]
    assert A1 not in archs and len(set(archs)) > 30 and not small[0].queries[0].inherit


def test_every_step_saves_delta_and_the_first_within_the_target_is_trained_again() -> None:
    bench = problem()
    first, *steps, last = asked(bench, {"delta": 0.02, "target": 0.85})
    whole, now = bench.measure(A1)["flops"], A1
    assert [query.arch for query in first.queries] == [A1] and len(steps) > 1
    for step in steps:
        archs = [query.arch for query in step.queries]
        assert bench.measure(now)["flops"] > 0.85 * whole and {query.inherit for query in step.queries} == {"morph"}
        saved = [bench.measure(now)["flops"] - bench.measure(arch)["flops"] for arch in archs]
        assert min(saved) >= 0.02 * whole
        ratios = [(bench.mean_accuracy(a) - bench.mean_accuracy(now)) / s for a, s in zip(archs, saved, strict=True)]
        now = archs[ratios.index(max(ratios))]
    assert bench.measure(now)["flops"] <= 0.85 * whole
    assert [(query.arch, query.inherit) for query in last.queries] == [(now, "")]


def test_the_constraint_is_the_target() -> None:
    bench = problem()
    limit = 0.95 * bench.measure(A1)["flops"]
    *_, last = asked(bench, {}, constraint=Constraint("flops", "<=", limit, ""))
    assert bench.measure(last.queries[0].arch)["flops"] <= limit


@pytest.mark.parametrize("settings", [{"delta": 1.0}, {"target": 0.0}, {"target": 1.5}])
def test_bad_settings_are_one_line(settings: dict[str, float]) -> None:
    with pytest.raises(InvalidSetting, match="between 0 and 1"):
        nassim.run(nassim.get_algorithm("mobilenet_v3").configured(**settings), problem(), "5q")


def test_fixed_networks_are_trained_once_each_and_the_run_ends() -> None:
    run = nassim.run("fixed", problem(), "50q")
    assert [trial.arch for trial in run.trials] == [MBCONV.parse(name) for name in MBCONV.known]
    assert run.stopped == "finished" and run.note.startswith("not a search: MnasNet-A1, ")
    one = nassim.run("fixed[network=MobileNetV2]", problem(), "50q")
    assert [trial.arch for trial in one.trials] == [MBCONV.parse("MobileNetV2")]


def test_a_network_that_a_space_does_not_hold_is_left_out_with_one_line() -> None:
    with pytest.raises(Unsupported, match=r"mbconv holds no network ResNet\. It knows MnasNet-A1, ") as raised:
        nassim.run("fixed[network=ResNet]", problem(), "5q")
    assert "\n" not in str(raised.value)
    assert "holds no published network" in nassim.run("fixed", "toy/additive", "5q").note


def test_every_known_network_is_one_of_its_space() -> None:
    from nassim.registry import get_space, space_names

    held = {name: list(get_space(name).known) for name in space_names() if get_space(name).known}
    assert {"mbconv", "nasbench201", "darts", "accel_nasbench"} <= set(held)
    for name, networks in held.items():
        for network in networks:
            get_space(name).check(get_space(name).parse(get_space(name).known[network]))
