"""Live, recorded and proxy: where the answers of a weight-sharing strategy come from, and that it is said."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

import nassim
from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.cli.main import main
from nassim.errors import InvalidSetting, MissingData, Unsupported
from nassim.plots import anytime_figure, panels_figure
from nassim.study import Study, compare
from nassim.summary import summary_rows
from nassim.supernet import Moment, Recording, Supernets
from nassim.testing.problems import Answers

DARTS = nassim.get_algorithm("darts")
CELLS = ("000300", "333300", "333333")
RUNS = {seed: tuple(Moment(SPACE.parse(cell), 10.0 + seed) for cell in CELLS) for seed in range(4)}
SETTINGS = {"images": "stripes", "images_sha256": "ab12"}


def recording(algorithm: nassim.Algorithm = DARTS, **changes: Any) -> Recording:
    hyperparameters = algorithm.hyperparameters(SPACE, "nasbench201/stripes")
    made = Recording("darts", "nasbench201/stripes", hyperparameters, SETTINGS, "an abacus", RUNS)
    return replace(made, **changes)


def supernets(*recordings: Recording, **changes: Any) -> Supernets:
    def make(seed: int, device: str) -> Any:
        raise AssertionError("nothing is to be trained")

    made = Supernets(
        benchmark="nasbench201/stripes",
        space=SPACE,
        settings=SETTINGS,
        make=make,
        recordings=lambda name, folder: [r for r in recordings if r.algorithm == name],
        write=lambda *_: Path(),
        folder=Path(),
        published_seconds=lambda name, hyperparameters: 3000.0,
        published_source="A table",
    )
    return replace(made, **changes)


def bench(found: Supernets | None, name: str = "nasbench201/stripes") -> Answers:
    made = Answers(name, SPACE, lambda arch: 0.5 + SPACE.index(arch) / (4 * SPACE.size))
    made.supernets = found
    made.optimum = lambda metric="valid_accuracy": 0.75  # type: ignore[method-assign]
    return made


STRIPES = bench(supernets(recording()))
PROXY = bench(
    supernets(benchmark="nasbench201/plaid", settings={"images": "plaid"}, stand_in=supernets(recording())),
    "nasbench201/plaid",
)


# -- run ----------------------------------------------------------------------------------------------


def test_a_recorded_run_answers_what_was_answered_when_it_was_answered() -> None:
    result = nassim.run("darts", STRIPES, "150q", seed=2)
    assert result.mode == "recorded" and result.trials == [] and result.stopped == "finished"
    assert [x.arch for x in result.incumbents] == [SPACE.parse(cell) for cell in CELLS]
    assert [x.seconds for x in result.incumbents] == list(accumulate([12.0] * 3))
    assert [x.valid for x in result.incumbents] == [STRIPES.mean_accuracy(SPACE.parse(cell)) for cell in CELLS]
    assert result.hyperparameters == DARTS.hyperparameters(SPACE)
    assert "an abacus" in result.note and "nasbench201/stripes's images" in result.note
    assert result == nassim.run("darts", STRIPES, "150q", seed=2)


def test_a_budget_in_seconds_cuts_it_and_one_in_queries_never_does() -> None:
    assert len(nassim.run("darts", STRIPES, "1q").incumbents) == 3
    cut = nassim.run("darts", STRIPES, "29.9s")
    assert [x.seconds for x in cut.incumbents] == [10.0, 20.0] and cut.stopped == "budget"
    assert len(nassim.run("darts", STRIPES, "30s").incumbents) == 3


def test_a_proxy_costs_the_published_seconds_and_says_so() -> None:
    result = nassim.run("darts", PROXY, "150q", seed=1)
    assert result.mode == "proxy"
    assert [x.seconds for x in result.incumbents] == [1000.0, 2000.0, 3000.0]
    assert [x.valid for x in result.incumbents] == [PROXY.mean_accuracy(SPACE.parse(cell)) for cell in CELLS]
    for said in ("nasbench201/stripes's images", "published", "3,000 s of A table"):
        assert said in result.note
    assert PROXY.supernets is not None
    unpublished = bench(replace(PROXY.supernets, published_seconds=lambda *_: None), "nasbench201/plaid")
    result = nassim.run("darts", unpublished, "150q", seed=1)
    assert result.incumbents[0].seconds == 11.0 and "published" not in result.note


def test_own_recordings_go_before_the_stand_ins() -> None:
    own = recording(benchmark="nasbench201/plaid", supernet={"images": "plaid"})
    both = supernets(own, benchmark="nasbench201/plaid", settings={"images": "plaid"}, stand_in=supernets(recording()))
    assert nassim.run("darts", bench(both, "nasbench201/plaid"), "1q").mode == "recorded"


REFUSED: list[tuple[nassim.Algorithm, Supernets, tuple[str, ...]]] = [
    (DARTS, supernets(), ("nothing is recorded", "nassim record darts", "--live")),
    (DARTS.configured(order=2), supernets(recording()), ("order is 1, not 2", "--set order=2")),
    (DARTS, supernets(recording(supernet={**SETTINGS, "images_sha256": "cd34"})), ("images_sha256 is cd34, not ab12",)),
    (nassim.get_algorithm("gdas"), supernets(recording()), ("nothing is recorded of gdas",)),
]


@pytest.mark.parametrize(("algorithm", "found", "says"), REFUSED)
def test_a_recording_of_another_configuration_is_refused(
    algorithm: nassim.Algorithm, found: Supernets, says: tuple[str, ...]
) -> None:
    with pytest.raises(MissingData) as error:
        nassim.run(algorithm, bench(found), "150q")
    assert all(text in str(error.value) for text in says), error.value


def test_the_recording_of_the_asked_configuration_is_taken() -> None:
    second = DARTS.configured(order=2)
    other = recording(second, runs={0: (Moment(SPACE.parse("111111"), 1.0),)})
    found = bench(supernets(recording(), other))
    assert str(nassim.run(second, found, "1q").best.arch).endswith("1-1-1-1-1-1")
    assert str(nassim.run(DARTS, found, "1q").best.arch).endswith("3-3-3-3-3-3")


def test_a_seed_that_is_not_recorded() -> None:
    with pytest.raises(MissingData, match="seeds 0-3, not with 4"):
        nassim.run("darts", STRIPES, "150q", seed=4)


def test_without_a_supernet() -> None:
    with pytest.raises(Unsupported, match=r"toy/additive has none.*nasbench201/cifar10"):
        nassim.run("darts", "toy/additive", "150q")
    with pytest.raises(Unsupported, match="without a supernet"):
        DARTS.begin(SPACE, random.Random(0))


@pytest.mark.slow
def test_live_trains_now(tiny_supernets: Supernets) -> None:
    quick = DARTS.configured(epochs=2, batch_size=16)
    found = bench(tiny_supernets)
    first, again = (nassim.run(quick, found, "150q", seed=1, live=True, device="cpu") for _ in range(2))
    assert first.mode == "live" and len(first.incumbents) == 2
    assert [x.arch for x in first.incumbents] == [x.arch for x in again.incumbents]
    assert first.seconds > 0 and first.thinking_seconds > 0
    assert "trained now" in first.note
    with pytest.raises(InvalidSetting, match="'abacus' is not a device"):
        nassim.run(quick, found, "150q", live=True, device="abacus")


# -- compare ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def study() -> Study:
    return compare(["re", "darts"], [STRIPES, PROXY, "toy/additive"], "12q", seeds=6)


def test_a_comparison_has_as_many_runs_as_are_recorded(study: Study) -> None:
    rows = {(row["benchmark"], row["strategy"]): row for row in summary_rows(study)}
    assert study.complete
    assert rows["nasbench201/stripes", "darts"]["seeds"] == 4
    assert rows["nasbench201/stripes", "regularized_evolution"]["seeds"] == 6
    modes = {key: row["mode"] for key, row in rows.items() if key[1] == "darts"}
    assert modes == {("nasbench201/stripes", "darts"): "recorded", ("nasbench201/plaid", "darts"): "proxy"}
    assert {run.mode for run in study.runs if run.strategy != "darts"} == {"black-box"}
    assert len(compare(["darts"], [STRIPES], "12q", seeds=2).of("nasbench201/stripes", "darts")) == 2


def test_the_study_says_what_its_one_shot_runs_are(study: Study) -> None:
    kept = study.settings["one_shot"]
    assert set(kept) == {"darts on nasbench201/stripes", "darts on nasbench201/plaid"}
    assert kept["darts on nasbench201/stripes"]["configuration"] == recording().configuration
    assert kept["darts on nasbench201/plaid"]["note"].startswith("proxy: ")
    assert list(study.settings["left_out"]) == ["darts on toy/additive"]


def test_figures_label_the_mode_and_the_number_of_runs(study: Study) -> None:
    def labels(axes: Any) -> set[str]:
        return {text.get_text() for text in axes.get_legend().get_texts()}

    assert "darts (4 seeds, recorded)" in labels(anytime_figure(study, "nasbench201/stripes").axes[0])
    assert "darts (4 seeds, proxy)" in labels(anytime_figure(study, "nasbench201/plaid").axes[0])
    panels = panels_figure(study).axes
    assert [axes.get_title(loc="left").partition(":")[0] for axes in panels] == study.benchmarks
    assert all(len(labels(axes)) >= 2 for axes in panels)


def test_the_curve_ends_where_the_recording_ends(study: Study) -> None:
    (line,) = [
        line
        for line in anytime_figure(study, "nasbench201/stripes").axes[0].get_lines()
        if str(line.get_label()).startswith("darts")
    ]
    assert max(line.get_xdata()) == 3 * 13.0  # the slowest of the four


def test_where_nothing_that_was_named_can_run(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="Name another strategy"):
        compare(["darts"], ["toy/additive"], "9q", seeds=1)
    with pytest.raises(MissingData, match="order is 1, not 2"):
        compare(["re", DARTS.configured(order=2)], [STRIPES], "9q", seeds=1)


def test_live_seeds_are_counted_separately(tiny_supernets: Supernets) -> None:
    quick = DARTS.configured(epochs=1, batch_size=16)
    study = compare(["re", quick], [bench(tiny_supernets)], "5q", seeds=3, live_seeds=2, device="cpu")
    assert [run.mode for run in study.runs if run.strategy == "darts"] == ["live", "live"]
    assert len(study.of("nasbench201/stripes", "regularized_evolution")) == 3


def test_a_study_of_recordings_is_not_continued_with_others(tmp_path: Path) -> None:
    compare(["darts"], [STRIPES], "9q", seeds=2, out=tmp_path).close()
    changed = recording(runs=dict.fromkeys(range(4), (RUNS[0][0],)), supernet={"images": "other"})
    other = bench(supernets(changed, settings={"images": "other"}))
    with pytest.raises(InvalidSetting, match="one_shot"):
        compare(["darts"], [other], "9q", seeds=2, out=tmp_path)


# -- the command line, and without torch --------------------------------------------------------------


Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]) -> Typed:
    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


def test_run_prints_the_mode(typed: Typed) -> None:
    code, out, err = typed("run", "darts", "nasbench201/cifar10")
    assert code == 0, err
    assert "proxy: the supernet learned nasbench201/digits's images" in out
    assert "10,890 s of Dong & Yang 2020, Table 5" in out


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_compare_prints_the_mode(typed: Typed, tmp_path: Path) -> None:
    arguments = ("--budget", "5q", "--seeds", "12", "--jobs", "1", "--out", str(tmp_path))
    code, out, err = typed("compare", "--algos", "re,darts,gdas", "--benchmark", "nasbench201/cifar10", *arguments)
    assert code == 0, err
    for line in ("darts (proxy)", "gdas (proxy)", "darts is proxy: ", "gdas is proxy: "):
        assert line in out
    (row,) = [line for line in out.splitlines() if line.startswith("darts (proxy)")]
    assert row.split()[2] == "10"  # of the twelve seeds


# As where torch is not installed: no finder finds it.
NO_TORCH = """
import sys
from importlib.machinery import PathFinder
class WithoutTorch(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name == "torch" else super().find_spec(name, path, target)
sys.meta_path = [WithoutTorch if finder is PathFinder else finder for finder in sys.meta_path]
from nassim.cli.main import main
main({})
"""


@pytest.mark.slow
def test_recorded_runs_need_no_torch_and_live_ones_name_it(tmp_path: Path) -> None:
    arguments = ["compare", "--algos", "re,darts,enas", "--benchmark", "nasbench201/cifar10", "--budget", "3q"]
    arguments += ["--seeds", "2", "--jobs", "1", "--out", str(tmp_path)]
    done = subprocess.run([sys.executable, "-c", NO_TORCH.format(arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for command in (["run", "darts", "nasbench201/cifar10", "--live"], ["record", "darts"]):
        done = subprocess.run([sys.executable, "-c", NO_TORCH.format(command)], capture_output=True, text=True)
        assert done.returncode == 2
        assert "pip install nassim[train]" in done.stderr and "Traceback" not in done.stderr
