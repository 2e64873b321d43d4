"""Classes of cells, shards, and the table nasbench201/digits made from them."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nassim.benchmarks import nasbench201
from nassim.benchmarks.spaces.nasbench201 import OPERATIONS, SPACE, connected
from nassim.benchmarks.spaces.nasbench201_network import cell as cell_layers
from nassim.errors import CorruptData, InvalidQuery, InvalidSetting, MissingData, OutputFailed
from nassim.full_training.images.data import load_data
from nassim.full_training.tables import assemble, shards
from nassim.full_training.tables.classes import cell_classes
from nassim.full_training.tables.designs import DESIGNS, SEEDS
from nassim.full_training.tables.shards import Results, Shard
from nassim.full_training.training.recipe import RECIPES, Recipe, get_recipe
from nassim.network import Draft
from nassim.query import Query
from nassim.registry import get_benchmark
from nassim.tabular_data import digits
from nassim.tabular_data.table import Table, write_table

DIGITS, EPOCHS = DESIGNS["nasbench201/digits"], get_recipe("digits").epochs


def made_up(shard: Shard, value: int = 0) -> Results:
    """A shard's results that say where they came from."""
    classes = np.array(shard.classes)
    curve = (classes[:, None] % 400 + 300 * np.arange(EPOCHS) + SEEDS.index(shard.seed) + value).astype(np.int32)
    return Results(
        train=curve,
        valid=curve + 1,
        test=curve[:, -1] + 2,
        seconds=np.full(curve.shape, 0.5, np.float32),
        latency=np.full(len(classes), 1e-3 if shard.seed == SEEDS[0] else np.nan, np.float32),
        failed=np.array([""] * len(classes)),
        machine="a machine",
    )


def test_classes_are_those_of_the_space() -> None:
    classes = cell_classes()
    assert len(classes) == 4930
    assert sorted(row for each in classes for row in each.rows) == list(range(SPACE.size))
    for each in classes[::37]:
        keys = {SPACE.canonical(SPACE.at(row), "algebraic") for row in each.rows}
        assert keys == {SPACE.canonical(each.trained, "algebraic")}
        alive = connected(each.trained.choices)
        assert all(choice == 0 or edge in alive for edge, choice in enumerate(each.trained.choices))


def test_members_of_a_class_compute_the_same() -> None:
    """Cells without convolutions, whose outputs are functions of their inputs alone."""
    torch = pytest.importorskip("torch")
    from nassim.full_training.networks.construct import construct

    def cell(choices: tuple[int, ...]) -> torch.nn.Module:
        draft = Draft((3, 4, 4))
        return construct(draft.network(cell_layers(draft, "cell", 0, [OPERATIONS[c] for c in choices], 3, 3)))

    x = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    checked = 0
    for each in cell_classes()[::4]:
        members = [SPACE.at(row).choices for row in each.rows]
        plain = [choices for choices in members if not {2, 3} & set(choices)]
        if {2, 3} & set(each.trained.choices) or len(plain) < 2:
            continue
        wanted = cell(each.trained.choices)(x)
        for choices in plain:
            torch.testing.assert_close(cell(choices)(x), wanted)
            checked += 1
    assert checked > 100


def test_the_plan_trains_every_class_under_every_seed_once() -> None:
    plan = shards.plan(DIGITS)
    pairs = [(shard.seed, i) for shard in plan for i in shard.classes]
    assert sorted(pairs) == sorted((seed, i) for seed in SEEDS for i in range(4930))
    assert plan == shards.plan(DIGITS) and [shard.number for shard in plan] == list(range(len(plan)))
    pilot = [{i for s in plan[:24] if s.seed == seed for i in s.classes} for seed in SEEDS]
    assert pilot[0] == pilot[1] == pilot[2] and len(pilot[0]) == DIGITS.pilot
    assert {shard.seed for shard in plan[24:230]} == {SEEDS[0]} | (
        {SEEDS[1]} if len(plan) < 618 else {SEEDS[0], SEEDS[1]}
    )


def test_a_shard_is_whole_or_refused(tmp_path: Path) -> None:
    shard, made = shards.plan(DIGITS)[3], shards.made(DIGITS)
    assert shards.read(tmp_path, DIGITS, shard, made) is None
    shards.write(tmp_path, DIGITS, shard, made, made_up(shard))
    found = shards.read(tmp_path, DIGITS, shard, made)
    assert found is not None and found.machine == "a machine"
    np.testing.assert_array_equal(found.valid, made_up(shard).valid)
    assert [each.number for each in shards.pending(tmp_path, DIGITS, made)][:4] == [0, 1, 2, 4]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    with pytest.raises(CorruptData, match=r"of another build \(recipe differ\)"):
        shards.read(tmp_path, DIGITS, shard, shards.Made("other", made.data_sha256))
    path = tmp_path / shard.file_name
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CorruptData, match=r"is damaged .* Delete it"):
        list(shards.pending(tmp_path, DIGITS, made))
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputFailed, match="cannot be written"):
        shards.write(tmp_path / "file", DIGITS, shard, made, made_up(shard))


@pytest.fixture
def partial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table of the pilot and one more shard, opened as the shipped one."""
    made = shards.made(DIGITS)
    for shard in shards.plan(DIGITS)[:25]:
        shards.write(tmp_path / "shards", DIGITS, shard, made, made_up(shard))
    path = tmp_path / "table.h5"
    assemble.assemble(DIGITS, tmp_path / "shards", path)
    monkeypatch.setattr(digits, "PATH", path)
    monkeypatch.setattr(nasbench201, "TASKS", tuple(dict.fromkeys((*nasbench201.TASKS, "digits"))))
    return path


def test_the_benchmark_reads_what_was_trained(partial: Path) -> None:
    assert partial.stat().st_size < 8e6
    bench = get_benchmark("nasbench201/digits", "mean")
    assert bench.fidelities == tuple(range(1, EPOCHS + 1)) and bench.has_test
    shard = shards.plan(DIGITS)[0]
    for i in shard.classes[::5]:
        for row in cell_classes()[i].rows[:3]:
            arch = SPACE.at(row)
            for epochs in bench.fidelities:
                result = bench.query(Query(arch, epochs), random.Random(0))
                correct = i % 400 + 300 * (epochs - 1) + 1 + 1  # the mean of three repeats that count up
                assert result.value == pytest.approx(correct / 2000)
                assert result.cost == pytest.approx(0.5 * epochs)
            assert bench.test_accuracy(arch) == pytest.approx((i % 400 + 300 * (EPOCHS - 1) + 3) / 2000)
            assert result.extras["latency"] == pytest.approx(1e-3)
    assert "Incomplete: 216 of 4,930 classes" in " ".join(bench.about.notes)


def test_missing_cells_are_refused_by_name(partial: Path) -> None:
    bench = get_benchmark("nasbench201/digits")
    there = {i for shard in shards.plan(DIGITS)[:25] for i in shard.classes}
    row = next(each.rows[0] for i, each in enumerate(cell_classes()) if i not in there)
    with pytest.raises(InvalidQuery, match=f"no training of {SPACE.at(row)}"):
        bench.query(Query(SPACE.at(row)), random.Random(0))
    single = shards.plan(DIGITS)[24].classes[0]
    arch = SPACE.at(cell_classes()[single].rows[0])
    values = {bench.query(Query(arch), random.Random(seed)).value for seed in range(9)}
    assert len(values) == 1, "a repeat was made up"
    assert bench.optimum() is not None and bench.optimum() < 1


def test_sizes_are_those_of_the_networks(partial: Path) -> None:
    torch = pytest.importorskip("torch")
    from nassim.full_training.networks.nasbench201 import build

    bench, recipe = get_benchmark("nasbench201/digits"), get_recipe("digits")
    i = shards.plan(DIGITS)[0].classes[7]
    arch = SPACE.at(cell_classes()[i].rows[-1])
    network = build(arch, channels=recipe.channels, cells=recipe.cells, classes=10, image_channels=4)
    assert isinstance(network, torch.nn.Module)
    extras = bench.query(Query(arch), random.Random(0)).extras
    assert extras["parameters"] == sum(p.numel() for p in network.parameters())


def test_a_table_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MissingData, match="no finished shard"):
        assemble.assemble(DIGITS, tmp_path, tmp_path / "t.h5")
    with pytest.raises(MissingData, match="is not there"):
        digits.open_table(tmp_path / "t.h5")
    header = assemble.header_of(DIGITS, np.zeros((4930, 3), bool), Counter(), [])
    write_table(tmp_path / "t.h5", header, {"digits/class": np.zeros(15625, np.uint16)})
    with pytest.raises(CorruptData, match="is not the table of digits"):
        digits.open_table(tmp_path / "t.h5")


def test_diverged_trainings_stay_missing_and_are_named(tmp_path: Path) -> None:
    shard, made = shards.plan(DIGITS)[0], shards.made(DIGITS)
    results = made_up(shard)
    results.valid[2, 1:] = results.train[2, 1:] = results.test[2] = -1
    failed = results.failed.astype("U60")
    failed[2] = "the loss was not finite in epoch 2"
    shards.write(tmp_path, DIGITS, shard, made, Results(**{**vars_of(results), "failed": failed}))
    header = assemble.assemble(DIGITS, tmp_path, tmp_path / "t.h5")
    arch = cell_classes()[shard.classes[2]].trained
    assert f"Diverged: {arch}, seed 777: the loss was not finite in epoch 2" in header.errata
    columns = digits.open_table(tmp_path / "t.h5").columns
    row = SPACE.index(arch)
    assert not np.isnan(columns["digits/valid_accuracy@1"][row, 0])
    assert (
        np.isnan(columns["digits/valid_accuracy@2"][row]).all() and np.isnan(columns["digits/test_accuracy"][row]).all()
    )


def vars_of(results: Results) -> dict[str, object]:
    return {name: getattr(results, name) for name in Results.__dataclass_fields__}


# -- building ---------------------------------------------------------------------------------------------


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """A recipe and a plan that are trained in a moment."""
    recipe = Recipe("digits", channels=2, cells=1, epochs=2, batch=1000, rate=0.1, crop=0, flip=False)
    monkeypatch.setitem(RECIPES, "digits", recipe)
    small = (Shard(0, SEEDS[0], (5, 900)), Shard(1, SEEDS[1], (5, 900)), Shard(2, SEEDS[0], (31,)))
    for module in ("shards", "builder", "assemble"):
        monkeypatch.setattr(f"nassim.full_training.tables.{module}.plan", lambda design: small)
    return recipe


@pytest.mark.slow
def test_a_build_goes_on_where_it_was(tmp_path: Path, tiny: Recipe) -> None:
    build = pytest.importorskip("nassim.full_training.tables.builder").build
    from nassim.full_training.training.train import train

    told: list[int] = []
    build(DIGITS, tmp_path / "one", limit=2, tell=lambda progress: told.append(progress.trainings))
    assert told == [0, 2, 4]
    first = {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}
    build(DIGITS, tmp_path / "one", tell=lambda progress: told.append(progress.trainings))
    assert told == [0, 2, 4, 4, 5]
    assert {name: (tmp_path / "one" / name).read_bytes() for name in first} == first
    assemble.assemble(DIGITS, tmp_path / "one", tmp_path / "t.h5")
    columns = digits.open_table(tmp_path / "t.h5").columns
    alone = train((each := cell_classes()[900]).trained, load_data("digits"), tiny, SEEDS[1])
    row = each.rows[-1]
    assert columns["digits/valid_accuracy@1"][row, 1] == pytest.approx(alone.valid_accuracy[0], abs=0.01)
    assert columns["digits/train_accuracy"][row, 1] == pytest.approx(alone.train_accuracy[1], abs=0.02)
    assert columns["digits/test_accuracy"][row, 1] == pytest.approx(alone.test_accuracy, abs=0.02)
    assert 0 < columns["digits/latency"][row] < 1 and columns["digits/train_seconds"][row, 1] > 0
    assert np.isnan(columns["digits/valid_accuracy"][cell_classes()[31].rows[0], 1])


@pytest.mark.slow
def test_rechecking_finds_altered_values(tmp_path: Path, tiny: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    build = pytest.importorskip("nassim.full_training.tables.builder").build
    from nassim.full_training.tables.recheck import recheck

    first, *_ = (plan := [Shard(n, seed, (5, 900)) for n, seed in enumerate(SEEDS)])
    for module in ("shards", "builder", "assemble"):
        monkeypatch.setattr(f"nassim.full_training.tables.{module}.plan", lambda design: plan)
    folder, made, target = tmp_path / "shards", shards.made(DIGITS), tmp_path / "t.h5"
    build(DIGITS, folder, limit=1, tell=lambda progress: None)
    genuine = shards.read(folder, DIGITS, first, made)
    assert genuine is not None

    def tabulate(*valid: np.ndarray) -> None:
        for shard, counts in zip(plan, valid, strict=True):
            shards.write(folder, DIGITS, shard, made, Results(**{**vars_of(genuine), "valid": counts}))
        assemble.assemble(DIGITS, folder, target)

    told: list[str] = []
    tabulate(genuine.valid, genuine.valid + 300, genuine.valid - 100)  # noisy repeats
    checked = recheck(DIGITS, target, 3, seed=1, tell=lambda result: told.append(result.arch))
    assert [each.arch for each in checked] == told and len(told) == 3
    assert all(each.agrees and each.noise > 0.05 for each in checked)
    same = np.full_like(genuine.valid, 1990)
    tabulate(same, same - 3, same + 3)
    with pytest.raises(CorruptData, match="standard deviations of repeats"):
        recheck(DIGITS, target, 2, seed=1, tell=lambda result: None)
    tabulate(genuine.valid + 300, genuine.valid + 240, genuine.valid + 360)  # 15 points: 3.5 deviations for each
    assert all(each.agrees for each in recheck(DIGITS, target, 1, seed=1, tell=lambda result: None))
    with pytest.raises(CorruptData, match=r"3 cells retrained differ by .* points on average"):
        recheck(DIGITS, target, 3, seed=1, tell=lambda result: None)
    with pytest.raises(InvalidSetting, match="at least 1"):
        recheck(DIGITS, target, 0, tell=lambda result: None)


@pytest.mark.slow
def test_the_shipped_table_is_made_again_from_its_numbers(tmp_path: Path) -> None:
    """Shards with the numbers of the table give the table: its columns' hash, and what its header says."""
    stored = Table.open(digits.PATH)
    columns = {name.partition("/")[2]: column for name, column in stored.columns.items()}
    made = shards.made(DIGITS)
    for shard in shards.plan(DIGITS):
        rows, repeat = np.array(shard.classes), SEEDS.index(shard.seed)
        results = Results(
            train=columns["train_correct"][rows, repeat].astype(np.int32),
            valid=columns["valid_correct"][rows, repeat].astype(np.int32),
            test=columns["test_correct"][rows, repeat].astype(np.int32),
            seconds=columns["seconds"][rows, repeat],
            latency=columns["latency"][rows] if repeat == 0 else np.full(len(rows), np.nan, np.float32),
            failed=np.array([""] * len(rows)),
            machine="a machine",
        )
        shards.write(tmp_path, DIGITS, shard, made, results)
    assemble.assemble(DIGITS, tmp_path, tmp_path / "t.h5")
    header = Table.open(tmp_path / "t.h5").header
    assert header.sha256 == stored.header.sha256
    assert header.sources == {**stored.header.sources, "machine": "a machine: 14,790 trainings"}
    assert replace(header, sources={}) == replace(stored.header, sources={})
