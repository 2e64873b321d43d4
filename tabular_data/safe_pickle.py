"""Reading pickles of others without executing them.

A pickle is a program. Its instructions are gone through before it is run (`pickle_scan`), as small ones can take the
whole machine; it is run with a vocabulary of plain containers, numbers, strings and numpy arrays, and any other name
that the file asks for stops it. Even numpy's own constructors are replaced: they trust the descriptions that a file
gives of its memory, and change arrays under those who use them. Arrays are read-only here.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Collection, Iterator, Mapping, Set
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

from nassim.errors import CorruptData, MissingData
from nassim.tabular_data.pickle_scan import Scan
from nassim.tabular_data.pickle_stored import Stored
from nassim.tabular_data.pickle_tokens import Damaged, Refused
from nassim.tabular_data.pickle_vocabulary import VOCABULARY, ObjectArray, Room

__all__ = ["ObjectArray", "Pieces", "StandIns", "load", "loads"]
StandIns = Mapping[str, Any]  # names that one file needs in addition, and what to take for them


def load(path: Path, stand_ins: StandIns = MappingProxyType({}), *, known: Collection[str] = ()) -> Any:
    """The value in a pickle file; `CorruptData` if it is damaged or holds anything but plain data.

    stand_ins: harmless classes and functions of the caller for further names, like ``pandas.core.frame.DataFrame``.
    known: sha256 of files that were looked at; they are not gone through again before they are run.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise MissingData(f"{path} is not there.") from error
    except OSError as error:
        raise CorruptData(f"{path} cannot be read: {error.strerror}.") from error
    return loads(content, name=str(path), stand_ins=stand_ins, known=known)


def loads(content: bytes, *, name: str, stand_ins: StandIns = MappingProxyType({}), known: Collection[str] = ()) -> Any:
    """The value in a pickle; ``name`` says in errors where it came from. The rest as in `load`."""
    with _errors(name):
        if not known or hashlib.sha256(content).hexdigest() not in known:
            Scan().check(content)
        file = _Whole()
        file.hold(content)
        room = Room()
        room.begin(len(content))
        return _Unpickler(file, stand_ins, room).load()


class Pieces:
    """Reads one long pickle that was cut into pieces, each of which makes one value: they share what they define.

    Put instructions in the pieces must be explicit (protocol 2 and 3): with pieces left out, others would miscount.
    What they share are texts, numbers and the like, no containers.
    """

    def __init__(self, *, name: str) -> None:
        self._name = name
        self._room = Room()  # functions that were asked for in earlier pieces have it, too
        self._begin(Stored(renumbers=True), {})

    def read(self, piece: bytes | bytearray, *, before: int = 0) -> Any:
        """The value that a piece (without the final stop) makes; `CorruptData` as from `loads`.

        before: bytes of the long pickle that come before it, or more; objects cannot have larger numbers.
        """
        with _errors(self._name):
            self._stored.before = before
            return self._run(self._scan.check(bytes(piece) + b"."))

    def forget(self, but: Set[int] = frozenset()) -> None:
        """Let go of what was read so far, except the objects that were put under these numbers."""
        memo: dict[int, Any] = self._unpickler.memo.copy()
        stored, former = self._stored.keeping(but)
        self._begin(stored, {number: memo[place] for number, place in former.items()})

    def _begin(self, stored: Stored, kept: Mapping[int, Any]) -> None:
        self._stored, self._scan = stored, Scan(stored)
        self._file = _Whole()
        self._unpickler = _Unpickler(self._file, {}, self._room)
        self._unpickler.kept = kept
        if kept:  # the memo of an unpickler cannot be set: have it filled
            self._run(b"".join(f"c{_KEPT}\n{i}\nr".encode() + i.to_bytes(4, "little") + b"0" for i in kept) + b"N.")

    def _run(self, checked: bytes) -> Any:
        self._file.hold(checked)
        self._room.begin(len(checked))
        return self._unpickler.load()


_KEPT = "kept"


class _Whole:
    """A file for an unpickler, which gets a pickle as one frame: at once, and not instruction by instruction.

    Else an instruction that crosses the end of a frame of the file's own would be read otherwise than it was scanned.
    """

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def hold(self, content: bytes) -> None:
        self._parts = [content, len(content).to_bytes(8, "little"), b"\x95"]

    def read(self, size: int, /) -> bytes:
        return self._parts.pop() if self._parts and len(self._parts[-1]) == size else b""

    def readline(self) -> bytes:
        return b""


@contextmanager
def _errors(name: str) -> Iterator[None]:
    try:
        yield
    except Refused as refusal:
        raise CorruptData(
            f"{name} was not read: it {refusal}. Only plain containers, numbers, strings and numpy arrays are taken "
            "from a pickle. Do not open it with another program unless you trust it."
        ) from None
    except Exception as error:  # a damaged pickle can raise anything
        what = str(error) if type(error) is Damaged else type(error).__name__
        raise CorruptData(f"{name} is not a pickle or is damaged ({what}). Fetch it again.") from error


class _Unpickler(pickle.Unpickler):
    """An unpickler of things that a `Scan` let through."""

    def __init__(self, file: _Whole, stand_ins: StandIns, room: Room) -> None:
        super().__init__(cast(Any, file))
        self._stand_ins, self._room = stand_ins, room
        self.kept: Mapping[int, Any] = {}  # values to be stored again

    def find_class(self, module: str, name: str) -> Any:
        if module == _KEPT and name.isdecimal() and int(name) in self.kept:
            return self.kept[int(name)]
        key = f"{module.replace('__builtin__', 'builtins').replace('numpy.core', 'numpy._core')}.{name}"
        if key in self._stand_ins:
            found = self._stand_ins[key]
            return _Callable(found) if callable(found) and not isinstance(found, type) else found
        if key not in VOCABULARY:
            raise Refused(f"asks for {key if key.isprintable() else ascii(key):.200}")
        return _Callable(VOCABULARY[key], self._room)


class _Callable:
    """A function as a pickle gets it: without attributes that could be changed."""

    __slots__ = ("_first", "_function")

    def __init__(self, function: Any, *first: Any) -> None:
        self._function, self._first = function, first

    def __call__(self, *arguments: Any) -> Any:
        return self._function(*self._first, *arguments)

    def __setstate__(self, _state: object, /) -> None:
        raise Refused("changes a function")
