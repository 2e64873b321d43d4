"""A study comes from anywhere: what looks its names up must never run a file."""

from __future__ import annotations

from pathlib import Path

import pytest

import nassim
from nassim.errors import UnknownName


def test_names_in_a_study_never_run_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.py").write_text("from pathlib import Path\nPath('ran').touch()\n", encoding="utf-8")
    for lookup in (nassim.get_algorithm, nassim.get_benchmark, nassim.get_space):
        for name in ("evil.py", "evil.py:x", "evil.py/x", f"{tmp_path / 'evil.py'}", "evil.py[x=1]"):
            with pytest.raises(UnknownName):
                lookup(name)
    assert not (tmp_path / "ran").exists()
