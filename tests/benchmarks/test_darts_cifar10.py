"""darts/cifar10: NAS-Bench-301 at second hand, which comes with nassim."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import nassim
from nassim import Query
from nassim.benchmark import Noise
from nassim.benchmarks.darts import PATH, SURROGATE, load
from nassim.benchmarks.spaces.darts import SPACE
from nassim.benchmarks.spaces.darts_cells import adjacency_encoding
from nassim.benchmarks.spaces.darts_cost import FRAME, multiply_adds, parameters
from nassim.benchmarks.spaces.darts_features import BLOCKS, features
from nassim.cli.main import main
from nassim.errors import CorruptData, InvalidQuery, Unsupported
from nassim.network import measure
from nassim.surrogates.quality import Quality, cross_validated
from nassim.tabular_data.recipes import nasbench301_distilled as recipe
from nassim.tabular_data.table import Table
from nassim.testing import check_benchmark

COLUMNS = Table.open(PATH).columns
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def files(genuine: Callable[[str], Path]) -> dict[str, Path]:
    return {file.key: genuine(file.address) for file in recipe.FILES}


@pytest.fixture(scope="module")
def known(files: dict[str, Path]) -> tuple[np.ndarray, np.ndarray]:
    return recipe.predictions(files)


def samples(count: int, seed: int = 0) -> list[nassim.space.Architecture]:
    rng = random.Random(seed)
    return [SPACE.sample(rng) for _ in range(count)]


# -- the arrays that are shipped ------------------------------------------------------------------


def test_the_shipped_arrays_are_what_the_recipe_makes(files: dict[str, Path], tmp_path: Path) -> None:
    recipe.convert(files, tmp_path / "made.h5")
    made = Table.open(tmp_path / "made.h5")
    assert made.header.sha256 == recipe.SHA256 == Table.open(PATH).header.sha256
    assert made.header == Table.open(PATH).header
    assert PATH.stat().st_size < 1_000_000


def test_its_quality_is_at_least_that_of_plain_edges(known: tuple[np.ndarray, np.ndarray]) -> None:
    choices, values = known
    assert len(values) == 1218
    edges = adjacency_encoding(choices).astype(float)
    plain = Quality.of(cross_validated(edges, values, np.ones(edges.shape[1]), folds=10, seed=0), values)
    stored = Quality(*COLUMNS["cifar10/cross_validated"].tolist())
    assert plain == pytest.approx((0.87, 0.78, 0.66), abs=0.005)
    assert all(mine > other + 0.025 for mine, other in zip(stored, plain, strict=True))
    assert stored.r2 > 0.9 and stored.tau > 0.81 and stored.tau_upper > 0.7


def test_the_fit_is_close_to_what_it_was_fitted_to(known: tuple[np.ndarray, np.ndarray]) -> None:
    bench = nassim.get_benchmark("darts/cifar10")
    choices, values = known
    rows = range(0, 1218, 29)
    found = [
        bench.mean_accuracy(SPACE.check(nassim.space.Architecture("darts", tuple(choices[i].tolist())))) for i in rows
    ]
    assert np.corrcoef(found, values[::29])[0, 1] > 0.95
    assert np.abs(found - values[::29]).mean() < 0.0015
    assert bench.about.learned == pytest.approx((values.min(), values.max()), abs=1e-8)


def test_files_with_other_operations_are_refused(files: dict[str, Path], tmp_path: Path) -> None:
    """Were 5 and 6 exchanged, the recorded parameters would not fit."""
    swapped = {"5": "6", "6": "5"}
    other = {}
    for name, path in files.items():
        text = re.sub(r", ([56])\)", lambda m: f", {swapped[m[1]]})", path.read_text(encoding="utf-8"))
        other[name] = tmp_path / name
        other[name].write_text(text, encoding="utf-8")
    with pytest.raises(CorruptData, match="recorded parameters"):
        recipe.predictions(other)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"cifar10": []}', '{"cifar10": {"[[(0, 9)]]": {}}}', '{"cifar10": {"x": 3}}', "[" * 100_000],
)
def test_what_is_no_such_file_is_one_line(content: str, tmp_path: Path) -> None:
    path = tmp_path / "zc.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(CorruptData, match=r"^nasbench301_distilled: [^\n]*$"):
        recipe.predictions({"first": path, "second": path})


@pytest.mark.slow
def test_nassim_data_gets_and_verifies_it(
    files: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror = str(files["first"]).partition("/automl/")[0]
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    for arguments in (["get", recipe.NAME, "--mirror", mirror], ["verify", recipe.NAME]):
        with pytest.raises(SystemExit) as ended:
            main(["data", *arguments])
        assert not ended.value.code
    out = " ".join(capsys.readouterr().out.split())
    assert (
        "10-fold cross-validation: R2 0.910, Kendall's tau 0.816, in the upper half of the architectures 0.701" in out
    )
    assert "2 of 2 released files" in out and "made again from the released files: the same" in out


# -- sizes and features ---------------------------------------------------------------------------


def test_multiply_adds_and_parameters_are_those_of_the_network() -> None:
    archs = [*samples(12), *map(SPACE.parse, ("DARTS_V1", "PC_DARTS_cifar"))]
    choices = np.array([arch.choices for arch in archs])
    sizes = [measure(SPACE.network(arch, FRAME)) for arch in archs]
    assert multiply_adds(choices).tolist() == [size.macs for size in sizes]
    assert parameters(choices).tolist() == [size.parameters for size in sizes]


def test_features_by_hand() -> None:
    """DARTS_V2: normal cell of the nodes (0 sep3, 1 sep3), (0 sep3, 1 sep3), (0 skip, 1 sep3), (0 skip, 2 dil3)."""
    row = features(np.array([SPACE.parse("DARTS_V2").choices]))[0]
    assert len(row) == sum(BLOCKS.values()) == len(COLUMNS["cifar10/weights"])
    parts = dict(zip(BLOCKS, np.split(row, np.cumsum(list(BLOCKS.values()))[:-1]), strict=True))
    assert parts["pairs"].tolist() == [3, 1, 0, 0, 1, 1, 2, 0]
    first, second, nodes = parts["places"].reshape(3, 2, 7)[:, 0]
    assert first.tolist() == [0, 0, 2, 2, 0, 0, 0] and second.tolist() == [0, 0, 0, 3, 0, 0, 0]
    assert nodes.tolist() == [0, 0, 0, 0, 0, 1, 0]
    counts = parts["counts"].reshape(2, 28)[0]
    assert counts.max() == 25 and counts.sum() == (8**2 + 2**2 + 5**2 + 1**2) / 2, "2 skips, 5 sep3, 1 dil3"
    chains = parts["chains"].reshape(2, 7, 7)[0]
    assert chains[3, 5] == 2 and chains.sum() == 2, "the dil3 follows both sep3 of the first node"
    assert parts["shape"].tolist()[:6] == [0, 1, 0, 0, 1 + 1 + 1 + 2, 3]
    assert parts["size"][2:].tolist() == pytest.approx((parts["size"][:2] ** 2).tolist())


def test_the_order_of_nodes_does_not_matter() -> None:
    archs = samples(60, seed=2)
    others = [SPACE.canonical(arch) for arch in archs]
    assert sum(a != b for a, b in zip(archs, others, strict=True)) > 30
    first, second = (features(np.array([arch.choices for arch in each])) for each in (archs, others))
    assert np.array_equal(first, second)


# -- the benchmark --------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", ["draw", "mean", "repeat=1"])
def test_it_is_a_benchmark(noise: str) -> None:
    check_benchmark(load("cifar10", Noise.parse(noise)))


def test_what_it_has_not() -> None:
    bench = nassim.get_benchmark("darts/cifar10")
    arch = SPACE.parse("DARTS_V2")
    assert bench.optimum() is None and not bench.has_test
    with pytest.raises(Unsupported, match="validation accuracies only"):
        bench.test_accuracy(arch)
    with pytest.raises(InvalidQuery, match="repeat=2"):
        load("cifar10", Noise("repeat", 2))
    with pytest.raises(InvalidQuery, match="100 epochs, not after 50"):
        bench.query(Query(arch, 50), random.Random(0))
    assert bench.about.surrogate == SURROGATE and SURROGATE in bench.about.title


def test_costs_are_declared() -> None:
    bench = nassim.get_benchmark("darts/cifar10")
    arch = SPACE.parse("DARTS_V2")
    macs = measure(SPACE.network(arch, FRAME)).macs
    assert bench.query(Query(arch), random.Random(0)).cost == pytest.approx(3 * macs * 100 * 40_000 / 1e12)
    cheapest = bench.cheapest_cost()
    assert cheapest is not None
    assert all(bench.query(Query(a), random.Random(0)).cost >= cheapest for a in samples(30))


def test_random_architectures_are_within_what_it_was_fitted_to() -> None:
    bench = nassim.get_benchmark("darts/cifar10")
    assert bench.about.learned is not None
    low, high = bench.about.learned
    values = np.array([bench.mean_accuracy(arch) for arch in samples(300)])
    assert ((values >= low) & (values <= high)).mean() > 0.98
    assert 100 * values.mean() == pytest.approx(93.11, abs=0.1) and 100 * values.std() == pytest.approx(0.57, abs=0.1)


# -- what is said where a number appears ----------------------------------------------------------


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    assert not ended.value.code
    return " ".join(capsys.readouterr().out.split())


BEST = "3-2-0-3-4-0-2-2-3-3-4-0-4-0-4-4-0-4-4-0-0-4"  # what local search found with 300 queries


def test_query_says_surrogate_and_beyond(capsys: pytest.CaptureFixture[str]) -> None:
    usual = said(capsys, "query", "darts/cifar10", "DARTS_V2")
    assert SURROGATE in usual and "extrapolated" not in usual
    beyond = said(capsys, "query", "darts/cifar10", BEST)
    assert "above all that the surrogate was fitted to (90.73 % to 94.49 %): extrapolated" in beyond
    answer = json.loads(said(capsys, "query", "darts/cifar10", BEST, "--json"))
    assert (answer["surrogate"], answer["beyond_what_it_was_fitted_to"]) == (SURROGATE, "above")
    toy = json.loads(said(capsys, "query", "toy/additive", "0-0-0-0", "--json"))
    assert toy["surrogate"] is None and toy["beyond_what_it_was_fitted_to"] is None


def test_show_run_and_list_say_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert SURROGATE in said(capsys, "show", "darts/cifar10")
    assert "a surrogate: NAS-Bench-301 at second hand" in said(capsys, "list", "benchmarks")
    short = said(capsys, "run", "rs", "darts/cifar10", "--budget", "5q")
    assert SURROGATE in short and "caution" not in short
    long = said(capsys, "run", "re", "darts/cifar10", "--budget", "120q")
    assert "This run of regularized_evolution on darts/cifar10 ended with a prediction above all that" in long


@pytest.mark.slow
def test_compare_says_it_and_needs_neither_torch_nor_scikit_learn(tmp_path: Path) -> None:
    """From the command to the figure and the report, in a process of its own."""
    out = tmp_path / "study"
    code = (
        "import sys\nfrom nassim.cli.main import main\n"
        "words = 'compare --algos rs,re --benchmark darts/cifar10 --budget 60q --seeds 2 --jobs 1 --out'.split()\n"
        f"try: main([*words, {str(out)!r}])\n"
        "except SystemExit as ended: assert not ended.code, ended.code\n"
        "print('loaded', sorted({'torch', 'sklearn', 'xgboost'} & sys.modules.keys()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    text = " ".join(done.stdout.split())
    assert f"darts/cifar10 (surrogate, {SURROGATE})" in text
    assert "no best is known, hence no regret" in text and "regret IQM" not in text
    assert re.search(r"random_search 2 60 [\d,]+ 9\d\.\d\d ± ", text), "its values stand in the table"
    assert "loaded []" in text
    assert f"values on darts/cifar10 are predictions of a surrogate ({SURROGATE}), not trainings" in " ".join(
        (out / "report.md").read_text(encoding="utf-8").split()
    )


def test_the_figure_shows_predicted_accuracy(tmp_path: Path) -> None:
    from nassim.plots import anytime_figure

    study = nassim.compare(["rs", "re"], ["darts/cifar10"], "20q", seeds=2)
    (axes,) = anytime_figure(study, "darts/cifar10").axes
    assert axes.get_ylabel() == "predicted validation accuracy [%]" and SURROGATE in axes.get_title(loc="left")
    for line, strategy in zip(axes.lines, study.strategies, strict=False):
        ends = [100 * run.curve[-1].valid for run in study.of("darts/cifar10", strategy)]
        assert np.asarray(line.get_ydata())[-1] == pytest.approx(np.median(ends))
    assert str(study).count(SURROGATE) == 1


def test_the_page_has_the_figures() -> None:
    text = " ".join((ROOT / "docs" / "surrogates.md").read_text(encoding="utf-8").split())
    r2, tau, upper = COLUMNS["cifar10/cross_validated"].tolist()
    assert f"| all of these (what is shipped) | {r2:.3f} | {tau:.3f} | {upper:.3f} |" in text
    low, high = (100 * COLUMNS["cifar10/learned"]).tolist()
    assert f"{low:.2f} to {high:.2f} %" in text
    assert text.index("must not be used") < text.index("## "), "first on the page"


@pytest.mark.usefixtures("undrawn")
def test_the_checklist_says_what_only_predicts(tmp_path: Path) -> None:
    nassim.compare("re", "darts/cifar10", "8q", seeds=2, out=tmp_path / "study").report()
    text = (tmp_path / "study" / "report.md").read_text(encoding="utf-8")
    assert "darts/cifar10 predicts (distilled from 1,218 predictions of NAS-Bench-301)" in text
    assert "costs are declared" in text and "recorded or declared training seconds" in text
