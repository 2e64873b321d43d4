"""Settings of strategies that inherit which cannot be: one line that names the strategy."""

from __future__ import annotations

import pytest

import nassim
from nassim.errors import InvalidSetting


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("nash", {"neighbors": 1}),
        ("nash", {"morphisms": 0}),
        ("lemonade", {"accepted": 40}),
        ("netadapt", {"delta": 0.0}),
        ("netadapt", {"target": 1.5}),
        ("autokeras", {"noise": 0.0}),
        ("autokeras", {"initial": 0}),
        ("codeepneat", {"species": 0}),
    ],
)
def test_settings_that_cannot_be_are_one_line(name: str, settings: dict[str, object]) -> None:
    with pytest.raises(InvalidSetting, match=name):
        nassim.run(nassim.get_algorithm(name).configured(**settings), "toy/additive", "9q")
