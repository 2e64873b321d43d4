"""What a user installs: the wheel holds the package, all of it and nothing else, and works outside the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("nassim", "algorithms", "benchmarks", "full_training", "surrogates", "tabular_data")

pytestmark = pytest.mark.slow


def _run(*command: str | Path, cwd: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _checkout() -> dict[str, Path]:
    """The package files that git tracks or would track, by their place in the wheel."""
    if (ROOT / ".git").exists():
        listed = _run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *FOLDERS).split("\0")
        paths = {ROOT / name for name in listed if name}
    else:  # an unpacked archive
        paths = {path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts}
    names = {path: path.relative_to(ROOT).as_posix() for path in paths if path.is_file()}
    return {name if name.startswith("nassim/") else f"nassim/{name}": path for path, name in names.items()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of a copy of the checkout, so that no build folder of the checkout has a say."""
    copy, out = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("wheel")
    for path in [*_checkout().values(), *(ROOT / name for name in ("pyproject.toml", "README.md", "LICENSE"))]:
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, copy)
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("installed")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps")
    _run(*pip, "--target", target, wheel)
    return target


def test_the_wheel_holds_the_package_files_of_the_checkout_and_no_others(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
        expected = _checkout()
        assert packed == set(expected)
        assert all(archive.read(name) == path.read_bytes() for name, path in expected.items())
        names = {name.partition("/")[2] for name in archive.namelist() if ".dist-info/" in name}
    assert {"METADATA", "entry_points.txt", "licenses/LICENSE"} <= names
    assert "nassim/py.typed" in packed


def test_nothing_but_nassim_is_installed(installed: Path) -> None:
    names = {path.name for path in installed.iterdir() if path.name != "bin"}
    assert {name for name in names if not name.endswith(".dist-info")} == {"nassim"}
    assert [path.name for path in (installed / "bin").iterdir()] == ["nassim"]


def test_the_installed_package_searches(installed: Path, tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import nassim, nassim.algorithms.random_search as rs; "
        "result = nassim.run('regularized_evolution', 'toy/additive', '60q'); "
        "print(len(result.trials), nassim.__file__, rs.__file__, sep='\\n')"
    )
    trials, core, algorithm = _run(sys.executable, "-c", code, installed, cwd=tmp_path).splitlines()
    assert trials == "60"
    assert Path(core).is_relative_to(installed) and Path(algorithm).is_relative_to(installed)


def test_the_installed_command_line_answers(installed: Path, tmp_path: Path) -> None:
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from nassim.cli.main import main; main()"
    assert "compare" in _run(sys.executable, "-c", code, installed, "--help", cwd=tmp_path)
    listed = _run(sys.executable, "-c", code, installed, "list", "algorithms", cwd=tmp_path)
    assert "regularized_evolution" in listed
