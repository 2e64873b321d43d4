"""Recipes: from a published release to one table."""
