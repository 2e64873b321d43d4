"""What a user installs: the wheel holds the package, all of it and nothing else, and works outside the checkout."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from nassim.version import __version__

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def _run(*command: str | Path, cwd: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("installed")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps")
    _run(*pip, "--target", target, wheel)
    return target


def test_the_wheel_holds_the_package_files_of_the_checkout_and_no_others(
    wheel: Path, checkout: dict[str, Path]
) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
        assert packed == set(checkout)
        assert all(archive.read(name) == path.read_bytes() for name, path in checkout.items())
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


@pytest.fixture(scope="module")
def environment(new_environment: Callable[[], Path]) -> Path:
    return new_environment()


def _bin(environment: Path, name: str) -> Path:
    return environment / ("Scripts" if sys.platform == "win32" else "bin") / name


def _pip(environment: Path, command: str, *arguments: str | Path) -> None:
    _run(_bin(environment, "python"), "-m", "pip", "--disable-pip-version-check", command, "--quiet", *arguments)


@pytest.mark.parametrize("source", ["wheel", "checkout", "editable"])
def test_what_pip_installs_answers_from_an_empty_folder(
    source: str, wheel: Path, copy: Path, environment: Path, tmp_path: Path
) -> None:
    """As README's first lines install it, but without the network: its requirements are there already."""
    what = {"wheel": [wheel], "checkout": [copy], "editable": ["-e", copy]}[source]
    offline = ("--no-deps", "--no-index", "--no-build-isolation", "--force-reinstall")  # though one is seen elsewhere
    _pip(environment, "install", *offline, *what)
    try:
        python = _bin(environment, "python")
        for command in ([python, "-m", "nassim"], [_bin(environment, "nassim")]):
            assert _run(*command, "--version", cwd=tmp_path).strip() == __version__
        assert "Usage: python -m nassim" in _run(python, "-m", "nassim", "--help", cwd=tmp_path)
        run = _run(python, "-m", "nassim", "run", "re", "toy/additive", "--budget", "9q", cwd=tmp_path)
        assert "regularized_evolution" in run
        place = Path(_run(python, "-c", "import nassim; print(nassim.__file__)", cwd=tmp_path).strip())
        assert place.is_relative_to(copy if source == "editable" else environment)
    finally:
        _pip(environment, "uninstall", "--yes", "nassim")
    assert list(tmp_path.iterdir()) == []
