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


def test_a_record_from_outside_cannot_carry_anything_into_columns_and_axes() -> None:
    good = {"name": "loss", "unit": "nats", "reading": "negated"}
    assert Metric.of(good).on("valid") == "valid_loss"
    for wrong in (
        {"name": "Loss"},
        {"name": "valid/../x"},
        {"name": "x" * 41},
        {"name": ""},
        {"unit": "a\nb"},
        {"unit": "<b>\x00"},
        {"unit": "x" * 41},
    ):
        with pytest.raises(InvalidSetting, match="a metric has a name"):
            Metric.of({**good, **wrong})


def test_words_and_columns_of_every_reading() -> None:
    loss, ssim = Metric("loss", "nats", "negated"), Metric("ssim", "", "plain")
    perplexity, miou = Metric("loss", "nats", "perplexity"), Metric("miou", "fraction", "percent")
    assert [m.head("valid") for m in (ACCURACY, loss, ssim, perplexity, miou)] == [
        *("valid %", "valid loss [nats]", "valid ssim", "valid perplexity", "valid miou %"),
    ]
    assert [m.column("test", "mean") for m in (ACCURACY, loss, ssim, perplexity, miou)] == [
        *("test_accuracy_mean_percent", "test_loss_mean_nats", "test_ssim_mean", "test_perplexity_mean"),
        "test_miou_mean_percent",
    ]
    assert [m.regret_column("regret", "mean") for m in (ACCURACY, loss, ssim, perplexity, miou)] == [
        *("regret_mean_pp", "regret_mean_nats", "regret_mean", "regret_mean_nats", "regret_mean_pp"),
    ]
    assert [m.below_the_best for m in (ACCURACY, loss, ssim, perplexity)] == [
        *("percentage points below", "nats above", "how far below", "nats of loss above"),
    ]
    assert (ACCURACY.read(0.9123), loss.read(-1.23456), ssim.read(0.987654)) == ("91.23 %", "1.235 nats", "0.9877")
    assert (loss.read(None), loss.text(math.nan)) == ("–", "–")
    assert loss.signed(-2.0) == 2.0 and ssim.signed(0.5) == 0.5


def test_what_counts_as_no_regret() -> None:
    loss = Metric("loss", "nats", "negated")
    assert {ACCURACY.regret_exponent(highest) for highest in (0.0, 3.0, 90.0, math.inf)} == {-2}
    assert [loss.regret_exponent(highest) for highest in (0.0, 0.4, 1.0, 7.0, 4000.0, math.inf)] == [
        -4,
        -3,
        -3,
        -2,
        1,
        -4,
    ]


def test_values_fit_their_metric() -> None:
    loss = Metric("loss", "nats", "negated")
    assert ACCURACY.fits(0.0) and ACCURACY.fits(1.0) and not ACCURACY.fits(1.01) and not ACCURACY.fits(-0.1)
    assert loss.fits(-40.0) and loss.fits(3.0) and not loss.fits(math.inf) and not loss.fits(math.nan)
