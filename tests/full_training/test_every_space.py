"""`SPACE/DATA:training`: every space that has a network, on every set of images, by one loader."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from nassim import registry  # noqa: E402
from nassim.benchmark import Benchmark  # noqa: E402
from nassim.cli.console import apply_settings  # noqa: E402
from nassim.clock import Budget  # noqa: E402
from nassim.errors import InvalidSetting, MissingData, UnknownName, Unsupported  # noqa: E402
from nassim.facts import Facts  # noqa: E402
from nassim.full_training.images import own  # noqa: E402
from nassim.full_training.images.data import ImageData, Split  # noqa: E402
from nassim.full_training.training import train as train_module  # noqa: E402
from nassim.processes import processes  # noqa: E402
from nassim.query import Query, Result  # noqa: E402
from nassim.registry import benchmark_names, get_algorithms, get_benchmark, get_space  # noqa: E402
from nassim.run import horizon  # noqa: E402
from nassim.spreading import spread  # noqa: E402
from nassim.testing import check_benchmark  # noqa: E402

WITH_NETWORKS = [
    *("accel_nasbench", "cgp", "cgp-res", "chain", "darts", "enas-macro", "enas-micro", "genetic_cnn"),
    *("genetic_cnn-cifar", "grown", "hierarchical", "mbconv", "mbconv-layers", "mbconv-v3", "mbconv-v3-small"),
    *(
        "nasbench101",
        "nasbench1shot1-1",
        "nasbench1shot1-2",
        "nasbench1shot1-3",
        "nasbench201",
        "nasbench201_3ops",
        "nasbench_macro",
    ),
    *("nasnet", "nasnet-one", "nasnet13", "natsbench-size"),
]
QUICK = ("genetic_cnn", "nasbench101", "nasbench201")  # the others are trained by slow tests


def images(name: str = "tiny-images", side: int = 16, channels: int = 3, count: int = 32) -> ImageData:
    """Rows or columns with noise, another for each split."""
    splits = {}
    for split, offset in (("train", 0), ("valid", 1), ("test", 2)):
        rng = np.random.default_rng(offset)
        n = count - 7 * offset  # so that no two splits can have the same accuracies by chance
        pixels, labels = rng.integers(0, 160, (n, channels, side, side), dtype=np.uint8), np.arange(n) % 2
        pixels[labels == 0, :, ::2] += 60
        pixels[labels == 1, :, :, ::2] += 60
        splits[split] = Split(pixels, labels.astype(np.int64))
    return ImageData(name, 2, splits, {split: split for split in splits}, flip=False)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of its own, with a set of images of the user's own."""
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    own.save(images(), ("rows", "columns"))
    return tmp_path


def opened(name: str, noise: str = "draw", **changes: Any) -> Any:
    """A benchmark whose recipe is over in a moment."""
    bench: Any = get_benchmark(name, noise)
    bench.use(replace(bench.recipe, **{"epochs": 1, "epochs_a_pass": 1, "warmup": 0.0, "batch": 32, **changes}))
    bench.move("cpu")
    return bench


def trains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_module, "train", lambda *_, **__: pytest.fail("trained"))


# -- every space, every set of images ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "space",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in WITH_NETWORKS],
)
def test_an_architecture_of_every_space_is_trained(space: str) -> None:
    bench = opened(f"{space}/tiny-images:training", channels=8)
    assert bench.name == f"{space}/tiny-images:training" and bench.space.name == space
    arch = bench.space.sample(random.Random(0))
    result = bench.query(Query(arch), random.Random(0))
    assert 0 <= result.value <= 1 and result.epochs == 1 and result.cost > 0 and result.extras == bench.measure(arch)
    (kept,) = bench.kept.all_of(bench.data.sha256, bench.recipe.sha256, space)
    assert kept.arch == str(arch) and kept.valid_accuracy == (result.value,)
    assert bench.test_accuracy(arch) == kept.test_accuracy


def test_the_spaces_and_the_images_there_are() -> None:
    assert registry.training_spaces() == WITH_NETWORKS
    names = registry.image_names()
    assert names == ["cifar10", "cifar100", "digits", "fashion", "fashion14", "imagenet16-120", "mnist", "tiny-images"]
    for space in WITH_NETWORKS:
        bench = get_benchmark(f"{space}/tiny-images:training")
        assert bench.trains and bench.epochs == 4 and bench.about.paper and "tiny-images" in bench.about.title
    assert not get_benchmark("toy/additive").trains


@pytest.mark.parametrize(
    ("space", "parts", "channels"),
    [("cgp", 2, 8), ("darts", 2, 8), ("hierarchical", 8, 8), ("nasnet", 8, 4), ("nasnet-one", 8, 4)],
)
def test_networks_of_hundreds_of_layers_have_shorter_epochs(space: str, parts: int, channels: int) -> None:
    """The 7,976 images of digits in halves, or in eighths of 997; a training takes seconds on one core."""
    recipe: Any = get_benchmark(f"{space}/digits:training")
    assert (recipe.recipe.name, recipe.recipe.epochs) == ("small", 4)
    assert (recipe.recipe.epochs_a_pass, recipe.recipe.channels, recipe.recipe.batch) == (parts, channels, 50)


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("toy/digits:training", Unsupported, "toy says of no network"),
        ("dats/digits:training", UnknownName, "'dats' is not a search space. Did you mean darts"),
        ("darts/dgits:training", UnknownName, "'dgits' is not a set of images. Did you mean digits"),
        ("darts/digits:training:more", UnknownName, "not a benchmark: nothing follows"),
        ("darts/../digits:training", UnknownName, "is not a set of images"),
        ("genetic_cnn-cifar/digits:training", InvalidSetting, "images of 4 pixels.*nothing is left"),
        ("darts/digits:training:search_on=test", Unsupported, "no choice of the split"),
    ],
)
def test_what_does_not_fit_is_one_line(name: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        get_benchmark(name)
    assert "\n" not in str(raised.value)


def test_recipes_that_the_images_do_not_allow_are_refused(folder: Path) -> None:
    bench = opened("darts/tiny-images:training")
    with pytest.raises(InvalidSetting, match="mirrored image of tiny-images"):
        bench.use(replace(bench.recipe, flip=True))
    own.save(images("odd", side=7), ("rows", "columns"))
    with pytest.raises(InvalidSetting, match=r"nasbench201 cannot be built for odd, images of 7 pixels"):
        opened("nasbench201/odd:training")
    assert opened("nasbench101/odd:training").epochs == 1  # its poolings round down
    with pytest.raises(InvalidSetting, match=r"last batch.* a single image"):
        own.save(images("one-more", side=4, count=33), ("rows", "columns"))
        opened("nasbench101/one-more:training")


# -- spellings ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("nasbench201-3ops/tiny_images:training", "nasbench201_3ops/tiny-images:training"),
        ("natsbench_size/tiny-images:training", "natsbench-size/tiny-images:training"),
        ("genetic-cnn_cifar/tiny_images:training", "genetic_cnn-cifar/tiny-images:training"),
    ],
)
def test_hyphens_and_underscores_are_the_same_in_ids(typed: str, name: str) -> None:
    assert get_benchmark(typed).name == name


def test_hyphens_and_underscores_are_the_same_in_names() -> None:
    assert get_space("nasbench201-3ops").parse("nasbench201-3ops:2-1-0-0-2-1").space == "nasbench201_3ops"
    (algorithm,) = get_algorithms("regularized-evolution[sample-size=7]")
    assert algorithm.label.endswith("[sample_size=7]")
    given = apply_settings(get_algorithms("re")[0], ["regularized-evolution.sample-size=7"], prefix=True)
    assert given.settings == {"sample_size": 7}
    with pytest.raises(InvalidSetting, match="twice"):
        get_algorithms("re[sample-size=7,sample_size=8]")


# -- looking is not training ------------------------------------------------------------------------------


def test_looking_something_up_trains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    trains_nothing(monkeypatch)
    bench = opened("nasbench201/tiny-images:training")
    arch = bench.space.at(5)
    assert bench.has_test and math.isnan(bench.mean_accuracy(arch)) and math.isnan(bench.test_accuracy(arch))
    assert math.isnan(bench.typical_cost)
    assert Facts.of(bench).typical_seconds is None
    assert horizon(Budget.parse("100s"), bench) is None
    assert horizon(Budget.parse("100s,7q"), bench) == 7


def test_means_are_over_whole_trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = opened("nasbench201/tiny-images:training", epochs=2)
    arch, other = bench.space.at(5), bench.space.at(6)
    whole = bench.training(arch, bench.seeds[0])
    bench.training(arch, bench.seeds[1], 1)
    bench.training(other, bench.seeds[0], 1)
    trains_nothing(monkeypatch)
    assert bench.mean_accuracy(arch) == whole.valid_accuracy[-1] and bench.test_accuracy(arch) == whole.test_accuracy
    assert math.isnan(bench.mean_accuracy(other))
    assert bench.typical_cost == sum(whole.seconds)
    assert horizon(Budget(seconds=10 * bench.typical_cost), bench) == 10


# -- the contract ---------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("noise", ["draw", "mean", "repeat=2"])
def test_a_training_benchmark_keeps_the_contract(noise: str) -> None:
    own.save(images(side=4, channels=1), ("rows", "columns"))
    check_benchmark(opened("nasbench201_3ops/tiny-images:training", noise, channels=2, cells=1, epochs=2))


def trained(names: list[str]) -> Iterator[Benchmark]:
    own.save(images(side=4, channels=1), ("rows", "columns"))
    for name in names:
        yield opened(f"{name}/tiny-images:training", channels=4, cells=1)


@pytest.mark.slow
def test_jobs_run_in_another_process() -> None:
    """Of every benchmark that is registered and can be opened here, and of some that train."""
    benches = []
    for name in benchmark_names():
        try:
            benches.append(get_benchmark(name))
        except MissingData:
            continue
    assert {"nasbench201/digits", "toy/additive", "nasbench201_3ops/fashion14"} <= {bench.name for bench in benches}
    training = list(trained(["nasbench201", "nasbench101", "genetic_cnn"]))
    benches += training
    jobs, here = [], []
    for number, bench in enumerate(benches):
        rng = random.Random(number)
        query = Query(bench.space.sample(rng))
        jobs.append((number, bench.job(query, random.Random(number))))
        here.append((bench, query))
    for bench in training:
        assert not bench.kept.path.exists() or not bench.kept.all_of(
            bench.data.sha256, bench.recipe.sha256, bench.space.name
        ), "a job trains where it runs, not where it is made"
    with processes(1) as pool:
        found = dict(spread(pool, numbered, jobs, 1))
    for number, (bench, query) in enumerate(here):
        result, other = bench.query(query, random.Random(number)), found[number]
        assert other == result, bench.name


def numbered(item: tuple[int, Any]) -> tuple[int, Result]:
    return item[0], item[1]()
