"""nassim probe and nassim transfer, on a table and by training."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nassim.cli.main import main
from nassim.cli.probe import changed, extremes
from nassim.registry import get_benchmark, get_space
from nassim.study import compare

Capture = pytest.CaptureFixture[str]


def nassim(capsys: Capture, *arguments: str, code: int = 0) -> tuple[str, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as left:
        main(arguments)
    out, err = capsys.readouterr()
    assert (left.value.code or 0) == code, err
    return out, err


def test_probe_counts_single_changes_on_a_table(capsys: Capture, tmp_path: Path) -> None:
    """Against all neighbors, asked of the table one by one."""
    name = "nasbench201/digits"
    compare(["nasrl"], [name], "40q", seeds=2, out=tmp_path / "study").close()
    (found,) = json.loads(nassim(capsys, "probe", str(tmp_path / "study"), "--json")[0])
    bench = get_benchmark(name, "mean")
    arch = bench.space.parse(found["architecture"])
    own = bench.mean_accuracy(arch)
    same = bench.space.canonical(arch)
    near = [bench.mean_accuracy(n) for n in bench.space.neighbors(arch) if bench.space.canonical(n) != same]
    assert found["value"] == own and found["by"] == "table" and found["looked_at"] == len(near)
    assert found["worse"] == sum(v < own for v in near) and found["better"] == sum(v > own for v in near)
    assert found["best_change"]["value"] == max(near)
    assert sum(sum(kind.values()) for kind in found["kinds"].values()) == len(near)
    out = nassim(capsys, "probe", str(tmp_path / "study"), "--benchmark", name)[0]
    assert ("ot a local optimum" in out) == bool(found["better"]) and "Without skips" in out
    (few,) = json.loads(nassim(capsys, "probe", str(tmp_path / "study"), "--json", "--most", "5")[0])
    assert few["looked_at"] == 5 and few["single_changes"] == len(near)
    _, err = nassim(capsys, "probe", str(tmp_path / "study"), "--benchmark", "toy/additive", code=2)
    assert "has no 'toy/additive'" in err and err.count("\n") == 1
    assert "error:" in nassim(capsys, "probe", str(tmp_path / "nothing"), code=2)[1]


def test_every_single_skip_is_added_or_removed() -> None:
    space = get_space("chain")
    arch = space.canonical(space.sample(random.Random(2)))
    layers = space.layers(arch)  # type: ignore[attr-defined]
    there, edges = len(layers), sum(len(layer.inputs) for layer in layers)
    kinds = [change.kind for change in changed(space, arch)]  # type: ignore[arg-type]
    assert kinds.count("skip removed") == edges
    assert kinds.count("skip added") == there * (there - 1) // 2 - edges
    found = extremes(space, arch)  # type: ignore[arg-type]
    dense, none = (space.layers(found[key]) for key in ("all_skips", "no_skips"))  # type: ignore[attr-defined]
    assert [layer.inputs for layer in dense] == [tuple(range(i)) for i in range(there)]
    assert all(layer.inputs == () for layer in none)


def test_skips_of_cells_are_operations_of_that_name() -> None:
    space = get_space("nasbench201")
    arch = space.parse("013204")
    found = extremes(space, arch)
    assert [str(other).partition(":")[2] for other in found.values()] == ["1-1-3-2-1-4", "0-0-3-2-0-4"]
    kinds = {change.what: change.kind for change in changed(space, arch)}
    assert kinds["0->1: none -> skip_connect"] == "skip added"
    assert kinds["0->2: skip_connect -> none"] == "skip removed"
    assert kinds["0->3: nor_conv_1x1 -> none"] == kinds["0->3: nor_conv_1x1 -> skip_connect"] == "another option"
    assert "1->2: nor_conv_3x3 -> none" not in kinds, "nothing comes to node 1: it is the same network"


def test_no_change_is_the_same_network() -> None:
    for name in ("nasbench101", "chain", "nasnet13"):
        space = get_space(name)
        arch = space.sample(random.Random(0))
        found = [change.arch for change in changed(space, arch)]
        assert found and all(space.is_valid(other) for other in found) and len(set(found)) == len(found)
        assert all(space.canonical(other) != space.canonical(arch) for other in found)


# -- by training ------------------------------------------------------------------------------------------


@pytest.fixture
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small images of two classes in a data folder of its own, and a recipe that is over in a moment."""
    pytest.importorskip("torch")
    from nassim.full_training.images import own
    from nassim.full_training.images.data import ImageData, Split
    from nassim.full_training.training.recipe import RECIPES

    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))
    rng, names = np.random.default_rng(0), ("train", "valid", "test")
    splits = {
        s: Split(rng.integers(0, 255, (32, 1, 8, 8), dtype=np.uint8), np.arange(32, dtype=np.int64) % 2) for s in names
    }
    own.save(ImageData("tiny-images", 2, splits, {s: s for s in names}, flip=False), ("one", "other"))
    short = replace(RECIPES["small"], epochs=1, epochs_a_pass=1, warmup=0.0, batch=32)
    monkeypatch.setitem(RECIPES, "small", short)


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_probe_trains_changed_networks(capsys: Capture, tmp_path: Path) -> None:
    name = "chain/tiny-images:training"
    compare(["nasrl"], [name], "2q", seeds=1, out=tmp_path / "study", device="cpu").close()
    arguments = ("probe", str(tmp_path / "study"), "--most", "3", "--device", "cpu")
    out, err = nassim(capsys, *arguments, "--json")
    (found,) = json.loads(out)
    assert found["by"] == "trained" and found["looked_at"] == 3 and "3 changed networks are trained" in err
    assert found["worse"] + found["equal"] + found["better"] == 3 and found["single_changes"] > 100
    assert 0 <= found["all_skips"] <= 1 and 0 <= found["no_skips"] <= 1
    assert "these were drawn, evenly" in nassim(capsys, *arguments)[0]


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_transfer_trains_both_sizes(capsys: Capture) -> None:
    arguments = ("transfer", "nasnet13:NASNet-A", "--to", "tiny_images", "--device", "cpu", "--cells", "2")
    out, _ = nassim(capsys, *arguments, "--channels", "12", "--seeds", "2", "--json")
    small, large = json.loads(out)["sizes"]
    assert (small["cells"], small["channels"], large["cells"], large["channels"]) == (1, 4, 2, 12)
    assert small["parameters"] < large["parameters"] and small["multiply_adds"] < large["multiply_adds"]
    assert all(0 <= row[key] <= 1 for row in (small, large) for key in ("valid_accuracy", "test_accuracy"))
    out = nassim(capsys, *arguments, "--channels", "12")[0]
    assert "as searched" in out and "transferred" in out and f"{large['parameters']:,}" in out


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nasnet13:NASNet-A", "--to", "tiny-images", "--cells", "1", "--channels", "4"), "give another --cells"),
        (("nasnet13:NASNet-B", "--to", "tiny-images", "--cells", "1", "--channels", "9"), "is not an architecture"),
        (("nasnet13:NASNet-A", "--to", "tiny-image", "--cells", "1", "--channels", "9"), "Did you mean tiny-images"),
        (("toy:1-1-1-1", "--to", "tiny-images", "--cells", "1", "--channels", "9"), "toy says of no network"),
    ],
)
def test_mistakes_are_one_line(capsys: Capture, arguments: tuple[str, ...], message: str) -> None:
    out, err = nassim(capsys, "transfer", *arguments, "--device", "cpu", code=2)
    assert not out and message in " ".join(err.split()) and err.count("error:") == 1 and "Traceback" not in err
