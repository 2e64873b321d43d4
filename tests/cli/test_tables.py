"""Tables for any width: nothing is broken, nothing is missing without being named, what fits is left alone."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from nassim.cli.tables import Column, flowing, print_pairs, print_section, print_table, say, table_lines, wrapped

Capture = pytest.CaptureFixture[str]
WORDS = st.text(alphabet="abcdefgh\u96ea", min_size=1, max_size=9)
NUMBERS = st.floats(min_value=-1e6, max_value=1e6).map(lambda value: f"{value:,.2f}")


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[Column], list[list[str]]]:
    """A table whose first column holds names, the others sentences or numbers."""
    kinds = draw(st.lists(st.booleans(), min_size=1, max_size=7))
    columns = [Column("name")]
    for i, _ in enumerate(kinds):
        head = f"{draw(WORDS)} {draw(WORDS)} head{i}"
        columns.append(Column(head, draw(st.integers(0, 3)), draw(st.integers(5, 30)), draw(st.booleans())))
    sentences = st.lists(WORDS, min_size=1, max_size=12).map(lambda words: "s" + " ".join(words))
    rows = draw(st.integers(1, 4))
    cells = [[draw(sentences if sentence else NUMBERS) for sentence in kinds] for _ in range(rows)]
    return columns, [[f"row{i}", *row] for i, row in enumerate(cells)]


@given(tables(), st.integers(30, 250))
def test_no_word_is_broken_and_none_is_lost(table: tuple[list[Column], list[list[str]]], width: int) -> None:
    columns, rows = table
    lines = [line.text for line in table_lines(columns, rows, width)]
    assert max(map(cell_len, lines)) <= width
    printed = " ".join(lines)
    body, _, missing = printed.partition(f"left out at {width} columns:")
    gone = {i for i, column in enumerate(columns) if re.search(rf"\bhead{i - 1}\b", missing)}
    assert all(columns[i].drop for i in gone), "only what may be missing is left out"
    found = set(body.split())
    for row in rows:
        for i, cell in enumerate(row):
            assert i in gone or set(cell.split()) <= found


def test_the_name_of_what_stands_below_is_wrapped() -> None:
    numbers = [Column(f"a a head{i}", least=5) for i in (1, 2, 3)]
    columns = [Column("name", least=16), Column("what has a name of more words", least=5, below=True), *numbers]
    lines = table_lines(columns, [["row0", "0.00", "0.00", "0.00", "0.00"]], 30)
    assert max(cell_len(line.text) for line in lines) <= 30


@given(tables())
def test_where_nobody_looks_nothing_is_left_out(table: tuple[list[Column], list[list[str]]]) -> None:
    columns, rows = table
    printed = " ".join(line.text for line in table_lines(columns, rows, None))
    assert "left out" not in printed and all(set(cell.split()) <= set(printed.split()) for row in rows for cell in row)


def test_from_wide_to_narrow() -> None:
    columns = ["name", Column("year", drop=1), Column("what it does", least=20, below=True), "value"]
    rows = [["one", 2020, "walks uphill from here to there", "1.50"], ["twentytwo", 1999, "", "11.25"]]

    def at(width: int) -> list[str]:
        return [line.text for line in table_lines(columns, rows, width)]

    assert at(80) == [
        "name       year  what it does                     value",
        "one        2020  walks uphill from here to there   1.50",
        "twentytwo  1999                                   11.25",
    ]
    assert at(47) == [
        "name       year  what it does             value",
        "one        2020  walks uphill from here    1.50",
        "                 to there",
        "twentytwo  1999                           11.25",
    ]
    assert at(42)[:2] == ["name       what it does              value", "one        walks uphill from here     1.50"]
    assert at(42)[-1].startswith("  ") and "left out at 42 columns: year;" in " ".join(at(42))
    assert at(30) == [
        "name       year  value",
        "    what it does",
        "one        2020   1.50",
        "    walks uphill from here to",
        "    there",
        "twentytwo  1999  11.25",
    ]
    assert [line.text for line in table_lines(["name", "a number", "another number"], [["one", "1.5", "2.5"]], 16)] == [
        "one",
        "  a number",
        "      1.5",
        "  another number",
        "      2.5",
    ]


def test_a_long_word_goes_on_after_its_seams() -> None:
    assert wrapped("|none~0|+|none~0|none~1|", 12) == ["|none~0|+|", "none~0|", "none~1|"]
    assert wrapped("a " + "0" * 20 + " b", 12) == ["a", "0" * 20, "b"]


def test_lines_that_were_broken_by_hand_flow() -> None:
    text = "1. One that\n   goes on.\n\n2. Two\n     goes on too.\n- three"
    assert flowing(text) == "1. One that goes on.\n2. Two goes on too.\n- three"


def test_texts_go_on_below_their_beginning(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    print_section("Departures", "1. One two three four five six seven eight nine.")
    say("twenty words [bold] are not markup, and 1 - 2 is no item of a list at all")
    print_section("nothing", "")
    assert capsys.readouterr().out.splitlines() == [
        "Departures",
        "  1. One two three four five six seven",
        "     eight nine.",
        "twenty words [bold] are not markup, and",
        "1 - 2 is no item of a list at all",
    ]


def test_a_program_gets_lines_as_they_are(capsys: Capture) -> None:
    say("word " * 100)
    print_pairs([("name", "word " * 100)])
    print_table(["name", Column("a", drop=1), "b"], [["x" * 200, "1", "2"]])
    out = capsys.readouterr().out.splitlines()
    assert [len(line.split()) for line in out] == [100, 101, 3, 3]
