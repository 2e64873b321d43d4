"""Run mypy --strict on the core and its sibling folders as the one package that they are installed as.

In a checkout ``mypy -p nassim`` sees only the core. So the folders are linked together below
``build/types/nassim``, and mypy runs there with the project's settings; its exit code is this one's.
Under Python 3.10 nothing is checked: the last numpy and pandas that it has give other types.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FARM = ROOT / "build" / "types"


def main() -> int:
    if sys.hexversion < 0x030B0000:  # not version_info: mypy takes that for 3.10 and the rest for unreachable
        sys.stdout.write("types are checked with Python 3.11 or newer, against the versions in constraints.txt\n")
        return 0
    siblings = sorted(marker.parent.name for marker in ROOT.glob("*/__init__.py") if marker.parent.name != "nassim")
    parts = {path.name: path for path in (ROOT / "nassim").iterdir() if path.name != "__pycache__"}
    link(parts | {name: ROOT / name for name in siblings})
    settings = str(ROOT / "pyproject.toml")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", settings, "-p", "nassim", *sys.argv[1:]]
    done = subprocess.run(command, cwd=FARM, capture_output=True, text=True, check=False)
    output = done.stdout + done.stderr
    for name in siblings:  # messages name files by their place in the checkout
        output = output.replace(f"nassim/{name}/", f"{name}/")
    sys.stdout.write(output)
    return done.returncode


def link(parts: dict[str, Path]) -> None:
    """Make ``build/types/nassim`` hold exactly these links."""
    folder = FARM / "nassim"
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.name not in parts:
            old.unlink()
    for name, target in parts.items():
        place = folder / name
        if not place.is_symlink() or place.readlink() != target:
            place.unlink(missing_ok=True)
            place.symlink_to(target)


if __name__ == "__main__":
    sys.exit(main())
