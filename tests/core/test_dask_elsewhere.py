"""A scheduler and workers of Dask that run by themselves, as on other machines: `--engine dask:HOST:PORT`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("distributed")

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
SIBLINGS = ("algorithms", "benchmarks", "full_training", "surrogates", "tabular_data")
SPEC = """
[decisions]
a = ["x", "y"]
b = [1, 2, 3, 4]
[accuracy]
unit = "percent"
valid = "valid"
[training]
epoch = "epoch"
[cost]
seconds_per_epoch = 10
"""


class Elsewhere:
    """A scheduler, and workers as they are started; they have nothing of this process but what they are given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "none" / "nassim").mkdir(parents=True)  # the scheduler has no nassim
        (folder / "none" / "nassim" / "__init__.py").write_text("raise ImportError")
        self._processes = [self._begun("dask_scheduler", "--port", "0", PYTHONPATH=str(folder / "none"))]
        deadline = time.monotonic() + 120
        while not (folder / "scheduler.json").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        place = (folder / "scheduler.json").read_text().partition("tcp://")[2].partition('"')[0]
        self.engine = f"dask:{place}"

    def worker(self, **environment: str) -> subprocess.Popen[bytes]:
        """Start one more; it listens by the time that this returns."""
        number = len(self._processes)
        options = ("--no-nanny", "--nthreads", "1", "--name", str(number), "--no-dashboard")
        self._processes.append(self._begun("dask_worker", *options, **environment))
        deadline = time.monotonic() + 120
        while f"dask_worker-{number}" not in self._listening() and time.monotonic() < deadline:
            time.sleep(0.1)
        return self._processes[-1]

    def _listening(self) -> str:
        logs = self.folder.glob("dask_worker-*")
        return " ".join(log.name for log in logs if "Registered to" in log.read_text(errors="replace"))

    def _begun(self, what: str, *options: str, **environment: str) -> subprocess.Popen[bytes]:
        number = len(getattr(self, "_processes", ()))
        command = [sys.executable, "-m", f"distributed.cli.{what}", "--host", "127.0.0.1", *options]
        command += ["--scheduler-file", str(self.folder / "scheduler.json")]
        with (self.folder / f"{what}-{number}").open("wb") as log:
            return subprocess.Popen(
                command, cwd=self.folder, env={**os.environ, **environment}, stdout=log, stderr=subprocess.STDOUT
            )

    def end(self) -> None:
        for process in reversed(self._processes):
            process.kill()
            process.wait()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    (tmp_path / "cluster").mkdir()
    found = Elsewhere(tmp_path / "cluster")
    yield found
    found.end()


def nassim(folder: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code and what was said on standard error."""
    command = [sys.executable, "-m", "nassim.cli.main", *arguments]
    surroundings = {**os.environ, **environment}
    done = subprocess.run(command, cwd=folder, env=surroundings, capture_output=True, text=True, timeout=900)
    return done.returncode, done.stderr


def small(engine: str, out: str, benchmark: str = "nasbench201/digits") -> list[str]:
    asked = ["compare", "--algos", "re", "--benchmark", benchmark, "--budget", "30q", "--seeds", "6", "--no-report"]
    return [*asked, "--out", out, "--engine", engine]


def test_a_study_made_elsewhere_is_the_same_to_the_byte_and_survives_a_killed_worker(
    tmp_path: Path, elsewhere: Elsewhere
) -> None:
    surrogate = "nasbench201_3ops/fashion14:surrogate"
    data = {"NASSIM_DATA": str(tmp_path / "data")}
    assert nassim(tmp_path, "data", "build", "nasbench201_3ops/fashion14", "--fit", **data)[0] == 0
    first = elsewhere.worker(**data)
    elsewhere.worker(**data)
    for name in ("nasbench201/digits", surrogate):
        folder = tmp_path / name.replace("/", "-").replace(":", "-")
        folder.mkdir()
        assert nassim(folder, *small("processes", "here", name), **data) == (0, "")
        assert nassim(folder, *small(elsewhere.engine, "there", name), **data) == (0, "")
        assert nassim(folder, *small("dask", "local", name), "--jobs", "2", **data) == (0, "")
        one, *others = [(folder / out / "summary.csv").read_bytes() for out in ("here", "there", "local")]
        assert others == [one, one] and one.count(b"\n") == 3
    longer = small(elsewhere.engine, "killed")
    longer[longer.index("30q")] = "30000q"
    process = subprocess.Popen([sys.executable, "-m", "nassim.cli.main", *longer], cwd=tmp_path)
    time.sleep(3.0)
    first.kill()
    assert process.wait(900) == 0
    longer[longer.index("killed")], longer[-1] = "undisturbed", "processes"
    assert nassim(tmp_path, *longer)[0] == 0
    summaries = [(tmp_path / name / "summary.csv").read_bytes() for name in ("killed", "undisturbed")]
    assert summaries[0] == summaries[1]


def test_workers_of_another_source_and_with_other_data_are_refused(tmp_path: Path, elsewhere: Elsewhere) -> None:
    (tmp_path / "spec.toml").write_text(SPEC)
    for name, more in (("here", 0), ("there", 1)):
        rows = [f"{a},{b},{e},{40 + e + b + more}" for a in "xy" for b in (1, 2, 3, 4) for e in (3, 9)]
        (tmp_path / "results.csv").write_text("\n".join(["a,b,epoch,valid", *rows]))
        command = ("data", "import", "mine", "results.csv", "--spec", "spec.toml")
        assert nassim(tmp_path, *command, NASSIM_DATA=str(tmp_path / name))[0] == 0
    odd = elsewhere.worker(NASSIM_DATA=str(tmp_path / "there"))
    code, said = nassim(tmp_path, *small(elsewhere.engine, "a", "csv/mine"), NASSIM_DATA=str(tmp_path / "here"))
    assert code == 2 and said.count("\n") == 1 and "a worker has other data of csv/mine (sha256 " in said, said
    code, said = nassim(tmp_path, *small(elsewhere.engine, "b", "csv/mine"), NASSIM_DATA=str(tmp_path / "there"))
    assert code == 0, said
    odd.kill()
    copy = tmp_path / "copy" / "nassim"
    shutil.copytree(ROOT / "nassim", copy, ignore=shutil.ignore_patterns("__pycache__"))
    for room in SIBLINGS:
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / "version.py").open("a") as file:
        file.write("# another source\n")
    elsewhere.worker(PYTHONPATH=str(copy.parent))
    code, said = nassim(tmp_path, *small(elsewhere.engine, "c"))
    assert code == 2 and said.count("\n") == 1 and " runs nassim " in said and "install the same" in said, said
    assert not (tmp_path / "c" / "summary.csv").exists()


def test_a_run_that_never_ends_is_given_up(tmp_path: Path, elsewhere: Elsewhere) -> None:
    elsewhere.worker()
    (tmp_path / "hangs.py").write_text(
        "import time\nfrom nassim import evaluate, strategy\n\n"
        '@strategy(family="example", year=2026)\ndef hangs(space, rng):\n'
        "    yield from evaluate(space.sample(rng))\n    time.sleep(1000)\n    yield from evaluate(space.sample(rng))\n"
    )
    command = small(elsewhere.engine, "a")
    command[command.index("re")] = "hangs.py"
    before = time.monotonic()
    code, said = nassim(tmp_path, *command, "--timeout", "4")
    assert code == 2 and said.count("\n") == 1 and "no worker has given anything back for 4 s" in said, said
    assert time.monotonic() - before < 60


def test_a_search_on_the_wall_clock_elsewhere(tmp_path: Path, elsewhere: Elsewhere) -> None:
    pytest.importorskip("torch")
    data = {"NASSIM_DATA": str(tmp_path / "data")}
    for _ in range(2):
        elsewhere.worker(**data)
    command = ["run", "re", "nasbench201/digits:training", "--clock", "wall", "--budget", "3q", "--trace", "trace"]
    command += ["--engine", elsewhere.engine, "--workers"]
    code, said = nassim(tmp_path, *command, "3", **data)
    assert code == 2 and "3 workers are asked for" in said and "has 2: use --workers 2" in said, said
    assert not (tmp_path / "trace").exists()  # or the next command would be of another run
    assert nassim(tmp_path, *command, "2", **data)[0] == 0
    assert (tmp_path / "trace").read_text().count('{"trial"') == 3
