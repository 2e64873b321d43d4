"""The specification of a user's table: its template, and every mistake in it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nassim.cli.main import main
from nassim.errors import InvalidSetting, MissingData, NassimError
from nassim.tabular_data.recipes.csv_spec import read_spec, text_of
from nassim.tabular_data.recipes.csv_template import TEMPLATE

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SMALL = """
[decisions]
a = ["x", "y"]
b = [1, 2.5, 3.0]
[accuracy]
unit = "fraction"
valid = "valid"
[training]
epochs = 9
[cost]
column = "seconds"
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "spec.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_template_is_a_specification(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["data", "template"])
    printed = capsys.readouterr().out
    assert not ended.value.code
    assert printed == TEMPLATE
    spec = read_spec(written(tmp_path, printed))
    assert spec.decisions == {
        "layer1": ("none", "conv3x3", "conv5x5"),
        "layer2": ("none", "conv3x3", "conv5x5"),
        "width": ("16", "32", "64"),
    }
    assert spec.decision_columns == ("layer1", "layer2", "channels")
    assert (spec.valid, spec.test, spec.repeat, spec.cost) == ("valid_acc", "test_acc", "seed", "seconds")
    assert spec.percent and spec.epochs == 200 and spec.missing == "refuse"


def test_what_the_template_has_in_comments_can_be_used(tmp_path: Path) -> None:
    """Every commented line is a key of the specification; all but the alternatives fit together."""
    lines = TEMPLATE.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("# [extras]"))
    extra = "\n".join(line.removeprefix("# ") for line in lines[first:])
    spec = read_spec(written(tmp_path, TEMPLATE + extra))
    assert spec.extras == {"latency": ("latency_ms", "ms")}
    assert spec.about["citation"] == "..."
    split = TEMPLATE.replace("# split", "split").replace("# value", "value").replace("# column", "column")
    spec = read_spec(written(tmp_path, split.replace("# separator", "separator")))
    assert (spec.split, spec.value, spec.architecture, spec.separator) == ("split", "acc", "arch", "-")
    columns = TEMPLATE.replace("epochs = 200", "").replace("# epoch =", "epoch =")
    assert read_spec(written(tmp_path, columns)).epoch == "epoch"
    same = "\n".join(line for line in lines if not line.startswith(("column", 'unit = "sec', "of =")))
    assert read_spec(written(tmp_path, same.replace("# seconds_per", "seconds_per"))).seconds_per_epoch == 30.0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[decisions]", "[decision]", r"decision is not a key of a specification\. Did you mean decisions\?"),
        ("unit =", "units =", r"accuracy\.units is not a key .*Did you mean accuracy\.unit\?"),
        ('unit = "fraction"', "", r"accuracy\.unit is missing: use 'percent' or 'fraction'"),
        ('"fraction"', '"per cent"', r"accuracy\.unit = 'per cent' is not known"),
        ('"fraction"', "1", r"accuracy\.unit = 1 must be a text in quotes"),
        ('valid = "valid"', "", r"accuracy\.valid is missing"),
        ('valid = "valid"', 'valid = "valid_{epochs}"', r"accuracy\.valid .* only \{epoch\} and \{repeat\}"),
        ('valid = "valid"', 'valid = "valid_{epoch}"', r"training must say once"),
        ("epochs = 9", "", r"training must say once"),
        ("epochs = 9", 'epochs = 9\nepoch = "e"', r"training must say once"),
        ("epochs = 9", "epochs = 0", r"training\.epochs = 0 must be a positive whole number"),
        ("epochs = 9", "epochs = 2.5", r"training\.epochs = 2\.5 must be"),
        ("epochs = 9", "epochs = true", r"training\.epochs = True must be"),
        ("epochs = 9", 'epochs = "9"', r"training\.epochs = '9' must be"),
        ('column = "seconds"', "", r"cost needs one of"),
        ('column = "seconds"', 'column = "s"\nseconds_per_epoch = 3', r"cost needs one of"),
        ('column = "seconds"', "seconds_per_epoch = -3", r"cost\.seconds_per_epoch = -3 must be a positive"),
        ('column = "seconds"', "seconds_per_epoch = nan", r"cost\.seconds_per_epoch = nan must be a positive"),
        ('column = "seconds"', 'column = "s"\nunit = "days"', r"cost\.unit = 'days' is not known"),
        ('column = "seconds"', 'column = "s"\nof = "step"', r"cost\.of = 'step' is not known"),
        ('a = ["x", "y"]', 'a = "x"', r"decisions\.a = 'x' is not a list of options"),
        ('a = ["x", "y"]', "a = []", r"decisions\.a = \[\] is not a list"),
        ('a = ["x", "y"]', 'a = ["x", ""]', r"decisions\.a = .* is not a list"),
        ('a = ["x", "y"]', 'a = ["x", ["y"]]', r"decisions\.a = .* is not a list"),
        ('a = ["x", "y"]', 'a = ["x", "x"]', r"decisions\.a has the option 'x' twice"),
        ("[1, 2.5, 3.0]", '[1, "1"]', r"decisions\.b has the option '1' twice"),
        ("[1, 2.5, 3.0]", str(list(range(128))), r"decisions\.b has 128 options, at most 127"),
        ("[1, 2.5, 3.0]", "{ colum = 'c', options = [1] }", r"decisions\.b\.colum is not a key .*b\.column"),
        ("[1, 2.5, 3.0]", "{ column = 3, options = [1] }", r"decisions\.b\.column = 3 is not the name"),
        ("[accuracy]", "[extras]\nx-y = 'c'\n[accuracy]", r"extras\.x-y is not a name"),
        ("[accuracy]", "[extras]\nx = 3\n[accuracy]", r"extras\.x = 3: write"),
        (
            "[accuracy]",
            "[architectures]\nmissing = 'drop'\n[accuracy]",
            r"architectures\.missing = 'drop' is not known",
        ),
        ('valid = "valid"', 'valid = "v"\nsplit = "s"', r"accuracy\.split and accuracy\.value belong together"),
        ("[decisions]", "decisions = 3\n[other]", r"decisions is missing|other is not a key"),
        ("[cost]", "[cost", r"is not TOML"),
        ("epochs = 9", 'epochs = 9\nrepeat = "r"\n[extras]\nrepeat = "r', r"is not TOML"),
        ('valid = "valid"', 'valid = "v_{repeat}"\n[training]\nepochs = 3\nrepeat = "r"\n#', r"is not TOML"),
    ],
)
def test_mistakes_are_named_by_their_key(old: str, new: str, message: str, tmp_path: Path) -> None:
    read_spec(written(tmp_path, SMALL))
    assert old in SMALL
    with pytest.raises(InvalidSetting, match=message) as raised:
        read_spec(written(tmp_path, SMALL.replace(old, new, 1)))
    assert str(raised.value).startswith(str(tmp_path / "spec.toml"))
    assert "\n" not in str(raised.value)


def test_a_repeat_is_said_once(tmp_path: Path) -> None:
    text = SMALL.replace('"valid"', '"valid_{repeat}"').replace("epochs = 9", 'epochs = 9\nrepeat = "seed"')
    with pytest.raises(InvalidSetting, match=r"training\.repeat is a column, and accuracy\.valid has \{repeat\}"):
        read_spec(written(tmp_path, text))


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(MissingData, match="nassim data template"):
        read_spec(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(InvalidSetting, match="is not TOML"):
        read_spec(tmp_path / "binary.toml")
    with pytest.raises(NassimError):
        read_spec(tmp_path)


@pytest.mark.parametrize(
    ("value", "text"),
    [(16, "16"), (16.0, "16"), (0.5, "0.5"), ("16", "16"), (" a ", "a"), (True, "true"), (1e300, "1e+300")],
)
def test_options_as_text(value: object, text: str) -> None:
    assert text_of(value) == text


toml = st.recursive(
    st.text(max_size=8) | st.integers(-3, 300) | st.floats() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["column", "options", "unit"]), inner),
    max_leaves=5,
)
KEYS = [f"{section}.{key}" for section, keys in tomllib.loads(TEMPLATE).items() for key in keys]


@given(st.sampled_from(KEYS), toml)
def test_nonsense_gives_a_specification_or_one_clear_error(
    tmp_path_factory: pytest.TempPathFactory, key: str, value: object
) -> None:
    from nassim.tabular_data.recipes.csv_spec import _Reader

    data = tomllib.loads(TEMPLATE)
    section, _, name = key.partition(".")
    data[section][name] = value
    try:
        _Reader(Path("spec.toml"), data).spec()
    except InvalidSetting as error:
        assert str(error).startswith("spec.toml: ")
