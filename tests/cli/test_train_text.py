"""nassim train, of recurrent cells."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from nassim.cli.main import main  # noqa: E402
from nassim.full_training.texts import own, reading  # noqa: E402
from tests.full_training.test_texts import lines  # noqa: E402


def test_train_prints_perplexity_or_bits(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NASSIM_DATA", str(tmp_path))
    for name, unit in (("tiny", "words"), ("letters", "characters")):
        own.save(reading.numbered(name, reading.divide(lines(200)), unit))
    for name, unit in (("tiny", "validation perplexity"), ("letters", "validation bits")):
        with pytest.raises(SystemExit) as ended:
            main(["train", "rnn:DARTS_V2", "--data", name, "--epochs", "1"])
        out, err = capsys.readouterr()
        assert not ended.value.code and unit in " ".join(out.split()) and "epoch 1/1" in err
    with pytest.raises(SystemExit):
        main(["train", "rnn:DARTS_V2", "--data", "tiny", "--epochs", "1", "--json"])
    (found,) = json.loads(capsys.readouterr().out)
    assert found["test_loss"] > 0
    with pytest.raises(SystemExit):
        main(["train", "rnn:DARTS_V2", "--compiled"])
    assert "for networks of images" in " ".join(capsys.readouterr().err.split())
