"""What the verbs share: finding recipes by name, and sizes in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nassim.registry import recipe_module, recipe_modules

if TYPE_CHECKING:
    from nassim.tabular_data.recipe import Recipe

Name = Annotated[str, typer.Argument(metavar="NAME", help="`nassim data list` shows them")]


def recipe(name: str) -> Recipe:
    """The recipe of a name, or a table of the user's own."""
    from nassim.tabular_data.own_recipe import own_recipes
    from nassim.tabular_data.recipe import Recipe

    own = {r.name: r for r in own_recipes()}.get(name.strip().removeprefix("csv/"))
    return own or Recipe.of(recipe_module(name))


def recipes() -> list[Recipe]:
    """All recipes, by name, then the tables of the user's own."""
    from nassim.tabular_data.own_recipe import own_recipes
    from nassim.tabular_data.recipe import Recipe

    return [*(Recipe.of(module) for _, module in sorted(recipe_modules().items())), *own_recipes()]


def megabytes(count: int) -> str:
    """A number of bytes in MB, small ones in kB."""
    return f"{count / 1e6:.1f} MB" if count >= 100_000 else f"{count / 1e3:.1f} kB"
