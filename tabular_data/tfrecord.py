"""Reading TensorFlow's record files and protocol buffers without TensorFlow.

A record file is a sequence of: length (8 bytes, little-endian), its checksum (4), content, its checksum (4).
Checksums are CRC-32C (Castagnoli, RFC 3720 appendix B.4), masked by a rotation and an addition. A protocol
buffer is a sequence of fields: a key (number of the field and type, as a varint), then the value.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nassim.errors import CorruptData, MissingData

LONGEST = 1 << 16  # bytes of a record: those of NAS-Bench-101 have about 400
_CHUNK = 1 << 22  # bytes read at once
_HEAD, _TAIL = 12, 4
_MASK = np.uint32(0xA282EAD8)


def _shifted(values: NDArray[np.uint32], steps: int) -> NDArray[np.uint32]:
    """Registers of CRC-32C after so many bits."""
    for _ in range(steps):
        values = (values >> 1) ^ np.uint32(0x82F63B78) * (values & 1)
    return values


_BYTE = _shifted(np.arange(1 << 8, dtype=np.uint32), 8)
# Four bytes at a time: what their lower and their upper half do to the register.
_LOWER = _shifted(np.arange(1 << 16, dtype=np.uint32), 32)
_UPPER = _shifted(np.arange(0, 1 << 32, 1 << 16, dtype=np.uint32), 32)


def checksums(content: bytes, starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.uint32]:
    """The masked checksums of parts of ``content``, all computed side by side."""
    longest_first = np.argsort(-lengths, kind="stable")
    starts, lengths = starts[longest_first], lengths[longest_first]
    flat = np.frombuffer(content, dtype=np.uint8)
    words = np.ndarray((max(len(flat) - 3, 0),), np.dtype("<u4"), content, strides=(1,))  # one from every byte
    state = np.full(len(starts), 0xFFFFFFFF, dtype=np.uint32)
    for done in range(0, int(lengths.max(initial=0)) - 3, 4):
        n = int(np.searchsorted(-lengths, -(done + 4), side="right"))  # those that have four more bytes
        mixed = state[:n] ^ words[starts[:n] + done]
        state[:n] = _LOWER[mixed & 0xFFFF] ^ _UPPER[mixed >> 16]
    for extra in range(3):
        left = np.flatnonzero(lengths % 4 > extra)
        read = flat[starts[left] + lengths[left] // 4 * 4 + extra]
        state[left] = _BYTE[(state[left] ^ read) & 0xFF] ^ state[left] >> 8
    result = np.empty_like(state)
    result[longest_first] = ~state
    masked: NDArray[np.uint32] = (result >> 15 | result << 17) + _MASK
    return masked


def read_records(path: Path) -> Iterator[bytes]:
    """The contents of a record file in order; memory is bounded whatever the file.

    `CorruptData` names the record (counted from 1) whose checksum is wrong or in which the file ends.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise MissingData(f"{path} is not there.") from error
    except OSError as error:
        raise CorruptData(f"{path} cannot be read: {error.strerror}.") from error
    with file:
        number, rest = 1, b""  # of the next record
        while chunk := file.read(_CHUNK):
            content = rest + chunk
            starts, lengths, end = _frames(content)
            _verify(path, content, starts, lengths, number)
            for start, length in zip(starts, lengths, strict=True):
                yield content[start : start + length]
            number += len(starts)
            rest = content[end:]
            if len(rest) >= _HEAD and struct.unpack_from("<Q", rest)[0] > LONGEST:
                raise _corrupt(path, number, "its length is wrong")
        if rest:
            raise _corrupt(path, number, "the file ends inside it: half a download")


def _frames(content: bytes) -> tuple[list[int], list[int], int]:
    """Start and length of the records that are complete, and where the next one begins."""
    starts, lengths = [], []
    place = 0
    while place + _HEAD <= len(content):
        (length,) = struct.unpack_from("<Q", content, place)
        if length > LONGEST or place + _HEAD + length + _TAIL > len(content):
            break
        starts.append(place + _HEAD)
        lengths.append(length)
        place += _HEAD + length + _TAIL
    return starts, lengths, place


def _verify(path: Path, content: bytes, starts: list[int], lengths: list[int], number: int) -> None:
    at, size = np.array(starts, dtype=np.int64), np.array(lengths, dtype=np.int64)
    words = np.ndarray((max(len(content) - 3, 0),), np.dtype("<u4"), content, strides=(1,))
    wrong = checksums(content, at - _HEAD, np.full_like(at, 8)) != words[at - 4]
    wrong |= checksums(content, at, size) != words[at + size]
    if wrong.any():
        raise _corrupt(path, number + int(wrong.argmax()), "its checksum is wrong")


def _corrupt(path: Path, number: int, what: str) -> CorruptData:
    return CorruptData(f"{path}: record {number:,} is damaged, {what}. Fetch the file again.")


def fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Number and value of each field of a protocol buffer, in order; `ValueError` if it is none.

    Values: int for varints (as they are, without signs), float for the 64-bit type, bytes for the others.
    """
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value: Any
            value, place = _varint(message, place)
        elif kind == 1 and place + 8 <= len(message):
            (value,) = struct.unpack_from("<d", message, place)
            place += 8
        elif kind in (2, 5):
            length, place = _varint(message, place) if kind == 2 else (4, place)
            value = message[place : place + length]
            if len(value) < length:
                raise ValueError("a protocol buffer ends inside a field")
            place += length
        else:
            raise ValueError(f"no protocol buffer: a field of type {kind} at byte {place}")
        yield number, value


def _varint(message: bytes, place: int) -> tuple[int, int]:
    """A number of seven bits a byte, lowest first, and the place after it."""
    value = shift = 0
    while place < len(message) and shift < 70:
        byte = message[place]
        value |= (byte & 0x7F) << shift
        place += 1
        if byte < 0x80:
            return value, place
        shift += 7
    raise ValueError("a protocol buffer ends inside a number")
