"""The folder of a study: which one a command finds again, and which are refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

from nassim.errors import InvalidSetting
from nassim.own_files import OwnAlgorithm
from nassim.strategy import Algorithm
from nassim.study_toml import NAME


def default_folder(chosen: list[Algorithm], *rest: object) -> Path:
    """The same command finds its own folder again; another command gets another."""
    own = [(a.title, a.sha256) for a in chosen if isinstance(a, OwnAlgorithm)]  # a file that changed is another
    text = repr(([(a.title, sorted(a.settings.items(), key=str)) for a in chosen], rest, *own))
    return Path("results") / f"compare-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def refuse_other_files(folder: Path) -> None:
    """A study is written into a folder of its own, or into one that holds a study."""
    from nassim.study import FILE

    if not folder.is_dir() or (folder / FILE).exists():
        return
    others = sorted(path.name for path in folder.iterdir() if not path.name.startswith(".") and path.name != NAME)
    if others:
        what = f"{others[0]!r:.80}" + (f" and {len(others) - 1} more" if len(others) > 1 else "")
        raise InvalidSetting(
            f"{folder} holds other files ({what}): choose another --out, or add --force to write there."
        )
