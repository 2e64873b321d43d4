"""Hostile pickles, read under limits of memory and time: none runs, none eats the machine, each gives one line.

Each body is read bare and as a value inside a record, by the readers of whole files and of records, and
inside the archive of torch.save.
"""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def in_record(body: bytes) -> bytes:
    return b"\x80\x02}(K\0}(K\1}(K\2" + body + b"uuu."


def archived(path: Path, content: bytes) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", content)


@pytest.mark.slow
@pytest.mark.parametrize("reader", ["whole", "record", "archive", "latency"])
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits and their measure are Linux's")
def test_hostile_pickles_are_refused_in_time_and_memory(reader: str, tmp_path: Path) -> None:
    folder = tmp_path / "pickles"
    folder.mkdir()
    paths: dict[str, str] = {}
    found: dict[str, bytes] = runpy.run_path(str(HERE / "hostile_pickles.py"))["bodies"](str(folder / "ran"))
    for number, (label, body) in enumerate(found.items()):
        for inside in (False, True)[: 1 + (reader in ("record", "archive"))]:
            path = folder / f"{number}{'-record' if inside else ''}"
            content = in_record(body) if inside else b"\x80\x05" * (reader != "whole") + body + b"."
            if reader in ("archive", "latency"):
                archived(path, content)
            else:
                path.write_bytes(content)
            paths[path.name] = f"{label}{' in a record' if inside else ''}"
    assert len(found) >= 200
    done = subprocess.run(
        [sys.executable, str(HERE / "hostile_reader.py"), reader],
        input="".join(f"{folder / path}\n" for path in paths),
        capture_output=True,
        text=True,
        timeout=900,  # of a machine that has other things to do; below, the seconds are those of the processor
    )
    results = [json.loads(line) for line in done.stdout.splitlines()]
    ended = {path: (outcome, seconds) for kind, path, *rest in results if kind == "end" for outcome, seconds in [rest]}
    wrong = {paths[p]: (o, round(s, 2)) for p, (o, s) in ended.items() if o != "refused" or s > 2.0}
    last = paths[results[-1][1]] if results else "the first"
    assert done.returncode == 0, f"died at {last}: {done.returncode} {done.stderr[-500:]}; before: {wrong}"
    assert not wrong
    assert len(ended) == len(paths)
    assert not (folder / "ran").exists()
