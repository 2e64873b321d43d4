"""Recipes: what they hash to, and which settings they take."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from nassim.benchmarks.spaces.darts import SPACE as DARTS
from nassim.errors import InvalidSetting
from nassim.full_training.images.data import ImageData, Split
from nassim.full_training.training.recipe import RECIPES, Recipe, get_recipe
from nassim.network import Frame, measure

HASHES = {  # of all recipes before there were cutout, drop path, auxiliary heads, smoothing and clipping
    "nasbench201-12ep": "a381227b2296c20f4e98b3536d65e1325fb7e6a9c4b579169d99c00fd6a5647c",
    "nasbench201-200ep": "5f99a15c757000d348a7f2de667757e98cc1ca0022410a868e6e1787f979bbe7",
    "nasbench201-12ep-unmirrored": "c03b85470c12798f36b98a61c6865f7d14cefe0fcde7dee061bf0c3640f498ae",
    "digits": "6f2cf50149e210508ad42899728d522978f4112cb7daa10c3e04e2f6a20dcc49",
    "fashion14": "6f2cf50149e210508ad42899728d522978f4112cb7daa10c3e04e2f6a20dcc49",
}
LATER = {
    "segmentation": "06eb398dc687855eff2c8371a2d84fc4eb8f56f5b6c126d21f403ea5b549d20a",
    "darts-digits": "c611bab7196b782e6e1ad0fb3268a9366f4efa464c2a77b001ac9f8b802f821c",
    "darts-fashion14": "7b41899c3c44f7b9db907912ed1a63a7cbebb29c680ff344a93a14ee40ce3797",
    "darts-600ep": "848c23d92706328f3e4b75618e046964bbd743d5b9e44c578ec4ea07ee134fc9",
    "small": "9530f35a3550ac88b80c97c50f3e77723d0762a2e9f94e329bd248c9af170c72",
}
USED = {"cutout": 4, "drop_path": 0.2, "auxiliary": 0.4, "smoothing": 0.1, "clip": 5.0}


@pytest.mark.parametrize("name", HASHES)
def test_a_recipe_keeps_its_hash(name: str) -> None:
    """Tables, recordings and kept trainings are known by it."""
    assert get_recipe(name).sha256 == HASHES[name]


def test_no_recipe_is_without_a_known_hash() -> None:
    assert {name: recipe.sha256 for name, recipe in RECIPES.items()} == {**HASHES, **LATER}


def test_what_is_used_is_in_the_hash() -> None:
    plain = get_recipe("digits")
    changed = [replace(plain, **{name: value}) for name, value in USED.items()]  # type: ignore[arg-type]
    assert len({plain.sha256, *(recipe.sha256 for recipe in changed)}) == len(USED) + 1
    assert get_recipe("digits", cutout=4).sha256 == changed[0].sha256


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("cutout", value) for value in (-1, 2.5)),
        *((name, value) for name in ("drop_path", "smoothing") for value in (-0.1, 1.0, 1.5, math.nan)),
        *(("auxiliary", value) for value in (-0.4, math.inf, math.nan)),
        *(("clip", value) for value in (0, -5.0, math.inf, math.nan)),
    ],
)
def test_what_cannot_be_is_refused(name: str, value: float) -> None:
    with pytest.raises(InvalidSetting, match=f"recipe r: {name}={value} must be ") as caught:
        Recipe("r", **{name: value})  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_a_cutout_larger_than_the_images_is_refused() -> None:
    split = Split(np.zeros((4, 1, 8, 8), np.uint8), np.zeros(4, np.int64))
    data = ImageData("grey", 2, dict.fromkeys(("train", "valid", "test"), split), {}, flip=False)
    recipe = Recipe("r", batch=2, crop=0, flip=False, cutout=8)
    recipe.check(data)
    with pytest.raises(InvalidSetting, match="recipe r cuts out 9 pixels, more than grey's 8"):
        replace(recipe, cutout=9).check(data)


def test_drop_path_rises_from_zero() -> None:
    recipe = get_recipe("darts-600ep")
    assert [recipe.drop_path_at(epoch) for epoch in (0, 300, 599)] == pytest.approx([0.0, 0.1, 0.2 * 599 / 600])


def test_the_recipe_of_darts_papers() -> None:
    recipe = get_recipe("darts-600ep")
    assert (recipe.channels, recipe.cells, recipe.epochs, recipe.batch) == (36, 20, 600, 96)
    assert (recipe.rate, recipe.momentum, recipe.nesterov, recipe.weight_decay) == (0.025, 0.9, False, 3e-4)
    assert (recipe.cutout, recipe.drop_path, recipe.auxiliary, recipe.clip) == (16, 0.2, 0.4, 5.0)
    assert (recipe.padding(32), recipe.flip, recipe.smoothing, recipe.warmup) == (4, True, 0.0, 0.0)
    assert recipe.rate_at(0, 100) == 0.025 and recipe.rate_at(600 * 100 - 1, 100) < 1e-9
    frame = Frame(recipe.channels, recipe.cells, 10, auxiliary=recipe.auxiliary > 0)
    assert measure(DARTS.network(DARTS.parse("DARTS_V2"), frame)).parameters == 3_349_342
