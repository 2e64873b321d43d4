"""Reading a pickle that is larger than the memory, one of its records at a time.

The official single files of NAS-Bench-201 and NATS-Bench are one dictionary with a dictionary of records in it:
opened as a whole they take 20 GB and more. Here the file is cut into its instructions by a regular expression,
and each record is read by itself, with the vocabulary of `safe_pickle`; what is not a record is read at the end.
The file is gone through twice, as records share objects (most of all texts): the first time to see which.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple

from nassim.errors import CorruptData
from nassim.tabular_data.safe_pickle import Pieces

DEPTH = 2  # containers around a record
_CHUNK = 1 << 20
_LONGEST = 1 << 24  # bytes of a text
_LARGEST = 1 << 23  # bytes of a record, and of all that is not in one; of a release, 0.5 and 1.4 MB
_DEEPEST = 100  # marks
_SHARED = 1 << 19  # objects in several records; a release has some ten thousand
_INSTRUCTIONS, _BYTES = 50_000, 8  # of any file, and one for each so many bytes of it; a release has one for 11
_RECORDS = 16  # in memory at a time

# Instructions by what they do to the nesting. What refers to objects stored elsewhere, or is older than protocol 2,
# is in none of the groups.
_TEXTS = b"|".join(rb"\x%02x\0{3}.{%d}" % (n, n) for n in (*range(9, 13), *range(1, 9), *range(13, 32)))
_PLAIN = rb"G.{8}|[Kq].|[Jr].{4}|M..|X(?:" + _TEXTS + rb")|[N\x88\x89)\]\x85-\x87Rbsa0\x81\x8f\x93]"
_GET = rb"h.|j.{4}"
_OTHERS = (
    rb"|(?P<empty>\})|(?P<mark>\()|(?P<unmark>[ute\x90\x91])|(?P<put>\x94)|(?P<frame>\x95.{8})"
    rb"|(?P<short>[\x8cCU\x8a].)|(?P<long>[XB].{4})|(?P<name>c[^\n]*\n[^\n]*\n)"
    rb"|(?P<begin>\x80[\x02-\x05])|(?P<stop>\.)"
)
# Without a bound a repetition would remember each place to go back to.
_TOKEN = re.compile(rb"(?P<run>(?:" + _PLAIN + b"|" + _GET + rb"){1,100})" + _OTHERS, re.DOTALL)
_TOKEN_OR_GET = re.compile(rb"(?P<run>(?:" + _PLAIN + rb"){1,100})|(?P<get>" + _GET + b")" + _OTHERS, re.DOTALL)
_KNOWN = b"NR\x88\x89)]\x85\x86\x87bsa0\x81\x8f\x93GKqJrMXhj}(ute\x90\x91\x94\x95\x8cCU\x8aBc\x80."  # first bytes
_SHORTEST = 9  # bytes that are enough for any instruction without a longer text


class _Piece(NamedTuple):
    kind: str
    content: bytes
    record: int | None  # which record it is in
    last: bool  # whether the record is complete with it


def records(open_file: Callable[[], BinaryIO], *, name: str) -> Iterator[dict[Any, Any]]:
    """Every dictionary that lies inside two containers of the pickles in a file, in order.

    open_file: opens the file at its beginning; called twice.
    name: says in errors where the file came from.

    `CorruptData` if the file is cut off, is no pickle, or holds anything but plain containers, numbers, texts
    and numpy's numbers, in the records or around them.
    """
    with open_file() as file:
        shared = _shared(file, name)
    pieces = Pieces(name=name)
    around = bytearray()  # what is not in a record, with a None for each
    record = bytearray()
    before = 0
    with open_file() as file:
        for kind, content, number, last in _pieces(file, name, _TOKEN):
            before += len(content)
            if number is None:
                if kind == "stop":
                    pieces.read(around, before=before)
                    around.clear()
                else:
                    around += content
                continue
            if number == 0 and not record:
                pieces.read(around + b"N", before=before)  # records may use what comes before the first
            record += content
            if last:
                yield pieces.read(record, before=before)
                record.clear()
                around += b"N"
                if number % _RECORDS == 0:
                    pieces.forget(but=shared)


def _shared(file: BinaryIO, name: str) -> set[int]:
    """The numbers of all objects that are put in one record, or around them, and used in another."""
    shared: set[int] = set()
    first, previous = 0, None  # the number of the first object of the record; every record is itself one
    for kind, content, number, _last in _pieces(file, name, _TOKEN_OR_GET):
        if number != previous:
            previous, first = number, -1
        if kind == "get":
            used = int.from_bytes(content[1:], "little")
            if number is None or used < first:
                shared.add(used)
                if len(shared) > _SHARED:
                    raise CorruptData(f"{name} is not made of records: they share more than {_SHARED:,} objects.")
        elif first < 0 and content[:1] in b"qr":
            first = int.from_bytes(content[1 : 2 if content[:1] == b"q" else 5], "little")
    return shared


def _pieces(file: BinaryIO, name: str, pattern: re.Pattern[bytes]) -> Iterator[_Piece]:
    """The instructions with their place; puts are numbered, as a record is read without what came before."""
    record: int | None = None
    marks = puts = count = position = end = 0
    held, held_around = 0, 0  # bytes
    kind = ""
    for number, (kind, token) in enumerate(_tokens(file, name, pattern)):
        content = token
        position += len(token)
        if number > _INSTRUCTIONS + position // _BYTES:
            raise CorruptData(f"{name} is not made of records: it has {number:,} instructions in {position:,} bytes.")
        if kind == "frame":
            end = position + int.from_bytes(token[1:], "little")
            continue
        if kind == "put":
            content, puts = b"r" + puts.to_bytes(4, "little"), puts + 1
        elif kind == "begin":
            puts = 0
        elif kind == "mark":
            marks += 1
        elif kind == "unmark":
            marks -= 1
        elif kind == "empty" and marks == DEPTH and record is None:
            record, count, held = count, count + 1, 0
        elif kind == "stop":
            if end > position:
                raise _cut_off(name)
            held_around = 0
        if record is None:
            held_around += len(content)
        else:
            held += len(content)
        if max(held, held_around) > _LARGEST or marks > _DEEPEST:
            raise CorruptData(
                f"{name} is not made of records: it has {max(held, held_around):,} bytes in one piece, and {marks} "
                "containers in each other."
            )
        last = record is not None and kind == "unmark" and marks == DEPTH
        yield _Piece(kind, content, record, last)
        if last:
            record = None
    if kind != "stop" or marks:
        raise _cut_off(name)


def _tokens(file: BinaryIO, name: str, pattern: re.Pattern[bytes]) -> Iterator[tuple[str, bytes]]:
    """The kind and the bytes of each instruction; a run of instructions without nesting is one token."""
    data, start, position = b"", 0, 0  # data[start:] is to be read, data[0] is at ``position`` of the file
    while True:
        match = pattern.match(data, start)
        end = match.end() if match else start
        if match and match.lastgroup in ("short", "long"):
            length = int.from_bytes(data[start + 1 : end], "little")
            if length > _LONGEST:
                raise CorruptData(f"{name} has a text of {length:,} bytes at byte {position + start:,}.")
            end += length
        if match and end <= len(data):
            yield str(match.lastgroup), data[start:end]
            start = end
            continue
        strange = not match and start < len(data) and data[start] not in _KNOWN  # more of the file would not help
        more = b"" if strange else file.read(max(_CHUNK, end - len(data)))
        if more:
            data, start, position = data[start:] + more, 0, position + start
            continue
        if start == len(data):
            return
        if match or (len(data) - start < _SHORTEST and data[start] in _KNOWN):
            raise _cut_off(name)
        raise CorruptData(
            f"{name} was not read: at byte {position + start:,} there is {data[start : start + 1]!r}, which is no "
            "instruction for plain data. Do not open it with another program unless you trust it."
        )


def _cut_off(name: str) -> CorruptData:
    return CorruptData(f"{name} is cut off: it ends in the middle of a record. Fetch it again.")
