"""Recordings: what is written is read back, what does not fit is refused, what is damaged is named."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import spearmanr

import nassim
from nassim.benchmarks.spaces.nasbench201 import SPACE
from nassim.errors import CorruptData, InvalidSetting, NassimError, OutputFailed, Unsupported
from nassim.record import SCORED_SEEDS, option_share, record, reports
from nassim.stats.correlation import spearman
from nassim.supernet import Moment, Recording, Scores, Supernets, configuration
from nassim.tabular_data.recordings import OWN, file_name, read_recordings, write_recording
from nassim.testing.problems import Answers

SETTINGS = {"images": "stripes", "images_sha256": "ab12", "channels": 2}
HYPERPARAMETERS = {"order": 1, "arch_rate": 3e-4, "nesterov": True}


def made(seeds: int = 2, epochs: int = 3, **changes: Any) -> Recording:
    rng = random.Random(0)
    runs = {
        seed: tuple(Moment(SPACE.sample(rng), round(rng.random(), 4)) for _ in range(epochs)) for seed in range(seeds)
    }
    scores = Scores((5, 700), {0: (0.125, 0.5), 1: (1.0, 0.0)})
    recording = Recording("darts", "nasbench201/stripes", HYPERPARAMETERS, SETTINGS, "a machine", runs, scores)
    return replace(recording, **changes)


def read(folder: Path) -> list[Recording]:
    return read_recordings("nasbench201/stripes", SPACE, "darts", folder)


def test_a_recording_comes_back_from_disk(tmp_path: Path) -> None:
    path = write_recording(made(), tmp_path / "new")
    assert path.name == file_name(made())
    assert read(tmp_path / "new") == [made()]
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    assert max(map(len, path.read_text().splitlines())) > 60  # lists on a line each: compact
    other = made(hyperparameters={**HYPERPARAMETERS, "order": 2}, scores=None)
    write_recording(other, tmp_path / "new")
    assert sorted(r.hyperparameters["order"] for r in read(tmp_path / "new")) == [1, 2]  # type: ignore[type-var]
    assert read_recordings("nasbench201/stripes", SPACE, "dart", tmp_path / "new") == []


def test_the_configuration_is_everything_but_seed_and_machine() -> None:
    assert made().configuration == made(seeds=5, machine="another", scores=None).configuration
    assert made().configuration == configuration("darts", HYPERPARAMETERS, SETTINGS)
    changed = [
        made(algorithm="gdas"),
        made(hyperparameters={**HYPERPARAMETERS, "order": 2}),
        made(supernet={**SETTINGS, "images_sha256": "cd34"}),
    ]
    assert len({made().configuration, *(r.configuration for r in changed)}) == 4


def test_the_users_recordings_go_before_the_projects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nassim.tabular_data.recordings.folders", lambda: (tmp_path / "user", tmp_path / "own"))
    write_recording(made(machine="project's"), tmp_path / "own")
    assert [r.machine for r in read_recordings("nasbench201/stripes", SPACE, "darts", None)] == ["project's"]
    write_recording(made(machine="user's"), tmp_path / "user")
    assert [r.machine for r in read_recordings("nasbench201/stripes", SPACE, "darts", None)] == ["user's"]


DAMAGE = [
    (lambda text: text[: len(text) // 2], "not a readable recording"),
    (lambda text: "", "not a readable recording"),
    (lambda text: "[1, 2]", "not a readable recording"),
    (lambda text: text.replace('"format": 2', '"format": 7'), "format 7"),
    (lambda text: text.replace("a machine", "my machine"), "altered"),
    (lambda text: text.replace('"order": 1', '"order": 2'), "altered"),
    (lambda text: text.replace('"digest"', '"digets"'), "not a readable recording"),
]


@pytest.mark.parametrize(("damage", "says"), DAMAGE)
def test_a_damaged_file_is_named(tmp_path: Path, damage: Any, says: str) -> None:
    path = write_recording(made(), tmp_path)
    path.write_text(damage(path.read_text()))
    with pytest.raises(CorruptData, match=says) as error:
        read(tmp_path)
    assert str(path) in str(error.value)


def test_a_forged_configuration_is_refused(tmp_path: Path) -> None:
    """Also with a digest that fits: the hash must be that of the settings in the file."""
    from nassim.tabular_data.recordings import _digest

    path = write_recording(made(), tmp_path)
    content = json.loads(path.read_text())
    content.pop("digest")
    content["hyperparameters"]["order"] = 2
    path.write_text(json.dumps({**content, "digest": _digest(content)}))
    with pytest.raises(CorruptData, match="hash of its configuration"):
        read(tmp_path)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_bytes_make_a_traceback(tmp_path: Path, data: st.DataObject) -> None:
    path = write_recording(made(), tmp_path)
    content = bytearray(path.read_bytes())
    start = data.draw(st.integers(0, len(content) - 1))
    content[start : start + 3] = data.draw(st.binary(max_size=8))
    path.write_bytes(content)
    try:
        assert read(tmp_path) == [made()]
    except NassimError as error:
        assert str(path) in str(error)


def test_an_unwritable_folder() -> None:
    with pytest.raises(OutputFailed, match="/proc/recorded"):
        write_recording(made(), Path("/proc/recorded"))


# -- recording ----------------------------------------------------------------------------------------


DARTS = nassim.get_algorithm("darts").configured(epochs=2, batch_size=16)


@pytest.mark.slow
def test_recording_a_search(tiny_supernets: Supernets) -> None:
    said: list[str] = []
    path = record(DARTS, tiny_supernets, seeds=2, scored_cells=7, device="cpu", say=said.append)
    assert path.parent == tiny_supernets.folder
    (recording,) = tiny_supernets.recordings("darts", None) or tiny_supernets.recordings("darts", path.parent)
    assert sorted(recording.runs) == [0, 1]
    assert all(len(run) == 2 and all(m.seconds > 0 for m in run) for run in recording.runs.values())
    assert recording.hyperparameters == DARTS.hyperparameters(SPACE, "nasbench201/stripes")
    assert recording.supernet == tiny_supernets.settings
    assert "torch" in recording.machine
    assert recording.scores is not None
    assert len(recording.scores.cells) == 7 and sorted(recording.scores.accuracies) == [0, 1]
    assert [line.split(":")[0] for line in said] == ["seed 0", "seed 1"]


@pytest.mark.slow
def test_what_is_recorded_is_kept_and_more_is_added(tiny_supernets: Supernets) -> None:
    path = record(DARTS, tiny_supernets, seeds=1, scored_cells=5, device="cpu")
    (first,) = tiny_supernets.recordings("darts", path.parent)
    said: list[str] = []
    record(DARTS, tiny_supernets, seeds=SCORED_SEEDS + 1, scored_cells=99, device="cpu", say=said.append)
    (more,) = tiny_supernets.recordings("darts", path.parent)
    assert said[0] == "seed 0: is recorded"
    assert more.runs[0] == first.runs[0] and len(more.runs) == SCORED_SEEDS + 1
    assert more.scores is not None and first.scores is not None
    assert more.scores.cells == first.scores.cells and sorted(more.scores.accuracies) == list(range(SCORED_SEEDS))
    again = {seed: [m.arch for m in run] for seed, run in more.runs.items()}
    elsewhere = record(DARTS, tiny_supernets, seeds=2, scored_cells=0, device="cpu", folder=path.parent / "b").parent
    (repeated,) = tiny_supernets.recordings("darts", elsewhere)
    assert {seed: [m.arch for m in run] for seed, run in repeated.runs.items()} == {k: again[k] for k in (0, 1)}


def test_seconds_of_two_machines_do_not_go_together(tiny_supernets: Supernets) -> None:
    path = record(DARTS, tiny_supernets, seeds=1, scored_cells=0, device="cpu")
    (recording,) = tiny_supernets.recordings("darts", path.parent)
    write_recording(replace(recording, machine="a mainframe"), path.parent)
    before = path.read_bytes()
    with pytest.raises(InvalidSetting, match="a mainframe"):
        record(DARTS, tiny_supernets, seeds=2, scored_cells=0, device="cpu")
    assert path.read_bytes() == before


def test_what_cannot_be_recorded(tiny_supernets: Supernets) -> None:
    with pytest.raises(Unsupported, match="trains no supernet"):
        record("re", tiny_supernets)
    with pytest.raises(InvalidSetting, match="at least 1"):
        record(DARTS, tiny_supernets, seeds=0)
    with pytest.raises(InvalidSetting, match="'abacus' is not a device"):
        record(DARTS, tiny_supernets, seeds=1, device="abacus")


# -- the report ---------------------------------------------------------------------------------------


def test_spearman_is_scipys() -> None:
    rng = random.Random(1)
    a = [rng.randrange(8) for _ in range(60)]
    b = [x + rng.randrange(6) for x in a]
    assert spearman(a, b) == pytest.approx(spearmanr(a, b).statistic)
    assert spearman(a, a) == pytest.approx(1.0)
    assert str(spearman([1, 1, 1], [1, 2, 3])) == "nan"


def test_the_report_holds_recordings_against_the_table(tiny_supernets: Supernets) -> None:
    bench = Answers("nasbench201/stripes", SPACE, lambda arch: SPACE.index(arch) / SPACE.size)
    bench.supernets = tiny_supernets
    write_recording(
        made(
            runs={
                0: (Moment(SPACE.parse("111110"), 2.0), Moment(SPACE.parse("333333"), 4.0)),
                1: (Moment(SPACE.parse("222222"), 2.0), Moment(SPACE.parse("111222"), 4.0)),
            },
            scores=Scores(
                tuple(range(0, 1000, 50)), {0: tuple(i / 20 for i in range(20)), 1: tuple(-i / 20 for i in range(20))}
            ),
        ),
        tiny_supernets.folder,
    )
    bench.supernets = replace(tiny_supernets, recordings=lambda name, _: read(tiny_supernets.folder))
    (row,) = reports(bench, ["darts"])
    assert (row.strategy, row.seeds, row.seconds_an_epoch) == ("darts", 2, 3.0)
    assert row.skip_share == pytest.approx([5 / 12, 3 / 12])
    assert row.valid == [bench.mean_accuracy(SPACE.parse(c)) for c in ("333333", "111222")]
    assert row.rank == pytest.approx([1.0, -1.0]) and row.top_rank == pytest.approx([1.0, -1.0])
    assert row.none_share == pytest.approx([1 / 12, 0.0])
    assert option_share(SPACE, SPACE.parse("111110"), "skip") == 5 / 6


# -- the project's own --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "changes"), [("darts", {}), ("darts", {"order": 2}), ("gdas", {}), ("random_nas", {}), ("enas", {})]
)
def test_ten_seeds_of_each_are_recorded_on_digits(name: str, changes: dict[str, object]) -> None:
    """With the hyperparameters and the images of this version: or else `compare` would refuse them."""
    supernets = nassim.registry.get_supernets("nasbench201/digits")
    wanted = nassim.get_algorithm(name).configured(**changes).hyperparameters(SPACE, "nasbench201/digits")
    fitting = [
        r for r in supernets.recordings(name, OWN) if r.configuration == configuration(name, wanted, supernets.settings)
    ]
    (recording,) = fitting
    assert set(range(10)) <= set(recording.runs)
    assert all(len(run) == wanted["epochs"] for run in recording.runs.values())
    assert recording.scores is not None


@pytest.mark.parametrize(
    ("name", "changes"),
    [(name, {}) for name in ("r_darts", "fair_darts", "smooth_darts", "pc_darts", "darts_pt", "snas", "drnas")]
    + [("r_darts", {"variant": "early_stopping"})],
)
def test_ten_seeds_of_the_darts_family_are_recorded_on_digits(name: str, changes: dict[str, object]) -> None:
    supernets = nassim.registry.get_supernets("nasbench201/digits")
    wanted = nassim.get_algorithm(name).configured(**changes).hyperparameters(SPACE, "nasbench201/digits")
    asked = configuration(name, wanted, supernets.settings)
    (recording,) = [r for r in supernets.recordings(name, OWN) if r.configuration == asked]
    assert set(range(10)) <= set(recording.runs)
    assert all(len(run) > 10 for run in recording.runs.values())
