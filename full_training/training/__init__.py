"""Recipes and trainings: one architecture, many at once, kept, and held against a study."""
