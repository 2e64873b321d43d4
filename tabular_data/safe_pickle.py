"""Reading pickles of others without executing them.

A pickle is a program. This reader runs it with a vocabulary of plain containers, numbers, strings and
numpy arrays; any other name that the file asks for stops it. Even numpy's own constructors are replaced:
they trust the descriptions that a file gives of its memory.
"""

from __future__ import annotations

import io
import pickle
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from nassim.errors import CorruptData, MissingData

_PLAIN_DTYPE = re.compile(r"[biufcSU]\d{1,6}|O8?")  # O: only where a stand-in takes the list of objects
StandIns = Mapping[str, Any]  # names that one file needs in addition, and what to take for them


def load(path: Path, stand_ins: StandIns = MappingProxyType({})) -> Any:
    """The value in a pickle file; `CorruptData` if it is damaged or holds anything but plain data.

    stand_ins: harmless classes and functions of the caller for further names, like ``pandas.core.frame.DataFrame``.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise MissingData(f"{path} is not there.") from error
    except OSError as error:
        raise CorruptData(f"{path} cannot be read: {error.strerror}.") from error
    return loads(content, name=str(path), stand_ins=stand_ins)


def loads(content: bytes, *, name: str, stand_ins: StandIns = MappingProxyType({})) -> Any:
    """The value in a pickle; ``name`` says in errors where it came from."""
    with _errors(name):
        return _Unpickler(io.BytesIO(content), {**_VOCABULARY, **stand_ins}).load()


class Pieces:
    """Reads one long pickle that was cut into pieces, each of which makes one value: they share what they define.

    Put instructions in the pieces must be explicit (protocol 2 and 3): with pieces left out, others would miscount.
    """

    def __init__(self, *, name: str) -> None:
        self._name = name
        self._begin({})

    def read(self, piece: bytes) -> Any:
        """The value that a piece (without the final stop) makes; `CorruptData` as from `loads`."""
        with _errors(self._name):
            self._file.seek(0)
            self._file.truncate()
            # Declared as one frame it is fetched at once, and not instruction by instruction.
            self._file.write(b"\x95" + (len(piece) + 1).to_bytes(8, "little") + piece + b".")
            self._file.seek(0)
            return self._unpickler.load()

    def forget(self, but: Set[int] = frozenset()) -> None:
        """Let go of what was read so far, except the objects that were put under these numbers."""
        memo: dict[int, Any] = self._unpickler.memo.copy()
        self._begin({i: memo[i] for i in but if i in memo})

    def _begin(self, kept: Mapping[int, Any]) -> None:
        self._file = io.BytesIO()
        names = {f"{_KEPT}.{i}": value for i, value in kept.items()}
        self._unpickler = _Unpickler(self._file, {**_VOCABULARY, **names})
        if kept:  # the memo of an unpickler cannot be set: have it filled
            self.read(b"".join(f"c{_KEPT}\n{i}\nr".encode() + i.to_bytes(4, "little") + b"0" for i in kept) + b"N")


_KEPT = "kept"


@contextmanager
def _errors(name: str) -> Iterator[None]:
    try:
        yield
    except _Refused as refusal:
        raise CorruptData(
            f"{name} was not read: it asks for {refusal}, and only plain containers, numbers, strings and "
            "numpy arrays are taken from a pickle. Do not open it with another program unless you trust it."
        ) from None
    except Exception as error:  # a damaged pickle can raise anything
        raise CorruptData(f"{name} is not a pickle or is damaged ({type(error).__name__}). Fetch it again.") from error


class _Refused(Exception):
    pass


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO, vocabulary: StandIns) -> None:
        super().__init__(file)
        self._vocabulary = vocabulary

    def find_class(self, module: str, name: str) -> Any:
        key = f"{module.replace('__builtin__', 'builtins').replace('numpy.core', 'numpy._core')}.{name}"
        if key not in self._vocabulary:
            raise _Refused(key)
        return self._vocabulary[key]


class _Dtype:
    """Stands in for numpy.dtype: numbers and text of fixed size, without fields and objects."""

    def __init__(self, code: str, *_: object) -> None:
        if not _PLAIN_DTYPE.fullmatch(code):
            raise _Refused(f"an array of type {code!r:.40}")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if any(part is not None for part in state[2:5]):
            raise _Refused("an array with named fields")
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array(np.ndarray[Any, Any]):
    """An array whose state is checked before numpy takes it."""

    def __setstate__(self, state: Any, /) -> None:
        _, shape, dtype, fortran, content = state
        if type(dtype) is not _Dtype or type(content) is not bytes or dtype.dtype.hasobject:
            raise _Refused("an array of objects")
        super().__setstate__((1, shape, dtype.dtype, fortran, content))


class ObjectArray:
    """A stand-in for arrays of objects (the value of their ``_reconstruct``): ``items`` is their list."""

    items: list[Any]

    def __setstate__(self, state: Any, /) -> None:
        self.items = list(state[4])


class _ArrayType:
    """Stands in for the name numpy.ndarray, which is an argument of `_reconstruct`."""


def _reconstruct(_kind: object, _shape: object, _code: object) -> _Array:
    empty: _Array = _Array((0,), np.dtype("u1"))
    return empty


def _frombuffer(content: bytes, dtype: _Dtype, shape: tuple[int, ...], order: str) -> NDArray[Any]:
    flat: NDArray[Any] = np.frombuffer(content, dtype.dtype)
    return flat.reshape(shape, order="F" if order == "F" else "C")


def _scalar(dtype: _Dtype, content: bytes) -> Any:
    return np.frombuffer(content, dtype.dtype, count=1)[0]


def _encode(text: str, encoding: str) -> bytes:  # how protocol 2 spells bytes
    if encoding != "latin1":
        raise _Refused(f"the encoding {encoding!r:.40}")
    return text.encode(encoding)


_VOCABULARY: dict[str, Any] = {
    "builtins.bytes": lambda: b"",  # how protocol 2 spells an empty one
    "builtins.complex": complex,
    "builtins.frozenset": frozenset,
    "builtins.set": set,
    "collections.OrderedDict": OrderedDict,
    "_codecs.encode": _encode,
    "numpy.dtype": _Dtype,
    "numpy.ndarray": _ArrayType,
    "numpy._core.multiarray._reconstruct": _reconstruct,
    "numpy._core.multiarray.scalar": _scalar,
    "numpy._core.numeric._frombuffer": _frombuffer,
}
