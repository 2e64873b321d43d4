"""Regressors from encodings to accuracy."""
