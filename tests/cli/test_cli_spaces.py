"""nassim list, show, train, query, compare and validate on `SPACE/DATA:training`, as a user types them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from nassim.cli.main import main  # noqa: E402
from nassim.cli.results import print_summary  # noqa: E402
from nassim.full_training.images import own  # noqa: E402
from nassim.full_training.images.data import ImageData, Split  # noqa: E402
from nassim.full_training.training import loader  # noqa: E402
from nassim.full_training.training.recipe import RECIPES  # noqa: E402
from nassim.plots import anytime_figure  # noqa: E402
from nassim.study import compare  # noqa: E402


def images(name: str = "tiny-images", side: int = 16, channels: int = 3) -> ImageData:
    """Noise in two classes."""
    rng = np.random.default_rng(0)
    names = ("train", "valid", "test")
    shape = (32, channels, side, side)
    splits = {s: Split(rng.integers(0, 255, shape, dtype=np.uint8), np.arange(32, dtype=np.int64) % 2) for s in names}
    return ImageData(name, 2, splits, {split: split for split in splits}, flip=False)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A data folder of its own, with a set of images of the user's own."""
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    own.save(images(), ("one", "other"))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recipes that are over in a moment."""
    for name in ("small", "fashion14", "digits"):
        recipe = replace(RECIPES[name], epochs=1, epochs_a_pass=1, warmup=0.0, batch=32, channels=4, cells=1)
        monkeypatch.setitem(RECIPES, name, recipe)


def nassim(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> tuple[str, str]:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    out, err = capsys.readouterr()
    assert (left.value.code or 0) == code, err
    return out, err


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_train_takes_architectures_of_any_space(capsys: pytest.CaptureFixture[str]) -> None:
    options = ("--data", "tiny_images", "--device", "cpu", "--json")
    out, err = nassim(capsys, "train", "natsbench_size:8:16:8:24:8", *options)
    (training,) = json.loads(out)
    assert training["arch"] == "natsbench-size:0-1-0-2-0" and training["data"] == "tiny-images"
    assert "recipe small, 1 epochs; data tiny-images" in err
    out, _ = nassim(capsys, "train", "genetic-cnn:1-0-0-1-1-1-0-1-0-1-0-0-1", *options)
    assert json.loads(out)[0]["arch"].startswith("genetic_cnn:1-0-0")
    assert json.loads(nassim(capsys, "train", "310423", *options)[0])[0]["arch"].startswith("nasbench201:")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("dats:DARTS_V2",), "Did you mean darts"),
        (("toy:1-1-1-1", "--data", "tiny-images"), "toy says of no network"),
        (("darts:DARTS_V2", "--data", "tiny-image"), "Did you mean tiny-images"),
        (("genetic_cnn-cifar:" + "-".join("0" * 19), "--data", "digits"), "images of 4 pixels"),
        (("darts:DARTS_V2", "--data", "tiny-images", "--recipe", "nasbench201-12ep"), "mirrored image of tiny-images"),
    ],
)
def test_mistakes_are_one_line(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str) -> None:
    out, err = nassim(capsys, "train", *arguments, code=2)
    assert not out and message in err and "Traceback" not in err and err.count("error:") == 1


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_query_and_compare_train(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    name = "nasbench201-3ops/tiny-images:training"
    out, _ = nassim(capsys, "query", name, "210021", "--noise", "repeat=1", "--json")
    found = json.loads(out)
    assert found["benchmark"] == "nasbench201_3ops/tiny-images:training" and found["epochs"] == 1
    assert found["valid_accuracy"] == found["valid_accuracy_mean_of_repeats"] and found["cost_seconds"] > 0
    assert "cost of the training" in nassim(capsys, "query", name, "210021", "--noise", "repeat=1")[0]
    study = compare(["rs", "re"], [name], "2q", seeds=1, out=tmp_path / "study")
    assert [(run.benchmark, run.trials) for run in study.runs] == [(found["benchmark"], 2)] * 2
    assert study.facts[found["benchmark"]].typical_seconds == found["cost_seconds"], "what the query trained"
    axes = anytime_figure(study, found["benchmark"]).axes[0]  # of no best that is known: values, not regret
    assert axes.get_ylabel() == "validation accuracy [%]" and axes.get_xlabel() == "simulated time [s], 1 worker"
    ends = [line.get_ydata()[-1] for line in axes.get_lines()]
    assert ends == [100 * (run.curve[-1].valid or 0) for run in study.runs]
    capsys.readouterr()
    print_summary(study)
    printed = " ".join(capsys.readouterr().out.split())
    assert "valid % test %" in printed and f"{ends[0]:.2f}" in printed and "regret" not in printed
    study.close()
    out, _ = nassim(capsys, "validate", str(tmp_path / "study"), "--top", "1", "--seeds", "1", "--json")
    assert json.loads(out)["nasbench201_3ops/tiny-images:training"]["recipe"] == "small"


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_validate_trains_what_a_study_of_the_shipped_table_found(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loader, "load_data", lambda name: images(name, side=4, channels=64))
    compare(["rs"], ["nasbench201_3ops/fashion14"], "5q", seeds=3, out=tmp_path / "study").close()
    out, err = nassim(capsys, "validate", str(tmp_path / "study"), "--top", "2", "--seeds", "1", "--json")
    answer = json.loads(out)["nasbench201_3ops/fashion14"]
    assert answer["recipe"] == "fashion14" and len(answer["architectures"]) == 2
    assert all(each["arch"].startswith("nasbench201_3ops:") for each in answer["architectures"]) and "seed 1" in err


def test_list_and_show_print_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = nassim(capsys, "list", "benchmarks")
    assert "SPACE/DATA:training" in out and "SPACE: accel_nasbench, cgp, cgp-res, chain, darts, " in " ".join(
        out.split()
    )
    assert "tiny-images" in out and "darts/digits" not in out
    out, _ = nassim(capsys, "show", "darts/tiny-images:training")
    assert "not known: nothing has been trained yet" in out and "K. Simonyan" in out
