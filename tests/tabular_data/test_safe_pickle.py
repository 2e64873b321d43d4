from __future__ import annotations

import io
import os
import pickle
import pickletools
from collections import Counter, OrderedDict
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nassim.errors import CorruptData, MissingData
from nassim.tabular_data.safe_pickle import ObjectArray, load, loads

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.complex_numbers(allow_nan=False),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner).map(OrderedDict),
    max_leaves=20,
)


@given(plain, st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_plain_values_come_back(value: object, protocol: int) -> None:
    assert loads(pickle.dumps(value, protocol), name="here") == value


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "array",
    [
        np.arange(12, dtype="<f4").reshape(3, 4),
        np.asfortranarray(np.arange(6, dtype=">i8").reshape(2, 3)),
        np.array([True, False]),
        np.array(["ab", "c"]),
        np.array([b"ab", b"c"]),
        np.zeros((0, 3)),
        np.array(2.5),
    ],
    ids=str,
)
def test_arrays_come_back(array: np.ndarray[Any, Any], protocol: int) -> None:
    found = loads(pickle.dumps(array, protocol), name="here")
    assert isinstance(found, np.ndarray)
    assert found.dtype.newbyteorder("=") == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("number", [np.float64(-1.5), np.float32(2.5), np.int32(7), np.bool_(True), np.str_("ab")])
def test_numpy_numbers_come_back(number: np.generic, protocol: int) -> None:
    found = loads(pickle.dumps([number], protocol), name="here")[0]
    assert found == number
    assert type(found) is type(number)


class Evil:
    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize(
    ("call", "named"),
    [
        ((os.system, ("touch pwned",)), r"system"),
        ((eval, ("open('pwned', 'w')",)), r"builtins\.eval"),
        ((getattr, ("", "join")), r"builtins\.getattr"),
        ((np.load, ("x", None, True)), r"numpy\.load"),
        ((Counter, ("ab",)), r"collections\.Counter"),
        ((Fraction, (1, 2)), r"fractions\.Fraction"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_other_names_are_refused_and_named(
    call: Any, named: str, protocol: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "evil.pkl"
    path.write_bytes(content := pickle.dumps({"good": 1, "bad": [Evil(*call)]}, protocol))
    with pytest.raises(CorruptData, match=named):
        load(path)
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "array", [np.array([{}, None], dtype=object), np.zeros(2, dtype=[("a", "f4"), ("b", "O")]), np.zeros(2, "M8[s]")]
)
@pytest.mark.parametrize("protocol", [2, 5])
def test_arrays_of_objects_are_refused(array: np.ndarray[Any, Any], protocol: int) -> None:
    with pytest.raises(CorruptData, match="an array"):
        loads(pickle.dumps(array, protocol), name="here")


def test_stand_ins_add_names_for_one_file() -> None:
    content = pickle.dumps([Fraction(1, 2), Evil(getattr, ("", "join"))], 2)
    stand_ins = {"fractions.Fraction": lambda *_: "a fraction"}
    with pytest.raises(CorruptData, match=r"builtins\.getattr"):
        loads(content, name="here", stand_ins=stand_ins)
    assert loads(pickle.dumps([Fraction(1, 2)], 2), name="here", stand_ins=stand_ins) == ["a fraction"]
    with pytest.raises(CorruptData, match=r"fractions\.Fraction"):
        loads(pickle.dumps(Fraction(1, 2)), name="here")


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_arrays_of_objects_are_lists_where_a_stand_in_takes_them(protocol: int) -> None:
    array = np.array([["a", None], [{"b": 1}, 2.5]], dtype=object)
    stand_ins = {"numpy._core.multiarray._reconstruct": lambda *_: ObjectArray()}
    found = loads(pickle.dumps({"array": array}, protocol), name="here", stand_ins=stand_ins)
    assert found["array"].items == ["a", None, {"b": 1}, 2.5]


def test_bytes_that_claim_to_be_objects_are_refused() -> None:
    """An array of objects whose content is bytes: numpy would take them for pointers."""
    reconstruct, arguments, state = np.zeros(1, "u8").__reduce__()
    version, shape, _, fortran, content = state
    forged = Evil(reconstruct, arguments, (version, shape, np.dtype("O"), fortran, content))
    with pytest.raises(CorruptData, match="an array of objects"):
        loads(pickle.dumps(forged), name="here")


def test_a_forged_description_of_memory_is_refused() -> None:
    """A plain type whose state claims fields: numpy would read eight bytes of the file as a pointer."""
    real = np.dtype([("a", "O")]).__reduce__()[2]
    forged = Evil(np.dtype, ("u8", False, True), (3, "|", None, *real[3:5], 8, 1, 0))
    with pytest.raises(CorruptData, match="an array"):
        loads(pickle.dumps(forged), name="here")


def test_a_number_past_its_bytes_is_damage() -> None:
    scalar, (dtype, content) = np.float64(1.5).__reduce__()
    assert loads(pickle.dumps(Evil(scalar, (dtype, content))), name="here") == 1.5
    with pytest.raises(CorruptData, match="damaged"):
        loads(pickle.dumps(Evil(scalar, (dtype, content[:4]))), name="here")


def state_of(array: np.ndarray[Any, Any], times: int) -> bytes:
    """A pickle of an array that is given its state several times."""
    content = pickle.dumps(array, 2)
    begin, end = content.index(b"(K\x01"), content.rindex(b"b.")
    return content[:begin] + content[begin : end + 1] * times + b"."


def test_an_array_is_made_once_by_copying_and_is_not_written_to() -> None:
    array = np.arange(1, 5000, dtype=np.int64)
    np.testing.assert_array_equal(loads(state_of(array, 1), name="here"), array)
    with pytest.raises(CorruptData, match="built twice"):
        loads(state_of(array, 2), name="here")
    for protocol in (2, 4, 5):
        content = pickle.dumps(array, protocol)
        for write in (b"K\x00K\x07s.", b"(K\x00K\x07u."):
            with pytest.raises(CorruptData, match="damaged"):
                loads(content[:-1] + write, name="here")
        found = loads(content, name="here")
        assert not found.flags.writeable
        with pytest.raises(ValueError, match=r"read-only|cannot set WRITEABLE"):
            found.flags.writeable = True
            found[0] = 7


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"Nr\xff\xff\xff\x03.", "numbers an object 67,108,863"),
        (b"Np67108864\n.", "numbers an object 67,108,864"),
        (b"(" * 10_000_000, "opens more than 100"),
        (b"}" + b")" + b"q\x00h\x00\x86" * 60 + b"Ns.", "further places"),
        (b"})" + b"\x85" * 1_000_000 + b"Ns.", "in each other"),
        (b"}K\x01K\x02K\x03\x87Ns.", "keys"),
        (b"\x8e" + (2**40).to_bytes(8, "little") + b"N.", "bytes begin at"),
        (b"]" * 3_000_000 + b".", "bytes of memory"),
        (b"C\x01\x00Q.", "instruction b'Q'"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_small_pickles_that_would_take_the_machine_are_refused(content: bytes, message: str) -> None:
    with pytest.raises(CorruptData, match=message):
        loads(content, name="here")


@given(plain, st.integers(0, pickle.HIGHEST_PROTOCOL), st.data())
def test_altered_pickles_are_a_value_or_one_error(value: object, protocol: int, data: st.DataObject) -> None:
    content = bytearray(pickle.dumps([value, np.arange(3)], protocol))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        loads(bytes(content), name="altered.pkl")
    except CorruptData as error:
        assert "altered.pkl" in str(error)
        assert len(str(error).splitlines()) == 1


@given(st.binary(max_size=200))
def test_garbage_is_a_value_or_one_error(content: bytes) -> None:
    try:
        loads(content, name="garbage.pkl")
    except CorruptData as error:
        assert "garbage.pkl" in str(error)
    else:
        assert [op.name for op, _, _ in pickletools.genops(io.BytesIO(content))][-1] == "STOP"


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "half.pkl"
    path.write_bytes(pickle.dumps(list(range(1000)))[:500])
    with pytest.raises(CorruptData, match=r"half\.pkl"):
        load(path)
    with pytest.raises(MissingData, match=r"none\.pkl"):
        load(tmp_path / "none.pkl")
    with pytest.raises(CorruptData, match="cannot be read"):
        load(tmp_path)
