"""Bodies of hostile pickles, by what they are after: memory of arrays, sizes, hashes, crowds, code."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np

MILLION = 1_000_000
HUGE, CROWD = 10 * MILLION, 2 * MILLION  # bytes of the largest file, and of those with many things


def text(value: str) -> bytes:
    return b"X" + len(value.encode()).to_bytes(4, "little") + value.encode()


def blob(content: bytes) -> bytes:
    return b"B" + len(content).to_bytes(4, "little") + content


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def integer(value: int) -> bytes:
    content = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(content)]) + content


def tuple_of(*items: bytes) -> bytes:
    return b"(" + b"".join(items) + b"t"


def call(function: bytes, *arguments: bytes) -> bytes:
    return function + tuple_of(*arguments) + b"R"


NUMPY = "numpy.core.multiarray"
EMPTY = call(name(NUMPY, "_reconstruct"), name("numpy", "ndarray"), tuple_of(b"K\0"), blob(b"b"))
FROM_BUFFER = name("numpy.core.numeric", "_frombuffer")


def dtype(code: str) -> bytes:
    return call(name("numpy", "dtype"), text(code), b"\x89", b"\x88")


def array_state(shape: bytes, code: str, content: bytes) -> bytes:
    return tuple_of(b"K\1", shape, dtype(code), b"\x89", content) + b"b"


class Runs:
    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> Any:
        return self.call


def memory_of_arrays() -> Iterator[tuple[str, bytes]]:
    filled = array_state(tuple_of(b"K\x08"), "u1", blob(b"AAAAAAAA"))
    yield "array: state twice", EMPTY + filled + filled
    yield "array: view, then state", (
        EMPTY
        + (filled + b"q\x07" + call(FROM_BUFFER, b"h\x07", dtype("u8"), tuple_of(b"K\1"), text("C")) + b"q\x080h\x07")
        + array_state(tuple_of(b"M\xff\xff"), "u1", blob(bytes(65535))) + b"h\x08\x86"
    )  # fmt: skip
    yield "array: buffer of an array", call(FROM_BUFFER, EMPTY + filled, dtype("u1"), tuple_of(b"K\x08"), text("C"))
    made = call(FROM_BUFFER, blob(b"AAAAAAAA"), dtype("u1"), tuple_of(b"K\x08"), text("C"))
    yield "array: state of a made one", made + filled
    yield "array: item set", made + b"K\0K\7s"
    yield "array: items set", EMPTY + filled + b"(K\0K\7K\1K\7u"
    large = blob(b"A" * 4000) + b"q\x05"
    yield (
        "array: its bytes are changed",
        large + EMPTY + (array_state(tuple_of(b"M\xa0\x0f"), "u1", b"h\x05") + b"K\0K\x42s\x86"),
    )
    for code in ("O", "u8,O", "V8", "V2147483647", "U2147483647", "S-1", "M8[s]", "f3", "i4,i4", "(999999999,)u1"):
        yield f"array: type {code}", EMPTY + array_state(tuple_of(b"K\1"), code, blob(bytes(8)))
    for label, shape in {
        "2^31-1": tuple_of(b"J\xff\xff\xff\x7f"),
        "2^62": tuple_of(integer(2**62)),
        "overflow": tuple_of(integer(2**32), integer(2**32)),
        "negative": tuple_of(b"J\xff\xff\xff\xff"),
        "deep": b"(" + b"K\1" * 5000 + b"t",
        "text": tuple_of(text("8")),
    }.items():
        yield f"array: shape {label}", EMPTY + array_state(shape, "u1", blob(bytes(8)))
        yield f"array: buffer, shape {label}", call(FROM_BUFFER, blob(bytes(8)), dtype("u1"), shape, text("C"))
    yield "array: new", name("numpy", "ndarray") + tuple_of(tuple_of(b"J\xff\xff\xff\x7f")) + b"\x81"
    yield (
        "array: fields",
        call(name("numpy", "dtype"), text("u8"), b"\x89", b"\x88")
        + (
            tuple_of(b"K\3", text("|"), b"N", tuple_of(text("a")), b"}" + text("a") + dtype("O") + b"s", b"K\x08K\1K\0")
            + b"b"
        ),
    )
    state = tuple_of(b"K\3", text(">"), b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0") + b"b"
    yield "dtype: state twice", dtype("u8") + state + state
    yield "scalar: object", call(name(NUMPY, "scalar"), dtype("O8"), blob(bytes(8)))
    yield "scalar: no character", call(name(NUMPY, "scalar"), dtype("U1"), blob(b"\xff\xff\xff\x7f"))


def memo_and_sizes() -> Iterator[tuple[str, bytes]]:
    for index in (2**26, 2**28, 2**31 - 1, 2**32 - 1):
        yield f"memo: put {index}", b"Nr" + index.to_bytes(4, "little")
        yield f"memo: text put {index}", f"Np{index}\n".encode()
    yield "memo: put -1", b"Np-1\n"
    yield "memo: put 2^80", f"Np{2**80}\n".encode()
    yield "memo: get", b"j\xff\xff\xff\x7f"
    yield "memo: steps", b"".join(b"Nr" + (i * i).to_bytes(4, "little") + b"0" for i in range(5, 65_000, 50)) + b"N"
    for opcode, width in (
        (b"\x8e", 8),
        (b"\x96", 8),
        (b"\x8d", 8),
        (b"\x95", 8),
        (b"B", 4),
        (b"X", 4),
        (b"T", 4),
        (b"\x8b", 4),
    ):
        for size in (2**30, 2**31 - 1, 2**40, 2**63 - 1, 2**64 - 1):
            if size < 256**width:
                yield f"size: {opcode!r} {size}", opcode + size.to_bytes(width, "little") + b"N"
    yield "size: negative text", b"T\xff\xff\xff\xff"
    yield "digits: I", b"I" + b"9" * MILLION + b"\n"
    yield "digits: L", b"L" + b"9" * MILLION + b"L\n"
    yield "digits: hex", b"}I0x" + b"9" * MILLION + b"\nNs"
    yield "digits: F", b"F" + b"9" * MILLION + b"\n"
    yield (
        "a frame hides instructions",
        b"\x95\4\0\0\0\0\0\0\0NN0X\1\0\0\0aN0" + name("os", "mkdir") + text("ran") + b"\x85R",
    )


def hashes() -> Iterator[tuple[str, bytes]]:
    chain = b")" + b"\x85" * MILLION
    bomb = b")" + b"q\x00h\x00\x86" * 60
    textual = b"(tp0\n" + b"0(g0\ng0\ntp0\n" * 60
    twice = b")" + b"2\x86" * 60
    for label, key in {
        "chain": chain,
        "bomb": bomb,
        "textual": textual,
        "twice": twice,
        "short": chain[:40_000],
    }.items():
        yield f"key: {label}", b"}" + key + b"Ns"
        yield f"keys: {label}", b"}(K\0N" + key + b"Nu"
        yield f"dict: {label}", b"(" + key + b"Nd"
        yield f"set: {label}", b"\x8f(" + key + b"\x90"
        yield f"frozenset: {label}", b"(" + key + b"\x91"
        yield f"set called: {label}", call(name("__builtin__", "set"), b"](" + key + b"e")
        yield f"ordered: {label}", call(name("collections", "OrderedDict"), b"](](" + key + b"Nee")
        yield f"ordered item: {label}", call(name("collections", "OrderedDict")) + key + b"Ns"
    yield "key: of marks", b"}" + b"(" * MILLION + b"t" * MILLION + b"Ns"
    prime = 2**61 - 1
    yield "keys: same hash", b"}(" + b"".join(integer(prime * i) + b"N" for i in range(1, 60_000)) + b"u"
    yield (
        "set: same hash",
        call(name("builtins", "set"), b"](" + b"".join(integer(prime * i) for i in range(60_000)) + b"e"),
    )
    yield (
        "keys: long number",
        b"}\x8b" + (MILLION).to_bytes(4, "little") + b"\1" * MILLION + b"q\x00Ns" + b"h\x00Ns" * 400_000,
    )
    long = text("a" * MILLION)
    yield "keys: long texts", b"}" + long + b"q\x00Ns" + long + b"q\x01Ns" + b"h\x00Nsh\x01Ns" * 100_000
    yield "keys: complex", b"}(" + call(name("builtins", "complex"), b"G" + bytes(8) + b"G" + bytes(8)) + b"Nu"
    nested = b"(" + b"(" * 3000 + b"\x91" * 3000 + b"\x91"
    yield "nested frozensets", nested


def crowds() -> Iterator[tuple[str, bytes]]:
    for opcode in (
        b"(",
        b")",
        b"]",
        b"}",
        b"\x8f",
        b"N",
        b"2",
        b"\x88",
        b"]\x94",
        b"U\0",
        b"C\0",
        b")\x94",
        b"(t",
        b"(l",
        b"(d",
    ):
        yield f"crowd: {opcode!r}", opcode * (CROWD // len(opcode))
    yield "crowd of numbers, 10 MB", b"K\0" * (HUGE // 2)
    yield "crowd of marks, 10 MB", b"(" * HUGE
    yield "crowd: gets", b"]q\x00(" + b"h\x00" * (CROWD // 2) + b"e"
    yield "crowd: floats", b"](" + b"F1\n" * (CROWD // 3) + b"e"
    yield "crowd: wide text", text("\N{GRINNING FACE}" + "a" * CROWD) + b"q\x00" + b"N" * CROWD
    yield "nested lists", b"]" * MILLION + b"a" * (MILLION - 1)
    yield "nested dicts", b"}" + b"K\0}" * 100_000 + b"s" * 100_000
    yield (
        "nested calls",
        (name("collections", "OrderedDict") + b"q\x000" + b"h\x00]" * 50_000 + b"a\x85R" * 50_000)[:-50_000],
    )
    yield "copies of bytes", blob(bytes(MILLION)) + b"q\x00" + dtype("u1") + b"q\x01" + FROM_BUFFER + b"q\x02](" + (
        b"h\x02(h\x00h\x01(J" + MILLION.to_bytes(4, "little") + b"tU\x01CtR"
    ) * 3000 + b"e"  # fmt: skip
    yield (
        "copies of text",
        text("a" * MILLION)
        + b"q\x00"
        + name("_codecs", "encode")
        + b"q\x01]("
        + (b"h\x01h\x00U\x06latin1\x86R" * 3000 + b"e"),
    )
    items = b"](" + b"".join(b"J" + i.to_bytes(4, "little") for i in range(100_000)) + b"eq\x00"
    for function in ("set", "frozenset"):
        yield (
            f"copies of a {function}",
            items + name("builtins", function) + b"q\x01](" + b"h\x01h\x00\x85R" * 3000 + b"e",
        )
    yield (
        "lists in lists",
        b"](" + b"G" + bytes(8) + b"eq\x00" + b"](" + (b"](" + b"h\x00" * 100 + b"eq\x00") * 12 + b"e",
    )


def foreign(marker: str) -> Iterator[tuple[str, bytes]]:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        for label, evil in {
            "mkdir": Runs(os.mkdir, (marker,)),
            "system": Runs(os.system, (f"mkdir {marker}",)),
            "eval": Runs(eval, (f"__import__('os').mkdir({marker!r})",)),
            "exec": Runs(exec, (f"import os; os.mkdir({marker!r})",)),
            "load": Runs(np.load, (marker, None, True)),
            "in a list": [1, {"a": (Runs(os.mkdir, (marker,)),)}],
        }.items():
            yield f"runs {label}, protocol {protocol}", pickle.dumps(evil, protocol)[:-1]
    made = text(marker)
    yield "runs by instance", b"(" + made + b"ios\nmkdir\n"
    yield "runs by object", b"(" + name("os", "mkdir") + made + b"o"
    yield "runs by new", name("os", "mkdir") + made + b"\x85\x81"
    yield "runs by new with words", name("os", "mkdir") + made + b"\x85}\x92"
    yield "runs by attribute", name("os.path", "os.mkdir") + made + b"\x85R"
    yield "runs by stack", text("os") + text("mkdir") + b"\x93" + made + b"\x85R"
    yield "a name of two lines", text("os\nand more") + text("mkdir") + b"\x93" + made + b"\x85R"
    yield "extension", b"\x82\x01"
    yield "stored object", b"Pabc\n"
    yield "stored object on the stack", b"K\1Q"
    yield "buffer", b"\x97"
    yield (
        "state of a function",
        name("_codecs", "encode") + b"N}" + text("__defaults__") + text("latin1") + b"\x85s\x86b",
    )
    yield "state of a class", name("numpy", "ndarray") + b"N}" + text("__call__") + b"Ns\x86b"
    yield "cut off", pickle.dumps({"a": list(range(1000))}, 2)[:-500]
    yield "underflow", b"0" * 10
    yield "no mark", b"NNu"
    yield "odd items", b"}(NNNu"


def bodies(marker: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in (memory_of_arrays(), memo_and_sizes(), hashes(), crowds(), foreign(marker)):
        for label, body in part:
            assert label not in found
            found[label] = body
    return found
