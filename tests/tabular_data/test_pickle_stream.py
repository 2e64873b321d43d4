from __future__ import annotations

import io
import os
import pickle
import random
import re
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pytest

from nassim.errors import CorruptData
from nassim.tabular_data import pickle_stream
from nassim.tabular_data.pickle_stream import records

PROTOCOLS = range(2, pickle.HIGHEST_PROTOCOL + 1)


def opener(content: bytes) -> Callable[[], BinaryIO]:
    return lambda: io.BytesIO(content)


def read(content: bytes) -> list[dict[Any, Any]]:
    return list(records(opener(content), name="here"))


def value(rng: random.Random, depth: int = 0) -> Any:
    kind = rng.randrange(11 if depth < 3 else 7)
    if kind == 0:
        return rng.choice([None, True, False, 0, 255, 256, 65_536, -1, 2**31, 2**70, -(2**70)])
    if kind in (1, 2):
        return rng.random()
    if kind in (3, 4):
        return rng.choice(["", "x-valid@1", "é" * rng.randrange(400), "a" * rng.randrange(40)])
    if kind == 5:
        return np.float64(rng.random())
    if kind == 6:
        return rng.randbytes(rng.randrange(300))
    inside = [value(rng, depth + 1) for _ in range(rng.randrange(5))]
    if kind == 7:
        return inside
    if kind == 8:
        return tuple(inside)
    if kind == 9:
        return OrderedDict((i, x) for i, x in enumerate(inside))
    return {str(i): x for i, x in enumerate(inside)}


def release(count: int, seed: int = 0) -> dict[str, Any]:
    rng = random.Random(seed)
    shared = [f"text {i} that records share" for i in range(40)]
    found = {i: {"number": i, rng.choice(shared): value(rng), "late": shared[min(i, 39)]} for i in range(count)}
    return {"names": ["a", "b"], "number": count, "records": found, "set": set(range(count)), "text": shared[-1]}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("seed", range(5))
def test_records_come_back_one_by_one(protocol: int, seed: int) -> None:
    whole = release(100, seed)
    for container in (whole, OrderedDict(whole), {**whole, "records": OrderedDict(whole["records"])}):
        assert read(pickle.dumps(container, protocol)) == list(whole["records"].values())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_in_small_bites(protocol: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Instructions are split by the ends of what was read."""
    whole = release(20)
    content = pickle.dumps(whole, protocol)
    for size in (1, 2, 3, 7):
        monkeypatch.setattr(pickle_stream, "_CHUNK", size)
        assert read(content) == list(whole["records"].values())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_several_pickles_in_a_file(protocol: int) -> None:
    whole = release(20)
    parts = [12345678901234567890, {"sizes": {"short": 2}, "little": True}, whole, []]
    assert read(b"".join(pickle.dumps(part, protocol) for part in parts)) == list(whole["records"].values())


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_file_that_is_cut_off_is_refused_wherever_it_ends(protocol: int) -> None:
    content = pickle.dumps(release(12), protocol)
    places = {*range(2, 60), *range(60, len(content), len(content) // 200), len(content) - 2, len(content) - 1}
    for end in places:
        with pytest.raises(CorruptData, match="here"):
            read(content[:end])
    with pytest.raises(CorruptData):
        read(b"")


class Runs:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_code_is_refused_wherever_it_is(protocol: int, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    for place in ("record", "before", "after", "key"):
        whole: dict[Any, Any] = {"before": 1, **release(30), "after": 2}
        if place == "record":
            whole["records"][17]["number"] = Runs(marker)
        elif place == "key":
            whole["records"] = {**whole["records"], (1, Runs(marker)): {"a": 1, "b": 2}}
        else:
            whole[place] = Runs(marker)
        with pytest.raises(CorruptData, match="keys" if place == "key" else "mkdir"):
            read(pickle.dumps(whole, protocol))
    assert not marker.exists()


def test_references_to_stored_objects_are_refused() -> None:
    """PyTorch's tensors are such references."""

    class Storing(pickle.Pickler):
        def persistent_id(self, obj: object) -> object:
            return "storage" if obj == "tensor" else None

    buffer = io.BytesIO()
    Storing(buffer, 2).dump(release(3) | {"weights": "tensor"})
    with pytest.raises(CorruptData, match="b'Q'"):
        read(buffer.getvalue())


def test_other_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for content in (b"PK\x03\x04", b"some text", b"\x89HDF", pickle.dumps({"a": {}}, 0), bytes(range(256))):
        with pytest.raises(CorruptData):
            read(content)
    monkeypatch.setattr(pickle_stream, "_LARGEST", 100_000)
    with pytest.raises(CorruptData, match="not made of records"):
        read(pickle.dumps(list(range(100_000)), 2))
    with pytest.raises(CorruptData, match="text of"):
        read(b"\x80\x02X\xff\xff\xff\x7f")


def test_what_was_read_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many records there are, only the last few are in memory."""
    import gc
    import weakref

    class Watched(dict):  # type: ignore[type-arg]
        pass

    alive: list[weakref.ref[Watched]] = []

    def keep(_room: object, items: Any = ()) -> Watched:
        made = Watched(items)
        alive.append(weakref.ref(made))
        return made

    from nassim.tabular_data import pickle_vocabulary

    monkeypatch.setitem(pickle_vocabulary.VOCABULARY, "collections.OrderedDict", keep)
    whole = {"records": {i: {"a": OrderedDict(b=i), "c": 1} for i in range(200)}}
    most = 0
    for _ in records(opener(pickle.dumps(whole, 2)), name="here"):
        gc.collect()
        most = max(most, sum(ref() is not None for ref in alive))
    assert len(alive) == 200
    assert most <= 20


def test_a_byte_that_begins_nothing_ends_the_reading() -> None:
    """However much follows it: a large file that is no pickle is not read to its end."""
    file = io.BytesIO(b"\xff" * (8 << 20))
    (pattern, *_) = [p for p in vars(pickle_stream).values() if isinstance(p, re.Pattern) and type(p.pattern) is bytes]
    with pytest.raises(CorruptData, match="at byte 0"):
        list(pickle_stream._tokens(file, "x", pattern))
    assert file.tell() <= 2 << 20
