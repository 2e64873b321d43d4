"""nassim reproduce --list: rows say what the docs say, and identities of published rows are found in the table."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from nassim.cli.main import main
from nassim.gallery import family
from nassim.gallery.identities import ROWS, PublishedRow, identities, identity
from nassim.gallery.orders import SETTINGS, fewer_epochs, judged
from nassim.gallery.results import LIVE, family_claims, gallery, group_names, groups, published_rows, recorded
from nassim.gallery.row import VERDICTS, counted
from nassim.registry import get_space
from nassim.reproduction import SPLITS, TASKS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def tool() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "tools"))
        spec = importlib.util.spec_from_file_location("gallery_tool", ROOT / "tools" / "gallery.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    sys.modules.pop("claims", None)
    return module


def shown(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["reproduce", *arguments])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_the_file_is_what_the_docs_say(tool: Any) -> None:
    """Numbers, verdicts and the quoted sentences; the tool fails where a page does not have a sentence."""
    written = json.loads(tool.RESULTS.read_text(encoding="utf-8"))
    assert written == json.loads(json.dumps(tool.content())), "write it again: .venv/bin/python tools/gallery.py"


def test_a_sentence_that_no_page_has_is_noticed(tool: Any) -> None:
    with pytest.raises(AssertionError, match=r"docs/mobile\.md does not say"):
        tool._row("mobile", "x", "y", quote="FBNet's claim was tested and holds.")


def test_verdicts_of_claims_md_are_those_of_the_gallery() -> None:
    """Read from the page once more, in another way than the tool does."""
    text = (DOCS / "claims.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\| `([\w-]+)` \| ([\w -]+) \| .* \| ([a-z ]+) \|$", text, flags=re.MULTILINE)
    there = {row.name: row.verdict for row in recorded() if row.group == "darts-family"}
    assert {f"{claim}: {where}": verdict for claim, where, verdict in lines} == there
    counts = Counter(there.values())
    found = re.search(r"(\d+) pass, (\d+) fails?, (\d+) cannot be told, (\d+) (?:was|were)\s+not run", text)
    assert found is not None
    assert [counts[kind] for kind in ("pass", "fail", "cannot tell", "not run")] == [int(n) for n in found.groups()]


def test_thresholds_are_those_of_claims_md() -> None:
    text = (DOCS / "claims.md").read_text(encoding="utf-8").partition("## What came out")[0]
    for claim in family_claims():
        assert re.search(rf"^\| `{claim.name}` .* \| {'>' if claim.above else '<'} {claim.threshold:g} \|$", text, re.M)
    assert len(family_claims()) == text.count("\n| `")


def test_rows_and_groups_belong_together() -> None:
    names = group_names()
    assert len(names) == len(set(names)) and "nasbench201" in names
    rows = recorded()
    assert {row.group for row in rows} == {*names} - {LIVE}
    assert len({(row.group, row.name) for row in rows}) == len(rows)
    for row in rows:
        assert row.verdict in VERDICTS
        assert row.z is None or row.error, row
        assert row.verdict != "not run" or row.here is None, row
    for group in groups():
        assert (DOCS / group.page).is_file()
        for script in re.findall(r"tools/\w+\.py", group.command):
            assert (ROOT / script).is_file()
    assert counted(rows).startswith(f"{sum(row.verdict == 'pass' for row in rows)} pass, ")


def made_up(*cells: tuple[float, ...]) -> dict[tuple[str, str], np.ndarray]:
    """Columns of a table in which the first cells have these test accuracies (percent) on the three data sets."""
    size = int(get_space("nasbench201").size)
    found = {}
    for task, split in ((task, split) for task in TASKS for split in SPLITS):
        values = np.full(size, 10.0)
        values[: len(cells)] = [cell[TASKS.index(task)] for cell in cells]
        found[task, split] = values
    return found


def row(*values: float) -> PublishedRow:
    return PublishedRow("a", "b", "c", tuple((t, SPLITS[1], v) for t, v in zip(TASKS, values, strict=False)))


def test_what_a_row_can_be() -> None:
    table = made_up((90.004, 70.0, 40.0), (91.0, 71.0, 39.0), (91.0, 72.0, 38.0))
    first, second = (str(get_space("nasbench201").at(i)) for i in range(2))
    whole = identity(row(90.0, 70.0, 40.0), table)
    assert (whole.verdict, whole.parts[0][1]) == ("pass", (first,))
    assert "the best of the table in imagenet16-120 test" in whole.sentence
    assert identity(row(90.01, 70.0, 40.0), table).verdict == "fail"  # rounded it is 90.00
    two = identity(row(91.0), table)
    assert two.verdict == "pass" and len(two.parts[0][1]) == 2 and "2 cells have all 1 figures" in two.sentence
    mixed = identity(row(90.0, 71.0, 39.0), table)
    assert mixed.verdict == "fail" and "mixes 2 cells" in mixed.sentence
    assert [cells for _, cells in mixed.parts] == [(second,), (first,)]
    none = identity(row(55.55, 71.0, 39.0), table)
    assert (none.verdict, none.parts) == ("fail", ()) and "no cell of the table" in none.sentence
    above = identity(row(91.02, 71.0, 39.0), table)
    assert above.verdict == "refused" and "91.02 % lies above the optimum of the table, 91.00 %" in above.sentence
    assert identity(row(91.0, 71.0, 39.0), table).verdict == "pass"  # the optimum itself is no more than it


def test_published_rows_need_the_table() -> None:
    found = published_rows()
    assert [each.name for each in found] == [each.name for each in ROWS]
    assert {each.verdict for each in found} == {"needs data"}
    assert {each.note for each in found} == {"needs: nassim data get nasbench201"}


def test_published_rows_on_the_genuine_table(complete_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NASSIM_DATA", str(complete_data))
    drnas, darts, quoted, above = identities()
    assert (drnas.verdict, drnas.parts[0][1]) == ("pass", ("nasbench201:3-3-3-1-3-3",))
    assert drnas.sentence.endswith("the best of the table in cifar100 validation and cifar100 test.")
    assert (darts.verdict, darts.parts[0][1]) == ("pass", ("nasbench201:1-1-1-1-1-1",))
    assert quoted.verdict == "fail" and "mixes 2 cells" in quoted.sentence
    assert ("nasbench201:1-1-1-1-1-1",) in [cells for _, cells in quoted.parts]
    assert above.verdict == "refused" and "above the optimum of the table, 94.37 %" in above.sentence


def test_an_order_is_judged_by_the_published_test() -> None:
    rng = np.random.default_rng(1)
    for shift in (-0.5, -0.15, 0.3):
        first, second = list(rng.normal(shift, 1.0, 60)), list(rng.normal(0.0, 1.0, 55))
        found = judged("a", first, second)
        p = mannwhitneyu(first, second, alternative="less", method="asymptotic", use_continuity=False).pvalue
        assert found.here == pytest.approx(np.mean(first) - np.mean(second))
        error = np.sqrt(np.var(first, ddof=1) / 60 + np.var(second, ddof=1) / 55)
        assert found.error == pytest.approx(error) and found.z == pytest.approx(found.here / error)
        assert found.verdict == ("pass" if p < 0.05 else "cannot tell")
    assert judged("a", [1.0], [2.0]).verdict == "cannot tell"


@pytest.mark.parametrize("name", ["recurrent", "darts-family", LIVE])
def test_names_are_groups_of_rows(name: str) -> None:
    [(group, rows)] = gallery([name])
    assert group.name == name and rows and {each.group for each in rows} == {name}


def test_the_list_fits_80_columns(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("FORCE_COLOR", "1")
    code, out, _ = shown(capsys, "--list")
    lines = re.sub(r"\x1b\[[0-9;]*m", "", out).splitlines()
    assert code == 0 and max(map(len, lines)) <= 80
    text = " ".join(out.split())
    assert "left out" not in text
    for each in groups():
        assert each.title in text
    assert f"Of {len(recorded()) + len(ROWS)}: " in text and "needs: nassim data get nasbench201" in text


def test_the_list_as_json(capsys: Capture) -> None:
    _, out, _ = shown(capsys, "--list", "--json")
    found = json.loads(out)
    assert len(found) == len(recorded()) + len(ROWS)
    assert {"group", "title", "paper", "protocol", "published", "here", "error", "z", "verdict", "command"} <= {
        *found[0]
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give --list, or one of these names: nasbench201, "),
        (("--list", "mobile"), "give --list, or one of these names"),
        (("nasbench202",), "nasbench201"),
        (("mobile", "--runs", "3"), "--runs is of nasbench201 and fewer-epochs: mobile runs no searches."),
        (("mobile", "--signal-noise", "0.4"), "are of nasbench201"),
    ],
)
def test_mistakes_are_one_line(arguments: tuple[str, ...], said: str, capsys: Capture) -> None:
    code, out, err = shown(capsys, *arguments)
    assert code == 2 and not out and said in err and len(err.splitlines()) == 1


def test_a_group_that_takes_longer_says_its_command(capsys: Capture) -> None:
    code, out, _ = shown(capsys, "mobile")
    assert code == 0 and "python tools/reward_fronts.py" in out and "soft reward wider than hard" in out


@pytest.mark.slow
def test_the_family_again_is_what_was_recorded() -> None:
    """All but the steps of partial channels, which are measured."""
    written = {each.name: each for each in recorded() if each.group == "darts-family"}
    found = family.rows(family_claims())
    assert [each.name for each in found] == list(written)
    for each in found:
        if not each.name.startswith("pc-"):
            was = written[each.name]
            assert (each.verdict, each.published, each.note) == (was.verdict, was.published, was.note)
            assert each.here == (None if was.here is None else pytest.approx(was.here, rel=0.01))


@pytest.mark.slow
def test_fewer_epochs_again_are_rows_of_the_group() -> None:
    """With the tables that come with nassim; the others say what they need."""
    found = fewer_epochs(3)
    names = {each.name for each in found if each.verdict != "needs data"}
    places = {"digits", "3ops-f"}
    assert {name.rpartition(": ")[2] for name in names} == places and len(names) == 12
    missing = [each for each in found if each.verdict == "needs data"]
    assert [each.name for each in missing] == [s.name for s in SETTINGS if s.name not in places]
