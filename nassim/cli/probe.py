"""nassim probe: is what a study found a local optimum? Every single decision changed, all skips, none."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from nassim.benchmark import Benchmark
from nassim.cli.completion import benchmarks
from nassim.cli.console import DeviceOption, Json, console, print_json
from nassim.cli.tables import print_table, say
from nassim.errors import InvalidSetting, MissingData
from nassim.query import Query
from nassim.registry import get_benchmark
from nassim.space import Architecture, SearchSpace
from nassim.study import Study

TRAININGS = 20  # changes that are trained, where nobody says how many
SKIPS, NOTHING = ("skip_connect", "identity", "skip"), ("none", "zero", "no")


class Change(NamedTuple):
    """One changed architecture: what was changed, and whether that is a skip added, one removed or another option."""

    what: str
    kind: str
    arch: Architecture


def main(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that compare wrote.")],
    benchmark: Annotated[
        str, typer.Option("--benchmark", help="One of the study's; default: all.", autocompletion=benchmarks)
    ] = "",
    most: Annotated[
        int | None,
        typer.Option(min=1, help=f"Changes at most, drawn evenly. Default: all; {TRAININGS} where each is a training."),
    ] = None,
    device: DeviceOption = "auto",
    as_json: Json = False,
) -> None:
    """Change single decisions of a study's best answer, add all skips, remove all: how many are worse?

    On a table the means over repeats are looked up, on SPACE/DATA:training changed networks are trained.
    """
    study = Study.open(folder)
    if benchmark and benchmark not in study.benchmarks:
        raise InvalidSetting(f"{folder} has no {benchmark!r:.80}: it has {', '.join(study.benchmarks)}.")
    found = [probed(study, name, most, device) for name in ([benchmark] if benchmark else study.benchmarks)]
    if as_json:
        print_json(found)
        return
    for each in found:
        _print(each)


def probed(study: Study, name: str, most: int | None, device: str) -> dict[str, object]:
    """The best answer of a study on a benchmark, and what came of its changes."""
    bench = get_benchmark(name, "mean")
    if bench.trains:
        bench = get_benchmark(name, "repeat=1")
        bench.move(device)
    arch = best(study, name, bench)
    value = _valued(bench)
    changes = list(changed(bench.space, arch))
    limit = most or (TRAININGS if bench.trains else len(changes))
    asked = sorted(random.Random(0).sample(range(len(changes)), min(limit, len(changes))))
    own = value(arch)
    if bench.trains:
        console(stderr=True).print(f"{name}: {len(asked)} changed networks are trained, each once, under one seed")
    values = [(changes[i], value(changes[i].arch)) for i in asked]
    kinds = {
        kind: _counted([v - own for change, v in values if change.kind == kind])
        for kind in dict.fromkeys(change.kind for change, _ in values)
    }
    top = max(values, key=lambda pair: pair[1], default=None)
    return {
        "benchmark": name,
        "architecture": str(arch),
        "metric": bench.search_metric,
        "value": own,
        "by": "trained" if bench.trains else "surrogate" if bench.about.surrogate else "table",
        "single_changes": len(changes),
        "looked_at": len(values),
        **_counted([v - own for _, v in values]),
        "kinds": kinds,
        "best_change": None if top is None else {"what": top[0].what, "value": top[1]},
        **{key: None if other is None else value(other) for key, other in extremes(bench.space, arch).items()},
    }


def best(study: Study, name: str, bench: Benchmark) -> Architecture:
    """The best final answer of all runs on a benchmark."""
    ends = [run.curve[-1] for run in study.runs if run.benchmark == name and run.curve]
    if not ends:
        raise MissingData(f"the study has no answer on {name}: nothing can be changed.")
    end = max(ends, key=lambda point: (point.valid if point.valid is not None else point.test) or 0.0)
    return bench.space.parse(end.architecture)


def changed(space: SearchSpace, arch: Architecture) -> Iterator[Change]:
    """All architectures of a space that differ in one decision that counts, and are another network."""
    bits = {i for row in space.anchors for i in row}
    same = space.canonical(arch)
    for i in sorted(space.active(arch)):
        decision, c = space.decisions[i], arch.choices
        for option, label in enumerate(decision.options):
            other = Architecture(space.name, (*c[:i], option, *c[i + 1 :]))
            if option == c[i] or not space.is_valid(other) or space.canonical(other) == same:
                continue
            before = decision.options[c[i]]
            kind = "another option"
            if i in bits or (label in SKIPS and before in NOTHING):
                kind = "skip added"
            if (i in bits and option == 0) or (before in SKIPS and label in NOTHING):
                kind = "skip removed"
            yield Change(f"{decision.name}: {before} -> {label}", kind, other)


def extremes(space: SearchSpace, arch: Architecture) -> dict[str, Architecture | None]:
    """With all skips, and with none; None where that is no architecture, or the space has no skips.

    Skips are bits of anchor points, else operations called skip or identity, whose opposite is none.
    """
    bits = {i for row in space.anchors for i in row}
    found: dict[str, Architecture | None] = {}
    for key, here, there in (("all_skips", NOTHING, SKIPS), ("no_skips", SKIPS, NOTHING)):
        choices = list(arch.choices)
        for i, decision in enumerate(space.decisions):
            target = next((o for o, label in enumerate(decision.options) if label in there), None)
            if i in bits:
                choices[i] = int(key == "all_skips")
            elif not bits and target is not None and decision.options[choices[i]] in here:
                choices[i] = target
        other = Architecture(space.name, tuple(choices))
        found[key] = other if other != arch and space.is_valid(other) else None
    return found


def _valued(bench: Benchmark) -> Callable[[Architecture], float]:
    if bench.trains:
        return lambda arch: bench.query(Query(arch), random.Random(0)).value
    return lambda arch: bench.mean_accuracy(arch, bench.search_metric)


def _counted(differences: list[float]) -> dict[str, int]:
    return {
        "worse": sum(d < 0 for d in differences),
        "equal": sum(d == 0 for d in differences),
        "better": sum(d > 0 for d in differences),
    }


def _print(found: dict[str, object]) -> None:
    bench = get_benchmark(str(found["benchmark"]))
    read = bench.metric.read
    kinds, top = found["kinds"], found["best_change"]
    assert isinstance(kinds, dict)
    say(f"\n{found['architecture']} on {found['benchmark']}: {read(_number(found['value']))} ({found['by']})", "bold")
    rows = [[kind, sum(c.values()), c["worse"], c["equal"], c["better"]] for kind, c in kinds.items()]
    whole = [found["looked_at"], found["worse"], found["equal"], found["better"]]
    print_table(["single change", "looked at", "worse", "equal", "better"], [*rows, ["all", *whole]])
    if found["looked_at"] != found["single_changes"]:
        say(f"There are {found['single_changes']} single changes; these were drawn, evenly.")
    say(
        "No single change that was looked at is better: a local optimum."
        if not found["better"]
        else f"Not a local optimum: {top['what']} gives {read(_number(top['value']))}."  # type: ignore[index]
    )
    for key, words in (("all_skips", "With all skips"), ("no_skips", "Without skips")):
        value = found[key]
        say(f"{words}: {'no other architecture of the space' if value is None else read(_number(value))}.")


def _number(value: object) -> float:
    assert isinstance(value, (int, float))
    return float(value)
