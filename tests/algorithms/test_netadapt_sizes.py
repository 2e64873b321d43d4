"""NetAdapt on a space of widths, without training."""

from __future__ import annotations

import nassim
from nassim.space import Architecture
from nassim.testing.problems import Answers


def test_netadapt_by_accuracy_alone_goes_another_way_on_the_size_space() -> None:
    space = nassim.get_space("natsbench-size")

    def worth(arch: Architecture) -> float:
        return 0.5 + sum(w * c for w, c in zip((2.5, 2.0, 1.0, 1.0, 1.0), arch.choices, strict=True)) / 400

    class Sized(Answers):
        def measure(self, arch: Architecture) -> dict[str, float]:
            return {"flops": float(sum((6 - i) ** 2 * (c + 1) for i, c in enumerate(arch.choices)))}

    paths = {}
    for criterion in ("ratio", "accuracy"):
        algorithm = nassim.get_algorithm("netadapt").configured(criterion=criterion)
        run = nassim.run(algorithm, Sized("sized", space, worth), "60q")
        paths[criterion] = [t.arch for t in run.trials]
        assert run.mode == "from scratch"
    assert paths["ratio"] != paths["accuracy"]


def test_a_named_network_is_the_first_and_the_search_ends_with_it() -> None:
    space = nassim.get_space("mbconv-v3-small")
    large = space.parse("MobileNetV3-Small")

    class Sized(Answers):
        def measure(self, arch: Architecture) -> dict[str, float]:
            return {"flops": float(sum(arch.choices))}

    problem = Sized("sized", space, lambda arch: sum(arch.choices) / 100)
    algorithm = nassim.get_algorithm("netadapt").configured(begin="MobileNetV3-Small", target=0.9)
    trials = nassim.run(algorithm, problem, "500q").trials
    assert trials[0].arch == large
    answer = trials[-1].arch
    assert sum(answer.choices) <= 0.9 * sum(large.choices)  # the first within the target, and no second round
    assert len(trials) < 500
