"""Metrics: what stands in print, and what a record of one may hold."""

from __future__ import annotations

import math

import pytest

from nassim.errors import InvalidSetting
from nassim.metric import ACCURACY, Metric


def test_accuracy_reads_as_ever() -> None:
    assert (ACCURACY.on("valid"), ACCURACY.title("test")) == ("valid_accuracy", "test accuracy")
    assert ACCURACY.shown(0.912) == pytest.approx(91.2) and ACCURACY.shown_unit == "%"
    assert (ACCURACY.regret_factor, ACCURACY.regret_unit, ACCURACY.more_is_better) == (100.0, "pp", True)


def test_a_loss_is_printed_as_itself_or_as_perplexity_and_a_difference_stays_in_nats() -> None:
    loss = Metric("loss", "nats", "negated")
    assert (loss.shown(-4.1), loss.shown_unit, loss.more_is_better, loss.title("valid")) == (
        *(4.1, "nats", False),
        "validation loss",
    )
    perplexity = Metric("loss", "nats", "perplexity")
    assert perplexity.shown(-math.log(61.3)) == pytest.approx(61.3)
    assert (perplexity.title("test"), perplexity.shown_unit, perplexity.regret_unit) == ("test perplexity", "", "nats")
    bits = Metric("loss", "nats", "bits")
    assert bits.shown(-math.log(2)) == pytest.approx(1.0) and bits.regret_factor == pytest.approx(1 / math.log(2))
    assert perplexity.shown(-1e9) == pytest.approx(math.exp(700))  # a diverged training prints, too


def test_a_record_gives_the_metric_back_and_nothing_else() -> None:
    metric = Metric("ssim", "", "plain")
    assert Metric.of(metric._asdict()) == metric
    assert Metric.of(None) == Metric.of({}) == ACCURACY
    for wrong in (
        {"name": "x"},
        {**metric._asdict(), "reading": "upwards"},
        {**metric._asdict(), "unit": 3},
        {"a": []},
    ):
        with pytest.raises(InvalidSetting, match="a metric has a name, a unit and a reading"):
            Metric.of(wrong)
