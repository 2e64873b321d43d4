"""What pickles may ask for: plain containers, numbers, texts of fixed size, and numpy's arrays of these.

Every function gets the `Room` of the pickle first. An array is made once, from bytes, by copying them; it is
read-only, and refuses the state of another.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from nassim.tabular_data.pickle_tokens import LONGEST_KEY, Damaged, Refused

_PLAIN = re.compile(r"b1|[iu][1248]|f(?:2|4|8|16)|c(?:8|16|32)|[SU]\d{1,6}|O8?")  # O: only where a stand-in takes it
_ORDERS: dict[str, Literal["<", ">", "=", "|"]] = {"<": "<", ">": ">", "=": "=", "|": "|"}
_AXES = 32
_LAST_CHARACTER = 0x10FFFF


class Room:
    """How many bytes a pickle may still copy."""

    def __init__(self) -> None:
        self._left = 0

    def begin(self, length: int) -> None:
        """A pickle of ``length`` bytes: it may copy them twice (as text, and as an array)."""
        self._left = 2 * length + 1000

    def take(self, count: int) -> None:
        """`Refused` if there are less than ``count``."""
        self._left -= count
        if self._left < 0:
            raise Refused("copies its bytes more than once")


class Dtype:
    """Stands in for numpy.dtype: numbers and text of fixed size, without fields and objects."""

    def __init__(self, code: object, *_: object) -> None:
        if type(code) is not str or not _PLAIN.fullmatch(code):
            raise Refused(f"asks for an array of type {code!r:.40}" if type(code) is str else "asks for an odd array")
        self._dtype = np.dtype(code)
        self._built = False

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        order = state[1]
        if any(part is not None for part in state[2:5]):
            raise Refused("asks for an array with named fields")
        if self._built or type(order) is not str or order not in _ORDERS:
            raise Refused("asks for a type that is built twice, or in no known order")
        self._built = True
        self._dtype = self._dtype.newbyteorder(_ORDERS[order])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type; `Refused` for that of objects."""
        if self._dtype.hasobject:
            raise Refused("asks for an array of objects")
        return self._dtype


class _Array(np.ndarray[Any, Any]):
    """An array whose state is given once, and checked before."""

    room: Room | None

    def __setstate__(self, state: Any, /) -> None:
        room, self.room = getattr(self, "room", None), None
        if room is None:
            raise Refused("asks for an array that is built twice")
        _, shape, dtype, by_columns, content = state
        made = array(room, content, dtype, shape, by_columns=bool(by_columns))
        super().__setstate__(cast(Any, (1, made.shape, made.dtype, bool(by_columns), made.base)))
        self.flags.writeable = False


def array(room: Room, content: object, dtype: object, shape: object, *, by_columns: bool) -> NDArray[Any]:
    """A read-only array on a copy of bytes (its base), which must be as many as its shape says."""
    if type(dtype) is not Dtype or type(content) not in (bytes, bytearray):
        raise Refused("asks for an array of objects")
    kind = dtype.dtype
    if type(shape) is not tuple or len(shape) > _AXES or any(type(n) is not int or n < 0 for n in shape):
        raise Refused("asks for an array of an odd shape")
    size = kind.itemsize
    for n in shape:
        size *= n
    if size != len(content):  # type: ignore[arg-type]
        raise Damaged("an array has more or fewer bytes than its shape")
    room.take(size)
    own = _plain(bytes(memoryview(content)), kind)  # type: ignore[arg-type]
    made: NDArray[Any] = _Array(shape, kind, own, order="F" if by_columns else "C")
    return made


def _plain(content: bytes, kind: np.dtype[Any]) -> bytes:
    """Bytes that are what numpy takes them for: truth values of 0 and 1, characters that there are."""
    if kind.kind == "b":
        return bytes((np.frombuffer(content, np.uint8) != 0).tobytes())
    if kind.kind == "U" and content and kind.itemsize:
        characters = np.frombuffer(content, np.dtype(np.uint32).newbyteorder(kind.byteorder))
        if characters.max() > _LAST_CHARACTER:
            raise Refused("asks for characters that there are not")
    return content


class ObjectArray:
    """A stand-in for arrays of objects (the value of their ``_reconstruct``): ``items`` is their list."""

    items: list[Any]

    def __setstate__(self, state: Any, /) -> None:
        if type(state[4]) is not list:
            raise Refused("asks for an array of objects")
        self.items = list(state[4])


def _reconstruct(room: Room, _kind: object, _shape: object, _code: object) -> _Array:
    empty: _Array = _Array((0,), np.dtype("u1"))
    empty.room = room
    return empty


def _frombuffer(room: Room, content: object, dtype: object, shape: object, order: object) -> NDArray[Any]:
    return array(room, content, dtype, shape, by_columns=order == "F")


def _scalar(room: Room, dtype: object, content: object) -> Any:
    return array(room, content, dtype, (1,), by_columns=False)[0]


def _encode(room: Room, text: object, encoding: object) -> bytes:  # how protocol 2 spells bytes
    if type(text) is not str or encoding != "latin1":
        raise Refused("asks for another encoding than latin1")
    room.take(len(text))
    return text.encode("latin1")


def _complex(_room: Room, real: object, imaginary: object) -> complex:
    if type(real) is not float or type(imaginary) is not float:
        raise Refused("asks for a complex number of other things than numbers")
    return complex(real, imaginary)


def _key(room: Room, key: Any) -> Any:
    room.take(1)
    if (type(key) is int and -(2**64) < key < 2**64) or type(key) in (float, bool, type(None)):
        return key
    if type(key) in (str, bytes) and len(key) <= LONGEST_KEY:
        return key
    if type(key) is tuple and len(key) == 2 and type(key[0]) is str and type(key[1]) is not tuple:
        return _key(room, key[0]), _key(room, key[1])
    raise Refused("has keys that are neither texts nor numbers, nor pairs of a text and one of these")


def _items(room: Room, items: Any) -> list[Any]:
    if type(items) not in (list, tuple):
        raise Refused("makes a set of no list")
    return [_key(room, item) for item in items]


def _ordered(room: Room, items: Any = ()) -> OrderedDict[Any, Any]:
    return OrderedDict((_key(room, key), value) for key, value in items)


VOCABULARY: dict[str, Callable[..., Any]] = {
    "builtins.bytes": lambda _room: b"",  # how protocol 2 spells an empty one
    "builtins.complex": _complex,
    "builtins.frozenset": lambda room, items=(): frozenset(_items(room, items)),
    "builtins.set": lambda room, items=(): set(_items(room, items)),
    "collections.OrderedDict": _ordered,
    "_codecs.encode": _encode,
    "numpy.dtype": lambda _room, *arguments: Dtype(*arguments),
    "numpy.ndarray": lambda _room, *_: None,  # an argument of _reconstruct
    "numpy._core.multiarray._reconstruct": _reconstruct,
    "numpy._core.multiarray.scalar": _scalar,
    "numpy._core.numeric._frombuffer": _frombuffer,
}
