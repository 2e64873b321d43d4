"""The record of its metric in a table's header: what is read, what is refused, and that accuracies say nothing."""

from __future__ import annotations

import json
import math

import pytest

from nassim.tabular_data.table_header import Header, from_text, to_text

RECORD = {"name": "loss", "unit": "nats", "reading": "negated"}
HEADER = Header("toy", ("t",), ("valid_loss",), {}, 1, "", (9,), {}, "a test", "MIT", "none", metric=RECORD)


def _in_json(metric: dict[str, str]) -> bytes:
    return json.dumps(metric, separators=(",", ":")).encode()


@pytest.mark.parametrize(
    "metric",
    [{"name": "loss"}, {**RECORD, "name": "../x"}, {**RECORD, "reading": "up"}, {**RECORD, "more": ""}],
)
def test_another_record_is_refused(metric: dict[str, str]) -> None:
    text = to_text(HEADER, {})
    assert from_text(text, math.inf)[0] == HEADER
    altered = text.replace(_in_json(RECORD), _in_json(metric))
    assert altered != text
    with pytest.raises(ValueError, match="in its header a metric has a name"):
        from_text(altered, math.inf)


def test_a_table_of_accuracies_says_nothing_of_its_metric() -> None:
    """So tables that were made before are as they would be made today."""
    header = Header("toy", ("t",), ("valid_accuracy",), {}, 1, "", (9,), {}, "a test", "MIT", "none")
    text = to_text(header, {})
    assert b'"metric"' not in text and from_text(text, math.inf)[0].metric == {}
