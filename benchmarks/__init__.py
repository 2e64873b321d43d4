"""Benchmarks, one file per family: the file's name is the family's name."""
