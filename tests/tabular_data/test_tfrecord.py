"""Record files and protocol buffers, written here byte by byte, and the import of NAS-Bench-101's release from them."""

from __future__ import annotations

import base64
import json
import random
import struct
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nassim
from nassim.benchmarks.spaces.nasbench101.classes import cells
from nassim.benchmarks.spaces.nasbench101.cost import parameters
from nassim.benchmarks.spaces.nasbench101.hashes import fingerprints
from nassim.benchmarks.spaces.nasbench101.space import SPACE
from nassim.errors import CorruptData, MissingData, Unsupported
from nassim.tabular_data.recipe import Recipe
from nassim.tabular_data.recipes import nasbench101_tfrecord as recipe
from nassim.tabular_data.recipes.nasbench101_cells import Cells
from nassim.tabular_data.table import Table
from nassim.tabular_data.tfrecord import LONGEST, checksums, fields, read_records

# -- writing ------------------------------------------------------------------------------------------


def crc32c(content: bytes) -> int:
    """A bit at a time, as RFC 3720 defines it."""
    register = 0xFFFFFFFF
    for byte in content:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def masked(content: bytes) -> bytes:
    crc = crc32c(content)
    return struct.pack("<I", ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) & 0xFFFFFFFF)


def framed(records: Iterable[bytes]) -> bytes:
    parts = []
    for record in records:
        length = struct.pack("<Q", len(record))
        parts += [length, masked(length), record, masked(record)]
    return b"".join(parts)


def varint(value: int) -> bytes:
    return bytes([value]) if value < 0x80 else bytes([value & 0x7F | 0x80]) + varint(value >> 7)


def field(number: int, value: float | bytes) -> bytes:
    """A field of a protocol buffer: int as a varint, float as a double, bytes with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, float):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def evaluation(epoch: float, seconds: float, train: float, valid: float, test: float) -> bytes:
    numbers = b"".join(field(i, float(x)) for i, x in enumerate((epoch, seconds, train, valid, test), 1))
    return numbers + field(6, b"gs://nowhere/model.ckpt-1")


@dataclass(frozen=True)
class Training:
    name: str
    epochs: int
    matrix: str  # row by row
    labels: str
    seconds: float
    valid: float
    test: float
    parameters: int
    evaluations: int = 3

    def record(self) -> bytes:
        start = evaluation(0.0, 0.0, 0.1, 0.1, 0.1)
        half = evaluation(self.epochs / 2, self.seconds / 2, 0.5, 0.5, 0.5)
        end = evaluation(self.epochs, self.seconds, 0.99, self.valid, self.test)
        evaluations = [start, half, end][-self.evaluations :]
        message = b"".join(field(1, e) for e in evaluations) + field(2, self.parameters) + field(3, self.seconds + 9.0)
        metrics = base64.b64encode(message).decode()
        return json.dumps([self.name, self.epochs, self.matrix, self.labels, metrics]).encode()


SMALL = 91  # cells of at most four vertices; they are the first in the numbering


@pytest.fixture(scope="module")
def small() -> Cells:
    """The benchmark as it would be with at most four vertices."""
    sizes, numbering = cells()
    hashes, counts = [np.concatenate([f(size) for size in sizes[:3]]) for f in (fingerprints, parameters)]
    assert len(hashes) == SMALL
    return Cells(numbering, hashes, counts)


def release(cells: Cells, epochs: Iterable[int] = (4, 108), seed: int = 1) -> list[Training]:
    """Three made-up trainings of every cell for each number of epochs, in no order; accuracies in single precision."""
    rng = random.Random(seed)
    trainings = []
    for row in range(SMALL):
        arch = SPACE.at(row)
        matrix, labels = SPACE.to_matrix(arch)
        for epoch in epochs:
            for _ in range(3):
                valid, test = (float(np.float32(rng.randrange(9985) / 9984)) for _ in range(2))
                seconds = epoch * rng.uniform(5.0, 20.0)
                spelled = "".join(map(str, matrix.ravel())), ",".join(labels)
                name, count = SPACE.fingerprint(arch), int(cells.parameters[row])
                trainings.append(Training(name, epoch, *spelled, seconds, valid, test, count))
    rng.shuffle(trainings)
    return trainings


# -- records ------------------------------------------------------------------------------------------


STANDARD = {bytes(32): 0x8A9136AA, b"\xff" * 32: 0x62A8AB43, bytes(range(32)): 0x46DD794E, b"123456789": 0xE3069283}


@pytest.mark.parametrize("content", STANDARD)
def test_checksums_of_the_standard(content: bytes) -> None:
    assert crc32c(content) == STANDARD[content]  # RFC 3720, appendix B.4
    (found,) = checksums(content, np.array([0]), np.array([len(content)]))
    assert found.tobytes() == masked(content)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=70), max_size=20))
def test_records_come_back(tmp_path_factory: pytest.TempPathFactory, records: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("records") / "some.tfrecord"
    path.write_bytes(framed(records))
    assert list(read_records(path)) == records


def test_records_across_the_pieces_that_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nassim.tabular_data.tfrecord._CHUNK", 50)
    records = [bytes([i]) * (7 * i % 120) for i in range(60)]
    path = tmp_path / "some.tfrecord"
    path.write_bytes(framed(records))
    assert list(read_records(path)) == records


def test_every_altered_byte_is_found_with_its_record(tmp_path: Path) -> None:
    records = [b"one", b"", b"three and more", b"four"]
    content, path = framed(records), tmp_path / "some.tfrecord"
    ends = np.cumsum([16 + len(record) for record in records])
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :])
        with pytest.raises(CorruptData, match=rf"record {np.searchsorted(ends, place, side='right') + 1} is damaged"):
            list(read_records(path))


def test_every_cut_is_found_with_its_record(tmp_path: Path) -> None:
    records = [b"one", b"", b"three and more"]
    content, path = framed(records), tmp_path / "some.tfrecord"
    ends = [0, *np.cumsum([16 + len(record) for record in records]).tolist()]
    for end in range(len(content)):
        path.write_bytes(content[:end])
        if end in ends:
            assert list(read_records(path)) == records[: ends.index(end)]
        else:
            with pytest.raises(CorruptData, match=rf"record {np.searchsorted(ends, end)} is damaged, the file ends"):
                list(read_records(path))


def test_a_record_of_any_length_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "some.tfrecord"
    path.write_bytes(framed([b"one"]) + struct.pack("<Q", LONGEST + 1) + bytes(100))
    with pytest.raises(CorruptData, match="record 2 is damaged, its length"):
        list(read_records(path))
    with pytest.raises(MissingData, match="not there"):
        list(read_records(tmp_path / "other.tfrecord"))


def test_fields_come_back() -> None:
    wanted: list[tuple[int, float | bytes]] = [(1, b"a"), (2, 300), (100, 0.5), (1, b""), (3, 2**40)]
    assert list(fields(b"".join(field(*one) for one in wanted))) == wanted


@given(st.binary(max_size=60))
def test_any_bytes_are_fields_or_one_error(content: bytes) -> None:
    try:
        list(fields(content))
    except ValueError as error:
        assert "protocol buffer" in str(error)


# -- the release of NAS-Bench-101 ---------------------------------------------------------------------


@pytest.mark.slow
def test_every_training_comes_back(small: Cells, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From a file to the answers of the benchmark, through the public commands' code."""
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(recipe, "all_cells", lambda: small)
    trainings = release(small)
    path = tmp_path / "nasbench_full.tfrecord"
    path.write_bytes(framed(training.record() for training in trainings))
    Recipe.of(recipe).import_from(tmp_path)  # the folder it lies in
    table = Table.open(tmp_path / "data" / "nasbench101-official.h5")
    assert table.header.epochs == (4, 108)
    assert table.columns["cifar10/valid_accuracy@4"].shape == (SMALL, 3)
    opened = [nassim.get_benchmark("nasbench101/cifar10", f"repeat={k}") for k in (1, 2, 3)]
    mean = nassim.get_benchmark("nasbench101/cifar10", "mean")
    rng = random.Random(0)
    for row in range(SMALL):
        name = SPACE.fingerprint(arch := SPACE.at(row))
        for epochs in (4, 108):
            mine = [t for t in trainings if t.name == name and t.epochs == epochs]
            results = [benchmark.query(nassim.Query(arch, epochs), rng) for benchmark in opened]
            assert [(result.value, result.epochs) for result in results] == [(t.valid, epochs) for t in mine]
            assert [result.cost for result in results] == pytest.approx([t.seconds for t in mine], rel=1e-7)
            assert {result.extras["parameters"] for result in results} == {mine[0].parameters}
            average = mean.query(nassim.Query(arch, epochs), rng)
            assert average.value == pytest.approx(np.mean([t.valid for t in mine]), abs=1e-12)
            assert average.cost == pytest.approx(np.mean([t.seconds for t in mine]), rel=1e-7)
        assert mean.test_accuracy(arch) == pytest.approx(np.mean([t.test for t in mine]), abs=1e-12)
        assert mean.mean_accuracy(arch) == pytest.approx(np.mean([t.valid for t in mine]), abs=1e-12)
    assert mean.optimum() == pytest.approx(max(mean.mean_accuracy(SPACE.at(row)) for row in range(SMALL)), abs=1e-12)
    with pytest.raises(CorruptData, match=r"lowest mean error .* published is 0\.049"):
        recipe.check(table.path)


FIRST = Training("", 108, "0100", "input,output", 900.0, 0.5, 0.25, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "0" * 32}, "is not that of its matrix"),
        ({"name": "no hash"}, "non-hexadecimal"),
        ({"matrix": "0000"}, "is not that of its matrix"),
        ({"matrix": "01000"}, "reshape"),
        ({"matrix": "0010"}, "above the diagonal"),
        ({"matrix": "010001000"}, "is not that of its matrix"),
        ({"labels": "input,conv5x5,output"}, "conv5x5"),
        ({"labels": "input"}, "values to unpack"),
        ({"epochs": 107}, "107 epochs, the release has 4, 12, 36, 108"),
        ({"parameters": 12}, "counts 12 parameters, the network has"),
        ({"valid": 50.0}, r"50\.0"),
        ({"test": float("nan")}, "nan"),
        ({"seconds": 0.5}, r"0\.5"),
        ({"evaluations": 2}, "2 evaluations"),
    ],
)
def test_a_record_that_is_not_of_the_release(small: Cells, change: dict[str, object], message: str) -> None:
    good = replace(FIRST, name=SPACE.fingerprint(SPACE.at(0)), parameters=int(small.parameters[0]))
    bad = replace(good, **change)  # type: ignore[arg-type]
    with pytest.raises(CorruptData, match=rf"x: record 2 is not a training of a known cell.*{message}"):
        recipe.read_trainings([good.record(), bad.record()], small, Path("x"))


@pytest.mark.parametrize("record", [b"", b"\xff", b"[]", b"{}", b"[1, 108, 2, 3, 4]", b"[" * 60_000, b"null"])
def test_a_record_of_something_else(small: Cells, record: bytes) -> None:
    with pytest.raises(CorruptData, match="x: record 1 is not a training of a known cell"):
        recipe.read_trainings([record], small, Path("x"))


def test_a_part_of_the_release_and_more_than_it(small: Cells) -> None:
    records = [training.record() for training in release(small)]
    with pytest.raises(CorruptData, match="1 cells lack trainings for"):
        recipe.read_trainings(records[:-1], small, Path("x"))
    with pytest.raises(CorruptData, match=f"record {len(records) + 1:,} is a fourth training"):
        recipe.read_trainings([*records, records[0]], small, Path("x"))
    full_trainings = recipe.read_trainings([t.record() for t in release(small, epochs=(108,))], small, Path("x"))
    assert sorted(full_trainings) == ["cifar10/test_accuracy", "cifar10/train_seconds", "cifar10/valid_accuracy"]
    for none in ([], [t.record() for t in release(small, epochs=(4,))]):
        with pytest.raises(CorruptData, match="no training for 108 epochs"):
            recipe.read_trainings(none, small, Path("x"))


def test_a_damaged_release_leaves_the_table_as_it_was(
    small: Cells, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe, "all_cells", lambda: small)
    content = framed(training.record() for training in release(small))
    path, target = tmp_path / "nasbench_only108.tfrecord", tmp_path / "data" / "table.h5"
    path.write_bytes(content)
    recipe.import_release(path, target)
    before = target.read_bytes()
    path.write_bytes(content[:-5])
    with pytest.raises(CorruptData, match=r"record 546 is damaged, the file ends inside it"):
        recipe.import_release(path, target)
    assert target.read_bytes() == before
    with pytest.raises(MissingData, match=r"neither nasbench_full\.tfrecord nor"):
        recipe.import_release(target.parent, target)
    with pytest.raises(Unsupported, match="nassim data import nasbench101-official"):
        recipe.convert({}, target)
