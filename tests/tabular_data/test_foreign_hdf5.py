"""HDF5 files of others, and tables with altered bytes: reading takes nothing from them that their text does not say."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from nassim.cli.main import main
from nassim.errors import NassimError
from nassim.tabular_data.own_table import table_path
from nassim.tabular_data.table import Table, read_header

# -- HDF5 of others -----------------------------------------------------------------------------------


def external_link(file: Any, secret: Path) -> None:
    file["table/valid_accuracy"] = h5py.ExternalLink(str(secret), "/numbers")


def soft_link(file: Any, secret: Path) -> None:
    file["table/valid_accuracy"] = h5py.SoftLink("/table/test_accuracy")


def virtual(file: Any, secret: Path) -> None:
    layout = h5py.VirtualLayout((5, 1), "f8")
    layout[:] = h5py.VirtualSource(str(secret), "numbers", (5, 1))
    file.create_virtual_dataset("table/valid_accuracy", layout)


def external_storage(file: Any, secret: Path) -> None:
    file.create_dataset("table/valid_accuracy", (5, 1), "f8", external=[(str(secret), 0, 40)])


def filtered(file: Any, secret: Path) -> None:
    file.create_dataset("table/valid_accuracy", data=np.zeros((5, 1)), compression="gzip", shuffle=True)


def compound(file: Any, secret: Path) -> None:
    file["table/valid_accuracy"] = np.zeros((5, 1), dtype=[("a", "f8"), ("b", "S3")])


def references(file: Any, secret: Path) -> None:
    file.create_dataset("table/valid_accuracy", (5, 1), dtype=h5py.ref_dtype)


def texts(file: Any, secret: Path) -> None:
    file.create_dataset("table/valid_accuracy", (5, 1), dtype=h5py.string_dtype())


def group(file: Any, secret: Path) -> None:
    file.create_group("table/valid_accuracy")


def named_type(file: Any, secret: Path) -> None:
    file["table/valid_accuracy"] = np.dtype("f8")


def deep_attribute(file: Any, secret: Path) -> None:
    file.attrs["spec"] = "[" * 200_000


def large_attribute(file: Any, secret: Path) -> None:
    file.attrs["errata"] = json.dumps(["x" * 40_000_000])


def no_json(file: Any, secret: Path) -> None:
    file.attrs["spec"] = np.zeros(3)


KINDS = [external_link, soft_link, virtual, external_storage, filtered, compound, references, texts, group, named_type]
KINDS += [deep_attribute, large_attribute, no_json]


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_hdf5_of_others(
    kind: Callable[[Any, Path], None],
    own: Path,
    sign: Callable[[Path], None],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One line each in every command; a file beside it is never read, and the other tables are listed."""
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["numbers"] = np.full((5, 1), 0.125)
    bad = table_path("bad")
    bad.write_bytes(own.read_bytes())
    with h5py.File(bad, "r+") as file:
        if "attribute" not in kind.__name__ and kind is not no_json:
            del file["table/valid_accuracy"]
        kind(file, secret)
    altered = bad.read_bytes()
    # With lines that fit: what is in the HDF5 file does not matter, only where the header says that columns lie.
    bad.write_bytes(altered)
    sign(bad)
    assert not (Table.open(bad).columns["table/valid_accuracy"] == 0.125).any()
    # Without a header that says so there is nothing to read, whatever links and objects it has.
    block = altered.index(b"\x89HDF\r\n")
    sha256 = hashlib.sha256(altered[block:]).hexdigest()
    old = f"nassim table 1\nbytes {len(altered)}\nsha256 {sha256}\n".encode()
    for begun in (altered[:block], old.ljust(block, b"\0"), bytes(block)):
        bad.write_bytes(begun + altered[block:])
        if len(altered) == len(own.read_bytes()) and begun == altered[:block]:
            read_header(bad)
        else:
            with pytest.raises(NassimError):
                read_header(bad)
        with pytest.raises(NassimError):
            Table.open(bad)
    for arguments, code in ((["list"], 0), (["info", "bad"], 2), (["info", "mine"], 0), (["verify", "bad"], 2)):
        with pytest.raises(SystemExit) as ended:
            main(["data", *arguments])
        out, err = capsys.readouterr()
        assert int(ended.value.code or 0) == code, (arguments, err)
        assert err.count("\n") == (code == 2)
        if arguments == ["list"]:
            assert sum(line.startswith("bad ") and "damaged" in line for line in out.splitlines()) == 1
            assert any(line.startswith("mine ") and "6 architectures" in line for line in out.splitlines())


def test_libhdf5_is_given_no_table(own: Path) -> None:
    """A library in C that trusts what it reads cannot be made safe from here: reading does without it."""
    code = """
import sys
from pathlib import Path
from nassim.tabular_data.table import Table, read_header
path = Path(sys.argv[1])
read_header(path)
assert len(Table.open(path).columns) == 8, Table.open(path).columns
assert not [name for name in sys.modules if name.startswith("h5py")]
"""
    subprocess.run([sys.executable, "-c", code, str(own)], check=True)


ALTER = """
import sys
from pathlib import Path
from nassim.errors import NassimError
sys.path.insert(0, sys.argv[1])
from conftest import sign, use
import random

path, start, signed = Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "signed"
whole, values, rng = path.read_bytes(), use(path), random.Random(start)
for number in range(start, 220):
    content = bytearray(whole)
    place = rng.randrange(len(content)) if number % 4 else rng.randrange(2500)
    if number % 11 == 10:
        del content[place:]
    else:
        content[place] = rng.randrange(256) if number % 3 else content[place] ^ 1 << rng.randrange(8)
    path.write_bytes(content)
    try:
        if signed:
            sign(path)
        found = use(path)
        assert signed or content == whole or found == values, (number, place)
    except NassimError as error:
        assert len(str(error).splitlines()) == 1, (number, str(error))
    except Exception as error:
        raise SystemExit(f"place {place}, number {number}: {error!r:.200}")
print("done", number + 1)
"""


@pytest.mark.parametrize("signed", ["as it is", pytest.param("signed", marks=pytest.mark.slow)])
def test_flipped_bytes_and_cuts(own: Path, signed: str) -> None:
    """Whatever byte is altered, with checksums that fit or not: one line or right values, never a signal."""
    command = [sys.executable, "-W", "ignore", "-c", ALTER, str(Path(__file__).parent), str(own), "0", signed]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-500:]
    assert done.stdout.split() == ["done", "220"]
