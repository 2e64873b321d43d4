"""What differs between the settings of a study and those of a command, in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

MOST = 6  # that one line names
_FOLLOW = ("runs", "plans", "algorithms", "one_shot", "left_out")  # from the others, which say it better
_UNCOMPARED = ("provenance",)


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What differs, the old value before the new one; empty if nothing does.

    >>> differences({"budget": "20q", "seeds": 3, "runs": 3}, {"budget": "20q", "seeds": 5, "runs": 5})
    ['seeds 3, now 5']
    """
    new = json.loads(json.dumps(dict(new)))  # as it comes back from a study
    changed = [key for key in {**new, **old} if key not in _UNCOMPARED and old.get(key) != new.get(key)]
    telling = [key for key in changed if key not in _FOLLOW] or changed
    found = [line for key in telling for line in _of(key, old.get(key), new.get(key))]
    return found or [f"{key} {_show(old.get(key))}, now {_show(new.get(key))}" for key in telling]


def told(found: list[str]) -> str:
    """Differences as one line of bounded length."""
    more = [f"and {len(found) - MOST} more"] if len(found) > MOST else []
    return "; ".join([*found[:MOST], *more])


def _of(key: str, old: object, new: object) -> Iterator[str]:
    """Lines about one setting; none where what differs is how often another one stands in it."""
    if key == "strategies":
        yield from _members("strategy", old, new)
        for name, before in _map(old).items():
            on = _map(_map(new).get(name))
            for benchmark, values in _map(before).items():
                where = "" if len(on) < 2 else f" on {_show(benchmark)}"
                if benchmark in on:
                    yield from (f"{_show(name)}.{line}{where}" for line in _values(values, on[benchmark]))
    elif key == "benchmarks":
        yield from _members("benchmark", old, new)
        for name in filter(_map(new).__contains__, _map(old)):
            yield from (f"{_show(name)}: {line}" for line in _values(_map(old)[name], _map(new)[name]))
    elif key == "files":
        for name in {**_map(old), **_map(new)}:
            before, after = _map(_map(old).get(name)), _map(_map(new).get(name))
            if before != after:
                changed = f"the file of {_show(name)} has changed" if before and after else f"the file of {_show(name)}"
                yield f"{changed}: {_file(before)}, now {_file(after)}"
    else:
        yield f"{key} {_show(old)}, now {_show(new)}"


def _members(kind: str, old: object, new: object) -> Iterator[str]:
    yield from (f"the {kind} {_show(name)} is new" for name in _map(new) if name not in _map(old))
    yield from (f"the {kind} {_show(name)} is not named now" for name in _map(old) if name not in _map(new))


def _file(source: dict[str, Any]) -> str:
    """A file by its name and the beginning of its hash, which tells that it has changed."""
    return f"{_show(source.get('file'))} (sha256 {source.get('sha256')!s:.8})" if source else "no file"


def _values(old: object, new: object) -> Iterator[str]:
    before, after = _map(old), _map(new)
    for key in {**before, **after}:
        if before.get(key) != after.get(key):
            was, now = (_show(side[key]) if key in side else "not recorded" for side in (before, after))
            yield f"{_show(key)} {was}, now {now}"


def _map(value: object) -> dict[str, Any]:
    """A value of a study, which may be anything."""
    return value if isinstance(value, dict) else {}


def _show(value: object) -> str:
    """A value as it is typed, in at most about eighty characters."""
    text = value if isinstance(value, str) else json.dumps(value)
    text = "none" if value in (None, "", {}, []) else " ".join(text.split())
    return text if len(text) <= 80 else f"{text[:77]}..."
