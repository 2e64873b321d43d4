"""The forms of NATS-Bench's releases, and what is refused of them."""

from __future__ import annotations

import bz2
import io
import os
import pickle
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from nassim.errors import CorruptData, InvalidSetting, MissingData, NassimError, UnknownName
from nassim.registry import recipe_module
from nassim.tabular_data import safe_pickle
from nassim.tabular_data.recipes import natsbench_size, natsbench_topology
from nassim.tabular_data.table import Table, read_header

TSS, SSS, OLD = "NATS-tss-v1_0-3ffb9", "NATS-sss-v1_0-50262", "NAS-Bench-201-v1_1-096897"


@pytest.fixture(scope="module")
def releases(genuine: Callable[[str], Path]) -> Path:
    return genuine(f"D-X-Y/NATS-Bench/*/fake_torch_dir/{TSS}-simple").parent


def unpack(path: Path) -> Any:
    return safe_pickle.loads(bz2.decompress(path.read_bytes()), name=str(path))


def pack(path: Path, value: Any) -> None:
    path.write_bytes(bz2.compress(pickle.dumps(value, 4)))


@pytest.fixture
def folder(releases: Path, tmp_path: Path) -> Path:
    """A copy of the size release, to be altered."""
    copy = tmp_path / f"{SSS}-simple"
    shutil.copytree(releases / f"{SSS}-simple", copy, copy_function=shutil.copyfile)
    return copy


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "data" / "table.h5"


@pytest.fixture(scope="module")
def columns(releases: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The sha256 of the columns that each of the two tables has from its folder."""
    table = tmp_path_factory.mktemp("tables") / "table.h5"
    natsbench_topology.import_release(releases / f"{TSS}-simple", table)
    return {path.name: read_header(path).sha256 for path in (table, table.with_name("table-curves.h5"))}


def old_release(releases: Path) -> dict[str, Any]:
    """The three cells as NAS-Bench-201's file holds them: schedules ``less`` and ``full``, all in one dictionary."""
    found = {}
    for path in sorted((releases / f"{TSS}-simple").glob("0*.pickle.pbz2")):
        record = unpack(path)
        found[record["12"]["arch_index"]] = {"full": record["200"], "less": record["12"]}
    meta = unpack(releases / f"{TSS}-simple" / "meta.pickle.pbz2")["meta_archs"]
    return {"meta_archs": meta, "total_archs": len(meta), "arch2infos": found, "evaluated_indexes": set(found)}


def pytorch(value: Any) -> bytes:
    """What torch.save of 2020 wrote: three pickles of its own, the value, and the names of stored tensors."""
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    parts = (0x1950A86A20F9469CFC6C, 1001, system, value, [])
    return b"".join(pickle.dumps(part, 2) for part in parts)


def zipped(value: Any) -> bytes:
    """What torch.save writes today."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("release/data.pkl", pickle.dumps(value, 2))
        archive.writestr("release/version", "3\n")
    return buffer.getvalue()


@pytest.mark.parametrize(
    "form",
    [
        "pth",
        *(
            pytest.param(form, marks=pytest.mark.slow)
            for form in ("zip", "tar", "single", "folder around", "without meta", "other name")
        ),
    ],
)
def test_every_form_of_a_release_gives_the_same_tables(
    form: str, releases: Path, tmp_path: Path, target: Path, columns: dict[str, str]
) -> None:
    source = tmp_path / f"{OLD}.pth"
    if form in ("pth", "zip", "other name"):
        source = tmp_path / "mine.bin" if form == "other name" else source
        source.write_bytes((zipped if form == "zip" else pytorch)(old_release(releases)))
    elif form == "single":
        source = tmp_path / f"{TSS}.pickle.pbz2"
        whole = old_release(releases)
        whole["arch2infos"] = {n: {"12": r["less"], "200": r["full"]} for n, r in whole["arch2infos"].items()}
        pack(source, whole)
    elif form == "tar":
        source = tmp_path / f"{TSS}-simple.tar"
        with tarfile.open(source, "w") as archive:
            archive.add(releases / f"{TSS}-simple", f"{TSS}-simple")
    else:
        source = tmp_path / "torch home" / f"{TSS}-simple"
        shutil.copytree(releases / f"{TSS}-simple", source, copy_function=shutil.copyfile)
        if form == "without meta":
            (source / "meta.pickle.pbz2").unlink()
        else:
            source = source.parent
    natsbench_topology.import_release(source, target)
    assert {path.name: read_header(path).sha256 for path in target.parent.iterdir()} == columns


# -- bad input --------------------------------------------------------------------------------------


def refused(source: Path, target: Path, error: type[NassimError], message: str, module: Any = natsbench_size) -> None:
    """One clear error; neither the release nor a table that was there is touched."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(b"an older table")
    files = sorted(source.rglob("*")) if source.is_dir() else [source]
    before = {path: path.read_bytes() for path in files if path.is_file()}
    with pytest.raises(error, match=message) as raised:
        module.import_release(source, target)
    assert "\n" not in str(raised.value)
    assert target.read_bytes() == b"an older table"
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize("name", ["NATS-sss-v1_1-12345-simple", "NATS-sss-v1_0-50263-simple"])
def test_another_version_is_refused(name: str, folder: Path, target: Path) -> None:
    refused(
        folder.rename(folder.parent / name), target, CorruptData, "another version of the release: NATS-sss-v1_0-50262"
    )


def test_the_other_release_is_refused(folder: Path, target: Path, tmp_path: Path, releases: Path) -> None:
    refused(folder, target, InvalidSetting, "nassim data import natsbench-size", natsbench_topology)
    plain = folder.rename(tmp_path / "plain")  # only the content tells
    refused(plain, target, CorruptData, r"000000.* no '01'|000000.*not a record of NATS-tss", natsbench_topology)
    old = tmp_path / "NAS-Bench-201-v1_0-e61699.pth"
    old.write_bytes(pytorch(old_release(releases)))
    refused(old, target, CorruptData, "another version", natsbench_topology)


def test_a_folder_or_file_without_records_is_refused(tmp_path: Path, target: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    refused(empty, target, MissingData, "holds no records")
    with tarfile.open(tmp_path / "empty.tar", "w") as archive:
        archive.add(empty, "empty")
    refused(tmp_path / "empty.tar", target, MissingData, "holds no records")
    for content in (b"", b"some text", b"\x89HDF\r\n"):
        (tmp_path / "other").write_bytes(content)
        refused(tmp_path / "other", target, CorruptData, "other")
    (tmp_path / "none.pth").write_bytes(pytorch({"meta_archs": [], "arch2infos": {}}))
    refused(tmp_path / "none.pth", target, MissingData, "holds no records")


@pytest.mark.parametrize("end", [0, 10, 1000, -1])
def test_a_record_that_is_cut_off_is_refused(end: int, folder: Path, target: Path) -> None:
    record = folder / "000011.pickle.pbz2"
    record.write_bytes(record.read_bytes()[:end])
    refused(folder, target, CorruptData, r"000011\.pickle\.pbz2 is damaged or cut off")


@pytest.mark.parametrize(
    "form", ["pth", "zip", *(pytest.param(form, marks=pytest.mark.slow) for form in ("tar", "bz2"))]
)
def test_an_archive_that_is_cut_off_is_refused(form: str, releases: Path, tmp_path: Path, target: Path) -> None:
    source = tmp_path / "release"
    if form == "tar":
        with tarfile.open(source, "w") as archive:
            archive.add(releases / f"{TSS}-simple", "release")
    elif form == "bz2":
        pack(source, old_release(releases))
    else:
        source.write_bytes((pytorch if form == "pth" else zipped)(old_release(releases)))
    content = source.read_bytes()
    ends = [int(share * len(content)) for share in (0.1, 0.5, 0.9)]
    ends.append(len(content.rstrip(b"\0")) // 512 * 512 + 512 if form == "tar" else len(content) - 3)  # after a file
    for end in ends:
        source.write_bytes(content[:end])
        refused(source, target, CorruptData, "release", natsbench_topology)


class Runs:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize(
    "place", ["record", "meta", *(pytest.param(place, marks=pytest.mark.slow) for place in ("pth", "pth around"))]
)
def test_a_pickle_with_code_is_refused(place: str, folder: Path, releases: Path, tmp_path: Path, target: Path) -> None:
    marker = tmp_path / "ran"
    if place in ("record", "meta"):
        path = folder / ("meta.pickle.pbz2" if place == "meta" else "000284.pickle.pbz2")
        pack(path, {**unpack(path), "more": Runs(marker)})
        refused(folder, target, CorruptData, r"asks for (posix|nt)\.mkdir")
    else:
        whole = old_release(releases)
        (whole["arch2infos"][284]["full"] if place == "pth" else whole)["more"] = Runs(marker)
        path = tmp_path / f"{OLD}.pth"
        path.write_bytes(pytorch(whole))
        refused(path, target, CorruptData, r"asks for (posix|nt)\.mkdir", natsbench_topology)
    assert not marker.exists()


def _training(record: Any) -> Any:
    return record["90"]["all_results"]["cifar100", 777]


ALTERED: dict[str, tuple[Callable[[Any], object], str]] = {
    "schedule left out": (lambda r: r.pop("12"), "schedules 01, 90"),
    "another schedule": (lambda r: r.update({"200": r["90"]}), "no '200'"),
    "data set left out": (lambda r: r["90"]["dataset_seed"].pop("cifar100"), "no 'cifar100'"),
    "training left out": (lambda r: r["12"]["all_results"].pop(("cifar10", 888)), r"no \('cifar10', 888\)"),
    "unknown architecture": (lambda r: [x.update(arch_str="8:8:8:8:7") for x in r.values()], "8:8:8:8:7"),
    "two architectures": (lambda r: r["12"].update(arch_str="8:8:8:8:16"), "not a record"),
    "fewer epochs": (lambda r: _training(r).update(epochs=80), "80 epochs"),
    "epoch left out": (lambda r: _training(r)["eval_acc1es"].pop("x-valid@40"), "no 'x-valid@40'"),
    "no count": (lambda r: _training(r)["eval_acc1es"].update({"x-test@3": 1.01}), "no counts of 5,000 images"),
    "not a number": (lambda r: _training(r)["train_acc1es"].update({3: float("nan")}), "no counts of 50,000 images"),
    "above 100": (lambda r: _training(r)["train_acc1es"].update({3: 104.0}), "no counts"),
    "varying times": (lambda r: _training(r)["train_times"].update({3: 1.0}), "times that differ"),
    "no times": (lambda r: _training(r).update(train_times=None), "not a record"),
    "another number": (lambda r: [x.update(arch_index=12) for x in r.values()], "architecture 12, again or in a wrong"),
    "not a dictionary": (lambda r: r.update({"90": [1, 2]}), "not a record"),
}


@pytest.mark.parametrize("how", ALTERED)
def test_an_altered_record_is_refused_by_name(how: str, folder: Path, target: Path) -> None:
    alter, message = ALTERED[how]
    record = unpack(folder / "000011.pickle.pbz2")
    alter(record)
    pack(folder / "000011.pickle.pbz2", record)
    refused(folder, target, CorruptData, rf"000011\.pickle\.pbz2.*{message}")


def test_records_that_contradict_each_other_are_refused(folder: Path, target: Path) -> None:
    record = unpack(folder / "000011.pickle.pbz2")
    (folder / "12.pickle.pbz2").write_bytes((folder / "000011.pickle.pbz2").read_bytes())
    refused(folder, target, CorruptData, r"12\.pickle\.pbz2 holds architecture 11, again")
    other = deepcopy(record)
    for results in other.values():
        results.update(arch_index=12, arch_str="16:8:8:8:8")  # number 12 is another one in the list
    pack(folder / "12.pickle.pbz2", other)
    refused(folder, target, CorruptData, "list of architectures is not that of the records")


@pytest.mark.slow
def test_a_part_of_a_release_does_not_take_the_place_of_more(folder: Path, target: Path) -> None:
    natsbench_size.import_release(folder, target)
    before = {path: path.read_bytes() for path in target.parent.iterdir()}
    assert len(before) == 2
    (folder / "000011.pickle.pbz2").rename(folder.parent / "000011.pickle.pbz2")
    with pytest.raises(InvalidSetting, match=r"1 of the 3 in .* nassim data remove natsbench-size"):
        natsbench_size.import_release(folder, target)
    assert {path: path.read_bytes() for path in target.parent.iterdir()} == before
    target.write_bytes(b"damaged")
    natsbench_size.import_release(folder, target)
    assert (Table.open(target).columns["official_number"] >= 0).sum() == 2


def test_a_release_of_another_list_is_refused(folder: Path, target: Path) -> None:
    meta = unpack(folder / "meta.pickle.pbz2")
    meta["meta_archs"] = meta["meta_archs"][:1000]
    pack(folder / "meta.pickle.pbz2", meta)
    refused(folder, target, CorruptData, "list of architectures")


@pytest.mark.slow
def test_sizes_that_the_release_has_wrong_are_counted(folder: Path, target: Path) -> None:
    record = unpack(folder / "000011.pickle.pbz2")
    _training(record)["params"] = 0.05
    pack(folder / "000011.pickle.pbz2", record)
    natsbench_size.import_release(folder, target)
    assert any(note.startswith("1 records state other sizes") for note in Table.open(target).header.errata)


def test_the_name_of_the_issue_leads_to_both() -> None:
    with pytest.raises(UnknownName, match="natsbench-size or natsbench-topology"):
        recipe_module("natsbench")
