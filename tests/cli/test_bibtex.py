"""`nassim show NAME --bibtex`: entries that parse, for everything registered."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from nassim.cli.main import main
from nassim.registry import algorithm_names, benchmark_names, space_names
from nassim.version import __version__

ROOT = Path(__file__).parents[2]
FIELDS = ("author", "title", "year")
Capture = pytest.CaptureFixture[str]
Entries = dict[str, dict[str, str]]
# Names whose results are made up: there is nothing to cite.
NOT_ON_ARXIV = {"bender2018understanding", "hutter2011sequential", "zhou2018neural"}
SYNTHETIC = {name for name in [*benchmark_names(), *space_names()] if name.startswith("toy")}
REGISTERED = [*algorithm_names(), *benchmark_names(), *space_names()]


def shown(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["show", *arguments])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def parsed(text: str) -> Entries:
    """A small reader of BibTeX of its own: entries by key, fields by name, values without their braces."""
    found: Entries = {}
    at = 0
    while (at := text.find("@", at)) >= 0:
        head = re.compile(r"@(\w+)\{([a-z0-9]+),\s*").match(text, at)
        assert head is not None, text[at : at + 60]
        assert head[1] in ("article", "inproceedings", "misc")
        at, fields = head.end(), {"": head[1]}
        while text[at] != "}":
            name = re.compile(r"(\w+)\s*=\s*\{").match(text, at)
            assert name is not None, text[at : at + 60]
            depth, end = 1, name.end()
            while depth:
                depth += {"{": 1, "}": -1}.get(text[end], 0) if text[end - 1] != "\\" else 0
                end += 1
            assert name[1] not in fields
            fields[name[1]] = text[name.end() : end - 1]
            rest = re.compile(r"\s*,?\s*").match(text, end)
            assert rest is not None
            at = rest.end()
        assert head[2] not in found, f"the key {head[2]} is there twice"
        found[head[2]] = fields
        at += 1
    return found


def test_everything_registered_has_entries_that_parse(capsys: Capture) -> None:
    papers: Entries = {}
    for name in sorted(set(REGISTERED) - SYNTHETIC):
        code, out, err = shown(capsys, name, "--bibtex")
        assert code == 0, err
        entries = parsed(out)
        assert entries, name
        for key, fields in entries.items():
            assert all(fields.get(field) for field in FIELDS), (name, key, fields)
            assert re.fullmatch(r"(19|20)\d\d", fields["year"])
            assert fields["title"].startswith("{") and fields["title"].endswith("}")
            authors = fields["author"].split(" and ")
            assert all(re.fullmatch(r"[A-Z]\. [A-Z][\w-]+|others", author) for author in authors), (name, authors)
            assert fields.get("archiveprefix", "arXiv") == "arXiv"
            assert re.fullmatch(r"\d{4}\.\d{4,5}", fields.get("eprint", "0000.00000"))
            assert int(fields["year"]) < 2007 or key in NOT_ON_ARXIV or "eprint" in fields, (name, key)
            assert papers.setdefault(key, fields) == fields, f"{key} is two papers"
    titles = [fields["title"] for fields in papers.values()]
    assert len(titles) == len(set(titles)) >= 17


@pytest.mark.parametrize(
    ("name", "key", "expected"),
    [
        ("re", "real2019regularized", {"eprint": "1802.01548", "booktitle": "AAAI", "": "inproceedings"}),
        ("rl", "williams1992simple", {"journal": "Machine Learning", "volume": "8", "": "article"}),
        ("pnas", "liu2018progressive", {"author": "C. Liu and others"}),
        ("nasbench101/cifar10", "ying2019nasbench101", {"eprint": "1902.09635"}),  # without its table
        ("nasbench201", "dong2020nasbench201", {"author": "X. Dong and Y. Yang", "booktitle": "ICLR"}),
        ("natsbench-size/cifar10", "dong2021natsbench", {"journal": "TPAMI", "": "article"}),
        ("nasbench201/digits:training", "dong2020nasbench201", {"year": "2020"}),
        ("re[sample_size=10]", "real2019regularized", {}),
        ("darts:DARTS_V2", "liu2019darts", {}),
    ],
)
def test_entries_by_hand(capsys: Capture, name: str, key: str, expected: dict[str, str]) -> None:
    fields = parsed(shown(capsys, name, "--bibtex")[1])[key]
    assert {field: fields[field] for field in expected} == expected


def test_a_paper_named_by_its_number_alone_is_found_elsewhere(capsys: Capture) -> None:
    """darts names NAS-Bench-201 by authors and number; the algorithm and the space of that name share an entry.

    The family of the space names the surrogate's paper, too.
    """
    entries = parsed(shown(capsys, "darts", "--bibtex")[1])
    assert list(entries) == ["liu2019darts", "dong2020nasbench201", "zela2022surrogate"]
    assert "Extending the Scope" in entries["dong2020nasbench201"]["title"]


def test_what_has_no_paper_is_said(capsys: Capture) -> None:
    for name in sorted(SYNTHETIC):
        code, out, err = shown(capsys, name, "--bibtex")
        assert (code, out) == (2, "") and "nothing to cite" in err and err.count("\n") == 1
    assert shown(capsys, "regularised", "--bibtex")[0] == 2
    assert "Did you mean" in shown(capsys, "nasbench201/cifar11", "--bibtex")[2]


def test_nassim_has_an_entry_of_its_own(capsys: Capture) -> None:
    [(key, fields)] = parsed(shown(capsys, "nassim", "--bibtex")[1]).items()
    cff = citation()
    assert key == "nassim2026" and fields["version"] == __version__ == cff["version"]
    assert fields["author"] == "{" + cff["authors"] + "}" and fields["title"] == "{" + cff["title"] + "}"


def test_as_json(capsys: Capture) -> None:
    _, out, _ = shown(capsys, "re", "--bibtex", "--json")
    assert list(parsed(json.loads(out)["bibtex"])) == ["real2019regularized"]


def test_what_others_write_makes_no_broken_entry() -> None:
    from nassim.cli.bibtex import of_text

    entries = parsed(of_text('A. {B & C_d, "100 % {\\weird} @title #1", 2024', "odd"))
    [fields] = entries.values()
    assert "\\%" in fields["title"] and fields["year"] == "2024" and "@" not in fields["title"]
    [(key, free)] = parsed(of_text("somebody's own } results, @misc{x, 2025", "My Table")).items()
    assert key == "mytable" and "own" in free["note"] and free["title"] == "{My Table}"
    assert of_text("none: not for publication", "toy") == ""


def citation() -> dict[str, str]:
    """The plain fields of CITATION.cff, which is YAML of one level and a list of authors."""
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    found = dict(re.findall(r'^([a-z-]+): "?(.+?)"?$', text, re.MULTILINE))
    [found["authors"]] = re.findall(r'^authors:\n  - name: "(.+)"$', text, re.MULTILINE)
    return found


def test_the_citation_file_has_what_its_format_demands() -> None:
    found = citation()
    assert found["cff-version"] == "1.2.0" and found["type"] == "software" and found["message"]
    assert found["license"] == "MIT" and found["version"] == __version__
    licence = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert found["authors"] in licence
    known = {"cff-version", "message", "type", "title", "abstract", "version", "license", "authors", "keywords"}
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert set(re.findall(r"^([a-z-]+):", text, re.MULTILINE)) <= known
    assert "\t" not in text and not re.search(r" $", text, re.MULTILINE)
