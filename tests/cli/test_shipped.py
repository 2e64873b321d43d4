"""Studies that come with nassim are opened by name, without torch, in the data folder."""

from __future__ import annotations

import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from nassim.cli.shipped import placed
from nassim.errors import InvalidSetting
from nassim.plots import plot_study
from nassim.study import Study

FOLDER = Path(str(resources.files("nassim.tabular_data"))) / "studies"
WITHOUT_TORCH = """
import sys
from nassim.cli.main import main
try:
    main(sys.argv[1:])
finally:
    assert "torch" not in sys.modules
"""
NAMES = sorted(path.name for path in FOLDER.iterdir())


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_study_is_whole_and_small(name: str) -> None:
    study = Study.open(FOLDER / name)
    assert study.complete and sum(path.stat().st_size for path in (FOLDER / name).iterdir()) <= 2_000_000


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_study_is_opened_and_reported_without_torch(name: str, data: Path) -> None:
    for command in (["report"], ["open", "--json"], ["plot"]):
        words = [command[0], f"shipped:{name}", *command[1:]]
        subprocess.run([sys.executable, "-c", WITHOUT_TORCH, *words], check=True, capture_output=True)
    assert (data / "studies" / name / "report.html").is_file()
    assert sorted(path.name for path in (FOLDER / name).iterdir()) == [
        "study.db",
        "study.toml",
    ]  # nothing is written there


def test_an_unknown_name_is_one_line() -> None:
    with pytest.raises(InvalidSetting, match="no study 'other' comes with nassim: shipped:"):
        placed(Path("shipped:other"))


def test_other_folders_stay_as_they_are(tmp_path: Path) -> None:
    assert placed(tmp_path) == tmp_path


def test_a_copy_that_was_altered_is_made_anew(data: Path) -> None:
    copy = placed(Path(f"shipped:{NAMES[0]}"))
    (copy / "study.toml").write_text("other")
    placed(Path(f"shipped:{NAMES[0]}"))
    assert (copy / "study.toml").read_bytes() == (FOLDER / NAMES[0] / "study.toml").read_bytes()


def test_answers_that_were_not_trained_have_no_place_in_the_figure(tmp_path: Path) -> None:
    """The last answer alone of a live search is trained: times and values are of the same answers."""
    study: Any = Study.open(FOLDER / "recurrent-cells")
    assert any(point.valid is None for run in study.runs for point in run.curve)
    assert all(path.stat().st_size > 1000 for path in plot_study(study, tmp_path))
