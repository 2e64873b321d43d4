"""Mistakes in a user's file: one clear error with the row or key, and what was there stays as it is."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

import nassim
from nassim.errors import CorruptData, InvalidSetting, MissingData, NassimError
from nassim.tabular_data.own_table import table_path
from nassim.tabular_data.recipes import csv_cells, csv_fill, csv_rows
from nassim.tabular_data.recipes.csv_table import import_table

SPEC = """
[decisions]
a = ["x", "y"]
b = [1, 2]
[accuracy]
unit = "percent"
valid = "valid"
test = "test"
[training]
epoch = "epoch"
repeat = "seed"
[cost]
column = "cost"
[extras]
lat = "lat"
"""
HEADER = "a,b,epoch,seed,valid,test,cost,lat"
ROWS = [
    f"{a},{b},{e},{s},{50 + e + b}.5,{40 + e + b},{10 * e},{b}"
    for a in "xy"
    for b in (1, 2)
    for e in (3, 9)
    for s in (1, 2)
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Holds a specification and results that fit; a table made of them is there."""
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))
    (tmp_path / "spec.toml").write_text(SPEC)
    write(tmp_path, ROWS)
    import_table("mine", tmp_path / "results.csv", tmp_path / "spec.toml")
    return tmp_path


def write(folder: Path, rows: list[str], header: str = HEADER, name: str = "results.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def refused(folder: Path, error: type[NassimError], message: str, path: Path | None = None, name: str = "mine") -> None:
    """Nothing is imported: the older table is still there and whole, and nothing beside it."""
    before = table_path("mine").read_bytes()
    with pytest.raises(error, match=message) as raised:
        import_table(name, path or folder / "results.csv", folder / "spec.toml")
    assert "\n" not in str(raised.value), raised.value
    assert len(str(raised.value)) < 700
    assert table_path("mine").read_bytes() == before
    assert [p.name for p in table_path("mine").parent.iterdir()] == ["mine.h5"]
    assert nassim.get_benchmark("csv/mine").space.size == 4


def cell(row: int, column: str, text: str) -> list[str]:
    """The rows with one cell replaced."""
    rows = [row_text.split(",") for row_text in ROWS]
    rows[row][HEADER.split(",").index(column)] = text
    return [",".join(row_cells) for row_cells in rows]


# Row 2 is the first below the header; ROWS[5] is row 7.
CELLS = [
    ("a", "z", r"row 7, column a: 'z' is not an option; they are x, y"),
    ("a", "", r"row 7, column a: there is no value"),
    ("b", "1.5", r"row 7, column b: '1.5' is not an option; they are 1, 2"),
    ("valid", "", r"row 7, column valid: there is no value"),
    ("valid", "nan", r"row 7, column valid: 'nan' is not a finite number"),
    ("valid", "NaN", r"row 7, column valid: 'NaN' is not"),
    ("valid", "inf", r"row 7, column valid: 'inf' is not"),
    ("valid", "91,5", r"row 7: it has 9 cells, the header has 8"),
    ("valid", "91%", r"row 7, column valid: '91%' is not a finite number"),
    ("valid", "100.5", r"row 7, column valid: 100\.5 is not an accuracy between 0 and 100"),
    ("valid", "-1", r"row 7, column valid: -1 is not an accuracy"),
    ("test", "none", r"row 7, column test: 'none' is not"),
    ("epoch", "2.5", r"row 7, column epoch: '2\.5' is not a number of epochs"),
    ("epoch", "0", r"row 7, column epoch: '0' is not"),
    ("epoch", "9", r"row 9, column valid: a second value for the training of a=x, b=2 for 9 epochs, repeat 2"),
    ("seed", "", r"row 7, column seed: there is no value"),
    ("seed", "1", r"row 7, column valid: a second value for the training of a=x, b=2 for 3 epochs, repeat 1"),
    ("cost", "0", r"row 7, column cost: a training cannot cost 0"),
    ("cost", "-5", r"row 7, column cost: a training cannot cost -5"),
    ("lat", "9", r"row (6|7|8|9), column lat: . is not what another row has"),
]


@pytest.mark.parametrize(("column", "text", "message"), CELLS)
@pytest.mark.parametrize("together", [100_000, 3])
def test_a_wrong_cell_is_named_by_its_row(
    column: str, text: str, message: str, together: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_rows, "ROWS", together)
    write(folder, cell(5, column, text))
    refused(folder, CorruptData, message)


def test_duplicate_rows_are_refused_far_apart_and_side_by_side(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for together in (100_000, 4):
        monkeypatch.setattr(csv_rows, "ROWS", together)
        for rows in ([*ROWS, ROWS[0]], [ROWS[0], *ROWS]):
            write(folder, rows)
            refused(
                folder, CorruptData, r"row \d+, column \w+: a second value for the training of a=x, b=1 for 3 epochs"
            )
    (folder / "spec.toml").write_text(SPEC.replace('repeat = "seed"\n', ""))
    write(folder, ROWS)
    refused(
        folder, CorruptData, r"row 3, .* a second value .* name the column that tells them apart \(training\.repeat\)"
    )


def test_percent_and_fractions(folder: Path) -> None:
    (folder / "spec.toml").write_text(SPEC.replace('"percent"', '"fraction"'))
    refused(folder, CorruptData, r"row 2, column valid: 54\.5 is not an accuracy between 0 and 1\. Is it in percent\?")
    (folder / "spec.toml").write_text(SPEC)
    small = [row.split(",") for row in ROWS]
    for row in small:
        row[4:6] = [str(float(row[4]) / 100), str(float(row[5]) / 100)]
    write(folder, [",".join(row) for row in small])
    refused(
        folder, InvalidSetting, r'accuracy\.unit = "percent", but the best accuracy is 0\.615: are these fractions\?'
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'valid = "valid"',
            'valid = "val"',
            r"names the column 'val', which the file does not have\. Did you mean 'valid'",
        ),
        (
            'epoch = "epoch"',
            'epoch = "steps"',
            r"training\.epoch names the column 'steps', which the file does not have",
        ),
        ('repeat = "seed"', 'repeat = "epoch"', r"training\.repeat names the column 'epoch', as training\.epoch does"),
        (
            'test = "test"',
            'test = "valid"',
            r"accuracy\.test names the (column 'valid', as|same numbers as) accuracy\.valid",
        ),
        ("b = [1, 2]", "c = [1, 2]", r"decisions\.c names the column 'c', which the file does not have"),
        ("b = [1, 2]", "b = [1, 3]", r"row 6, column b: '2' is not an option; they are 1, 3"),
        ("b = [1, 2]", "b = [1, 2, 3]", r"architectures\.missing must be said: 2 of 6 .*such as a=x, b=3"),
        ('lat = "lat"', 'lat = "latency"', r"extras\.lat names the column 'latency'"),
        ('valid = "valid"', 'valid = "valid_{repeat}"', r"training\.repeat is a column"),
        ('repeat = "seed"', "", r"a second value"),
        ('column = "cost"', 'column = "cost_{repeat}"', r"training\.repeat is a column"),
        ('epoch = "epoch"\nrepeat = "seed"', "epochs = 9", r"a second value"),
        ('[cost]\ncolumn = "cost"', '[cost]\ncolumn = "lat"\n', r"costs no more than fewer epochs: .*of = \"epoch\""),
    ],
)
def test_a_specification_that_does_not_match(old: str, new: str, message: str, folder: Path) -> None:
    assert old in SPEC
    (folder / "spec.toml").write_text(SPEC.replace(old, new))
    refused(folder, NassimError, message)


def test_a_pattern_that_no_column_has(folder: Path) -> None:
    text = SPEC.replace('epoch = "epoch"\nrepeat = "seed"', "").replace('"valid"', '"val_{epoch}_{repeat}"')
    (folder / "spec.toml").write_text(text)
    refused(
        folder,
        InvalidSetting,
        r"accuracy\.valid = 'val_\{epoch\}_\{repeat\}': no column is called so. The columns: a, b",
    )
    write(folder, ["x,1,5,,3", "x,2,,,3", "y,1,6,7,3", "y,2,6,7,3"], header="a,b,val_9_1,val_9_2,test")
    (folder / "spec.toml").write_text(
        text.replace('test = "test"', "")
        .replace('column = "cost"', "seconds_per_epoch=1")
        .replace('[extras]\nlat = "lat"', "")
    )
    refused(folder, InvalidSetting, r"1 of 4 architectures have no training of 9 epochs in the file, such as a=x, b=2")


def test_numbers_without_their_partners(folder: Path) -> None:
    text = SPEC.replace('epoch = "epoch"\nrepeat = "seed"', "epochs = 9").replace('"test"', '"t_{repeat}"')
    text = (
        text.replace('"valid"', '"v_{repeat}"').replace('"cost"', '"c_{repeat}"').replace('[extras]\nlat = "lat"', "")
    )
    header = "a,b,v_1,v_2,t_1,t_2,c_1,c_2"
    whole = [f"{a},{b},5,6,7,8,1,2" for a in "xy" for b in (1, 2)]
    (folder / "spec.toml").write_text(text)
    write(folder, [*whole[:3], "y,2,5,6,7,,1,2"], header)
    refused(folder, CorruptData, r"training of a=y, b=2 for 9 epochs, repeat 2 has a validation, but no test accuracy")
    write(folder, [*whole[:3], "y,2,5,6,7,8,,2"], header)
    refused(folder, CorruptData, r"training of a=y, b=2 for 9 epochs, repeat 1 has an accuracy, but no cost")
    write(folder, [f"{a},{b},,,,,," for a in "xy" for b in (1, 2)], header)
    refused(folder, CorruptData, r"there is no accuracy in the file \(accuracy\.valid = 'v_\{repeat\}'\)")
    write(folder, [f"{a},{b},5,6,5,6,1,2" for a in "xy" for b in (1, 2)], header)
    refused(folder, InvalidSetting, r"accuracy\.test names the same numbers as accuracy\.valid")


def test_split_words_that_are_not_there(folder: Path) -> None:
    text = SPEC.replace(
        'valid = "valid"\ntest = "test"', 'valid = "val"\ntest = "tst"\nsplit = "seed"\nvalue = "valid"'
    )
    (folder / "spec.toml").write_text(text.replace('repeat = "seed"', ""))
    refused(folder, CorruptData, r"no row has 'val' \(accuracy\.valid\) in column seed, only 1, 2")


def test_files_that_cannot_be_read(folder: Path) -> None:
    refused(folder, MissingData, "is not there", folder / "none.csv")
    refused(folder, InvalidSetting, r"must end in \.csv, \.tsv", write(folder, ROWS, name="results.xlsx"))
    for content, message in (
        (b"", "damaged|empty"),
        (HEADER.encode(), "no rows"),
        ((HEADER + "\n\n\n").encode(), "no rows"),
        (b"\xff\xfe" + HEADER.encode("utf-16-le"), "UTF-8|names the column"),
        (
            "\n".join([HEADER, *ROWS[:3], ROWS[3] + ",1", *ROWS[4:]]).encode(),
            r"row 5: it has 9 cells, the header has 8",
        ),
        ("\n".join([HEADER, *ROWS[:3], "x,1,9", *ROWS[4:]]).encode(), r"row 5: it has 3 cells"),
        ("\n".join([HEADER + ",a", *ROWS]).encode(), "two columns 'a'"),
        ("\n".join([HEADER, '"' + ROWS[0], *ROWS]).encode(), "damaged"),
    ):
        (folder / "results.csv").write_bytes(content)
        refused(folder, CorruptData if b"\xff" not in content else NassimError, message)
    whole = gzip.compress("\n".join([HEADER, *ROWS]).encode())
    no_block = whole[:10] + b"\x07" + whole[11:]  # deflate knows no blocks of the third type
    other_sum = whole[:-8] + bytes(byte ^ 1 for byte in whole[-8:])
    for content in (whole[:-20], b"not gzip", no_block, other_sum):
        (folder / "results.csv.gz").write_bytes(content)
        refused(folder, CorruptData, "damaged", folder / "results.csv.gz")


def test_json_that_cannot_be_read(folder: Path) -> None:
    records = [dict(zip(HEADER.split(","), row.split(","), strict=True)) for row in ROWS]
    text = json.dumps(records)
    path = folder / "results.json"
    for content, message in (
        (text[:-30], "record 16 is cut off or no JSON"),
        (text[: len(text) // 2], "is cut off or no JSON"),
        ("{'a': 1}", "record 1 is cut off or no JSON"),
        ("[1, 2]", "record 1 is no object, but 1"),
        (text.replace('"54.5"', "NaN", 1), r"row 1, column valid: 'nan' is not a finite number"),
        (text.replace('"54.5"', "null", 1), r"row 1, column valid: there is no value"),
        (text.replace('"valid": "54.5"', '"valid_": "54.5"', 2), r"names the column 'valid'"),
        ("[]", "is empty"),
    ):
        path.write_text(content)
        refused(folder, NassimError, message, path)
    path.write_text(text)
    import_table("mine", path, folder / "spec.toml")


def test_limits(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_fill, "MOST_CELLS", 40)
    refused(folder, CorruptData, r"4 architectures x 2 repeats x 2 epochs x 3 metrics are 48 numbers, more than 40")
    monkeypatch.undo()
    monkeypatch.setenv("NASSIM_DATA", str(folder / "data"))
    monkeypatch.setattr(csv_cells, "_MOST", 1)
    refused(folder, CorruptData, r"column seed has more than 1 values: it does not name repeats")


@pytest.mark.parametrize("name", ["", "../mine", "Mine", "9lives", "a/b", "a" * 41, "mine.h5", "é"])
def test_names_that_cannot_be_used(name: str, folder: Path) -> None:
    refused(folder, InvalidSetting, "is no name for a table", name=name)


def test_a_table_is_replaced_by_a_complete_one_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder, cell(5, "valid", "12"))
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    refused(folder, NassimError, "No space left on device")
    monkeypatch.undo()
    monkeypatch.setenv("NASSIM_DATA", str(folder / "data"))
    before = table_path("mine").read_bytes()
    import_table("mine", folder / "results.csv", folder / "spec.toml")
    assert table_path("mine").read_bytes() != before
