"""Recipes: what they hash to, which settings they take, and what of the papers' training they say."""

from __future__ import annotations

import pytest

from nassim.full_training.training.recipe import RECIPES, get_recipe

HASHES = {  # of all recipes before there were cutout, drop path, auxiliary heads, smoothing and clipping
    "nasbench201-12ep": "a381227b2296c20f4e98b3536d65e1325fb7e6a9c4b579169d99c00fd6a5647c",
    "nasbench201-200ep": "5f99a15c757000d348a7f2de667757e98cc1ca0022410a868e6e1787f979bbe7",
    "nasbench201-12ep-unmirrored": "c03b85470c12798f36b98a61c6865f7d14cefe0fcde7dee061bf0c3640f498ae",
    "digits": "6f2cf50149e210508ad42899728d522978f4112cb7daa10c3e04e2f6a20dcc49",
    "fashion14": "6f2cf50149e210508ad42899728d522978f4112cb7daa10c3e04e2f6a20dcc49",
}


@pytest.mark.parametrize("name", HASHES)
def test_a_recipe_keeps_its_hash(name: str) -> None:
    """Tables, recordings and kept trainings are known by it."""
    assert get_recipe(name).sha256 == HASHES[name]


def test_no_recipe_is_without_a_known_hash() -> None:
    assert set(RECIPES) == set(HASHES)
