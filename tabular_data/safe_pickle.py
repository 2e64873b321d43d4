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
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.errors import CorruptData, MissingData

_PLAIN_DTYPE = re.compile(r"[biufcSU]\d{1,6}")


def load(path: Path) -> Any:
    """The value in a pickle file; `CorruptData` if it is damaged or holds anything but plain data."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise MissingData(f"{path} is not there.") from error
    except OSError as error:
        raise CorruptData(f"{path} cannot be read: {error.strerror}.") from error
    return loads(content, name=str(path))


def loads(content: bytes, *, name: str) -> Any:
    """The value in a pickle; ``name`` says in errors where it came from."""
    try:
        return _Unpickler(io.BytesIO(content)).load()
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
    def find_class(self, module: str, name: str) -> Any:
        key = f"{module.replace('__builtin__', 'builtins').replace('numpy.core', 'numpy._core')}.{name}"
        if key not in _VOCABULARY:
            raise _Refused(key)
        return _VOCABULARY[key]


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
        if type(dtype) is not _Dtype or type(content) is not bytes:
            raise _Refused("an array of objects")
        super().__setstate__((1, shape, dtype.dtype, fortran, content))


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
