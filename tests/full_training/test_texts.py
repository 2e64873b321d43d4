"""Texts: reading, splits, vocabularies, what is kept, the shipped one; and what is no text, in one line each."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path

import numpy as np
import pytest

from nassim.cli.main import main
from nassim.errors import CorruptData, InvalidSetting, MissingData, UnknownName
from nassim.full_training.texts import data as texts
from nassim.full_training.texts import own, reading, releases

Capture = pytest.CaptureFixture[str]
STRANGE = ["abc abc"] * 800 + ["\u00e9t\u00e9"] * 200  # letters that no training line has


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path / "data"))
    return tmp_path


def lines(count: int = 400, words: int = 30) -> list[str]:
    """Sentences in which a word makes the next one likely."""
    rng = random.Random(0)
    found = []
    for _ in range(count):
        at, row = rng.randrange(words), []
        for _ in range(8):
            row.append(f"w{at}")
            at = (at + 1) % words if rng.random() < 0.8 else rng.randrange(words)
        found.append(" ".join(row))
    return found


def written(folder: Path, name: str, rows: list[str]) -> Path:
    path = folder / name
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def said(capsys: Capture, *arguments: object) -> tuple[int, str, str]:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


# -- reading ----------------------------------------------------------------------------------------------


def test_splits_are_the_first_eight_tenths_the_next_and_the_last() -> None:
    parts = reading.divide([str(i) for i in range(25)])
    assert [len(parts[s]) for s in texts.SPLITS] == [20, 2, 3] and parts["valid"] == ["20", "21"]


def test_the_vocabulary_is_by_frequency_then_by_code_point() -> None:
    rows = {"train": ["b a b c"] * 200 + ["d a"] * 100, "valid": ["a b zzz"] * 40, "test": ["a b"] * 40}
    found = reading.numbered("some", rows, "words")
    assert found.vocabulary == ("b", "<eos>", "a", "c", "d", "<unk>")  # 400, 300, 300, 200, 100
    assert found.splits["valid"][:4].tolist() == [2, 0, 5, 1]
    assert found.share_unknown("train") == 0 and found.share_unknown("valid") == 0.25
    few = reading.numbered("some", rows, "words", 4)
    assert few.vocabulary == ("b", "<eos>", "a", "<unk>") and few.splits["train"][:5].tolist() == [0, 2, 0, 3, 1]
    assert few.sha256 != found.sha256
    lower = reading.numbered("some", {s: [r.upper() for r in rows[s]] for s in rows}, "words", lower=True)
    assert lower.sha256 == found.sha256


def test_characters_have_the_end_of_a_line_among_them() -> None:
    rows = {"train": ["ab"] * 400, "valid": ["ba"] * 40, "test": ["aa"] * 40}
    found = reading.numbered("some", rows, "characters")
    assert found.vocabulary == ("\n", "a", "b") and found.splits["valid"][:3].tolist() == [2, 1, 0]
    assert found.metric.read(-1.0) == "1.443 bits" and found.each == "character"


def test_a_folder_has_its_own_splits(folder: Path) -> None:
    for split in texts.SPLITS:
        written(folder, f"wiki.{split}.tokens", [f"{split} a b"] * 400)
    rows, names = reading.read(folder)
    assert rows["valid"] == ["valid a b"] * 400 and names["valid"] == "wiki.valid.tokens"
    (folder / "wiki.test.tokens").unlink()
    with pytest.raises(MissingData, match="no file for the split test"):
        reading.read(folder)


# -- the shipped text ---------------------------------------------------------------------------------------


def test_the_shipped_text_is_the_same_everywhere() -> None:
    """Bit for bit: a hash of its bytes, and one of the numbered words."""
    data = texts.load_text("handbook")
    assert data.sha256 == "b4cd84882547641d6bbacef8435652d670e1bdcf78432cb97346f0d78f50daab"
    assert len(data.vocabulary) == texts.HANDBOOK_WORDS and data.vocabulary[:3] == ("<eos>", ",", "the")
    assert sum(map(len, data.splits.values())) > 60_024  # words, and an end for each line
    assert 0 < data.share_unknown("valid") < 0.1 and data.metric.reading == "perplexity"


def test_another_text_in_its_place_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "HANDBOOK_SHA256", "0" * 64)
    with pytest.raises(CorruptData, match="install again"):
        texts._handbook.__wrapped__()


# -- texts of the user's own --------------------------------------------------------------------------------


def test_a_text_of_my_own(folder: Path, capsys: Capture) -> None:
    path = written(folder, "mine.txt", lines())
    code, out, _ = said(capsys, "data", "text", "mine", path, "--vocabulary", 20)
    assert code == 0 and "words, 20 different ones" in out and "not in the vocabulary" in out
    data = texts.load_text("mine")
    assert data.sha256 in out and texts.text_names() == ["handbook", "mine"]
    assert said(capsys, "data", "text", "mine", path)[0] == 2
    about = json.loads(said(capsys, "data", "text", "mine", path, "--by", "characters", "--replace", "--json")[1])
    assert about["unit"] == "characters" and about["sha256"] == texts.load_text("mine").sha256 != data.sha256
    assert np.array_equal(own.load("mine").splits["test"], texts.load_text("mine").splits["test"])


def test_a_damaged_text_is_one_line(folder: Path) -> None:
    own.save(reading.numbered("mine", reading.divide(lines()), "words"))
    path = own.path_of("mine")
    whole = path.read_bytes()
    for broken in (whole[:100], whole.replace(b"about", b"abort"), b""):
        path.write_bytes(broken)
        with pytest.raises(CorruptData, match="--replace` makes it again") as raised:
            texts.load_text("mine")
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (["one line"], (), "a text of 1 line cannot be divided"),
        ([""] * 100, (), "has an empty vocabulary"),
        ([" "] * 2000, (), "has an empty vocabulary"),
        (["a b"] * 50, (), "words in its train lines: it needs 1,000"),
        (
            ["abc abc"] * 800 + ["\u00e9t\u00e9"] * 200,
            ("--by", "characters"),
            "2 characters of the validation and test lines",
        ),
        (["a b"] * 900, ("--vocabulary", "200000"), "a vocabulary of 200,000 words cannot be"),
    ],
)
def test_what_is_no_text_is_one_line(
    folder: Path, capsys: Capture, rows: list[str], options: tuple[str, ...], message: str
) -> None:
    code, out, err = said(capsys, "data", "text", "mine", written(folder, "mine.txt", rows), *options)
    assert code == 2 and not out and message in " ".join(err.split()) and "Traceback" not in err
    assert not own.path_of("mine").exists()


def test_unknown_characters_can_be_taken_for_one(folder: Path, capsys: Capture) -> None:
    path = written(folder, "mine.txt", STRANGE)
    code, out, _ = said(capsys, "data", "text", "mine", path, "--by", "characters", "--unknown")
    assert code == 0 and "75.00 % of valid" in out and texts.load_text("mine").vocabulary[-1] == "<unk>"


def test_what_is_not_there_or_no_text(folder: Path) -> None:
    with pytest.raises(MissingData, match="is not there"):
        reading.read(folder / "none.txt")
    (folder / "latin.txt").write_bytes(b"caf\xe9 " * 100)
    with pytest.raises(CorruptData, match="no text in UTF-8"):
        reading.read(folder / "latin.txt")
    for name in ("handbook", "digits", "../x", "A"):
        with pytest.raises(InvalidSetting):
            own.path_of(name)
    with pytest.raises(UnknownName, match="Did you mean handbook"):
        texts.load_text("handbok")
    with pytest.raises(UnknownName, match="not shipped: `nassim data text ptb` gets it"):
        texts.load_text("ptb")


# -- released texts -------------------------------------------------------------------------------------------


def test_released_texts_have_checksums_and_nothing_else_passes(folder: Path, capsys: Capture) -> None:
    assert set(releases.RELEASES) == set(texts.RELEASED)
    for release in releases.RELEASES.values():
        for url, known in release.files.values():
            algorithm, _, value = known.partition(":")
            assert url.startswith("https://") and len(bytes.fromhex(value)) == hashlib.new(algorithm).digest_size
    for split in texts.SPLITS:
        written(folder, f"ptb.{split}.txt", ["no treebank"] * 400)
    code, _, err = said(capsys, "data", "text", "ptb", folder)
    assert code == 2 and "it is not the release" in " ".join(err.split())


def test_a_release_is_divided_as_it_says(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With files in place of the releases, whose checksums are then theirs."""

    def known(name: str, file: str, content: bytes) -> None:
        release = releases.RELEASES[name]
        (folder / file).write_bytes(content)
        files = {**release.files, file: ("https://x", f"sha256:{hashlib.sha256(content).hexdigest()}")}
        monkeypatch.setitem(releases.RELEASES, name, release._replace(files=files))

    known("tiny-shakespeare", "input.txt", b"To be, or not to be\n" * 200)
    data = releases.obtain("tiny-shakespeare", folder)
    assert data.unit == "characters" and [len(data.splits[s]) for s in texts.SPLITS] == [3601, 201, 201]
    for split in texts.SPLITS:
        known("ptb", f"ptb.{split}.txt", f" the <unk> of {split} \n".encode() * 400)
    data = releases.obtain("ptb", folder)
    assert data.unit == "words" and "<unk>" in data.vocabulary and data.names["test"] == "ptb.test.txt"
